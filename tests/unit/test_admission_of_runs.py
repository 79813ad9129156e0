"""Many browsers on one engine, through real worker processes: who starts, who rests, what ends."""

import json
import re
import secrets
from http.client import HTTPConnection
from secrets import token_urlsafe

import pytest
from engines import endless, small, wait_for, wait_for_end
from loopback import COOKIE, served

from skipviz.engine import EngineError
from skipviz.engine.capacity import limits
from skipviz.settings import PUBLIC, Settings
from skipviz.tasks import presets

ANN, BOB = "a-browser-named-ann", "a-browser-named-bob"


@pytest.fixture
def submit(engine):
    """Submits runs and stops them after the test."""
    runs = []

    def submit(experiment, owner=ANN, **options):
        runs.append(engine.run(engine.submit(experiment, owner, **options)))
        return runs[-1]

    yield submit
    for run in runs:
        if run.owner:
            engine.post(run.id, run.owner, {"kind": "stop"})
            wait_for_end(engine, run)


@pytest.fixture
def limited(engine, monkeypatch):
    """A function that changes settings of the engine for one test."""

    def limited(**changes):
        monkeypatch.setattr(engine, "settings", engine.settings.model_copy(update=changes))

    return limited


def test_a_paused_run_gives_its_core_away_and_goes_in_line_for_one_when_it_is_resumed(engine, submit):
    resting = submit(endless())
    submit(endless())
    wait_for(engine, lambda: resting.step > 0)
    waiting = submit(endless(), BOB)
    wait_for(engine, lambda: waiting.ahead == 0)
    engine.post(resting.id, ANN, {"kind": "pause"})
    wait_for(engine, lambda: waiting.step > 0)
    assert resting.state == "paused"
    there = resting.step
    engine.post(resting.id, ANN, {"kind": "resume"})
    wait_for(engine, lambda: (resting.state, resting.ahead) == ("queued", 0))
    engine.post(waiting.id, BOB, {"kind": "stop"})
    wait_for(engine, lambda: resting.step > there)
    assert (resting.state, resting.ahead) == ("running", None)


def test_a_run_that_waits_to_go_on_can_be_paused_again_and_stopped(engine, submit):
    resting = submit(endless(), paused=True)
    busy = [submit(endless(), BOB) for _ in range(2)]
    wait_for(engine, lambda: all(run.step for run in busy))
    engine.post(resting.id, ANN, {"kind": "resume"})
    assert resting.state == "queued"
    engine.post(resting.id, ANN, {"kind": "pause"})
    assert (resting.state, resting.ahead) == ("paused", None)
    engine.post(resting.id, ANN, {"kind": "step"})
    wait_for(engine, lambda: resting.step == 1)
    engine.post(resting.id, ANN, {"kind": "resume"})
    assert resting.state == "queued"
    engine.post(resting.id, ANN, {"kind": "stop"})
    assert wait_for_end(engine, resting).state == "stopped"


def test_a_run_in_line_is_never_told_without_its_place(engine, submit):
    placeless = []

    def look(run_id):
        message = json.loads(engine.kept(run_id).update(0)[1])
        if message["state"] == "queued" and message.get("ahead") is None:
            placeless.append(run_id)

    unsubscribe = engine.subscribe(look)
    resting = submit(endless(), paused=True)
    busy = [submit(endless(), BOB) for _ in range(2)]
    for number in range(30):
        look(submit(small(steps=1), f"browser-{number % 3}").id)
    wait_for(engine, lambda: all(run.step for run in busy) and resting.header)
    engine.post(resting.id, ANN, {"kind": "resume"})
    assert (resting.state, resting.ahead is None) == ("queued", False)
    engine.post(resting.id, ANN, {"kind": "stop"})
    wait_for_end(engine, resting)
    unsubscribe()
    assert placeless == []


def test_one_browsers_many_runs_do_not_delay_anothers_first(engine, submit):
    busy = [submit(endless(), BOB) for _ in range(2)]
    wait_for(engine, lambda: all(run.step for run in busy))
    many = [submit(small(), ANN) for _ in range(5)]
    single = submit(small(), "a-third-browser")
    wait_for(engine, lambda: [run.ahead for run in (*many, single)] == [0, 2, 3, 4, 5, 1])


def test_a_browser_has_so_many_runs_under_way_and_so_many_in_line(engine, submit, limited):
    limited(browser_running=1, browser_queued=1)
    first = submit(endless())
    wait_for(engine, lambda: first.step > 0)
    second = submit(small())
    with pytest.raises(EngineError, match="1 runs of this browser wait in line already"):
        engine.submit(small(), ANN)
    other = submit(endless(), BOB)
    wait_for(engine, lambda: other.step > 0)
    assert second.state == "queued"
    engine.post(first.id, ANN, {"kind": "stop"})
    assert wait_for_end(engine, second).state == "finished"


def test_runs_wait_for_memory_and_one_that_never_fits_is_refused(engine, submit, limited):
    first = submit(endless(), paused=True)
    wait_for(engine, lambda: first.header)
    limited(total_memory_mb=int(limits.memory_mb(endless())) + 5)
    second = submit(small(), BOB)
    wait_for(engine, lambda: second.ahead == 0)
    engine.post(first.id, ANN, {"kind": "stop"})
    assert wait_for_end(engine, second).state == "finished"
    limited(total_memory_mb=64)
    with pytest.raises(EngineError, match="a run may take 64 MB"):
        engine.submit(presets.get("resnet-110-cifar"), ANN)


def test_who_waits_is_told_how_long_once_something_was_measured(engine, submit):
    running = [submit(endless(), BOB) for _ in range(2)]
    waiting = submit(small(), BOB)
    wait_for(engine, lambda: waiting.ahead == 0)
    assert wait_for(engine, lambda: waiting.wait) >= 5
    assert all(run.state == "running" for run in running)


def test_runs_that_are_held_to_a_speed_take_less_than_a_core_each(engine, submit):
    slow = [submit(endless(), ANN, speed=2) for _ in range(2)]
    wait_for(engine, lambda: all(run.step > 0 for run in slow))
    third = submit(small(), BOB)
    assert wait_for_end(engine, third).state == "finished"
    assert [run.state for run in slow] == ["running", "running"]


def test_the_servers_own_run_begins_although_everything_is_taken(engine, submit):
    for _ in range(2):
        submit(endless())
    own = submit(small(), None, demo=True)
    assert wait_for_end(engine, own).state == "finished"


def test_a_run_ends_when_its_time_is_over_and_says_so(engine, submit, limited):
    run = submit(endless())
    wait_for(engine, lambda: run.frames)  # its time includes its worker's start, which may alone take longer
    limited(run_minutes=0.01)
    wait_for_end(engine, run)
    assert (run.state, run.reason) == ("stopped", "stopped after 0.6 s of training, this server's limit for a run")
    assert not run.resumable, "there is no time left to go on in"
    assert run.frames


def test_what_is_over_a_budget_is_refused_before_it_starts_with_the_limit(engine, limited):
    limited(run_steps=100, run_parameters=100)
    with pytest.raises(EngineError, match="asks for 101 steps and a run may take 100 on this server"):
        engine.submit(small(steps=101), ANN)
    with pytest.raises(EngineError, match=r"has [\d,]+ parameters and a run may have 100 on this server"):
        engine.submit(small(), ANN)


def test_a_run_that_nobody_watches_pauses_and_goes_on_by_itself_when_somebody_does(engine, submit, limited):
    limited(unwatched_minutes=0.01)
    run = submit(endless())
    why = "nobody watched for 0.6 s; it goes on by itself when somebody does"
    wait_for(engine, lambda: (run.state, run.reason) == ("paused", why))
    there = run.step
    leave = engine.watch(run.id)
    wait_for(engine, lambda: run.state == "running" and run.reason is None and run.step > there)
    leave()
    wait_for(engine, lambda: run.state == "paused")
    engine.seen(run.id)
    wait_for(engine, lambda: run.state == "running")


def test_a_watched_run_goes_on_and_one_that_its_owner_paused_stays_so(engine, submit, limited):
    watched, paused = submit(endless()), submit(endless())
    leaves = [engine.watch(run.id) for run in (watched, paused)]
    wait_for(engine, lambda: paused.step > 0)
    engine.post(paused.id, ANN, {"kind": "pause"})
    wait_for(engine, lambda: paused.state == "paused")
    limited(unwatched_minutes=0.005)
    alone = submit(endless(), BOB)
    wait_for(engine, lambda: alone.state == "paused")
    assert watched.state == "running"
    leaves.append(engine.watch(paused.id))
    engine.seen(paused.id)
    there = watched.step
    wait_for(engine, lambda: watched.step > there)
    assert (paused.state, paused.reason) == ("paused", None)
    for leave in leaves:
        leave()


def test_too_many_starts_of_an_address_are_refused(engine, limited):
    limited(starts_per_minute=2)
    runs = [engine.run(engine.submit(small(steps=1), owner, address="203.0.113.7")) for owner in (ANN, BOB)]
    with pytest.raises(EngineError, match="this address may start 2 runs a minute") as refused:
        engine.submit(small(), "a-third-browser", address="203.0.113.7")
    assert refused.value.status == 429
    for run in runs:
        wait_for_end(engine, run)


def test_the_ids_of_runs_cannot_be_guessed(submit, monkeypatch):
    drawn = []
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: drawn.append(token_urlsafe(size)) or drawn[-1])
    ids = [submit(small(steps=1), paused=True).id for _ in range(4)]
    assert ids == drawn
    ids += [secrets.token_urlsafe(12) for _ in range(996)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{16}", one) for one in ids)


def test_behind_a_proxy_visitors_are_counted_and_without_one_nobody_says_who_he_is(engine, limited):
    body = json.dumps({"experiment": small(steps=1).model_dump(mode="json", exclude_defaults=True)})
    runs = []
    with served() as client:

        def start(address: str) -> int:
            # From 127.0.0.2, since the web server itself believes what a proxy at 127.0.0.1 says.
            connection = HTTPConnection("127.0.0.1", client.port, timeout=60, source_address=("127.0.0.2", 0))
            headers = {"content-type": "application/json", "cookie": COOKIE, "x-forwarded-for": address}
            connection.request("POST", "/skipviz/runs", body, headers)
            response = connection.getresponse()
            runs.append(json.loads(response.read()).get("run"))
            connection.close()
            return response.status

        limited(starts_per_minute=2, trusted_proxies=1)
        assert [start("203.0.113.21") for _ in range(3)] == [201, 201, 429]
        assert start("203.0.113.22") == 201
        assert start("203.0.113.23, 203.0.113.21") == 429
        limited(starts_per_minute=2, trusted_proxies=0)
        assert [start(f"203.0.113.{number}") for number in (31, 32, 33)] == [201, 201, 429]
    for run in filter(None, runs):
        wait_for_end(engine, engine.run(run))


def test_public_defaults_are_within_the_others_and_give_way_to_what_is_set(monkeypatch):
    monkeypatch.setenv("SKIPVIZ_PUBLIC", "1")
    monkeypatch.setenv("SKIPVIZ_RUN_MINUTES", "25")
    public, private = Settings(), Settings(public=False)
    assert public.run_minutes == 25
    assert {name: getattr(public, name) for name in PUBLIC if name != "run_minutes"} == {
        name: value for name, value in PUBLIC.items() if name != "run_minutes"
    }
    larger = {"max_queued"}
    assert all(PUBLIC[name] <= getattr(private, name) for name in PUBLIC if name not in larger)
    assert private.run_minutes == 25


def test_every_preset_may_run_on_a_public_server():
    from skipviz.engine.capacity import budget

    public = Settings(public=True)
    for name in presets.names():
        experiment = presets.get(name)
        assert budget.refusal(experiment, public) is None, name
        assert limits.refusal(experiment, public.run_memory_mb) is None, name
