"""A skip that is off and one of strength 0 are one network, to everybody who reads it: one meaning of "off"."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import torch

from skipviz import Experiment, Skip, Task, Training, edit, families
from skipviz.description import network_described
from skipviz.drawing import diagram, modules, words
from skipviz.drawing.network_data import network_data
from skipviz.drawing.thumbnail import thumbnail
from skipviz.engine.capacity.footprint import footprint
from skipviz.learning.build import build
from skipviz.learning.trainer import Trainer
from skipviz.network.chain import wiring_of
from skipviz.network.paths import path_counts
from skipviz.network.rest import residual_branches
from skipviz.sharing.script.experiment import script
from skipviz.storage.summary import summary_of
from skipviz.tasks.comparison import differences

MERGES = ("add", "concat", "gate")
SKIPS = [Skip(source=0, target=1, on=on, strength=strength) for on in (True, False) for strength in (0.0, 0.05, 1.0, 2.0)]


def both(merge: str = "add", only: int | None = None, **fields):
    """Return a network with its skips (or one of them) off, and with strength 0 in their place."""
    network = families.mlp(**{"depth": 4, "width": 8, "skip_every": 2, "merge": merge, **fields})
    ids = [skip.id for skip in network.skips][slice(only, None if only is None else only + 1)]
    return edit.set_skips(network, ids, on=False), edit.set_skips(network, ids, strength=0.0)


def experiment(network, **training) -> Experiment:
    task = Task(name="moons", samples=90)
    return Experiment(variants={"net": network}, task=task, training=Training(batch_size=16, steps=8, device="cpu", **training))


READERS = {
    "paths": path_counts,
    "layers of branches": lambda network: sorted(residual_branches(wiring_of(network))),
    "memory": footprint,
    "the kept list": lambda network: summary_of(experiment(network)),
    "the page's count": lambda network: network_data(network)["skips_on"],
    "the diagram's sentence": words.network,
    "lines drawn as off": lambda network: diagram.draw(network).svg.count('aria-pressed="false"'),
    "folded lines drawn as off": lambda network: diagram.draw(edit.repeated(network, 20)).svg.count("mini off"),
    "the thumbnail": thumbnail,
    "the description's count": lambda network: network_described("net", network).splitlines()[0],
    "the script's count": lambda network: [line for line in script(experiment(network)).splitlines() if 'parameters."' in line],
}


@pytest.mark.parametrize("only", [None, 0])
@pytest.mark.parametrize("merge", MERGES)
@pytest.mark.parametrize("reader", READERS)
def test_a_skip_off_and_a_skip_of_strength_0_read_the_same(reader, merge, only):
    off, weak = both(merge, only)
    assert READERS[reader](off) == READERS[reader](weak)
    on = edit.set_skips(weak, [skip.id for skip in weak.skips], strength=1.0)
    assert reader == "layers of branches" or READERS[reader](on) != READERS[reader](weak)


@pytest.mark.parametrize("merge", ["add", "gate"])
@pytest.mark.parametrize("layer", ["f2", "f3", "f4"])
def test_a_layer_that_is_off_becomes_the_same_under_a_skip_off_and_one_of_strength_0(merge, layer):
    outputs = []
    for network in both(merge, norm="batch"):
        lesioned = edit.set_layer(network, layer, on=False)
        outputs.append(build(lesioned)(torch.ones(3, 2)))
    assert torch.equal(*outputs)


@pytest.mark.parametrize("training", [{"optimizer": "momentum"}, {"optimizer": "adam"}, {"optimizer": "adamw"}], ids=str)
@pytest.mark.parametrize("merge", MERGES)
def test_what_a_skip_of_strength_0_has_to_learn_is_frozen_as_that_of_one_that_is_off(merge, training):
    fields = {"depth": 5, "skip_every": 3} if merge == "gate" else {}
    networks = both(merge, **fields)
    if merge == "add":
        networks = [
            edit.add_skip(network, 0, 3, on=network.skips[0].on, strength=network.skips[0].strength) for network in networks
        ]
    trainers = [Trainer(experiment(network, weight_decay=0.1, learning_rate=0.05, **training)) for network in networks]
    first = [[p.clone() for p in trainer._variants["net"].model.skips.parameters()] for trainer in trainers]
    assert merge == "concat" or first[0]
    frames = [[trainer.advance(record=True).variants["net"] for _ in range(8)] for trainer in trainers]
    assert [frame.loss for frame in frames[0]] == [frame.loss for frame in frames[1]]
    for trainer, before in zip(trainers, first, strict=True):
        after = list(trainer._variants["net"].model.skips.parameters())
        assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_two_networks_are_not_told_apart_by_the_switch_of_a_skip_of_strength_0():
    _, weak = both()
    assert differences(experiment(weak), experiment(edit.switch_all(weak, False))) == []


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_has_the_same_meaning_of_on_and_a_click_on_what_is_off_lets_it_carry():
    source = (modules.ASSETS / "js" / "common" / "in_force.js").read_text(encoding="utf-8")
    skips = [{"id": f"s{index}", "on": skip.on, "strength": skip.strength} for index, skip in enumerate(SKIPS)]
    ask = f"""const skips = {json.dumps(skips)};
    const after = skips.map((skip) => inForce({{ ...skip, ...toggled(skips, [skip.id]) }}));
    console.log(JSON.stringify([skips.map(inForce), countInForce(skips), after]));"""
    done = subprocess.run(["node", "--input-type=module", "-e", source + ask], capture_output=True, text=True, check=True)
    mine = [skip.in_force for skip in SKIPS]
    assert json.loads(done.stdout) == [mine, sum(mine), [not one for one in mine]]
