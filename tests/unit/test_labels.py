"""Labels of networks: what people call them, beside the keys by which frames, events and files know them."""

import base64
import gzip
import io
import json
import re

import pandas
import pytest
from engines import frames_of, small, wait_for, wait_for_end
from scripts import losses_of

import skipviz
from skipviz import ExperimentError
from skipviz.description import described
from skipviz.learning.trainer import Trainer
from skipviz.sharing import table
from skipviz.sharing.script.experiment import script
from skipviz.tasks.event import message_from
from skipviz.tasks.experiment import experiment_from_json
from skipviz.web.content.files import RUN_FILES, recorded

ME = "owner-of-these-tests"
SEVERAL = small(steps=6, record_every=1)
SEVERAL = SEVERAL.replaced(variants={"net": SEVERAL.network, "bare": skipviz.edit.switch_all(SEVERAL.network, False)})
LABELS = {"net": "Mit Brücken (12)", "bare": "none"}
CALLED = SEVERAL.replaced(labels=LABELS)


def test_a_label_goes_with_links_and_json_and_changes_neither_what_is_trained_nor_a_link_without():
    assert skipviz.link.decode(skipviz.link.encode(CALLED)) == CALLED
    assert experiment_from_json(CALLED.to_json()) == CALLED
    assert CALLED.trained() == SEVERAL.trained()
    assert skipviz.link.encode(CALLED.replaced(labels={"net": "net"})) == skipviz.link.encode(SEVERAL)
    assert "labels" not in SEVERAL.to_json()


@pytest.mark.parametrize("label", ["", " x", "a,b", 'a"b', "=1+1", "-x", "a\nb", "a\u202eb", "a\\", "x" * 33, "a  b", 3])
def test_what_no_table_or_script_takes_is_no_label(label):
    data = {**json.loads(SEVERAL.to_json()), "labels": {"net": label}}
    with pytest.raises(ExperimentError, match="labels"):
        experiment_from_json(json.dumps(data))


def test_no_two_networks_are_called_alike():
    for labels in ({"net": "bare"}, {"net": "one", "bare": "one"}):
        with pytest.raises(skipviz.NetworkError, match="another network is called"):
            SEVERAL.replaced(labels=labels)
    assert SEVERAL.replaced(labels={"net": "bare", "bare": "net", "gone": "x"}).labels == {"net": "bare", "bare": "net"}


def test_tables_words_and_scripts_call_networks_by_their_labels_and_have_the_same_numbers():
    frames = list(skipviz.train(SEVERAL))
    read = pandas.read_csv(io.BytesIO(table.to_csv(table.table(CALLED, frames))))
    assert set(read["variant"]) == set(LABELS.values())
    assert "Mit Brücken (12): 6 layers" in described(CALLED)
    switch = message_from({"kind": "skip", "ids": ["s1-3"], "on": False, "variant": "net", "step": 2})
    plain, called = (losses_of(script(experiment, [switch])) for experiment in (SEVERAL, CALLED))
    assert [{LABELS[name]: value for name, value in row.items()} for row in plain[0]] == called[0]


def test_frames_are_those_of_the_names_whatever_the_labels():
    one, other = (Trainer(experiment).advance(record=True).to_data()["variants"] for experiment in (SEVERAL, CALLED))
    assert one == other


@pytest.mark.parametrize("events", [[], [{"kind": "skip", "ids": ["s1-3"], "on": False, "variant": "net"}]])
def test_a_label_that_is_given_later_stands_in_the_list_and_every_file_and_is_kept(start, events):
    engine = start()
    run = engine.run(engine.submit(SEVERAL, ME, events=[message_from({**event, "step": 3}) for event in events]))
    wait_for_end(engine, run)
    before, frames, edits = run.sequence, frames_of(run), run.edits
    engine.label(run.id, ME, LABELS)
    assert run.edits != edits
    assert (run.sequence, run.state) == (before + 1, "finished")
    with pytest.raises(skipviz.engine.EngineError, match="only the browser"):
        engine.label(run.id, "somebody-else", {})
    engine.close()
    again = start()
    found = wait_for(again, lambda: again.run(run.id))
    assert found.experiment.labels == found.began.labels == LABELS
    assert found.began.trained() == SEVERAL.trained()
    assert frames_of(found) == frames
    (row,) = again.runs_of(ME)
    assert (row["variants"], row["labels"]) == (["net", "bare"], [*LABELS.values()])
    made = {suffix: RUN_FILES[suffix](recorded(found), "x", "lab", None) for suffix in ("json", "html", "py")}
    assert experiment_from_json(made["json"]).labels == LABELS
    assert "Mit Brücken (12)" in made["py"].decode()
    packed = re.search(rb'id="recorded">([A-Za-z0-9+/=]+)</script>', made["html"])[1]
    replayed = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert {name: one["title"] for name, one in replayed["variants"].items()} == LABELS
