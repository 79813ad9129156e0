"""What a network is: pure data, shape inference and edits. Imports no torch and no streamlit."""

from .base import NetworkError, Shape
from .layer import Layer
from .network import Head, Network, Shapes
from .operation import Convolution, Identity, Linear, Pool, Upsampling
from .skip import Adapter, Skip

__all__ = [
    "Adapter",
    "Convolution",
    "Head",
    "Identity",
    "Layer",
    "Linear",
    "Network",
    "NetworkError",
    "Pool",
    "Shape",
    "Shapes",
    "Skip",
    "Upsampling",
]
