"""Runs that are kept. Imports no torch and no streamlit."""

from .memory import MemoryStore, RunStore
from .run import ENDED, STATES, Run

__all__ = ["ENDED", "STATES", "MemoryStore", "Run", "RunStore"]
