"""Where runs execute: admission, worker processes and their life cycle. Imports no torch and no streamlit."""

from ..storage import ENDED, STATES, Run
from .engine import Engine, EngineError
from .process_engine import begin_engine, get_engine

__all__ = ["ENDED", "STATES", "Engine", "EngineError", "Run", "begin_engine", "get_engine"]
