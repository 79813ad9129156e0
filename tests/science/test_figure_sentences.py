"""What the cards of Figure 4.9's page say is so, at initialisation and at their runs' end, however often a unit is repeated."""

from __future__ import annotations

from functools import cache
from statistics import median

import pytest
from preset_run import held_out_of, layer_gradients

from skipviz import Network, edit
from skipviz.learning.frame import VariantFrame
from skipviz.learning.trainer import Trainer
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.presets import MOST_REPEATS, figure, figure_unit
from skipviz.tasks.twin import TWIN, with_twin
from skipviz.web.content.figure_text import PANELS

SENTENCES = {
    "left": "What a layer gives is appended to a later one's input. Shut the valve beside f(5): the layers below it still learn, "
    "for their gradient goes around it; the twin's get none.",
    "center": "Two halvings, two doublings; each skip joins layers of one scale, past the smaller ones. The twin finds no shape in "
    "its steps. Switch the outer skip off: the masks stay coarser.",
    "right": "The skip is added, and passes one block, whose output is multiplied by 1/√(blocks). Repeat it up to ×200: the first "
    "layer's gradient stays near the last's, and it learns; from ×2 on its twin guesses.",
}
BY_CHANCE = 0.2
"""More than what guessing one of ten digits gets right."""
SHOWN = [("left", 1), ("left", 2), ("left", 3), ("right", 2), ("right", 6), ("right", 25)]
"""Panels and how often they are repeated, of those whose whole run is taken."""
pytestmark = pytest.mark.usefixtures("as_in_a_worker")


def trained(experiment: Experiment, steps: int | None = None) -> Trainer:
    """Return a run's trainer before its last step, or before another one."""
    trainer = Trainer(experiment)
    while trainer.step < (experiment.training.steps - 1 if steps is None else steps):
        trainer.advance(record=False)
    return trainer


def seen(trainer: Trainer) -> dict[str, VariantFrame]:
    """Return what is measured of every network before the next step; all of it is finite."""
    frames = trainer.measure(baseline=False, picture=False).variants
    assert all(frame.nonfinite == [] for frame in frames.values())
    return frames


@cache
def centre_at_its_end(repeat: int) -> dict[str, VariantFrame]:
    """Return what is measured of the centre and of its twin before their last step; nothing may change it."""
    return seen(trained(with_twin(figure("center", repeat))))


def alone(panel: str, repeat: int, network: Network | None = None) -> Experiment:
    experiment = figure(panel, repeat)
    return experiment.with_network(network) if network else experiment


def one(trainer: Trainer) -> VariantFrame:
    (frame,) = seen(trainer).values()
    return frame


def test_these_are_the_sentences_on_the_page():
    assert {panel: text for panel, (_, text) in PANELS.items()} == SENTENCES, "look again whether they are so"
    assert MOST_REPEATS == {"left": 3, "center": 3, "right": 200}


@pytest.mark.parametrize(("panel", "repeat"), SHOWN)
def test_with_skips_it_reads_digits_and_its_twin_guesses_while_its_first_layers_starve(panel, repeat):
    trainer = Trainer(with_twin(figure(panel, repeat)))
    for last in (False, True):
        frames = seen(trainer)
        own, bare = (layer_gradients(frames[name]) for name in (panel, TWIN))
        first = [k for k in range(len(own)) if own[k] > 0][: len(own) // 2]
        assert first
        assert all(bare[k] < own[k] for k in first), "where layers learn, no hollow bar of the first half is longer"
        assert bare[0] < 0.05 * own[0] or (last and panel == "left")
        if not last:
            while trainer.step < trainer.experiment.training.steps - 1:
                trainer.advance(record=False)
    assert frames[panel].held_out >= 0.9
    assert frames[TWIN].held_out <= 0.25


@pytest.mark.parametrize("repeat", [1, 2, 3])
def test_left_layers_below_a_shut_valve_learn_around_it_and_the_twins_do_not(repeat):
    network = figure("left", repeat).network
    shut = [layer.id for layer in network.layers if layer.id.endswith("f5")]
    assert len(shut) == repeat
    trainer = Trainer(with_twin(alone("left", repeat, edit.set_layers(network, shut, gain=0.0))))
    before = seen(trainer)["left"].loss
    for _ in range(2):
        frames = trainer.advance(record=True).variants
        assert frames["left"].trunk_grad[4] == frames["left"].weight_grad[4] == 0
        assert all(gradient > 0 for gradient in frames["left"].weight_grad[:4])
        assert all(ratio > 0 for ratio in frames["left"].update_ratio[:4])
        assert frames[TWIN].weight_grad[: 8 * repeat - 4] == [0] * (8 * repeat - 4)
        while trainer.step < 200:
            trainer.advance(record=False)
    if repeat == 1:
        assert seen(trainer)["left"].loss < 0.7 * before


def test_left_what_a_layer_gives_is_appended():
    assert {skip.merge for skip in figure_unit("left").skips} == {"concat"}


@pytest.mark.parametrize("repeat", [1, 3])
def test_centre_the_twin_finds_no_shape_and_its_first_layer_starves(repeat):
    start, end = seen(Trainer(with_twin(figure("center", repeat)))), centre_at_its_end(repeat)
    for frames in (start, end):
        assert frames[TWIN].weight_grad[0] < 0.05 * frames["center"].weight_grad[0]
    assert end["center"].held_out > 0.83
    assert end[TWIN].held_out < 0.05
    pairs = list(zip(end[TWIN].weight_grad, end["center"].weight_grad, strict=True))
    assert all(bare < 3 * own for bare, own in pairs), "the layers that skips pass have little to learn, and less than theirs"
    assert all(bare < own for bare, own in (pairs[0], pairs[1], pairs[-1]))


def test_centre_without_the_outer_skip_masks_stay_coarser():
    network = figure_unit("center")
    (outer,) = [skip for skip in network.skips if skip.target - skip.source == 4]
    bare = edit.set_skip(network, outer.id, on=False)
    whole, coarse = centre_at_its_end(1)["center"], one(trained(alone("center", 1, bare)))
    assert coarse.held_out < whole.held_out - 0.03


def test_centre_its_skips_join_layers_of_one_scale_past_two_halvings_and_two_doublings():
    network = figure_unit("center")
    sides = [network.input[1], *(shape.output[1] for shape in network.shapes.layers)]
    assert sides == [32, 32, 16, 8, 16, 32, 32]
    for skip in network.skips:
        assert sides[skip.source] == sides[skip.target] > min(sides[skip.source : skip.target])


@pytest.mark.parametrize("repeat", [1, 2, 6, 25, 100, 200])
def test_right_the_first_layers_gradient_stays_near_the_last_ones(repeat):
    network = figure("right", repeat).network
    blocks = 2 * repeat
    assert network.depth == 2 * blocks
    assert [layer.scale for layer in network.layers[1::2]] == [pytest.approx(blocks**-0.5, rel=1e-4)] * blocks
    frame = one(Trainer(figure("right", repeat)))
    gradients = layer_gradients(frame)
    assert 0.1 < gradients[0] / gradients[-1] < 3
    assert 0.3 < gradients[0] / median(gradients) < 3
    assert frame.loss < 5


def test_right_eight_hundred_layers_read_nine_digits_of_ten_within_their_steps():
    trainer = Trainer(figure("right", 200))
    while held_out_of(trainer) < 0.9:
        assert trainer.step < trainer.experiment.training.steps
        for _ in range(8):
            trainer.advance(record=False)
    gradients = layer_gradients(one(trainer))
    assert 0.1 < gradients[0] / gradients[-1] < 10


def test_right_four_layers_learn_without_skips_too():
    frames = seen(trained(with_twin(figure("right", 1))))
    assert frames["right"].held_out >= 0.9
    assert frames[TWIN].held_out >= 0.9
