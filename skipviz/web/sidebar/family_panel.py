"""The sidebar's part that rebuilds the network: a family and its settings, in Streamlit's own widgets."""

from __future__ import annotations

from functools import cache

import streamlit as st

from ...network.base import NetworkError
from ...network.remembered import remembered
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.forms import FORMS, architecture
from ...tasks.forms.family_detection import TITLES, Recognised, recognised
from ...tasks.forms.form import Setting
from ...tasks.forms.form_values import FormValues, fits, followed_words, size_words
from ...tasks.forms.output_size import output_words
from ...tasks.task import Task
from ..session_state.editor import Editor
from ..session_state.larger_images_fix import larger_images
from ..session_state.session import SessionState, accept, leave
from .field import field_of
from .number_field import number_field

OWN = "own"
"""What the family's widget shows for a network of no family."""


def draw_family(state: SessionState, editor: Editor) -> None:
    """Draw family and settings; a change edits the editor's experiment."""
    found = known(editor)
    letter = editor.letter
    heading = f"Network {letter}" if letter else "Network"
    st.markdown(f'<div class="sv-size"><b>{heading}</b><span>rebuilds</span></div>', unsafe_allow_html=True)
    names = [*TITLES, *([] if found.family else [OWN])]
    st.selectbox(
        "Family", names, label_visibility="collapsed", format_func=lambda name: TITLES.get(name, "Your own"),
        **field_of("set_family", found.family or OWN, lambda family: _choose(state, editor, family), names),
    )  # fmt: skip
    if found.form:
        _settings(state, editor, found.form)
    else:
        _by_hand(state, editor, found)
    if words := output_words(editor.network):
        st.caption(words)


def known(editor: Editor) -> Recognised:
    """Return what the editor's network is."""
    return _known(editor.alone)


_known = remembered(recognised)


def with_task(editor: Editor, task: Task) -> Experiment:
    """Return the editor's experiment on another task, its network rebuilt or fitted; raises `NetworkError`."""
    return architecture.with_task(editor.experiment, known(editor), task, variant=editor.variant)


def follow_task(state: SessionState, editor: Editor, task: Task) -> None:
    """Put the editor's experiment on another task, or say why not; a sentence tells which family or settings had to follow it."""
    before, layers = known(editor), editor.network.layers
    if not take(state, editor, lambda: with_task(editor, task)):
        return
    after = known(editor)
    if after.family != before.family and editor.network.layers != layers:
        title = TITLES.get(before.family, "Your own network")
        state.message = (f"{title} does not fit {task.kind.title.lower()}.", f"The family is now {TITLES[after.family]}.")
    elif after.form and before.form and (words := followed_words(before.form, after.form)):
        state.message = (f"{TITLES[after.family]} follows the task.", words)


def with_own(editor: Editor, task: Task) -> Experiment:
    """Return the editor's experiment on data of one's own; raises `NetworkError`."""
    return architecture.with_own(editor.experiment, known(editor), task, variant=editor.variant)


@cache
def preset_experiment(name: str) -> Experiment:
    """Return a preset's experiment, built once."""
    return presets.get(name)


def _choose(state: SessionState, editor: Editor, family: str) -> None:
    """Change the family; a task that it does not fit gives way to its own, and a sentence says so."""
    if family == OWN:
        return
    task = editor.experiment.task
    possible = [name for name in FORMS if fits(name, task)]
    if task.own and family not in possible:
        *others, last = (TITLES[name] for name in possible)
        names = f"{', '.join(others)} or {last}" if others else last
        state.message = ("Not done.", f"{TITLES[family]} does not fit {task.own.file}: choose {names}.")
        return
    fitting = task if family in possible else Task(name=FORMS[family].tasks[0])
    take(state, editor, lambda: _with_family(editor, family, fitting))
    if fitting.name != task.name and state.message is None:
        state.message = (
            f"{TITLES[family]} does not fit {task.kind.title.lower()}.",
            f"The task is now {fitting.kind.title.lower()}.",
        )


def _with_family(editor: Editor, family: str, task: Task) -> Experiment:
    return architecture.with_family(editor.experiment, known(editor), family, task, variant=editor.variant)


def _afresh(editor: Editor, near: FormValues) -> Experiment:
    return architecture.afresh(editor.experiment, near, variant=editor.variant)


def _settings(state: SessionState, editor: Editor, form: FormValues) -> None:
    """Draw a family's settings, two a line."""
    values = form.settings()
    columns = st.columns(2, gap="small")
    for place, setting in enumerate(one for one in FORMS[form.family].settings if one.label):
        name = f"form_{form.family}_{setting.name}"
        _widget(state, columns[place % 2], setting, values, name, _reshaping(state, editor, form.family, setting))
    if FORMS[form.family].published:
        st.caption(size_words(form, editor.network))


def _reshaping(state: SessionState, editor: Editor, family: str, setting: Setting):
    """Return what takes a value of one setting, if the network is still one of the family for which it was drawn."""

    def put(value) -> None:
        form = known(editor).form
        if form and form.family == family:
            _reshape(state, editor, form, setting, value)

    return put


def _reshape(state: SessionState, editor: Editor, form: FormValues, setting: Setting, value) -> None:
    changed, task = form.changed(**{setting.name: value}), editor.experiment.task

    def made(task: Task = task) -> Experiment:
        experiment = architecture.with_values(editor.experiment, changed, task, keep=True, variant=editor.variant)
        if setting.name == "every" and editor.network.skips and not experiment.variants[editor.variant].skips:
            raise NetworkError(f"a skip over {value} layers does not fit into these {editor.network.depth}: choose fewer")
        return experiment

    if not take(state, editor, made):
        state.suggested_fix = larger_images(editor.experiment, made) or state.suggested_fix


def _widget(state: SessionState, column, setting: Setting, values: dict, name: str, put) -> None:
    value, choices = values[setting.name], setting.choices(values)
    shared = {"help": setting.help, "disabled": bool(setting.idle and setting.idle(values))}
    if choices:
        column.selectbox(setting.label, choices, format_func=setting.shown, **field_of(name, value, put, choices), **shared)
    elif setting.slider:
        column.slider(setting.label, setting.low, max(setting.slider, value), **field_of(name, value, put), **shared)
    else:
        limits = min(setting.low, value), max(setting.high, value)
        whole = isinstance(setting.default, int)
        number_field(state, column, setting.label, value, limits, put, name=name, whole=whole, **shared)


def _by_hand(state: SessionState, editor: Editor, found: Recognised) -> None:
    """Say why there is no form, and offer the family that is nearest."""
    st.caption(found.sentence())
    if found.near:
        st.button(
            f"Start {TITLES[found.near.family]} afresh", key="afresh",
            on_click=lambda: take(state, editor, lambda: _afresh(editor, found.near)),
            help="As its settings give it; undo brings this network back",
        )  # fmt: skip
    else:
        st.caption("Edit it in the diagram, or choose a family here to start one afresh.")


def take(state: SessionState, editor: Editor, make, structural: bool = True) -> bool:
    """Take the experiment that `make()` gives, or say in a sentence why not; return whether it was taken."""
    try:
        experiment = make()
    except NetworkError as error:
        text = str(error)
        state.message = ("Not done.", f"{text[:1].upper()}{text[1:]}.")
        return False
    if structural:
        editor.unfolded, editor.folded = None, True
    if experiment != editor.experiment:
        accept(state, editor, experiment)
        return True
    if _known(experiment.alone(editor.variant)) != known(editor):
        editor.show(experiment, editor.run)  # its form shows another value, of what leaves the network as it is
    leave(editor)
    return True
