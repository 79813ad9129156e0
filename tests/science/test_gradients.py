"""Every recorded gradient against finite differences and against the identities at a fork, in float64."""

import pytest
import torch

from skipviz import Adapter, Convolution, Head, Layer, Linear, Network, Pool, Skip, Upsampling, edit, families
from skipviz.learning.build import build
from skipviz.learning.probe import gradients, record

EPSILON = 1e-6


def tanh(width: int) -> Layer:
    return Layer(op=Linear(width=width), activation="tanh", norm="layer", order="norm-act-op")


NETWORKS = {
    "adds at one state, and three ways out of h1": Network(
        input=(3,),
        layers=[tanh(5)] * 5,
        skips=[
            Skip(source=1, target=3),
            Skip(source=1, target=5, strength=0.7),
            Skip(source=2, target=3),
            Skip(source=1, target=4),
        ],
    ),
    "dense concats": families.mlp(depth=6, width=4, merge="concat", pattern="dense", activation="tanh", input=(3,)),
    "gates": families.mlp(depth=5, width=4, skip_every=2, merge="gate", activation="tanh", input=(3,)),
    "projections, scales and the input as a source": Network(
        input=(3,),
        layers=[Layer(op=Linear(width=w), activation="gelu", scale=0.5, scale_learned=True) for w in (4, 6, 6)],
        skips=[
            Skip(source=0, target=2),
            Skip(source=1, target=3, adapter=Adapter(channels="pad"), strength=1.5),
            Skip(source=0, target=3, merge="concat", adapter=Adapter(channels="project", width=2, bias=False)),
        ],
    ),
    "dropout in branches and on a fork": Network(
        input=(3,),
        layers=[Layer(op=Linear(width=6), activation="tanh", dropout=rate, scale=0.7) for rate in (0.5, 0.2, 0.0, 0.8)],
        skips=[Skip(source=1, target=3), Skip(source=1, target=4, merge="gate"), Skip(source=2, target=3, merge="concat")],
    ),
    "images": Network(
        input=(1, 8, 8),
        layers=[
            Layer(op=Convolution(width=3), activation="tanh", norm="batch"),
            Layer(op=Pool(reduce="mean")),
            Layer(op=Convolution(width=4), activation="sigmoid", norm="group"),
            Layer(op=Upsampling(width=3, mode="bilinear"), activation="tanh"),
        ],
        skips=[
            Skip(source=1, target=4),
            Skip(source=1, target=3, adapter=Adapter(norm="batch")),
            Skip(source=0, target=4, merge="concat"),
        ],
        head=Head(outputs=2),
    ),
}


def case(network: Network):
    torch.manual_seed(1)
    model = build(network, 3).double()
    model.masks.step = 0
    x = torch.randn(6, *network.input, dtype=torch.float64)
    outputs, recording = record(model, x)
    weights = torch.randn(outputs.shape, dtype=torch.float64)
    parameters = list(model.parameters())
    return model, x, weights, recording, gradients((outputs * weights).sum(), parameters, recording)


def as_vector(part, like):
    if part is None:
        return torch.zeros_like(like)
    return part[0] * part[1] if isinstance(part, tuple) else part


@pytest.mark.parametrize("name", NETWORKS)
def test_at_every_state_the_parts_sum_to_the_gradient(name):
    network = NETWORKS[name]
    _, _, _, recording, found = case(network)
    for k, state in enumerate(recording.states[:-1]):
        parts = as_vector(found.trunks[k], state)
        for index, skip in enumerate(network.skips):
            if skip.source == k:
                parts = parts + as_vector(found.skips[index], state)
        assert (parts - found.states[k]).abs().max() < 1e-12


@pytest.mark.parametrize("name", NETWORKS)
def test_weight_gradients_equal_finite_differences(name):
    model, x, weights, _, found = case(NETWORKS[name])
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), found.parameters, strict=True):
            flat = parameter.view(-1)
            for index in {0, flat.numel() // 2, flat.numel() - 1}:
                old = flat[index].item()
                values = []
                for sign in (1, -1):
                    flat[index] = old + sign * EPSILON
                    values.append((model(x) * weights).sum().item())
                flat[index] = old
                expected = (values[0] - values[1]) / (2 * EPSILON)
                assert gradient.view(-1)[index].item() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def written_out(model, x, nudges):
    """Return the outputs by the equations of a skip's description; `nudges` are added to a state or to one use of it."""
    network = model.network

    def nudged(h, kind, place):
        return h + nudges[kind, place] if (kind, place) in nudges else h

    def landing(k, merges):
        return [(i, skip) for i, skip in enumerate(network.skips) if skip.target == k and skip.merge in merges]

    def carried(index, skip):
        source = nudged(states[skip.source], "skip", index)
        adapt = model.skips[index].carry(skip, True)
        return source, adapt(source) if adapt else source

    states = [nudged(x, "state", 0)]
    for k in range(network.depth + 1):
        parts = [nudged(states[k], "trunk", k)]
        parts += [skip.strength * carried(index, skip)[1] for index, skip in landing(k, ("concat",))]
        read = torch.cat(parts, 1)
        if k == network.depth:
            return model.head(read if model.reads is None else model.reads(read))
        f = model.layers[k].function(network.layers[k], True)(read)
        for index, skip in landing(k + 1, ("add", "gate")):
            source, adapted = carried(index, skip)
            if skip.merge == "add":
                f = f + skip.strength * adapted
            else:
                f = f + skip.strength * (1 - model.skips[index].transform_gate(skip, True)(source)) * (adapted - f)
        states.append(nudged(f, "state", k + 1))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_forward_pass_is_what_the_equations_say(name):
    model, x, _, _, _ = case(NETWORKS[name])
    assert (model(x) - written_out(model, x, {})).abs().max() < 1e-12


@pytest.mark.parametrize("name", NETWORKS)
def test_state_trunk_and_skip_gradients_equal_finite_differences(name):
    model, x, weights, recording, found = case(NETWORKS[name])
    network = model.network
    measured = [("state", k, part, recording.states[k]) for k, part in enumerate(found.states)]
    measured += [("trunk", k, part, recording.states[k]) for k, part in enumerate(found.trunks)]
    measured += [
        ("skip", i, part, recording.states[skip.source])
        for (i, skip), part in zip(enumerate(network.skips), found.skips, strict=True)
    ]
    for kind, place, part, state in measured:
        direction = torch.randn(state.shape, dtype=torch.float64)
        with torch.no_grad():
            high, low = ((written_out(model, x, {(kind, place): sign * EPSILON * direction}) * weights).sum() for sign in (1, -1))
        expected = ((high - low) / (2 * EPSILON)).item()
        assert (as_vector(part, state) * direction).sum().item() == pytest.approx(expected, rel=1e-5, abs=1e-7), (kind, place)


def test_at_an_add_the_branch_gets_the_gradient_of_the_sum():
    network = Network(input=(4,), layers=[tanh(4)] * 3, skips=[Skip(source=1, target=2)])
    _, _, _, _, found = case(network)
    assert torch.equal(as_vector(found.skips[0], found.states[1]), found.states[2])


def test_at_a_concat_the_slices_of_its_gradient_are_the_parts_gradients():
    layers = [Layer(op=Linear(width=4), activation="tanh"), Layer(op=Linear(width=3), activation="tanh"), Layer(op=Linear(width=2))]
    network = Network(input=(4,), layers=layers, skips=[Skip(source=1, target=2, merge="concat")])
    model, _, weights, recording, found = case(network)
    cotangent = weights @ model.head.weight @ model.layers[2].operation.weight
    assert (cotangent[:, :3] - found.trunks[2]).abs().max() < 1e-12
    assert (cotangent[:, 3:] - found.skips[0]).abs().max() < 1e-12
    assert recording.states[2].shape == (6, 3)


def test_a_shut_valve_on_a_layer_lets_the_gradient_through_the_skips_only():
    network = edit.set_layer(families.mlp(depth=6, width=4, skip_every=2, activation="tanh"), "f3", gain=0.0)
    _, _, _, _, found = case(network)
    assert network.skips[0].source == 1
    assert torch.count_nonzero(found.trunks[2]) == 0
    assert torch.equal(found.states[1], found.trunks[1] + as_vector(found.skips[0], found.states[1]))
    assert torch.count_nonzero(found.states[1]) > 0
