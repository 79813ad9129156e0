"""What the browser makes of a drawing, once skips, valves and layers stand otherwise, says what Python's own drawing says."""

from __future__ import annotations

import pytest

from skipviz.drawing.diagram import draw
from skipviz.drawing.network_data import network_data
from skipviz.drawing.udiagram import draw_u
from skipviz.network import edit, families
from skipviz.tasks import presets

SAID = """async ([one, other, network]) => {
    const { drawSwitches } = await import("/js/diagram/diagram_switches.js");
    const stage = document.getElementById("stage");
    const put = (text) => stage.appendChild(document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true));
    const said = (svg) => {
        const all = (selector, of) => [...svg.querySelectorAll(selector)].map(of).sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
        const classes = (node) => [...node.classList].sort().join(" ");
        return {
            lines: all(".edge.skip", (node) => [node.dataset.edge, classes(node), node.getAttribute("aria-label"), node.getAttribute("aria-pressed")]),
            words: all("[data-edge-label]", (node) => [node.dataset.edgeLabel, classes(node), node.textContent.trim()]),
            valves: all("[data-valve]", (node) => [node.dataset.valve, classes(node), node.querySelector(".factor").textContent.trim(), node.getAttribute("aria-label")]),
            boxes: all("[data-layer]", (node) => [node.dataset.layer, classes(node)]),
            dashes: all(".mini", (node) => [classes(node), node.getAttribute("d").split("M").map((dash) => dash.replace(/^\\S+ /, "")).sort()]),
            rings: all(".mini-lane .ring", (node) => [node.dataset.skip, node.getAttribute("aria-label")]),
        };
    };
    const svg = put(one.svg);
    drawSwitches(svg, one, network);
    return [said(svg), said(put(other))];
}"""  # noqa: E501


def _mixed():
    network = families.mlp(depth=12, width=16, input=(16,))
    network = edit.add_skip(network, 3, 6, "concat", adapter={"channels": "project", "width": 8})
    for source, target, merge in ((0, 2, "add"), (1, 9, "concat"), (4, 11, "add"), (5, 7, "gate")):
        network = edit.add_skip(network, source, target, merge)
    return network


def _learned():
    network = families.mlp(depth=12, width=8, skip_every=2, input=(8,))
    network = edit.set_skips(network, [skip.id for skip in network.skips[::2]], learned=True, strength=0.0)
    return edit.set_skips(network, [network.skips[4].id], softmax=True)


NETWORKS = {
    "learned": (_learned, draw),
    "mixed": (_mixed, draw),
    "dense": (lambda: families.mlp(depth=7, width=8, skip_every=5, pattern="dense", input=(8,)), draw),
    "deep": (lambda: edit.add_skip(families.mlp(depth=120, width=8, skip_every=2, input=(8,)), 31, 118), draw),
    "stack": (lambda: presets.figure("right", 6).network, lambda network: draw(network, page="figure", repeat=6)),
    "u": (lambda: presets.get("unet-shapes").network, draw_u),
    "excited": (lambda: families.resnet(depth=20, reduction=4, input=(1, 28, 28), head=10), draw),
    "gated": (lambda: families.unet(2, 8, padded=True, gates=True, input=(1, 32, 32), head=1), draw_u),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_drawing_says_how_everything_stands_as_python_would(harness, name):
    make, drawn = NETWORKS[name]
    before = make()
    skips, layers = ([part.id for part in parts] for parts in (before.skips, before.layers))
    after = edit.set_skips(before, skips[::3], strength=0.25)
    after = edit.set_skips(after, skips[1::3], on=False)
    after = edit.set_skips(after, skips[:1], gain=0.333333, on=False)
    after = edit.set_layers(after, layers[1:2], gain=0.5)
    after = edit.set_layers(after, layers[2:3], gain=0.0)
    after = edit.set_layers(after, layers[-1:], on=False)
    for start, end in ((before, after), (after, before)):
        one, other = (drawn(network).to_data() for network in (start, end))
        ours, python = harness.evaluate(SAID, [one, other["svg"], network_data(end)])
        assert ours == python
