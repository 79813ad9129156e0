"""What a kind says of itself is what torch does."""

import ast
import inspect
import math
from pkgutil import resolve_name

import pytest
import torch
from torch import nn

from skipviz import (
    Convolution,
    Embedding,
    Experiment,
    First,
    Head,
    Identity,
    Layer,
    Mean,
    Network,
    NetworkError,
    Patches,
    Resize,
    SequenceConvolution,
    Skip,
    Task,
    Training,
    Upsampling,
    families,
    link,
    train,
)
from skipviz.drawing import modules
from skipviz.learning.build import build
from skipviz.learning.initialise import fill
from skipviz.learning.norm import Norm
from skipviz.learning.operation import MODULES as MODULES_OF_OPERATIONS
from skipviz.learning.operation import attention
from skipviz.network.activation import ACTIVATIONS
from skipviz.network.init import INITS
from skipviz.network.merge import MERGES
from skipviz.network.norm import NORMS
from skipviz.network.norm.group import group_count
from skipviz.network.operation import OPERATIONS
from skipviz.sharing.packing import OPERATION, SKIP
from skipviz.sharing.script.experiment import network_source
from skipviz.sharing.script.parts import PARTS, helpers
from skipviz.sharing.script.source import Sources
from skipviz.tasks.forms.form import INIT_WORDS, NORM_WORDS
from skipviz.tasks.loss import CHOSEN, LOSSES
from skipviz.tasks.metric import METRICS
from skipviz.tasks.suggested_fix import fitted
from skipviz.web.content import bundle
from skipviz.web.content.kinds import tables

MODULES = {name: eval(kind.module, {"nn": nn}) for name, kind in ACTIVATIONS.items()}
KINDS = pytest.mark.parametrize("kind", ACTIVATIONS.values(), ids=ACTIVATIONS)


def learned(kind) -> list[nn.Parameter]:
    """Return the parameter that an activation learns, as it starts, or none."""
    return [nn.Parameter(torch.tensor([kind.starts_at]))] if kind.parameters else []


@KINDS
def test_an_activations_function_and_the_module_of_its_script_are_one(kind):
    x = torch.linspace(-8, 8, 1001, requires_grad=True)
    results = []
    for function in (resolve_name(kind.function), MODULES[kind.name]):
        y = function(x, *learned(kind)) if function is not MODULES[kind.name] else function(x)
        results.append((y, *torch.autograd.grad(y.sum(), x)))
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


@KINDS
def test_what_autograd_keeps_of_an_activation_is_what_its_kind_says(kind):
    x, kept = torch.randn(50, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.clone()) or tensor, lambda tensor: tensor):
        y = resolve_name(kind.function)(x, *learned(kind))
    held = {"input": x, "output": y}[kind.saves]
    assert any(torch.equal(tensor, held) for tensor in kept)
    assert sum(tensor.shape == x.shape for tensor in kept) == 1


@KINDS
def test_whether_a_gradient_passes_at_zero_is_what_the_kind_says(kind):
    x = torch.zeros(1, requires_grad=True)
    (slope,) = torch.autograd.grad(resolve_name(kind.function)(x, *learned(kind)), x)
    assert (slope.item() != 0) == kind.passes_at_zero


def test_numbers_of_activations_stay_and_the_browser_has_their_words():
    first = ["relu", "leaky_relu", "gelu", "tanh", "sigmoid"]
    assert [kind.name for kind in ACTIVATIONS.values() if kind.number <= 5] == first
    assert [list(pair) for pair in modules.kinds()["activation"]] == [[kind.name, kind.words] for kind in ACTIVATIONS.values()]
    assert 'const KINDS = {"activation"' in bundle.script()
    assert 'const KINDS = {"activation"' in bundle.script("replay.js")


NORMED = pytest.mark.parametrize("kind", NORMS.values(), ids=NORMS)


def reference(kind: str, shape: tuple[int, ...]) -> nn.Module:
    """Return torch's own module of that norm for states of `shape`, whose channels it wants second."""
    width = shape[0] if len(shape) == 3 else shape[-1]
    return {
        "batch": lambda: nn.BatchNorm1d(width) if len(shape) < 3 else nn.BatchNorm2d(width),
        "layer": lambda: nn.GroupNorm(1, width) if len(shape) == 3 else ChannelsLast(nn.LayerNorm(width)),
        "group": lambda: nn.GroupNorm(group_count(width), width),
        "rms": lambda: ChannelsLast(nn.RMSNorm(width)),
        "instance": lambda: (nn.InstanceNorm1d if len(shape) < 3 else nn.InstanceNorm2d)(width, affine=True),
        "channel": lambda: ConvNeXtNorm(width),
    }[kind]()


class ChannelsLast(nn.Module):
    """A module that wants channels last, given them second."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.movedim(1, -1)).movedim(-1, 1)


class ConvNeXtNorm(nn.Module):
    """ConvNeXt's layer norm for channels that come second, as its authors write it out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        normed = (x - mean) / torch.sqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6)
        shape = (-1, *[1] * (x.dim() - 2))
        return self.weight.view(shape) * normed + self.bias.view(shape)


@NORMED
@pytest.mark.parametrize("shape", [(12,), (5, 12), (12, 4, 3)], ids=["vectors", "sequences", "images"])
def test_a_norm_gives_torchs_own_outputs_gradients_and_parameters(kind, shape):
    if kind.misfit(shape):
        with pytest.raises(NetworkError, match=kind.words):
            Layer(op=Identity(), norm=kind.name).output_shape(shape)
        return
    mine, theirs = Norm(kind.name, shape), reference(kind.name, shape)
    assert sum(p.numel() for p in mine.parameters()) == kind.parameter_count(shape)
    with torch.no_grad():
        for left, right in zip(mine.parameters(), theirs.parameters(), strict=True):
            left.copy_(right.copy_(torch.randn(right.shape)))
    x = torch.randn(6, *shape, requires_grad=True)
    y = torch.randn(6, *shape)
    second = (lambda x: x.movedim(-1, 1)) if len(shape) == 2 else lambda x: x
    last = (lambda x: x.movedim(1, -1)) if len(shape) == 2 else lambda x: x
    for mode in (True, False):
        outputs = mine.train(mode)(x), last(theirs.train(mode)(second(x)))
        found = [
            torch.autograd.grad((out * y).sum(), [x, *of.parameters()]) for out, of in zip(outputs, (mine, theirs), strict=True)
        ]
        torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


@NORMED
def test_what_autograd_keeps_of_a_norm_is_what_its_kind_says(kind):
    x, kept = torch.randn(6, 12, 4, 3, requires_grad=True), {}
    norm = Norm(kind.name, x.shape[1:]).function(True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.update({t.data_ptr(): t.numel()}) or t, lambda t: t):
        norm(x)
    assert x.data_ptr() in kept
    assert sum(size == x.numel() for size in kept.values()) == 1 + kind.saves_more


@NORMED
def test_a_norm_of_images_hands_on_what_convolutions_read_safely(kind):
    shape = (4, 6, 6)
    y = Norm(kind.name, shape).function(True)(torch.randn(3, *shape))
    assert y.is_contiguous()


@NORMED
def test_a_norm_takes_each_mean_over_as_many_values_as_its_kind_says(kind):
    shape = (12, 4, 3)
    x = torch.randn(6, *shape, dtype=torch.float64, requires_grad=True)
    norm = Norm(kind.name, shape).double().function(True)
    (slope,) = torch.autograd.grad(norm(x)[0, 0, 0, 0], x)
    assert (slope != 0).sum() == kind.values_normed(shape, 6)


@NORMED
def test_a_norms_script_is_the_layer_bit_for_bit_and_its_link_the_same_network(kind):
    net = families.conv(3, 8, 1, norm=kind.name, input=(1, 8, 8), head=Head(outputs=10))
    experiment = Experiment(variants={"net": net}, task=Task(name="digits", samples=80), training=Training(steps=3, batch_size=8))
    assert link.decode(link.encode(experiment)) == experiment
    space = {}
    exec(network_source(net), space)
    torch.manual_seed(0)
    theirs, mine, x = space["Network"](), build(net), torch.randn(4, 1, 8, 8)
    assert torch.equal(theirs(x), mine(x))
    assert sum(p.numel() for p in theirs.parameters()) == net.parameter_count()


def test_numbers_of_norms_stay_and_forms_page_and_tables_offer_all():
    assert [kind.name for kind in NORMS.values() if kind.number <= 3] == ["batch", "layer", "group"]
    assert [list(pair) for pair in modules.kinds()["norm"]] == [[kind.name, kind.words] for kind in NORMS.values()]
    assert NORM_WORDS.keys() == {"none", *NORMS}
    assert all(f"`{name}`" in tables() for name in NORMS)


DRAWN = pytest.mark.parametrize("kind", INITS.values(), ids=INITS)
TORCHS = {
    "torch": lambda weight, source: nn.init.kaiming_uniform_(weight, a=5**0.5, generator=source),
    "he": lambda weight, source: nn.init.kaiming_normal_(weight, generator=source),
    "glorot": lambda weight, source: nn.init.xavier_uniform_(weight, generator=source),
    "normal": lambda weight, source: nn.init.kaiming_normal_(weight, nonlinearity="linear", generator=source),
    "orthogonal": lambda weight, source: nn.init.orthogonal_(weight, generator=source),
    "zero": lambda weight, source: nn.init.zeros_(weight),
}


def drawn(fill) -> tuple[torch.Tensor, torch.Tensor]:
    weight, bias = torch.full((6, 5, 3, 3), 9.0), torch.full((6,), 9.0)
    fill(weight, bias, torch.Generator().manual_seed(3))
    return weight, bias


@DRAWN
def test_an_init_draws_what_torchs_own_draws_and_a_script_draws_the_same_bits(kind):
    fans = 45, 54
    mine = drawn(lambda weight, bias, source: fill(weight, bias, kind.name, *fans, source))
    theirs, _ = drawn(lambda weight, bias, source: TORCHS[kind.name](weight, source))
    torch.testing.assert_close(mine[0], theirs, rtol=1e-6, atol=1e-7)
    assert kind.biases == bool(mine[1].any())
    space = {"torch": torch, "nn": nn, "math": math, "SEED": 0}
    exec(helpers({"fill", *(f"scheme {name}" for name in INITS)}, Sources()), space)
    written = drawn(lambda weight, bias, source: space["fill"](weight, bias, kind.name, *fans, source))
    assert all(torch.equal(*pair) for pair in zip(mine, written, strict=True))


def test_numbers_of_inits_stay_and_forms_page_and_tables_offer_all():
    assert [kind.name for kind in INITS.values() if kind.number <= 6] == ["torch", "he", "glorot", "normal", "orthogonal", "zero"]
    assert [list(pair) for pair in modules.kinds()["init"]] == [[kind.name, kind.words] for kind in INITS.values()]
    assert INIT_WORDS.keys() == INITS.keys()
    assert all(f"`{name}`" in tables() for name in INITS)


FIELDS_IN_LINKS = {
    "k": "kind", "w": "width", "b": "bias", "s": "stride", "n": "kernel", "p": "padding", "f": "factor", "m": "mode", "r": "reduce",
    "l": "ceil", "z": "size", "o": "offset", "v": "vocabulary", "x": "scaled", "h": "heads", "c": "causal", "g": "groups",
    "d": "dilation", "y": "extra_rows", "u": "extra_columns", "a": "streams", "i": "mixing", "j": "dynamic", "q": "first",
    "T": "class_token",
}  # fmt: skip
FIRST_OPERATIONS = ["linear", "conv", "up", "pool", "identity", "crop", "embedding", "position", "attention"]
OPERATION_KINDS = pytest.mark.parametrize("kind", OPERATIONS.values(), ids=OPERATIONS)


FIELDS_OF_SKIPS_IN_LINKS = {
    "m": "merge", "e": "on", "s": "strength", "g": "gain", "a": "adapter", "b": "gate_bias", "f": "before", "l": "learned",
    "r": "rate", "x": "softmax", "h": "heads", "c": "causal", "n": "streams", "i": "mixing", "d": "dynamic",
}  # fmt: skip
FIRST_MERGES = ["add", "concat", "gate", "multiply", "attend", "mix", "streams"]


def test_numbers_of_merges_and_letters_of_skips_in_links_stay():
    assert [kind.name for kind in MERGES.values() if kind.number <= 7] == FIRST_MERGES
    assert SKIP.items() >= FIELDS_OF_SKIPS_IN_LINKS.items()


def test_numbers_of_operations_and_letters_of_their_fields_in_links_stay():
    assert [kind.name for kind in OPERATIONS.values() if kind.number <= 9] == FIRST_OPERATIONS
    assert OPERATION.items() >= FIELDS_IN_LINKS.items()
    assert len(set(OPERATION.values())) == len(OPERATION)


@OPERATION_KINDS
def test_every_field_of_an_operation_has_one_letter_in_links(kind):
    assert all(OPERATION[key] == name for key, name in kind.keys.items())
    if kind.recorded_only:
        assert not kind.keys
        return
    assert sorted(kind.keys.values()) == sorted(kind.model_fields.keys() - {"kind"})


@OPERATION_KINDS
def test_the_inspector_has_every_field_of_an_operation_that_is_one_value_with_its_bounds_and_what_it_is(kind):
    fields = modules.kinds()["operation"][kind.name]
    assert fields.keys() == {name for name in kind.keys.values() if name != "size"}
    assert not fields.keys() & Layer.model_fields.keys()
    for name, field in fields.items():
        assert field["says"].startswith(field["words"])
        assert field["says"].endswith(".")
        wanted = {"width": 4, "vocabulary": 4, "size": (2, 2)}
        given = {other: wanted[other] for other, one in kind.model_fields.items() if one.is_required()}
        if "bounds" in field:
            least, most = field["bounds"]
            assert kind(**given | {name: least})
            assert kind(**given | {name: most})
            for beyond in (least - 1, most + 1):
                with pytest.raises(ValueError, match=name):
                    kind(**given | {name: beyond})
        elif "options" in field:
            assert [getattr(kind(**given | {name: option}), name) for option in field["options"]] == field["options"]
        else:
            assert field["default"] in (True, False)
        if field["none"]:
            assert getattr(kind(**given | {name: None}), name) is None


def kept_elements(module, x: torch.Tensor) -> int:
    """Return how many elements autograd keeps for the way back, parameters apart."""
    own = {parameter.data_ptr() for parameter in module.parameters()}
    kept: dict[int, int] = {}
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.update({t.data_ptr(): t.numel()}) or t, lambda t: t):
        module(x)
    return sum(size for place, size in kept.items() if place not in own)


def assert_as_torchs(op, shape: tuple[int, ...], theirs: nn.Module, second=lambda x: x, times=2) -> None:
    """Fail unless an operation has the shape, parameters, outputs, gradients and memory of torch's module, and so a script."""
    mine, x = MODULES_OF_OPERATIONS[type(op)](op, shape), torch.randn(3, *shape, requires_grad=True)
    with torch.no_grad():
        for left, right in zip(mine.parameters(), theirs.parameters(), strict=True):
            left.copy_(right)
    outputs = mine(x), second(theirs(second(x)))
    assert tuple(outputs[0].shape[1:]) == op.output_shape(shape)
    wanted = torch.randn_like(outputs[0])
    found = [torch.autograd.grad((y * wanted).sum(), [x, *of.parameters()]) for y, of in zip(outputs, (mine, theirs), strict=True)]
    torch.testing.assert_close(*outputs)
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
    assert sum(p.numel() for p in mine.parameters()) == op.parameter_count(shape)
    assert kept_elements(mine, x) == 3 * (op.saves_more(shape) + (math.prod(shape) if op.saves_input else 0))
    net = Network(input=shape, layers=[Layer(op=op, init="glorot")] * times, head=Head(outputs=3, kind="classes"))
    space = {}
    exec(network_source(net), space)
    torch.manual_seed(0)
    assert torch.equal(space["Network"]()(x), build(net)(x))
    assert Network.kept(net.model_dump_json()) == net


@pytest.mark.parametrize("edges", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("more", [{}, {"stride": 2, "bias": False}, {"dilation": 2, "groups": 3}], ids=["", "strided", "grouped"])
def test_a_convolution_pads_with_what_it_is_told_to_as_torchs_does(edges, more):
    op = Convolution(width=6, edges=edges, **more)
    padding = op.dilation
    assert_as_torchs(op, (6, 9, 7), nn.Conv2d(6, 6, 3, padding=padding, padding_mode=edges, **more))


@pytest.mark.parametrize(("edges", "least"), [("reflect", 4), ("circular", 3), ("replicate", 1), ("zeros", 1)])
def test_edges_that_the_image_is_too_small_for_are_refused(edges, least):
    op = Convolution(width=2, kernel=7, edges=edges)
    assert op.output_shape((2, least, 9)) == (2, least, 9)
    if least > 1:
        with pytest.raises(NetworkError, match=f"{edges} edges of {least - 1}×9 pixels are at most 2 wide, not 3"):
            op.output_shape((2, least - 1, 9))


ALONG = pytest.mark.parametrize(
    "more",
    [{}, {"dilation": 2, "bias": False}, {"kernel": 4, "groups": 2}, {"kernel": 1}],
    ids=["", "dilated", "grouped", "pointwise"],
)


@ALONG
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_a_convolution_along_a_sequence_is_torchs_with_zeros_around(more, causal):
    op = SequenceConvolution(width=6, causal=causal, **more)
    before = op.dilation * (op.kernel - 1) if causal else -(-op.dilation * (op.kernel - 1) // 2)
    plain = nn.Conv1d(4, 6, op.kernel, dilation=op.dilation, groups=op.groups, bias=op.bias)
    padded = nn.Sequential(nn.ZeroPad1d((before, op.dilation * (op.kernel - 1) - before)), plain)
    assert_as_torchs(op, (9, 4), padded, lambda x: x.transpose(1, 2))


@ALONG
@pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])
def test_a_convolution_along_a_sequence_looks_ahead_where_it_says_so(more, causal):
    op = SequenceConvolution(width=6, causal=causal, **more)
    x, made = torch.randn(1, 9, 4, requires_grad=True), MODULES_OF_OPERATIONS[SequenceConvolution](op, (9, 4))
    with torch.no_grad():
        made.initialise("he", torch.Generator())
    (slope,) = torch.autograd.grad(made(x)[0, 4].sum(), x)
    assert slope[0, 5:].any() == op.looks_ahead
    assert op.looks_ahead == (not causal and op.kernel > 1)


def test_a_stack_of_causal_convolutions_learns_text_and_one_that_looks_ahead_is_mended():
    task = Task(name="text")
    ahead = [Layer(op=SequenceConvolution(width=16, dilation=2**k), activation="relu") for k in range(3)]
    embedding = Layer(op=Embedding(vocabulary=task.token_count(), width=16))
    net = Network(input=task.sample_shape(), layers=[embedding, *ahead], head=task.head(), skips=[Skip(source=1, target=3)])
    assert task.mismatch(net) == f"{task.kind.title} is predicted from what came before, so every conv1d has to be causal"
    mended = fitted(net, task)
    assert all(layer.op.causal for layer in mended.layers[1:])
    experiment = Experiment(variants={"net": mended}, task=task, training=Training(steps=20, batch_size=8, learning_rate=0.01))
    assert link.decode(link.encode(experiment)) == experiment
    losses = [frame.variants["net"].loss for frame in train(experiment)]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (Convolution(width=16, groups=16, dilation=2, edges="circular", bias=False), (16, 6, 6)),
        (SequenceConvolution(width=8), (6, 8)),
    ],
    ids=["images", "sequences"],
)
def test_a_long_networks_script_breaks_its_lines_and_is_the_network_bit_for_bit(op, shape):
    net = Network(input=shape, layers=[Layer(op=op, init="glorot", init_factor=1.25)] * 40, head=Head(outputs=3))
    source, space = network_source(net), {}
    assert max(map(len, source.splitlines())) <= 120
    exec(source, space)
    x = torch.randn(2, *shape)
    assert torch.equal(space["Network"]()(x), build(net)(x))


FIRST_LOSSES = [
    "cross_entropy", "binary_cross_entropy", "pixel_cross_entropy", "token_cross_entropy", "squared_error", "dice",
    "cross_entropy+dice",
]  # fmt: skip


def test_numbers_of_losses_and_metrics_stay_and_page_and_tables_offer_all():
    assert [kind.name for kind in LOSSES.values() if kind.number <= 7] == FIRST_LOSSES
    assert [kind.name for kind in METRICS.values() if kind.number <= 5] == ["accuracy", "exact", "iou", "mean_iou", "r2"]
    assert all(f"`{name}`" in tables() for name in CHOSEN)
    assert list(CHOSEN)[:3] == ["auto", "dice", "cross_entropy+dice"]
    assert [list(kind) for kind in modules.kinds()["metric"]] == [[kind.name, kind.words, kind.share] for kind in METRICS.values()]


def written_out(function: str):
    """Return what a script has of `function`, compiled."""
    sources = Sources()
    name = sources.add(function)
    space = {"torch": torch, "nn": nn, "F": nn.functional, "math": math}
    exec(f"{chr(10).join(sources.imports)}\n{sources.text()}\n", space)
    return eval(name, space)


def test_a_script_has_a_class_as_it_stands_after_what_it_uses_and_without_annotations():
    sources = Sources()
    assert sources.add("skipviz.learning.merge.attend:CrossAttention") == "CrossAttention"
    assert list(sources.parts) == ["attention_weights", "Attention", "CrossAttention"]
    written, stands = ast.parse(sources.parts["Attention"]), ast.parse(inspect.getsource(attention.Attention))
    for part in ast.walk(stands):
        if isinstance(part, ast.arg):
            part.annotation = None
        if isinstance(part, ast.FunctionDef):
            part.returns = None
    assert ast.dump(written) == ast.dump(stands)


def test_all_that_scripts_may_have_of_ours_goes_together_and_one_name_is_never_two_things():
    sources = Sources()
    ast.parse(helpers(set(PARTS), sources))
    for function in ("learning.batches:Batches", "learning.clipping:clip", "tasks.schedule:one_cycle", "tasks.schedule:in_steps"):
        sources.add(f"skipviz.{function}")
    with pytest.raises(ValueError, match=r"EPSILON of skipviz\.learning\.norm\.axes beside that of skipviz\.learning\.clipping"):
        sources.add("skipviz.learning.norm.axes:EPSILON")


def told(kind) -> tuple[torch.Tensor, torch.Tensor]:
    """Return outputs and a truth of a task whose loss or metric `kind` may be."""
    of = {getattr(kind, "name", ""), *getattr(kind, "replaces", ())}
    if of & {"squared_error", "r2"}:
        return torch.randn(20, 1), torch.randn(20, 1)
    if of & {"binary_cross_entropy", "iou"}:
        return torch.randn(3, 1, 4, 4), (torch.rand(3, 1, 6, 6) > 0.6).float()
    if of & {"pixel_cross_entropy", "mean_iou"}:
        return torch.randn(3, 4, 5, 5), torch.randint(4, (3, 5, 5)).to(torch.uint8)
    shape = (20, 6) if of & {"token_cross_entropy", "exact"} else (20,)
    return torch.randn(*shape, 5), torch.randint(5, shape)


OF_METRICS = [f"skipviz.learning.metric.{name}:{name}" for name in METRICS]


@pytest.mark.parametrize(
    ("kind", "function"),
    [*((kind, kind.function) for kind in LOSSES.values()), *zip(METRICS.values(), OF_METRICS, strict=True)],
    ids=[*LOSSES, *METRICS],
)
def test_a_script_has_the_very_function_of_a_loss_and_of_a_metric(kind, function):
    outputs, truth = told(kind)
    found = [torch.as_tensor(of(outputs, truth)) for of in (resolve_name(function), written_out(function))]
    assert torch.equal(*found)
    assert found[0].isfinite()


@pytest.mark.parametrize("kind", [kind for kind in LOSSES.values() if kind.replaces], ids=lambda kind: kind.name)
def test_a_loss_that_is_chosen_in_place_of_one_has_its_words_for_other_tasks(kind):
    assert set(kind.replaces) <= {name for name, other in LOSSES.items() if not other.replaces}
    assert "{}" in kind.only
    assert kind.help
    assert Training(loss=kind.name).loss == kind.name


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_an_image_is_resized_without_weights_as_by_torchs_module(mode):
    assert_as_torchs(Resize(factor=3, mode=mode), (4, 5, 3), nn.Upsample(scale_factor=3, mode=mode))


RIMS = {"below": (1, 0), "on the right": (0, 1), "all around": (3, 2)}


@pytest.mark.parametrize("rim", RIMS)
@pytest.mark.parametrize("kind", ["transposed", "bilinear", "resize"])
def test_what_is_up_scaled_is_padded_with_zeros_half_of_them_first_as_many_a_u_net_pads(kind, rim):
    rows, columns = RIMS[rim]
    around = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    extra = {"extra_rows": rows, "extra_columns": columns}
    bare = {
        "transposed": lambda: (Upsampling(width=2, mode="transposed", kernel=2, **extra), [nn.ConvTranspose2d(4, 2, 2, 2)]),
        "bilinear": lambda: (
            Upsampling(width=2, mode="bilinear", **extra),
            [nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 2, 3, padding=1)],
        ),
        "resize": lambda: (Resize(**extra), [nn.Upsample(scale_factor=2)]),
    }
    op, modules = bare[kind]()
    assert_as_torchs(op, (4, 5, 3), nn.Sequential(*modules, Padded(around)))
    assert op.label().endswith(f"padded {rows}×{columns}")
    plain = op.replaced(extra_rows=0, extra_columns=0)
    assert op.multiplications((4, 5, 3)) == plain.multiplications((4, 5, 3))


class Padded(nn.Module):
    """Pads by `F.pad`."""

    def __init__(self, around: tuple[int, ...]) -> None:
        super().__init__()
        self.around = around

    def forward(self, x):
        return nn.functional.pad(x, self.around)


def test_a_mean_is_one_number_a_channel():
    images, sequences, at_end = (4, 5, 3), (6, 4), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    mine = MODULES_OF_OPERATIONS[Mean](Mean(), images)
    x = torch.randn(3, *images)
    torch.testing.assert_close(mine(x), at_end(x))
    assert Mean().output_shape(images) == Mean().output_shape(sequences) == (4,)
    x = torch.randn(3, *sequences)
    assert torch.equal(MODULES_OF_OPERATIONS[Mean](Mean(), sequences)(x), x.mean(1))
    with pytest.raises(NetworkError, match="features have none"):
        Mean().output_shape((4,))


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 4)], ids=str)
def test_patches_are_an_images_pixels_row_by_row(shape):
    assert_as_torchs(Patches(), shape, nn.Flatten(2), second=lambda x: x.mT if x.dim() == 3 else x, times=1)


def test_a_class_token_stands_before_them_and_starts_at_zero():
    assert_as_torchs(Patches(class_token=True), (4, 5, 3), WithToken(4), times=1)
    built = build(Network(input=(4, 5, 3), layers=[Layer(op=Patches(class_token=True), init="he")], head=Head(kind="positions")))
    assert not built.layers[0].operation.weight.any()


class WithToken(nn.Module):
    """A learned vector before the pixels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, width))

    def forward(self, x):
        return torch.cat([self.weight.repeat(len(x), 1, 1), x.flatten(2).mT], 1)


def test_the_first_position_is_a_vector():
    mine, x = MODULES_OF_OPERATIONS[First](First(), (6, 4)), torch.randn(3, 6, 4)
    assert torch.equal(mine(x), x[:, 0])
    assert First().output_shape((6, 4)) == (4,)
    with pytest.raises(NetworkError, match="needs a sequence"):
        First().output_shape((4, 5, 3))
