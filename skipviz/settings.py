"""Every setting of a running server, read from `SKIPVIZ_*` environment variables."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal

import psutil
from pydantic import Field, TypeAdapter, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SITE = r"(\*|https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]+|:\*)?)"


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_mb() -> float:
    """Return the MB of memory that this process may use: the machine's, or its container's share."""
    machine = psutil.virtual_memory().total
    with suppress(OSError, ValueError):
        machine = min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return machine / 2**20


MEMORY_SHARE = 0.6
"""Share of the memory that runs may take by default: the rest is the server's, the fork server's and the system's."""
PUBLIC = {
    "max_running": max(usable_cores(), 2),
    "max_queued": 1000,
    "browser_running": 4,
    "browser_queued": 4,
    "starts_per_minute": 600,
    "browser_starts_per_minute": 30,
    "run_minutes": 10,
    "run_steps": 20_000,
    "run_parameters": 8_000_000,
    "run_memory_mb": 512,
    "step_seconds": 20,
    "browser_jobs": 2,
    "job_minutes": 5,
    "unwatched_minutes": 3,
    "paused_minutes": 10,
    "cuda": False,
    "keep_days": 7,
}
"""Defaults with `SKIPVIZ_PUBLIC=1`.

A browser may have the figure's three panels and one lab under way. A lecture hall behind one address may start three
panels each on two hundred phones within a minute; single browsers are held back by their own limit.
"""


class Settings(BaseSettings):
    """One field a setting; `max_running` is read from `SKIPVIZ_MAX_RUNNING`, and so on."""

    model_config = SettingsConfigDict(env_prefix="SKIPVIZ_", frozen=True, extra="ignore")

    public: bool = Field(False, description="1: defaults for a server that anybody may use; what is set explicitly stays")
    max_running: int = Field(
        default_factory=lambda: max(usable_cores(), 4),
        ge=1,
        le=1024,
        description="runs that compute at a time; further ones wait in line. A paused run counts for none, one that is held to"
        " a speed for what it takes of a core, a quarter at least. Default: cores, at least 4",
    )
    max_queued: int = Field(200, ge=0, le=100_000, description="runs that may wait in line")
    browser_running: int = Field(16, ge=1, le=100_000, description="runs of one browser at a time, paused ones included")
    browser_queued: int = Field(200, ge=0, le=100_000, description="runs of one browser that may wait in line")
    starts_per_minute: int = Field(
        1200, ge=1, le=1_000_000, description="runs started from one address in a minute; all at once or one by one"
    )
    browser_starts_per_minute: int = Field(300, ge=1, le=1_000_000, description="runs started by one browser in a minute")
    trusted_proxies: int = Field(
        0, ge=0, le=16, description="proxies before this server whose `X-Forwarded-For` says the visitor's address"
    )
    address_streams: int = Field(
        400, ge=1, le=100_000, description="pages of one address that hear of runs live at a time: a lecture hall may have one"
    )
    browser_streams: int = Field(40, ge=1, le=100_000, description="pages of one browser that hear of runs live at a time")
    frames_per_second: int = Field(
        60, ge=1, le=60, description="times a second that a page is told of a run that trains: fewer spare its processor too"
    )
    run_minutes: float = Field(1440, gt=0, le=1_000_000, description="minutes that one run may train")
    run_steps: int = Field(1_000_000, ge=1, le=1_000_000, description="steps that one run may take")
    run_parameters: int = Field(1_000_000_000, ge=1, description="parameters that one run may have, all variants together")
    step_seconds: float = Field(
        60, gt=0, le=100_000, description="after which a step counts as stuck, unless the run's others were nearly as slow"
    )
    max_jobs: int = Field(
        default_factory=lambda: max(usable_cores() // 2, 1),
        ge=1,
        le=1024,
        description="jobs, as sweeps are, that compute at a time beside the runs, to which they give way. Default: half the cores",
    )
    browser_jobs: int = Field(20, ge=1, le=100_000, description="jobs of one browser that compute or wait in line")
    job_minutes: float = Field(120, gt=0, le=1_000_000, description="minutes that one job may compute")
    unwatched_minutes: float = Field(30, gt=0, le=1_000_000, description="after which a run pauses that nobody watches")
    cuda: bool = Field(True, description="whether runs may take a CUDA device")
    total_memory_mb: int = Field(
        default_factory=lambda: max(256, int(_memory_mb() * MEMORY_SHARE)),
        ge=64,
        le=100_000_000,
        description="MB that all runs together are expected to take; further ones wait. Default: 60 % of the machine's",
    )
    run_memory_mb: int = Field(4096, ge=64, le=1_000_000, description="MB that one run may take beside torch itself")
    store_mb: int = Field(128, ge=1, le=1_000_000, description="MB of frames kept in memory; the oldest ended runs go first")
    run_store_mb: int = Field(32, ge=1, le=1_000_000, description="MB of frames kept of one run; then every other old frame goes")
    paused_minutes: float = Field(60, gt=0, le=100_000, description="after which a paused run is stopped")
    probe_seconds: float = Field(20, gt=0, le=3600, description="longest measurement at initialisation")
    data_dir: Path = Field(Path(".data"), description="folder for what is kept of runs and uploads; made when it is needed")
    database_url: str = Field(
        "",
        max_length=2000,
        pattern=r"^(postgresql(\+psycopg)?://.+)?$",
        repr=False,
        description="PostgreSQL in which runs and frames are kept (`postgresql://user:password@host/name`); none: in the folder",
    )
    blobs: str = Field(
        "",
        max_length=2000,
        repr=False,
        description="folder, or URL of an object store that fsspec knows, for checkpoints and people's own data; none: the folder",
    )
    keep_days: float = Field(30, gt=0, le=36_500, description="days for which an ended run is kept")
    keep_mb: int = Field(2048, ge=1, le=10_000_000, description="MB that all kept runs may take on the disk; then the oldest go")
    checkpoint_seconds: float = Field(10, ge=0.05, le=86_400, description="seconds between two checkpoints of a run")
    upload_mb: int = Field(512, ge=1, le=1_000_000, description="MB of people's own data kept; what was longest unused goes first")
    upload_hours: float = Field(168, gt=0, le=100_000, description="after which unused data of people's own is removed")
    open: str = Field(
        "", max_length=4000, description="file in which `python -m skipviz open` says what it opened; never on a public server"
    )
    ray: str = Field(
        "",
        max_length=300,
        pattern=r"^(auto|[A-Za-z0-9.-]+:[0-9]{1,5})?$",
        description="Ray cluster on whose nodes runs, measurements and sweeps compute: `host:port` of its head, or `auto`: the one"
        " that this machine is a node of. None: on this machine",
    )
    gpu_share: float = Field(0.25, gt=0, le=1, description="share of a GPU that a run on one takes on a cluster")
    start: Literal["auto", "fork", "spawn"] = Field(
        "auto", description="how a worker starts: forked from a warm process, or as a fresh one; auto: forked where there is fork"
    )

    watch: bool = Field(
        True, description="whether the lab shows live what a script watches; 0: it stays in the memory of its script"
    )
    idle_minutes: float = Field(
        0, ge=0, le=1_000_000, description="after which a server ends that no page is open of and no run trains on; 0: never"
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

    @model_validator(mode="before")
    @classmethod
    def _public_defaults(cls, values):
        if isinstance(values, dict) and TypeAdapter(bool).validate_python(values.get("public", False)):
            return {**PUBLIC, **values}
        return values

    @model_validator(mode="after")
    def _opens_nothing_in_public(self):
        if self.open and self.public:
            raise ValueError("a public server runs nobody's own code: leave SKIPVIZ_OPEN or SKIPVIZ_PUBLIC out")
        if self.open and self.ray:
            raise ValueError("a person's own code is on this machine only: leave SKIPVIZ_OPEN or SKIPVIZ_RAY out")
        return self

    def largest_run_mb(self) -> int:
        """Return the MB that one run may take: never more than all together."""
        return self.run_memory_mb if self.ray else min(self.run_memory_mb, self.total_memory_mb)

    def blobs_place(self) -> str:
        """Return the folder or URL for checkpoints and people's own data."""
        return self.blobs if "://" in self.blobs else str(Path(self.blobs or self.data_dir).resolve())

    def uploads_place(self) -> str:
        """Return the folder or URL in which people's own data is kept."""
        return f"{self.blobs_place()}/uploads"

    def forks(self) -> bool:
        """Return whether workers are forked from a warm process; those that run a person's own code are fresh ones."""
        if self.open:
            return False
        return bool(self.ray) or self.start == "fork" or (self.start == "auto" and hasattr(os, "fork"))


@cache
def get_settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
