"""What a picture shows of sequences is what the network gives, and looking changes nothing."""

import base64
import json

import numpy as np
import pytest
import torch

from skipviz import Convolution, Experiment, Layer, Network, Task, Training, families
from skipviz.learning.operation.attention import attention_weights
from skipviz.learning.trainer import Trainer
from skipviz.tasks.text import characters


def trainer_of(task: Task, steps: int = 5, **fields) -> Trainer:
    network = families.transformer(2, 16, 2, vocabulary=task.token_count(), input=task.input_for(False), head=task.head(), **fields)
    return Trainer(Experiment(variants={"net": network}, task=task, training=Training(steps=steps, batch_size=16)))


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_attention_shown_is_that_of_the_last_block_and_its_rows_sum_to_one(norm):
    trainer = trainer_of(Task(name="sequences", samples=100, length=6), norm=norm)
    picture = trainer.measure().variants["net"].picture
    json.dumps(picture, allow_nan=False)
    weights = np.frombuffer(base64.b64decode(picture["attention"]), np.uint8).reshape(2, 6, 6) / 255
    assert np.abs(weights.sum(2) - 1).max() < 0.02
    network = trainer.experiment.network
    last = [layer.id for layer in network.layers if layer.op.kind == "attention"][-1]
    assert picture["layer"] == last
    seen = []
    variant = trainer._variants["net"]
    operation = variant.model.layers[network.layer_index(last)].operation
    read = operation.read
    operation.read = lambda x: (seen.append(x), read(x))[1]
    variant._plans = {}
    variant.evaluate(trainer._painter.inputs[:1])
    del operation.read
    found = attention_weights(*operation.read(seen[0])[:2], operation.causal)
    assert np.abs(found[0].detach().numpy() - weights).max() < 0.003


def test_the_tokens_shown_are_held_out_ones_with_what_the_network_makes_of_them():
    trainer = trainer_of(Task(name="sequences", rule="sort", samples=100))
    picture = trainer.measure().variants["net"].picture
    assert np.array_equal(np.sort(picture["given"], axis=1), picture["truth"])
    with torch.no_grad():
        outputs = trainer._variants["net"].evaluate(torch.tensor(picture["given"]))
    assert outputs.argmax(2).tolist() == picture["predicted"]


def test_pictures_leave_a_run_of_tokens_bit_for_bit_as_it_is():
    task = Task(name="sequences", samples=100)
    shown, unseen = trainer_of(task), trainer_of(task)
    while not shown.finished:
        shown.advance(record=True, baseline=True, picture=True)
        unseen.advance(record=False)
    values = [trainer._variants["net"].flat.values for trainer in (shown, unseen)]
    assert torch.equal(*values)


def test_a_text_is_written_anew_from_the_same_random_numbers_so_that_only_the_network_changes_it():
    task = Task(name="text", samples=100, length=24)
    trainer = trainer_of(task, steps=40, causal=True)
    first, again = (trainer.measure().variants["net"].picture for _ in range(2))
    assert first == again
    assert set(first) == {"kind", "sample"}
    assert len(first["sample"]) == 23
    assert set(first["sample"]) <= set(characters())
    while not trainer.finished:
        trainer.advance(record=False)
    trainer.step = 0
    assert trainer.measure().variants["net"].picture != first


def test_a_character_is_drawn_from_what_the_network_says_after_those_before_it():
    task = Task(name="text", samples=100, length=12)
    trainer = trainer_of(task, causal=True)
    head = trainer._variants["net"].model.head
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(-50.0)[characters().index("W")] = 50.0
    assert trainer.measure().variants["net"].picture["sample"] == "W" * 11


def test_a_network_without_attention_has_tokens_but_no_map():
    task = Task(name="sequences", samples=100)
    network = families.transformer(1, 8, 2, vocabulary=10, input=(8,), head=task.head())
    layers = [layer for layer in network.layers if layer.op.kind != "attention"]
    network = network.replaced(layers=layers, skips=())
    trainer = Trainer(Experiment(variants={"net": network}, task=task, training=Training(batch_size=8)))
    assert "attention" not in trainer.measure().variants["net"].picture


def test_the_curve_shown_is_the_networks_own_and_the_header_has_its_points():
    network = families.mlp(depth=2, width=8, input=(1,), head=1)
    trainer = Trainer(Experiment(variants={"net": network}, task=Task(name="line"), training=Training(batch_size=8)))
    header, picture = trainer.header(), trainer.measure().variants["net"].picture
    left, right, bottom, top = picture["extent"]
    x = torch.linspace(left, right, *picture["size"])[:, None]
    assert np.abs(trainer._variants["net"].evaluate(x)[:, 0].numpy() - picture["fitted"]).max() < 0.001
    points = header["points"]
    assert (len(points["x"]), sum(points["held_out"])) == (256, 51)
    assert left < min(points["x"]) < max(points["x"]) < right
    assert bottom < min(points["y"]) < max(points["y"]) < top
    assert "label" not in points


@pytest.mark.parametrize(("padded", "side", "shown"), [(True, 16, 9), (False, 8, 9)])
def test_of_volumes_the_middle_slice_is_shown_with_its_number_and_whole_volumes_are_scored(padded, side, shown):
    task = Task(name="tubes", samples=40)
    layers = (Layer(op=Convolution(width=2, kernel=9, padding=None if padded else 0)),)
    network = Network(input=task.sample_shape(), layers=layers, head=task.head())
    trainer = Trainer(Experiment(variants={"net": network}, task=task, training=Training(batch_size=4)))
    picture = trainer.measure().variants["net"].picture
    assert (picture["size"], picture["slice"]) == ([side, side], [shown, 16])
    first, rim = (16 - side) // 2, slice((16 - side) // 2, (16 + side) // 2)
    truth = trainer._held_out_y[:3].numpy()[:, 0, :, rim, rim]
    slices = np.frombuffer(base64.b64decode(picture["truth"]), np.uint8).reshape(3, side, side)
    assert np.array_equal(slices, 255 * truth[:, shown - 1])
    given = trainer._variants["net"].evaluate(trainer.held_out_x[:3]).numpy()[:, 0] > 0
    whole = truth[:, first : first + side] > 0.5
    scores = [2 * (a & b).sum() / max(1, a.sum() + b.sum()) for a, b in zip(given, whole, strict=True)]
    assert picture["dice"] == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("name", ["shapes", "membranes"])
def test_large_masks_are_shown_at_no_more_than_64_pixels_a_side(name):
    task = Task(name=name, image_size=96, samples=40)
    network = families.conv(depth=1, width=2, input=(1, 96, 96), head=task.head())
    trainer = Trainer(Experiment(variants={"net": network}, task=task, training=Training(batch_size=4)))
    picture = trainer.measure().variants["net"].picture
    assert picture["size"] == [64, 64]
    for part in ("images", "truth", "predicted"):
        assert len(base64.b64decode(picture[part])) == 3 * 64 * 64
