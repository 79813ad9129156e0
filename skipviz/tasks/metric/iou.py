"""The overlap of masks."""

from ..objective_kind import Metric

KIND = Metric(number=3, name="iou", words="IoU", meaning="intersection over union", share=False)
