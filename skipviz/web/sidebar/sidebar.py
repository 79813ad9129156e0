"""The lab's sidebar: what rebuilds the network, the task and the training, in Streamlit's own widgets."""

from __future__ import annotations

from html import escape

import streamlit as st

from ...engine import get_engine
from ...tasks import presets
from ...tasks.dataset.sequences import RULE_WORDS
from ...tasks.experiment import OPTIMIZERS, Experiment
from ...tasks.task import KINDS, Task
from ...tasks.training_words import training_words
from ...tasks.variants import preset_network
from ..session_state.editor import Editor
from ..session_state.larger_images_fix import SIZES
from ..session_state.session import SessionState
from ..session_state.suggested_fix import back_to_own
from ..session_state.view import hides
from ..session_state.watching import is_watching
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
    "rule": lambda place, task, of: place.selectbox("Rule", list(RULES), format_func=RULES.get, **of("rule", task.rule, RULES)),
    "vocabulary": lambda place, task, of: place.slider(
        "Tokens", 2, 100, **of("vocabulary", task.vocabulary), help="How many different ones"
    ),
    "length": lambda place, task, of: place.slider(
        "Length", 2, 128, **of("length", task.tokens()), help="Tokens that are read at once"
    ),
}
"""How the fields of a task are drawn."""


def draw(state: SessionState, editor: Editor) -> None:
    """Draw the sidebar; a change edits the editor's experiment before the page is drawn."""
    if hides("setup"):
        return
    with st.sidebar:
        if is_watching(state, editor):
            _watched(state, editor)
            return
        if editor.experiment.task.watched:
            _opened(state, editor)
            return
        _start_from(state, editor)
        draw_family(state, editor)
        _task(state, editor)
        training_panel.draw_training(state, editor)
        st.markdown(
            f'<div class="sv-size"><b>Size</b><span>{editor.network.parameter_count():,} parameters</span></div>',
            unsafe_allow_html=True,
        )


def _watched(state: SessionState, editor: Editor) -> None:
    """Say in words what is watched, whose settings only its owner changes."""
    st.markdown('<div class="sv-size"><b>Watching</b></div>', unsafe_allow_html=True)
    task, training = editor.experiment.task, editor.experiment.training
    if task.watched:
        run = get_engine().run(editor.run) if editor.run else None
        _own_module(editor, run.title if run is not None else task.kind.title)
        return
    st.caption(
        f"{editor.network.depth} layers, {editor.network.parameter_count():,} parameters. {task.kind.title}: {task.sentence()}."
    )
    st.caption(
        f"{OPTIMIZERS[training.optimizer]}, batches of {training.batch_size}, learning rate {training.learning_rate:.4g}, "
        + "".join(f"{words}, " for words in training_words(training))
        + f"{training.steps:,} steps, seed {training.seed}."
    )
    st.caption("Make it mine, and network, task and training can be changed here.")


def _own_module(editor: Editor, title: str) -> None:
    """Say in words what a script watches: the script alone knows data, loss and updates."""
    network = editor.network
    skips = len(network.skips)
    st.markdown(f'<div class="sv-size"><b>{escape(title)}</b></div>', unsafe_allow_html=True)
    st.caption(
        f"A torch module of {network.depth} layers, {skips} skip{'' if skips == 1 else 's'}, "
        f"{network.parameter_count():,} parameters."
    )
    if editor.experiment.scripted:
        st.caption("Its script decides on data, loss and updates, and trains it. Here it is shown as it was recorded.")
    else:
        st.caption("Its own file decides on data and loss. Who opened the lab on it trains it.")


def _opened(state: SessionState, editor: Editor) -> None:
    """Draw what can be set of a module that the lab was opened on: how it is trained."""
    network, own = editor.network, get_engine().own
    st.markdown(f'<div class="sv-size"><b>{escape(own.title)}</b></div>', unsafe_allow_html=True)
    skips = len(network.skips)
    st.caption(
        f"A torch module of your own: {network.depth} layers, {skips} skip{'' if skips == 1 else 's'}, "
        f"{network.parameter_count():,} parameters. It is made anew by its file for each run."
    )
    st.caption(own.words())
    training_panel.draw_training(state, editor)


def _start_from(state: SessionState, editor: Editor) -> None:
    titles = {name: presets.preset(name).title for name in presets.names()}
    current = preset_of(editor.alone) or "yours"

    def chosen(name: str) -> None:
        if name != "yours" and editor.letter:
            take(state, editor, lambda: _with_preset_network(editor, name))
        elif name != "yours":
            task = editor.experiment.task
            take(state, editor, lambda: preset_experiment(name))
            state.wants, state.suggested_fix = None, back_to_own(task, editor.experiment)

    names = [*titles, *(["yours"] if current == "yours" else [])]
    label = f"Network {editor.letter} from" if editor.letter else "Start from"
    st.selectbox(
        label, names, format_func=lambda name: titles.get(name, "Your network"), **field_of("preset", current, chosen, names),
    )  # fmt: skip


def _with_preset_network(editor: Editor, name: str) -> Experiment:
    """Return the experiment with a preset's network in place of the one that is looked at; the others stay."""
    return editor.experiment.with_network(preset_network(editor.experiment, name), editor.variant)


def _task(state: SessionState, editor: Editor) -> None:
    task = editor.experiment.task

    def choose(name: str) -> None:
        state.wants = None
        now = editor.experiment.task
        if name in own_panel.TITLES:
            own_panel.choose_own(state, editor, name)
        elif name != now.name:
            follow_task(state, editor, Task(name=name, seed=now.seed))

    def setting(field: str, value, among=None) -> dict:
        def change(chosen) -> None:
            now = editor.experiment.task
            if now.name == task.name:
                _change(state, editor, now.replaced(**{field: chosen}))

        return field_of(f"task_{field}", value, change, among)

    name = state.wants or task.name
    st.markdown('<div class="sv-size"><b>Task</b></div>', unsafe_allow_html=True)
    st.selectbox(
        "Task", TASKS, format_func=TASKS.get, label_visibility="collapsed", **field_of("task_name", name, choose, TASKS),
    )  # fmt: skip
    if name in own_panel.TITLES:
        own_panel.draw_own(state, editor, name)
        return
    sentence = task.sentence()
    st.caption(f"{sentence[:1].upper()}{sentence[1:]}, {task.sample_count():,} samples, a fifth held out")
    left, right = st.columns(2, gap="small")
    for index, field in enumerate(task.kind.settings):
        FIELDS[field]((left, right)[index % 2], task, setting)


def _change(state: SessionState, editor: Editor, task: Task) -> None:
    """Take the task with one of its settings changed; a published architecture is built anew for it."""
    if known(editor).form:
        follow_task(state, editor, task)
    else:
        take(state, editor, lambda: _resized(editor, task))


def _resized(editor: Editor, task: Task):
    """Return the experiment on `task`, its networks' inputs following the images' size or the tokens."""
    return editor.experiment.on(task)
