"""The lab's sidebar: what rebuilds the network, the task and the training, in Streamlit's own widgets."""

from __future__ import annotations

import streamlit as st

from ...tasks import presets
from ...tasks.task import KINDS, Task
from ..desk.image_mend import SIZES
from ..desk.mend import back_to_own
from ..desk.session import Desk
from ..desk.view import hides
from ..desk.watching import is_watching
from ..desk.workbench import Workbench
from . import own_panel
from .family_panel import draw_family, follow_task, known, preset_experiment, show, take
from .hint import preset_of
from .number_field import number_field

OPTIMIZERS = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam", "adamw": "AdamW"}
TASKS = {**{name: kind.title for name, kind in KINDS.items()}, **own_panel.TITLES}
RULES = {"copy": "copy", "reverse": "reverse", "sort": "sort", "add": "add, modular"}
DEVICES = {"auto": "auto", "cpu": "CPU", "cuda": "CUDA"}


def draw(desk: Desk, bench: Workbench) -> None:
    """Draw the sidebar; a change edits the bench's experiment before the page is drawn."""
    if hides("setup"):
        return
    with st.sidebar:
        if is_watching(desk, bench):
            _watched(desk, bench)
            return
        _start_from(desk, bench)
        draw_family(desk, bench)
        _task(desk, bench)
        _training(desk, bench)
        st.markdown(
            f'<div class="sv-size"><b>Size</b><span>{bench.network.parameter_count():,} parameters</span></div>',
            unsafe_allow_html=True,
        )


def _watched(desk: Desk, bench: Workbench) -> None:
    """Say in words what is watched, whose settings only its owner changes."""
    st.markdown('<div class="sv-size"><b>Watching</b></div>', unsafe_allow_html=True)
    task, training = bench.experiment.task, bench.experiment.training
    st.caption(
        f"{bench.network.depth} layers, {bench.network.parameter_count():,} parameters. {task.kind.title}: {task.sentence()}."
    )
    st.caption(
        f"{OPTIMIZERS[training.optimizer]}, batches of {training.batch_size}, learning rate {training.learning_rate:.4g}, "
        f"{training.steps:,} steps, seed {training.seed}."
    )
    st.caption("Make it mine, and network, task and training can be changed here.")


def _start_from(desk: Desk, bench: Workbench) -> None:
    titles = {name: presets.preset(name).title for name in presets.names()}
    current = preset_of(bench.experiment) or "yours"

    def chosen() -> None:
        name = st.session_state.preset
        if name != "yours":
            task = bench.experiment.task
            take(desk, bench, lambda: preset_experiment(name))
            desk.wants, desk.mend = None, back_to_own(task, bench.experiment)

    show("preset", current)
    names = [*titles, *(["yours"] if current == "yours" else [])]
    st.selectbox("Start from", names, key="preset", on_change=chosen, format_func=lambda name: titles.get(name, "Your network"))


def _task(desk: Desk, bench: Workbench) -> None:
    task = bench.experiment.task

    def change(**fields) -> None:
        desk.wants = None
        if fields.get("name") in own_panel.TITLES:
            own_panel.choose_own(desk, bench, fields["name"])
            return
        renamed = "name" in fields and fields["name"] != task.name
        new = Task(name=fields["name"], seed=task.seed) if renamed else task.replaced(**fields)
        if renamed or known(bench).recipe:
            follow_task(desk, bench, new)
        else:
            take(desk, bench, lambda: _resized(bench, new))

    name = desk.wants or task.name
    show("task_name", name)
    show("task_noise", float(task.noise_level()))
    show("task_samples", task.sample_count())
    show("task_image_size", task.image_size)
    st.markdown('<div class="sv-size"><b>Task</b></div>', unsafe_allow_html=True)
    st.selectbox(
        "Task", TASKS, key="task_name", format_func=TASKS.get, label_visibility="collapsed",
        on_change=lambda: change(name=st.session_state.task_name),
    )  # fmt: skip
    if name in own_panel.TITLES:
        own_panel.draw_own(desk, bench, name)
        return
    sentence = task.sentence()
    st.caption(f"{sentence[:1].upper()}{sentence[1:]}, {task.sample_count():,} samples, a fifth held out")
    left, right = st.columns(2, gap="small")
    if task.gives_tokens:
        _tokens(task, left, right, change)
        return
    if task.name != "digits":
        left.slider("Noise", 0.0, 1.0, step=0.01, key="task_noise", on_change=lambda: change(noise=st.session_state.task_noise))
    if task.finds_masks:
        right.select_slider(
            "Image", sorted({*SIZES, task.image_size}), key="task_image_size",
            on_change=lambda: change(image_size=st.session_state.task_image_size),
        )  # fmt: skip
    else:
        most = task.most_samples()
        place = left if task.name == "digits" else right
        place.slider("Size", 40, most, key="task_samples", on_change=lambda: change(samples=st.session_state.task_samples))
    if task.name == "shapes":
        show("task_overlap", task.overlap)
        left.toggle("Overlap", key="task_overlap", on_change=lambda: change(overlap=st.session_state.task_overlap))


def _tokens(task: Task, left, right, change) -> None:
    """Draw the controls of a task of tokens."""

    def changed(field: str):
        return lambda: change(**{field: st.session_state[f"task_{field}"]})

    if task.name == "sequences":
        show("task_rule", task.rule)
        show("task_vocabulary", task.vocabulary)
        left.selectbox("Rule", list(RULES), key="task_rule", format_func=RULES.get, on_change=changed("rule"))
        right.slider("Tokens", 2, 100, key="task_vocabulary", on_change=changed("vocabulary"), help="How many different ones")
    show("task_length", task.tokens())
    left.slider("Length", 2, 128, key="task_length", on_change=changed("length"), help="Tokens that are read at once")


def _training(desk: Desk, bench: Workbench) -> None:
    training = bench.experiment.training

    def put(field: str, value) -> None:
        take(
            desk, bench,
            lambda: bench.experiment.replaced(training=training.replaced(**{field: value})),
            structural=False,
        )  # fmt: skip

    def choice(place, label: str, field: str, words: dict) -> None:
        key = f"train_{field}"
        show(key, getattr(training, field))
        place.selectbox(label, list(words), key=key, format_func=words.get, on_change=lambda: put(field, st.session_state[key]))

    def number(place, label: str, field: str, limits: tuple[float, float], **options) -> None:
        value = getattr(training, field)
        number_field(desk, place, label, value, limits, lambda typed: put(field, typed), key=f"train_{field}", **options)

    st.markdown('<div class="sv-size"><b>Training</b></div>', unsafe_allow_html=True)
    left, right = st.columns(2, gap="small")
    choice(left, "Optimizer", "optimizer", OPTIMIZERS)
    number(right, "Batch size", "batch_size", (1, 4096))
    number(left, "Steps", "steps", (1, 1_000_000))
    number(right, "Seed", "seed", (0, 2**31 - 1))
    number(left, "Weight decay", "weight_decay", (0, 1), whole=False, step=0.0001)
    choice(right, "Device", "device", DEVICES)


def _resized(bench: Workbench, task: Task):
    """Return the experiment on `task`, its network's input following the images' size or the tokens."""
    return bench.experiment.on(task) if task.mismatch(bench.network) else bench.experiment.replaced(task=task)
