"""Several seeds: each member is the run of its seed alone, and a frame has their medians and bands."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from skipviz import Experiment, Layer, Linear, Network, Task, Training, families, link, train
from skipviz.learning.frame import BANDED
from skipviz.learning.frame_text import NUMBER_LISTS, NUMBERS, decode_frame, encode_frame
from skipviz.learning.median import QUANTILES, quantiles
from skipviz.learning.norms import SMALLEST
from skipviz.learning.seeds import Seeds, trainer_of
from skipviz.learning.trainer import Trainer
from skipviz.learning.variant import Variant
from skipviz.network import edit
from skipviz.network.operation.identity import Identity
from skipviz.sharing.script.experiment import script
from skipviz.sharing.table import table
from skipviz.storage.columns import Row, rows_from, table_from
from skipviz.tasks.event import RateEvent, SkipEvent
from skipviz.tasks.seeds import obstacle

torch.set_num_threads(1)

RESIDUAL = families.mlp(depth=5, width=8, skip_every=2)
NORMED = families.mlp(depth=5, width=8, skip_every=2, norm="batch")
SEEDS = 5
ROUNDING = 2e-5
"""Of what float32 gives in another order of sums, after a few steps."""
EVENTS = [SkipEvent(ids=["s1-3"], on=False, step=3), RateEvent(learning_rate=0.05, step=5)]


def experiment(network=RESIDUAL, **training) -> Experiment:
    settings = {"batch_size": 16, "steps": 8, "record_every": 1, "seed": 3, "seeds": SEEDS, **training}
    networks = network if isinstance(network, dict) else {"network": network}
    return Experiment(variants=networks, task=Task(samples=200), training=Training(**settings))


def alone(whole: Experiment, place: int) -> Experiment:
    seed = whole.training.seed + place
    return whole.replaced(training=whole.training.replaced(seed=seed, seeds=1))


def same_bits(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("network", [RESIDUAL, NORMED, {"a": RESIDUAL, "b": NORMED}], ids=["plain", "batch norm", "two networks"])
def test_a_frame_has_median_and_quantiles_of_the_runs_of_each_seed_alone(network):
    whole = experiment(network)
    error = {"rtol": 0.0 if obstacle(whole) else ROUNDING, "atol": 0.0, "equal_nan": True}
    single = [list(train(alone(whole, place), EVENTS)) for place in range(SEEDS)]
    for frame, *members in zip(train(whole, EVENTS), *single, strict=True):
        assert {member.step for member in members} == {frame.step}
        assert [event["kind"] for event in frame.events] == [event["kind"] for event in members[0].events]
        for name, variant in frame.variants.items():
            assert variant.members == SEEDS
            of = [member.variants[name] for member in members]
            for field in (*BANDED, "state_rms", "head_grad"):
                values = [getattr(one, field) for one in of]
                if values[0] is None or values[0] == []:
                    assert getattr(variant, field) == values[0]
                    continue
                numbers = np.array(values, dtype=float)
                assert np.allclose(np.array(getattr(variant, field), float), np.median(numbers, axis=0), **error), field
                if field in BANDED and not (field == "held_out" and of[0].held_out is None):
                    ends = np.quantile(numbers, (0.1, 0.9), axis=0)
                    assert np.allclose(np.array(variant.bands[field], float), ends, **error), field


def test_the_members_have_the_very_weights_of_their_seeds_alone():
    whole = experiment(NORMED, steps=4)
    run, singles = Seeds(whole), [Trainer(alone(whole, place)) for place in range(SEEDS)]
    while not run.finished:
        run.advance(record=False)
        for single in singles:
            single.advance(record=False)
    for member, single in zip(run._members, singles, strict=True):
        assert same_bits(member.weights("network"), single.weights("network"))
    assert same_bits(run.weights("network"), singles[0].weights("network"))


def test_one_seed_is_the_trainer_of_ever_and_its_frames_say_nothing_of_seeds():
    run = trainer_of(experiment(seeds=1))
    assert type(run) is Trainer
    assert not {"members", "bands"} & run.advance(record=True).to_data()["variants"]["network"].keys()
    assert "seeds" not in run.header()
    assert trainer_of(experiment()).header()["seeds"]["count"] == SEEDS


def test_a_run_resumes_to_the_same_bits_in_all_members():
    whole = experiment(NORMED, optimizer="momentum", learning_rate=0.05)
    run = Seeds(whole)
    for _ in range(3):
        run.advance(record=False)
    run.apply(EVENTS[0])
    kept = run.state_bytes()
    resumed = Seeds(whole)
    resumed.load_state(kept)
    assert (resumed.step, resumed.applied, resumed.unshown) == (3, 1, run.unshown)
    while not run.finished:
        mine, other = run.advance(record=True).to_data(), resumed.advance(record=True).to_data()
        assert {**mine, "seconds": 0} == {**other, "seconds": 0}
    assert all(same_bits(a.weights("network"), b.weights("network")) for a, b in zip(run._members, resumed._members, strict=True))


def broken_from(run: Seeds, places, step: int) -> list:
    """Take all steps; before `step` break the weights of the members at `places`."""
    frames = []
    while not run.finished:
        if run.step == step:
            for place in places:
                run._members[place]._variants["network"].flat.values.fill_(float("inf"))
        frames.append(run.advance(record=True))
    return frames


def test_what_is_held_out_is_asked_of_all_seeds_at_once(monkeypatch):
    run = Seeds(experiment({"a": RESIDUAL, "b": edit.bare(RESIDUAL)}))
    run.advance(record=False)
    x = run._members[0].held_out_x
    for name, stack in run._stacks.items():
        wanted = [member._variants[name].evaluate(x) for member in run._members]
        assert torch.allclose(stack.evaluate(x), torch.stack(wanted), rtol=ROUNDING, atol=1e-6)
    monkeypatch.setattr(Variant, "evaluate", lambda *_: pytest.fail("one seed is asked by itself"))
    assert {variant.held_out is None for variant in run.advance(record=True).variants.values()} == {False}


def test_a_member_that_diverges_leaves_the_median_of_those_that_live():
    whole = experiment()
    run = Seeds(whole)
    frames = broken_from(run, (1, 4), 4)
    assert [frame.variants["network"].members for frame in frames] == [SEEDS] * 4 + [SEEDS - 2] * 4
    assert not run.diverged
    others = [list(train(alone(whole, place)))[-1].variants["network"].loss for place in (0, 2, 3)]
    assert frames[-1].variants["network"].loss == pytest.approx(np.median(others), rel=ROUNDING)


def test_a_run_has_diverged_when_all_of_its_members_have():
    run = Seeds(experiment())
    frames = broken_from(run, range(SEEDS), 4)
    assert run.finished
    assert run.step == 5
    assert run.diverged == {"network": {"step": 4, "layer": "f1"}}
    assert frames[-1].variants["network"].loss is None
    assert frames[-1].variants["network"].first_broken == "f1"


def test_pictures_are_of_the_first_seed_and_measuring_changes_nothing():
    whole = experiment()
    run, first = Seeds(whole), Trainer(alone(whole, 0))
    assert run.measure().variants["network"].picture == first.measure().variants["network"].picture
    assert run.advance(record=True).variants["network"].loss == Seeds(whole).advance(record=True).variants["network"].loss


def test_a_frame_of_several_seeds_is_text_and_columns_and_back():
    payload = encode_frame(next(iter(train(experiment()))))
    assert encode_frame(decode_frame(payload)) == payload
    rows = [Row(0, False, payload)]
    kept = table_from(rows)
    assert kept.column("raw").null_count == 1
    assert rows_from(kept) == rows
    whole, alone_too = json.loads(payload)["variants"]["network"], kept.column("network/loss_low").to_pylist()
    assert whole["bands"]["loss"][0] == alone_too[0] < whole["loss"]


def test_a_table_has_the_bands_in_columns_of_their_own_only_where_there_are_some():
    whole = experiment()
    frames = list(train(whole))
    rows = table(whole, frames)
    losses = rows.query("part == 'network'")
    assert (losses["members"] == SEEDS).all()
    assert losses["loss_high"].tolist() == [frame.variants["network"].bands["loss"][1] for frame in frames]
    layers = rows.query("part == 'layer' and id == 'f2'")
    assert layers["weight_grad_low"].tolist() == [frame.variants["network"].bands["weight_grad"][0][1] for frame in frames]
    assert "loss_low" not in table(alone(whole, 0), train(alone(whole, 0))).columns


def test_a_link_carries_the_seeds_and_says_nothing_of_one():
    whole = experiment()
    assert link.decode(link.encode(whole)) == whole
    assert link.encode(alone(whole, 0)) == link.encode(experiment(seeds=1))
    with pytest.raises(ValueError, match="seeds"):
        Training(seeds=33)


def test_after_the_largest_seed_comes_zero():
    assert Training(seed=2**31 - 1, seeds=2).member(1) == Training(seed=0)


def test_a_layer_without_weights_has_no_band():
    net = Network(input=(2,), layers=[Layer(id="f1", op=Linear(width=4)), Layer(id="f2", op=Identity())], head=RESIDUAL.head)
    frame = next(iter(train(experiment(net))))
    low, high = frame.variants["network"].bands["weight_grad"]
    assert low[1] is high[1] is None
    assert low[0] < frame.variants["network"].weight_grad[0] < high[0]


def test_a_script_says_that_it_trains_the_first_seed():
    source = script(experiment())
    assert "The experiment trains 5 seeds, this script the first" in source
    assert source.replace(source[source.index("\n\nThe experiment trains") : source.index("\n\nWritten by")], "") == script(
        experiment(seeds=1)
    )


TOGETHER = {
    "adds": RESIDUAL,
    "concats": families.mlp(depth=5, width=8, skip_every=2, merge="concat"),
    "skips off": edit.bare(RESIDUAL),
    "a layer off": edit.set_layer(RESIDUAL, "f3", on=False),
    "a gain and a strength": edit.set_skips(RESIDUAL, ["s1-3"], gain=0.5, strength=0.3),
}


@pytest.mark.parametrize("training", [{}, {"optimizer": "momentum", "clip_norm": 0.05}, {"optimizer": "sgd"}], ids=str)
@pytest.mark.parametrize("network", TOGETHER.values(), ids=TOGETHER)
def test_seeds_computed_together_are_those_computed_one_after_the_other(network, training):
    whole = experiment(network, **{"learning_rate": 0.02, **training})
    together, apart = Seeds(whole), Seeds(whole)
    assert together.header()["seeds"] == {"count": SEEDS, "batched": True}
    apart.obstacle = "a test"
    waiting = [*EVENTS]
    while not apart.finished:
        while waiting and apart.takes(waiting[0]):
            together.apply(waiting[0])
            apart.apply(waiting.pop(0))
        mine, wanted = (run.advance(record=apart.step % 3 != 1, baseline=True) for run in (together, apart))
        assert (mine is None) == (wanted is None)
        for name in (*NUMBERS, *NUMBER_LISTS) if mine else ():
            found, given = (getattr(frame.variants["network"], name) for frame in (mine, wanted))
            assert (found is None) == (given is None), name
            if given is not None:
                found, given = np.array(found, float), np.array(given, float)
                assert np.allclose(found, given, rtol=1e-4, atol=1e-9, equal_nan=True), name
    for left, right in zip(together._members, apart._members, strict=True):
        for name, value in left.weights("network").items():
            assert torch.allclose(value, right.weights("network")[name], rtol=1e-4, atol=1e-6), name


def test_seeds_go_on_together_when_one_has_diverged_and_after_a_resume():
    whole = experiment(steps=12)
    run, apart = Seeds(whole), Seeds(whole)
    apart.obstacle = "a test"
    for one in (run, apart):
        broken_from(one, (2,), 5)
    living = [member._variants["network"] for place, member in enumerate(run._members) if place != 2]
    assert run._stacks["network"].variants == living
    for left, right in zip(run._members, apart._members, strict=True):
        assert left.diverged == right.diverged
        if not left.diverged:
            assert torch.allclose(left._variants["network"].flat.values, right._variants["network"].flat.values, atol=1e-6)
    half, resumed = Seeds(whole), Seeds(whole)
    for _ in range(4):
        half.advance(record=False)
    resumed.advance(record=False)
    resumed.load_state(half.state_bytes())
    while not half.finished:
        assert half.advance(record=True).variants == resumed.advance(record=True).variants


@pytest.mark.parametrize(
    ("network", "training", "reason"),
    [
        (NORMED, {}, "f1 learns more than a linear map"),
        (RESIDUAL, {"accumulation": 2}, "a step takes several batches"),
        (RESIDUAL, {"precision": "bfloat16"}, "passes are in bfloat16"),
        (edit.set_layer(RESIDUAL, "f2", dropout=0.5), {}, "f2 drops at random"),
        (families.mlp(depth=5, width=8, skip_every=2, merge="gate"), {}, "s1-3 has weights"),
    ],
    ids=["norm", "accumulation", "bfloat16", "dropout", "gates"],
)
def test_the_header_says_why_seeds_are_computed_one_after_the_other(network, training, reason):
    run = Seeds(experiment(network, **training))
    assert run.header()["seeds"] == {"count": SEEDS, "batched": False, "reason": reason}
    assert np.isfinite(run.advance(record=True).variants["network"].loss)


def test_a_gradient_that_overflows_in_a_step_of_all_seeds_is_named_as_in_a_step_of_one():
    whole = experiment(families.mlp(depth=2, width=8, activation="none"))
    frames = []
    for reason in ("", "a test"):
        run = Seeds(whole)
        run.obstacle = reason
        for member in run._members:
            weights = member.weights("network")
            weights["layers.f1.operation.weight"].mul_(1e30)
            weights["layers.f2.operation.weight"].mul_(1e-30)
            weights["head.weight"].mul_(1e20)
        frames.append(run.advance(record=True).variants["network"])
    together, apart = frames
    assert "weight_grad:f2" in apart.nonfinite
    assert together.nonfinite == apart.nonfinite
    assert together.weight_grad[1] is apart.weight_grad[1] is None
    assert together.loss == pytest.approx(apart.loss, rel=ROUNDING)


def test_norms_whose_squares_float32_cannot_hold_are_those_of_each_seed_alone():
    whole, frames = experiment(families.mlp(depth=9, width=8, activation="none")), []
    for reason in ("", "a test"):
        run = Seeds(whole)
        run.obstacle = reason
        for member in run._members:
            for name, weight in member.weights("network").items():
                weight.mul_(1e-3 if "weight" in name else 1)
        frames.append(run.advance(record=True).variants["network"])
    together, apart = frames
    assert 0 < apart.state_grad[0] < SMALLEST
    for name in ("state_grad", "weight_grad", "state_grad_mean", "state_rms", "state_max"):
        assert getattr(together, name) == pytest.approx(getattr(apart, name), rel=ROUNDING, abs=0), name


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_what_the_optimizer_holds_of_seeds_computed_together_is_what_it_holds_of_each_alone(optimizer):
    whole = experiment(steps=4, optimizer=optimizer)
    run, singles = Seeds(whole), [Trainer(alone(whole, place)) for place in range(SEEDS)]
    while not run.finished:
        for one in (run, *singles):
            one.advance(record=False)
    for member, single in zip(run._members, singles, strict=True):
        (_, mine), (_, wanted) = member.state(), single.state()
        assert mine.keys() == wanted.keys()
        assert all(torch.allclose(mine[name], wanted[name], rtol=1e-4, atol=1e-7) for name in mine)


@pytest.mark.parametrize("members", [1, 2, 3, 5, 16, 32])
def test_quantiles_are_numpys_to_the_last_bit(members):
    generator = np.random.default_rng(members)
    rows = generator.standard_normal((members, 40)) * 10.0 ** generator.integers(-30, 4, (members, 40))
    rows[0, ::7] = 0
    assert np.array_equal(quantiles(rows), np.quantile(rows, QUANTILES, axis=0))
    rows[members // 2, 3] = np.nan
    left = np.delete(rows[:, 3], members // 2)
    expected = np.quantile(left, QUANTILES) if members > 1 else np.full(3, np.nan)
    assert np.array_equal(quantiles(rows)[:, 3], expected, equal_nan=True)
