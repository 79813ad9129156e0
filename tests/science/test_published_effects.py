"""Published effects of skips in the published architectures: what each paper saw without them, and with them."""

from statistics import mean, median

import pytest
import torch

from skipviz import Attention, Experiment, Head, Layer, Network, Skip, Task, Training, edit, families, train
from skipviz.learning.build import build
from skipviz.learning.recording import Recording

pytestmark = pytest.mark.usefixtures("as_in_a_worker")
EPOCH = 1438 / 64
"""Steps in which batches of 64 pass all training digits."""


def on_digits(variants: dict[str, Network], epochs: int, **training) -> list:
    steps = round(epochs * EPOCH)
    return list(train(Experiment(variants=variants, task=Task(name="digits"), training=Training(steps=steps, **training))))


def training_error(frames: list, name: str) -> float:
    """Return the share of wrong answers in the recorded batches of the last epoch."""
    last = frames[-1].step
    return 1 - mean(frame.variants[name].metric for frame in frames if frame.step > last - EPOCH)


def test_a_deep_plain_network_trains_worse_than_its_residual_twin():
    """He et al. 2015, degradation: 56 layers with batch norm, and skips are all that differs."""
    options = {"depth": 56, "width": 64, "norm": "batch", "init": "he", "input": (64,), "head": 10}
    variants = {"plain": families.mlp(**options), "residual": families.mlp(skip_every=2, **options)}
    frames = on_digits(variants, 15, optimizer="sgd", learning_rate=0.05, record_every=4)
    assert training_error(frames, "plain") > 0.5
    assert training_error(frames, "residual") < 0.02


def spread(state: torch.Tensor) -> float:
    """Return ‖X − 1x̄ᵀ‖/‖X‖: 0 when all positions are the same."""
    return ((state - state.mean(1, keepdim=True)).norm() / state.norm()).item()


@pytest.mark.parametrize("seed", range(3))
def test_attention_without_skips_makes_all_positions_the_same_and_with_them_does_not(seed):
    """Dong et al. 2021: without skips the rank collapses doubly exponentially with depth."""
    network = Network(
        input=(32, 64),
        layers=[Layer(op=Attention(heads=4))] * 12,
        skips=[Skip(source=k, target=k + 1) for k in range(12)],
        head=Head(kind="state", outputs=64),
    )
    model = build(network, seed).double()
    x = torch.randn(1, 32, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    found = {}
    for on in (True, False):
        model.set_network(edit.switch_all(network, on))
        model(x, recording=(recording := Recording()))
        found[on] = [spread(state) for state in recording.states]
    assert found[False][4] < 1e-6
    assert found[True][4] > 0.7
    assert found[True][12] > 0.1


def first_centre_last_least_most(**skips) -> list[list[float]]:
    """Return, for five seeds, weight-gradient norms of a U-Net of three scales and six convolutions a scale, at the start."""
    found = []
    for seed in range(5):
        network = families.unet(2, 8, 6, padded=True, init="torch", input=(1, 16, 16), head=1, **skips)
        model, generator = build(network, seed), torch.Generator().manual_seed(seed)
        outputs = model(torch.randn(8, 1, 16, 16, generator=generator))
        (outputs * torch.randn(outputs.shape, generator=generator)).sum().backward()
        norms = [layer.operation.weight.grad.norm().item() for layer in model.layers if list(layer.parameters())]
        bottom = [norm for norm, shape in zip(norms, weighted_states(network), strict=True) if shape[1] == 4]
        found.append([norms[0], median(bottom), norms[-1], min(norms), max(norms)])
    return found


def weighted_states(network: Network) -> list[tuple[int, ...]]:
    return [shape.output for shape in network.shapes.layers if shape.parameters]


def test_long_skips_starve_the_centre_of_a_u_net_and_short_ones_feed_it():
    """Drozdzal et al. 2016, figure 3: with long skips alone the layers of the smallest scale hardly learn."""
    long = first_centre_last_least_most()
    both = first_centre_last_least_most(short_every=2)
    none = first_centre_last_least_most(long=False)
    assert median(centre / last for _, centre, last, _, _ in long) < 0.03
    assert median(least / most for _, _, _, least, most in both) > 0.05
    assert median(first / last for first, _, last, _, _ in none) < 0.005


@pytest.mark.parametrize("seed", range(2))
def test_a_u_net_finds_shapes_in_noise_better_with_its_long_skips(seed):
    """Ronneberger et al. 2015: what pooling lost comes back through the skips; Dice after 40 steps.

    The pictures are the task's own, discs among squares, triangles and stars, in its usual noise.
    """
    network = families.unet(3, 8, padded=True, norm="batch", input=(1, 32, 32), head=1)
    experiment = Experiment(
        variants={"on": network, "off": edit.switch_all(network, False)},
        task=Task(name="shapes", samples=256, seed=seed),
        training=Training(learning_rate=0.01, batch_size=16, steps=40, seed=seed, record_every=40),
    )
    last = list(train(experiment))[-1]
    overlap = {name: variant.held_out for name, variant in last.variants.items()}
    dice = {name: 2 * value / (1 + value) for name, value in overlap.items()}
    assert dice["on"] - dice["off"] >= 0.05


def test_a_highway_of_fifty_layers_learns_what_its_plain_twin_does_not():
    """Srivastava et al. 2015, figure 1: gates that start by carrying let depth be no hindrance."""
    variants = {"plain": families.highway(plain=True, init="torch"), "highway": families.highway(init="torch")}
    frames = on_digits(variants, 8, learning_rate=0.003, record_every=5)
    assert training_error(frames, "plain") > 0.5
    assert training_error(frames, "highway") < 0.1
