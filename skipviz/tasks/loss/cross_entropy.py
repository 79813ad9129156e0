"""The cross-entropy of classes."""

from ..objective_kind import Loss

KIND = Loss(
    number=1,
    name="cross_entropy",
    words="cross-entropy",
    function="torch.nn.functional:cross_entropy",
    takes=("class_weights", "label_smoothing"),
)
