"""Built networks have the inferred shapes and counts, and compute what their description says."""

from copy import deepcopy

import pytest
import torch
from chains import chains
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from skipviz import (
    Adapter,
    Convolution,
    Head,
    Identity,
    Layer,
    Linear,
    Network,
    NetworkError,
    Pool,
    Skip,
    Upsampling,
    edit,
    families,
)
from skipviz.learning.build import build
from skipviz.learning.probe import gradients, record
from skipviz.learning.recording import Recording
from skipviz.network.base import channels

torch.set_num_threads(1)  # as a worker does; more threads make such small passes slower


def samples(network: Network, batch: int) -> torch.Tensor:
    """Return a batch for `network`: noise, or tokens."""
    generator = torch.Generator().manual_seed(0)
    if network.takes_tokens:
        return torch.randint(network.layers[0].op.vocabulary, (batch, *network.input), generator=generator)
    return torch.randn(batch, *network.input, generator=generator)


def passes(model, batch: int = 3):
    """Return outputs and recording of a recorded pass, and check that its backward pass stays finite."""
    recording = Recording()
    outputs = model(samples(model.network, batch), recording=recording)
    outputs.square().mean().backward()
    assert outputs.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    return outputs, recording


def check_shapes(network: Network, batch: int = 3) -> None:
    model = build(network)
    shapes = network.shapes
    outputs, recording = passes(model, batch)
    assert [tuple(h.shape[1:]) for h in recording.states] == list(shapes.states)
    assert tuple(outputs.shape) == (batch, *shapes.output)
    assert count(model) == network.parameter_count()
    assert [count(layer) for layer in model.layers] == [shape.parameters for shape in shapes.layers]
    assert [count(skip) for skip in model.skips] == [shape.parameters for shape in shapes.skips]
    assert count(model.head) == shapes.head_parameters


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@settings(max_examples=75)
@given(chains())
def test_shapes_and_counts_of_any_network_equal_the_inference(network):
    check_shapes(network)


@settings(max_examples=40)
@given(chains(), st.data())
def test_toggling_any_skip_keeps_shapes_and_counts(network, data):
    assume(network.skips)
    skip = data.draw(st.sampled_from(network.skips))
    try:
        toggled = edit.set_skip(network, skip.id, on=not skip.on)
    except NetworkError:  # nothing could then take the place of a layer that is off
        assume(False)
    assert toggled.shapes == network.shapes
    check_shapes(toggled)
    model, again, x = build(network), build(toggled), samples(network, 3)
    model.set_network(toggled)
    model.masks.step = again.masks.step = 0
    assert torch.equal(model(x), again(x))


@settings(max_examples=40)
@given(chains())
def test_a_batch_of_one_sample_stays_finite(network):
    check_shapes(network, batch=1)


@settings(max_examples=75)
@given(chains())
def test_a_recorded_pass_gives_any_network_the_same_gradient_bits(network):
    model, again = build(network), build(network)
    model.masks.step = again.masks.step = 0
    x = samples(network, 5)
    outputs = model(x)
    assume(outputs.requires_grad)
    expected = torch.autograd.grad(outputs.square().mean(), list(model.parameters()), allow_unused=True)
    recorded, recording = record(again, x)
    found = gradients(recorded.square().mean(), list(again.parameters()), recording).parameters
    assert torch.equal(outputs, recorded)
    assert all(a is b or torch.equal(a, b) for a, b in zip(expected, found, strict=True))


@settings(max_examples=50)
@given(chains())
def test_at_every_state_of_any_network_the_parts_sum_to_the_gradient(network):
    model = build(network).double()
    x = samples(network, 3)
    outputs, recording = record(model, x if network.takes_tokens else x.double())
    found = gradients(outputs.square().mean(), list(model.parameters()), recording)
    for k, trunk in enumerate(found.trunks):
        parts = [trunk, *(part for skip, part in zip(network.skips, found.skips, strict=True) if skip.source == k)]
        vectors = [part[0] * part[1] if isinstance(part, tuple) else part for part in parts if part is not None]
        whole = found.states[k]
        if isinstance(whole, tuple) or whole is None:
            assert whole is None
            assert not any(torch.count_nonzero(vector) for vector in vectors)
            continue
        size = max(vector.abs().max() for vector in [whole, *vectors])
        assert (sum(vectors, torch.zeros_like(whole)) - whole).abs().max() <= 1e-12 * size


def weights(network: Network, seed: int = 0) -> dict[str, list[torch.Tensor]]:
    model = build(network, seed)
    parts = [*zip(network.layers, model.layers, strict=True), *zip(network.skips, model.skips, strict=True)]
    return {part.id: list(module.parameters()) for part, module in parts} | {"head": list(model.head.parameters())}


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_toggling_adding_and_inserting_change_no_other_weights():
    network = families.mlp(depth=6, width=8, skip_every=2)
    before = weights(network)
    for edited in (
        edit.switch_all(network, False),
        edit.add_skip(network, 2, 6),
        edit.insert_layer(network, 3),
        edit.remove_skip(network, network.skips[0].id),
    ):
        after = weights(edited)
        assert all(same(before[name], after[name]) for name in before.keys() & after.keys())


def test_a_concat_changes_the_weights_of_its_reader_only():
    network = families.mlp(depth=6, width=8)
    before, after = weights(network), weights(edit.add_skip(network, 1, 3, merge="concat"))
    assert [name for name in before if not same(before[name], after[name])] == ["f4"]


def test_another_seed_gives_other_weights_and_the_same_seed_the_same():
    network = families.mlp(depth=2, width=8)
    assert not same(weights(network, 0)["f1"], weights(network, 1)["f1"])
    assert same(weights(network, 7)["f1"], weights(network, 7)["f1"])


def test_building_leaves_torchs_own_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    build(families.conv(depth=3, width=4, norm="batch"))
    assert torch.equal(torch.rand(1), expected)


def test_a_copy_has_parameters_of_its_own():
    model = build(families.mlp(depth=2, width=4))
    x = torch.randn(3, 2)
    expected = model(x)
    copy = deepcopy(model)
    with torch.no_grad():
        model.layers[0].operation.weight.zero_()
    assert torch.equal(copy(x), expected)
    assert not torch.equal(model(x), expected)


def test_another_structure_is_refused_for_a_built_module():
    network = families.mlp(depth=4, width=4, skip_every=2)
    model = build(network)
    model.set_network(edit.switch_all(network, False))
    with pytest.raises(NetworkError, match="run of its own"):
        model.set_network(edit.add_skip(network, 1, 4))


def single(layer: Layer, shape: tuple[int, ...]) -> nn.Module:
    return build(Network(input=shape, layers=[layer], head=Head(outputs=2)))


def last_state(model, x: torch.Tensor) -> torch.Tensor:
    recording = Recording()
    model(x, recording=recording)
    return recording.states[-1]


@pytest.mark.parametrize(
    ("operation", "module"),
    [
        (Convolution(width=5, kernel=3, stride=2), nn.Conv2d(2, 5, 3, 2, 1)),
        (Convolution(width=6, groups=2, stride=2), nn.Conv2d(2, 6, 3, 2, 1, groups=2)),
        (Convolution(width=5, kernel=2, dilation=3, padding=1), nn.Conv2d(2, 5, 2, 1, 1, dilation=3)),
        (Upsampling(width=5, mode="transposed", kernel=4), nn.ConvTranspose2d(2, 5, 4, 2, 1)),
        (Upsampling(width=5), nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(2, 5, 3, padding=1))),
        (Linear(width=5), nn.Sequential(nn.Flatten(), nn.Linear(128, 5))),
        (Pool(reduce="max", kernel=3, stride=2, padding=1), nn.MaxPool2d(3, 2, 1)),
        (Pool(reduce="mean"), nn.AvgPool2d(2)),
    ],
)
def test_an_operation_gives_the_same_numbers_as_torchs_module(operation, module):
    model = single(Layer(op=operation), (2, 8, 8))
    with torch.no_grad():
        for mine, theirs in zip(model.layers[0].parameters(), module.parameters(), strict=True):
            theirs.copy_(mine)
    x = torch.randn(3, 2, 8, 8)
    assert torch.equal(last_state(model, x), module(x))


@pytest.mark.parametrize(
    ("norm", "shape", "module"),
    [
        ("batch", (6, 4, 4), nn.BatchNorm2d(6)),
        ("batch", (6,), nn.BatchNorm1d(6)),
        ("layer", (6,), nn.LayerNorm(6)),
        ("layer", (6, 4, 4), nn.GroupNorm(1, 6)),
        ("group", (6, 4, 4), nn.GroupNorm(6, 6)),
        ("group", (12,), nn.GroupNorm(6, 12)),
        ("layer", (5, 6), nn.LayerNorm(6)),
    ],
)
def test_a_norm_gives_the_same_numbers_as_torchs_module(norm, shape, module):
    model = single(Layer(op=Identity(), norm=norm), shape)
    x = torch.randn(4, *shape)
    assert torch.equal(last_state(model, x), module(x))
    if norm == "batch":
        assert torch.equal(model.layers[0].norm.running_var, module.running_var)
        assert torch.allclose(last_state(model.eval(), x), module.eval()(x))


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("he", (2 / 400) ** 0.5),
        ("glorot", (2 / 700) ** 0.5),
        ("normal", (1 / 400) ** 0.5),
        ("torch", (1 / 1200) ** 0.5),
        ("zero", 0),
    ],
)
def test_initial_weights_have_their_schemes_deviation(init, deviation):
    weight = single(Layer(op=Linear(width=300), init=init), (400,)).layers[0].operation.weight
    assert weight.std().item() == pytest.approx(deviation, rel=0.02)


def test_orthogonal_weights_keep_lengths():
    weight = single(Layer(op=Linear(width=50), init="orthogonal"), (50,)).layers[0].operation.weight
    assert torch.allclose(weight @ weight.T, torch.eye(50), atol=1e-5)


def two_layers(merge: str, source_shape=(4,), **fields) -> Network:
    layers = [Layer(op=Linear(width=4), activation="tanh"), Layer(op=Linear(width=4), activation="tanh")]
    return Network(input=source_shape, layers=layers, skips=[Skip(source=1, target=2, merge=merge, **fields)])


def states(model, x: torch.Tensor) -> list[torch.Tensor]:
    recording = Recording()
    model(x, recording=recording)
    return recording.states


def test_a_head_of_positions_reads_each_position_also_where_it_is_told_to_flatten():
    network = Network(input=(4, 3), layers=[Layer(op=Identity())], head=Head(kind="positions", outputs=2, flatten=True))
    model, x = build(network), torch.randn(5, 4, 3)
    assert network.parameter_count() == 3 * 2 + 2
    assert torch.equal(model(x), torch.nn.functional.linear(x, model.head.weight, model.head.bias))


def test_an_add_that_is_off_contributes_nothing():
    network = two_layers("add", on=False)
    bare = network.replaced(skips=())
    x = torch.randn(3, 4)
    assert torch.equal(build(network)(x), build(bare)(x))


def test_a_concat_that_is_off_gives_its_reader_zeros():
    model = build(two_layers("concat", on=False))
    x = torch.randn(3, 4)
    h = states(model, x)[2]
    expected = torch.nn.functional.linear(h, model.head.weight[:, :4], model.head.bias)
    assert torch.allclose(model(x), expected)


def test_a_gate_starts_by_carrying_its_source():
    model = build(two_layers("gate", gate_bias=-10.0))
    _, source, h = states(model, torch.randn(3, 4))
    assert torch.allclose(h, source, atol=1e-3)


@pytest.mark.parametrize("merge", ["add", "concat", "gate"])
def test_a_gain_changes_no_bit_of_the_forward_pass_and_zero_gives_exact_zeros_behind(merge):
    network = two_layers(merge)
    shut = edit.set_layer(edit.set_skip(network, "s1", gain=0.0), "f2", gain=0.0)
    x = torch.randn(3, 4)
    model = build(shut)
    assert torch.equal(build(network)(x), model(x))
    model(x).sum().backward()
    behind = [*model.layers.parameters(), *model.skips.parameters()]
    assert all(torch.count_nonzero(p.grad) == 0 for p in behind)
    assert torch.count_nonzero(model.head.weight.grad) > 0


def test_a_gain_scales_what_goes_back():
    network = two_layers("add", on=False)
    grads = []
    for gain in (1.0, 0.25):
        model = build(edit.set_layer(network, "f2", gain=gain))
        model(torch.ones(2, 4)).sum().backward()
        grads.append(model.layers[0].operation.weight.grad)
    assert torch.allclose(grads[0] * 0.25, grads[1])


def test_a_layer_that_is_off_contributes_nothing_in_a_branch_and_is_the_identity_elsewhere():
    x = torch.randn(3, 4)
    in_branch = states(build(edit.set_layer(two_layers("add"), "f2", on=False)), x)
    assert torch.equal(in_branch[2], in_branch[1])
    plain = states(build(edit.set_layer(two_layers("add").replaced(skips=()), "f2", on=False)), x)
    assert torch.equal(plain[2], plain[1])


def adapted(adapter: Adapter, source: tuple, layer: Layer, merge: str = "add") -> tuple[torch.Tensor, torch.Tensor]:
    """Return a source state and what a skip over one layer carries of it."""
    network = Network(input=source, layers=[layer], skips=[Skip(source=0, target=1, merge=merge, adapter=adapter)])
    model, x = build(network), torch.randn(2, *source)
    return x, model.skips[0].carry(network.skips[0], True)(x)


def test_a_stride_takes_every_second_pixel_and_pads_channels_behind():
    x, carried = adapted(Adapter(spatial="stride", channels="pad"), (2, 8, 8), Layer(op=Convolution(width=5, stride=2)))
    assert torch.equal(carried[:, :2], x[..., ::2, ::2])
    assert torch.count_nonzero(carried[:, 2:]) == 0
    assert channels(carried.shape[1:]) == 5


def test_a_crop_takes_the_centre():
    x, carried = adapted(Adapter(spatial="crop"), (1, 8, 8), Layer(op=Convolution(width=1, kernel=3, padding=0)))
    assert torch.equal(carried, x[..., 1:7, 1:7])


def test_a_resize_upwards_is_bilinear():
    x, carried = adapted(Adapter(spatial="resize"), (1, 4, 4), Layer(op=Upsampling(width=1)))
    expected = torch.nn.functional.interpolate(x, size=(8, 8), mode="bilinear", align_corners=False)
    assert torch.equal(carried, expected)


def test_a_projection_is_a_pointwise_map_of_the_strided_image():
    layer = Layer(op=Convolution(width=3, stride=2))
    network = Network(input=(2, 8, 8), layers=[layer], skips=[Skip(source=0, target=1)])
    model, x = build(network), torch.randn(2, 2, 8, 8)
    carried = model.skips[0].carry(network.skips[0], True)(x)
    projection = model.skips[0].project
    expected = torch.einsum("oc,bchw->bohw", projection.weight[:, :, 0, 0], x[..., ::2, ::2]) + projection.bias[:, None, None]
    assert torch.allclose(carried, expected, atol=1e-6)


def test_running_statistics_of_a_switched_off_concats_channels_stay():
    layers = [Layer(op=Linear(width=4)), Layer(op=Linear(width=4)), Layer(op=Linear(width=4), norm="batch", order="norm-act-op")]
    network = Network(input=(4,), layers=layers, skips=[Skip(source=1, target=2, merge="concat")])
    model = build(network)
    x = torch.randn(16, 4)
    model(x)
    norm = model.layers[2].norm
    mean, variance = norm.running_mean.clone(), norm.running_var.clone()
    model.set_network(edit.switch_all(network, False))
    model(x)
    assert torch.equal(norm.running_mean[4:], mean[4:])
    assert torch.equal(norm.running_var[4:], variance[4:])
    assert not torch.equal(norm.running_var[:4], variance[:4])
