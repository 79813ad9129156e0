"""A network shows the settings that made it; one that does not say what made it, those that are found to give it."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skipviz.drawing import diagram
from skipviz.engine.capacity import limits
from skipviz.engine.capacity.duration import step_seconds
from skipviz.network import edit, families
from skipviz.network.base import NetworkError
from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.forms import FORMS as ALL
from skipviz.tasks.forms.architecture import afresh, with_values
from skipviz.tasks.forms.family_detection import recognised
from skipviz.tasks.forms.form_values import built, size_words, structure, usual_values, values_of
from skipviz.tasks.task import Task


def unsaid(form, task: Task) -> Experiment:
    """Return the experiment with a form's network that does not say what made it, as links made before do not."""
    return Experiment(variants={"net": built(form, task).replaced(origin=None)}, task=task)


FORMS = {family: form for family, form in ALL.items() if not form.free}
MOST_BOXES = 120
"""Of a drawn network, so that many are drawn in little time."""
NUMBERS = {
    "scales": (1, 3), "convolutions": (1, 4), "width": (1, 9), "classifier": (1, 40), "feed_forward": (1, 300), "depth": (2, 12),
    "layers": (1, 5), "growth": (1, 9), "gate_bias": (-10, 10), "group_width": (1, 5), "expansion": (1, 6), "last": (1, 40),
    "stages": (1, 3), "hidden": (1, 9), "encoder": (0, 4), "kernel": (1, 5), "cycles": (1, 2), "end_width": (1, 9),
}  # fmt: skip
"""What is drawn of settings that are numbers."""
MOST_OPTIONS = {"blocks": 4, "depth": 6}
"""The first of many options, so that networks stay small."""


def _unseen_of_residual(v: dict) -> set[str]:
    no_norm_ends_a_branch = v["version"] == "v2" or v["norm"] == "none"
    ungrouped = v["block"] == "basic" or v["groups"] == 1
    return (
        ({"shortcut"} if v["block"] == "bottleneck" else set())
        | ({"zero_gamma"} if no_norm_ends_a_branch else set())
        | ({"groups"} if v["block"] == "basic" else set())
        | ({"group_width"} if ungrouped else set())
    )


def _one_stream(v: dict) -> bool:
    encoder = v["encoder"] and (v["scale"], v["shared"], v["dropout"]) == ("none", "own", 0)
    shares = v["shared"] == "shared" and not v["dropout"]
    return v["norm"] == "post" or v["residual"] == "off" or shares or v["averaged"] == "on" or bool(encoder)


UNSEEN = {
    "resnet": lambda v: (
        _unseen_of_residual(v)
        | ({"shortcut", "drop_path", "zero_gamma"} if v["plain"] == "plain" else set())
        | ({"reduction"} if v["width"] * (1 if v["layout"] == "cifar" else 2) < v["reduction"] else set())
    ),
    "unet": lambda v: (
        {"uneven"}
        | ({"across"} if v["short"] == 0 else set())
        | ({"merge"} if v["long"] == "off" else set())
        | ({"beside"} if v["long"] == "off" or v["edges"] == "valid" or (v["beside"], v["scales"]) == ("nested", 1) else set())
    ),
    "fcn": lambda v: {"widening", "convolutions"} if v["stages"] < 3 or v["width"] == 1 else set(),
    "densenet": lambda v: {"compression"} if v["blocks"] == "1" else {"layers"} if v["blocks"].startswith("of") else set(),
    "transformer": lambda v: (
        {"tied"}
        | ({"shared"} if v["depth"] == 1 or v["dropout"] else set())
        | ({"averaged", "period", "dilation", "values"} if v["shared"] == "shared" and not v["dropout"] else set())
        | ({"period", "dilation"} if v["averaged"] == "off" else set())
        | ({"values"} if v["depth"] == 1 else set())
        | ({"encoder"} if not v["encoder"] or (v["scale"], v["shared"], v["dropout"]) != ("none", "own", 0) else set())
        | ({"streams", "mix", "dynamic"} if _one_stream(v) else {"mix", "dynamic"} if v["streams"] == 1 else set())
    ),
    "highway": lambda v: set(),
    "vit": lambda v: set(),
    "tcn": lambda v: set(),
    "resnet_unet": lambda v: set(),
    "wavenet": lambda v: {"residual", "ends"} if v["cycles"] * v["depth"] == 1 else set(),
    "tabular_resnet": lambda v: set(),
    "mobilenet": lambda v: {"plain"} if v["blocks"] == "1" else set(),
    "convnext": lambda v: (
        ({"blocks"} if v["stages"] < 3 and v["blocks"] in ("3", "published") else set())
        | ({"drop_path"} if v["plain"] == "plain" or (v["stages"], v["blocks"]) == (1, "1") else set())
    ),
}
"""Settings that a network does not tell, or not always, because others leave nothing of them."""


@st.composite
def forms(draw, family: str):
    """Return a family's form with values from all over its form, and the experiment that it gives."""
    values = FORMS[family].defaults()
    task = Task(
        name=draw(st.sampled_from(FORMS[family].tasks)), image_size=draw(st.sampled_from((96, 100))) if family == "unet" else 32
    )
    for setting in FORMS[family].settings:
        options = setting.options(values) if callable(setting.options) else setting.options
        if options:
            values[setting.name] = draw(st.sampled_from(options[: MOST_OPTIONS.get(setting.name, len(options))]))
        elif isinstance(setting.default, int):
            values[setting.name] = draw(st.integers(*NUMBERS[setting.name]))
        else:
            values[setting.name] = draw(st.integers(-20, 20)) / 2
    if task.causal:
        values["causal"] = "on"
    form = values_of(family, values)
    try:
        experiment = unsaid(form, task)
    except NetworkError:
        assume(False)
    assume(experiment.network.depth <= MOST_BOXES)
    return form, experiment


@pytest.mark.parametrize("family", FORMS)
def test_the_settings_that_built_a_network_are_read_off_it(family):
    @settings(max_examples=20, deadline=None)
    @given(forms(family))
    def reads(drawn):
        form, experiment = drawn
        found = recognised(experiment)
        assert found.form is not None, (form, found.sentence())
        assert structure(built(found.form, experiment.task)) == structure(experiment.network)
        given_values, read = form.settings(), found.form.settings()
        apart = {name for name in read if read[name] != given_values[name]}
        assert apart <= UNSEEN[family](given_values)

    reads()


FAMILY_OF = {
    "resnet": ("resnet-20-cifar", "resnet-56-cifar", "resnet-110-cifar", "plain-20-cifar", "plain-56-cifar"),
    "unet": ("unet-2015", "unet-shapes", "unet-no-skips", "unet-membranes", "unet-3d"),
    "fcn": ("fcn-32s", "fcn-16s", "fcn-8s"),
    "transformer": (
        "transformer-post-ln",
        "transformer-pre-ln",
        "transformer-no-residual",
        "transformer-streams",
        "transformer-text",
        "transformer-seq2seq",
    ),
    "vit": ("vit-digits",),
    "tcn": ("tcn-memory",),
    "densenet": ("densenet-bc",),
    "highway": ("highway-50",),
    "mlp": (
        "vanishing-plain",
        "vanishing-residual",
        "curve-plain",
        "residual-300",
        "residual-unscaled",
        "figure-4-9-left",
        "figure-4-9-right",
        "rezero-200",
    ),
    "conv": ("digits-conv",),
    None: ("figure-4-9-center",),
}


def test_every_preset_opens_with_its_familys_form():
    found = {name: recognised(link.decode(link.encode(presets.get(name)))).family for name in presets.names()}
    assert found == {name: family for family, names in FAMILY_OF.items() for name in names}


def _switched(network):
    return edit.set_skip(edit.switch_all(network, False), network.skips[0].id, strength=0.5, gain=0.25)


EDITS = {
    "a skip less": lambda network: edit.remove_skip(network, network.skips[-1].id),
    "a skip more": lambda network: edit.add_skip(network, *_free(network)),
    "a layer less": lambda network: edit.remove_layer(network, network.layers[_middle(network)].id),
    "another activation": lambda network: edit.set_layer(network, network.layers[_middle(network)].id, activation="gelu"),
    "another norm": lambda network: edit.set_layer(network, network.layers[_middle(network)].id, norm="group"),
    "another merge": lambda network: edit.set_skip(network, network.skips[-1].id, **_other_merge(network.skips[-1])),
}


def _middle(network) -> int:
    """Return the place of a layer near the middle, of one that can be taken out if there is one."""
    shapes = network.shapes.layers
    around = sorted(range(1, network.depth - 1), key=lambda place: abs(place - network.depth / 2))
    return next((place for place in around if shapes[place].input == shapes[place].output), around[0])


def _free(network) -> tuple[int, int]:
    """Return the ends of a skip that is not there and joins equal shapes."""
    states, taken = network.shapes.states, {(skip.source, skip.target) for skip in network.skips}
    gated = {skip.target for skip in network.skips if skip.merge == "gate"}
    pairs = ((i, j) for j in range(network.depth, 1, -1) for i in range(1, j))
    return next((i, j) for i, j in pairs if states[i] == states[j] and (i, j) not in taken and j not in gated)


def _other_merge(skip) -> dict:
    return {"merge": "concat" if skip.merge == "add" else "add"}


@pytest.mark.parametrize("change", EDITS)
@pytest.mark.parametrize("family", FORMS)
@pytest.mark.parametrize("made", ["said", "unsaid"])
def test_one_edit_by_hand_is_said_and_what_is_nearest_can_be_started_afresh(family, change, made):
    task = Task(name=FORMS[family].tasks[0])
    experiment = unsaid(usual_values(family), task)
    if made == "said":
        experiment = experiment.with_network(built(usual_values(family), task))
    try:
        edited = experiment.with_network(EDITS[change](experiment.network))
    except (NetworkError, StopIteration):
        assert (family, change) in IMPOSSIBLE
        return
    found = recognised(edited)
    if (family, change, made) in STILL:
        assert found.form is not None
        return
    assert found.family is None
    assert found.sentence().startswith("Changed by hand: " + FORMS[family].title)
    assert recognised(afresh(edited, found.near)).form.family == family


IMPOSSIBLE = {
    ("densenet", "another merge"), ("densenet", "a layer less"), ("highway", "a skip more"), ("densenet", "a skip more"),
    ("fcn", "a skip more"), ("fcn", "a layer less"),
}  # fmt: skip
"""Edits that no network of the family's usual settings allows."""
STILL = {("highway", "a layer less", "unsaid")}
"""Edits that give another network of the family, where it does not say of which it was made."""


def test_the_blocks_of_a_published_densenet_are_named_by_it():
    task = Task(name="digits")
    form = usual_values("densenet").changed(blocks="of 121", growth=1)
    assert recognised(unsaid(form, task)).form == form


@pytest.mark.parametrize("uneven", ["pad", "crop"])
@pytest.mark.parametrize("more", [{}, {"up": "bilinear"}, {"merge": "add"}, {"long": "off"}, {"scales": 4}], ids=str)
def test_what_a_unet_does_where_sizes_do_not_divide_is_read_off_it(uneven, more):
    task = Task(name="shapes", image_size=36)
    form = usual_values("unet").changed(scales=3).changed(uneven=uneven, **more)
    opened = link.decode(link.encode(unsaid(form, task)))
    assert recognised(opened).form == form


@pytest.mark.parametrize(("depth", "block"), [(18, "basic"), (34, "basic"), (50, "bottleneck"), (152, "bottleneck")])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_depths_of_imagenet_are_read_at_any_width(depth, block, version):
    task = Task(name="digits")
    form = usual_values("resnet").changed(layout="imagenet", block=block).changed(depth=depth, width=3, version=version)
    form = form.changed(shortcut="project")
    assert recognised(unsaid(form, task)).form == form


@pytest.mark.parametrize("family", FORMS)
def test_switches_strengths_and_names_are_no_edit(family):
    task = Task(name=FORMS[family].tasks[0])
    network = unsaid(usual_values(family), task).network
    names = {} if network.branches else {layer.id: f"own.{layer.id}" for layer in network.layers}  # which edges lead from, too
    named = network.replaced(layers=[layer.model_copy(update={"id": names.get(layer.id, layer.id)}) for layer in network.layers])
    for other in (_switched(network), named):
        assert recognised(Experiment(variants={"net": other}, task=task)).form == usual_values(family)


@pytest.mark.parametrize(
    ("family", "setting", "value"),
    [
        ("resnet", "width", 8),
        ("unet", "norm", "batch"),
        ("transformer", "depth", 6),
        ("densenet", "growth", 6),
        ("highway", "width", 9),
    ],
)
def test_a_changed_field_of_a_form_that_was_read_keeps_the_switches_of_skips_that_stay(family, setting, value):
    task = Task(name=FORMS[family].tasks[0])
    network = unsaid(usual_values(family), task).network
    first = network.skips[0].id
    opened = Experiment(variants={"net": edit.set_skip(network, first, on=False, strength=0.5, gain=0.25)}, task=task)
    changed = with_values(opened, recognised(opened).form.changed(**{setting: value}), task, keep=True)
    assert recognised(changed).form.settings()[setting] == value
    kept = changed.network.skip(first)
    assert (kept.on, kept.strength, kept.gain) == (False, 0.5, 0.25)
    assert all(skip.on for skip in changed.network.skips[1:])


def test_a_network_with_all_its_skips_off_grows_with_its_new_ones_off():
    opened = presets.get("plain-20-cifar")
    grown = with_values(opened, recognised(opened).form.changed(depth=32), opened.task, keep=True)
    assert len(grown.network.skips) == 15
    assert not any(skip.on for skip in grown.network.skips)


STACKS = st.fixed_dictionaries(
    {
        "depth": st.integers(3, 14),
        "width": st.integers(2, 9),
        "activation": st.sampled_from(("relu", "tanh", "none")),
        "norm": st.sampled_from(("none", "batch", "layer")),
        "order": st.sampled_from(("op-norm-act", "norm-act-op")),
        "init": st.sampled_from(("torch", "he", "orthogonal")),
        "skip_every": st.integers(0, 3),
        "scale": st.sampled_from((None, "root", "skipinit", "rezero")),
    }
)


@settings(max_examples=40, deadline=None)
@given(STACKS, st.sampled_from(("mlp", "conv")))
def test_a_stacks_settings_are_read_off_it(values, family):
    task = Task(name="digits")
    network = getattr(families, family)(**values, input=task.input_for(family == "conv"), head=10)
    found = recognised(Experiment(variants={"net": network}, task=task)).form
    read = found.settings()
    assert (found.family, *(read[n] for n in FIELDS)) == (family, *(values[n] for n in FIELDS))
    assert read["pattern"] == ("residual" if network.skips else "none")
    assert read["scale"] == (values["scale"] or "none" if network.skips else "none")


FIELDS = ("depth", "width", "norm", "init")


def test_a_layer_of_a_stack_changed_by_hand_is_said_and_skips_drawn_by_hand_are_a_setting():
    experiment = presets.get("vanishing-residual")
    odd = experiment.with_network(edit.set_layer(experiment.network, "f3", activation="gelu"))
    assert recognised(odd).sentence() == "Changed by hand: MLP with activation of f(3) GELU instead of ReLU."
    drawn = experiment.with_network(edit.remove_skip(experiment.network, experiment.network.skips[0].id))
    assert recognised(drawn).form.settings()["pattern"] == "custom"


def test_a_stack_deeper_and_wider_than_its_form_offers_is_one_still():
    network = families.mlp(400, 600, 5, scale="root")
    found = recognised(Experiment(variants={"net": network}))
    assert [found.form.settings()[name] for name in ("depth", "width", "every")] == [400, 600, 5]


def test_a_network_of_no_family_is_called_made_by_hand():
    found = recognised(presets.get("figure-4-9-center"))
    assert (found.family, found.near) == (None, None)
    assert found.sentence().startswith("Made by hand")


DEEPEST = {
    1202: ({"block": "basic", "version": "v1", "shortcut": "pad"}, 19_421_274),
    1001: ({"block": "bottleneck", "version": "v2", "shortcut": "project"}, 10_327_706),
}


@pytest.mark.parametrize("depth", DEEPEST)
def test_the_deepest_published_resnets_are_offered_linked_read_estimated_and_folded(depth):
    task, (options, count) = Task(name="digits"), DEEPEST[depth]
    usual = usual_values("resnet").changed(**options)
    offered = next(setting for setting in FORMS["resnet"].settings if setting.name == "depth")
    assert offered.choices(usual.settings())[-1] == depth
    form = usual.changed(depth=depth)
    experiment = unsaid(form, task)
    assert link.decode(link.encode(experiment)) == experiment
    assert recognised(experiment).form == form
    assert f"At the paper's size (ResNet-{depth} on 3×32×32): {count:,} parameters." in size_words(form, experiment.network)
    assert diagram.draw(experiment.network, page="lab", height=660).height < 900
    assert 1 < step_seconds(experiment) < 10
    assert limits.refusal(experiment, 4096) is None
    assert re.search(r"needs about (1\.[89]|2\.[01]) GB of memory .* make it narrower", limits.refusal(experiment, 512))
    other = "v2" if options["version"] == "v1" else "v1"
    assert form.changed(version=other).settings()["depth"] == (110 if depth == 1202 else 164), "published there and no deeper"


def test_a_hundred_blocks_are_built_linked_read_and_folded():
    task = Task(name="text")
    form = usual_values("transformer", task).changed(depth=100, norm="post")
    experiment = unsaid(form, task)
    opened = link.decode(link.encode(experiment))
    assert opened == experiment
    assert recognised(opened).form == form
    assert opened.network.depth == 502
    drawn = diagram.draw(opened.network, page="lab", height=660)
    assert drawn.height < 900
    with pytest.raises(NetworkError, match="between 1 and 100, not 101"):
        built(form.changed(depth=101), task)
