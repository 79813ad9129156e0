"""How a watched module shows itself in a notebook: live by a widget, and as a picture that stays in the saved file."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import secrets
import sys
from dataclasses import asdict
from functools import cached_property
from importlib.util import find_spec

from ..drawing import diagram
from ..drawing.network_data import LAB_HEIGHT
from ..drawing.run_figure import run_figure
from ..drawing.still import still

EXTRA = "To see it live here, install the extra “notebook”: pip install anywidget"
"""What is said where there is no widget."""
REST = 1.0
"""Seconds after a frame when a kernel that says nothing of the end of a cell is asked for a moment."""
_BESIDE = ".jp-OutputArea-child:has(.skipviz-still) + .jp-OutputArea-child:not(:has(.skipviz-live)) { display: none; }"
"""Without its kernel JupyterLab says "model not found" in the widget's place, beside the picture."""


class Shown:
    """A watched module as pictures and in notebooks: what `Watched` shows of its `run`."""

    def diagram(self, theme: str = "light") -> str:
        """Return the SVG of the module's diagram, its bands as wide as the last frame's gradients; bare before the first."""
        frame = None if self.run is None else asdict(self.frame())
        return diagram.draw(self.network, page="lab", height=LAB_HEIGHT).standalone_svg(theme, frame)

    def figure(self, theme: str = "light"):
        """Return a plotly figure: the last frame's gradient of each layer's weights, and the loss so far."""
        from plotly.graph_objects import Figure

        paths = [layer.op.path or layer.id for layer in self.network.layers]
        return Figure(run_figure(paths, self.frame().weight_grad, losses_of(self), theme))

    def _ipython_display_(self) -> None:
        self._shown.show()

    def _display_(self):
        """Return what marimo shows."""
        return self._shown.widget or Picture(self._shown)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return Picture(self._shown)._repr_mimebundle_()

    @cached_property
    def _shown(self) -> Notebook:
        return Notebook(self)


class Notebook:
    """The picture of one watched module and, with anywidget, its widget; both follow what is recorded once they are shown."""

    def __init__(self, watched) -> None:
        self.watched, self.id, self.widget = watched, secrets.token_hex(6), None
        if find_spec("anywidget"):
            from .widget import RunWidget

            self.widget = RunWidget(watched, self.id)
        self._in_ipython = self._waits = False
        watched.listeners.append(self._heard)

    def show(self) -> None:
        """Show it under an IPython cell: the picture, which is kept in the file, and the widget, which stands in for it."""
        from IPython.display import display

        self._in_ipython = True
        display(Picture(self), display_id=self.id)
        if self.widget is not None:
            display(self.widget)

    def _heard(self, _, payload: bytes) -> None:
        if self.widget is not None:
            self.widget.heard(payload)
        if self._waits:
            return
        if self._in_ipython:
            # Within the cell: what runs a file without a person listens no longer.
            _shell().events.register("post_run_cell", self._rest)
        else:
            try:
                asyncio.get_running_loop().call_later(REST, self._rest)
            except RuntimeError:
                return
        self._waits = True

    def _rest(self, *_) -> None:
        self._waits = False
        if self._in_ipython:
            from IPython.display import update_display

            _shell().events.unregister("post_run_cell", self._rest)
            update_display(Picture(self), display_id=self.id)
        if self.widget is not None:
            self.widget.rest()


class Picture:
    """What was measured last, as HTML that runs nothing and asks nothing of any server."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        watched, image = self.notebook.watched, ""
        losses = losses_of(watched)
        words = words_of(watched, losses)
        said = html.escape(words)
        if watched.run is not None:
            source = base64.b64encode(svg_of(watched, losses, words).encode()).decode()
            image = f'<img alt="{said}" style="max-width: 100%" src="data:image/svg+xml;base64,{source}">'
        body = image or f"<p>{said}</p>"
        body += f"<p>{EXTRA}</p>" if self.notebook.widget is None else f"<style>{_BESIDE}</style>"
        return {"text/plain": words, "text/html": f'<div class="skipviz-still skipviz-still-{self.notebook.id}">{body}</div>'}

    def _repr_html_(self) -> str:
        return self._repr_mimebundle_()["text/html"]


def words_of(watched, losses: list[tuple[int, float]]) -> str:
    """Return in a sentence what is watched and how far it came."""
    if watched.run is None:
        return f"{watched.title}: nothing measured yet."
    network = watched.network
    said = f"{watched.title}: {network.depth} layers, {len(network.skips)} skips, step {watched.run.step - 1}"
    return said + (f", loss {losses[-1][1]:.4g}" if losses else "")


def losses_of(watched) -> list[tuple[int, float]]:
    """Return (step, loss) of every frame that has a loss; none before the first."""
    frames = map(json.loads, [] if watched.run is None else watched.run.frames)
    found = ((frame["step"], next(iter(frame["variants"].values())).get("loss")) for frame in frames)
    return [(step, loss) for step, loss in found if loss is not None]


def svg_of(watched, losses: list[tuple[int, float]], words: str) -> str:
    """Return the picture of what was measured last; names of modules are text in it."""
    frame = next(iter(json.loads(watched.run.frames[-1])["variants"].values()))
    drawn = diagram.draw(watched.network, page="lab", height=LAB_HEIGHT)
    return still(drawn, frame, losses, words)


def _shell():
    return sys.modules["IPython"].get_ipython()
