"""A finished run goes on from its last weights: as many steps again, by an event like any other, bit for bit."""

import json
from pathlib import Path

import pytest
from engines import frames_of, measured, small, wait_for, wait_for_end
from scripts import assert_same, losses_of

import skipviz
from skipviz.engine import EngineError
from skipviz.engine.processes.wire import encode_frame
from skipviz.learning.checkpoint import CheckpointError, unpack
from skipviz.sharing.script.experiment import script
from skipviz.tasks.event import ClipEvent, RateEvent, SkipEvent, StepsEvent, message_from
from skipviz.tasks.experiment import MOST_STEPS

ME = "owner-of-these-tests"
OFF = SkipEvent(ids=("s3-5",), on=False)


def finished(engine, experiment=None, **options):
    run = wait_for_end(engine, engine.run(engine.submit(experiment or small(device="cpu"), ME, **options)))
    assert run.state == "finished"
    return run


def alone(experiment, events):
    """Return what `skipviz.train` measures with the same events."""
    return measured([json.loads(encode_frame(frame)) for frame in skipviz.train(experiment, map(message_from, events))])


def test_a_toggle_after_the_end_goes_on_from_the_last_weights_as_training_with_its_events_does(start):
    engine, experiment = start(), small(device="cpu", optimizer="momentum", learning_rate=0.05)
    run = finished(engine, experiment)
    before = frames_of(run)
    assert engine.extend(run.id, ME, [OFF]) == {"ok": True, "step": 40, "steps": 80}
    wait_for_end(engine, run)
    assert (run.state, run.step, run.steps, run.checkpoint) == ("finished", 80, 80, 80)
    assert [(event["kind"], event["step"]) for event in run.events] == [("steps", 40), ("skip", 40)]
    frames = frames_of(run)
    assert frames[: len(before)] == before
    assert [event["kind"] for event in next(frame for frame in frames if frame["step"] == 40)["events"]] == ["steps", "skip"]
    assert measured(frames) == alone(experiment, run.events)
    assert json.loads(run.header_json)["experiment"]["training"]["steps"] == 40
    assert json.loads(run.snapshot()[1])["steps"] == 80
    assert engine.runs_of(ME)[0]["steps"] == 80
    assert not run.experiment.network.skip("s3-5").on


def test_a_finished_run_goes_on_again_and_again_and_by_another_server(start):
    experiment = small(device="cpu")
    first = start()
    run = finished(first, experiment)
    first.extend(run.id, ME, [OFF])
    wait_for_end(first, run)
    first.close()
    second = start()
    run = wait_for(second, lambda: second.run(run.id))
    second.extend(run.id, ME, [OFF.replaced(on=True)])
    wait_for_end(second, run)
    assert (run.step, run.steps) == (120, 120)
    assert measured(frames_of(run)) == alone(experiment, run.events)


def test_a_checkpoint_of_an_earlier_step_or_a_damaged_one_leads_to_the_same_numbers(start):
    engine, experiment = start(), small(device="cpu")
    run = finished(engine, experiment)
    Path(*engine.checkpoint(run)).write_bytes(b"damaged")
    with pytest.raises(CheckpointError):
        unpack(Path(*engine.checkpoint(run)).read_bytes())
    engine.extend(run.id, ME, [OFF])
    wait_for_end(engine, run)
    assert (run.state, run.step) == ("finished", 80)
    assert measured(frames_of(run)) == alone(experiment, run.events)


def test_what_cannot_go_on_is_refused_with_the_reason_and_stays_as_it_is(start):
    engine = start(run_steps=60)
    run = finished(engine)

    def refused(owner=ME):
        with pytest.raises(EngineError) as error:
            engine.extend(run.id, owner, [OFF])
        assert (run.state, run.waiting, run.steps) == ("finished", [], run.step)
        return str(error.value)

    assert refused("somebody else") == "only the browser that started this run may change it"
    with pytest.raises(EngineError, match="there is no skip nothing"):
        engine.extend(run.id, ME, [OFF.replaced(ids=("nothing",))])
    assert engine.extend(run.id, ME, [OFF])["steps"] == 60
    wait_for_end(engine, run)
    assert refused() == "this run has taken 60 steps, as many as one may on this server"
    Path(*engine.checkpoint(run)).unlink()
    assert refused() == "the last weights of this run are no longer kept"
    with pytest.raises(EngineError, match="has ended"):
        engine.post(run.id, ME, StepsEvent(steps=100))


def test_the_speed_set_after_the_end_is_that_at_which_the_run_goes_on(start):
    engine = start()
    run = finished(engine)
    engine.post(run.id, ME, {"kind": "speed", "steps_per_second": 0.01})
    engine.extend(run.id, ME, [OFF])
    wait_for(engine, lambda: run.state == "running" and len(run.events) == 2)
    engine.post(run.id, ME, {"kind": "stop"})
    wait_for_end(engine, run)
    assert (run.state, run.step) in [("stopped", 40), ("stopped", 41)]  # the next step would come in a minute or more


def test_nobody_sets_the_steps_of_a_run_that_goes_on(start):
    engine = start()
    run = engine.run(engine.submit(small(steps=MOST_STEPS), ME, paused=True))
    with pytest.raises(EngineError, match="takes the steps that it was begun with"):
        engine.post(run.id, ME, StepsEvent(steps=100))
    engine.post(run.id, ME, {"kind": "stop"})


@pytest.mark.parametrize(
    "training", [{}, {"schedule": "cosine"}, {"schedule": "step", "warmup_steps": 3}, {"schedule": "one_cycle"}]
)
def test_a_script_of_a_run_that_went_on_trains_to_the_same_losses(training):
    experiment = small(steps=10, record_every=1, device="cpu", **training)
    events = [
        RateEvent(learning_rate=0.01, step=4),
        StepsEvent(steps=20, step=10),
        OFF.replaced(step=10),
        ClipEvent(clip_norm=0.5, step=13),
    ]
    losses, held_out = losses_of(script(experiment, events))
    frames = list(skipviz.train(experiment, events))
    assert [frame.step for frame in frames] == list(range(20))
    assert_same(losses, [{"net": frame.variants["net"].loss} for frame in frames])
    assert held_out == {"net": frames[-1].variants["net"].held_out}
    rates = [frame.variants["net"].learning_rate for frame in frames]
    as_long = skipviz.train(experiment.replaced(training=experiment.training.replaced(steps=20)), events[:1])
    assert rates[10:] == [frame.variants["net"].learning_rate for frame in as_long][10:]
