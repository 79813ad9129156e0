"""The schemes of first weights: one file is one of them, and all that names it."""

from ..kind import Init, kinds

INITS: dict[str, Init] = kinds(__name__)
