"""A script of one's own data reads the person's file as skipviz read it, trains to the same bits, and takes no other file."""

from __future__ import annotations

import ast
import io
import sys

import numpy as np
import pytest
from image_files import PUBLIC
from own_data import experiment_on, pictures_file, table_file, task_of
from scripts import losses_of, losses_of_process, short, trained

from skipviz.settings import get_settings
from skipviz.sharing.script.experiment import ScriptError, script
from skipviz.tasks import read_table
from skipviz.tasks.own import UploadError
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads

EUROPEAN = "\ufeffnr;Größe in cm;\"Farbe; außen\";Note;sort;leer;wert\r\n" + "".join(
    f'{i};"{i % 7},{i}";{("rot", "blau", "?", "grün")[i % 4]};{i % 3};{("a", "b", "", "NA", "once" if i == 14 else "a")[i % 5]};;'
    f'{"" if i == 3 else "n. a." if i == 5 else f"{i * i},5"}\r\n{"" if i % 9 else chr(13) + chr(10)}'
    for i in range(60)
)  # fmt: skip
HOSTILE = '"""+__import__("os").abort()+"""'
POISONED = (
    table_file()
    .replace(b"id,size,shape", b'id,"""""""+__import__(""os"").abort()+""""""",sh\\')
    .replace(b"price", b"'''); {raise SystemExit} #")
)


def archive(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _pictures(channels: int, dtype=np.uint8, last: bool = False, masks=None) -> bytes:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 2 if dtype is bool else 200, (30, channels, 6, 5)).astype(dtype)
    labels = np.array([["later"], ["sooner"], ["é"]])[np.arange(30) % 3]
    more = {} if masks is None else {"masks": (images[:, :1] > 0.5 * images.max()) * np.array(masks)}
    return archive(images=images.transpose(0, 2, 3, 1) if last else images, labels=labels, **more)


PUBLIC_TARGETS = [
    ("pets.zip", "masks"), ("streets.zip", "masks"), ("breasts.zip", "masks"), ("breasts.zip", "labels"), ("animals.zip", "labels"),
    ("medical.npz", "labels"), ("one_hot.npz", "labels"),
]  # fmt: skip
CASES = {
    "classes": (table_file(), "things.csv", "kind"),
    "numbers": (table_file(), "things.csv", "price"),
    "words as classes, some missing, one of a single row": (EUROPEAN.encode(), "europa.csv", "sort"),
    "whole numbers as classes": (EUROPEAN.encode(), "europa.csv", "Note"),
    "numbers with decimal commas, some missing": (EUROPEAN.encode(), "europa.txt", "wert"),
    "hostile names": (POISONED, 'a"""b.csv', HOSTILE),
    "labels": (pictures_file(), "things.npz", "labels"),
    "masks": (pictures_file(), "things.npz", "masks"),
    "grey floats and labels": (_pictures(1, np.float64), "grey.npz", "labels"),
    "black and white": (_pictures(3, bool, last=True), "bits.npz", "labels"),
    "channels last and masks of 255": (_pictures(2, last=True, masks=255), "last.npz", "masks"),
    **{f"{target} of {name}": (PUBLIC[name](), name, target) for name, target in PUBLIC_TARGETS},
}


@pytest.fixture
def uploads():
    return Uploads(get_settings().uploads_place())


def written(uploads, content, name, target, steps=4, **fields):
    """Return an experiment on a file's data and its script."""
    experiment = short(experiment_on(task_of(uploads, content, name, target, **fields)), steps)
    return experiment, script(experiment, (), "experiment.py", uploads)


@pytest.mark.parametrize("case", CASES)
def test_it_trains_to_the_very_same_losses(uploads, tmp_path, monkeypatch, case):
    content, name, target = CASES[case]
    experiment, source = written(uploads, content, name, target, seed=3)
    path = tmp_path / "a file called otherwise"
    path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["experiment.py", str(path)])
    assert losses_of(source) == trained(experiment)


def test_numbers_that_are_all_the_same_where_they_are_held_out_have_no_share_explained(uploads, tmp_path, monkeypatch):
    rows = "".join(f"{i % 7 + i / 100},{0.5 if i == 11 else 0}\n" for i in range(40))
    path = tmp_path / "rare.csv"
    path.write_text(f"size,rare\n{rows}")
    monkeypatch.setattr(sys, "argv", ["experiment.py", str(path)])
    data = read(path.read_bytes(), "rare.csv")
    uploads.keep(data)
    task = Task(name="table", own=described(data, "rare", "numbers"))
    experiment = short(experiment_on(task), 2)
    losses, held_out = losses_of(script(experiment, (), "experiment.py", uploads))
    assert (losses, {"net": None}) == trained(experiment)
    assert np.isnan(held_out["net"])


def test_it_runs_beside_the_file_without_skipviz(uploads, tmp_path):
    experiment, source = written(uploads, *CASES["masks"])
    (tmp_path / "things.npz").write_bytes(CASES["masks"][0])
    printed = losses_of_process(source, tmp_path)
    wanted = [{name: float(f"{loss:.9g}") for name, loss in losses.items()} for losses in trained(experiment)[0]]
    assert printed == wanted


@pytest.mark.parametrize("case", ["classes", "labels"])
def test_any_other_file_is_refused_in_a_sentence(uploads, tmp_path, monkeypatch, case):
    content, name, target = CASES[case]
    _, source = written(uploads, content, name, target)
    table, pictures = table_file(), pictures_file()
    others = [
        table.replace(b"round", b"?", 1), table[: len(table) // 2], table.replace(b",", b";"), pictures_file(61), pictures[:-9],
        archive(images=np.zeros((30, 6, 5)), labels=np.arange(30)), archive(images=np.array([{}]), labels=np.array([{}])),
        b"", b"a,b\n1\n", b"\x93NUMPY",
    ]  # fmt: skip
    path = tmp_path / "other"
    monkeypatch.setattr(sys, "argv", ["experiment.py", str(path)])
    for other in others:
        path.write_bytes(other)
        with pytest.raises(SystemExit) as refused:
            losses_of(source)
        assert refused.value.code == f"{path} is another file than the {name} that this network was trained on."
    path.unlink()
    with pytest.raises(SystemExit, match=f"There is no file .*: give the path of {name} as the first argument"):
        losses_of(source)


@pytest.mark.parametrize("case", CASES)
def test_it_holds_only_what_this_file_needs_and_can_be_read(uploads, case):
    content, name, target = CASES[case]
    experiment, source = written(uploads, content, name, target)
    tree = ast.parse(source)
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert functions <= called
    lines = source.splitlines()
    assert len(lines) < 340
    assert max(map(len, lines)) <= 130
    assert ("import csv" in source) == (not experiment.task.own.is_pictures)


def test_what_is_not_at_hand_is_not_written(uploads, tmp_path):
    experiment, _ = written(uploads, *CASES["classes"])
    with pytest.raises(ScriptError, match=r"written from what was read of things\.csv"):
        script(experiment)
    with pytest.raises(UploadError, match=r"learns from things\.csv"):
        script(experiment, uploads=Uploads(tmp_path))


def test_a_table_that_was_kept_before_its_separator_was_noted_is_asked_for_again(tmp_path):
    kept = Uploads(tmp_path)
    data = read_table.read_table(table_file(), "things.csv")
    experiment, _ = written(kept, *CASES["classes"])
    kept.keep(type(data)(data.file, data.rows, data.columns, data.preview))
    with pytest.raises(UploadError, match="upload it again"):
        script(experiment, uploads=kept)
