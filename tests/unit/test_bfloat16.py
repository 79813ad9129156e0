"""bfloat16 passes by torch's autocast: parameters stay float32, numbers are measured in float32, what breaks is named."""

from __future__ import annotations

import pytest
import torch
from scripts import check, short

from skipviz import Experiment, Layer, Linear, Network, Task, Training, families, presets, train
from skipviz.learning.trainer import Trainer
from skipviz.network import edit

torch.set_num_threads(1)

NET = families.mlp(depth=5, width=8, skip_every=2, norm="batch")


def experiment(network=NET, **training) -> Experiment:
    settings = {"batch_size": 16, "steps": 5, "record_every": 1, "precision": "bfloat16", **training}
    return Experiment(variants={"network": network}, task=Task(samples=100), training=Training(**settings))


def test_passes_are_torchs_autocast_and_parameters_stay_float32():
    trainer = Trainer(experiment(optimizer="sgd", learning_rate=0.1))
    model = Trainer(experiment())._variants["network"].model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        x, y = trainer._batch()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = model(x)
        assert outputs.dtype == torch.bfloat16
        torch.nn.functional.cross_entropy(outputs.float(), y).backward()
        optimizer.step()
        trainer.advance(record=False)
    mine = trainer._variants["network"].model.state_dict()
    assert all(tensor.dtype in (torch.float32, torch.int64) for tensor in mine.values())
    assert all(torch.allclose(mine[name], value, rtol=1e-5, atol=1e-6) for name, value in model.state_dict().items())


def test_a_frame_is_near_that_of_float32_and_not_the_same():
    reduced, whole = (
        next(iter(train(experiment(precision=precision)))).variants["network"] for precision in ("bfloat16", "float32")
    )
    for name in ("weight_grad", "state_grad", "skip_grad", "state_rms"):
        assert getattr(reduced, name) == pytest.approx(getattr(whole, name), rel=0.1)
        assert getattr(reduced, name) != getattr(whole, name)


def test_norms_of_bfloat16_states_are_summed_in_float32():
    from skipviz.learning.norms import norms

    tensors = [torch.full((20_000,), 0.1, dtype=torch.bfloat16), torch.full((50,), 0.1, dtype=torch.bfloat16)] * 2
    assert norms([], tensors) == pytest.approx([t.double().norm().item() for t in tensors], rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_watching_changes_no_bit(optimizer):
    network = edit.set_layer(NET, "f2", dropout=0.3)
    watched, alone = (Trainer(experiment(network, optimizer=optimizer)) for _ in range(2))
    while not alone.finished:
        alone.advance(record=False)
        watched.advance(record=True, baseline=True, picture=True)
        watched.finished or watched.measure()
        assert all(map(torch.equal, *(one._variants["network"].model.state_dict().values() for one in (watched, alone))))


def test_what_overflows_is_named_by_its_first_layer():
    grows = Network(layers=[Layer(op=Linear(width=8), scale=10.0, id=f"f{k}") for k in range(1, 41)])
    trainer = Trainer(experiment(grows, optimizer="sgd", learning_rate=10.0, steps=60))
    while not trainer.finished:
        model = {name: tensor.clone() for name, tensor in trainer._variants["network"].model.state_dict().items()}
        x, _ = trainer._batch()
        trainer.advance(record=False)
    reference = Trainer(experiment(grows))._variants["network"].model
    reference.load_state_dict(model)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        for layer, module in zip(grows.layers, reference.layers, strict=True):
            x = module.function(layer, True)(x)
            if not x.isfinite().all():
                break
    assert trainer.diverged["network"]["layer"] == layer.id


SCRIPTED = ("resnet-20-cifar", "transformer-pre-ln", "unet-shapes", "highway-50")


@pytest.mark.parametrize("name", SCRIPTED)
def test_a_script_trains_to_the_same_losses(name):
    preset = presets.get(name)
    case = short(preset, steps=2)
    source = check(case.replaced(training=case.training.replaced(precision="bfloat16", batch_size=4)))
    assert 'torch.autocast("cpu", torch.bfloat16)' in source
