"""What a frame says of numbers that mislead: the first layer that breaks."""

import pytest
import torch

from skipviz import Experiment, Layer, Linear, Network, Task, Training, build, edit, families
from skipviz.learning.trainer import Trainer

torch.set_num_threads(1)


def experiment(network: Network, batch_size: int = 16, **fields) -> Experiment:
    training = Training(batch_size=batch_size, steps=5, **fields)
    return Experiment(variants={"net": network}, task=Task(samples=100), training=training)


def randn_layers(depth: int, factor: float, **fields) -> Network:
    """Return layers of 64 whose weights are N(0, factor²/64): at factor 8 those of a plain `randn`."""
    return Network(layers=[Layer(op=Linear(width=64), init="normal", init_factor=factor, **fields)] * depth)


BREAKING = {
    "linear": randn_layers(100, 8.0),
    "relu": randn_layers(100, 8.0, activation="relu"),
    "largest factor": randn_layers(30, 100.0),
    "residual": edit.add_skip(randn_layers(60, 8.0), 1, 50),
}


def states_by_hand(network: Network, x: torch.Tensor) -> list[torch.Tensor]:
    model, states = build(network), [x]
    for k, layer in enumerate(network.layers, start=1):
        operation = model.layers[k - 1].operation
        h = states[-1] @ operation.weight.T + operation.bias
        h = h.relu() if layer.activation == "relu" else h
        states.append(h + sum(states[skip.source] for skip in network.skips if skip.target == k))
    return states


@pytest.mark.parametrize("name", BREAKING)
def test_the_first_layer_whose_output_is_not_finite_is_the_same_before_the_start_and_where_the_run_ends(name):
    network = BREAKING[name]
    trainer = Trainer(experiment(network))
    before = trainer.measure(ghost=False, picture=False).variants["net"]
    with torch.no_grad():
        states = states_by_hand(network, trainer._batch()[0])
    first = next(k for k, state in enumerate(states) if not state.isfinite().all())
    frame = trainer.advance(record=False)
    assert network.place(before.first_broken) == f"f({first})"
    assert frame.variants["net"].first_broken == before.first_broken == trainer.diverged["net"]["layer"]


def test_a_state_of_float32s_largest_numbers_breaks_nothing_before_it_is_infinite():
    network = randn_layers(1, 1.0)
    trainer = Trainer(experiment(network))
    trainer._x.fill_(3e38)
    trainer._variants["net"].flat.values.fill_(0.5)
    frame = trainer.measure(ghost=False, picture=False).variants["net"]
    assert frame.state_rms[1] == pytest.approx(3e38, rel=1e-5)
    assert frame.first_broken == "head"


def test_a_network_that_is_finite_names_no_layer():
    assert Trainer(experiment(families.mlp(depth=3))).measure().variants["net"].first_broken is None
