"""The lab's sidebar: what rebuilds the network, the task and the training, in Streamlit's own widgets."""

from __future__ import annotations

import streamlit as st

from ..network.base import NetworkError
from ..tasks import presets
from ..tasks.task import KINDS, Task
from .session import Desk, accept, leave
from .setup import FAMILIES, PATTERNS, rebuilt, setup_of
from .workbench import Workbench, events_between

ACTIVATIONS = {"none": "none", "relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "tanh": "tanh", "sigmoid": "sigmoid"}
NORMS = {"none": "none", "batch": "batch", "layer": "layer", "group": "group"}
ORDERS = {"op-norm-act": "op first", "norm-act-op": "norm first"}
INITS = {
    "torch": "torch",
    "he": "He",
    "glorot": "Glorot",
    "normal": "N(0, 1/n)",
    "orthogonal": "orthogonal",
    "zero": "zero",
}
OPTIMIZERS = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam", "adamw": "AdamW"}
DEVICES = {"auto": "auto", "cpu": "CPU", "cuda": "CUDA"}


def draw(desk: Desk, bench: Workbench) -> None:
    """Draw the sidebar; a change edits the bench's experiment before the page is drawn."""
    with st.sidebar:
        _start_from(desk, bench)
        _network(desk, bench)
        _task(desk, bench)
        _training(desk, bench)
        st.markdown(
            f'<div class="sv-size"><b>Size</b><span>{bench.network.parameter_count():,} parameters</span></div>',
            unsafe_allow_html=True,
        )


def _start_from(desk: Desk, bench: Workbench) -> None:
    titles = {name: presets.preset(name).title for name in presets.names()}
    current = next((name for name in titles if presets.get(name) == bench.experiment), "yours")

    def chosen() -> None:
        name = st.session_state.preset
        if name != "yours":
            _accept(desk, bench, lambda: presets.get(name), structural=True)

    _show("preset", current)
    names = [*titles, *(["yours"] if current == "yours" else [])]
    st.selectbox("Start from", names, key="preset", on_change=chosen, format_func=lambda name: titles.get(name, "Your network"))


def _network(desk: Desk, bench: Workbench) -> None:
    setup = setup_of(bench.network)
    shapes = len(bench.experiment.task.sample_shape()) == 3

    def change(field: str, value) -> None:
        extra = {"every": 2 if value == "residual" else 6 if value == "dense" else 1} if field == "pattern" else {}
        extra |= {"merge": "add" if value == "residual" else "concat"} if field == "pattern" else {}
        _accept(desk, bench, lambda: rebuilt(bench.experiment, setup.replaced(**{field: value}, **extra)), structural=True)

    def changed(field: str):
        return lambda: change(field, st.session_state[f"set_{field}"])

    for field, value in setup.model_dump().items():
        _show(f"set_{field}", value)
    st.markdown('<div class="sv-size"><b>Network</b><span>rebuilds</span></div>', unsafe_allow_html=True)
    family = st.segmented_control(
        "Family", list(FAMILIES), key="set_family", format_func=FAMILIES.get, width="stretch", label_visibility="collapsed",
        disabled=not shapes or bench.experiment.task.name == "shapes", required=True, on_change=changed("family"),
        help="Points have no neighbours to convolve; shapes need a convolution.",
    )  # fmt: skip
    del family
    left, right = st.columns(2, gap="small")
    left.slider("Depth", 1, 300, key="set_depth", on_change=changed("depth"))
    right.slider("Width", 1, 512, key="set_width", on_change=changed("width"))
    left.selectbox(
        "Activation", list(ACTIVATIONS), key="set_activation", format_func=ACTIVATIONS.get, on_change=changed("activation")
    )
    right.selectbox("Norm", list(NORMS), key="set_norm", format_func=NORMS.get, on_change=changed("norm"))
    left.selectbox("Order", list(ORDERS), key="set_order", format_func=ORDERS.get, on_change=changed("order"))
    right.selectbox("Init", list(INITS), key="set_init", format_func=INITS.get, on_change=changed("init"))
    patterns = [name for name in PATTERNS if name != "custom" or setup.pattern == "custom"]
    left.selectbox("Skips", patterns, key="set_pattern", on_change=changed("pattern"))
    right.number_input(
        "Every", 1, 300, key="set_every", on_change=changed("every"), disabled=setup.pattern in ("none", "custom"),
        help="Layers a residual skip passes, spacing of nested skips, or a dense block's length.",
    )  # fmt: skip


def _task(desk: Desk, bench: Workbench) -> None:
    task = bench.experiment.task

    def change(**fields) -> None:
        renamed = "name" in fields and fields["name"] != task.name
        new = Task(name=fields["name"], seed=task.seed) if renamed else task.replaced(**fields)
        if renamed:
            _accept(desk, bench, lambda: rebuilt(bench.experiment, setup_of(bench.network), new), structural=True)
        else:
            _accept(desk, bench, lambda: _resized(bench, new), structural=True)

    _show("task_name", task.name)
    _show("task_noise", float(task.noise_level()))
    _show("task_samples", task.sample_count())
    _show("task_image_size", task.image_size)
    st.markdown('<div class="sv-size"><b>Task</b></div>', unsafe_allow_html=True)
    st.selectbox(
        "Task", list(KINDS), key="task_name", format_func=lambda name: KINDS[name].title, label_visibility="collapsed",
        on_change=lambda: change(name=st.session_state.task_name),
    )  # fmt: skip
    st.caption(f"{task.kind.sentence[:1].upper()}{task.kind.sentence[1:]}, {task.sample_count():,} samples, a fifth held out")
    left, right = st.columns(2, gap="small")
    if task.name != "digits":
        left.slider("Noise", 0.0, 1.0, step=0.01, key="task_noise", on_change=lambda: change(noise=st.session_state.task_noise))
    if task.name == "shapes":
        right.select_slider(
            "Image", [16, 24, 32, 48, 64, 96, 128, 192, 256], key="task_image_size",
            on_change=lambda: change(image_size=st.session_state.task_image_size),
        )  # fmt: skip
        _show("task_overlap", task.overlap)
        left.toggle("Overlap", key="task_overlap", on_change=lambda: change(overlap=st.session_state.task_overlap))
    else:
        most = task.most_samples()
        right.slider("Size", 40, most, key="task_samples", on_change=lambda: change(samples=st.session_state.task_samples))


def _training(desk: Desk, bench: Workbench) -> None:
    training = bench.experiment.training

    def changed(field: str):
        return lambda: _accept(
            desk, bench,
            lambda: bench.experiment.replaced(training=training.replaced(**{field: st.session_state[f"train_{field}"]})),
        )  # fmt: skip

    for field in ("optimizer", "batch_size", "steps", "seed", "weight_decay", "device"):
        _show(f"train_{field}", getattr(training, field))
    st.markdown('<div class="sv-size"><b>Training</b></div>', unsafe_allow_html=True)
    left, right = st.columns(2, gap="small")
    left.selectbox("Optimizer", list(OPTIMIZERS), key="train_optimizer", format_func=OPTIMIZERS.get, on_change=changed("optimizer"))
    right.number_input("Batch size", 1, 4096, key="train_batch_size", on_change=changed("batch_size"))
    left.number_input("Steps", 1, 1_000_000, key="train_steps", on_change=changed("steps"))
    right.number_input("Seed", 0, 2**31 - 1, key="train_seed", on_change=changed("seed"))
    left.number_input(
        "Weight decay", 0.0, 1.0, step=0.0001, format="%.4g", key="train_weight_decay", on_change=changed("weight_decay")
    )
    right.selectbox("Device", list(DEVICES), key="train_device", format_func=DEVICES.get, on_change=changed("device"))


def _resized(bench: Workbench, task: Task):
    """Return the experiment on `task`, its network's input following the images' size."""
    network = bench.network
    if task.mismatch(network):
        network = network.replaced(input=task.input_for(images=len(network.input) == 3))
    name = next(iter(bench.experiment.variants))
    return bench.experiment.replaced(variants={name: network}, task=task)


def _accept(desk: Desk, bench: Workbench, make, structural: bool = False) -> None:
    """Take the experiment that `make()` gives, or say in a sentence why not."""
    try:
        experiment = make()
    except NetworkError as error:
        text = str(error)
        desk.message = ("Not done.", f"{text[:1].upper()}{text[1:]}.")
        return
    if structural:
        bench.unfolded, bench.folded = frozenset(), True
    if experiment == bench.experiment:
        leave(bench)
        return
    accept(bench, experiment, events_between(bench.experiment, experiment))


def _show(key: str, value) -> None:
    """Make the widget `key` show `value`, which is what the experiment says."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value
