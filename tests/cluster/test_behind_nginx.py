"""nginx before two servers, as the guide says: whichever it asks next, a browser has one lab and one run."""

import http.client
import json
import re
import signal
import sys
from pathlib import Path

import pytest
from engines import endless, wait_for
from machines import COOKIE

from skipviz.engine import engine as module

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "browser"))
from nginxes import Nginx  # noqa: E402

ME = COOKIE.partition("=")[2]


def for_several(text, ports):
    """Return the example configuration, which is for one server, with what the guide says for several."""
    guide = (ROOT / "assets" / "guide" / "hosting.md").read_text()
    upstreams, locations = re.findall(r"```nginx\n(.*?)```", guide, flags=re.S)
    for place, port in enumerate(ports, start=1):
        upstreams = upstreams.replace(f"10.0.0.{place}:8501", f"127.0.0.1:{port}")
    assert "10.0.0" not in upstreams
    text = re.sub(r"upstream skipviz \{.*?\n\}\n", lambda _: upstreams, text, flags=re.S)
    before, stream, after = text.partition("    location = /skipviz/stream {\n")
    after = after.replace("http://skipviz;", "http://skipviz_any;", 1)
    return before + locations + stream + after


@pytest.fixture
def nginx(machines, tmp_path):
    ports = [machine.port for machine in machines]
    folder = tmp_path / "nginx"
    folder.mkdir()
    started = Nginx(folder, ports[0], lambda text: for_several(text, ports))
    yield started
    started.close()


def ask(port, method, path, body=None):
    """Ask on a connection of its own, which nginx may give to either server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": "application/json", "cookie": COOKIE}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    data = json.loads(answer.read())
    connection.close()
    return answer.status, data


def test_each_request_of_a_page_may_go_to_another_server_and_one_of_them_may_go(labs, machines, nginx):
    lab = labs.opened(endless(), ME)
    engine, port, place = module._engine, nginx.port, f"/skipviz/labs/{lab.id}"
    skip = lab.document.experiment.network.skips[0].id
    answers = [
        ask(port, "POST", place, {"op": "start", "speed": 20}),
        *(ask(port, "POST", place, {"op": "skips", "ids": [skip], "changes": {"on": on}}) for on in (False, True, False)),
        ask(port, "POST", place, {"op": "undo"}),
    ]
    assert [status for status, _ in answers] == [200] * 5, answers
    run = answers[-1][1]["run"]
    assert [answer["version"] for _, answer in answers] == [2, 3, 4, 5, 6]
    wait_for(
        engine,
        lambda: [event["on"] for event in ask(port, "GET", f"/skipviz/runs/{run}")[1]["events"]] == [False, True, False, True],
    )
    machines[0].end(signal.SIGKILL)
    before = [ask(port, "GET", f"/skipviz/runs/{run}") for _ in range(4)]
    assert [status for status, _ in before] == [200] * 4, "nginx asks the one that is left"
    wait_for(engine, lambda: ask(port, "GET", f"/skipviz/runs/{run}")[1]["state"] == "running")
    assert ask(port, "POST", place, {"op": "redo"})[1]["version"] == 7
    assert ask(port, "POST", f"/skipviz/runs/{run}/events", {"kind": "stop"})[0] == 200
