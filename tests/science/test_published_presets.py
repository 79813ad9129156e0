"""The published architectures' presets do what their sentences say."""

from statistics import median

import pytest
import torch

from skipviz import edit, presets, train
from skipviz.learning.setup import prepare
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.published import PUBLISHED


@pytest.fixture(autouse=True)
def as_in_a_worker():
    threads = torch.get_num_threads()
    prepare()
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)


def run(name: str, steps: int, switched: dict[int, bool] | None = None, record_every: int = 20, on: bool | None = None) -> list:
    """Return the frames of the preset's network; `switched` says at which steps all its skips go on or off."""
    experiment = presets.get(name)
    if on is not None:
        experiment = experiment.with_network(edit.switch_all(experiment.network, on))
    ids = [skip.id for skip in experiment.network.skips]
    events = [SkipEvent(ids=ids, on=to, step=step) for step, to in (switched or {}).items()]
    training = experiment.training.replaced(steps=steps, record_every=record_every)
    frames = train(experiment.replaced(training=training), events)
    return [frame.variants["network"] for frame in frames]


def layer_gradients(frame) -> list[float]:
    return [value for value in frame.weight_grad if value is not None]


@pytest.mark.parametrize("name", [preset.name for preset in PUBLISHED])
def test_every_one_takes_steps_with_finite_numbers(name):
    frames = run(name, 2, record_every=1)
    assert [frame.nonfinite for frame in frames] == [[], []]
    assert all(frame.loss is not None for frame in frames)


@pytest.mark.parametrize(("name", "least"), [("plain-56-cifar", 100), ("resnet-110-cifar", 1000)])
def test_without_skips_batch_norm_makes_the_gradient_grow_and_with_them_it_is_even(name, least):
    plain, residual = (layer_gradients(run(name, 1, on=on)[0]) for on in (False, True))
    assert plain[0] / plain[-1] > least
    assert residual[0] / residual[-1] < 10
    assert max(residual) / min(residual) < 20


def test_at_twenty_layers_the_plain_resnet_learns_too():
    assert run("resnet-20-cifar", 60)[-1].held_out > 0.9
    assert run("plain-20-cifar", 100)[-1].held_out > 0.9


def test_a_u_net_gets_its_edges_back_with_its_skips():
    frames = run("unet-no-skips", 160, {100: True}, record_every=99)
    assert frames[-1].held_out - frames[1].held_out > 0.05


def test_scores_of_smaller_strides_make_finer_masks():
    overlap = [run(f"fcn-{variant}", 101, record_every=100)[-1].held_out for variant in ("32s", "16s", "8s")]
    assert overlap[0] < overlap[1] < overlap[2]
    assert overlap[2] > 0.5


def test_at_first_only_the_scores_of_an_fcn_have_a_gradient():
    gradients = layer_gradients(run("fcn-32s", 1)[0])
    assert sum(value > 0 for value in gradients) == 1


def test_a_transformer_learns_with_its_residuals_and_nothing_without():
    assert run("transformer-post-ln", 200)[-1].held_out > 0.9
    frames = run("transformer-no-residual", 500, {200: True}, record_every=199)
    assert frames[1].held_out < 0.05
    assert frames[-1].held_out > 0.9


def test_the_valid_u_net_finds_the_centre_of_its_image():
    experiment = presets.get("unet-2015")
    assert experiment.network.shapes.output == (1, 36, 36)
    assert experiment.network.input == (1, 220, 220)


def test_a_pre_ln_transformer_has_an_even_gradient():
    gradients = layer_gradients(run("transformer-pre-ln", 1)[0])
    assert max(gradients) < 20 * median(gradients)


def test_a_densenet_reads_digits_within_sixty_steps():
    assert run("densenet-bc", 60)[-1].held_out > 0.9


def test_membranes_are_traced_and_blur_without_the_long_skips():
    frames = run("unet-membranes", 170, {160: False}, record_every=10)
    assert frames[15].held_out > 0.75
    assert frames[-1].held_out < 0.67 * frames[15].held_out


def test_a_third_of_a_texts_unseen_characters_is_told_after_two_hundred_steps():
    frames = run("transformer-text", 200)
    assert frames[0].held_out < 0.1
    assert frames[-1].held_out > 0.33


def test_a_curve_stays_flat_until_the_skips_are_on():
    frames = run("curve-plain", 400, {200: True}, record_every=100)
    assert abs(frames[1].held_out) < 0.1
    assert frames[-1].held_out > 0.9
