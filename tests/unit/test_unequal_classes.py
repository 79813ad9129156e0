"""Where classes are unequal an accuracy flatters: what stands beside it is scikit-learn's, from a frame to its table."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from own_data import experiment_on
from sklearn.metrics import balanced_accuracy_score, recall_score

from skipviz.learning.frame_text import decode_frame, encode_frame
from skipviz.learning.metric.accuracy import balanced, recalls
from skipviz.learning.trainer import Trainer
from skipviz.network import families
from skipviz.sharing.table import table, to_csv
from skipviz.storage.columns import Row, rows_from, table_from
from skipviz.tasks.data import dataset
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads

RARE, OFTEN = 10, 490


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    return Uploads(tmp_path_factory.mktemp("uploads"))


@pytest.fixture(scope="module")
def unequal(uploads):
    """A table whose rare class looks like the other one."""
    chance = np.random.default_rng(0)
    rows = [f"{chance.normal():.3f},{chance.normal():.3f},{'rare' if i < RARE else 'often'}" for i in range(RARE + OFTEN)]
    data = read("\n".join(["a,b,kind", *rows]).encode(), "unequal.csv")
    uploads.keep(data)
    return Task(name="table", own=described(data, "kind"))


@pytest.mark.parametrize(("shape", "classes"), [((200,), 4), ((30, 7), 5)])
def test_recall_of_each_class_and_their_mean_are_those_of_scikit_learn(shape, classes):
    made = torch.Generator().manual_seed(1)
    truth = torch.randint(classes - 1, shape, generator=made)  # the last class has no sample
    outputs = torch.randn(*shape, classes, generator=made)
    told, true = outputs.argmax(-1).flatten().numpy(), truth.flatten().numpy()
    found = recalls(outputs, truth)
    assert found == [*recall_score(true, told, labels=range(classes - 1), average=None), None]
    assert balanced(found) == pytest.approx(recall_score(true, told, labels=range(classes - 1), average="macro"))
    assert balanced([None, None]) is None


def test_a_network_that_knows_nothing_of_a_rare_class_has_a_balanced_accuracy_of_one_half(uploads, unequal):
    trainer = Trainer(experiment_on(unequal, steps=60), uploads=uploads)
    for _ in range(59):
        trainer.advance(record=False)
    values, data = trainer.measure().variants["net"], dataset(unequal, uploads)
    told = trainer._variants["net"].evaluate(torch.from_numpy(data.held_out_x)).argmax(1).numpy()
    assert values.held_out == pytest.approx(OFTEN / (OFTEN + RARE))
    assert values.balanced_accuracy == balanced_accuracy_score(data.held_out_y, told) == 0.5
    assert values.recall == recall_score(data.held_out_y, told, average=None).tolist()
    assert trainer.header()["class_counts"] == np.bincount(data.y).tolist()


def test_they_go_from_a_frame_to_its_columns_and_its_table_and_only_where_an_accuracy_is(uploads, unequal):
    experiment = experiment_on(unequal, steps=2)
    trainer = Trainer(experiment, uploads=uploads)
    frames = [trainer.advance(record=True), trainer.measure()]
    payload = encode_frame(frames[0])
    assert rows_from(table_from([Row(0, True, payload)])) == [Row(0, True, payload)]
    assert decode_frame(payload).variants["net"].recall == pytest.approx(frames[0].variants["net"].recall)
    values = json.loads(payload)["variants"]["net"]
    rows = table(experiment, [json.loads(payload)])
    assert rows[rows.part == "network"].balanced_accuracy.tolist() == [values["balanced_accuracy"]]
    assert rows[rows.part == "class"].recall.tolist() == values["recall"]
    assert rows[rows.part == "class"]["index"].tolist() == [0, 1]
    assert b",balanced_accuracy," in to_csv(rows)


def test_a_task_without_an_accuracy_has_neither():
    experiment = Experiment(variants={"net": families.mlp(depth=2)}).on(Task(name="line"))
    trainer = Trainer(experiment)
    values = trainer.measure().variants["net"]
    assert values.held_out is not None
    assert (values.balanced_accuracy, values.recall) == (None, None)
    assert "class_counts" not in trainer.header()
