"""The norms: one file is one of them, and all that names it but its torch part of the same name in `learning.norm`."""

from ..kind import Norm, kinds

NORMS: dict[str, Norm] = kinds(__name__)
