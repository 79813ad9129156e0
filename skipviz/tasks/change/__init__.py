"""The events that change how a live run is trained: one file is one of them, and all that names it."""

from ...network.kind import kinds

CHANGES = kinds(__name__)
