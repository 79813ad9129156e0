"""Huber's loss of numbers (Huber 1964): squared where the error is small, linear where outliers lie."""

from ..objective_kind import Loss

KIND = Loss(
    number=8,
    name="huber",
    words="Huber",
    function="torch.nn.functional:huber_loss",
    replaces=("squared_error",),
    only="Huber is a loss of numbers, and {} tells none",
    help="Of an error e below 1 e² / 2, of a larger one |e| − 1/2: far outliers pull less than squared (Huber 1964)",
)
