"""Random networks and experiments for hypothesis: every one of them is valid by construction or filtered."""

from __future__ import annotations

from typing import get_args

from hypothesis import assume
from hypothesis import strategies as st

from skipviz import Adapter, Experiment, Group, Head, Layer, Linear, Network, NetworkError, Skip, Task, Training, edit
from skipviz.network import norm
from skipviz.network.layer import Activation, Init

ACTIVATIONS = get_args(Activation)
NORMS = ("none", *(name for name, kind in norm.NORMS.items() if not kind.misfit((1,))))
INITS = get_args(Init)
IDS = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True)


@st.composite
def layers(draw) -> Layer:
    learned = draw(st.booleans())
    scale = draw(st.floats(0, 10)) if learned else draw(st.none() | st.floats(0, 10))
    return Layer(
        op=Linear(width=draw(st.sampled_from((3, 8, 64))), bias=draw(st.booleans())),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        norm=draw(st.sampled_from(NORMS)),
        order=draw(st.sampled_from(("op-norm-act", "norm-act-op"))),
        init=draw(st.sampled_from(INITS)),
        dropout=draw(st.sampled_from((0.0, 0.0, 0.5))),
        drop_path=draw(st.sampled_from((0.0, 0.0, 0.25))),
        scale=scale,
        scale_learned=learned,
        scale_per=draw(st.sampled_from(("layer", "channel"))) if learned else "layer",
        gain=draw(st.floats(0, 1)),
    )


@st.composite
def skips(draw, depth: int) -> Skip:
    target = draw(st.integers(1, depth))
    merge = draw(st.sampled_from(("add", "concat", "gate")))
    adapter = Adapter(
        channels=draw(st.sampled_from(("auto", "project"))),
        bias=draw(st.booleans()),
        norm=draw(st.sampled_from(("none", "batch"))),
        width=draw(st.none() | st.integers(1, 9)) if merge == "concat" else None,
    )
    learned = draw(st.booleans())
    return Skip(
        source=draw(st.integers(0, target - 1)),
        target=target,
        merge=merge,
        on=draw(st.booleans()),
        strength=draw(st.floats(0, 2)),
        learned=learned,
        rate=draw(st.floats(0.01, 100)) if learned else 1.0,
        softmax=learned and merge == "add" and draw(st.booleans()),
        gain=draw(st.floats(0, 1)),
        adapter=adapter,
        gate_bias=draw(st.floats(-10, 10)),
    )


@st.composite
def networks(draw, outputs: int = 2) -> Network:
    stack = tuple(draw(st.lists(layers(), min_size=1, max_size=6)))
    if draw(st.booleans()):
        names = draw(st.lists(IDS, min_size=len(stack), max_size=len(stack), unique=True))
        stack = tuple(layer.model_copy(update={"id": name}) for layer, name in zip(stack, names, strict=True))
    network = Network(input=(2,), layers=stack, head=Head(outputs=outputs))
    for skip in draw(st.lists(skips(len(stack)), max_size=5)):
        try:
            network = network.replaced(skips=(*network.skips, skip))
        except NetworkError:
            continue
    network = edit.rested(network, {layer.id for layer in network.layers if draw(st.booleans())})
    if draw(st.booleans()):
        nodes = [layer.id for layer in network.layers]
        outer, inner = sorted(draw(st.tuples(*[st.integers(1, len(nodes))] * 2)), reverse=True)
        network = network.replaced(groups=[Group(name="low", nodes=nodes[:outer]), Group(name="low/first", nodes=nodes[:inner])])
    if draw(st.booleans()):
        try:
            network = edit.repeated(network, draw(st.integers(1, 3)))
        except NetworkError:
            assume(False)
    return network


@st.composite
def experiments(draw) -> Experiment:
    variants = {name: draw(networks()) for name in draw(st.lists(IDS, min_size=1, max_size=3, unique=True))}
    training = Training(
        optimizer=draw(st.sampled_from(("sgd", "momentum", "adam", "adamw"))),
        schedule=draw(st.sampled_from(("constant", "cosine", "step", "one_cycle"))),
        warmup_steps=draw(st.sampled_from((0, 0, 7))),
        clip_norm=draw(st.none() | st.floats(1e-6, 1e6)),
        clip_value=draw(st.none() | st.floats(1e-6, 1e6)),
        accumulation=draw(st.sampled_from((1, 1, 3))),
        class_weights=draw(st.sampled_from(("none", "balanced"))),
        label_smoothing=draw(st.sampled_from((0.0, 0.1)) | st.floats(0, 0.99)),
        precision=draw(st.sampled_from(("float32", "bfloat16"))),
        learning_rate=draw(st.floats(1e-6, 10)),
        batch_size=draw(st.integers(1, 4096)),
        steps=draw(st.integers(1, 1_000_000)),
        seed=draw(st.integers(0, 2**31 - 1)),
        record_every=draw(st.none() | st.integers(1, 100)),
    )
    task = Task(
        name=draw(st.sampled_from(("spiral", "moons", "circles", "xor", "gaussians"))),
        noise=draw(st.none() | st.floats(0, 2)),
        samples=draw(st.none() | st.integers(40, 5000)),
        seed=draw(st.integers(0, 2**31 - 1)),
        image_size=4 * draw(st.integers(4, 64)),
        overlap=draw(st.booleans()),
        rule=draw(st.sampled_from(("copy", "reverse", "sort", "add"))),
        length=draw(st.none() | st.integers(2, 128)),
        vocabulary=draw(st.integers(2, 100)),
    )
    return Experiment(variants=variants, task=task, training=training)
