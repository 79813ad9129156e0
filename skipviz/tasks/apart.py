"""How the networks of a comparison differ: each but the first in words, and which parts are not in all of them alike."""

from __future__ import annotations

from collections.abc import Mapping

from ..network.network import Network
from .comparison import apart_words


def apart(networks: Mapping[str, Network]) -> dict[str, dict]:
    """Return for each network how it differs from the first in words (`differs`), and the ids of its parts that not every other has
    alike (`unlike`), whatever their switches, strengths and gains: what a run may change is told by its events."""
    named, first = next(iter(networks.items()))
    parts = [_parts(network) for network in networks.values()]
    alike = {name for name, part in parts[0].items() if all(own.get(name) == part for own in parts)}
    return {
        name: {
            "differs": "" if name == named else apart_words(first, network),
            "unlike": [part for part in own if part not in alike],
        }
        for (name, network), own in zip(networks.items(), parts, strict=True)
    }


def _parts(network: Network) -> dict[str, tuple]:
    """Return every part by its id; a skip has the ids of the layers behind its ends, whatever their places."""
    ends = ["input", *(layer.id for layer in network.layers)]
    boxes = {box.id: (box.model_copy(update={"on": True, "gain": 1.0}),) for box in (*network.layers, *network.branches)}
    live = {"on": True, "strength": 1.0, "gain": 1.0}
    edges = {edge.id: (edge.model_copy(update=live),) for edge in network.edges}
    places = {"source": 0, "target": 0}
    skips = {skip.id: (ends[skip.source], ends[skip.target], skip.model_copy(update=live | places)) for skip in network.skips}
    return boxes | edges | skips
