"""The overlap of classes of pixels."""

from ..objective_kind import Metric

KIND = Metric(
    number=4,
    name="mean_iou",
    words="Mean IoU",
    meaning="mean intersection over union",
    share=False,
)
