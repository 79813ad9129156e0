"""The cross-entropy of masks of one thing, over the mask's centre where the outputs are smaller."""

from ..objective_kind import Loss

KIND = Loss(
    number=2,
    name="binary_cross_entropy",
    words="binary cross-entropy",
    function="skipviz.learning.loss.mask:mask_loss",
    takes=("class_weights",),
)
