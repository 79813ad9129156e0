"""The share of sequences without a wrong token."""

from ..objective_kind import Metric

KIND = Metric(number=2, name="exact", words="Exact match", meaning="share without a wrong token")
