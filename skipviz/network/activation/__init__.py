"""The activations: one file is one of them, and all that names it."""

from ..kind import kinds

ACTIVATIONS = kinds(__name__)
