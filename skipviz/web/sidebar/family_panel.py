"""The sidebar's part that rebuilds the network: a family and its settings, in Streamlit's own widgets."""

from __future__ import annotations

from functools import cache

import streamlit as st

from ...network.base import NetworkError
from ...network.layer import MAX_INIT_FACTOR
from ...tasks import presets
from ...tasks.experiment import Experiment
from ...tasks.task import Task
from ..forms import FORMS, architecture
from ..forms.family_detection import TITLES, Recognised, recognised
from ..forms.form import ACTIVATIONS, INIT_WORDS, NORM_WORDS, SCALES, SCALES_HELP, Setting
from ..forms.output_size import output_words
from ..forms.recipe import Recipe, fits, followed_words, size_words, structure
from ..forms.setup import PATTERNS, Setup, rebuilt
from ..session_state.editor import Editor, events_between
from ..session_state.larger_images_fix import larger_images
from ..session_state.session import SessionState, accept, leave
from .field import field_of
from .number_field import number_field

ORDERS = {"op-norm-act": "op first", "norm-act-op": "norm first"}
OWN = "own"
"""What the family's widget shows for a network of no family."""
DEEP, WIDE = 300, 512
"""The most layers and features that a stack's form offers; a link may bring more."""
KNOWN_NETWORKS = 200
"""Networks whose settings a session remembers, the newest ones."""


def draw_family(state: SessionState, editor: Editor) -> None:
    """Draw family and settings; a change edits the editor's experiment."""
    found = known(editor)
    st.markdown('<div class="sv-size"><b>Network</b><span>rebuilds</span></div>', unsafe_allow_html=True)
    names = [*TITLES, *([] if found.family else [OWN])]
    st.selectbox(
        "Family", names, label_visibility="collapsed", format_func=lambda name: TITLES.get(name, "Your own"),
        **field_of("set_family", found.family or OWN, lambda family: _choose(state, editor, family), names),
    )  # fmt: skip
    if found.recipe:
        _published(state, editor, found.recipe)
    elif found.stack:
        _stack(state, editor, found.stack)
    else:
        _by_hand(state, editor, found)
    if words := output_words(editor.network):
        st.caption(words)


def known(editor: Editor) -> Recognised:
    """Return what the editor's network is; settings that were chosen count where others give the same network."""
    experiment, memory = editor.experiment, _memory()
    last, found = st.session_state.get("recognised_last", (None, None))
    if last is not experiment:
        found = memory.get((structure(experiment.network), experiment.task)) or recognised(experiment)
        _remember(experiment, found)
    return found


def _memory() -> dict[tuple[int, Task], Recognised]:
    return st.session_state.setdefault("recognised", {})


def _remember(experiment: Experiment, found: Recognised) -> None:
    memory = _memory()
    memory[structure(experiment.network), experiment.task] = found
    st.session_state.recognised_last = experiment, found
    while len(memory) > KNOWN_NETWORKS:
        del memory[next(iter(memory))]


def with_task(editor: Editor, task: Task) -> Experiment:
    """Return the editor's experiment on another task, its network rebuilt or fitted; raises `NetworkError`."""
    return architecture.with_task(editor.experiment, known(editor), task)


def follow_task(state: SessionState, editor: Editor, task: Task) -> None:
    """Put the editor's experiment on another task, or say why not; a sentence tells which family or settings had to follow it."""
    before, layers, old = known(editor), editor.network.layers, editor.experiment.task
    if not take(state, editor, lambda: with_task(editor, task)):
        return
    if before.recipe and fits(before.recipe.family, task):
        _remember(editor.experiment, Recognised(before.recipe.followed(old, task)))
    after = known(editor)
    if after.family != before.family and editor.network.layers != layers:
        title = TITLES.get(before.family, "Your own network")
        state.message = (f"{title} does not fit {task.kind.title.lower()}.", f"The family is now {TITLES[after.family]}.")
    elif after.recipe and before.recipe and (words := followed_words(before.recipe, after.recipe)):
        state.message = (f"{TITLES[after.family]} follows the task.", words)


def with_own(editor: Editor, task: Task) -> Experiment:
    """Return the editor's experiment on data of one's own; raises `NetworkError`."""
    return architecture.with_own(editor.experiment, known(editor), task)


@cache
def preset_experiment(name: str) -> Experiment:
    """Return a preset's experiment, built once."""
    return presets.get(name)


def _choose(state: SessionState, editor: Editor, family: str) -> None:
    """Change the family; a task that it does not fit gives way to its own, and a sentence says so."""
    if family == OWN:
        return
    task = editor.experiment.task
    possible = [name for name in TITLES if name in task.kind.families or (name in FORMS and fits(name, task))]
    if task.own and family not in possible:
        *others, last = (TITLES[name] for name in possible)
        names = f"{', '.join(others)} or {last}" if others else last
        state.message = ("Not done.", f"{TITLES[family]} does not fit {task.own.file}: choose {names}.")
        return
    fitting = task if family in possible else Task(name=FORMS[family].tasks[0] if family in FORMS else "digits")
    take(state, editor, lambda: architecture.with_family(editor.experiment, known(editor), family, fitting))
    if fitting.name != task.name and state.message is None:
        state.message = (
            f"{TITLES[family]} does not fit {task.kind.title.lower()}.",
            f"The task is now {fitting.kind.title.lower()}.",
        )


def _published(state: SessionState, editor: Editor, recipe: Recipe) -> None:
    """Draw a published architecture's settings, two a line."""
    values = recipe.settings()
    columns = st.columns(2, gap="small")
    for place, setting in enumerate(FORMS[recipe.family].settings):
        name = f"form_{recipe.family}_{setting.name}"
        _widget(state, columns[place % 2], setting, values, name, _reshaping(state, editor, recipe.family, setting))
    st.caption(size_words(recipe, editor.network))


def _reshaping(state: SessionState, editor: Editor, family: str, setting: Setting):
    """Return what takes a value of one setting, if the network is still one of the family for which it was drawn."""

    def put(value) -> None:
        recipe = known(editor).recipe
        if recipe and recipe.family == family:
            _reshape(state, editor, recipe, setting, value)

    return put


def _reshape(state: SessionState, editor: Editor, recipe: Recipe, setting: Setting, value) -> None:
    changed, task = recipe.changed(**{setting.name: value}), editor.experiment.task

    def made(task: Task = task) -> Experiment:
        return architecture.with_recipe(editor.experiment, changed, task, keep=True)

    if take(state, editor, made):
        _remember(editor.experiment, Recognised(changed))
    else:
        state.suggested_fix = larger_images(editor.experiment, made) or state.suggested_fix


def _widget(state: SessionState, column, setting: Setting, values: dict, name: str, put) -> None:
    value, choices = values[setting.name], setting.choices(values)
    shared = {"help": setting.help, "disabled": bool(setting.idle and setting.idle(values))}
    if choices:
        column.selectbox(setting.label, choices, format_func=setting.shown, **field_of(name, value, put, choices), **shared)
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
            on_click=lambda: take(state, editor, lambda: architecture.afresh(editor.experiment, found.near)),
            help="As its settings give it; undo brings this network back",
        )  # fmt: skip
    else:
        st.caption("Edit it in the diagram, or choose a family here to start one afresh.")


def _stack(state: SessionState, editor: Editor, setup: Setup) -> None:
    """Draw the settings of a plain stack."""

    def change(field: str, value) -> None:
        extra = {"every": 2 if value == "residual" else 6 if value == "dense" else 1} if field == "pattern" else {}
        extra |= {"merge": "add" if value == "residual" else "concat"} if field == "pattern" else {}
        now = known(editor).stack
        if now:
            take(state, editor, lambda: _respaced(editor, now.replaced(**{field: value}, **extra), field))

    def setting(field: str, among=None) -> dict:
        return field_of(f"set_{field}", getattr(setup, field), lambda value: change(field, value), among)

    left, right = st.columns(2, gap="small")
    left.slider("Depth", 1, max(DEEP, setup.depth), **setting("depth"))
    right.slider("Width", 1, max(WIDE, setup.width), **setting("width"))
    left.selectbox("Activation", list(ACTIVATIONS), format_func=ACTIVATIONS.get, **setting("activation", ACTIVATIONS))
    right.selectbox("Norm", list(NORM_WORDS), format_func=NORM_WORDS.get, **setting("norm", NORM_WORDS))
    left.selectbox("Order", list(ORDERS), format_func=ORDERS.get, **setting("order", ORDERS))
    right.selectbox("Init", list(INIT_WORDS), format_func=INIT_WORDS.get, **setting("init", INIT_WORDS))
    patterns = [name for name in PATTERNS if name != "custom" or setup.pattern == "custom"]
    left.selectbox(
        "Skips", patterns, **setting("pattern", patterns),
        help="Residual: adds over every few layers, a residual MLP. Nested: as U-Net. Dense: as DenseNet.",
    )  # fmt: skip
    most = max(DEEP, setup.every)
    number_field(
        state, right, "Every", setup.every, (1, most), lambda value: change("every", value), name="set_every",
        disabled=setup.pattern in ("none", "custom"),
        help="Layers a residual skip passes, spacing of nested skips, or a dense block's length.",
    )  # fmt: skip
    scales = [*SCALES, *(["custom"] if setup.scale == "custom" else [])]
    left.selectbox(
        "Branch scale", scales, format_func=lambda name: SCALES.get(name, name), **setting("scale", scales),
        help=SCALES_HELP,
    )  # fmt: skip
    number_field(
        state, right, "Init factor", setup.init_factor, (0.0001, MAX_INIT_FACTOR), lambda value: change("init_factor", value),
        name="set_init_factor", whole=False,
        help="On every layer's initial weights. N(0, 1/n) times √n is N(0, 1): 8 at width 64.",
    )  # fmt: skip


def _respaced(editor: Editor, setup: Setup, field: str) -> Experiment:
    """Return the editor's experiment rebuilt; raises `NetworkError`, also where another spacing would take every skip away."""
    experiment = rebuilt(editor.experiment, setup)
    if field == "every" and editor.network.skips and not experiment.network.skips:
        raise NetworkError(f"a skip over {setup.every} layers does not fit into these {setup.depth}: choose fewer")
    return experiment


def take(state: SessionState, editor: Editor, make, structural: bool = True) -> bool:
    """Take the experiment that `make()` gives, or say in a sentence why not; return whether it was taken."""
    try:
        experiment = make()
    except NetworkError as error:
        text = str(error)
        state.message = ("Not done.", f"{text[:1].upper()}{text[1:]}.")
        return False
    if structural:
        editor.unfolded, editor.folded = frozenset(), True
    if experiment == editor.experiment:
        leave(editor)
    else:
        accept(editor, experiment, events_between(editor.experiment, experiment))
    return True
