"""Data of one's own: kept by digest, described in a link, standardised, learned from, shown, and the same every time."""

import base64
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from engines import frames_of, wait_for_end
from image_files import streets
from own_data import KINDS, experiment_on, pictures_file, table_file, task_of
from pydantic import ValidationError

from skipviz import families, link
from skipviz.command import main
from skipviz.engine import EngineError
from skipviz.engine.capacity.limits import memory_mb
from skipviz.learning.trainer import Trainer
from skipviz.settings import get_settings
from skipviz.tasks.data import dataset
from skipviz.tasks.experiment import Training
from skipviz.tasks.forms.architecture import usual, with_family, with_task
from skipviz.tasks.forms.family_detection import recognised
from skipviz.tasks.own import Own, UploadError
from skipviz.tasks.suggested_fix import fitted
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads

PARTS = ("x", "y", "held_out_x", "held_out_y")
CASES = {
    "classes": (table_file(), "things.csv", "kind"),
    "numbers": (table_file(), "things.csv", "price"),
    "labels": (pictures_file(), "things.npz", "labels"),
    "masks": (pictures_file(), "things.npz", "masks"),
    "pixel_classes": (streets(), "streets.zip", "masks"),
}


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path / "uploads")


@pytest.fixture(params=CASES)
def task(request, uploads):
    """A task of each kind, its data kept."""
    return task_of(uploads, *CASES[request.param])


def own_of(case: str) -> Own:
    content, name, target = CASES[case]
    return described(read(content, name), target)


def test_kept_data_is_what_was_read_and_the_file_itself_is_not_kept(uploads):
    for content, name, _ in CASES.values():
        data = read(content, name)
        uploads.keep(data)
        own = described(data)
        assert uploads.load(own).digest() == data.digest()
        assert uploads.load(own).targets() == data.targets()
        with np.load(Path(uploads.place) / f"{own.digest}.npz", allow_pickle=False) as arrays:
            assert all(not arrays[key].dtype.hasobject for key in arrays.files)
    assert len(list(Path(uploads.place).iterdir())) == 3


def test_no_name_but_a_digest_leads_to_a_file(uploads, tmp_path):
    (tmp_path / "secret.npz").write_bytes(b"x")
    own = own_of("classes")
    for digest in ("../secret", "secret", "", "A" * 64, "a" * 63, "a" * 64 + "/.."):
        assert not uploads.has(digest)
        with pytest.raises(UploadError):
            uploads.load(own.model_copy(update={"digest": digest}))
        with pytest.raises(ValidationError):
            Own.model_validate({**own.model_dump(), "digest": digest})


def test_data_that_is_not_here_is_asked_for_by_name_and_target(uploads):
    with pytest.raises(UploadError, match=r"learns from things\.csv \(150 rows, target column kind\), which is not on this server"):
        dataset(Task(name="table", own=own_of("classes")), uploads)


def test_damaged_or_exchanged_data_is_not_learned_from(uploads, task):
    path = Path(uploads.place) / f"{task.own.digest}.npz"
    content = path.read_bytes()
    for damaged in (content[:200], b"", content[:-400] + bytes(400), bytes(len(content))):
        path.write_bytes(damaged)
        with pytest.raises(UploadError, match="upload it again"):
            dataset(task, uploads)


def test_a_description_that_does_not_tell_the_truth_of_the_data_is_refused(uploads, task):
    told = {"samples": task.own.samples - 1} if not task.own.classes else {"classes": ("x", "y", "z")}
    with pytest.raises(UploadError, match="is not what this experiment says"):
        dataset(task.replaced(own=task.own.replaced(**told)), uploads)
    renamed = task.replaced(own=task.own.replaced(file="other.name"))
    assert np.array_equal(dataset(renamed, uploads).x, dataset(task, uploads).x)


def test_the_oldest_data_gives_way_to_new_and_what_is_used_stays(uploads):
    bounded = Uploads(Path(uploads.place), hours=10**6)
    tables = [read(table_file() + b"\n999,1,round,0,red,%d" % i, "x.csv") for i in range(4)]
    for age, table in enumerate(tables[:3]):
        path = Path(uploads.place) / f"{bounded.keep(table)}.npz"
        os.utime(path, (1e9 + age, 1e9 + age))
    size = path.stat().st_size
    bounded.load(described(tables[0]))
    bounded._most = int(2.5 * size)
    bounded.keep(tables[3])
    assert [bounded.has(table.digest()) for table in tables] == [True, False, False, True]
    os.utime(Path(uploads.place) / f"{tables[0].digest()}.npz", (1e9, 1e9))
    Uploads(Path(uploads.place), hours=1).keep(tables[3])
    assert not uploads.has(tables[0].digest())


def test_a_disk_that_takes_nothing_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UploadError, match="cannot keep the data at present"):
        Uploads(tmp_path / "file" / "uploads").keep(read(table_file(), "x.csv"))


def test_a_fifth_of_each_class_is_held_out_and_a_seed_gives_the_same_samples(uploads, task):
    first, again, other = dataset(task, uploads), dataset(task, uploads), dataset(task.replaced(seed=1), uploads)
    assert all(np.array_equal(getattr(first, part), getattr(again, part)) for part in PARTS)
    assert not np.array_equal(first.x, other.x)
    assert first.x.shape[1:] == task.sample_shape()
    assert len(first.x) + len(first.held_out_x) == task.sample_count()
    assert len(first.held_out_x) == pytest.approx(task.sample_count() / 5, abs=2)
    types = {"masks": np.float32, "numbers": np.float32, "pixel_classes": np.uint8}
    assert (first.x.dtype, first.y.dtype) == (np.float32, types.get(task.own.kind, np.int64))
    if first.y.dtype == np.int64:
        counts = [np.bincount(labels) / len(labels) for labels in (first.y, first.held_out_y)]
        assert np.abs(counts[0] - counts[1]).max() < 0.05


def test_inputs_are_standardised_by_the_training_part_and_a_missing_number_is_its_mean(uploads):
    data = dataset(task_of(uploads, *CASES["classes"]), uploads)
    size, noise = data.x[:, 0], data.x[:, 4]
    assert abs(size[size != 0].mean()) < 1e-6
    assert abs(size[size != 0].std() - 1) < 1e-6
    assert (np.concatenate([size, data.held_out_x[:, 0]]) == 0).sum() == 5
    assert abs(noise.std() - 1) < 1e-6
    assert set(np.unique(data.x[:, 1:4])) == {0, 1}
    assert (data.x[:, 1:4].sum(1) == 1).all()


def test_pictures_are_standardised_channel_by_channel_and_can_be_shown_as_they_were(uploads):
    task = task_of(uploads, *CASES["masks"])
    data = dataset(task, uploads)
    assert np.abs(data.x.mean((0, 2, 3))).max() < 1e-4
    assert np.abs(data.x.std((0, 2, 3)) - 1).max() < 1e-4
    mean, deviation = (np.array(part)[:, None, None] for part in zip(*data.scale, strict=True))
    shown = data.x * deviation + mean
    assert np.allclose(np.round(shown * 255), shown * 255, atol=0.01)


def test_a_link_carries_the_description_in_few_characters_and_no_data(uploads, task):
    experiment = experiment_on(task)
    text = link.encode(experiment)
    assert link.decode(text) == experiment
    assert len(text) < 500


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "a/../b\n.csv"},
        {"file": "x" * 60},
        {"target": "a\u202eb"},
        {"classes": ("one",)},
        {"classes": ()},
        {"classes": tuple(map(str, range(51)))},
        {"shape": (1, 8, 8)},
        {"shape": (501,)},
        {"shape": (0,)},
        {"samples": 5},
        {"samples": 100_001},
        {"kind": "labels", "shape": (1, 8, 8), "samples": 20_001},
        {"samples": 32_561, "shape": (123,)},
        {"kind": "masks"},
        {"columns": tuple(map(str, range(13)))},
    ],
)
def test_a_description_out_of_bounds_is_refused(changes):
    with pytest.raises(ValidationError):
        Own.model_validate({**own_of("classes").model_dump(), **changes})


def test_a_task_of_ones_own_needs_a_description_of_its_kind():
    for fields in ({"name": "table"}, {"name": "pictures", "own": own_of("classes")}, {"own": own_of("classes")}):
        with pytest.raises(ValidationError):
            Task(**fields)


@pytest.mark.parametrize("case", CASES)
def test_input_and_head_follow_the_data(case):
    own = own_of(case)
    task = Task(name="pictures" if own.is_pictures else "table", own=own)
    network = fitted(families.conv(depth=2) if own.is_pictures else families.mlp(depth=2), task)
    expected = {
        "classes": ((6,), (3,)),
        "numbers": ((8,), (1,)),
        "labels": ((3, 12, 16), (3,)),
        "masks": ((3, 12, 16), (1, 12, 16)),
        "pixel_classes": ((3, 32, 64), (3, 32, 64)),
    }
    assert (network.input, network.shapes.output) == expected[case]


@pytest.mark.parametrize("case", CASES)
def test_a_worker_learns_it_well_above_chance_and_bit_for_bit_the_same_again(engine, case):
    task = task_of(engine.uploads, *CASES[case])
    steps = {"classes": 120, "numbers": 120, "labels": 80, "masks": 80, "pixel_classes": 50}
    experiment = experiment_on(task, steps=steps[case])
    runs = [wait_for_end(engine, engine.run(engine.submit(experiment, "me"))) for _ in range(2)]
    assert [run.state for run in runs] == ["finished", "finished"], runs[0].reason
    values = [[frame["variants"]["net"] for frame in frames_of(run) if not frame.get("passing")] for run in runs]
    assert [value["loss"] for value in values[0]] == [value["loss"] for value in values[1]]
    last = values[0][-1]
    assert last["loss"] < values[0][0]["loss"] / 2
    assert last["held_out"] > {"classes": 0.9, "numbers": 0.8, "labels": 0.9, "masks": 0.6, "pixel_classes": 0.5}[case]
    assert last["picture"]["kind"] == task.kind.picture


def test_the_gradient_at_initialisation_is_measured_on_it(engine):
    task = task_of(engine.uploads, *CASES["classes"])
    answer = engine.probe(experiment_on(task), timeout=60)
    assert answer["header"]["classes"] == sorted(KINDS)
    assert len(answer["frame"]["variants"]["net"]["weight_grad"]) == 4


@pytest.mark.parametrize("family", ["unet", "fcn"])
def test_networks_for_masks_give_a_number_for_each_class_of_pixels(family):
    """The head follows, and so do the scores of a fully convolutional network; a run of it can be afforded."""
    task = Task(name="pictures", own=own_of("pixel_classes"))
    for at in (task, Task(name="shapes")):
        experiment = usual(at, Training())
        made = with_family(experiment, recognised(experiment), family, at)
        moved = with_task(made, recognised(made), task)
        assert moved.network.shapes.output == (3, 32, 64)
        assert recognised(moved).family == family
        assert memory_mb(moved) < 500
        assert link.decode(link.encode(moved)) == moved


def test_the_picture_of_classes_shows_each_pixels_true_class_and_the_likeliest(uploads):
    task = task_of(uploads, *CASES["pixel_classes"])
    trainer = Trainer(experiment_on(task), uploads=uploads)
    picture, data = trainer.measure().variants["net"].picture, dataset(task, uploads)
    shown = {name: np.frombuffer(base64.b64decode(picture[name]), np.uint8).reshape(3, 32, 64) for name in ("truth", "predicted")}
    assert np.array_equal(shown["truth"], data.held_out_y[:3])
    outputs = trainer._variants["net"].evaluate(torch.from_numpy(data.held_out_x[:3]))
    assert np.array_equal(shown["predicted"], outputs.argmax(1).numpy())
    assert len(picture["iou"]) == picture["count"] == 3
    assert trainer.header()["classes"] == ["0", "5", "11"]


def test_where_the_data_is_not_neither_a_run_nor_a_measurement_begins(engine):
    data = read(table_file() + b"\n999,1,round,0,red,77", "lost.csv")
    experiment = experiment_on(Task(name="table", own=described(data, "kind")))
    with pytest.raises(EngineError, match=r"learns from lost\.csv"):
        engine.submit(experiment, "me")
    assert engine.probe(experiment, timeout=30) is None


def test_data_that_goes_while_a_run_waits_fails_it_with_a_sentence(engine):
    data = read(table_file() + b"\n999,1,round,0,red,78", "gone.csv")
    own = described(data, "kind")
    experiment = experiment_on(Task(name="table", own=own))
    engine.uploads.keep(data)
    (Path(engine.uploads.place) / f"{own.digest}.npz").write_bytes(b"damaged")
    run = wait_for_end(engine, engine.run(engine.submit(experiment, "me")))
    assert (run.state, run.reason) == ("failed", "the data of gone.csv on this server is damaged: upload it again")


def test_the_picture_of_a_table_counts_the_networks_own_answers(uploads):
    task = task_of(uploads, *CASES["classes"])
    trainer = Trainer(experiment_on(task), uploads=uploads)
    picture = trainer.measure().variants["net"].picture
    data, variant = dataset(task, uploads), trainer._variants["net"]
    predicted = variant.evaluate(torch.from_numpy(data.held_out_x)).argmax(1).numpy()
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (data.held_out_y, predicted), 1)
    assert np.array_equal(np.reshape(picture["counts"], (3, 3)), counts)


def test_the_picture_of_numbers_is_in_the_tables_own_unit(uploads):
    task = task_of(uploads, *CASES["numbers"])
    trainer = Trainer(experiment_on(task), uploads=uploads)
    picture = trainer.measure().variants["net"].picture
    json.dumps(picture, allow_nan=False)
    prices = {float(line.rsplit(",", 1)[1]) for line in table_file().decode().splitlines()[1:]}
    assert all(min(abs(truth - price) for price in prices) < 0.005 for truth in picture["truth"])
    assert picture["extent"][0] < min(picture["truth"]) < max(picture["truth"]) < picture["extent"][1]


def test_the_picture_of_pictures_has_their_own_colours(uploads):
    task = task_of(uploads, *CASES["labels"])
    trainer = Trainer(experiment_on(task), uploads=uploads)
    picture = trainer.measure().variants["net"].picture
    pixels = np.frombuffer(base64.b64decode(picture["images"]), np.uint8).reshape(12, 12, 16, 3)
    brightest = pixels.reshape(12, -1, 3).max(1).argmax(1)
    names = [sorted(KINDS)[label] for label in picture["label"]]
    assert [KINDS[channel] for channel in brightest] == names


def test_masks_of_unequal_sides_are_shown_with_grey_pictures(uploads):
    trainer = Trainer(experiment_on(task_of(uploads, *CASES["masks"])), uploads=uploads)
    picture = trainer.measure().variants["net"].picture
    assert picture["size"] == [12, 16]
    assert len(base64.b64decode(picture["images"])) == 3 * 12 * 16


def test_the_command_line_trains_on_kept_data_and_asks_for_what_is_not_there(tmp_path, capsys):
    kept = Uploads(get_settings().uploads_place())
    task = task_of(kept, *CASES["classes"])
    path = tmp_path / "mine.json"
    path.write_text(experiment_on(task, steps=3).to_json())
    assert main(["train", str(path), "--out", str(tmp_path / "out.csv")]) == 0
    assert main(["describe", str(path)]) == 0
    assert "tell kind (3 classes) from 6 inputs made of things.csv" in capsys.readouterr().out
    assert main(["code", str(path)]) == 0
    printed = capsys.readouterr()
    assert 'NAME = "things.csv"' in printed.out
    assert "the script reads things.csv: lay it beside the script" in printed.err
    (Path(kept.place) / f"{task.own.digest}.npz").unlink()
    assert main(["train", str(path), "--out", str(tmp_path / "out.csv")]) == 2
    assert "skipviz: this experiment learns from things.csv" in capsys.readouterr().err
    assert main(["code", str(path)]) == 2
    assert "a script is written from what was read of things.csv, which" in capsys.readouterr().err
