"""Runs that are kept. Imports no torch and no streamlit."""

from .memory import MemoryStore, RunStore, StoreError
from .recorded import RecordedStore
from .retention import Retention
from .run import ENDED, STATES, Run

__all__ = ["ENDED", "STATES", "MemoryStore", "RecordedStore", "Retention", "Run", "RunStore", "StoreError"]
