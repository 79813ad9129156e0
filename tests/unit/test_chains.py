"""Random chains have every part there is, and compute, forward and backward, what the equations say."""

from collections import Counter
from typing import get_args

import torch
from chains import BARE, WAYS, chains
from equations import STEP, Taps, outputs
from hypothesis import Phase, given, settings
from reference import stirred

from skipviz import Network
from skipviz.learning.build import build
from skipviz.learning.probe import gradients, record
from skipviz.network.layer import Activation, LayerInit, Norm, Order
from skipviz.network.merge import CHOSEN
from skipviz.network.operation import OPERATIONS

torch.set_num_threads(1)

ACCURACY = 1e-9
"""Largest error over the largest value: float64, some of whose sums cancel behind the norm of a channel that is constant."""
DRAWS, FREE = (1, 12, 36), 60
"""Chains for each way in which a skip joins, more and more of them until one has it in force; and for all ways together."""
COUNTED: Counter = Counter()


def samples(network: Network, batch: int) -> torch.Tensor:
    """Return a batch for `network`: tokens, or noise in float64."""
    source = torch.Generator().manual_seed(0)
    if network.takes_tokens:
        return torch.randint(network.layers[0].op.vocabulary, (batch, *network.input), generator=source)
    return torch.randn(batch, *network.input, generator=source, dtype=torch.float64)


def as_vector(part, like: torch.Tensor) -> torch.Tensor:
    if part is None:
        return torch.zeros_like(like)
    return part[0] * part[1] if isinstance(part, tuple) else part


def assert_near(mine: torch.Tensor | None, theirs: torch.Tensor | None, what: str) -> None:
    like = mine if theirs is None else theirs
    if like is None:
        return
    mine, theirs = (torch.zeros_like(like) if part is None else part for part in (mine, theirs))
    assert (mine - theirs).abs().max() <= ACCURACY * max(1, theirs.abs().max().item()), what


@settings(max_examples=100)
@given(chains())
def test_any_chain_and_every_gradient_of_it_is_what_the_equations_say(network):
    model = stirred(build(network)).double()  # a norm's bias away from 0: else rounding decides on which side a ReLU stands
    model.masks.step = STEP
    x, parameters, taps = samples(network, 3), list(model.parameters()), Taps()
    mine, recording = record(model, x)
    weights = torch.randn(mine.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = gradients((mine * weights).sum(), parameters, recording)
    theirs = outputs(model, x, taps)
    wanted = [*parameters, *taps.values()]
    expected = torch.autograd.grad((theirs * weights).sum(), wanted, allow_unused=True)
    assert_near(mine, theirs, "outputs")
    for place, (left, right) in enumerate(zip(found.parameters, expected, strict=False)):
        assert_near(left, right, f"parameter {place}")
    parts = {"state": found.states, "trunk": [*found.trunks, None], "skip": found.skips}
    for (kind, place), right in zip(taps, expected[len(parameters) :], strict=True):
        if (kind, place) != ("trunk", network.depth):
            assert_near(as_vector(parts[kind][place], taps[kind, place]), right, f"{kind} {place}")


def count(network: Network) -> None:
    """Count what one chain has: a kind of part where it is in force, and chains with any skip, add or gradient in force."""
    COUNTED["chain"] += 1
    for layer in network.layers:
        COUNTED.update([("op", layer.op.kind), ("norm", layer.norm), ("order", layer.order), ("init", layer.init)])
        COUNTED.update([("activation", layer.activation), ("layer on", layer.on), ("gain", layer.gain), ("dropout", layer.dropout)])
        COUNTED["a scale for each channel"] += layer.scale_per == "channel"
        COUNTED["grouped"] += getattr(layer.op, "groups", 1) > 1
        COUNTED["dilated"] += getattr(layer.op, "dilation", 1) > 1
        COUNTED["learned scale" if layer.scale_learned else "scale" if layer.scale is not None else "no scale"] += 1
    live = [(skip, shape) for skip, shape in zip(network.skips, network.shapes.skips, strict=True) if skip.in_force]
    for skip, shape in live:
        COUNTED[shape.adapter.spatial, shape.adapter.channels, skip.merge] += 1
        COUNTED["a wide projection" + (" that strides" if shape.adapter.spatial == "stride" else "")] += shape.adapter.kernel > 1
    COUNTED.update([("skip on", skip.on) for skip in network.skips] + [("skip gain", skip.gain) for skip in network.skips])
    COUNTED.update([("strength", skip.strength) for skip in network.skips] + [("head", network.head.kind)])
    COUNTED["chain with a skip in force"] += bool(live)
    bare = [skip.strength for skip, shape in live if skip.merge == "add" and not shape.adapter.label() and skip.gain == 1]
    COUNTED["chain with a bare add in force"] += bool(bare)
    COUNTED["chain with a bare add of another strength"] += any(strength != 1 for strength in bare)
    COUNTED["chain with two skips out of a state"] += max(Counter(skip.source for skip, _ in live).values(), default=0) > 1
    COUNTED["chain with two concats read at once"] += (
        max(Counter(skip.target for skip, _ in live if skip.merge == "concat").values(), default=0) > 1
    )


def test_random_chains_have_every_part_there_is_and_most_of_them_in_force():
    """Which counts what a fixed number of draws yields: a part that the search never draws is a part never tested."""
    COUNTED.clear()

    def draw(way, most: int) -> None:
        @settings(max_examples=most, phases=[Phase.generate], derandomize=True, database=None)
        @given(chains(way))
        def drawn(network):  # short, since hypothesis reads its source each time
            count(network)

        drawn()

    for way in WAYS:
        for most in DRAWS:
            if not COUNTED[way]:
                draw(way, most)
    for way in (BARE, None):
        draw(way, FREE)
    wanted = [("op", name) for name, op in OPERATIONS.items() if not op.recorded_only]
    for name, kinds in (("norm", Norm), ("order", Order), ("init", LayerInit), ("activation", Activation)):
        wanted += [(name, kind) for kind in get_args(kinds)]
    wanted += WAYS
    assert {merge for _, _, merge in WAYS} == {*CHOSEN}
    wanted += [(name, on) for name in ("layer on", "skip on") for on in (True, False)]
    wanted += [("gain", 0.0), ("gain", 0.5), ("skip gain", 0.0), ("skip gain", 0.5), ("strength", 0.0), ("strength", 2.0)]
    wanted += [("dropout", 0.3)] + [("head", kind) for kind in ("classes", "pixels", "positions", "state")]
    wanted += [
        "learned scale",
        "scale",
        "a scale for each channel",
        "grouped",
        "dilated",
        "a wide projection",
        "a wide projection that strides",
        "chain with two skips out of a state",
        "chain with two concats read at once",
    ]
    assert [part for part in wanted if not COUNTED[part]] == []
    assert COUNTED["chain with a skip in force"] > 0.75 * COUNTED["chain"]
    assert COUNTED["chain with a bare add in force"] > 0.1 * COUNTED["chain"]
    assert COUNTED["chain with a bare add of another strength"] > 0.02 * COUNTED["chain"]
