"""What a host asks: whether the server lives, whether it is ready, its figures; the routes as the server calls them."""

import asyncio
import json
import os
from types import SimpleNamespace

import pytest
from engines import endless, small, wait_for, wait_for_end, wait_for_rest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from skipviz.engine.figures import WAIT_BOUNDS, Figures
from skipviz.settings import Settings
from skipviz.web.http.health import Health, PrivateFigures, disk_problem
from skipviz.web.http.metrics import CONTENT_TYPE, may_read, written

HERE = ("127.0.0.1", 50000)


def ask(app, path, client=HERE, **given):
    """Return the status, the content type and the body that `app` answers."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    scope = {"type": "http", "method": "GET", "path": path, "client": client, "headers": headers, "query_string": b""}
    asyncio.run(app(scope, receive, send))
    kind = dict(sent[0]["headers"])[b"content-type"].decode()
    return sent[0]["status"], kind, b"".join(message.get("body", b"") for message in sent[1:])


def app_of(engine):
    return Starlette(routes=Health(lambda: engine, lambda: 3).routes())


def cold(tmp_path, **changes):
    """Return what stands for an engine that is in the state `changes` say."""
    return SimpleNamespace(**{"warm": True, "closed": False, "settings": Settings(data_dir=tmp_path), **changes})


def figures_of(engine) -> dict[str, dict]:
    """Return every figure as a Prometheus server reads it: name → labels → value."""
    found = {}
    for family in text_string_to_metric_families(written(engine, lambda: 3).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_a_living_process_answers_even_before_its_engine_is_warm(tmp_path):
    assert ask(app_of(cold(tmp_path, warm=False)), "/skipviz/live")[0] == 200


def test_a_warm_engine_with_a_disk_is_ready(engine):
    status, _, body = ask(app_of(engine), "/skipviz/ready")
    assert (status, json.loads(body)) == (200, {"ready": True})


def test_an_engine_that_warms_up_is_not_ready_and_says_so(tmp_path):
    status, _, body = ask(app_of(cold(tmp_path, warm=False)), "/skipviz/ready")
    assert status == 503
    assert json.loads(body)["error"] == "the helper that starts workers is warming up"


def test_an_engine_that_is_stopping_is_not_ready_and_says_so(tmp_path):
    status, _, body = ask(app_of(cold(tmp_path, closed=True)), "/skipviz/ready")
    assert status == 503
    assert json.loads(body)["error"] == "the server is stopping"


def test_a_data_folder_that_is_no_folder_is_not_ready(tmp_path):
    (tmp_path / "file").write_text("")
    engine = cold(tmp_path, settings=Settings(data_dir=tmp_path / "file" / "data"))
    status, _, body = ask(app_of(engine), "/skipviz/ready")
    assert status == 503
    assert json.loads(body)["error"].startswith("the data folder cannot be written: ")


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("skipviz.web.http.health.LEAST_DISK", 2**62)
    assert disk_problem(tmp_path).startswith("the disk is full: ")


def test_a_look_at_the_disk_leaves_nothing_there(tmp_path):
    assert disk_problem(tmp_path / "new") is None
    assert os.listdir(tmp_path / "new") == []


def test_figures_are_read_by_prometheus_and_tell_what_happened(engine):
    wait_for_rest(engine)
    before = figures_of(engine)
    run = engine.run(engine.submit(small(record_every=1), "owner"))
    wait_for_end(engine, run)
    now = figures_of(engine)
    grown = {name: now[name][()] - before[name][()] for name in ("skipviz_steps_total", "skipviz_frames_received_total")}
    assert grown == {"skipviz_steps_total": 40, "skipviz_frames_received_total": len(run.frames)}
    assert now["skipviz_runs"][("finished",)] == before["skipviz_runs"][("finished",)] + 1
    assert now["skipviz_queue_wait_seconds_count"][()] == before["skipviz_queue_wait_seconds_count"][()] + 1
    assert now["skipviz_queue_wait_seconds_bucket"][("+Inf",)] == now["skipviz_queue_wait_seconds_count"][()]
    assert now["skipviz_viewers"] == {(): 3}
    assert now["skipviz_engine_warm"] == {(): 1}
    assert now["process_resident_memory_bytes"][()] > 2**20


def test_figures_tell_the_line_and_the_workers_memory(engine, monkeypatch):
    monkeypatch.setattr("skipviz.engine.figures.SAMPLE_SECONDS", 0.2)
    wait_for_rest(engine)
    runs = [engine.submit(endless(), "owner") for _ in range(3)]
    try:
        wait_for(engine, lambda: figures_of(engine)["skipviz_workers"][()] == 2)
        wait_for(engine, lambda: figures_of(engine)["skipviz_worker_memory_bytes"][()] > 2**20)
        told = figures_of(engine)
        assert told["skipviz_queue_length"][()] == 1
        assert told["skipviz_workers"][()] == 2
        assert told["skipviz_runs"][("queued",)] == 1
        assert set(told["skipviz_jobs"]) == {("queued",), ("running",), ("finished",), ("stopped",), ("failed",)}
    finally:
        for run in runs:
            engine.post(run, "owner", {"kind": "stop"})
            wait_for_end(engine, engine.run(run))


def test_a_wait_in_line_lands_in_its_bucket():
    figures = Figures()
    for seconds in (0.0, 0.1, 3.0, 1e6):
        figures.waited(seconds)
    counts = dict(zip([*WAIT_BOUNDS, "more"], figures.to_data()["queue_wait_counts"], strict=True))
    assert counts == {0.1: 2, 1.0: 0, 5.0: 1, 15.0: 0, 60.0: 0, 300.0: 0, 1800.0: 0, "more": 1}


@pytest.mark.parametrize(
    ("client", "headers", "token", "allowed"),
    [
        (("127.0.0.1", 1), {}, "", True),
        (("::1", 1), {}, "", True),
        (("::ffff:127.0.0.1", 1), {}, "", True),
        (("10.0.0.7", 1), {}, "", False),
        (("127.0.0.1", 1), {"x-forwarded-for": "127.0.0.1"}, "", False),
        (None, {}, "", False),
        (("127.0.0.1", 1), {}, "secret", False),
        (("10.0.0.7", 1), {"authorization": "Bearer secret"}, "secret", True),
        (("10.0.0.7", 1), {"authorization": "Bearer other"}, "secret", False),
        (("10.0.0.7", 1), {"authorization": "Bearer "}, "", False),
    ],
)
def test_figures_are_for_this_machine_or_for_who_has_the_token(client, headers, token, allowed):
    scope = {"client": client, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    assert may_read(scope, token) is allowed


def test_the_route_refuses_strangers_with_one_sentence_and_names_its_format(engine):
    app = app_of(engine)
    status, _, body = ask(app, "/skipviz/metrics", client=("10.0.0.7", 1))
    assert (status, list(json.loads(body))) == (403, ["error"])
    status, kind, _ = ask(app, "/skipviz/metrics")
    assert (status, kind) == (200, CONTENT_TYPE)


def test_streamlits_own_figures_are_kept_from_strangers_too():
    async def figures(request):
        return PlainTextResponse("figures")

    app = Starlette(routes=[Route("/_stcore/metrics", figures)], middleware=[Middleware(PrivateFigures, token=lambda: "")])
    assert ask(app, "/_stcore/metrics")[0] == 200
    assert ask(app, "/_stcore/metrics", client=("10.0.0.7", 1))[0] == 403
