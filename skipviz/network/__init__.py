"""What a network is: pure data, shape inference and edits. Imports no torch and no streamlit."""

from .base import NetworkError, Shape
from .layer import Layer
from .network import Head, Network, Shapes
from .operation import CLASSES
from .skip import Adapter, Skip

globals().update(CLASSES)

__all__ = [
    "Adapter",
    "Head",
    "Layer",
    "Network",
    "NetworkError",
    "Shape",
    "Shapes",
    "Skip",
    *CLASSES,
]
