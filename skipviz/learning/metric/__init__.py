"""The metrics as functions of outputs and truth, each in a file of its name; scripts have their sources as they stand."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ...tasks.metric import METRICS as _KINDS

METRICS: dict[str, Callable] = {name: getattr(import_module(f"{__name__}.{name}"), name) for name in _KINDS}
"""Metric → (outputs, truth) ↦ number."""
