"""The script of My runs: what is listed of whom, and what renaming, deleting, opening and comparing do."""

from __future__ import annotations

import json

import pytest
from engines import endless, small, wait_for, wait_for_end

from skipviz.network import edit, families
from skipviz.storage.summary import MAX_TITLE
from skipviz.tasks.task import Task

OWNER = "a-browser-of-these-tests"
NONSENSE = {
    "<img src=x onerror=alert(1)> & <b>bold</b>": "<img src=x onerror=alert(1)> & <b>bold</b>",
    "  two\n\tlines \x00\x1b[31m‮ ": "two lines [31m",
    "Füchse 🦊 und 漢字": "Füchse 🦊 und 漢字",
}


@pytest.fixture
def runs(engine):
    """A function that trains experiments of this browser to their end, or of `owner`; all are gone afterwards."""
    begun = []

    def trained(*experiments, owner=OWNER, wait=True):
        runs = [engine.run(engine.submit(experiment, owner)) for experiment in experiments]
        begun.extend(runs)
        return [wait_for_end(engine, run) if wait else run for run in runs]

    yield trained
    for run in begun:
        if engine.run(run.id) is not None:
            engine.post(run.id, run.owner, {"kind": "stop"})
            wait_for_end(engine, run)
            engine.delete(run.id, run.owner)


def _ids(data: dict) -> list[str]:
    return [run["id"] for run in data["runs"]]


def _titles(data: dict) -> list[str]:
    return [run["title"] for run in data["runs"]]


def test_the_list_has_ones_own_runs_newest_first_with_the_numbers_they_reached(opened, runs):
    older, newer = runs(small(steps=20), small(steps=30, depth=4))
    (strange,) = runs(small(steps=5), owner="somebody-else-entirely")
    page = opened("runs")
    data = page.data()
    assert _ids(data)[:2] == [newer.id, older.id]
    assert strange.id not in _ids(data)
    facts = data["runs"][0]
    last = json.loads(newer.frames[-1])["variants"]["net"]
    assert (facts["state"], facts["step"], facts["steps"], facts["depth"]) == ("finished", 30, 30, 4)
    assert [one["loss"] for one in facts["reached"]] == [last["loss"]]
    assert facts["task"] == "two spirals"
    assert "days" in data["keeping"]["rule"]
    assert data["keeping"]["used"] >= 0


def test_of_a_run_of_several_networks_the_list_says_what_each_reached(opened, runs):
    experiment = small(steps=12)
    twin = edit.switch_all(experiment.network, False)
    (run,) = runs(experiment.replaced(variants={"residual": experiment.network, "plain": twin}))
    last = json.loads(run.frames[-1])["variants"]
    (facts,) = [one for one in opened("runs").data()["runs"] if one["id"] == run.id]
    assert [(one["label"], one["loss"]) for one in facts["reached"]] == [(name, last[name]["loss"]) for name in last]
    assert len({one["loss"] for one in facts["reached"]}) == 2
    assert all(one["held_out"] is not None for one in facts["reached"])


def test_pictures_come_for_the_runs_that_are_asked_for(opened, runs):
    (run,) = runs(small(steps=20))
    page = opened("runs")
    assert page.data()["cards"] == []
    (card,) = page.send("look", runs=[run.id, "nosuch"])["cards"]
    assert card["id"] == run.id
    assert card["svg"].startswith("<svg")
    assert card["history"]["rows"] == 6
    assert card["history"]["lines"][0].startswith("M0 ")


def test_a_new_name_stays(opened, runs):
    (run,) = runs(small(steps=5))
    data = opened("runs").send("rename", run=run.id, title="My first network")
    assert _titles(data)[0] == "My first network"
    assert _titles(opened("runs").data())[0] == "My first network"


@pytest.mark.parametrize("title", NONSENSE)
def test_a_name_is_kept_as_plain_text_on_one_line(opened, runs, title):
    (run,) = runs(small(steps=5))
    data = opened("runs").send("rename", run=run.id, title=title)
    assert data["message"] is None
    assert _titles(data)[0] == NONSENSE[title]


@pytest.mark.parametrize("title", ["", " \t ", "x" * (MAX_TITLE + 1), "y" * 1000, "\x00\x07"])
def test_a_name_that_is_none_is_refused_in_a_sentence_and_the_old_one_stays(opened, runs, title):
    (run,) = runs(small(steps=5))
    page = opened("runs")
    before = _titles(page.data())
    data = page.send("rename", run=run.id, title=title)
    assert data["message"][0] == "Not done."
    assert "title" in data["message"][1]
    assert _titles(data) == before


def test_a_deleted_run_is_gone_and_one_that_goes_on_is_stopped_first(opened, runs, engine):
    (ended,) = runs(small(steps=5))
    (going,) = runs(endless(), wait=False)
    wait_for(engine, lambda: going.state == "running")
    data = opened("runs").send("delete", runs=[ended.id, going.id])
    assert data["message"] is None
    assert not {ended.id, going.id} & set(_ids(data))
    assert engine.run(ended.id) is None
    assert engine.run(going.id) is None


def test_nobody_renames_or_deletes_what_is_not_their_own(opened, runs, engine):
    (strange,) = runs(small(steps=5), owner="somebody-else-entirely")
    page = opened("runs")
    for command in ({"operation": "rename", "run": strange.id, "title": "mine"}, {"operation": "delete", "runs": [strange.id]}):
        assert page.send(**command)["message"][0] == "Not done."
    assert page.send("look", runs=[strange.id])["cards"] == []
    assert engine.run(strange.id).title != "mine"


def test_a_command_that_is_none_is_told_so(opened):
    assert opened("runs").send("nosuch")["message"] == ["Not done.", "The page sent what is no command."]


def test_a_run_opens_in_the_lab_and_undo_brings_back_what_was_there(opened, runs):
    (run,) = runs(small(steps=5, depth=7))
    app = opened("figure")
    app.send("go", page="runs")
    app.follow("runs")
    app.send("open_run", run=run.id)
    data = app.follow("lab")
    assert (data["run"], data["network"]["depth"]) == (run.id, 7)
    assert app.send("undo")["network"]["depth"] == 24


def test_two_runs_chosen_are_shown_side_by_side(opened, runs):
    first, second = runs(small(steps=5), small(steps=5, learning_rate=0.01))
    app = opened("figure")
    app.send("go", page="runs")
    app.follow("runs")
    app.send("open_pair", runs=[first.id, second.id])
    data = app.follow("compare")
    assert [column["run"] for column in data["columns"]] == [first.id, second.id]
    assert data["differences"] == [{"what": "learning rate", "left": "0.001", "right": "0.01"}]
    assert [one["left"] for one in app.send("swap")["differences"]] == ["0.01"]


def test_two_architectures_are_called_by_their_names_and_what_is_changed_by_hand_says_so(opened, runs):
    residual = families.resnet(20, input=(1, 8, 8), head=10)
    made = small(steps=2).replaced(variants={"network": residual}, task=Task(name="digits", samples=100))
    (first,) = runs(made)
    (second,) = runs(made.with_network(edit.remove_skips(residual, [residual.skips[0].id])))
    (third,) = runs(small(steps=2))
    named = [opened("compare", runs=f"{first.id},{other.id}").data()["differences"][0] for other in (second, third)]
    assert named[0] == {"what": "network", "left": "ResNet", "right": "ResNet, changed"}
    assert named[1] == {"what": "network", "left": "ResNet", "right": "MLP"}


def test_a_link_to_two_runs_opens_for_everybody_and_says_what_differed_when_they_began(opened, runs, engine):
    (mine,) = runs(small(steps=40))
    (going,) = runs(endless(), owner="somebody-else-entirely", wait=False)
    wait_for(engine, lambda: going.state == "running")
    engine.post(going.id, going.owner, {"kind": "skip", "ids": ["s1-3"], "on": False})
    data = opened("compare", runs=f"{mine.id},{going.id}").data()
    assert [column["mine"] for column in data["columns"]] == [True, False]
    assert [one["what"] for one in data["differences"]] == ["steps"]
    heights = {column["diagram"]["height"] for column in data["columns"]}
    assert len(heights) == 1


@pytest.mark.parametrize("query", [{}, {"runs": ""}, {"runs": "nosuch,neither"}, {"runs": "<script>," + "x" * 5000}])
def test_an_address_that_names_no_two_runs_gives_a_sentence(opened, query):
    data = opened("compare", **query).data()
    assert data["columns"] == []
    assert data["problem"].endswith(".")


def test_two_networks_of_one_run_can_stand_side_by_side(opened, runs):
    experiment = small(steps=5)
    other = edit.switch_all(experiment.network, False)
    (run,) = runs(experiment.replaced(variants={"residual": experiment.network, "plain": other}))
    page = opened("compare", runs=f"{run.id},{run.id}")
    assert page.data()["differences"] == []
    data = page.send("variant", side=1, variant="plain")
    assert [column["variant"] for column in data["columns"]] == ["residual", "plain"]
    assert data["differences"] == [{"what": "all 2 skips", "left": "on", "right": "off"}]


def test_two_u_nets_side_by_side_are_drawn_as_a_u_each_and_one_beside_another_network_is_not(opened, runs):
    task = Task(name="shapes", samples=40)
    ways_down = families.unet(2, 4, padded=True, input=task.sample_shape(), head=task.head())
    made = small(steps=1).replaced(task=task, variants={"u": ways_down, "flat": edit.bare(ways_down)})
    (run,) = runs(made)
    page = opened("compare", runs=f"{run.id},{run.id}:flat")
    assert page.data()["u"] == {"on": False, "why": ""}
    data = page.send("layout", name="u")
    assert (data["u"]["on"], [column["u"]["shape"] for column in data["columns"]]) == (True, ["u", "u"])
    assert [column["diagram"]["shape"] for column in page.send("layout", name="column")["columns"]] == ["column", "column"]
    (chain,) = runs(small(steps=1))
    data = opened("compare", runs=f"{run.id},{chain.id}").data()
    assert data["u"] == {"on": False, "why": "B does not go down in scale and up again"}


def test_a_stopped_run_that_has_a_checkpoint_goes_on_from_it(opened, runs, engine, monkeypatch):
    monkeypatch.setattr(engine, "settings", engine.settings.model_copy(update={"checkpoint_seconds": 0.1}))
    (going,) = runs(endless(), wait=False)
    wait_for(engine, lambda: going.checkpoint)
    engine.post(going.id, OWNER, {"kind": "stop"})
    wait_for_end(engine, going)
    page = opened("runs")
    facts = next(run for run in page.run()["runs"] if run["id"] == going.id)
    assert (facts["state"], facts["resumable"]) == ("stopped", True)
    data = page.send("resume", run=going.id)
    assert data["message"] is None
    wait_for(engine, lambda: going.state == "running")
    with engine._lock:  # it goes on making checkpoints
        assert going.step >= going.checkpoint > 0
    assert page.send("resume", run=going.id)["message"] == ["Not done.", "This run goes on already"]
