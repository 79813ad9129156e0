"""The metrics: one file is one of them, and all that names it."""

from ...network.kind import kinds
from ..objective_kind import Metric

METRICS: dict[str, Metric] = kinds(__name__)
