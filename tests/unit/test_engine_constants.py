"""What the engine knows of `skipviz.learning` without importing it is what `skipviz.learning` does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skipviz.engine.capacity import footprint, limits
from skipviz.engine.capacity.duration import Rehearsed
from skipviz.learning import norms, optimizer, picture, rehearsal, setup, variant
from skipviz.learning.build import build
from skipviz.network import edit, families
from skipviz.settings import Settings
from skipviz.tasks import data
from skipviz.tasks.experiment import Training
from skipviz.tasks.task import KINDS, Task

ELEMENT_BYTES = torch.get_default_dtype().itemsize
PARAMETERS = 1000


def test_bounds_of_learning_are_repeated_as_they_are():
    assert footprint.STACKED_ELEMENTS == norms.STACKED_ELEMENTS
    assert footprint.COPIED_ELEMENTS == norms.COPIED_ELEMENTS
    assert (footprint.EVALUATED_AT_ONCE, footprint.EVALUATED_ELEMENTS) == (variant.EVALUATED_AT_ONCE, variant.EVALUATED_ELEMENTS)
    assert limits.MAPPED * ELEMENT_BYTES == setup.MAPPED_BYTES
    assert Rehearsed.LIGHT_ELEMENTS == rehearsal.LIGHT_ELEMENTS
    assert Settings.model_fields["frames_per_second"].default == Rehearsed.FRAMES


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adamw"])
def test_an_optimizer_keeps_the_state_that_is_said_of_it(name, momentum):
    parameters = torch.zeros(PARAMETERS, requires_grad=True)
    parameters.grad = torch.ones(PARAMETERS)
    training = Training(optimizer=name, momentum=momentum)
    made = optimizer.Optimizer(training, [parameters])
    made.step()
    kept = sum(value.numel() for value in made.state[parameters].values() if isinstance(value, torch.Tensor) and value.numel() > 1)
    assert limits.kept_by_optimizer(training) == kept / PARAMETERS


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.picture in limits.PICTURED])
def test_a_picture_is_evaluated_at_the_points_that_are_said_of_it(name):
    task = Task(name=name)
    painter = picture.Painter(task, data.dataset(task), torch.device("cpu"))
    assert len(painter.inputs) == limits.PICTURED[task.kind.picture]


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.picture not in limits.PICTURED])
def test_any_other_picture_is_of_no_more_samples_than_are_held_out(name):
    task = Task(name=name, samples=KINDS[name].max_samples and 200)
    made = data.dataset(task)
    assert len(picture.Painter(task, made, torch.device("cpu")).inputs) <= len(made.held_out_x)


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("plain", families.mlp(6, 32, input=(64,), head=10)),
        ("GELU and layer norm", families.mlp(6, 32, 2, activation="gelu", norm="layer", input=(64,), head=10)),
        ("norm first", families.mlp(6, 32, 2, norm="batch", order="norm-act-op", input=(64,), head=10)),
        ("concats", families.mlp(6, 32, 2, pattern="dense", input=(64,), head=10)),
        ("gates", families.highway(6, 32, init="torch")),
        ("dropout", edit.set_layers(families.mlp(6, 32, 2, input=(64,), head=10), ("f1", "f3", "f6"), dropout=0.5)),
        ("convolutions", families.resnet(8, "project", input=(1, 8, 8))),
    ],
    ids=lambda value: value if isinstance(value, str) else "network",
)
def test_a_forward_pass_holds_about_what_is_written_down_of_each_stage(name, network):
    batch = 32
    model = build(network, 0)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((batch, *network.input), dtype=np.float32))
    own = {tensor.untyped_storage().data_ptr() for tensor in (x, *model.parameters())}
    held: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own and tensor.is_floating_point():
            held[storage.data_ptr()] = max(held.get(storage.data_ptr(), 0), storage.nbytes() // ELEMENT_BYTES)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs, tape = variant.record(model, x)
        loss = torch.nn.functional.cross_entropy(outputs, torch.zeros(batch, dtype=torch.long))
    for state in tape.states:
        keep(state)
    said = footprint.footprint(network).forward * batch
    assert said == pytest.approx(sum(held.values()), rel=0.1)
    assert loss.isfinite()
