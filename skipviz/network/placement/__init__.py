"""The spatial parts of adapters: one file is one of them, and all that names it."""

from ..kind import kinds

PLACEMENTS = kinds(__name__)
