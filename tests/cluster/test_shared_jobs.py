"""A job is the same at every server of a database: shown, stopped and resumed anywhere, and kept where its server is killed."""

import http.client
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from engines import PATIENCE, small
from machines import COOKIE

from skipviz.engine import Engine, EngineError
from skipviz.engine.shared_jobs import SERVER_GONE
from skipviz.settings import Settings
from skipviz.storage.job_files import JobFiles
from skipviz.storage.retention import Retention
from skipviz.tasks.sweep import sweep_of

STRANGER = "skipviz=" + "b" * 32
DEPTHS = 1, *range(60, 68)
"""Of a sweep whose first row is soon there, and which is still computed when it is looked at then."""
STEPS = 300
LONG = 20_000
"""Steps of a cell that is stopped before its end."""


def sweep(*depths, steps=4):
    """Return what a sweep over depths asks for."""
    made = sweep_of(small(steps=steps), [("depth", [str(depth) for depth in depths])])
    return made.model_dump(mode="json", exclude_defaults=True)


def submitted(machine, spec):
    status, answer = machine.ask("POST", "/skipviz/jobs", {"kind": "sweep", "spec": spec})
    assert status == 201, answer
    return answer["job"]


def until(machine, job, condition):
    """Wait until `condition(job)` holds of what a server says, and return that."""

    def asked():
        status, said = machine.ask("GET", f"/skipviz/jobs/{job}")
        return status == 200 and condition(said) and said

    return waited(asked)


def is_in(*states):
    return lambda job: job["state"] in states


def test_a_sweep_is_shown_and_stopped_and_resumed_at_whichever_server_is_asked(machines):
    first, second = machines
    job = submitted(first, sweep(1, 100, 2, steps=LONG))
    assert second.ask("GET", f"/skipviz/jobs/{job}")[0] == 200, "known at once"
    there = until(second, job, lambda job: job["count"] and job["state"] == "running")
    assert there["rows"] == until(first, job, lambda job: job["count"])["rows"][: there["count"]]
    for act in ("stop", "resume"):
        status, answer = second.ask("POST", f"/skipviz/jobs/{job}/{act}", {}, cookie=STRANGER)
        assert (status, answer["error"]) == (403, "only the browser that started this job may change it")
    assert second.ask("POST", f"/skipviz/jobs/{job}/resume", {})[1]["error"] == "this job goes on already"
    assert second.ask("POST", f"/skipviz/jobs/{job}/stop", {})[0] == 200
    left = until(first, job, is_in("stopped"))
    assert until(second, job, is_in("stopped"))["rows"] == left["rows"]
    with ThreadPoolExecutor() as both:  # only one of them may have it
        answers = list(both.map(lambda machine: machine.ask("POST", f"/skipviz/jobs/{job}/resume", {})[0], machines))
    assert sorted(answers) == [200, 409]
    for machine in machines:
        assert until(machine, job, is_in("running"))["rows"][: left["count"]] == left["rows"]
    assert first.ask("POST", f"/skipviz/jobs/{job}/stop", {})[0] == 200
    ended = [until(machine, job, is_in("stopped")) for machine in machines]
    assert ended[0]["rows"] == ended[1]["rows"]
    assert ended[0]["rows"][: left["count"]] == left["rows"]


def test_a_stream_at_another_server_tells_every_row_once(machines):
    first, second = machines
    job = submitted(first, sweep(1, 2, 3, 4, 5, steps=60))
    stream = http.client.HTTPConnection("127.0.0.1", second.port, timeout=PATIENCE)
    stream.request("GET", f"/skipviz/stream?notices=1&jobs={job}:0", headers={"cookie": COOKIE})
    answer, rows, state = stream.getresponse(), [], None
    while state != "finished":
        word, _, data = answer.readline().partition(b"data: ")
        told = json.loads(data) if data and not word else {}
        if "job" in told:
            assert told["since"] == len(rows)
            rows, state = rows + told["job"]["rows"], told["job"]["state"]
    stream.close()
    assert rows == until(first, job, is_in("finished"))["rows"]
    assert len(rows) == 5


def test_a_sweep_of_a_killed_server_keeps_its_rows_and_goes_on_at_another(machines):
    first, second = machines
    job = submitted(first, sweep(*DEPTHS, steps=STEPS))
    before = until(second, job, lambda job: job["count"] and job["state"] == "running")
    first.end(signal.SIGKILL)
    left = until(second, job, is_in("stopped"))
    assert left["reason"] == SERVER_GONE
    assert left["rows"][: before["count"]] == before["rows"]
    assert second.ask("POST", f"/skipviz/jobs/{job}/resume", {})[0] == 200
    ended = until(second, job, is_in("finished"))
    assert ended["rows"][: left["count"]] == left["rows"]
    assert sorted(row["cell"] for row in ended["rows"]) == [*range(len(DEPTHS))]


def test_a_browsers_jobs_at_all_servers_count_together(start, database_url, tmp_path):
    first, second = (start(database_url, browser_jobs=1, data_dir=tmp_path / name) for name in "ab")
    job = first.jobs.submit("sweep", sweep(100, steps=LONG), "me")
    with pytest.raises(EngineError, match="as many jobs of this browser as may, 1, wait or compute already"):
        second.jobs.submit("sweep", sweep(1), "me")
    second.jobs.submit("sweep", sweep(1), "somebody else")
    assert [mine.id for mine in second.jobs.of("me")] == [job]
    second.jobs.stop(job, "me")
    waited(lambda: not second.jobs.find(job).under_way)
    again = second.jobs.submit("sweep", sweep(1), "me")
    waited(lambda: first.jobs.find(again).state == "finished")
    spec = second.jobs.find(again).spec
    assert first.jobs.newest("sweep", spec).id in {mine.id for mine in first.jobs.of("me") + first.jobs.of("somebody else")}


def test_rows_that_a_database_did_not_take_are_there_once_it_is_back(start, own_postgres):
    url = own_postgres.make("jobs")
    engine = start(url)
    job = engine.jobs.submit("sweep", sweep(*DEPTHS, steps=STEPS), "me")
    waited(lambda: engine.jobs.find(job).rows)
    own_postgres.kill()
    waited(lambda: not engine.jobs.find(job).under_way)
    rows = list(engine.jobs.find(job).rows)
    assert not engine.jobs.find(job).kept
    assert [mine.id for mine in engine.jobs.of("me")] == [job], "what is here is shown meanwhile"
    own_postgres.start()
    other = start(url)
    waited(lambda: found(other, job) and found(other, job).rows == rows)


def test_a_server_ends_the_workers_of_a_job_that_is_another_servers_by_now(start, database_url):
    engine = start(database_url)
    job = engine.jobs.submit("sweep", sweep(100, steps=LONG), "me")
    waited(lambda: engine.jobs.pid(job))
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE jobs SET server = 1")
    waited(lambda: engine.jobs.pid(job) is None)
    assert not engine.jobs.under_way
    assert (engine.jobs.find(job).state, engine.jobs.find(job).reason) == ("stopped", SERVER_GONE)


def test_jobs_that_a_server_kept_in_its_folder_before_are_in_the_database(start, database_url, tmp_path):
    engine = Engine(Settings(data_dir=tmp_path / "alone")).start()
    job = engine.jobs.submit("sweep", sweep(1, 2), COOKIE)
    waited(lambda: not engine.jobs.find(job).under_way)
    rows = list(engine.jobs.find(job).rows)
    engine.close()
    start(database_url, data_dir=tmp_path / "alone")
    other = start(database_url, data_dir=tmp_path / "other")
    waited(lambda: found(other, job) is not None)
    assert (other.jobs.find(job).state, other.jobs.find(job).rows) == ("finished", rows)
    waited(lambda: not list(JobFiles(tmp_path / "alone" / "jobs", Retention(1, 1)).kept()))
    assert [json.loads(row)["cell"] for row in rows] == [0, 1]


def found(engine, job):
    """Return a job, or None where it is not there."""
    try:
        return engine.jobs.find(job)
    except EngineError:
        return None


def waited(condition):
    """Wait until `condition()` holds, and return what it returned."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return result
