"""The lab's sidebar: what rebuilds the network, the task and the training, in Streamlit's own widgets."""

from __future__ import annotations

import streamlit as st

from ...tasks import presets
from ...tasks.dataset.sequences import RULE_WORDS
from ...tasks.experiment import OPTIMIZERS
from ...tasks.task import KINDS, Task
from ...tasks.training_words import training_words
from ..desk.image_mend import SIZES
from ..desk.mend import back_to_own
from ..desk.session import Desk
from ..desk.view import hides
from ..desk.watching import is_watching
from ..desk.workbench import Workbench
from . import own_panel, training_panel
from .family_panel import draw_family, follow_task, known, preset_experiment, take
from .field import field_of
from .hint import preset_of

TASKS = {**{name: kind.title for name, kind in KINDS.items()}, **own_panel.TITLES}
RULES = {name: words for name, (words, _) in RULE_WORDS.items()}
FIELDS = {
    "noise": lambda place, task, of: place.slider("Noise", 0.0, 1.0, step=0.01, **of("noise", float(task.noise_level()))),
    "samples": lambda place, task, of: place.slider("Size", 40, task.most_samples(), **of("samples", task.sample_count())),
    "image_size": lambda place, task, of: place.select_slider(
        "Image", sorted({*SIZES, task.image_size}), **of("image_size", task.image_size)
    ),
    "overlap": lambda place, task, of: place.toggle("Overlap", **of("overlap", task.overlap)),
    "rule": lambda place, task, of: place.selectbox("Rule", list(RULES), format_func=RULES.get, **of("rule", task.rule)),
    "vocabulary": lambda place, task, of: place.slider(
        "Tokens", 2, 100, **of("vocabulary", task.vocabulary), help="How many different ones"
    ),
    "length": lambda place, task, of: place.slider(
        "Length", 2, 128, **of("length", task.tokens()), help="Tokens that are read at once"
    ),
}
"""How the fields of a task are drawn."""


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
        training_panel.draw_training(desk, bench)
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
        + "".join(f"{words}, " for words in training_words(training))
        + f"{training.steps:,} steps, seed {training.seed}."
    )
    st.caption("Make it mine, and network, task and training can be changed here.")


def _start_from(desk: Desk, bench: Workbench) -> None:
    titles = {name: presets.preset(name).title for name in presets.names()}
    current = preset_of(bench.experiment) or "yours"

    def chosen(name: str) -> None:
        if name != "yours":
            task = bench.experiment.task
            take(desk, bench, lambda: preset_experiment(name))
            desk.wants, desk.mend = None, back_to_own(task, bench.experiment)

    names = [*titles, *(["yours"] if current == "yours" else [])]
    st.selectbox(
        "Start from", names, format_func=lambda name: titles.get(name, "Your network"), **field_of("preset", current, chosen),
    )  # fmt: skip


def _task(desk: Desk, bench: Workbench) -> None:
    task = bench.experiment.task

    def choose(name: str) -> None:
        desk.wants = None
        now = bench.experiment.task
        if name in own_panel.TITLES:
            own_panel.choose_own(desk, bench, name)
        elif name != now.name:
            follow_task(desk, bench, Task(name=name, seed=now.seed))

    def setting(field: str, value) -> dict:
        def change(chosen) -> None:
            now = bench.experiment.task
            if now.name == task.name:
                _change(desk, bench, now.replaced(**{field: chosen}))

        return field_of(f"task_{field}", value, change)

    name = desk.wants or task.name
    st.markdown('<div class="sv-size"><b>Task</b></div>', unsafe_allow_html=True)
    st.selectbox(
        "Task", TASKS, format_func=TASKS.get, label_visibility="collapsed", **field_of("task_name", name, choose),
    )  # fmt: skip
    if name in own_panel.TITLES:
        own_panel.draw_own(desk, bench, name)
        return
    sentence = task.sentence()
    st.caption(f"{sentence[:1].upper()}{sentence[1:]}, {task.sample_count():,} samples, a fifth held out")
    left, right = st.columns(2, gap="small")
    for index, field in enumerate(task.kind.settings):
        FIELDS[field]((left, right)[index % 2], task, setting)


def _change(desk: Desk, bench: Workbench, task: Task) -> None:
    """Take the task with one of its settings changed; a published architecture is built anew for it."""
    if known(bench).recipe:
        follow_task(desk, bench, task)
    else:
        take(desk, bench, lambda: _resized(bench, task))


def _resized(bench: Workbench, task: Task):
    """Return the experiment on `task`, its networks' inputs following the images' size or the tokens."""
    return bench.experiment.on(task)
