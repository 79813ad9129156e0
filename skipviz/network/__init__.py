"""What a network is: pure data, shape inference and edits. Imports no torch and no streamlit."""

from .base import NetworkError, Shape
from .edge import Edge
from .group import Group
from .layer import Layer
from .network import Head, Network, Shapes
from .node import Join, Node
from .operation import CLASSES
from .skip import Adapter, Skip

globals().update(CLASSES)

__all__ = [
    "Adapter",
    "Edge",
    "Group",
    "Head",
    "Join",
    "Layer",
    "Network",
    "NetworkError",
    "Node",
    "Shape",
    "Shapes",
    "Skip",
    *CLASSES,
]
