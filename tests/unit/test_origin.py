"""A network carries what made it: through edits, undo, files and kept runs, and without a trace in what it computes."""

from __future__ import annotations

import json

import pytest
from test_link import link_of, short_of

from skipviz.engine.capacity.duration import shape_of
from skipviz.network import edit
from skipviz.network.network import Network
from skipviz.sharing import link, packed_origin
from skipviz.sharing.script.experiment import script
from skipviz.tasks.comparison import differences
from skipviz.tasks.experiment import Experiment, experiment_from_json
from skipviz.tasks.forms import FORMS
from skipviz.tasks.forms.architecture import with_values
from skipviz.tasks.forms.family_detection import recognised
from skipviz.tasks.forms.form_values import built, usual_values
from skipviz.tasks.task import Task
from skipviz.web.document.document import Document
from skipviz.web.document.edits import events_between

DIGITS = Task(name="digits")
PLAIN = usual_values("resnet").changed(depth=8, width=2, plain="plain", version="v2", shortcut="project-all")
"""Of a network that says nothing of shortcuts: it has none."""


def experiment_of(form) -> Experiment:
    return Experiment(variants={"net": built(form, DIGITS)}, task=DIGITS)


def unsaid(experiment: Experiment) -> Experiment:
    return experiment.with_network(experiment.network.replaced(origin=None))


def test_what_made_a_network_stays_with_it_through_json_edits_and_undo():
    form = usual_values("resnet").changed(depth=8, width=2)
    begun = experiment_of(form)
    assert begun.network.origin.model_dump() == {"family": "resnet", "values": {"depth": 8, "width": 2}}
    assert experiment_from_json(begun.to_json()).network.origin == begun.network.origin
    document = Document(begun)
    skip = begun.network.skips[0].id
    document = document.put(begun.with_network(edit.set_skip(begun.network, skip, on=False, strength=0.5)))
    assert recognised(document.experiment).form == form
    document = document.put(with_values(document.experiment, form.changed(depth=14), DIGITS, keep=True))
    assert recognised(document.experiment).form == form.changed(depth=14)
    assert not document.experiment.network.skips[0].on
    document = document.put(document.experiment.with_network(edit.remove_layer(document.experiment.network, "f3")))
    assert recognised(document.experiment).near == form.changed(depth=14)
    for shown in (form.changed(depth=14), form, form):
        document = document.back()
        assert recognised(document.experiment).form == shown


def test_a_setting_that_leaves_no_trace_in_the_network_is_known_from_what_made_it():
    begun = experiment_of(PLAIN)
    assert recognised(experiment_from_json(begun.to_json())).form == PLAIN


def test_what_made_a_network_changes_nothing_that_follows_from_it():
    said = experiment_of(usual_values("resnet").changed(depth=8, width=2))
    other = unsaid(said)
    assert said == other
    assert other == said
    assert said.network == other.network
    assert said.network != edit.remove_layer(other.network, "f3")
    assert said.network != "said"
    assert differences(said, other) == []
    assert events_between(said, other) == []
    assert shape_of(said) == shape_of(other)
    assert said.trained() == json.loads(other.to_json())
    assert script(said) == script(other)


HOSTILE = {
    "no table": 7,
    "no family": {"values": {}},
    "a family that is not there": {"family": "alexnet", "values": {}},
    "a family that does not fit the task": {"family": "unet", "values": {}},
    "a field that is not there": {"family": "resnet", "values": {"colour": 3}},
    "a field out of bounds": {"family": "densenet", "values": {"layers": 1000}},
    "a number that is enormous": {"family": "resnet", "values": {"depth": 10**400}},
    "a word for a number": {"family": "resnet", "values": {"depth": "twenty"}},
    "a number for a word": {"family": "resnet", "values": {"version": 1}},
    "a half of a whole number": {"family": "resnet", "values": {"width": 1.5}},
    "values that nothing can be built of": {"family": "resnet", "values": {"depth": 21}},
    "values in values": {"family": "resnet", "values": {"depth": {"depth": 8}}},
    "too many": {"family": "resnet", "values": {"a" + "b" * length: 1 for length in range(33)}},
}


@pytest.mark.parametrize("damage", HOSTILE)
def test_damaged_values_cost_nothing_but_the_form_that_they_would_have_shown(damage):
    form = usual_values("resnet").changed(depth=8, width=2)
    network = built(form, DIGITS)
    data = {**network.model_dump(mode="json", exclude_defaults=True), "origin": HOSTILE[damage]}
    opened = Network.kept(json.dumps(data))
    assert opened == network
    assert recognised(Experiment(variants={"net": opened}, task=DIGITS)).form == form


def test_values_that_give_another_network_are_compared_with_the_one_that_is_there():
    network = built(usual_values("resnet").changed(depth=8, width=2), DIGITS)
    said = network.replaced(origin={"family": "resnet", "values": {"depth": 8, "width": 2, "zero_gamma": "on"}})
    found = recognised(Experiment(variants={"net": said}, task=DIGITS))
    assert found.sentence() == "Changed by hand: ResNet with zero γ of 3 layers off instead of on."
    far = network.replaced(origin={"family": "highway", "values": {}})
    assert recognised(Experiment(variants={"net": far}, task=DIGITS)).form.family == "resnet"


@pytest.mark.parametrize("family", FORMS)
def test_a_link_brings_what_made_its_network_in_a_few_characters(family):
    task = Task(name=FORMS[family].tasks[0])
    usual = usual_values(family)
    chosen = {one.name: one.default + 1 for one in FORMS[family].settings if type(one.default) is int and not one.options}
    for form in (usual, usual.changed(**dict([*chosen.items()][:2]))):
        said = Experiment(variants={"net": built(form, task)}, task=task)
        text = link.encode(said)
        assert link.decode(text) == said
        assert link.decode(text).network.origin == said.network.origin
        assert link.encode(link.decode(text)) == text
        assert 0 < len(text) - len(link.encode(unsaid(said))) < 40
        assert recognised(link.decode(text)).form == form


PINNED = {
    0: "layout",
    2: "depth",
    14: "reduction",
    25: "dropout",
    38: "encoder",
    50: "gate_bias",
    54: "every",
    59: "across",
    64: "resize",
    67: "dilation",
}


def test_the_numbers_of_families_and_settings_in_links_stay():
    assert packed_origin.FAMILIES == (
        "resnet", "unet", "fcn", "transformer", "densenet", "mobilenet", "convnext", "tabular_resnet", "highway", "mlp", "conv",
        "vit", "tcn", "wavenet", "resnet_unet",
    )  # fmt: skip
    assert {place: packed_origin.SETTINGS[place] for place in PINNED} == PINNED
    assert len(set(packed_origin.SETTINGS)) == len(packed_origin.SETTINGS) == 68
    assert {one.name for form in FORMS.values() for one in form.settings} <= set(packed_origin.SETTINGS)


def test_the_numbers_in_a_link_mean_for_ever_what_they_meant_first():
    said = experiment_of(PLAIN)
    first = [0, 2, 8, 3, 2, 4, "v2", 5, "project-all", 11, "plain"]
    short = short_of(link.encode(unsaid(said)))
    short["v"][0][1]["o"] = first
    assert recognised(link.decode(link_of(json.dumps(short).encode()))).form == PLAIN
    assert short_of(link.encode(said))["v"][0][1]["o"] == first


@pytest.mark.parametrize(
    "origin", [7, None, "resnet", [], [99], [-1], ["0"], [0, 2], [0, 99, 1], [0, 2, 10**400], [0, 2, [1]], [[0]], {"a": 1}, [1.5]]
)
def test_a_damaged_origin_in_a_link_leaves_its_network_and_takes_the_form(origin):
    said = experiment_of(usual_values("resnet").changed(depth=8, width=2))
    short = short_of(link.encode(said))
    short["v"][0][1]["o"] = origin
    assert link.decode(link_of(json.dumps(short).encode())) == said


def test_what_made_a_network_and_has_no_number_is_no_part_of_its_link():
    said = experiment_of(usual_values("resnet").changed(depth=8, width=2))
    for origin in ({"family": "newer"}, {"family": "resnet", "values": {"newer": 1}}):
        network = said.network.replaced(origin=origin)
        assert link.encode(said.with_network(network)) == link.encode(unsaid(said))
