"""Norms that have one or two values to normalise are named before anything is trained."""

import pytest

from skipviz import Experiment, Layer, Network, Pool, Task, Training, edit, families
from skipviz.command import main
from skipviz.learning.trainer import Trainer
from skipviz.tasks.cautions import cautions
from skipviz.tasks.suggested_fix import fitted


def experiment(network: Network, batch_size: int, task: str = "spiral") -> Experiment:
    network = fitted(network, Task(name=task))
    return Experiment(variants={"net": network}, task=Task(name=task), training=Training(batch_size=batch_size, steps=3))


def projected() -> Network:
    skip = {"channels": "project", "norm": "batch"}
    return edit.add_skip(families.mlp(depth=3, width=8), 0, 2, adapter=skip)


CASES = {
    "batch of 1": (families.mlp(depth=3, width=8, norm="batch"), 1, "The batch norm at f(1) and 2 more has one value"),
    "batch of 2": (families.mlp(depth=3, width=8, norm="batch"), 2, "The batch norm at f(1) and 2 more has two values"),
    "batch of 3": (families.mlp(depth=3, width=8, norm="batch"), 3, None),
    "positions count": (families.conv(depth=2, width=4, norm="batch"), 1, None),
    "groups of one": (families.mlp(depth=2, width=8, norm="group"), 64, "The group norm at f(1) and 1 more has one value"),
    "groups of two": (families.mlp(depth=2, width=16, norm="group"), 64, "The group norm at f(1) and 1 more has two values"),
    "one feature": (families.mlp(depth=1, width=1, norm="layer"), 64, "The layer norm at f(1) has one value"),
    "one feature, uncentred": (families.mlp(depth=1, width=1, norm="rms"), 64, "The RMS norm at f(1) has one value"),
    "two features, uncentred": (families.mlp(depth=1, width=2, norm="rms"), 64, None),
    "a skip's adapter": (projected(), 1, "The batch norm at the skip h(0) → h(2) has one value"),
    "a batch without norms": (families.mlp(depth=3, width=8), 1, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_norm_without_anything_to_compare_is_named(name):
    network, batch_size, words = CASES[name]
    said = cautions(experiment(network, batch_size, "digits" if len(network.input) == 3 else "spiral"))
    assert [sentence.startswith(words or "-") for sentence in said] == [True] * bool(words)


def test_no_gradient_gets_through_a_norm_of_one_value_as_the_sentence_says():
    network = families.mlp(depth=4, width=8, norm="batch")
    frame = Trainer(experiment(network, 1)).measure(baseline=False, picture=False).variants["net"]
    assert frame.state_grad[:4] == [0.0] * 4
    assert not frame.underflow
    assert not frame.blocked


def test_images_of_one_pixel_count_their_batch():
    conv = families.conv(depth=2, width=4, norm="batch")
    top = Layer(op=conv.layers[0].op, norm="batch")
    network = conv.replaced(layers=[*conv.layers, Layer(op=Pool(kernel=8, stride=8)), top])
    shapes = network.shapes.states
    said = cautions(experiment(network, 1, "digits"))
    assert shapes[-1][1:] == (1, 1)
    assert [sentence.split(" has ")[0] for sentence in said] == ["The batch norm at f(4)"]


def test_the_command_line_says_it_too(tmp_path, capsys):
    file = tmp_path / "one.json"
    file.write_text(experiment(CASES["batch of 1"][0], 1).to_json())
    assert main(["train", str(file), "--out", str(tmp_path / "run.csv")]) == 0
    assert "skipviz: The batch norm at f(1) and 2 more has one value to normalise" in capsys.readouterr().err
    assert main(["describe", str(file)]) == 0
    assert "has one value to normalise" in capsys.readouterr().out
