"""Runs through real worker processes."""

import json
import math
import threading
import time

import pytest
from engines import PATIENCE, endless, explosive, frames_of, small, wait_for, wait_for_end, wait_for_rest

from skipviz.engine import EngineError
from skipviz.engine.capacity.duration import shape_of
from skipviz.network import families
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

ME = "owner-of-these-tests"


@pytest.fixture
def submit(engine):
    """Submits runs and stops them after the test."""
    runs = []

    def submit(experiment, **options):
        runs.append(engine.run(engine.submit(experiment, ME, **options)))
        return runs[-1]

    yield submit
    for run in runs:
        engine.post(run.id, ME, {"kind": "stop"})
        wait_for_end(engine, run)


def test_a_run_shows_every_scheduled_frame_once_and_in_order(engine, submit):
    run = wait_for_end(engine, submit(small(steps=43)))
    steps = [frame["step"] for frame in frames_of(run)]
    assert (run.state, run.reason, run.step) == ("finished", None, 43)
    assert steps == sorted(set(steps))
    assert {*range(0, 43, 5), 42} <= set(steps)


def test_a_run_shows_what_training_in_this_process_shows(engine, submit):
    from skipviz import train

    run = wait_for_end(engine, submit(small(device="cpu")))
    shown = {frame["step"]: frame["variants"]["net"] for frame in frames_of(run)}
    for frame in train(small(device="cpu")):
        here = frame.to_data()["variants"]["net"]
        for name in ("loss", "metric", "head_grad"):
            assert math.isclose(shown[frame.step][name], here[name], rel_tol=1e-5, abs_tol=1e-30)
        for name in ("weight_grad", "state_grad", "trunk_grad", "skip_grad"):
            assert shown[frame.step][name] == pytest.approx(here[name], rel=1e-5)


def test_what_a_step_took_is_known_of_its_shape_once_a_run_took_some(engine, submit):
    assert engine.step_took(shape_of(small(batch_size=13))) is None
    run = wait_for_end(engine, submit(small(batch_size=13, steps=30)))
    assert engine.step_took(shape_of(small(batch_size=13, steps=9, learning_rate=0.5, seed=4))) == run.took > 0
    assert engine.step_took(shape_of(small(batch_size=14))) is None


def test_the_header_says_what_the_frames_are_measured_on(engine, submit):
    run = submit(small(), paused=True)
    header = wait_for(engine, lambda: run.header)
    assert Experiment.model_validate(header["experiment"]) == small()
    assert header["batch_size"] == 16
    assert len(header["variants"]["net"]["state_count"]) == 7


def test_a_paused_run_takes_single_steps_and_shows_each(engine, submit):
    run = submit(endless(), paused=True)
    for step in range(3):
        assert engine.post(run.id, ME, {"kind": "step"})["ok"]
        wait_for(engine, lambda step=step: run.step == step + 1)
    assert [frame["step"] for frame in frames_of(run)] == [0, 1, 2]
    assert run.state == "paused"


def test_a_run_is_paused_resumed_and_stopped(engine, submit):
    run = submit(endless())
    wait_for(engine, lambda: run.step > 0)
    engine.post(run.id, ME, {"kind": "pause"})
    wait_for(engine, lambda: run.state == "paused")
    there = run.step
    engine.post(run.id, ME, {"kind": "resume"})
    wait_for(engine, lambda: run.state == "running" and run.step > there)
    engine.post(run.id, ME, {"kind": "stop"})
    assert wait_for_end(engine, run).state == "stopped"


def test_a_toggle_acts_on_the_running_network_and_is_recorded_with_its_step(engine, submit):
    run = submit(endless())
    wait_for(engine, lambda: run.step > 0)
    engine.post(run.id, ME, SkipEvent(ids=("s1-3", "s3-5"), on=False))
    wait_for(engine, lambda: run.events)
    [event] = run.events
    assert (event["kind"], event["ids"], event["on"]) == ("skip", ["s1-3", "s3-5"], False)
    wait_for(engine, lambda: any(frame["events"] for frame in frames_of(run)))
    frame = next(frame for frame in frames_of(run) if frame["events"])
    assert frame["step"] == event["step"]
    assert frame["events"] == [event]
    assert [not skip.on for skip in run.experiment.network.skips][:2] == [True, True]


def test_a_toggle_shows_on_a_paused_run_without_a_step(engine, submit):
    run = submit(endless(), paused=True)
    engine.post(run.id, ME, {"kind": "step"})
    wait_for(engine, lambda: run.step == 1)
    engine.post(run.id, ME, LayerEvent(ids=("f6",), gain=0))
    frame = wait_for(engine, lambda: next((frame for frame in frames_of(run) if frame["events"]), None))
    assert frame["step"] == run.step == 1
    assert frame["variants"]["net"]["weight_grad"][5] == 0


def test_the_same_experiment_and_events_give_the_same_frames(engine, submit):
    events = [SkipEvent(ids=("s3-5",), on=False, step=7), RateEvent(learning_rate=0.01, step=20)]
    runs = [submit(small(), events=events) for _ in range(2)]
    shown = []
    for run in runs:
        wait_for_end(engine, run)
        frames = {frame["step"]: frame["variants"]["net"] for frame in frames_of(run)}
        kept = ("loss", "weight_grad", "state_grad", "skip_grad", "update_ratio")
        shown.append({step: {name: frames[step][name] for name in kept} for step in {*range(0, 40, 5), 7, 39}})
    assert shown[0] == shown[1]
    assert runs[0].events == runs[1].events
    assert [event["step"] for event in runs[0].events] == [7, 20]


def test_who_watches_a_long_run_sees_it_move_between_scheduled_frames_and_only_those_are_kept(engine, submit):
    run = submit(endless(record_every=1_000_000))
    passing = set()

    def seen():
        _, message = run.update(0)
        passing.update(frame["step"] for frame in json.loads(message)["frames"] if frame.get("passing"))
        return len(passing) >= 3

    wait_for(engine, seen)
    assert [frame["step"] for frame in frames_of(run)] == [0]
    engine.post(run.id, run.owner, {"kind": "stop"})


def test_a_page_is_told_of_a_run_as_often_as_the_server_is_set_to(start):
    engine, told, began = start(frames_per_second=2), set(), time.monotonic()
    run = engine.run(engine.submit(endless(record_every=1_000_000), ME, speed=200))

    def seen():
        _, message = run.update(0)
        told.update(frame["step"] for frame in json.loads(message)["frames"] if frame.get("passing"))
        return len(told) >= 3

    wait_for(engine, seen)
    assert len(told) <= 2 * (time.monotonic() - began) + 1


def test_a_slow_run_shows_every_step(engine, submit):
    run = wait_for_end(engine, submit(small(steps=8, record_every=1000), speed=19))
    assert [frame["step"] for frame in frames_of(run)] == list(range(8))


def test_a_step_is_told_once_with_its_frame(engine, submit):
    run = submit(small(steps=15, record_every=1), speed=15, paused=True)
    wait_for(engine, lambda: run.header)
    told = []
    unsubscribe = engine.subscribe(lambda run_id: told.append((len(run.frames), run.step)) if run_id == run.id else None)
    engine.post(run.id, ME, {"kind": "resume"})
    wait_for_end(engine, run)
    unsubscribe()
    steps = [step for frames, step in told if frames]
    assert all(frames == step for frames, step in told)
    assert len(steps) <= 15 + 2, "the last one is told with the run's end too"


def test_a_run_starts_at_the_speed_it_is_given(engine, submit):
    run = submit(endless(), speed=0.01)
    wait_for(engine, lambda: run.step == 1)
    engine.post(run.id, ME, {"kind": "speed"})
    wait_for(engine, lambda: run.step > 100)


def test_baseline_bars_come_and_go_on_demand(engine, submit):
    run = submit(endless(), paused=True, baseline=True)
    engine.post(run.id, ME, {"kind": "step"})
    wait_for(engine, lambda: run.step == 1)
    engine.post(run.id, ME, {"kind": "ghost", "ghost": False})
    engine.post(run.id, ME, {"kind": "step"})
    wait_for(engine, lambda: run.step == 2)
    measured = [frame["variants"]["net"] for frame in frames_of(run)]
    assert len(measured[0]["ghost"]) == 6
    assert "ghost" not in measured[-1]


def test_a_diverging_run_ends_with_its_step_and_first_layer(engine, submit):
    run = wait_for_end(engine, submit(explosive()))
    assert run.state == "diverged"
    place = run.diverged["net"]
    assert run.reason.startswith(f"net diverged at step {place['step']}: ")
    last = frames_of(run)[-1]
    assert last["step"] == place["step"]
    assert last["variants"]["net"]["first_broken"] == place["layer"]
    assert f": {explosive().network.place(place['layer'])} gave" in run.reason


def test_only_its_owner_controls_a_run(engine, submit):
    run = submit(endless(), paused=True)
    for stranger in ("somebody-else", "", None):
        with pytest.raises(EngineError, match="only the browser that started this run"):
            engine.post(run.id, stranger, {"kind": "stop"})
    assert not run.ended


def test_a_message_that_does_not_fit_is_refused_with_a_sentence(engine, submit):
    run = submit(endless(), paused=True)
    with pytest.raises(EngineError, match="s99"):
        engine.post(run.id, ME, {"kind": "skip", "ids": ["s99"], "on": True})
    with pytest.raises(EngineError, match="strength"):
        engine.post(run.id, ME, {"kind": "skip", "ids": ["s1-3"], "strength": 7})
    with pytest.raises(EngineError, match="there is no such run"):
        engine.post("nothing", ME, {"kind": "stop"})


def test_an_ended_run_takes_no_events(engine, submit):
    run = wait_for_end(engine, submit(small(steps=1)))
    with pytest.raises(EngineError, match="has ended"):
        engine.post(run.id, ME, {"kind": "rate", "learning_rate": 0.1})


def test_runs_over_the_limit_wait_in_line_and_know_their_place(engine, submit):
    running = [submit(endless()) for _ in range(2)]
    waiting = [submit(small()) for _ in range(2)]
    wait_for(engine, lambda: [run.ahead for run in waiting] == [0, 1])
    assert [run.state for run in waiting] == ["queued", "queued"]
    engine.post(running[0].id, ME, {"kind": "stop"})
    for run in waiting:
        assert wait_for_end(engine, run).state == "finished"
    assert running[1].state == "running"


def test_a_run_that_nobody_resumes_is_stopped_and_makes_room(engine, submit, monkeypatch):
    monkeypatch.setattr(engine, "settings", engine.settings.model_copy(update={"paused_minutes": 0.001}))
    run = wait_for_end(engine, submit(endless(), paused=True))
    assert (run.state, run.reason) == ("stopped", "it was paused for 0.001 minutes")


def test_a_run_that_waits_in_line_can_be_stopped(engine, submit):
    for _ in range(2):
        submit(endless())
    run = submit(small())
    engine.post(run.id, ME, {"kind": "stop"})
    assert run.state == "stopped"


def test_an_event_posted_to_a_waiting_run_acts_at_its_first_step(engine, submit):
    blocking = [submit(endless()) for _ in range(2)]
    run = submit(small())
    engine.post(run.id, ME, {"kind": "skip", "ids": ["s1-3"], "on": False})
    engine.post(blocking[0].id, ME, {"kind": "stop"})
    wait_for_end(engine, run)
    assert [(event["ids"], event["step"]) for event in run.events] == [(["s1-3"], 0)]


def test_an_experiment_that_is_too_big_is_refused_with_its_size_and_the_limit(engine):
    network = families.mlp(depth=300, width=1000)
    huge = Experiment(variants={"net": network}, task=Task(name="spiral"), training=Training(batch_size=4096))
    with pytest.raises(EngineError, match=r"needs about .* GB .* a run may take 4\.0 GB"):
        engine.submit(huge, ME)


def test_a_probe_measures_at_initialisation_with_baseline_and_picture(engine):
    answer = engine.probe(small(), timeout=60)
    measured = answer["frame"]["variants"]["net"]
    assert answer["frame"]["step"] == 0
    assert len(measured["weight_grad"]) == len(measured["ghost"]) == 6
    assert measured["picture"]["kind"] == "boundary"
    assert Experiment.model_validate(answer["header"]["experiment"]) == small()


def test_a_probe_is_kept_for_every_experiment_that_begins_alike(engine):
    first = engine.probe(small(), timeout=60)
    again = engine.probe(small(steps=77, learning_rate=0.5), timeout=0)
    assert again["frame"] == first["frame"]
    assert again["header"]["experiment"]["training"]["steps"] == 77


def test_a_probe_that_is_not_there_in_time_is_none(engine):
    assert engine.probe(small(seed=12345), timeout=0) is None


def test_closing_an_engine_interrupts_what_goes_on(tmp_path):
    from skipviz.engine import Engine
    from skipviz.settings import Settings

    engine = Engine(Settings(max_running=1, data_dir=tmp_path)).start()  # else the next one would let the run go on
    run = engine.run(engine.submit(endless(), ME))
    engine.close()
    assert (run.state, run.reason) == ("interrupted", "the server was restarted; the run goes on by itself")


def test_a_server_that_stops_begins_no_other_engine_and_one_that_starts_does(monkeypatch, tmp_path):
    from skipviz.engine import Engine, begin_engine, get_engine
    from skipviz.engine import process_engine as module
    from skipviz.settings import Settings

    stopping = Engine(Settings(data_dir=tmp_path))
    stopping.close()
    monkeypatch.setattr(module, "_engine", stopping)
    monkeypatch.setattr(Engine, "start", lambda engine: engine)
    assert get_engine() is stopping
    with pytest.raises(EngineError, match="the server is stopping") as refused:
        get_engine().submit(small(), ME)
    assert refused.value.status == 503
    started = begin_engine()
    assert started is not stopping
    assert get_engine() is begin_engine() is started


def test_the_engine_tells_in_figures_how_it_does(engine, submit, monkeypatch):
    for name in ("SAMPLE_SECONDS", "RATE_SECONDS"):
        monkeypatch.setattr(f"skipviz.engine.figures.{name}", 0.2)
    wait_for_rest(engine)
    before = engine.figures()
    run = submit(endless(), speed=200)
    wait_for(engine, lambda: run.step > 100)
    wait_for(engine, lambda: engine.figures()["steps_a_second"] > 0)
    now = engine.figures()
    assert now["runs"]["running"] == before["runs"]["running"] + 1
    assert now["frames_received"] > before["frames_received"]
    assert wait_for(engine, lambda: engine.figures()["worker_memory_mb"]) > 1
    assert now["workers"] == 1
    assert now["queue_length"] == 0


@pytest.mark.parametrize("speed", ["fast", [1], -5.0, 0.0, float("nan"), float("inf"), 1e-300, 1e9, True])
def test_what_is_no_speed_is_refused_and_every_other_run_is_looked_at_on(engine, submit, speed):
    with pytest.raises(EngineError, match="a speed is a number of steps a second") as refused:
        submit(endless(), speed=speed)
    assert refused.value.status == 422
    looked = engine._scheduler._looked
    wait_for(engine, lambda: engine._scheduler._looked > looked)


def test_a_run_that_cannot_be_looked_at_leaves_the_others_looked_at(engine, submit, monkeypatch):
    with monkeypatch.context() as broken:
        called = threading.Event()
        broken.setattr(engine._workers, "look", lambda: called.set() or 1 / 0)
        assert called.wait(PATIENCE)
    looked = engine._scheduler._looked
    wait_for(engine, lambda: engine._scheduler._looked > looked)
