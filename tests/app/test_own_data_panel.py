"""The sidebar's part for data of one's own: a file in, what was understood, a target, a mend, or a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_data import pictures_file, table_file
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task
from skipviz.web.sidebar import own_panel

take = own_panel._take_file


def upload(app, content: bytes, name: str) -> dict:
    """Send a file to the sidebar's uploader, and return what the component is told then."""
    app.test.file_uploader[0].upload(name, content)
    return app.run()


def said(app) -> str:
    """Return what the page says in blocks of its own."""
    return "\n".join(block.value for block in app.test.markdown)


@pytest.fixture
def table(lab):
    """The lab on the table, telling its kind."""
    lab.choose("selectbox", "Task", "table")
    upload(lab, table_file(), "things.csv")
    lab.choose("selectbox", "Target", "kind")
    return lab


def experiment(app) -> Experiment:
    return link.decode(app.data()["link"])


def test_choosing_ones_own_table_asks_for_a_file_and_changes_nothing_before(lab):
    before = lab.data()["link"]
    data = lab.choose("selectbox", "Task", "table")
    assert (data["link"], data["undo"]) == (before, 0)
    assert lab.widget("selectbox", "Task").value == "table"
    lab.choose("selectbox", "Task", "moons")
    assert not lab.test.file_uploader
    assert experiment(lab).task.name == "moons"


def test_a_table_is_read_said_and_learned_from(lab):
    lab.choose("selectbox", "Task", "table")
    data = upload(lab, table_file(), "things.csv")
    own = experiment(lab).task.own
    assert (own.file, own.target, own.kind, own.samples) == ("things.csv", "price", "numbers", 150)
    assert experiment(lab).network.input == (8,)
    assert len(data["probe"]["frame"]["variants"][data["variant"]]["weight_grad"]) == 24
    assert "Left out: id (it counts the rows)." in said(lab)
    assert "Missing: size 5, shape 5 of 150 values" in said(lab)
    assert "150 rows, 6 columns" in lab.test.expander[0].label


def test_how_numbers_are_read_is_switched_and_ids_are_taken_in(lab):
    lab.choose("selectbox", "Task", "table")
    prices = "\n".join(f"{row + 1};{row * 7 % 11};{('1.250', '950', '2.300')[row % 3]};{'ab'[row % 2]}" for row in range(60))
    upload(lab, f"No.;size;price;kind\n{prices}".encode("utf-16"), "prices.csv")
    assert "Read it as UTF-16 text." in said(lab)
    assert experiment(lab).network.input == (3,)
    lab.choose("selectbox", "1.250 is read as", "point")
    assert experiment(lab).task.own.decimal == "point"
    lab.choose("multiselect", "Ids taken in", ["No."])
    assert (experiment(lab).task.own.taken, experiment(lab).network.input) == (("No.",), (4,))
    lab.choose("selectbox", "1.250 is read as", "comma")
    assert experiment(lab).task.own.choices() == {"decimal": None, "dates": None, "taken": ("No.",)}


def test_a_table_of_pixels_is_offered_as_pictures(lab):
    lab.choose("selectbox", "Task", "table")
    rows = "\n".join(",".join([str(row % 3), *(str((row + place) % 256) for place in range(256))]) for row in range(40))
    upload(lab, rows.encode(), "mnist.csv")
    assert "mnist.csv holds the pixels of 40 pictures, a row each." in said(lab)
    next(button for button in lab.test.button if button.label == "Take its rows as pictures").click()
    lab.run()
    assert (experiment(lab).task.name, experiment(lab).network.input) == ("pictures", (1, 16, 16))
    assert "holds the pixels" not in said(lab)


def test_a_file_whose_bytes_are_gone_is_asked_for_once_more_and_changes_nothing(lab, monkeypatch):
    lab.choose("selectbox", "Task", "table")
    before = lab.data()["link"]
    with monkeypatch.context() as patch:
        patch.setattr(MemoryUploadedFileManager, "get_files", lambda *_, **__: [])
        assert upload(lab, table_file(), "things.csv")["link"] == before
    assert "The file did not arrive whole. Send it once more." in said(lab)
    upload(lab, table_file(), "things.csv")
    assert experiment(lab).task.own.file == "things.csv"


def test_a_file_is_read_once_where_its_rerun_was_cut_short(lab, monkeypatch):
    calls = []
    monkeypatch.setattr(own_panel, "_take_file", lambda *given: calls.append([take(*given) for _ in range(2)]))
    lab.choose("selectbox", "Task", "table")
    data = upload(lab, table_file(), "things.csv")
    assert calls
    assert experiment(lab).task.own.file == "things.csv"
    assert data["undo"] == 1
    assert "did not arrive" not in said(lab)


def test_another_target_brings_its_inputs_and_outputs_and_undo_takes_them_back(table):
    assert (experiment(table).network.input, experiment(table).network.head.outputs) == ((6,), 3)
    data = table.choose("selectbox", "Target", "price")
    assert (experiment(table).network.input, experiment(table).network.head.outputs) == ((8,), 1)
    assert data["metric"] == "r2"
    table.send("undo")
    assert table.widget("selectbox", "Target").value == "kind"


def test_pictures_come_with_convolutions_and_tell_masks_or_labels(lab):
    lab.choose("selectbox", "Task", "pictures")
    data = upload(lab, pictures_file(), "things.npz")
    assert experiment(lab).task.own.kind == "masks"
    assert {layer["kind"] for layer in data["network"]["layers"]} == {"conv"}
    assert data["metric"] == "iou"
    data = lab.choose("selectbox", "Target", "labels")
    assert (experiment(lab).network.input, experiment(lab).network.head.outputs) == ((3, 12, 16), 3)
    assert {layer["kind"] for layer in data["network"]["layers"]} == {"conv"}


@pytest.mark.parametrize(
    ("target", "family"),
    [("masks", "unet"), ("labels", "resnet"), ("labels", "densenet"), ("labels", "mlp"), ("labels", "highway")],
)
def test_the_families_for_pictures_are_built_for_their_shape(lab, target, family):
    lab.choose("selectbox", "Task", "pictures")
    upload(lab, pictures_file(), "things.npz")
    lab.choose("selectbox", "Target", target)
    data = lab.choose("selectbox", "Family", family)
    assert data["message"] is None
    assert data["probe"] is not None
    assert experiment(lab).task.own.kind == target
    assert lab.widget("selectbox", "Family").value == family


@pytest.mark.parametrize("family", ["unet", "resnet", "conv", "transformer"])
def test_a_family_that_a_table_does_not_fit_leaves_it_and_names_those_that_do(table, family):
    before = table.data()["link"]
    data = table.choose("selectbox", "Family", family)
    assert data["link"] == before
    assert data["message"][1].endswith("does not fit things.csv: choose MLP, Tabular ResNet or Highway.")


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (table_file()[:-30], "things.csv", "it may be cut short"),
        (b"\x80\x04\x95" + b"x" * 99, "things.csv", "things.csv is a pickle, which is never opened"),
        (pictures_file(), "things.npz", "things.npz is no table"),
        (b"MZ\0", "<img src=x onerror=alert(1)>.exe", "&lt;img src=x onerror=alert(1)&gt;.exe holds zero bytes"),
        (b"x", "![a](http://example.org/a.png).csv", "has one column"),
    ],
)
def test_a_bad_file_ends_in_a_sentence_and_changes_nothing(table, content, name, words):
    before = table.data()["link"]
    data = upload(table, content, name)
    assert words in said(table)
    assert data["link"] == before
    upload(table, table_file(), "things.csv")
    assert words not in said(table)
    assert table.data()["link"] == before


def test_a_network_opened_over_ones_own_data_is_explained_and_mended_with_one_button(table):
    data = table.choose("selectbox", "Start from", "vanishing-residual")
    assert "This network is for two spirals; things.csv is still here, but your own table gives 6 inputs" in said(table)
    button = next(button for button in table.test.button if button.label == "Give the network 6 inputs and 3 outputs")
    button.click()
    data = table.run()
    assert (experiment(table).task.own.target, experiment(table).network.input) == ("kind", (6,))
    assert data["network"]["skips_on"] == 11
    assert "things.csv is still here" not in said(table)
    table.send("undo")
    assert experiment(table).task.name == "spiral"


def test_a_network_that_cannot_learn_it_says_why_and_gives_way_to_a_usual_one_with_one_button(table):
    own = experiment(table).task
    table.choose("selectbox", "Start from", "unet-shapes")
    assert "the network cannot learn it: Your own table gives 6 inputs and no pictures" in said(table)
    next(button for button in table.test.button if button.label == "Take a usual MLP for it").click()
    table.run()
    assert experiment(table).task == own
    assert table.widget("selectbox", "Family").value == "mlp"


def test_going_back_to_the_task_needs_no_second_upload(table):
    before = experiment(table).task
    table.choose("selectbox", "Task", "moons")
    table.choose("selectbox", "Task", "table")
    assert experiment(table).task == before


def test_a_link_opened_where_the_data_is_not_asks_for_the_file_and_goes_on_with_it(table, opened, engine):
    made = experiment(table)
    path = Path(engine.uploads.place) / f"{made.task.own.digest}.npz"
    path.unlink()
    app = opened("lab", x=link.encode(made))
    assert "This experiment learns from things.csv (150 rows, target column kind), which is not on this server" in said(app)
    assert not app.data()["pending"]
    data = upload(app, table_file(), "renamed.csv")
    assert "not on this server" not in said(app)
    assert experiment(app) == made
    assert data["probe"] is not None


def test_a_link_whose_network_does_not_fit_its_task_is_mended_with_one_button(opened, monkeypatch):
    wrong = Experiment(variants={"net": families.mlp(depth=3, width=8)}).model_copy(update={"task": Task(name="digits")})
    app = opened("lab", x=link.encode(wrong))
    assert "The network that was opened does not fit its task: net: Digits gives 1×8×8 inputs and the network takes 2." in said(app)
    next(button for button in app.test.button if button.label == "Give the network 1×8×8 inputs and 10 outputs").click()
    app.run()
    assert (experiment(app).task.name, experiment(app).network.input, experiment(app).network.depth) == ("digits", (64,), 3)


def test_a_files_bytes_are_let_go_once_they_are_read(lab, monkeypatch):
    managers, remove = [], MemoryUploadedFileManager.remove_file
    monkeypatch.setattr(
        MemoryUploadedFileManager, "remove_file", lambda self, **which: (managers.append(self), remove(self, **which))
    )
    lab.choose("selectbox", "Task", "table")
    key = lab.test.file_uploader[0].key
    upload(lab, table_file(), "things.csv")
    (manager,) = managers
    assert not any(manager.file_storage.values())
    assert lab.test.file_uploader[0].key != key
