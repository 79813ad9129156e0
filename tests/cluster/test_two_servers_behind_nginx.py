"""nginx before two servers, as the guide says: whichever it asks next, a browser has one lab and one run."""

import http.client
import json
import signal

import pytest
from engines import endless, wait_for
from machines import COOKIE
from proxies import before_servers

from skipviz.engine import process_engine as module

ME = COOKIE.partition("=")[2]


@pytest.fixture
def nginx(machines, tmp_path):
    started = before_servers(tmp_path / "nginx", [machine.port for machine in machines])
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
