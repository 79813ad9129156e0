"""A run on CUDA gives frames of the same form, and nearly the same numbers, as one on the CPU."""

import pytest
import torch
from engines import frames_of, small, wait_for_end

from skipviz import Experiment, Task, Training, edit, families
from skipviz.learning.trainer import Trainer

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")]


@pytest.mark.parametrize(
    ("task", "network"),
    [
        ("spiral", families.mlp(depth=6, width=16, skip_every=2)),
        ("moons", edit.set_layer(families.mlp(depth=6, width=16, skip_every=2), "f3", dropout=0.3)),
        ("digits", families.conv(depth=4, width=4, skip_every=2, norm="batch")),
    ],
)
def test_frames_agree_with_the_cpus(task, network):
    case = Experiment(variants={"network": network}, task=Task(name=task), training=Training(steps=5, batch_size=16))
    frames = {}
    for device in ("cpu", "cuda"):
        trainer = Trainer(case, device)
        assert trainer.header()["device"] == device
        frames[device] = [trainer.advance(record=True, ghost=True, picture=True).variants["network"] for _ in range(5)]
    for mine, theirs in zip(frames["cuda"], frames["cpu"], strict=True):
        assert mine.weight_grad == pytest.approx(theirs.weight_grad, rel=0.05)
        assert mine.state_grad == pytest.approx(theirs.state_grad, rel=0.05)
        assert mine.picture.keys() == theirs.picture.keys()


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
