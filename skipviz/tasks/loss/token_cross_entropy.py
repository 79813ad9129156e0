"""The cross-entropy of tokens, each of which weighs the same."""

from ..objective_kind import Loss

KIND = Loss(
    number=4,
    name="token_cross_entropy",
    words="cross-entropy of tokens",
    function="skipviz.learning.loss.token:token_loss",
    takes=("class_weights", "label_smoothing"),
)
