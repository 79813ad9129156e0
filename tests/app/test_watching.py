"""Watching in a session: what a watcher may not do, making it one's own, leading and following, lessons."""

from __future__ import annotations

import pytest
from engines import wait_for

from skipviz.engine import EngineError, get_engine
from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.document.labs import Labs
from skipviz.web.session_state.classroom import classrooms, new_token

OWNER, OTHER = "a-browser-of-these-tests", "another-browser-altogether"


def _small(depth: int = 4) -> Experiment:
    network = families.mlp(depth=depth, width=8, skip_every=2)
    task = Task(name="spiral", samples=100)
    return Experiment(variants={"network": network}, task=task, training=Training(steps=5, batch_size=8))


@pytest.fixture
def run(engine):
    """Another browser's run, paused before its first step, with a skip that was switched off in it."""
    run_id = get_engine().submit(_small(), OTHER, paused=True)
    get_engine().post(run_id, OTHER, {"kind": "skip", "ids": ["s1-3"], "on": False})
    wait_for(engine, lambda: engine.run(run_id).state == "paused" and not engine.run(run_id).waiting)
    yield run_id
    get_engine().post(run_id, OTHER, {"kind": "stop"})


@pytest.fixture
def watched(opened, run):
    """The lab, opened on another browser's run."""
    return opened("lab", run=run)


@pytest.mark.parametrize(
    "command",
    [
        {"operation": "skips", "ids": ["s1-3"], "changes": {"on": True}},
        {"operation": "insert_layer", "position": 1},
        {"operation": "start", "speed": None},
        {"operation": "reset"},
        {"operation": "undo"},
        {"operation": "rate", "learning_rate": 0.1},
        {"operation": "nosuch"},
    ],
)
def test_a_watcher_changes_nothing(watched, run, command):
    data = watched.send(**command)
    assert data["message"] == ["Not done.", "You are watching: make it mine to change it"]
    assert (data["run"], data["network"]["skips_on"], data["watch"]["follow"]) == (run, 0, None)


def test_a_watcher_cannot_post_through_the_page_either(watched, run):
    data = watched.send("tell", run=run, message={"kind": "stop"})
    assert "nly the browser that started this run" in data["message"][1]
    assert get_engine().run(run).state == "paused"


def test_a_watcher_has_no_settings_to_change(watched):
    assert not watched.test.sidebar.selectbox
    assert any("Make it mine" in caption.value for caption in watched.test.sidebar.caption)


def test_a_watching_page_that_is_drawn_anew_is_no_change_of_what_it_shows(watched, opened, run):
    token = new_token(OTHER)
    follower = opened("lab", follow=token)
    classrooms.show(token, _small(), run)
    for page in (watched, follower):
        before = page.run()["lab"]
        assert page.run()["lab"] == before


def test_what_its_owner_switches_meanwhile_is_seen(watched, run):
    get_engine().post(run, OTHER, {"kind": "skip", "ids": ["s1-3"], "on": True})
    assert watched.run()["network"]["skips_on"] == 1


def test_made_mine_it_is_a_copy_with_its_switches_and_undo_watches_again(watched, run):
    data = watched.send("mine")
    assert (data["run"], data["watch"], data["network"]["skips_on"], data["undo"]) == (None, None, 0, 1)
    assert watched.send("skips", ids=["s1-3"], changes={"on": True})["undo"] == 2
    assert watched.send("undo")["watch"] is None
    data = watched.send("undo")
    assert (data["run"], data["watch"]["follow"]) == (run, None)
    assert get_engine().run(run).state == "paused"


def test_the_owner_of_a_run_opens_its_link_and_steers(opened, engine):
    run_id = get_engine().submit(_small(), OWNER, paused=True)
    data = opened("lab", run=run_id).data()
    assert (data["run"], data["mine"], data["watch"]) == (run_id, True, None)
    get_engine().post(run_id, OWNER, {"kind": "stop"})


def test_a_run_that_is_gone_gives_a_sentence_and_its_experiment(opened):
    data = opened("lab", run="nosuch", x=link.encode(_small())).data()
    assert data["message"] == ["This run is no longer kept.", "Here is its experiment, ready to start."]
    assert data["network"]["depth"] == 4


def test_a_run_that_cannot_be_read_is_not_called_gone(opened, engine, monkeypatch):
    def unread(run_id):
        raise EngineError("the database is locked by another program", 503)

    monkeypatch.setattr(engine, "look_up", unread)
    data = opened("lab", run="locked", x=link.encode(_small())).data()
    assert data["message"] == ["This run cannot be read now; its link opens it later.", "Here is its experiment, ready to start."]


def test_a_lab_leads_its_classroom_into_runs_and_edits_until_it_ends(opened):
    leader = opened("lab", x=link.encode(_small()))
    token = leader.send("classroom", on=True)["lead"]
    assert classrooms.get(token).run is None
    started = leader.send("start", speed=None, ghost=False, paused=True)["run"]
    assert classrooms.get(token).run == started
    assert leader.send("insert_layer", position=1)["run"] is None
    assert (classrooms.get(token).run, classrooms.get(token).experiment.network.depth) == (None, 5)
    again = opened("lab", lead=token, x=link.encode(_small(6))).data()
    assert (again["lead"], classrooms.get(token).experiment.network.depth) == (token, 6)
    assert leader.send("classroom", on=False)["lead"] is None
    assert classrooms.get(token).ended


def test_a_follower_sees_what_is_shown_and_can_keep_it(opened, run):
    token = new_token(OTHER)
    follower = opened("lab", follow=token)
    assert (follower.data()["network"]["depth"], follower.data()["watch"]["version"]) == (24, 0)
    classrooms.show(token, _small(7), None)
    data = follower.run()
    assert (data["network"]["depth"], data["run"], data["watch"]["follow"]) == (7, None, token)
    classrooms.show(token, _small(7), run)
    assert follower.run()["run"] == run
    assert follower.test.query_params["follow"] in (token, [token])
    data = follower.send("mine")
    assert (data["watch"], data["run"], data["network"]["depth"]) == (None, None, 4)
    assert "follow" not in follower.test.query_params


def test_the_link_of_somebody_elses_classroom_cannot_be_led(opened):
    token = new_token(OTHER)
    data = opened("lab", lead=token).data()
    assert (data["lead"], data["watch"]["follow"]) == (None, token)


def test_a_lessons_groups_go_along_and_can_all_be_shown(opened):
    lab = opened("lab", hide="setup,<b>,picture,picture")
    assert lab.data()["view"]["hide"] == ["setup", "picture"]
    assert not lab.test.sidebar.selectbox
    assert lab.test.query_params["hide"] in ("setup,picture", ["setup,picture"])
    assert lab.send("view", hide=[])["view"]["hide"] == []
    assert lab.test.sidebar.selectbox
    assert "hide" not in lab.test.query_params


def test_a_projectors_diagram_has_the_height_that_its_screen_leaves(opened):
    lab = opened("lab", projector="1", x=link.encode(_small(24)))
    low = lab.send("view", projector=True, height=420)["diagram"]
    assert low["height"] <= 420 * 1.3
    assert low["collapsed"]
    assert not lab.send("view", projector=False, height=420)["diagram"]["collapsed"]
    assert lab.send("view", projector=True, height="tall")["view"]["projector"] is True


def test_a_links_code_is_told_to_the_page(opened):
    data = opened("lab").send("code", address="https://lab.example/lab?x=1")
    assert data["view"]["code"]["address"] == "https://lab.example/lab?x=1"
    assert set("".join(data["view"]["code"]["rows"])) == {"0", "1"}


def test_a_link_of_another_torch_says_so(opened, monkeypatch):
    text = link.encode(_small())
    monkeypatch.setattr("skipviz.sharing.link.torch_release", lambda: "9.0.0")
    assert opened("lab", x=text).data()["message"][0] == "This link was made with torch 2.13.0."


def test_what_could_be_undone_is_there_again_after_the_page_was_loaded_anew(opened):
    lab = opened("lab", x=link.encode(_small()))
    lab.send("insert_layer", position=1)
    lab.send("undo")
    data = lab.send("insert_layer", position=2)
    again = opened("lab", x=data["link"])
    assert again.data()["undo"] == 1
    assert again.send("undo")["network"]["depth"] == 4
    assert opened("lab", x=link.encode(_small(9))).data()["undo"] == 0


def test_what_could_be_undone_is_there_again_after_the_lab_has_left_the_memory(opened, monkeypatch):
    data = opened("lab", x=link.encode(_small())).send("insert_layer", position=1)
    for module in ("screens.opening", "screens.lab_page", "session_state.session"):
        monkeypatch.setattr(f"skipviz.web.{module}.labs", Labs())
    again = opened("lab", x=data["link"])
    assert again.data()["undo"] == 1
    assert again.send("undo")["network"]["depth"] == 4


def test_what_is_still_shown_can_be_kept_where_nobody_leads_any_more(opened, run):
    follower = opened("lab", follow=new_token(OTHER))
    data = follower.send("mine", run="nosuch", link=link.encode(_small(7)))
    assert (data["watch"], data["run"], data["network"]["depth"]) == (None, None, 7)
    again = opened("lab", follow=new_token(OTHER)).send("mine", run=run, link="")
    assert (again["network"]["depth"], again["network"]["skips_on"]) == (4, 0)


def test_a_file_too_large_for_the_page_gives_a_sentence(opened, monkeypatch):
    monkeypatch.setattr("skipviz.web.component.inline_download.MOST_BYTES", 100)
    file = opened("lab", x=link.encode(_small())).send("file", suffix="json", run="")["file"]
    assert file["problem"].startswith("This file has 0.0 MB, and at most ")
    assert "content" not in file
