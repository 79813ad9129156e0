"""What a network is: pure data, shape inference and edits. Imports no torch and no streamlit."""

from .base import NetworkError, Shape
from .layer import Layer
from .network import Head, Network, Shapes
from .operation import Attention, Convolution, Crop, Embedding, Identity, Linear, Pool, Position, Upsampling
from .skip import Adapter, Skip

__all__ = [
    "Adapter",
    "Attention",
    "Convolution",
    "Crop",
    "Embedding",
    "Head",
    "Identity",
    "Layer",
    "Linear",
    "Network",
    "NetworkError",
    "Pool",
    "Position",
    "Shape",
    "Shapes",
    "Skip",
    "Upsampling",
]
