"""The widget that shows a watched module's run in a notebook while it goes on: the browser's own modules, by anywidget.

A kernel hears nothing while a cell runs, so everything is sent without being asked for. Imports anywidget.
"""

from __future__ import annotations

import gzip
import json
import time
from functools import cache

import anywidget
import traitlets

from ..drawing import modules
from ..drawing.colours import THEMES
from ..drawing.figures import rows_figure
from ..drawing.network_data import viewer_data
from ..sharing.replay import thinned
from ..storage import Run
from ..version import __version__

MOST_OFTEN = 0.1
"""Seconds between two messages with frames at least: what comes between is sent when the cell ends."""
MOST_FRAMES = 300
MOST_BYTES = 4 * 2**20
"""Of all frames that a view opened later gets, evenly spread."""


@cache
def module() -> str:
    """Return the widget's only module: style sheet, figures and colours as constants, then the script."""
    style = modules.style() + (modules.ASSETS / "replay.css").read_text(encoding="utf-8")
    shared = modules.drawn_data("lab")
    rows = {theme: rows_figure(theme, columns=("bars", "share")) for theme in THEMES}
    constants = {"WIDGET_STYLE": style, "WIDGET_SHARED": {**shared, "figures": {**shared["figures"], "rows": rows}}}
    return "".join(f"const {name} = {json.dumps(value)};\n" for name, value in constants.items()) + modules.script("widget.js")


@cache
def packed_plotly() -> bytes:
    """Return plotly's own script in gzip's form."""
    return gzip.compress(modules.plotly_file().read_bytes(), 6, mtime=0)


class RunWidget(anywidget.AnyWidget):
    """Shows what `watched` measures. `live` brings frames as they come, `past` has all to whoever asks for the state, such as a
    page that was loaded again."""

    _esm = module()
    run = traitlets.Unicode().tag(sync=True)
    plotly = traitlets.Bytes().tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    live = traitlets.Unicode().tag(sync=True)
    past = traitlets.Any().tag(sync=True, to_json=lambda _, widget: widget._all_frames())

    def __init__(self, watched, name: str) -> None:
        self._watched, self._state, self._sent = watched, "paused", 0.0
        super().__init__(run=name, plotly=packed_plotly(), view=self._view())

    def __repr__(self) -> str:
        return f"{self._watched.title}, live while its kernel runs"

    def heard(self, payload: bytes) -> None:
        """Send a frame that was just recorded, unless another was sent a moment ago."""
        now = time.monotonic()
        if now - self._sent >= MOST_OFTEN:
            self._sent, self._state = now, "running"
            self.view = self.view or self._view()
            self.live = self._message([payload])

    def rest(self) -> None:
        """Send all frames: none is on its way."""
        self._state = "paused"
        self.view = self.view or self._view()
        self.live = self._all_frames()

    def _all_frames(self) -> str:
        run = self._watched.run
        if run is None:
            return ""
        frames = run.frames
        room = MOST_BYTES * len(frames) // max(1, run.bytes)
        most = max(2, min(MOST_FRAMES, room))
        return self._message(frames if len(frames) <= most else thinned(frames, most), snapshot=True)

    def _message(self, frames: list[bytes], snapshot: bool = False) -> str:
        head = {"state": self._state, "steps": steps_shown(self._watched.run, self._state == "paused"), "snapshot": snapshot}
        return f'{json.dumps(head)[:-1]}, "frames": [{b",".join(frames).decode()}]}}'

    def _view(self) -> str:
        """Return all that a viewer needs beside the frames, once there is one; see `skipviz.web.content.replay_data`."""
        run = self._watched.run
        if run is None:
            return ""
        header, network = run.header, self._watched.network
        skips, parameters = len(network.skips), sum(one["parameters"] for one in header["variants"].values())
        facts = [
            f"{network.depth} layers, {skips} skip{'' if skips == 1 else 's'}, {parameters:,} parameters",
            f"batches of {header['batch_size']} on {header['device']}",
        ]
        data = {
            "run": run.id,
            "title": self._watched.title,
            "made": f"Measured with skipviz {__version__} and torch {header['torch']}.",
            "address": "",
            "note": "",
            "words": "Recorded",
            "header": header,
            "diverged": {},
            "metric": header["metric"],
            "variants": {name: {"facts": facts, "events": [], **viewer_data(network)} for name in header["variants"]},
        }
        return json.dumps(data, allow_nan=False)


def steps_shown(run: Run, ended: bool) -> int:
    """Return where the axis of steps ends: at the last one of a run at rest, else at the next of 1, 2, 5, 10, 20, 50, …"""
    last = max(1, run.step - 1)
    if ended:
        return last
    ten = 10 ** (len(str(last)) - 1)
    return next(factor * ten for factor in (1, 2, 5, 10) if factor * ten >= last)
