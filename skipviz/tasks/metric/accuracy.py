"""The share that is predicted right."""

from ..objective_kind import Metric

KIND = Metric(number=1, name="accuracy", words="Accuracy", meaning="accuracy", by_class=True)
