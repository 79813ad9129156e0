"""Published effects of skips in the published architectures: what each paper saw without them, and with them."""

from statistics import mean

import pytest

from skipviz import Experiment, Network, Task, Training, edit, families, train

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
