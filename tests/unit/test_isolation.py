"""What another browser, or one without a cookie, gets from each route of the app; a route that is missing here fails."""

import gzip
import http.client
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from engines import endless, small, wait_for
from loopback import OWNER, STRANGER, served

from skipviz.sharing import link
from skipviz.tasks import presets
from skipviz.web.document.labs import labs
from skipviz.web.http import routes
from skipviz.web.session_state.classroom import classrooms, new_token

ROOT = Path(__file__).resolve().parents[2]
EVENT = {"kind": "skip", "ids": ["s1-3"], "on": False}
CHANGES = {
    ("POST", "/skipviz/runs/{id}/events"): EVENT,
    ("POST", "/skipviz/runs/{id}/resume"): {},
    ("PATCH", "/skipviz/runs/{id}"): {"title": "theirs"},
    ("DELETE", "/skipviz/runs/{id}"): None,
}
"""Routes that change a run, and a body that its owner could send: refused."""
LABS = {("POST", "/skipviz/labs/{id}")}
"""The route that changes a lab: its own browser's only."""
JOBS = {("POST", f"/skipviz/jobs/{{id}}/{change}") for change in ("stop", "resume")}
"""Those that change a job: the same."""
WEIGHTS = "/skipviz/runs/{id}.safetensors"
"""Nobody has them while the run goes on."""
LISTS = {("GET", "/skipviz/runs"): "", ("GET", "/skipviz/cards"): "?runs={id}"}
"""Routes that list runs: one's own only."""
WATCHED = {
    ("GET", "/skipviz/runs/{id}"): "",
    ("GET", "/skipviz/view"): "?run={id}",
    ("GET", "/skipviz/stream"): "?runs={id}",
    **{("GET", f"/skipviz/runs/{{id}}.{suffix}"): "" for suffix in ("csv", "parquet", "py", "json", "html")},
    ("GET", WEIGHTS): "",
}
JOBS_WATCHED = {("GET", "/skipviz/jobs/{id}"), ("GET", "/skipviz/jobs/{id}.csv")}
"""Routes by which whoever has a run's link looks at it: they say that it is not one's own, and nothing of whose it is."""
COMMON = {
    ("GET", "/skipviz/code"): "?x={link}",
    ("GET", "/skipviz/experiment"): "?x={link}",
    ("GET", "/skipviz/page.js"): "",
    ("GET", "/skipviz/plotly.js"): "",
    ("GET", "/skipviz/live"): "",
    ("GET", "/skipviz/ready"): "",
}
"""Routes that are about nobody's run."""
BEGINS = {("POST", "/skipviz/runs"), ("POST", "/skipviz/jobs")}
PRIVATE = {("GET", "/skipviz/metrics")}
STREAMLITS = {
    *{f"/_stcore/{name}" for name in ("health", "metrics", "host-config", "stream", "bidi-components/{path:path}")},
    *{f"/_stcore/agent/{name}" for name in ("interact", "mcp", "openapi.json")},
    *("/media/{file_id:path}", "/component/{path:path}", "/auth/login", "/auth/logout", "/oauth2callback", ""),
    "/_stcore/upload_file/{session_id}/{file_id}",
}
"""What Streamlit adds: of a session only whoever knows its name, which no other is told, and of an agent only where that is on."""
OURS = {(method, route.path) for route in routes.routes for method in route.methods - {"HEAD"}}


@pytest.fixture(scope="module")
def client(engine):
    """A browser that speaks to the routes of this engine."""
    with served() as browser:
        yield browser


@pytest.fixture(scope="module")
def run(client, engine):
    """The owner's run, which has begun and rests, and which no test here changes."""
    run = engine.run(client.start(endless(), paused=True))
    engine.post(run.id, OWNER, {"kind": "step"})
    wait_for(engine, lambda: run.step == 1 and run.state == "paused" and run.frames)
    yield run
    engine.post(run.id, OWNER, {"kind": "stop"})


def asked(client, method, path, cookie):
    """Return the status and the text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request(method, path, headers={"cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, gzip.decompress(body) if answer.headers["content-encoding"] == "gzip" else body


def test_every_route_of_the_app_is_named_here():
    named = CHANGES.keys() | LABS | JOBS | LISTS.keys() | WATCHED.keys() | JOBS_WATCHED | COMMON.keys() | BEGINS | PRIVATE
    assert named == OURS


@pytest.mark.parametrize("cookie", [STRANGER, None, "skipviz=", "skipviz=" + "a" * 19, "other=" + OWNER])
@pytest.mark.parametrize(("method", "path"), CHANGES, ids=map(" ".join, CHANGES))
def test_another_browser_changes_nothing(client, engine, run, method, path, cookie):
    before = (run.state, run.title, run.step, run.experiment, run.events, run.waiting)
    status, answer = client.request(method, path.format(id=run.id), CHANGES[method, path], cookie=cookie)
    assert status == (403 if cookie == STRANGER else 401), answer
    assert list(answer) == ["error"]
    assert (run.state, run.title, run.step, run.experiment, run.events, run.waiting) == before
    assert engine.run(run.id) is run


@pytest.mark.parametrize("cookie", [STRANGER, None, "skipviz=", "skipviz=" + "a" * 19, "other=" + OWNER])
def test_another_browser_changes_no_lab(client, engine, cookie):
    lab = labs.opened(endless(), OWNER)
    before = lab.document
    status, answer = client.request("POST", f"/skipviz/labs/{lab.id}", {"op": "start"}, cookie=cookie)
    assert status == (403 if cookie == STRANGER else 401), answer
    assert list(answer) == ["error"]
    assert lab.document is before


@pytest.mark.parametrize("cookie", [STRANGER, None])
def test_another_browser_changes_no_job_and_sees_what_it_has_and_not_whose_it_is(client, engine, cookie):
    base = small(steps=1_000_000).model_dump(mode="json", exclude_defaults=True)
    spec = {"base": base, "axes": [{"field": "depth", "values": [100]}]}
    job = engine.jobs.find(client.request("POST", "/skipviz/jobs", {"kind": "sweep", "spec": spec})[1]["job"])
    for method, path in JOBS:
        status, answer = client.request(method, path.format(id=job.id), {}, cookie=cookie)
        assert status == (403 if cookie else 401), answer
        assert job.under_way
    for method, path in JOBS_WATCHED:
        status, body = asked(client, method, path.format(id=job.id), cookie)
        assert status == 200
        assert OWNER.encode() not in body
        assert b'"mine":true' not in body
    assert client.request("POST", f"/skipviz/jobs/{job.id}/stop", {}) == (200, {"ok": True})


@pytest.mark.parametrize("cookie", [STRANGER, None])
@pytest.mark.parametrize(("method", "path"), LISTS, ids=map(" ".join, LISTS))
def test_another_browser_lists_nothing_of_it(client, run, method, path, cookie):
    query = LISTS[method, path].format(id=run.id)
    assert run.id in json.dumps(client.request(method, path + query)[1])
    status, answer = client.request(method, path + query, cookie=cookie)
    assert status == 200
    assert run.id not in json.dumps(answer)


@pytest.mark.parametrize("cookie", [STRANGER, None])
@pytest.mark.parametrize(("method", "path"), WATCHED, ids=map(" ".join, WATCHED))
def test_whoever_has_the_link_sees_the_run_and_not_whose_it_is(client, run, method, path, cookie):
    where = (path + WATCHED[method, path]).format(id=run.id)
    if path == "/skipviz/stream":
        answer = json.dumps(next(client.listen(where.partition("?")[2]))[1])
    else:
        status, answer = asked(client, method, where, cookie)
        assert status == (409 if path == WEIGHTS else 200)
    assert OWNER not in str(answer)
    assert not re.search('"mine": ?true', str(answer))


@pytest.mark.parametrize(("method", "path"), COMMON, ids=map(" ".join, COMMON))
def test_what_is_common_to_all_says_nothing_of_a_run(client, run, method, path):
    where = (path + COMMON[method, path]).format(link=link.encode(presets.get("vanishing-plain")))
    status, answer = client.request(method, where, cookie=None)
    assert status == 200
    assert not {run.id, OWNER} & set(str(answer).split('"'))


def test_a_run_belongs_to_the_browser_that_posts_it_and_to_no_other_that_it_names(client, engine):
    body = {"experiment": endless().model_dump(mode="json", exclude_defaults=True), "paused": True}
    assert client.request("POST", "/skipviz/runs", body, cookie=None)[0] == 401
    assert client.request("POST", "/skipviz/runs", {**body, "owner": OWNER}, cookie=STRANGER)[0] == 422
    status, answer = client.request("POST", "/skipviz/runs", body, cookie=STRANGER)
    assert (status, engine.run(answer["run"]).owner) == (201, STRANGER.partition("=")[2])
    assert client.post(answer["run"], {"kind": "stop"})[0] == 403
    engine.post(answer["run"], STRANGER.partition("=")[2], {"kind": "stop"})


def test_the_servers_figures_are_for_this_machine_only(client):
    assert client.request("GET", "/skipviz/metrics", **{"x-forwarded-for": "203.0.113.7"})[0] == 403


def test_who_follows_a_classroom_is_told_neither_its_owner_nor_more_than_it_shows(client, run):
    token = new_token(OWNER)
    classrooms.show(token, run.experiment, run.id)
    news = client.listen(f"follow={token}")
    told = json.dumps([next(news)[1], next(news)[1]])
    news.close()
    assert run.id in told
    assert OWNER not in told
    forged = token[:16] + new_token("b" * 32)[16:]
    assert json.loads(json.dumps(next(client.listen(f"follow={forged}"))[1]))["run"] is None
    classrooms.end(token)


def test_what_streamlit_adds_to_them_is_known_and_no_agent_is_let_in():
    script = """
import json
from app import app
paths = [route.path for route in app._build_starlette_app().routes]
from streamlit import config
print(json.dumps([paths, config.get_option("server.enableAgentApi")]))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    paths, agents = json.loads(done.stdout.splitlines()[-1])
    assert set(paths) == {path for _, path in OURS} | STREAMLITS
    assert agents is False
