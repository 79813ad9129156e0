"""The lab's script: what the sidebar and the page's commands make of the experiment, and what the page is told."""

from __future__ import annotations

import pytest
from engines import wait_for

from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.screens import lab_page

HTML = "<img src=x onerror=alert(1)>"


def _small() -> str:
    network = families.mlp(depth=4, width=8, skip_every=2)
    task = Task(name="spiral", samples=100)
    return link.encode(Experiment(variants={"network": network}, task=task, training=Training(steps=5, batch_size=8)))


@pytest.fixture
def small(opened):
    """The lab on four layers of 8 with the skip s1-3."""
    return opened("lab", x=_small())


def test_the_lab_opens_drawn_and_measured(lab):
    data = lab.data()
    assert (data["network"]["depth"], data["network"]["skips_total"], data["network"]["skips_on"]) == (24, 11, 0)
    assert data["diagram"]["svg"].startswith("<svg")
    gradient = data["probe"]["frame"]["variants"][data["variant"]]["weight_grad"]
    assert 0 < gradient[0] / gradient[-1] < 1e-6
    assert link.decode(data["link"]).network.depth == 24


def test_the_address_carries_the_experiment(lab):
    assert lab.test.query_params["x"] in (lab.data()["link"], [lab.data()["link"]])


@pytest.mark.parametrize(
    ("kind", "label", "value", "field", "expected"),
    [
        ("slider", "Depth", 7, "depth", 7),
        ("selectbox", "Norm", "layer", "note", "torch’s init, layer norm"),
        ("selectbox", "Init", "he", "note", "He init, no norm"),
        ("selectbox", "Skips", "none", "skips_total", 0),
        ("text_input", "Every", "4", "skips_total", 5),
    ],
)
def test_a_change_in_the_sidebar_rebuilds_the_network(lab, kind, label, value, field, expected):
    data = lab.choose(kind, label, value)
    assert data["network"][field] == expected
    assert data["undo"] == 1
    assert len(data["probe"]["frame"]["variants"]["network"]["weight_grad"]) == data["network"]["depth"]


@pytest.mark.parametrize("preset", ["vanishing-plain", "digits-conv", "unet-shapes", "transformer-text"])
def test_a_browser_that_missed_the_first_drawing_shows_every_field_of_the_setup_as_it_stands(opened, preset):
    lab = opened("lab", x=link.encode(presets.get(preset)))
    lab.run()
    for widget in lab.test.sidebar.selectbox:
        assert widget.proto.default == widget.index, widget.label
    for widget in lab.test.sidebar.slider:
        assert [widget.value] == widget.proto.default, widget.label
    for widget in lab.test.sidebar.select_slider:
        assert [widget.options.index(str(widget.value))] == widget.proto.default, widget.label
    for widget in (*lab.test.sidebar.text_input, *lab.test.sidebar.toggle):
        assert widget.value == widget.proto.default, widget.label
    assert link.decode(lab.data()["link"]) == presets.get(preset)


def test_the_width_and_the_activation_reach_every_layer(small):
    small.choose("slider", "Width", 5)
    layers = small.choose("selectbox", "Activation", "tanh")["network"]["layers"]
    assert {(layer["op"]["width"], layer["activation"]) for layer in layers} == {(5, "tanh")}


@pytest.mark.parametrize("pattern", ["nested", "dense"])
def test_a_pattern_of_skips_is_drawn_and_read_back_as_that_pattern(lab, pattern):
    data = lab.choose("selectbox", "Skips", pattern)
    assert data["network"]["skips_total"] > 0
    assert lab.widget("selectbox", "Skips").value == pattern
    assert data["message"] is None


@pytest.mark.parametrize(
    ("task", "outputs"),
    [("digits", 10), ("shapes", 1), ("xor", 2), ("sequences", 10), ("text", 59), ("regression", 1), ("membranes", 1), ("tubes", 1)],
)
def test_another_task_brings_the_input_and_the_head_it_needs(small, task, outputs):
    data = small.choose("selectbox", "Task", task)
    experiment = link.decode(data["link"])
    assert experiment.task.name == task
    assert experiment.network.head.outputs == outputs
    assert data["probe"] is not None
    stays = {layer.op.kind for layer in experiment.network.layers} == {"linear"}
    assert (data["message"] is None) == stays


def test_tokens_come_with_a_transformer_that_follows_their_number_and_give_way_to_another_task(small):
    small.choose("selectbox", "Task", "sequences")
    data = small.choose("slider", "Tokens", 20)
    experiment = link.decode(data["link"])
    assert (experiment.task.vocabulary, experiment.network.head.outputs) == (20, 20)
    assert small.widget("selectbox", "Family").value == "transformer"
    data = small.choose("selectbox", "Task", "moons")
    assert link.decode(data["link"]).network.input == (2,)
    assert data["message"] == ["Transformer does not fit moons.", "The family is now MLP."]


def test_a_preset_replaces_everything_and_undo_brings_the_old_one_back(small):
    before = small.data()["link"]
    assert small.choose("selectbox", "Start from", "vanishing-residual")["network"]["depth"] == 24
    data = small.send("undo")
    assert data["link"] == before
    assert small.widget("selectbox", "Start from").value == "yours"
    assert small.send("redo")["network"]["depth"] == 24


@pytest.mark.parametrize(
    "command",
    [
        {"operation": "add_skip", "source": 3, "target": 1},
        {"operation": "add_skip", "source": 0, "target": 99},
        {"operation": "remove_skips", "ids": ["nosuch"]},
        {"operation": "layers", "ids": ["f1"], "changes": {"width": 100_000}},
        {"operation": "skips", "ids": ["s1-3"], "changes": {"strength": -5}},
        {"operation": "skips", "ids": ["s1-3"], "changes": {"id": "other"}},
        {"operation": "add_skip"},
        {"operation": "nosuch"},
        {"operation": "start", "speed": "fast"},
        {"operation": "start", "speed": float("nan")},
        {"operation": "start", "speed": [1]},
        {"operation": "zoom", "factor": 10**400},
        {"operation": "insert_layer", "position": float("inf")},
        {"operation": "skips", "ids": [], "changes": {"merge": "concat"}},
    ],
)
def test_what_cannot_be_done_is_answered_with_a_sentence_and_changes_nothing(small, command):
    before = small.data()["link"]
    data = small.send(**command)
    assert data["message"][0] == "Not done."
    assert len(data["message"][1]) > 10
    assert (data["link"], data["undo"]) == (before, 0)
    assert small.run()["message"] is None


def test_a_command_is_done_once_however_often_the_script_runs(small):
    assert small.send("insert_layer", position=2)["network"]["depth"] == 5
    assert small.run()["network"]["depth"] == 5
    assert small.send("remove_layers", ids=["f1"])["network"]["depth"] == 4


def test_a_new_skip_is_selected_and_can_be_changed_in_merge_and_adapter(small):
    data = small.send("add_skip", source=1, target=4)
    identifier = data["network"]["skips"][-1]["id"]
    assert data["select"] == [1, {"kind": "skip", "ids": [identifier]}]
    data = small.send("skips", ids=[identifier], changes={"merge": "concat"})
    assert data["network"]["skips"][-1]["merge"] == "concat"
    data = small.send("skips", ids=[identifier], changes={"adapter": "project"})
    assert data["network"]["skips"][-1]["adapter"] == "project"
    assert data["select"][0] == 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"x": _small()[:60]}, "This link does not open."),
        ({"x": f"{_small()[:-1]}!"}, "This link does not open."),
        ({"x": "9.AAAA"}, "This link does not open."),
        ({"x": HTML}, "This link does not open."),
        ({"x": f"1.{'A' * 9000}"}, "This link does not open."),
        ({"follow": HTML}, "This link does not open."),
        ({"run": HTML, "hide": "<b>,nosuch"}, "This run is no longer kept."),
    ],
    ids=["cut short", "a strange character", "a version to come", "HTML", "too long", "HTML as a classroom", "HTML as a run"],
)
def test_a_damaged_or_hostile_link_gives_a_sentence_and_the_labs_own_network(opened, query, sentence):
    lab = opened("lab", **query)
    data = lab.data()
    assert data["message"][0] == sentence
    assert link.decode(data["link"]) == presets.get("vanishing-plain")
    assert set(lab.test.query_params) == {"x"}


def test_a_run_started_by_the_page_is_in_the_address_and_found_again(small, opened):
    data = small.send("start", speed=None, ghost=True, paused=True)
    assert data["run"]
    assert data["mine"]
    assert data["probe"] is None
    again = opened("lab", run=data["run"]).data()
    assert (again["run"], again["link"], again["mine"]) == (data["run"], data["link"], True)
    assert small.send("reset")["run"] is None


def test_a_rebuilt_network_leaves_its_run(small, engine):
    run = engine.run(small.send("start", speed=None, ghost=False, paused=True)["run"])
    wait_for(engine, lambda: run.state == "paused")
    data = small.choose("slider", "Depth", 6)
    assert data["run"] is None
    kept = "It is kept in My runs, and undo brings it back. This is another network: Start trains it."
    assert data["message"] == ["Your run ended at step 0.", kept]
    assert small.choose("slider", "Depth", 8)["message"] is None
    assert small.send("undo")["run"] is None
    data = small.send("undo")
    assert (data["run"], data["message"]) == (run.id, ["Your run is back at step 0.", "Resume lets it go on."])
    assert small.send("redo")["run"] is None
    small.send("undo")


def _finish(engine, data) -> str:
    """Wait for the end of the run that the page shows, and return its id."""
    run = engine.run(data["run"])
    wait_for(engine, lambda: run.state == "finished")
    return run.id


def test_a_toggle_after_the_end_and_its_undo_go_on_from_the_finished_weights(small, engine):
    run = _finish(engine, small.send("start", speed=None, ghost=False))
    data = small.send("skips", ids=["s1-3"], changes={"on": False})
    assert (data["run"], data["steps"]) == (run, 5)
    assert data["message"] == ["Your run goes on from step 5 to 10.", "Its weights are kept."]
    _finish(engine, data)
    data = small.send("undo")
    assert data["message"][0] == "Your run goes on from step 10 to 15."
    assert _finish(engine, data) == run
    assert [(event["kind"], event["step"]) for event in engine.run(run).events] == [
        *(("steps", 5), ("skip", 5)),
        *(("steps", 10), ("skip", 10)),
    ]


def test_what_was_switched_just_before_the_end_lets_the_run_go_on_no_further(small, engine):
    data = small.send("start", speed=None, ghost=False, paused=True)
    engine.post(data["run"], "a-browser-of-these-tests", {"kind": "skip", "ids": ["s1-3"], "on": False})
    engine.post(data["run"], "a-browser-of-these-tests", {"kind": "resume"})
    run = _finish(engine, data)
    data = small.send("skips", ids=["s1-3"], changes={"on": False}, live=True)
    assert (data["run"], data["message"], engine.run(run).state) == (run, None, "finished")


def test_a_schedule_is_said_to_be_that_of_the_longer_run(opened, engine):
    experiment = link.decode(_small())
    lab = opened("lab", x=link.encode(experiment.replaced(training=experiment.training.replaced(schedule="cosine"))))
    run = _finish(engine, lab.send("start", speed=None, ghost=False))
    data = lab.send("skips", ids=["s1-3"], changes={"on": False})
    said = "Its weights are kept. Its learning rate is from here on that of a run of 10 steps (cosine)."
    assert (data["run"], data["message"][1]) == (run, said)


def test_another_network_leaves_a_finished_run_and_undo_brings_it_back_after_a_reload_too(small, opened, engine):
    run = _finish(engine, small.send("start", speed=None, ghost=False))
    data = small.send("add_skip", source=0, target=2)
    kept = "It is kept in My runs, and undo brings it back. This is another network: Start trains it."
    assert (data["run"], data["message"]) == (None, ["Your run has ended at step 5.", kept])
    again = opened("lab", x=data["link"])
    data = again.send("undo")
    assert (data["run"], data["message"]) == (run, ["Your run is back at step 5.", "A switch lets it go on."])
    assert again.send("skips", ids=["s1-3"], changes={"on": False})["run"] == run
    _finish(engine, data)


def test_a_finished_run_whose_weights_are_gone_says_so_and_another_starts(small, engine):
    run = _finish(engine, small.send("start", speed=None, ghost=False))
    engine.run(run).checkpoint_file = None  # as of a run that was kept before weights were
    data = small.send("skips", ids=["s1-3"], changes={"on": False})
    assert data["run"] is None
    why = "The weights of this run are not kept. Start trains this network anew."
    assert data["message"] == ["Your finished run does not go on.", why]
    assert small.send("undo")["run"] == run


def test_a_toggle_keeps_the_run(small):
    run = small.send("start", speed=None, ghost=False, paused=True)["run"]
    data = small.send("skips", ids=["s1-3"], changes={"on": False}, live=True)
    assert data["run"] == run
    assert data["network"]["skips_on"] == 0
    small.send("reset")


def test_somebody_elses_run_is_watched_and_not_owned(small, opened, monkeypatch):
    run = small.send("start", speed=None, ghost=False, paused=True)["run"]
    monkeypatch.setattr("skipviz.web.session_state.session.owner_from", lambda cookies: "another-browser-altogether")
    data = opened("lab", run=run).data()
    assert (data["run"], data["mine"]) == (run, False)


def test_a_sentence_stays_until_there_is_another_since_the_next_runs_data_may_be_sent_in_its_place(small):
    refused = small.send("skips", ids=["none"], changes={"on": False}) and small.told()["message"]
    assert refused[1][0] == "Not done."
    small.send("measure")
    assert small.told()["message"] == refused
    small.send("skips", ids=["none"], changes={"on": False})
    assert small.told()["message"] == [refused[0] + 1, refused[1]]


def test_what_is_to_be_selected_stays_until_there_is_another(small):
    small.send("add_skip", source=0, target=4)
    number, added = small.told()["select"]
    assert added["kind"] == "skip"
    small.send("measure")
    assert small.told()["select"] == [number, added]


def test_commands_of_a_session_before_the_servers_restart_are_not_done_again(lab):
    before = lab.data()
    assert lab.send("reset", session="another")["done"] == before["done"]
    assert lab.send("reset", session=before["session"])["done"] > before["done"]


def test_what_can_be_undone_is_kept_before_the_address_names_the_new_experiment(small, monkeypatch):
    write, kept = lab_page._address, []

    def noted(state, editor):
        kept.append(lab_page.labs.document_at("a-browser-of-these-tests", f"{link.encode(editor.experiment)} "))
        write(state, editor)

    monkeypatch.setattr(lab_page, "_address", noted)
    small.send("skips", ids=["s1-3"], changes={"on": False})
    [document] = kept
    assert [experiment.network.skip("s1-3").on for experiment in document.undo] == [True]


def test_a_lab_that_is_opened_anew_has_nothing_of_what_was_undone_in_another(lab, opened):
    own = lab.data()["link"]
    lab.choose("slider", "Depth", 7)
    assert lab.send("undo")["redo"] == 1
    assert opened("lab").data()["redo"] == 0
    assert opened("lab", x=own).data()["redo"] == 1
