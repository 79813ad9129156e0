"""The sidebar's part that rebuilds the network: a family and its settings, in Streamlit's own widgets."""

from __future__ import annotations

from functools import cache

import streamlit as st

from ..network.base import NetworkError, elements
from ..network.network import Network
from ..tasks import presets
from ..tasks.experiment import Experiment, Training
from ..tasks.task import Task
from .recipe import FORMS, Recipe, Setting, built, first_recipe, fits, preset_recipes, published_words, structure
from .session import Desk, accept, leave
from .setup import FAMILIES, PATTERNS, Setup, rebuilt, setup_of
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
TITLES = {**FAMILIES, **{name: form.title for name, form in FORMS.items()}}
OWN = "own"
"""What the family's widget shows for a network of no family."""
SMALL_PICTURE, LARGE_PICTURE = 12 * 12, 32 * 32
"""Pixels up to which 24 convolutions of 16 channels are trained in reasonable time, and 8 of them."""
BATCH_PIXELS = 2**18
"""Of a batch of one's own pictures: 64 of 64×64, 4 of 256×256."""
KNOWN_RECIPES = 200
"""Recipes a session remembers, the newest ones."""


def draw_family(desk: Desk, bench: Workbench) -> None:
    """Draw family and settings; a change edits the bench's experiment."""
    recipe = recipe_of(bench.network)
    setup = setup_of(bench.network)
    st.markdown('<div class="sv-size"><b>Network</b><span>rebuilds</span></div>', unsafe_allow_html=True)
    stack = is_stack(bench.network)
    show("set_family", recipe.family if recipe else setup.family if stack else OWN)
    st.selectbox(
        "Family", [*TITLES, *([] if recipe or stack else [OWN])], key="set_family", label_visibility="collapsed",
        format_func=lambda name: TITLES.get(name, "Your own"),
        on_change=lambda: _choose(desk, bench, st.session_state.set_family),
    )  # fmt: skip
    if recipe:
        _published(desk, bench, recipe)
    elif stack:
        _stack(desk, bench)
    else:
        st.caption("Edit this network in the diagram, or choose a family here to build a new one.")


def is_stack(network: Network) -> bool:
    """Return whether the network is a plain stack of linear layers or convolutions, which the stack's settings describe."""
    kinds = {layer.op.kind for layer in network.layers}
    return kinds == {"linear"} or kinds == {"conv"}


def recipe_of(network: Network) -> Recipe | None:
    """Return the recipe whose network has this structure, if this session knows one."""
    return _recipes().get(structure(network))


def with_task(bench: Workbench, task: Task) -> Experiment:
    """Return the bench's experiment on another task, its network rebuilt; raises `NetworkError`."""
    recipe = recipe_of(bench.network)
    if recipe and fits(recipe.family, task):
        return _with_recipe(bench, recipe, task)
    if not set(FAMILIES) & set(task.kind.families):
        return _with_recipe(bench, first_recipe(task.kind.families[0]), task)
    family = next(family for family in task.kind.families if family in FAMILIES)
    return rebuilt(
        bench.experiment,
        _stack_setup(bench.network, family) if recipe or not is_stack(bench.network) else setup_of(bench.network),
        task,
    )


def with_own(bench: Workbench, task: Task) -> Experiment:
    """Return the bench's experiment on data of one's own; the network stays where it can read it, else a usual one takes its place.

    Large pictures come in small batches.
    """
    network, usual = bench.network, task.kind.families[0]
    recipe, stack = recipe_of(network), is_stack(network)
    experiment = bench.experiment.replaced(training=_affordable(bench.experiment.training, task))
    if recipe and fits(recipe.family, task):
        return _with_recipe(bench, recipe, task).replaced(training=experiment.training)
    if not stack or bench.experiment.task.name == task.name or setup_of(network).family == usual:
        try:
            return experiment.on(task)
        except NetworkError:
            pass  # it reads something else altogether: pictures and not numbers, or tokens
    setup = _stack_setup(network, usual)
    pixels = elements(task.sample_shape()[1:])
    if usual == "conv" and pixels > SMALL_PICTURE:
        setup = setup.replaced(depth=8, width=16 if pixels <= LARGE_PICTURE else 8)
    return rebuilt(experiment, setup, task)


def _affordable(training: Training, task: Task) -> Training:
    most = max(4, BATCH_PIXELS // elements(task.sample_shape()[1:])) if task.own.is_pictures else training.batch_size
    return training.replaced(batch_size=min(training.batch_size, most))


def _stack_setup(network: Network, family: str) -> Setup:
    """Return a plain stack's settings for one who comes from a published architecture."""
    own = {"depth": 24, "width": 64 if family == "mlp" else 16, "activation": "relu", "norm": "none", "order": "op-norm-act"}
    skips = {"init": "torch", "pattern": "residual", "every": 2, "merge": "add"}
    return setup_of(network).replaced(family=family, **own, **skips)


@cache
def preset_experiment(name: str) -> Experiment:
    """Return a preset's experiment, built once."""
    return presets.get(name)


def _recipes() -> dict[int, Recipe]:
    if "recipes" not in st.session_state:
        known = {}
        for name, form in FORMS.items():
            recipe = first_recipe(name)
            known[structure(built(recipe, Task(name=form.tasks[0])))] = recipe
        for name, recipe in preset_recipes().items():
            known[structure(preset_experiment(name).network)] = recipe
        st.session_state.recipes = known
    return st.session_state.recipes


def _with_recipe(bench: Workbench, recipe: Recipe, task: Task) -> Experiment:
    """Return the experiment with the recipe's network; switches of skips that stay are kept."""
    network = built(recipe, task)
    kept = {(skip.source, skip.target): skip for skip in bench.network.skips} if recipe_of(bench.network) else {}
    skips = tuple(
        skip.model_copy(update={"on": kept[key].on, "strength": kept[key].strength})
        if (key := (skip.source, skip.target)) in kept
        else skip
        for skip in network.skips
    )
    recipes = _recipes()
    recipes[structure(network)] = recipe
    while len(recipes) > KNOWN_RECIPES:
        del recipes[next(iter(recipes))]
    name = next(iter(bench.experiment.variants))
    return bench.experiment.replaced(variants={name: network.replaced(skips=skips)}, task=task)


def _choose(desk: Desk, bench: Workbench, family: str) -> None:
    """Change the family; a task that it does not fit gives way to its own, and a sentence says so."""
    if family == OWN:
        return
    task = bench.experiment.task
    possible = [name for name in TITLES if name in task.kind.families or (name in FORMS and fits(name, task))]
    if task.own and family not in possible:
        names = " or ".join(TITLES[name] for name in possible)
        desk.message = ("Not done.", f"{TITLES[family]} does not fit {task.own.file}: choose {names}.")
        return
    if family in FORMS:
        fitting = task if fits(family, task) else Task(name=FORMS[family].tasks[0])
        take(desk, bench, lambda: _with_recipe(bench, first_recipe(family), fitting))
    else:
        fitting = task if family in task.kind.families else Task(name="digits")
        published = recipe_of(bench.network) is not None or not is_stack(bench.network)
        setup = _stack_setup(bench.network, family) if published else setup_of(bench.network).replaced(family=family)
        take(desk, bench, lambda: rebuilt(bench.experiment, setup, fitting))
    if fitting.name != task.name and desk.message is None:
        desk.message = (
            f"{TITLES[family]} does not fit {task.kind.title.lower()}.",
            f"The task is now {fitting.kind.title.lower()}.",
        )


def _published(desk: Desk, bench: Workbench, recipe: Recipe) -> None:
    """Draw a published architecture's settings, two a line."""
    values = recipe.settings()
    columns = st.columns(2, gap="small")
    for place, setting in enumerate(FORMS[recipe.family].settings):
        key = f"form_{recipe.family}_{setting.name}"
        show(key, values[setting.name])
        _widget(columns[place % 2], setting, key, lambda s=setting, k=key: _reshape(desk, bench, recipe, s, k))

    words = published_words(recipe)
    if words:
        size = "×".join(str(side) for side in bench.network.input)
        st.caption(f"Drawn here for {size} inputs: {bench.network.parameter_count():,} parameters. {words}.")


def _reshape(desk: Desk, bench: Workbench, recipe: Recipe, setting: Setting, key: str) -> None:
    changed = recipe.changed(**{setting.name: st.session_state[key]})
    take(desk, bench, lambda: _with_recipe(bench, changed, bench.experiment.task))


def _widget(column, setting: Setting, key: str, on_change) -> None:
    if setting.options:
        column.selectbox(setting.label, setting.options, key=key, on_change=on_change, help=setting.help)
    else:
        column.number_input(setting.label, setting.low, setting.high, key=key, on_change=on_change, help=setting.help)


def _stack(desk: Desk, bench: Workbench) -> None:
    """Draw the settings of a plain stack, read off the network."""
    setup = setup_of(bench.network)

    def change(field: str, value) -> None:
        extra = {"every": 2 if value == "residual" else 6 if value == "dense" else 1} if field == "pattern" else {}
        extra |= {"merge": "add" if value == "residual" else "concat"} if field == "pattern" else {}
        take(desk, bench, lambda: rebuilt(bench.experiment, setup.replaced(**{field: value}, **extra)))

    def changed(field: str):
        return lambda: change(field, st.session_state[f"set_{field}"])

    for field, value in setup.model_dump().items():
        if field != "family":
            show(f"set_{field}", value)
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


def take(desk: Desk, bench: Workbench, make, structural: bool = True) -> None:
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


def show(key: str, value) -> None:
    """Make the widget `key` show `value`, which is what the experiment says."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value
