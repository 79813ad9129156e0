"""Jobs through real worker processes: rows as they come, stop and resume, ends of every kind, turns and bounds."""

import json
import os
import signal
import time
from dataclasses import replace

import psutil
import pytest
from engines import PATIENCE, endless, small, wait_for
from loopback import COOKIE, STRANGER, served

from skipviz.engine import Engine, EngineError
from skipviz.engine import process_engine as module
from skipviz.engine.capacity import limits
from skipviz.engine.jobs import SERVER_STOPPED
from skipviz.engine.processes import job_worker
from skipviz.evidence.claim import Verdict
from skipviz.evidence.claims import CLAIMS
from skipviz.learning.cell import cell_row
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.tasks.sweep import sweep_of

ME, OTHER = "owner-of-these-tests", "another-owner-of-them"
LONG = 2_000
"""Steps of a cell that is still computed when it is looked at, and for no longer than a test waits."""


def sweep(*depths, steps=4, **training):
    """Return the spec of a sweep over depths."""
    made = sweep_of(small(steps=steps, **training), [("depth", [str(depth) for depth in depths])])
    return made.model_dump(mode="json", exclude_defaults=True)


def rows_of(job):
    """Return a job's rows, decoded."""
    return [json.loads(row) for row in job.rows]


def until(engine, job_id, condition):
    """Wait until `condition(job)` holds, looking again at every news of the jobs, and return the job."""

    def found():
        job = engine.jobs.find(job_id)
        return condition(job) and job

    return wait_for(engine.jobs, found)


def ended(engine, job_id):
    return until(engine, job_id, lambda job: not job.under_way)


@pytest.fixture(scope="module")
def jobs_engine(tmp_path_factory):
    """An engine in which one job computes at a time."""
    engine = Engine(Settings(max_running=2, max_jobs=1, data_dir=tmp_path_factory.mktemp("jobs"))).start()
    yield engine
    engine.close()


def test_a_sweeps_rows_are_those_of_its_cells_trained_here(jobs_engine):
    spec = sweep(2, 3)
    job = ended(jobs_engine, jobs_engine.jobs.submit("sweep", spec, ME))
    assert (job.state, job.reason, job.progress) == ("finished", None, 1.0)
    assert job.seconds > 0
    here = [cell_row(cell) for cell in sweep_of(small(steps=4), [("depth", ["2", "3"])]).cells()]
    for row, wanted in zip(rows_of(job), here, strict=True):
        assert {**row, "seconds": 0} == {**wanted, "seconds": 0}


def test_a_stopped_job_keeps_its_rows_and_a_resumed_one_computes_only_what_it_lacks(jobs_engine):
    jobs = jobs_engine.jobs
    name = jobs.submit("sweep", sweep(1, 100, 2, steps=150), ME)
    until(jobs_engine, name, lambda job: job.rows and job.progress > 1 / 3)
    jobs.stop(name, ME)
    job = ended(jobs_engine, name)
    first = list(job.rows)
    assert (job.state, job.reason) == ("stopped", None)
    assert [row["depth"] for row in rows_of(job)] == [1]
    jobs.resume(name, ME)
    job = ended(jobs_engine, name)
    assert job.state == "finished"
    assert job.rows[:1] == first
    assert [row["depth"] for row in rows_of(job)] == [1, 100, 2]
    with pytest.raises(EngineError, match="has finished"):
        jobs.resume(name, ME)


def test_the_newest_job_that_computed_just_this_is_found_whoever_asked_for_it(jobs_engine):
    jobs, spec = jobs_engine.jobs, sweep(4)
    assert jobs.newest("sweep", spec) is None
    for owner in (ME, OTHER):
        job = ended(jobs_engine, jobs.submit("sweep", spec, owner))
        found = jobs.newest("sweep", spec)
        assert (found.id, rows_of(found)) == (job.id, rows_of(job))
    stopped = jobs.submit("sweep", sweep(5, steps=LONG), ME)
    jobs.stop(stopped, ME)
    assert ended(jobs_engine, stopped).state == "stopped"
    assert jobs.newest("sweep", sweep(5, steps=LONG)) is None


def test_a_killed_worker_fails_its_job_with_a_reason_and_the_next_one_begins(jobs_engine):
    jobs = jobs_engine.jobs
    name, following = (jobs.submit("sweep", sweep(*depths, steps=150), ME) for depths in ((1, 100), (1,)))
    until(jobs_engine, name, lambda job: len(job.rows) == 1)
    assert jobs.find(following).state == "queued"
    os.kill(jobs.pid(name), signal.SIGKILL)
    job = ended(jobs_engine, name)
    assert (job.state, job.reason) == ("failed", "the job's worker was ended by signal 9 (killed)")
    assert ended(jobs_engine, following).state == "finished"
    jobs.resume(name, ME)
    assert [row["depth"] for row in rows_of(ended(jobs_engine, name))] == [1, 100]


def test_a_job_gives_way_to_runs(jobs_engine):
    jobs = jobs_engine.jobs
    name = jobs.submit("sweep", sweep(100, steps=LONG), ME)
    run = jobs_engine.run(jobs_engine.submit(endless(), ME))
    wait_for(jobs_engine, lambda: run.step > 0)
    until(jobs_engine, name, lambda job: job.progress > 0)
    cell = sweep_of(small(steps=LONG), [("depth", ["100"])]).cell(0).experiment
    assert jobs_engine.jobs.reckoned_mb == round(limits.memory_mb(cell))
    runs = psutil.Process(jobs_engine.worker_pid(run.id)).nice()
    assert psutil.Process(jobs.pid(name)).nice() == min(19, runs + job_worker.NICENESS)
    jobs_engine.post(run.id, ME, {"kind": "stop"})
    jobs.stop(name, ME)
    assert ended(jobs_engine, name).state == "stopped"
    assert jobs_engine.jobs.reckoned_mb == 0


def test_browsers_take_turns_and_a_queued_job_is_stopped_at_once(jobs_engine):
    jobs = jobs_engine.jobs
    first = jobs.submit("sweep", sweep(100, steps=LONG), ME)
    until(jobs_engine, first, lambda job: job.state == "running")
    mine = [jobs.submit("sweep", sweep(1), ME) for _ in range(2)]
    others = jobs.submit("sweep", sweep(1), OTHER)
    until(jobs_engine, others, lambda job: job.ahead == 1)
    assert [jobs.find(name).ahead for name in mine] == [0, 2]
    jobs.stop(mine[1], ME)
    assert jobs.find(mine[1]).state == "stopped"
    jobs.stop(first, ME)
    assert {ended(jobs_engine, name).state for name in (mine[0], others)} == {"finished"}


def test_only_the_browser_that_started_a_job_may_change_it(jobs_engine):
    name = jobs_engine.jobs.submit("sweep", sweep(1), ME)
    for change in (jobs_engine.jobs.stop, jobs_engine.jobs.resume):
        for owner in (OTHER, None, ""):
            with pytest.raises(EngineError, match="only the browser"):
                change(name, owner)
    assert name in {job.id for job in jobs_engine.jobs.of(ME)}
    assert jobs_engine.jobs.of(OTHER + "?") == jobs_engine.jobs.of(None) == []
    ended(jobs_engine, name)


@pytest.mark.parametrize(
    ("kind", "spec", "sentence"),
    [
        ("lesson", {}, "there is no job of this kind; there is sweep, claim"),
        ("sweep", {}, "base: field required"),
        ("sweep", {"base": 3, "axes": []}, "base: "),
        ("sweep", {**sweep(1), "axes": [{"field": "depth", "values": [0]}]}, "depth is a whole number from 1 to 2,500, not 0"),
        ("sweep", {**sweep(1), "module": "os"}, "module: there is no such field here"),
        ("claim", {"claim": "../../secret"}, "there is no claim '../../secret'; there is "),
        ("claim", {"claim": "backward_bug", "controls": {"blocks": [1]}}, "controls.blocks"),
        ("claim", {"claim": "backward_bug", "controls": {"blocks": 1}}, "blocks: input should be greater than or equal to 12"),
        ("claim", {"claim": "backward_bug", "controls": {"depth": 1}}, "depth: there is no such field here"),
    ],
)
def test_what_is_no_job_is_refused_in_one_sentence(jobs_engine, kind, spec, sentence):
    with pytest.raises(EngineError) as refused:
        jobs_engine.jobs.submit(kind, spec, ME)
    assert str(refused.value).startswith(sentence)
    assert refused.value.status == 422


def test_there_is_no_job_of_another_name(jobs_engine):
    for name in ("nothing", "../lock", ""):
        with pytest.raises(EngineError, match="no such job"):
            jobs_engine.jobs.find(name)


def test_jobs_are_there_after_a_restart_and_what_was_under_way_can_be_resumed(start):
    engine = start(max_jobs=1)
    done, going = (engine.jobs.submit("sweep", sweep(*depths, steps=150), ME) for depths in ((1,), (1, 100)))
    until(engine, going, lambda job: len(job.rows) == 1)
    engine.close()
    again = start(max_jobs=1)
    assert [job.id for job in again.jobs.of(ME)] == [going, done]
    assert [(job.state, job.reason) for job in again.jobs.of(ME)] == [("stopped", SERVER_STOPPED), ("finished", None)]
    assert rows_of(again.jobs.find(done)) == rows_of(engine.jobs.find(done))
    assert again.jobs.newest("sweep", sweep(1, steps=150)).id == done
    again.jobs.resume(going, ME)
    assert [row["depth"] for row in rows_of(ended(again, going))] == [1, 100]


def test_a_job_whose_server_was_killed_is_stopped_and_a_line_that_was_cut_short_is_left_out(start, tmp_path):
    engine = start(max_jobs=1)
    name = engine.jobs.submit("sweep", sweep(1, 2), ME)
    ended(engine, name)
    engine.close()
    (file,) = (tmp_path / "jobs").iterdir()
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join(lines[:2]) + b"\n" + lines[2][:20])
    again = start(max_jobs=1)
    job = again.jobs.find(name) if again.jobs.of(ME) else None
    assert (job.state, job.reason) == ("stopped", SERVER_STOPPED)
    assert [row["depth"] for row in rows_of(job)] == [1]
    again.jobs.resume(name, ME)
    ended(again, name)
    again.close()
    third = start(max_jobs=1)
    assert [(job.state, job.id) for job in third.jobs.of(ME)] == [("finished", name)]
    assert [row["depth"] for row in rows_of(third.jobs.find(name))] == [1, 2]


def test_a_browser_has_so_many_jobs_and_a_job_so_many_minutes(start):
    engine = start(max_jobs=1, browser_jobs=1, job_minutes=0.01)
    name = engine.jobs.submit("sweep", sweep(100, steps=LONG), ME)
    with pytest.raises(EngineError, match="as many jobs of this browser as may, 1, wait or compute already"):
        engine.jobs.submit("sweep", sweep(1), ME)
    job = ended(engine, name)
    assert (job.state, job.reason) == ("stopped", "stopped after 0.6 s, this server's limit for a job")
    with pytest.raises(EngineError, match=r"0\.6 s, this server's limit for a job: start it anew"):
        engine.jobs.resume(name, ME)


def test_ended_jobs_go_with_the_time_that_they_are_kept(start, tmp_path):
    engine = start(max_jobs=1)
    old, new = (engine.jobs.submit("sweep", sweep(1), ME) for _ in range(2))
    for name in (old, new):
        ended(engine, name)
    engine.close()
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(tmp_path / "jobs" / f"{old}.jsonl", (long_ago, long_ago))
    again = start(max_jobs=1)
    assert [job.id for job in again.jobs.of(ME)] == [new]


class Channel:
    """What a job's session sends."""

    def __init__(self):
        self.inbox = []

    def send(self, word, data):
        pass


MOST = {"steps": 10, "parameters": 10_000}


def session(rows=()):
    return job_worker.Session(Channel(), {"uploads": "none", "rows": list(rows), "most": MOST, "memory_mb": 512})


def test_a_cell_over_what_a_run_may_take_is_marked_and_stops_nothing():
    spec = {**sweep(1), "axes": [{"field": "width", "values": [200, 4]}, {"field": "depth", "values": [2]}]}
    refused, trained = (row for _, row in job_worker.sweep_rows(spec, session()))
    assert (refused["state"], trained["state"]) == ("impossible", "finished")
    parameters = families.mlp(depth=2, width=200).parameter_count()
    assert refused["reason"] == f"{parameters:,} parameters are more than the 10,000 that a run may have on this server"
    (row,) = (row for _, row in job_worker.sweep_rows(sweep(1, steps=11), session()))
    assert row["reason"] == "11 steps are more than the 10 that a run may have on this server"


def test_a_claims_rows_are_its_own_with_its_verdict_and_one_that_goes_on_leaves_those_out_that_it_has(monkeypatch):
    rows = [{"x": place, "series": "a", "measured": 0.5} for place in range(3)]

    def measured(blocks, gain):
        for number, row in enumerate(rows):
            yield number / 4, None
            yield number / 4, row

    fake = replace(CLAIMS["backward_bug"], measure=measured, verdict=lambda frame: Verdict(len(frame) == 3, "So it is.", 0.5))
    monkeypatch.setitem(CLAIMS, "backward_bug", fake)
    spec, last = {"claim": "backward_bug", "controls": {"blocks": 12}}, {"holds": True, "sentence": "So it is.", "figure": 0.5}
    assert list(job_worker.claim_rows(spec, session())) == [(0, rows[0]), (0.25, rows[1]), (0.5, rows[2]), (1, last)]
    assert [row for _, row in job_worker.claim_rows(spec, session(rows[:2]))] == [rows[2], last]


def test_rows_are_json_whatever_numbers_they_hold():
    import numpy

    row = {"a": numpy.float32(0.5), "b": float("inf"), "c": [numpy.int64(3), None], 4: numpy.nan}
    assert job_worker.plain(row) == {"a": 0.5, "b": None, "c": [3, None], "4": None}


@pytest.fixture(scope="module")
def client(jobs_engine):
    """A browser that speaks to the routes of that engine."""
    before = module._engine
    module._engine = jobs_engine
    with served() as browser:
        yield browser
    module._engine = before


def test_a_browser_begins_a_job_hears_its_rows_once_each_and_takes_them_as_a_table(client, jobs_engine):
    status, answer = client.request("POST", "/skipviz/jobs", {"kind": "sweep", "spec": sweep(2, 3)})
    assert status == 201
    path, heard, deadline = f"/skipviz/jobs/{answer['job']}", [], time.monotonic() + PATIENCE
    while True:
        status, said = client.request("GET", f"{path}?since={len(heard)}")
        heard += said["rows"]
        assert (status, said["count"], said["mine"]) == (200, len(heard), True)
        if said["state"] == "finished":
            break
        assert time.monotonic() < deadline
    assert [row["depth"] for row in heard] == [2, 3]
    assert said["progress"] == 1
    assert client.request("GET", path, cookie=STRANGER)[1]["mine"] is False
    lines = client.request("GET", f"{path}.csv")[1].decode().splitlines()
    assert lines[0].startswith("cell,depth,final_loss,held_out,")
    assert [line.split(",")[:2] for line in lines[1:]] == [["0", "2"], ["1", "3"]]


def test_the_stream_brings_a_jobs_rows_once_each_and_goes_on_from_those_that_a_page_has(client, jobs_engine):
    name = client.request("POST", "/skipviz/jobs", {"kind": "sweep", "spec": sweep(2, 3, 4)})[1]["job"]
    heard, last = [], {}
    for _, said in client.listen(f"notices=1&jobs={name}:0", cookie=COOKIE):
        if "job" in said:
            last, since = said["job"], said["since"]
            assert (since, last["count"]) == (len(heard), since + len(last["rows"]))
            heard += last["rows"]
            if last["state"] == "finished":
                break
    assert [row["depth"] for row in heard] == [2, 3, 4]
    assert (last["mine"], last["progress"]) == (True, 1)
    again = (said for _, said in client.listen(f"notices=1&jobs={name}:2,nosuch:0", cookie=STRANGER) if "job" in said)
    said = next(again)
    assert (said["since"], said["job"]["rows"], said["job"]["mine"]) == (2, heard[2:], False)
    again.close()
    assert jobs_engine.figures()["jobs"]["finished"] >= 1


def test_a_job_is_stopped_and_resumed_by_the_browser_that_began_it(client, jobs_engine):
    spec = sweep(100, steps=LONG)
    name = client.request("POST", "/skipviz/jobs", {"kind": "sweep", "spec": spec})[1]["job"]
    for change, state in (("stop", "stopped"), ("resume", "running"), ("stop", "stopped")):
        assert client.request("POST", f"/skipviz/jobs/{name}/{change}", {}) == (200, {"ok": True})
        until(jobs_engine, name, lambda job, state=state: job.state == state)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, "the body is not JSON"),
        ({"kind": "sweep"}, 422, "spec: field required"),
        ({"kind": "lesson", "spec": {}}, 422, "there is no job of this kind"),
        ({"kind": "sweep", "spec": {"base": {}}}, 422, "base.variants: field required"),
        (b" " * 2_000_001, 413, "what a job asks for has at most 2,000,000 bytes"),
    ],
)
def test_a_post_that_is_no_job_is_refused_in_one_sentence(client, body, status, sentence):
    answered, answer = client.request("POST", "/skipviz/jobs", body)
    assert (answered, list(answer)) == (status, ["error"])
    assert answer["error"].startswith(sentence)


def test_a_job_that_is_not_there_and_rows_of_no_number_are_refused(client):
    for path in ("nothing", "nothing.csv", "nothing?since=3"):
        assert client.request("GET", f"/skipviz/jobs/{path}")[0] == 404
    assert client.request("GET", "/skipviz/jobs/nothing?since=-1")[0] == 400
