"""Every setting of a running server, read from `SKIPVIZ_*` environment variables."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_SITE = r"(\*|https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]+|:\*)?)"


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """One field a setting; `max_running` is read from `SKIPVIZ_MAX_RUNNING`, and so on."""

    model_config = SettingsConfigDict(env_prefix="SKIPVIZ_", frozen=True, extra="ignore")

    max_running: int = Field(
        default_factory=lambda: max(_usable_cores(), 4),
        ge=1,
        le=1024,
        description="runs at a time, paused ones included; further ones wait in line. Default: cores, at least 4",
    )
    max_queued: int = Field(200, ge=0, le=100_000, description="runs that may wait in line")
    run_memory_mb: int = Field(4096, ge=64, le=1_000_000, description="MB that one run may take beside torch itself")
    store_mb: int = Field(128, ge=1, le=1_000_000, description="MB of frames kept in memory; the oldest ended runs go first")
    run_store_mb: int = Field(32, ge=1, le=1_000_000, description="MB of frames kept of one run; then every other old frame goes")
    paused_minutes: float = Field(60, gt=0, le=100_000, description="after which a paused run is stopped")
    probe_seconds: float = Field(20, gt=0, le=3600, description="longest measurement at initialisation")
    data_dir: Path = Field(Path(".data"), description="folder for what is kept of runs and uploads; made when it is needed")
    start: Literal["auto", "fork", "spawn"] = Field(
        "auto", description="how a worker starts: forked from a warm process, or as a fresh one; auto: forked where there is fork"
    )

    frame_ancestors: str = Field(
        "",
        max_length=2000,
        pattern=rf"^({_SITE}( {_SITE})*)?$",
        description="sites that may show the lab in a frame, beside its own: origins separated by spaces; `*`: any",
    )

    metrics_token: str = Field(
        "",
        max_length=200,
        description="whoever sends it (`Authorization: Bearer …`) may read `/skipviz/metrics`; none: only this machine itself may",
    )

    def forks(self) -> bool:
        """Return whether workers are forked from a warm process."""
        return self.start == "fork" or (self.start == "auto" and hasattr(os, "fork"))


@cache
def get_settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
