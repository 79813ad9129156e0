"""A lab's document is the same at every server of a database, whichever takes a command; a page may ask another each time."""

import contextlib
import http.client
import json
import threading

from engines import endless, small, wait_for

from skipviz.engine import process_engine as module
from skipviz.web.document.labs import Labs
from skipviz.web.session_state.classroom import Classrooms, new_token

ME = "a" * 32
"""Whose cookie a machine's pages have."""


def pressed(machine, lab, **command):
    status, answer = machine.ask("POST", f"/skipviz/labs/{lab.id}", command)
    assert status == 200, answer
    return answer


def off(skip, on=False):
    return {"op": "skips", "ids": [skip], "changes": {"on": on}}


def test_commands_at_any_server_make_one_document_which_all_have(labs, machines):
    engine = module._engine
    lab = labs.opened(small(), ME)
    first, second = lab.document.experiment.network.skips[:2]
    assert pressed(machines[0], lab, **off(first.id))["version"] == 2
    assert pressed(machines[1], lab, **off(second.id))["version"] == 3
    assert pressed(machines[0], lab, op="undo")["version"] == 4
    wait_for(engine, lambda: lab.document.version == 4)
    network = lab.document.experiment.network
    assert (network.skip(first.id).on, network.skip(second.id).on) == (False, True)
    assert (len(lab.document.undo), len(lab.document.redo)) == (1, 1)
    lab.change(lambda document: document.forth())
    assert lab.document.version == 5
    status, answer = machines[1].ask("POST", f"/skipviz/labs/{lab.id}", {"op": "undo"}, cookie="skipviz=" + "b" * 32)
    assert (status, answer["error"]) == (403, "only the browser that opened this lab may change it")
    assert machines[1].ask("POST", "/skipviz/labs/none", {"op": "undo"})[0] == 404
    assert pressed(machines[1], lab, op="undo")["version"] == 6


def test_of_commands_that_come_to_two_servers_at_once_none_is_lost(labs, machines):
    lab = labs.opened(small(), ME)
    skip = lab.document.experiment.network.skips[0].id
    answers = []

    def press(machine, place):
        for turn in range(8):
            answers.append(pressed(machine, lab, op="skips", ids=[skip], changes={"strength": 1.5 + place + turn / 100}))

    threads = [threading.Thread(target=press, args=[machine, place]) for place, machine in enumerate(machines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(module._engine, lambda: lab.document.version == 17)
    strengths = [experiment.network.skip(skip).strength for experiment in (*lab.document.undo[1:], lab.document.experiment)]
    assert sorted(strengths) == sorted(1.5 + place + turn / 100 for place in (0, 1) for turn in range(8))
    for place in (0, 1):
        mine = [strength for strength in strengths if 1 <= strength - place < 2]
        assert mine == sorted(mine), "each page's in the order in which it pressed"


def test_a_run_that_one_server_trains_follows_what_is_pressed_at_another(labs, machines):
    lab = labs.opened(endless(), ME)
    run = pressed(machines[0], lab, op="start", speed=20)["run"]
    skip = lab.document.experiment.network.skips[0].id
    pressed(machines[1], lab, **off(skip))
    engine = module._engine
    wait_for(engine, lambda: [event["kind"] for event in machines[0].run(run)["events"]] == ["skip"])
    assert machines[1].run(run)["state"] == "running"
    wait_for(engine, lambda: lab.document.run == run and not lab.document.experiment.network.skip(skip).on)
    found = labs.of_run(ME, run)
    assert found is lab
    again = Labs()
    again.share(labs._shared)
    assert again.of_run(ME, run).id == lab.id, "a page that comes to another server finds its lab"
    assert again.of_run(ME, run).document == lab.document
    assert again.of_run("somebody else", run) is None
    pressed(machines[1], lab, op="reset")
    wait_for(engine, lambda: machines[0].run(run)["state"] == "stopped")
    wait_for(engine, lambda: machines[1].run(run)["state"] == "stopped")
    frames = [[frame for frame in machine.run(run)["frames"] if not frame.get("passing")] for machine in machines]
    assert frames[0] == frames[1]


def test_a_classroom_that_is_led_at_one_server_is_followed_at_another(labs, machines):
    engine, token = module._engine, new_token(ME)
    rooms = Classrooms()
    rooms.share(labs._shared)
    leave = labs.subscribe(rooms.changed)
    lab = labs.opened(endless(), ME)
    rooms.lead(token, lab)
    news = told(machines[1], token)
    assert next(news)["version"] in (0, rooms.get(token).version), "known by now, or told soon"
    run = pressed(machines[0], lab, op="start", speed=20)["run"]
    wait_for(engine, lambda: lab.document.run == run)
    assert next(message for message in news if "follow" in message and message["run"])["run"] == run
    assert next(message for message in news if message.get("run") == run)["state"] == "running"
    rooms.end(token)
    assert next(message for message in news if message.get("ended"))["follow"] == token
    leave()


def told(machine, token):
    """Yield what a server's stream tells who follows a classroom."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", machine.port, timeout=60)) as connection:
        connection.request("GET", f"/skipviz/stream?follow={token}")
        answer = connection.getresponse()
        while line := answer.readline():
            if line.startswith(b"data: "):
                yield json.loads(line[len(b"data: ") :])
