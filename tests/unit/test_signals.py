"""What a frame says of each state beside its RMS: its largest magnitude, its zeros, its dead units; against plain torch."""

import math

import pytest
import torch

from skipviz import Experiment, Layer, Linear, Network, Task, Training, families
from skipviz.learning.frame_text import encode_frame
from skipviz.learning.norms import Sizes
from skipviz.learning.signals import COPIED_ELEMENTS, signals
from skipviz.learning.trainer import Trainer
from skipviz.sharing.table import table
from skipviz.storage.columns import Row, rows_from, table_from

torch.set_num_threads(1)


def by_hand(state: torch.Tensor, unit: int) -> tuple[float, float, float]:
    """Return largest magnitude, share of zeros and share of dead units of one state whose units lie on axis `unit`."""
    units = state.movedim(unit, 0).flatten(1)
    return state.abs().max().item(), (state == 0).float().mean().item(), (units == 0).all(dim=1).float().mean().item()


def relu_like(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return numbers of which about half are 0."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).relu()


@pytest.mark.parametrize(
    ("shape", "unit"),
    [((16, 5), 1), ((4, 6, 3, 3), 1), ((4, 3, 2, 3, 3), 1), ((4, 7, 5), 2)],
    ids=["features", "image", "volume", "sequence"],
)
def test_sizes_are_plain_torchs_whatever_axis_the_units_lie_on(shape, unit):
    states = [relu_like(*shape, seed=seed) for seed in range(3)]
    for state in states:
        state.select(unit, 1).zero_()
    states[2].neg_()
    found = signals(states)
    for k, state in enumerate(states):
        assert (found["state_max"][k], found["state_zeros"][k], found["state_dead"][k]) == pytest.approx(by_hand(state, unit))


def test_states_too_large_to_be_copied_together_and_those_of_bfloat16_are_measured_too():
    large, half = relu_like(2, COPIED_ELEMENTS), relu_like(64, 300).bfloat16()
    found = signals([large, half, large * 2])
    for k, state in enumerate((large, half, large * 2)):
        assert (found["state_max"][k], found["state_zeros"][k], found["state_dead"][k]) == pytest.approx(by_hand(state, 1))


def test_tokens_and_what_is_not_finite_have_none():
    tokens, broken, infinite = torch.zeros(4, 3, dtype=torch.long), torch.tensor([[0.0, math.nan]]), torch.tensor([[0.0, math.inf]])
    found = signals([tokens, broken, infinite])
    assert found == {key: [None, None, None] for key in ("state_max", "state_zeros", "state_dead")}


def test_seeds_that_lie_one_behind_the_other_are_measured_each_for_itself():
    class Together(Sizes):
        def numbers(self, count, measure):
            return list(measure())

    seeds = [relu_like(8, 5, seed=seed) for seed in range(3)]
    seeds[1][:, 2] = 0
    found = signals([torch.cat(seeds)], Together(3))
    for name, values in found.items():
        assert values[0].tolist() == [signals([seed])[name][0] for seed in seeds]


def test_a_unit_that_one_micro_batch_wakes_is_not_dead():
    first, second = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 2.0, 0.0]])
    active = {}
    assert signals([first], active=active)["state_dead"] == pytest.approx([2 / 3])
    assert signals([second], active=active)["state_dead"] == pytest.approx([1 / 3])


def trainer(**training) -> Trainer:
    network = Network(layers=[Layer(op=Linear(width=8), activation="relu") for _ in range(3)])
    return Trainer(
        Experiment(variants={"net": network}, task=Task(samples=100), training=Training(batch_size=8, steps=4, **training))
    )


def test_a_frame_has_them_of_every_state_and_a_step_of_micro_batches_those_of_all_its_samples():
    for training in ({}, {"accumulation": 3}):
        run = trainer(**training)
        model, x = run._variants["net"].model, torch.cat([x for x, _ in run.batches_of_step()])
        states = [x]
        with torch.no_grad():
            for layer in model.layers:
                states.append((states[-1] @ layer.operation.weight.T + layer.operation.bias).relu())
        frame = run.advance(record=True).variants["net"]
        for k, state in enumerate(states):
            mine = frame.state_max[k], frame.state_zeros[k], frame.state_dead[k]
            assert mine == pytest.approx(by_hand(state, 1), rel=1e-6, abs=1e-6), (training, k)
        assert 0 < frame.state_zeros[1] < 1


def test_tables_and_kept_runs_have_them_and_one_without_them_still_opens():
    run = trainer()
    frames = [run.advance(record=True) for _ in range(2)]
    rows = table(run.experiment, frames).query("part == 'state'")
    assert rows.state_dead.tolist() == [value for frame in frames for value in frame.variants["net"].state_dead]
    assert rows.state_max.notna().all()
    earlier = frames[0].variants["net"]
    earlier.state_max = earlier.state_zeros = earlier.state_dead = []
    kept = [Row(place, True, encode_frame(frame)) for place, frame in enumerate(frames)]
    assert b"state_dead" not in kept[0].payload
    assert rows_from(table_from(kept)) == kept
    assert table(run.experiment, frames[:1]).query("part == 'state'").state_zeros.isna().all()


def test_a_transformers_tokens_have_no_sizes_and_its_states_have():
    network = families.transformer(1, 8, heads=2, causal=True, vocabulary=59, input=(64,), head=Task(name="text").head())
    run = Trainer(Experiment(variants={"net": network}, task=Task(name="text"), training=Training(batch_size=4, steps=2)))
    frame = run.advance(record=True).variants["net"]
    assert frame.state_max[0] is frame.state_zeros[0] is frame.state_dead[0] is None
    assert all(value > 0 for value in frame.state_max[1:])
