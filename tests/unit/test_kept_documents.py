"""What could be undone, on the disk: there again for the same browser at the same address, within bounds."""

import os
from random import Random

import pytest
from engines import small

from skipviz.network import edit, families
from skipviz.web.content import kept_documents
from skipviz.web.content.page_data import link_of
from skipviz.web.document.commands import handle
from skipviz.web.document.document import Document
from skipviz.web.document.labs import Labs

ME = "a-browser"


@pytest.fixture(autouse=True)
def folder(tmp_path, engine, monkeypatch):
    """A folder of the test's own."""
    monkeypatch.setattr(kept_documents, "_folder", lambda: tmp_path / "labs")
    return tmp_path / "labs"


def _edited(times: int = 3):
    """Return a lab in which layers were inserted, and one of them was taken back."""
    lab = Labs().opened(small(depth=4), ME)
    for position in range(1, times + 1):
        handle(lab, {"op": "insert_layer", "position": position}, None)
    handle(lab, {"op": "undo"}, None)
    return lab


def test_undo_and_redo_are_there_again_for_the_same_browser_at_the_same_address():
    lab = _edited()
    kept_documents.keep(lab, "here")
    document = kept_documents.found(ME, "here")
    assert document.undo == lab.document.undo
    assert document.redo == lab.document.redo
    assert len(document.undo) == 2
    for owner, place in (("another", "here"), (ME, "there")):
        assert kept_documents.found(owner, place) is None


def test_a_run_that_an_edit_has_ended_comes_back_with_the_undo_of_that_edit(engine):
    lab = Labs().opened(small(depth=4, steps=1_000_000), ME)
    handle(lab, {"op": "start", "paused": True}, None)
    run = lab.document.run
    handle(lab, {"op": "insert_layer", "position": 1}, None)
    kept_documents.keep(lab, "here")
    again = Labs().opened(lab.document.experiment, ME)
    again.restore(kept_documents.found(ME, "here"))
    handle(again, {"op": "undo"}, None)
    assert again.document.run == run


def test_a_lab_has_one_file_wherever_it_stands_and_none_before_anything_was_done(folder):
    lab = _edited()
    kept_documents.keep(Labs().opened(small(), ME), "unchanged")
    for place in ("here", "there"):
        handle(lab, {"op": "insert_layer", "position": 1}, None)
        kept_documents.keep(lab, place)
    assert len([*folder.iterdir()]) == 1
    assert kept_documents.found(ME, "here") is None
    assert len(kept_documents.found(ME, "there").undo) == 4


def test_the_nearest_steps_are_kept_where_there_is_no_room_for_all(monkeypatch):
    lab = _edited(6)
    monkeypatch.setattr(kept_documents, "MOST_CHARACTERS", 2 * max(len(link_of(one)) for one in lab.document.undo))
    kept_documents.keep(lab, "here")
    assert kept_documents.found(ME, "here").undo == lab.document.undo[-2:]


def test_experiments_that_no_link_holds_are_kept_too_within_the_same_bounds(monkeypatch):
    factors, network = Random(0), families.mlp(depth=1200, width=4)
    layers = tuple(layer.replaced(init_factor=round(factors.uniform(0.5, 2), 9)) for layer in network.layers)
    lab = Labs().opened(small(depth=4).with_network(network.replaced(layers=layers)), ME)
    assert link_of(lab.document.experiment) == ""
    for position in (1, 2):
        handle(lab, {"op": "insert_layer", "position": position}, None)
    handle(lab, {"op": "undo"}, None)
    kept_documents.keep(lab, "here")
    document = kept_documents.found(ME, "here")
    assert (document.undo, document.redo) == (lab.document.undo, lab.document.redo)
    monkeypatch.setattr(kept_documents, "MOST_CHARACTERS", 10)
    handle(lab, {"op": "redo"}, None)
    kept_documents.keep(lab, "here")
    assert kept_documents.found(ME, "here") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"undo": ["nonsense"], "redo": [], "ended": []}', '{"undo": 3}', "\xff"])
def test_a_damaged_file_is_as_none(folder, content):
    lab = _edited()
    kept_documents.keep(lab, "here")
    (file,) = folder.iterdir()
    file.write_text(content, encoding="latin-1")
    assert kept_documents.found(ME, "here") is None


def test_only_so_many_bytes_are_kept_and_none_longer_than_runs_are(folder, engine, monkeypatch):
    kept_documents.keep(_edited(), "first")
    monkeypatch.setattr(kept_documents, "MOST_BYTES", 2 * next(folder.iterdir()).stat().st_size + 1)
    for place in "0123":
        kept_documents.keep(_edited(), place)
        for path in folder.iterdir():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
    assert [kept_documents.found(ME, place) is not None for place in "0123"] == [False, True, True, True]
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    kept_documents.keep(_edited(), "newest")
    assert [kept_documents.found(ME, place) is not None for place in ("3", "newest")] == [False, True]


def test_a_folder_that_takes_nothing_loses_the_undo_and_nothing_else(folder):
    folder.write_text("in its place")
    kept_documents.keep(_edited(), "here")
    assert kept_documents.found(ME, "here") is None


def test_an_experiment_is_the_same_once_it_was_read():
    lab = _edited()
    network = lab.document.experiment.network
    switched = lab.document.experiment.with_network(edit.set_layers(network, [network.layers[0].id], gain=0.25))
    lab.change(lambda document: document.put(switched))
    lab.change(lambda document: document.put(small(depth=3)))
    kept_documents.keep(lab, "here")
    assert kept_documents.found(ME, "here").undo[-1] == switched
    assert isinstance(kept_documents.found(ME, "here"), Document)
