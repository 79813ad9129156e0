"""An experiment's JSON goes out of a session and in again, to its owner and to who looks on; what is none is refused."""

from __future__ import annotations

import base64
import json
import time

import pytest
from engines import PATIENCE, wait_for
from own_data import experiment_on, table_file, task_of

from skipviz.engine import get_engine
from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.component.inline_download import Downloads
from skipviz.web.content.files import pretty_json

OTHER = "another-browser-altogether"
FOUR = Experiment(
    variants={name: families.mlp(depth=depth, width=6) for depth, name in enumerate(("a", "b", "c.d", "e_f"), start=2)},
    task=Task(name="moons"),
    training=Training(seed=7, steps=12),
)


def _exported(app) -> str:
    """Return the JSON that the page would get of the experiment shown, and let it be forgotten."""
    file = app.send("file", suffix="json", run="")["file"]
    assert app.send("file_taken")["file"] is None
    return base64.b64decode(file["content"]).decode()


@pytest.mark.parametrize("what", ["own data", "four variants"])
def test_what_went_out_comes_in_again(lab, engine, what):
    experiment = FOUR if what == "four variants" else experiment_on(task_of(engine.uploads, table_file(), "things.csv", "kind"))
    data = lab.send("open_file", text=pretty_json(experiment).decode())
    assert (data["message"], link.decode(data["link"])) == (None, experiment)
    text = _exported(lab)
    lab.send("undo")
    data = lab.send("open_file", text=text)
    assert link.decode(data["link"]) == experiment
    assert data["stem"] == f"skipviz-{experiment.network.depth}-layers-{experiment.task.name}"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 99}, "version: there is no such field here; what has one may come from a newer skipviz"),
        ({"training": {"steps": 5, "warm_up": 3}}, "training.warm_up: there is no such field here; what has one may come from"),
        ({"task": {"name": "hologram"}}, "task.name: input should be 'spiral', 'moons'"),
        ({"training": {"steps": "many"}}, "training.steps: input should be a valid integer"),
    ],
)
def test_what_a_newer_version_or_another_program_wrote_is_refused_in_a_sentence(lab, change, sentence):
    before = lab.data()["link"]
    data = lab.send("open_file", text=json.dumps({**json.loads(FOUR.to_json()), **change}))
    title, words = data["message"]
    assert title == "This file does not open."
    assert words.lower().startswith(sentence)
    assert "\n" not in words
    assert data["link"] == before


@pytest.fixture
def watched(opened, engine):
    """The lab, opened on another browser's run, which has begun: before, there is nothing of it to take along."""
    run = get_engine().submit(FOUR, OTHER, paused=True)
    wait_for(engine, lambda: engine.run(run).header_json)
    yield opened("lab", run=run), run
    get_engine().post(run, OTHER, {"kind": "stop"})


def test_a_file_that_a_watcher_opens_is_their_own_experiment_and_undo_watches_again(watched):
    app, run = watched
    other = presets.get("vanishing-residual")
    data = app.send("open_file", text=other.to_json())
    assert (data["watch"], data["run"], data["mine"], data["message"]) == (None, None, True, None)
    assert link.decode(data["link"]) == other
    data = app.send("undo")
    assert (data["run"], data["watch"]["follow"]) == (run, None)
    data = app.send("open_file", text="{}")
    assert data["message"][0] == "This file does not open."
    assert data["run"] == run
    mismatched = json.loads(FOUR.to_json()) | {"task": {"name": "digits"}}
    data = app.send("open_file", text=json.dumps(mismatched))
    assert "Digits gives" in data["message"][1]
    assert data["run"] == run


def test_a_watcher_takes_the_run_along(watched):
    app, run = watched
    file = app.send("file", suffix="json", run="")["file"]
    assert json.loads(base64.b64decode(file["content"])) == json.loads(FOUR.to_json())
    assert app.send("file", suffix="py", run=run)["file"]["name"] == f"skipviz-2-layers-moons-{run}.py"


def test_a_file_that_no_page_takes_is_forgotten():
    patient, hasty = Downloads(), Downloads(seconds=0.05)
    for downloads in (patient, hasty):
        downloads.put({"n": 1, "content": "x" * 1000})
    assert patient.file()["n"] == 1
    end = time.monotonic() + PATIENCE
    while hasty.file() is not None:
        assert time.monotonic() < end
        time.sleep(0.01)
