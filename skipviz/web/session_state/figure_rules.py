"""How the panels of Figure 4.9 take commands: skips and valves are switched, a twin follows, a change starts one's own run."""

from __future__ import annotations

from functools import partial

from ...network.edit import set_layers, set_skips
from ...tasks.twin import with_twin
from ..document.document import Document
from ..document.labs import labs
from ..document.reducer import Rules
from .shared_demo import REPEATS, SPEED, opening

LIVE = ("on", "gain", "strength")
"""What is changed in the figure; the rest is the lab's."""


def is_shared(panel: str, document: Document) -> bool:
    """Return whether the panel shows everybody's run: nothing was changed and none of one's own started."""
    return document.run is None and document.experiment == opening(panel)


def _reduced(document: Document, command: dict) -> Document:
    change = {"skips": set_skips, "layers": set_layers}[command["op"]]
    allowed = {name: value for name, value in dict(command["changes"]).items() if name in LIVE}
    network = change(document.experiment.network, command["ids"], **allowed)
    return document.put(with_twin(document.experiment.with_network(network)))


def _starts(panel: str, before: Document, after: Document) -> bool:
    shown = before.run is not None or is_shared(panel, before)
    return shown and after.run is None and not is_shared(panel, after)


RULES = {panel: Rules(panel, _reduced, extends=False, starts=partial(_starts, panel), speed=SPEED) for panel in REPEATS}
labs.rules |= RULES
