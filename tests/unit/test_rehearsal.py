"""Passes that are made again give the bits of passes that are made by torch's own autograd, in every field of every frame."""

import pytest
import torch
from engines import explosive
from hypothesis import HealthCheck, given, settings
from networks import experiments
from small_networks import NETWORKS, case

from skipviz import Task, edit, families
from skipviz.learning import rehearsal as rehearsals
from skipviz.learning.rehearsal import Rehearsal
from skipviz.learning.replay import UnrepeatableError, memory, noted
from skipviz.learning.seeds import trainer_of
from skipviz.learning.setup import as_in_a_run
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent

SMALL = {name: NETWORKS[name] for name in NETWORKS} | {
    "plain": ("spiral", families.mlp(depth=20, width=16, skip_every=0)),
    "residual": ("spiral", families.mlp(depth=6, width=8, skip_every=2)),
    "curve": ("line", families.mlp(depth=4, width=8, skip_every=2, input=(1,), head=Task(name="line").head())),
    "highway": ("moons", families.highway(depth=6, width=8, input=(2,), head=2)),
    "DenseNet": ("digits", families.densenet(blocks=(2, 2), growth=4, input=(1, 8, 8), head=10)),
    "FCN": ("shapes", families.fcn("8s", ((4, 1), (4, 1), (8, 1), (8, 1), (8, 1)), 8, True, input=(1, 32, 32), head=1)),
    "layer norm": ("moons", families.mlp(depth=4, width=8, skip_every=2, norm="layer", activation="gelu")),
}

LONG = 3000
"""Steps of a run that is left before: what is held out comes with its pictures, and not with every frame as in a short run."""


@pytest.fixture
def rehearsed(monkeypatch):
    """Return what says how soon passes are rehearsed from now on, however large, and in what pieces; None: never."""

    def set_to(passes, pieces=float("inf")):
        monkeypatch.setattr(rehearsals, "REHEARSED", -1 if passes is None else passes)
        monkeypatch.setattr(rehearsals, "LIGHT_ELEMENTS", 2**40)
        monkeypatch.setattr(rehearsals, "PIECE_SECONDS", pieces)

    return set_to


def frames(experiment, events=(), steps=56, record=lambda step: step % 4 == 0):
    """Return all frames of a run, and its trainer; an event is (step, event)."""
    trainer, found = trainer_of(experiment), []
    with as_in_a_run():
        while trainer.step < steps and not trainer.finished:
            step = trainer.step
            for event in (event for at, event in events if at == step):
                trainer.apply(event)
            frame = trainer.advance(record=record(step), baseline=step % 12 == 0, picture=step % 20 == 0)
            found += [] if frame is None else [{**frame.to_data(), "seconds": 0}]
    return found, trainer


def rehearsal(trainer):
    return trainer.living()["network"].rehearsals.rehearsal


def deeds(network):
    """Return events of every kind that may act on the network, (step, event); each leaves time for a rehearsal."""
    skips, last = [skip.id for skip in network.skips], network.layers[-1].id
    found = [RateEvent(learning_rate=0.01), LayerEvent(ids=[last], gain=0.5)]
    if skips:
        found[1:1] = [SkipEvent(ids=skips[:1], on=False), SkipEvent(ids=skips, strength=-0.7)]
        found += [SkipEvent(ids=skips[-1:], gain=0.25), SkipEvent(ids=skips[:1], on=True)]
    return [(6 + 6 * place, event) for place, event in enumerate(found)]


@pytest.mark.parametrize("name", SMALL)
def test_a_run_has_the_bits_of_autograd_through_switches_strengths_gains_and_rates(name, rehearsed):
    task, network = SMALL[name]
    experiment = case(task, network, steps=LONG, batch_size=8, optimizer="momentum")
    steps, events = (56, deeds(network)) if len(network.input) == 1 else (16, deeds(network)[:2])
    rehearsed(None)
    wanted, trainer = frames(experiment, events, steps)
    assert rehearsal(trainer) is None
    rehearsed(2)
    found, trainer = frames(experiment, events, steps)
    draws = any(layer.dropout or layer.drop_path for layer in network.layers)
    assert (rehearsal(trainer) is None) == draws
    assert found == wanted


def test_seeds_that_train_together_have_the_bits_of_autograd(rehearsed):
    task, network = SMALL["residual"]
    experiment = case(task, network, steps=56, batch_size=8, seeds=3)
    rehearsed(None)
    wanted, _ = frames(experiment, deeds(network))
    rehearsed(2)
    found, trainer = frames(experiment, deeds(network))
    assert trainer._stacks["network"]._rehearsals[True].rehearsal is not None
    assert found == wanted


def test_steps_of_seeds_that_nobody_measures_have_the_bits_of_autograd(rehearsed):
    task, network = SMALL["residual"]
    experiment = case(task, network, steps=20, batch_size=8, seeds=3)
    weights = []
    for passes in (None, 2):
        rehearsed(passes)
        run = trainer_of(experiment)
        while not run.finished:
            run.advance(record=run.step % 9 == 8)
        weights.append([member.weights("network") for member in run._members])
    bare, recorded = run._stacks["network"]._rehearsals
    assert bare.rehearsal is not None
    assert recorded.rehearsal is None
    for wanted, found in zip(*weights, strict=True):
        assert all(torch.equal(wanted[name], found[name]) for name in wanted)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(experiment=experiments())
def test_random_runs_have_the_bits_of_autograd(experiment, rehearsed):
    training = experiment.training.replaced(batch_size=min(experiment.training.batch_size, 16), steps=LONG)
    experiment = experiment.replaced(training=training)
    rehearsed(None)
    wanted, _ = frames(experiment, steps=9)
    rehearsed(1)
    assert frames(experiment, steps=9)[0] == wanted


@pytest.mark.parametrize("rate", [{"dropout": 0.3}, {"drop_path": 0.3}])
def test_what_draws_at_each_step_is_left_to_autograd(rate, rehearsed):
    rehearsed(2)
    network = edit.set_layer(families.mlp(depth=4, width=8, skip_every=2), "f3", **rate)
    _, trainer = frames(case("moons", network, steps=9), steps=9)
    assert rehearsal(trainer) is None


def test_a_run_diverges_at_the_same_step_with_the_same_frame(rehearsed):
    rehearsed(None)
    wanted, trainer = frames(explosive(), record=lambda step: False)
    rehearsed(1)
    found, mine = frames(explosive(), record=lambda step: False)
    assert trainer.diverged["net"]["step"] > 1
    assert mine.diverged == trainer.diverged
    assert found == wanted


def test_a_run_that_was_resumed_from_a_checkpoint_goes_on_to_the_same_bits(rehearsed):
    experiment = case("digits", SMALL["batch norm"][1], steps=40)
    rehearsed(2)
    whole, _ = frames(experiment, steps=40, record=lambda step: step >= 20)
    _, trainer = frames(experiment, steps=20, record=lambda step: False)
    resumed = Trainer(experiment, "cpu")
    resumed.load_state(trainer.state_bytes())
    rest = [resumed.advance(record=True).to_data()["variants"]["network"] for _ in range(20)]
    for frame, other in zip(whole, rest, strict=True):
        own = {name: value for name, value in frame["variants"]["network"].items() if name in other}
        assert {name: value for name, value in other.items() if name != "held_out"} == {
            name: value for name, value in own.items() if name != "held_out"
        }


def test_a_pass_that_hangs_on_more_than_its_batch_is_not_made_again():
    trainer = Trainer(case("moons", families.mlp(depth=2, width=4)), "cpu")
    variant, times = trainer.living()["network"], []

    def go(batch):
        times.append(1)
        x, y = batch
        return variant._whole_pass((x * len(times), y), 0)

    with pytest.raises(UnrepeatableError, match="other bits"):
        list(Rehearsal(go, trainer.batches_of_step()[0], ()).pieces())


def test_calls_are_made_again_on_what_the_inputs_hold_then():
    x, total = torch.arange(4.0), torch.zeros(4)

    def work():
        total.add_(x)
        return (x.view(2, 2).T * 2).sum(0), torch.stack([x, total])

    (sums, both), graph = noted(work, lambda made: made)
    list(graph.pieces(100))
    x.fill_(1)
    graph.call()
    assert (sums.tolist(), both.tolist()) == ([4, 4], [[1] * 4, [1, 2, 3, 4]])


def test_what_calls_fill_lies_in_one_piece_of_memory_and_what_is_only_joined_where_it_ends_up():
    x = torch.arange(4.0)

    def work():
        flat = torch.cat([x * 2, (x + 1).view(2, 2).relu().view(-1)])
        return flat, torch.cat([flat, x]), x.exp()

    (flat, both, more), graph = noted(work, lambda made: made)
    list(graph.pieces(100))
    assert memory(flat) == memory(both) == memory(more)
    assert str(graph._graph).count("aten::cat") == 1  # `flat` is kept beside what it is joined to
    x.fill_(1)
    graph.call()
    assert flat.tolist() == [2] * 8
    assert both.tolist() == [2] * 8 + [1] * 4
    assert more.tolist() == x.exp().tolist()


@pytest.mark.parametrize(("first", "copied"), [(4, 0), (8, 0), (1, 1), (2, 1)])
def test_a_part_that_would_begin_off_a_vector_is_copied_to_where_it_is_joined(first, copied):
    x = torch.rand(8)
    flat, graph = noted(lambda: torch.cat([x[:first] * 2, x * 3]), lambda flat: [flat])
    list(graph.pieces(100))
    assert str(graph._graph).count("aten::cat") == copied
    graph.call()
    assert flat.tolist() == [*(x[:first] * 2).tolist(), *(x * 3).tolist()]


@pytest.mark.parametrize("work", [lambda: torch.rand(3), lambda: torch.ones(2).sum().item(), lambda: torch.ones(2).nonzero()])
def test_what_is_another_each_time_or_hangs_on_a_number_is_refused(work):
    with pytest.raises(UnrepeatableError):
        list(noted(work, lambda made: [])[1].pieces(100))


def test_a_rehearsal_in_pieces_lets_the_run_go_on_and_ends_with_the_bits_of_autograd(rehearsed):
    task, network = SMALL["batch norm"]
    experiment, event = case(task, network, steps=60, batch_size=8), (20, RateEvent(learning_rate=0.01))
    rehearsed(None)
    wanted, _ = frames(experiment, [event])
    rehearsed(2, pieces=0)
    found, trainer = frames(experiment, [event], steps=4)
    assert rehearsal(trainer) is None
    found, trainer = frames(experiment, [event])
    assert rehearsal(trainer) is not None
    assert found == wanted


def test_a_switch_ends_a_rehearsal_that_is_under_way(rehearsed):
    task, network = SMALL["residual"]
    experiment, events = case(task, network, steps=30, batch_size=8), [(4, SkipEvent(ids=[network.skips[0].id], on=False))]
    rehearsed(None)
    wanted, _ = frames(experiment, events, steps=30)
    rehearsed(2, pieces=0)
    found, trainer = frames(experiment, events, steps=30)
    assert rehearsal(trainer) is not None
    assert found == wanted
