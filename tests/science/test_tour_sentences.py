"""What the guided tour says is so, at the settings that its steps set."""

from __future__ import annotations

from math import log

import pytest
from preset_run import PresetRun, first_over_last

from skipviz import edit
from skipviz.learning.trainer import Trainer
from skipviz.tasks.presets import figure
from skipviz.web.content.tour import HELD, PLAIN, STEPS, U_SHAPED

SENTENCES = [
    "24 layers without skips learn to tell two spirals apart. After 100 steps the loss stands at 0.69, as it does for who guesses: "
    "the network stalls.",
    "Look at the first layer. Its gradient is less than a millionth of the last layer's: what it would have to learn does not "
    "reach it.",
    "Residual was pressed while it trains: the same weights, with 11 skips on. One step later the first layer gets more than a "
    "hundredth of the last's gradient.",
    "The valve beside f(5) is shut: no gradient goes back through that layer. Those below it still learn, for their gradient goes "
    "around it on the skips.",
    "A U-Net, scale by scale: levels of 32, 16 and 8 pixels. Each skip joins the two sides of one level, past the smaller ones.",
    "Share makes a link of the network, its task and its seed. Who opens it has the same experiment; a lesson's link can carry a "
    "tour of your own.",
]
pytestmark = pytest.mark.usefixtures("as_in_a_worker")


def test_these_are_the_sentences_and_the_settings_of_the_tour():
    assert [step.text for step in STEPS] == SENTENCES, "look again whether they are so"
    assert [step.experiment for step in STEPS] == [PLAIN, PLAIN, PLAIN, "", U_SHAPED, ""]
    assert [step.train for step in STEPS] == [100, 100, 100, None, None, None]
    assert [step.skips for step in STEPS] == [None, None, True, None, None, None]
    assert [step.shut for step in STEPS] == [(), (), (), ("f5",), (), ()]


def test_the_plain_network_stalls_with_a_first_layer_that_gets_no_gradient_until_its_skips_are_on():
    run = PresetRun(PLAIN)
    assert run.network.depth == 24
    assert not any(skip.on for skip in run.network.skips)
    held = run.go(HELD + 1)
    assert held.loss == pytest.approx(log(2), abs=0.005)
    assert abs(run.held_out - 0.5) < 0.08
    assert first_over_last(held) < 1e-6
    run.go(60)  # a page takes a while to hold a run, and a person to press
    assert first_over_last(run.see()) < 1e-6
    assert len(run.switch(True).network.skips) == 11
    assert first_over_last(run.go(1)) > 1e-2


def test_below_the_shut_valve_layers_learn_around_it():
    (valve,) = STEPS[3].shut
    network = edit.set_layers(figure("left").network, [valve], gain=0.0)
    frame = next(iter(Trainer(figure("left").with_network(network)).advance(record=True).variants.values()))
    assert frame.trunk_grad[4] == frame.weight_grad[4] == 0
    assert all(ratio > 0 for ratio in frame.update_ratio[:4])


def test_the_u_has_three_scales_whose_two_sides_its_skips_join():
    network = figure("center").network
    sides = [network.input[1], *(shape.output[1] for shape in network.shapes.layers)]
    assert sorted(set(sides), reverse=True) == [32, 16, 8]
    for skip in network.skips:
        assert sides[skip.source] == sides[skip.target] > min(sides[skip.source : skip.target])
