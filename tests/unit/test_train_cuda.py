"""A run on CUDA gives frames of the same form, and the same numbers up to rounding, as one on the CPU."""

import pytest
import torch
from engines import frames_of, small, wait_for_end
from small_networks import NETWORKS, case

from skipviz import Experiment, edit, families, presets
from skipviz.learning.setup import as_in_a_run
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import SkipEvent

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")]


@pytest.fixture(autouse=True)
def _as_in_a_run():
    with as_in_a_run(cuda=True):
        yield


def named(name: str, **training) -> Experiment:
    if name in NETWORKS:
        return case(*NETWORKS[name], **training)
    found = presets.get(name)
    return found.replaced(training=found.training.replaced(batch_size=min(8, found.training.batch_size), **training))


def advanced(experiment: Experiment, device: str, steps: int) -> list[dict]:
    trainer = Trainer(experiment, device)
    assert trainer.header()["device"] == device
    frames = [trainer.advance(record=True, baseline=True, picture=True).to_data() for _ in range(steps)]
    return [{name: value for name, value in frame.items() if name != "seconds"} for frame in frames]


QUANTITIES = ("loss", "weight_grad", "state_grad", "trunk_grad", "skip_grad", "head_grad", "state_rms", "ghost", "total_grad")
APART = 2e-4
"""Share by which numbers of two devices may differ where the network does not amplify rounding."""
AMPLIFIED = 20
"""Times what a few roundings of each weight change, by which they may where it does: deep normed networks without skips."""


def first_frame(experiment: Experiment, device: str, shaken: bool = False) -> dict:
    """Return the variants of the first frame; `shaken`: of weights that are off by a few roundings."""
    trainer = Trainer(experiment, device)
    if shaken:
        generator = torch.Generator().manual_seed(1)
        for name in experiment.variants:
            for tensor in trainer.weights(name).values():
                if tensor.is_floating_point():
                    noise = torch.randn(tensor.shape, generator=generator)
                    tensor.mul_(1 + 4 * torch.finfo(torch.float32).eps * noise)
    return trainer.advance(record=True, baseline=True, picture=True).to_data()["variants"]


def numbers(field) -> list[float]:
    return [value for value in (field if isinstance(field, list) else [field]) if value is not None]


@pytest.mark.parametrize("name", [*presets.names(), *NETWORKS])
def test_the_first_frame_is_the_cpus(name):
    experiment = named(name, steps=1)
    mine, theirs, shaken = first_frame(experiment, "cuda"), first_frame(experiment, "cpu"), first_frame(experiment, "cpu", True)
    for variant, frame in mine.items():
        assert frame.keys() == theirs[variant].keys()
        for quantity in QUANTITIES:
            left, right, other = (numbers(one[variant].get(quantity)) for one in (mine, theirs, shaken))
            own = max((abs(a / b - 1) for a, b in zip(other, right, strict=True) if b), default=0.0)
            share = max(APART, AMPLIFIED * own)
            assert left == pytest.approx(right, rel=share, abs=share * 1e-3 * max(map(abs, right), default=0.0)), quantity


@pytest.mark.parametrize("name", [*presets.names(), *NETWORKS])
def test_a_run_repeats_itself_bit_for_bit(name):
    runs = [advanced(named(name, steps=4), "cuda", 4) for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["figure-4-9-right", "resnet-20-cifar", "unet-shapes", "transformer-pre-ln", "SE and groups"])
def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit(name, precision):
    experiment = named(name, steps=8, precision=precision)
    trainer = Trainer(experiment, "cuda")
    for _ in range(3):
        trainer.advance(record=True)
    skip = next(iter(experiment.network.skips))
    trainer.apply(SkipEvent(ids=[skip.id], on=False))
    resumed = Trainer(experiment, "cuda")
    resumed.load_state(trainer.state_bytes())
    for _ in range(4):
        mine, theirs = (one.advance(record=True).to_data() for one in (resumed, trainer))
        assert mine["variants"] == theirs["variants"]


@pytest.mark.parametrize("name", ["moons", "digits"])
def test_dropout_draws_other_masks_and_gives_the_same_form(name):
    network = (
        edit.set_layer(families.mlp(depth=6, width=16, skip_every=2), "f3", dropout=0.3)
        if name == "moons"
        else families.conv(depth=4, width=4, skip_every=2, norm="batch", input=(1, 8, 8), head=10)
    )
    mine, theirs = (advanced(case(name, network, steps=5), device, 5) for device in ("cuda", "cpu"))
    for left, right in zip(mine, theirs, strict=True):
        assert left["variants"]["network"]["picture"].keys() == right["variants"]["network"]["picture"].keys()
        assert left["variants"]["network"]["loss"] == pytest.approx(right["variants"]["network"]["loss"], rel=0.05)


def test_a_run_that_is_submitted_for_cuda_shows_the_cpus_numbers(engine):
    shown = {}
    for device in ("cpu", "cuda"):
        run = wait_for_end(engine, engine.run(engine.submit(small(steps=5, record_every=1, device=device), "me")))
        assert (run.state, run.header["device"]) == ("finished", device)
        shown[device] = [frame["variants"]["net"] for frame in frames_of(run)]
    assert len(shown["cuda"]) == len(shown["cpu"]) == 5
    for mine, theirs in zip(shown["cuda"], shown["cpu"], strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=0.01)
        for quantity in ("weight_grad", "state_grad", "trunk_grad", "skip_grad"):
            assert mine[quantity] == pytest.approx(theirs[quantity], rel=0.05)
