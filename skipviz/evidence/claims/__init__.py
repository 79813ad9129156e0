"""The claims: one file is one of them, and holds it as `KIND`."""

from __future__ import annotations

from ...network.kind import kinds
from ..claim import Claim

CLAIMS: dict[str, Claim] = kinds(__name__)
