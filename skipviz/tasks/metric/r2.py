"""The share of the numbers' spread that is explained."""

from ..objective_kind import Metric

KIND = Metric(number=5, name="r2", words="R²", meaning="R²", share=False)
