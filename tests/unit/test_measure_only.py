"""A learning rate of 0 measures only; and what is measured leaves as the very float32 numbers."""

import io
import json

import numpy as np
import pandas
import pytest
import torch
from scripts import check, short

from skipviz import Experiment, Task, Training, families, link, train
from skipviz.learning.frame_text import decode_frame, encode_frame
from skipviz.learning.trainer import Trainer
from skipviz.sharing import table
from skipviz.tasks.event import RateEvent

torch.set_num_threads(1)
NET = families.mlp(depth=5, width=6, skip_every=2, norm="batch")


def experiment(**training) -> Experiment:
    return Experiment(
        variants={"net": NET}, task=Task(samples=100), training=Training(**{"batch_size": 16, "steps": 8, **training})
    )


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
def test_at_a_rate_of_0_nothing_changes_but_running_statistics(optimizer):
    trainer = Trainer(experiment(optimizer=optimizer, weight_decay=0.1, learning_rate=0.05))
    for _ in range(3):
        trainer.advance(record=True)
    trainer.apply(RateEvent(learning_rate=0.0))
    variant = trainer._variants["net"]
    weights = {name: p.clone() for name, p in variant.model.named_parameters()}
    mean = variant.model.layers[0].norm.running_mean.clone()
    state = [{k: torch.as_tensor(v).clone() for k, v in one.items()} for one in variant.updater.optimizer.state.values()]
    frames = [trainer.advance(record=True) for _ in range(3)]
    assert all(torch.equal(weights[name], p) for name, p in variant.model.named_parameters())
    held = list(variant.updater.optimizer.state.values())
    assert all(torch.equal(old[k], torch.as_tensor(new[k])) for old, new in zip(state, held, strict=True) for k in old)
    assert not torch.equal(mean, variant.model.layers[0].norm.running_mean)
    assert len({frame.variants["net"].loss for frame in frames}) == 3
    assert all(frame.variants["net"].weight_grad[0] > 0 for frame in frames)
    assert all(set(frame.variants["net"].update_ratio) == {0.0} for frame in frames)


def test_a_rate_of_0_travels_by_link_and_script():
    measuring = experiment(learning_rate=0)
    assert link.decode(link.encode(measuring)) == measuring
    check(short(measuring))
    check(short(measuring), [RateEvent(learning_rate=0.05, step=3), RateEvent(learning_rate=0.0, step=5)])
    check(short(experiment(optimizer="momentum")), [RateEvent(learning_rate=0.0, step=3), RateEvent(learning_rate=0.05, step=5)])


def test_a_table_of_what_was_recorded_holds_the_very_float32_numbers():
    frames = list(train(experiment()))
    texts = [json.loads(encode_frame(frame)) for frame in frames]
    rows = table.table(experiment(), texts)
    read = pandas.read_csv(io.BytesIO(table.to_csv(rows))), pandas.read_parquet(io.BytesIO(table.to_parquet(rows)))
    for found in (*read, table.table(experiment(), frames)):
        network = found[found["part"] == "network"]
        assert network["loss"].tolist() == [frame.variants["net"].loss for frame in frames]
        grads = [np.float32(value) for frame in frames for value in frame.variants["net"].weight_grad]
        assert found.loc[found["part"] == "layer", "weight_grad"].tolist() == grads
        assert network["learning_rate"].tolist() == [0.001] * len(frames)


def test_nine_digits_tell_every_float32_number_and_what_is_beyond_them_stays():
    bits = np.random.default_rng(0).integers(0x00800000, 0x7F7FFFFF, 2000, dtype=np.uint32)
    numbers = bits.view(np.float32).astype(float).tolist()
    frame = next(train(experiment()))
    frame.variants["net"].weight_grad = numbers
    again = decode_frame(encode_frame(frame))
    assert table.measured_exactly(np.array(again.variants["net"].weight_grad)).tolist() == numbers
    assert encode_frame(again) == encode_frame(frame)
    beyond = np.array([0.0, 1e-60, 1e45, np.nan])
    assert np.array_equal(table.measured_exactly(beyond), beyond, equal_nan=True)


def test_what_was_kept_with_six_digits_stays_the_same_number():
    frame = next(train(experiment()))
    kept = json.loads(encode_frame(frame, passing=True))
    assert json.loads(encode_frame(decode_frame(json.dumps(kept)))) | {"passing": True} == kept
