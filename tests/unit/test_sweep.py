"""Sweeps: which cells there are, what a cell's training is measured by, what cannot be varied, and the command."""

import csv
import io

import pandas
import pytest

from skipviz import NetworkError, edit, families, presets, train
from skipviz.command import main
from skipviz.learning.cell import cell_row
from skipviz.network.scalar_fields import scalar_fields
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.forms import FORMS
from skipviz.tasks.forms.form_values import built, usual_values
from skipviz.tasks.sweep import MOST_CELLS, Axis, Sweep, sweep_of, usual_sweep
from skipviz.tasks.sweep_field import fields_of
from skipviz.tasks.task import Task


def small(steps=6, **training) -> Experiment:
    """Return a residual stack of four layers on few points."""
    network = families.mlp(depth=4, width=8, skip_every=2)
    training = Training(steps=steps, batch_size=16, **training)
    return Experiment(variants={"net": network}, task=Task(name="spiral", samples=100), training=training)


def of_family(family: str) -> Experiment:
    """Return a family's usual network on its own task."""
    task = Task(name=FORMS[family].tasks[0])
    return Experiment(variants={"net": built(usual_values(family, task), task)}, task=task)


def test_cells_go_by_the_first_axis_then_by_the_second_and_are_the_networks_that_a_person_would_build():
    cells = list(sweep_of(small(), [("depth", ["2", "6"]), ("skips", ["off", "on"])]).cells())
    assert [cell.at for cell in cells] == [
        {"depth": depth, "skips": on} for depth, on in [(2, False), (2, True), (6, False), (6, True)]
    ]
    for cell in cells:
        stack = families.mlp(depth=cell.at["depth"], width=8, skip_every=2)
        assert cell.experiment.network == edit.switch_all(stack, cell.at["skips"])
        assert (cell.experiment.task, cell.experiment.training) == (small().task, small().training)


def test_a_training_a_data_set_and_all_parts_of_a_kind_are_varied_too():
    axes = [("learning_rate", ["0.1", "1"]), ("skip.gain", ["0", "0.5"])]
    last = list(sweep_of(small(), axes).cells())[-1].experiment
    assert last.training.learning_rate == 1
    assert {skip.gain for skip in last.network.skips} == {0.5}
    (cell,) = sweep_of(small(), [("layer.dropout", ["0.5"]), ("noise", ["none"])]).cells()
    assert {layer.dropout for layer in cell.experiment.network.layers} == {0.5}
    (cell,) = sweep_of(small(), [("data_seed", ["7"]), ("seed", ["9"])]).cells()
    assert (cell.experiment.task.seed, cell.experiment.training.seed) == (7, 9)
    (cell,) = sweep_of(of_family("unet"), [("image_size", ["16"])]).cells()
    assert cell.experiment.network.input[1:] == (16, 16)


def test_the_branch_scale_is_set_where_sums_land_and_nowhere_else():
    (cell,) = sweep_of(small(), [("layer.scale", ["0.5"])]).cells()
    ends = {skip.target for skip in small().network.skips}
    assert [layer.scale for layer in cell.experiment.network.layers] == [0.5 if k in ends else None for k in range(1, 5)]


@pytest.mark.parametrize("family", FORMS)
def test_every_field_of_every_family_takes_its_own_value_and_gives_an_experiment_or_a_sentence_for_others(family):
    base = of_family(family)
    known = fields_of(base)
    assert {setting.name for setting in FORMS[family].settings} <= set(known)
    for field in known.values():
        if field.value is not None:
            assert field.read(field.said(field.value)) == field.value
            assert field.checked(field.value) == field.value
    for field in list(known.values())[::5]:
        for cell in Sweep(base=base, axes=(Axis(field=field.name, values=field.suggested()[-1:] or (0,)),)).cells():
            assert (cell.experiment is None) == bool(cell.reason)


def test_no_familys_setting_has_the_name_of_another_field():
    others = set(scalar_fields(Training)) | set(scalar_fields(Task)) | {"data_seed", "skips"}
    assert not others & {setting.name for form in FORMS.values() for setting in form.settings}


def test_a_network_changed_by_hand_has_no_familys_fields_and_its_parts_can_be_varied():
    by_hand = edit.set_layer(small().network, "f2", init="zero")
    base = small().with_network(edit.remove_layer(edit.insert_layer(by_hand, 1), "f4"))
    assert set(fields_of(base)) >= {"skips", "learning_rate", "layer.activation", "linear.width"}


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ([("depth", ["0"])], "depth is a whole number from 1 to 2,500, not 0"),
        ([("depth", ["four"])], "depth is a whole number from 1 to 2,500, not 'four'"),
        ([("depth", ["4.5"])], "depth is a whole number from 1 to 2,500, not 4.5"),
        ([("norm", ["some"])], "norm is one of none, batch, layer, group, rms, instance, channel, not 'some'"),
        ([("skips", ["half"])], "skips is one of off, on, not 'half'"),
        ([("depth", ["4", "4"])], "depth has the same value twice"),
        ([("depth", ["4"]), ("depth", ["5"])], "both axes are depth: choose two fields"),
        ([("seed", [*map(str, range(21))]), ("steps", [*map(str, range(1, 21))])], "420 cells are more than the 400"),
    ],
)
def test_what_cannot_be_swept_is_said_in_one_sentence(axes, sentence):
    with pytest.raises(NetworkError) as refused:
        sweep_of(small(), axes)
    assert str(refused.value).startswith(sentence)


def test_a_field_that_is_not_there_is_answered_by_those_that_are():
    with pytest.raises(NetworkError, match="'deepness' is nothing that can be varied here; there is depth, width, "):
        sweep_of(small(), [("deepness", ["1"])])


def test_a_sweep_is_written_down_and_read_again():
    sweep = sweep_of(small(), [("skips", ["off", "on"]), ("clip_norm", ["none", "1"])])
    again = Sweep.kept(sweep.model_dump(mode="json", exclude_defaults=True))
    assert again == sweep
    assert [cell.at for cell in again.cells()] == [cell.at for cell in sweep.cells()]
    assert len(again) == 4 <= MOST_CELLS


def test_the_usual_sweep_is_over_depth_and_skips_where_a_network_has_them():
    assert [axis.field for axis in usual_sweep(presets.get("vanishing-plain")).axes] == ["depth", "skips"]
    assert [axis.field for axis in usual_sweep(presets.get("fcn-32s")).axes] == ["learning_rate"]


def test_a_row_has_the_numbers_of_the_trainings_first_and_last_step():
    (cell,) = sweep_of(small(record_every=1), [("depth", ["6"])]).cells()
    row = cell_row(cell)
    frames = [frame.variants["net"] for frame in train(cell.experiment)]
    first, last = frames[0], frames[-1]
    assert (row["final_loss"], row["held_out"], row["state"]) == (last.loss, last.held_out, "finished")
    assert (row["first_gradient_init"], row["first_gradient_end"]) == (first.weight_grad[0], last.weight_grad[0])
    assert row["ratio_init"] == first.weight_grad[0] / first.weight_grad[-1]
    assert row["ratio_end"] == last.weight_grad[0] / last.weight_grad[-1]
    assert row["seconds"] > 0
    assert tuple(row) == sweep_of(small(), [("depth", ["6"])]).columns()


def test_the_first_and_last_layer_are_those_with_weights():
    base = presets.get("vit-digits")
    base = base.replaced(training=base.training.replaced(steps=1))
    (cell,) = sweep_of(base, [("depth", ["1"])]).cells()
    network, row = cell.experiment.network, cell_row(cell)
    assert network.layers[0].id != network.weighted[0].id or network.layers[-1].id != network.weighted[-1].id
    assert row["first_gradient_init"] > 0
    assert row["ratio_init"] > 0


def test_a_cell_that_diverges_and_one_that_cannot_exist_say_why_and_stop_nothing():
    explosive = families.mlp(depth=4, width=8, skip_every=1, activation="none", init="he")
    base = small(steps=200, optimizer="sgd").with_network(explosive)
    rows = [cell_row(cell) for cell in sweep_of(base, [("learning_rate", ["10", "0.001"])]).cells()]
    assert [row["state"] for row in rows] == ["diverged", "finished"]
    assert rows[0]["reason"].startswith(f"diverged at step {rows[0]['diverged_at']}: f(")
    assert rows[0]["final_loss"] is None
    assert rows[0]["first_gradient_init"] > 0
    rows = [cell_row(cell) for cell in sweep_of(of_family("transformer"), [("width", ["8"]), ("heads", ["16"])]).cells()]
    assert [row["state"] for row in rows] == ["impossible"]
    assert "16" in rows[0]["reason"]


def test_a_cell_that_is_refused_or_fails_says_why():
    (cell,) = sweep_of(small(), [("depth", ["4"])]).cells()
    assert cell_row(cell, refuse=lambda experiment: "too large")["reason"] == "too large"

    def out_of_memory(share):
        raise MemoryError

    row = cell_row(cell, beat=out_of_memory, explain=lambda error: f"it met {type(error).__name__}")
    assert (row["state"], row["reason"], row["final_loss"]) == ("failed", "it met MemoryError", None)


def test_the_command_prints_a_table_and_writes_the_rows(tmp_path, capsys):
    path = tmp_path / "experiment.json"
    path.write_text(small().to_json())
    for name in ("rows.csv", "rows.parquet"):
        out = str(tmp_path / name)
        arguments = ["sweep", str(path), "--over", "depth=2,4", "--over", "skips=off,on", "--steps", "2", "--out", out]
        assert main(arguments) == 0
    printed = capsys.readouterr()
    table = printed.out.splitlines()[:5]
    assert table[0].split()[:2] == ["depth", "skips"]
    assert [line.split()[:2] for line in table[1:]] == [["2", "off"], ["2", "on"], ["4", "off"], ["4", "on"]]
    assert "4.0/4 cells" in printed.err
    rows = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text())))
    read = pandas.read_parquet(tmp_path / "rows.parquet")
    assert [row["depth"] for row in rows] == ["2", "2", "4", "4"]
    assert [float(row["final_loss"]) for row in rows] == list(read["final_loss"])
    assert list(read["skips"]) == [False, True, False, True]


@pytest.mark.parametrize(
    ("over", "sentence"),
    [("depth", "--over names a field and its values"), ("depth=", "--over names a field"), ("depth=0", "depth is a whole number")],
)
def test_the_command_refuses_in_one_sentence(over, sentence, capsys):
    assert main(["sweep", "vanishing-plain", "--over", over]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"skipviz: {sentence}")
    assert printed.err.count("\n") == 1
