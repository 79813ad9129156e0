"""A built network is an honest torch module: what torch lets one do with a module acts on its outputs."""

import pickle
from copy import deepcopy

import pytest
import torch
from chains import chains
from hypothesis import given, settings
from test_build import samples
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import linear
from torch.nn.utils import parametrizations, prune

from skipviz import Adapter, Head, Layer, Linear, Network, Skip, edit, families
from skipviz.learning.build import NetworkModule, Parts, build

torch.set_num_threads(1)

NETWORK = Network(
    input=(3,),
    layers=[
        Layer(op=Linear(width=4), norm="layer", scale=0.5, scale_learned=True),
        Layer(op=Linear(width=4), activation="tanh", gain=0.5),
        Layer(op=Linear(width=5), id="a.b"),
        Layer(op=Linear(width=5), id="half"),
    ],
    skips=[
        Skip(source=0, target=2, adapter=Adapter(norm="batch")),
        Skip(source=1, target=2, merge="concat"),
        Skip(source=2, target=3, merge="gate"),
        Skip(source=3, target=4),
    ],
    head=Head(outputs=2),
)
NAMES = {
    "layers.f1.scale": "layers.0.scale",
    "layers.f1.operation.weight": "layers.0.operation.weight",
    "layers.f1.operation.bias": "layers.0.operation.bias",
    "layers.f1.norm.weight": "layers.0.norm.weight",
    "layers.f1.norm.bias": "layers.0.norm.bias",
    "layers.f2.operation.weight": "layers.1.operation.weight",
    "layers.f2.operation.bias": "layers.1.operation.bias",
    "layers.a_b.operation.weight": "layers.2.operation.weight",
    "layers.a_b.operation.bias": "layers.2.operation.bias",
    "layers.half_.operation.weight": "layers.3.operation.weight",
    "layers.half_.operation.bias": "layers.3.operation.bias",
    "skips.s1.project.weight": "skips.0.projection.weight",
    "skips.s1.project.bias": "skips.0.projection.bias",
    "skips.s1.norm.weight": "skips.0.norm.weight",
    "skips.s1.norm.bias": "skips.0.norm.bias",
    "skips.s1.norm.running_mean": "skips.0.norm.running_mean",
    "skips.s1.norm.running_var": "skips.0.norm.running_var",
    "skips.s3.project.weight": "skips.2.projection.weight",
    "skips.s3.project.bias": "skips.2.projection.bias",
    "skips.s3.gate.weight": "skips.2.gate.weight",
    "skips.s3.gate.bias": "skips.2.gate.bias",
    "head.weight": "head.operation.weight",
    "head.bias": "head.operation.bias",
}
"""By the names of a module's tensors, those that earlier versions saved them under."""


@pytest.fixture
def model() -> NetworkModule:
    return build(NETWORK)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


@settings(max_examples=60)
@given(chains())
def test_a_call_and_a_trainers_plan_of_any_network_give_the_same_bits(network):
    model, again, x = build(network), build(network), samples(network, 5)
    model.masks.step = again.masks.step = 0
    for training in (True, False):
        outputs, planned = model.train(training)(x), again.bound(network, training).run(x)
        assert torch.equal(outputs, planned)
        if outputs.requires_grad:
            called, bound = (
                torch.autograd.grad(found.square().mean(), list(which.parameters()), allow_unused=True)
                for found, which in ((outputs, model), (planned, again))
            )
            assert all(a is b or torch.equal(a, b) for a, b in zip(called, bound, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(model.buffers(), again.buffers(), strict=True))


def test_tensors_are_named_by_the_ids_of_their_parts(model):
    assert model.state_dict().keys() == NAMES.keys()
    assert model.layers["a.b"] is model.layers[2] is model.layers.a_b
    assert model.layers["half"].operation.weight.shape == (5, 5)


def test_what_an_earlier_version_saved_is_loaded(model, x):
    saved = {old: model.state_dict()[new] for new, old in NAMES.items()}
    other = build(NETWORK, seed=1)
    assert not torch.equal(other.eval()(x), model.eval()(x))
    other.load_state_dict(saved)
    assert torch.equal(other(x), model(x))
    holder, empty = nn.Sequential(other), nn.Sequential(build(NETWORK, seed=2))
    empty.load_state_dict({f"0.{name}": tensor for name, tensor in saved.items()})
    assert torch.equal(empty.eval()(x), holder.eval()(x))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict({"layers.0.operation.weight": torch.zeros(4, 3)})


def test_other_weights_are_used_as_they_are_put_in(model, x):
    """Each way of putting a weight in another's place: after a first call, in which a module may have bound the old one."""
    before, zeros = model(x), torch.zeros(2, 5)
    head = nn.Parameter(zeros)
    swapped = functional_call(model, {"head.weight": zeros}, (x,))
    assert torch.equal(swapped, model.head.bias.expand(6, 2))
    assert torch.equal(model(x), before)
    assigned = deepcopy(model)
    assigned.load_state_dict({**model.state_dict(), "head.weight": head}, assign=True)
    assert assigned.head.weight is head
    assert torch.equal(assigned(x), swapped)
    model.head.weight = head
    assert torch.equal(model(x), swapped)
    model.head = nn.Linear(5, 7)
    assert model(x).shape == (6, 7)
    model.layers.f1.operation = nn.Linear(3, 4, bias=False)
    model(x).sum().backward()
    assert model.layers.f1.operation.weight.grad.any()


@pytest.mark.parametrize("normed", ["layers.f2.operation", "layers.a_b.operation", "skips.s1.project", "skips.s3.gate", "head"])
def test_pruning_and_weight_norm_act_on_every_part(normed, x):
    model = build(NETWORK)
    before = model(x)
    part = model.get_submodule(normed)
    parametrizations.weight_norm(part)
    assert torch.allclose(model(x), before, atol=1e-6)
    with torch.no_grad():
        part.parametrizations.weight.original0.mul_(-2)
    assert not torch.allclose(model(x), before, atol=1e-3)
    pruned = build(NETWORK)
    prune.l1_unstructured(pruned.get_submodule(normed), "weight", amount=0.5)
    assert not torch.equal(pruned(x), before)
    pruned(x).square().sum().backward()
    gradient = pruned.get_submodule(normed).weight_orig.grad
    assert torch.equal(gradient.count_nonzero(), (pruned.get_submodule(normed).weight_mask * gradient).count_nonzero())


def test_hooks_of_every_module_fire_and_can_change_what_it_gives(model, x):
    """A container's own is the exception, as in torch: nothing calls one."""
    called = set()
    modules = {name: module for name, module in model.named_modules() if not isinstance(module, Parts)}
    for name, module in modules.items():
        module.register_forward_hook(lambda module, inputs, output, name=name: called.add(name))
    model(x)
    assert called == modules.keys()
    assert len(modules) == 19
    model.layers.half_.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    model.skips.s4.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    assert torch.equal(model(x), model.head.bias.expand(6, 2))


def test_a_switched_off_part_is_asked_for_nothing(model, x):
    called = []
    for part in ("layers.half_.operation", "skips.s3", "skips.s1.project"):
        model.get_submodule(part).register_forward_hook(lambda module, inputs, output: called.append(module))
    off = edit.set_skip(edit.set_layer(NETWORK, "half", on=False), "s3", on=False)
    model.set_network(off)
    assert torch.equal(model(x), build(off)(x))
    assert called == [model.skips.s1.project]
    model.set_network(NETWORK)
    assert torch.equal(model(x), build(NETWORK)(x))


def test_a_part_has_a_mode_of_its_own(model, x):
    before = model.skips.s1.norm.running_mean.clone()
    model.skips.s1.norm.eval()
    model(x)
    assert torch.equal(model.skips.s1.norm.running_mean, before)
    model.train()(x)
    assert not torch.equal(model.skips.s1.norm.running_mean, before)


def test_functional_gradients_of_each_sample_are_those_of_autograd(model, x):
    model.eval()
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())

    def loss(parameters, sample):
        return functional_call(model, (parameters, buffers), (sample[None],)).square().sum()

    each = vmap(grad(loss), in_dims=(None, 0))(parameters, x)
    model(x).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert torch.allclose(each[name].sum(0), parameter.grad, atol=1e-5), name


def test_several_models_are_batched_as_one(x):
    models = [build(NETWORK, seed).eval() for seed in range(3)]
    parameters, buffers = stack_module_state(models)
    outputs = vmap(lambda p, b: functional_call(models[0], (p, b), (x,)))(parameters, buffers)
    assert torch.allclose(outputs, torch.stack([model(x) for model in models]), atol=1e-6)


FAMILIES = {
    "chain": NETWORK,
    "resnet": families.resnet(8, "project", input=(1, 8, 8)),
    "transformer": families.transformer(2, width=8, heads=2),
    "densenet": families.densenet(blocks=(2, 2), growth=4, input=(1, 8, 8)),
    "off": edit.set_layer(edit.switch_all(families.conv(4, 4, 2, norm="batch"), False), "f3", on=False),
}


@pytest.mark.parametrize(("name", "backend"), [("chain", "aot_eager"), *((name, "eager") for name in FAMILIES)])
def test_compiled_in_one_graph_it_gives_the_same(name, backend):
    torch.compiler.reset()
    network = FAMILIES[name]
    model, x = build(network), samples(network, 4)
    compiled = torch.compile(deepcopy(model), backend=backend, fullgraph=True)
    outputs, expected = compiled(x), model(x)
    assert torch.allclose(outputs, expected, atol=1e-6)
    for found in (outputs, expected):
        found.square().sum().backward()
    for (name, a), b in zip(model.named_parameters(), compiled.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        assert a.grad is None or torch.allclose(a.grad, b.grad, atol=1e-5), name
    changed = next(iter(dict(compiled.named_parameters()).values()))
    with torch.no_grad():
        changed.mul_(3)
    assert not torch.equal(compiled(x), outputs)


def test_copies_and_pickles_have_parts_of_their_own(model, x):
    expected = model(x)
    for copy in (deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(copy(x), expected)
        with torch.no_grad():
            copy.head.weight.zero_()
        assert torch.equal(copy(x), model.head.bias.expand(6, 2))
        copy.set_network(edit.switch_all(NETWORK, False))
        assert torch.equal(model(x), expected)


def test_another_type_of_number_is_taken_along(model, x):
    assert torch.allclose(model.double()(x.double()), build(NETWORK)(x).double(), atol=1e-6)
    assert linear(torch.zeros(1, 5).double(), model.head.weight, model.head.bias).dtype == torch.float64
