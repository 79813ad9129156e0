"""The cross-entropy of classes of pixels."""

from ..objective_kind import Loss

KIND = Loss(
    number=3,
    name="pixel_cross_entropy",
    words="cross-entropy of pixels",
    function="skipviz.learning.loss.pixel:pixel_loss",
    takes=("class_weights", "label_smoothing"),
)
