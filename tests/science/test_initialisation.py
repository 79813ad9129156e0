"""Theory of the gradient at initialisation against the measured one; what the claim `vanishing` does not show of it."""

import math
from statistics import mean

import pytest

from skipviz import Head, Layer, Linear, Network, Skip, edit, families
from skipviz.evidence.signals import backward, state_norms
from skipviz.evidence.theory import predicted

pytestmark = pytest.mark.usefixtures("as_in_a_worker")
BRANCH = {"order": "norm-act-op", "init": "he"}


def stack(depth: int, **options) -> Network:
    return families.mlp(depth=depth, width=256, input=(256,), **options)


def of_changing_widths() -> Network:
    layers = [Layer(op=Linear(width=width), activation="relu", init="glorot") for width in (512, 128, 256) * 3]
    return Network(input=(256,), layers=layers, head=Head(outputs=2))


def with_strengths() -> Network:
    network = stack(12, **BRANCH, skip_every=2)
    network = edit.set_skips(network, [skip.id for skip in network.skips[::2]], strength=-0.5)
    return edit.set_layers(edit.set_skip(network, network.skips[3].id, on=False), ["f4", "f9"], gain=0.3)


NETWORKS = {
    "skips over two layers": stack(24, **BRANCH, skip_every=2),
    "skips over two layers with batch norm": stack(24, **BRANCH, skip_every=2, norm="batch"),
    "strengths, gains and a skip off": with_strengths(),
    "changing widths": of_changing_widths(),
    "large weights": edit.set_layers(stack(10), [f"f{k}" for k in range(1, 11)], init_factor=2.0),
    "a skip over many layers": edit.changed(stack(10, order="norm-act-op", init="he"), skips=[Skip(source=2, target=9)]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_states_gradient_is_what_theory_says(name):
    network = NETWORKS[name]
    expected = predicted(network).gradients
    measured = [state_norms(network, seed, batch=256)[0] for seed in range(3)]
    for k in range(1, network.depth + 1):
        found = math.exp(mean(math.log(norms[k] / norms[-1]) for norms in measured))
        assert found == pytest.approx(expected[k], rel=0.12), k


def test_residual_blocks_without_norm_double_the_squared_signal():
    states = [state_norms(stack(30, **BRANCH, skip_every=1), seed)[1] for seed in range(3)]
    assert mean(2 * math.log2(norms[-1] / norms[0]) / 30 for norms in states) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_a_he_block_sends_half_of_the_energy_through_its_skip(seed):
    network = families.mlp(depth=1, width=512, skip_every=1, init="he", input=(512,))
    found = backward(network, seed)[1]
    skip, branch = found.skips[0][0], found.trunks[0]
    energy = [part.square().sum().item() for part in (skip, branch)]
    assert 0.47 <= energy[0] / sum(energy) <= 0.53
    assert abs((skip * branch).sum().item()) / math.sqrt(energy[0] * energy[1]) < 0.1
