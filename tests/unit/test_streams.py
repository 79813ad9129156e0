"""Parallel residual streams: values, gradients, start, counts, off and strengths, scripts, links, frames."""

import pytest
import torch
from equations import Taps, outputs
from scripts import check, short
from torch import nn
from torch.nn import functional as F

import skipviz
from skipviz import Expand, Experiment, Head, Layer, Linear, Network, Reduce, Skip, Task, Training, edit, families, link
from skipviz.learning.build import build
from skipviz.learning.frame_text import decode_frame, encode_frame
from skipviz.learning.merge.streams import mean_matrix, sinkhorn
from skipviz.learning.probe import gradients, record
from skipviz.learning.recording import Recording
from skipviz.network.paths import path_counts
from skipviz.network.shapes import landing_shape
from skipviz.sharing.table import table
from skipviz.tasks.comparison import network_differences
from skipviz.tasks.event import LayerEvent, SkipEvent

N, WIDTH = 3, 4
HEAD = Head(kind="positions", outputs=5)
KINDS = [("free", False), ("free", True), ("sinkhorn", False), ("sinkhorn", True)]
EVERY = pytest.mark.parametrize(("mixing", "dynamic"), KINDS)


def network(mixing: str, dynamic: bool, shape=(5, 6), **skip) -> Network:
    """Return two layers, each of which reads the streams and writes to them."""
    of = {"streams": N, "mixing": mixing, "dynamic": dynamic}
    layers, skips = [Layer(op=Linear(width=WIDTH)), Layer(op=Expand(streams=N))], []
    if len(shape) == 3:
        layers[0] = Layer(op=skipviz.Convolution(width=WIDTH, kernel=1))
    for k in range(2):
        source = len(layers)
        layers += [Layer(op=Reduce(first=k, **of)), layers[0].replaced(activation="tanh"), Layer(op=Expand(streams=N))]
        skips.append(Skip(id=f"m{k}", source=source, target=len(layers), merge="streams", **of, **skip))
    return Network(input=shape, layers=[*layers, Layer(op=Reduce(streams=N))], skips=skips, head=Head(outputs=3))


def shaken(net: Network) -> nn.Module:
    """Return the network in float64 with other parameters than those that it starts with."""
    model, source = build(net).double(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.3 * torch.randn(p.shape, generator=source, dtype=p.dtype)
    return model


@EVERY
@pytest.mark.parametrize("shape", [(5, 6), (6,), (2, 3, 4)])
@pytest.mark.parametrize("strength", [{}, {"strength": 0.5}, {"learned": True, "strength": 1.5}])
def test_outputs_and_every_gradient_are_those_of_the_papers_equations(mixing, dynamic, shape, strength):
    model = shaken(network(mixing, dynamic, shape, **strength))
    x = torch.randn(4, *shape, dtype=torch.float64, requires_grad=True)
    results = []
    for out in (model(x), outputs(model, x, Taps())):
        results.append((out, *torch.autograd.grad(out.square().sum(), [x, *model.parameters()])))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


class HyperConnection(nn.Module):
    """Algorithm 2 of Zhu et al. (2024), with a layer norm that learns nothing, and a scale of its own for what is read."""

    def __init__(self, dim: int, rate: int, layer_id: int, dynamic: bool) -> None:
        super().__init__()
        self.static_beta = nn.Parameter(torch.ones(rate))
        read = torch.zeros(rate, 1)
        read[layer_id % rate] = 1.0
        self.static_alpha, self.dynamic = nn.Parameter(torch.cat([read, torch.eye(rate)], 1)), dynamic
        self.dynamic_alpha_fn, self.dynamic_beta_fn = nn.Parameter(torch.zeros(dim, rate + 1)), nn.Parameter(torch.zeros(dim))
        self.scales = nn.Parameter(torch.full((3,), 0.01))

    def width_connection(self, h):
        alpha, beta = self.static_alpha, self.static_beta
        if self.dynamic:
            norm_h = F.layer_norm(h, h.shape[-1:])
            factors = torch.cat([self.scales[:1], self.scales[1:2].expand(len(beta))])
            alpha = alpha + torch.tanh(norm_h @ self.dynamic_alpha_fn) * factors
            beta = beta + torch.tanh(norm_h @ self.dynamic_beta_fn) * self.scales[2]
        return alpha.transpose(-1, -2) @ h, beta.expand(h.shape[:-1])

    def depth_connection(self, mix_h, h_o, beta):
        return torch.einsum("blh,bln->blnh", h_o, beta) + mix_h[..., 1:, :]


@pytest.mark.parametrize("dynamic", [False, True])
def test_hyper_connections_are_the_published_algorithm(dynamic):
    model = shaken(network("free", dynamic))
    x = torch.randn(4, 5, 6, dtype=torch.float64)
    layers = [*model.layers]
    h = layers[0](x).unsqueeze(2).expand(-1, -1, N, -1)
    for k, skip in enumerate(model.skips):
        read, layer, own = layers[2 + 3 * k].operation, layers[3 + 3 * k], skip.mixing
        theirs = HyperConnection(WIDTH, N, k, dynamic).double()
        with torch.no_grad():
            theirs.static_beta.copy_(own.write)
            theirs.static_alpha.copy_(torch.cat([read.weight[:, None], own.mix], 1))
            if dynamic:
                theirs.dynamic_alpha_fn.copy_(torch.cat([read.map[:, None], own.mix_map], 1))
                theirs.dynamic_beta_fn.copy_(own.write_map)
                theirs.scales.copy_(torch.stack([read.scale, own.mix_scale, own.write_scale]))
        mix_h, beta = theirs.width_connection(h)
        h = theirs.depth_connection(mix_h, layer(mix_h[..., 0, :]), beta)
    torch.testing.assert_close(model(x), model.head(h.sum(2).mean(1)), rtol=1e-10, atol=1e-12)


@EVERY
def test_counts_are_the_papers(mixing, dynamic):
    n, d = 4, 2048
    read = Reduce(streams=n, mixing=mixing, dynamic=dynamic).parameter_count((1, n * d))
    skip = Skip(source=0, target=1, merge="streams", streams=n, mixing=mixing, dynamic=dynamic)
    a_module = read + landing_shape(skip, (1, n * d), (1, n * d), beside=False).parameters
    static = n * (n + 2)
    assert (
        a_module
        == static
        + {
            ("free", False): 0,
            ("free", True): d * (n + 2) + 3,
            ("sinkhorn", False): 0,
            ("sinkhorn", True): n * d * (n * n + 2 * n) + 3,
        }[mixing, dynamic]
    )
    if mixing == "free" and dynamic:
        assert 32 * (a_module - 1) == 394_048  # of OLMo-1B-DHC×4, where a module reads and mixes by one scale


@EVERY
def test_a_network_is_built_with_as_many_parameters_as_it_counts(mixing, dynamic):
    net = network(mixing, dynamic, learned=True)
    assert sum(p.numel() for p in build(net).parameters()) == net.parameter_count()
    assert Network.kept(net.model_dump_json()) == net


def test_a_doubly_stochastic_matrix_has_rows_and_columns_of_sum_1():
    matrix = sinkhorn(torch.randn(50, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    assert (matrix > 0).all()
    torch.testing.assert_close(matrix.sum(-1), torch.ones(50, 4, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(matrix.sum(-2), torch.ones(50, 4, dtype=torch.float64), rtol=0, atol=1e-3)
    assert torch.isfinite(sinkhorn(torch.full((3, 3), 900.0))).all()


@pytest.mark.parametrize("off", [{"on": False}, {"strength": 0.0}])
def test_where_streams_are_off_only_the_copies_of_the_layer_are_left(off):
    net, x = network("free", True), torch.randn(4, 5, 6)
    changed, without = edit.set_skips(net, ("m1",), **off), edit.remove_skips(net, ("m1",))
    model, plain = build(net), build(without)
    model.set_network(changed)
    assert torch.equal(model(x), plain(x))
    assert path_counts(changed) == path_counts(without)


def experiment(net: Network, **training) -> Experiment:
    task = Task(name="sequences", rule="reverse", samples=60, length=6, vocabulary=5)
    made = Training(batch_size=20, weight_decay=0.01, **training)
    return short(Experiment(variants={"net": net}, task=task, training=made), steps=6)


def of_tokens(mixing: str, dynamic: bool, **skip) -> Network:
    net = network(mixing, dynamic, **skip)
    embedding = Layer(id="f1", op=skipviz.Embedding(vocabulary=5, width=WIDTH), init="normal")
    return net.replaced(input=(6,), layers=(embedding, *net.layers[1:]), head=HEAD)


@EVERY
@pytest.mark.parametrize("training", [{}, {"precision": "bfloat16"}])
def test_a_script_takes_the_same_steps_and_a_link_gives_the_same_network(mixing, dynamic, training):
    run = experiment(of_tokens(mixing, dynamic), **training)
    assert link.decode(link.encode(run)) == run
    events = [
        SkipEvent(ids=("m0",), on=False, step=1), SkipEvent(ids=("m1",), strength=-0.5, step=2),
        LayerEvent(ids=("f4",), on=False, step=3), SkipEvent(ids=("m0",), on=True, strength=1.5, gain=0.5, step=4),
    ]  # fmt: skip
    assert "Streams(" in check(run, events)


def test_learned_strengths_of_streams_train_as_their_script_says():
    run = experiment(of_tokens("sinkhorn", True, learned=True, strength=0.7))
    assert link.decode(link.encode(run)) == run
    check(run, [SkipEvent(ids=("m1",), on=False, step=2)])


def test_streams_that_do_not_divide_a_width_are_refused_in_words():
    with pytest.raises(ValueError, match="4 streams need a width that they divide, not 6"):
        Reduce(streams=4).output_shape((2, 6))
    with pytest.raises(ValueError, match="5 streams need a width that they divide, not 12"):
        edit.set_skips(network("free", False), ("m0",), streams=5)


def test_a_comparison_tells_mixings_apart():
    apart = network_differences(network("free", False), edit.set_skips(network("free", False), ("m0",), mixing="sinkhorn"))
    assert ("streams ×3", "streams ×3, doubly stochastic") in [(one.left, one.right) for one in apart]


def transformers(mixing: str, dynamic: bool, n: int = 4) -> tuple[nn.Module, nn.Module]:
    """Return the plain Pre-LN Transformer and the one of n streams as it starts, with the same weights of layers, in float64."""
    size = {"depth": 3, "width": 8, "heads": 2, "feed_forward": 12, "norm": "pre", "input": (6, 5)}
    plain, several = (build(families.transformer(**size, streams=count, mix=mixing, dynamic=dynamic)).double() for count in (1, n))
    own = [part for part in several.in_order() if part.layer.op.kind not in ("expand", "reduce") or part.norm]
    for left, right in zip(own, plain.in_order(), strict=True):
        left.load_state_dict(right.state_dict())
    return plain, several


@EVERY
@pytest.mark.parametrize("n", [2, 4])
def test_at_the_start_it_is_the_pre_ln_transformer(mixing, dynamic, n):
    plain, several = transformers(mixing, dynamic, n)
    several.head.load_state_dict(plain.head.state_dict())
    x, states = torch.randn(4, 6, 5, dtype=torch.float64), []
    for model in (plain, several):
        recording = Recording()
        model(x, recording=recording)
        states.append(recording.states)
    for block in range(6):  # the state behind each branch: every stream holds the plain one's
        at, there = [skip.target for skip in plain.network.skips][block], [skip.target for skip in several.network.skips][block]
        for stream in states[1][there].chunk(n, -1):
            torch.testing.assert_close(stream, states[0][at], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(several(x), plain(x), rtol=1e-4, atol=1e-4)  # the last layer norm's ε counts less in a sum


@EVERY
def test_a_transformers_streams_are_counted_by_the_papers(mixing, dynamic):
    n, d, depth = 4, 8, 3
    plain, several = transformers(mixing, dynamic, n)
    per = n * (n + 2) + dynamic * (3 + (d * (n + 2) if mixing == "free" else n * d * (n * n + 2 * n)))
    assert several.network.parameter_count() - plain.network.parameter_count() == 2 * depth * per


@EVERY
def test_streams_come_apart_and_stay_doubly_stochastic_while_they_train(mixing, dynamic):
    net = families.transformer(2, 8, 2, 12, "pre", streams=4, mix=mixing, dynamic=dynamic, vocabulary=5, input=(6,), head=HEAD)
    run = skipviz.train(experiment(net).replaced(training=Training(steps=20, batch_size=20, learning_rate=0.02)))
    frames = list(run)
    assert frames[-1].variants["net"].loss < frames[0].variants["net"].loss
    model = run.model("net")
    recording = Recording()
    model(torch.randint(5, (4, 6)), recording=recording)
    streams = recording.states[net.skips[-1].target].unflatten(-1, (4, -1))
    assert (streams[..., 0, :] - streams[..., 1, :]).abs().max() > 1e-3


@pytest.mark.parametrize(
    "options",
    [{"norm": "post"}, {"residual": False}, {"shared": True}, {"averaged": True}, {"encoder": 1}, {"streams": 17}, {"mix": "any"}],
)
def test_a_transformer_that_cannot_have_streams_is_refused_in_words(options):
    with pytest.raises(skipviz.NetworkError, match=r"stream|free"):
        families.transformer(**{"depth": 2, "width": 8, "heads": 2, "norm": "pre", "streams": 4} | options)


@EVERY
def test_frames_have_the_matrices_of_every_skip_of_streams(mixing, dynamic):
    net = edit.set_skips(of_tokens(mixing, dynamic), ("m1",), on=False)
    frames = list(skipviz.train(experiment(net, accumulation=2)))
    first, last = frames[0].variants["net"], frames[-1].variants["net"]
    start = torch.eye(N) if mixing == "free" else torch.softmax(4 * torch.eye(N), 1)
    torch.testing.assert_close(torch.tensor(first.mixing[: N * N]).reshape(N, N), start)
    assert first.mixing[N * N :] == [None] * N * N
    assert last.mixing[: N * N] != first.mixing[: N * N]
    if mixing == "sinkhorn":
        torch.testing.assert_close(torch.tensor(last.mixing[: N * N]).reshape(N, N).sum(1), torch.ones(N))
    assert decode_frame(encode_frame(frames[-1])).variants["net"].mixing == pytest.approx(last.mixing, nan_ok=True)
    rows = table(experiment(net), frames).query("part == 'mixing' and step == 0")
    assert rows["mixing"].tolist()[: N * N] == pytest.approx(first.mixing[: N * N])


@EVERY
def test_a_frames_matrix_is_the_one_that_the_batch_was_mixed_by(mixing, dynamic):
    net = network(mixing, dynamic)
    model, x, recording = shaken(net), torch.randn(4, 5, 6, dtype=torch.float64), Recording()
    model(x, recording=recording)
    h, zero = recording.states[net.skips[1].source], torch.zeros(4, 5, N * WIDTH, dtype=torch.float64)
    module, matrix = model.skips["m1"].mixing, recording.matrices["m1"]
    if not dynamic:
        wanted = (matrix @ h.unflatten(-1, (N, -1))).flatten(-2)
        torch.testing.assert_close(module(zero, h), wanted)
        return
    each = torch.stack([mean_matrix(module, h[i : i + 1, j : j + 1]) for i in range(4) for j in range(5)])
    assert each.std(0).max() > 1e-6
    torch.testing.assert_close(matrix, each.mean(0))


@EVERY
def test_the_parts_at_every_state_sum_to_its_gradient(mixing, dynamic):
    model = shaken(network(mixing, dynamic))
    net, taps = model.network, Taps()
    x, truth = torch.randn(4, 5, 6, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    out, recording = record(model, x)
    found = gradients((out - truth).square().mean(), list(model.parameters()), recording)
    theirs = (outputs(model, x.requires_grad_(), taps) - truth).square().mean()
    names = [("state", k) for k in range(1, net.depth + 1)]
    wanted = dict(zip(names, torch.autograd.grad(theirs, [taps[name] for name in names]), strict=True))
    for k in range(1, net.depth + 1):
        torch.testing.assert_close(found.states[k], wanted["state", k], rtol=1e-10, atol=1e-13)
        if k < net.depth:
            parts = [found.trunks[k]] + [found.skips[i] for i, skip in enumerate(net.skips) if skip.source == k]
            assert (sum(parts) - found.states[k]).abs().max() <= 1e-12 * found.states[k].abs().max()
