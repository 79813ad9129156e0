"""The merges: one file is one of them, and all that names it."""

from ..kind import kinds

MERGES = kinds(__name__)
