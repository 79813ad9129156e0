"""The server in figures, in Prometheus' text form. Imports no streamlit."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from ...engine import Engine
from ...engine.figures import WAIT_BOUNDS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = (b"x-forwarded-for", b"x-real-ip", b"forwarded")


class Figures:
    """A collector of what an engine says of itself, and of how many streams are open."""

    def __init__(self, engine: Engine, viewers: Callable[[], int]) -> None:
        self._engine, self._viewers = engine, viewers

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as it stands now."""
        figures = self._engine.figures()
        for what in ("runs", "jobs"):
            kept = GaugeMetricFamily(f"skipviz_{what}", f"{what.capitalize()} kept, by state.", labels=["state"])
            for state, count in figures[what].items():
                kept.add_metric([state], count)
            yield kept
        yield GaugeMetricFamily("skipviz_engine_warm", "1 once workers start at once.", int(self._engine.warm))
        yield GaugeMetricFamily("skipviz_queue_length", "Runs that wait in line.", figures["queue_length"])
        bounds = [*(f"{bound:g}" for bound in WAIT_BOUNDS), "+Inf"]
        waits = list(zip(bounds, accumulate(figures["queue_wait_counts"]), strict=True))
        yield HistogramMetricFamily(
            "skipviz_queue_wait_seconds", "How long runs that began were in line.", waits, figures["queue_wait_sum"]
        )
        yield CounterMetricFamily("skipviz_frames_received", "Frames that workers sent.", figures["frames_received"])
        yield CounterMetricFamily("skipviz_frames_sent", "Frames that went to viewers.", figures["frames_sent"])
        yield GaugeMetricFamily("skipviz_viewers", "Streams that are open.", self._viewers())
        yield CounterMetricFamily("skipviz_steps", "Training steps taken.", figures["steps"])
        yield GaugeMetricFamily("skipviz_steps_per_second", "Training steps a second, of all runs.", figures["steps_a_second"])
        yield GaugeMetricFamily("skipviz_workers", "Worker processes.", figures["workers"])
        memory = figures["worker_memory_mb"] * 2**20
        yield GaugeMetricFamily("skipviz_worker_memory_bytes", "Memory that the workers hold for themselves.", memory)
        reckoned = figures["reckoned_memory_mb"] * 2**20
        yield GaugeMetricFamily(
            "skipviz_reckoned_memory_bytes", "Memory that the runs under way may need at their peaks.", reckoned
        )


def written(engine: Engine, viewers: Callable[[], int]) -> bytes:
    """Return all figures of `engine` and of this process as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(engine, viewers))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def may_read(scope, token: str) -> bool:
    """Return whether a request may read figures: it carries `token`, or where there is none, comes from this machine itself.

    A request that a proxy handed on does not come from this machine, even if the proxy runs on it.
    """
    if token:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return secrets.compare_digest(given, f"Bearer {token}".encode())
    if any(name in _FORWARDED for name, _ in scope["headers"]):
        return False
    try:
        address = ipaddress.ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
