"""The merges: one file is one of them, and all that names it."""

from ..kind import kinds

MERGES = kinds(__name__)
CHOSEN = {name: kind for name, kind in MERGES.items() if not kind.recorded_only}
"""Those that a person may choose."""
