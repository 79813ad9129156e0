"""A run on CUDA gives frames of the same form, and nearly the same numbers, as one on the CPU."""

import pytest
import torch

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
