"""The nodes of the cluster that runs compute on, if they do: what is left of each. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable

from ..settings import Settings
from .capacity.admission import Place
from .processes.launcher import Launcher


class Nodes:
    """Knows them once it serves. Any thread may ask."""

    def __init__(self, settings: Callable[[], Settings], beside: Callable[[Place], Place]) -> None:
        """`beside(place)` is a node with what jobs leave of it."""
        self._settings, self._beside = settings, beside
        self._launcher: Launcher | None = None

    def serve(self, launcher: Launcher) -> None:
        """Take what hears of nodes."""
        self._launcher = launcher

    def places(self) -> list[Place] | None:
        """Return what jobs and other servers leave of each node, or None where runs compute on this machine."""
        if not self._settings().ray:
            return None
        return [self._beside(Place(*node)) for node in self._launcher.nodes]

    def gpus(self, device: str) -> float:
        """Return the share of a GPU that a run takes of a node."""
        return self._settings().gpu_share if device == "cuda" and self._settings().ray else 0.0
