"""Classrooms: whose a token is, what is told when, and what who follows gets through the routes."""

import gzip
import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from engines import endless, small, wait_for_end
from test_routes import client  # noqa: F401

from skipviz.web.content import watched
from skipviz.web.document.commands import handle
from skipviz.web.document.labs import Labs
from skipviz.web.session_state.classroom import Classrooms, classrooms, is_token, new_token, owns

OWNER = "o" * 32


@pytest.fixture
def rooms():
    """A server's classrooms, with what they told."""
    made = Classrooms(clock=lambda: 1)
    made.told = []
    made.subscribe(made.told.append)
    return made


def test_a_token_is_its_owners_alone_and_no_two_are_alike():
    tokens = {new_token(OWNER) for _ in range(50)}
    assert len(tokens) == 50
    assert all(is_token(token) and owns(OWNER, token) and not owns("p" * 32, token) for token in tokens)


@pytest.mark.parametrize("text", ["", "short", "a" * 32 + "b", "ä" * 32, None, 3, "<script>alert(1)</script>aaaaaaaaa"])
def test_other_texts_are_nobodys_token(text):
    assert not is_token(text)
    assert not owns(OWNER, text)


def test_a_changed_token_is_nobodys():
    token = new_token(OWNER)
    assert not owns(OWNER, ("A" if token[0] != "A" else "B") + token[1:])


def test_a_run_is_told_once_and_its_toggles_are_left_to_its_own_stream(rooms):
    first, second = small(depth=4), small(depth=6)
    rooms.show("t", first, None)
    rooms.show("t", first, None)
    rooms.show("t", second, None)
    rooms.show("t", second, "run")
    rooms.show("t", first, "run")
    assert rooms.get("t").news() == {"follow": "t", "version": 3, "run": "run", "ended": False}
    assert rooms.told == ["t"] * 3


def test_an_ended_classroom_keeps_what_it_showed_and_can_be_opened_again(rooms):
    rooms.show("t", small(), "run")
    rooms.end("t")
    rooms.end("t")
    assert (rooms.get("t").ended, rooms.get("t").run, rooms.get("t").version) == (True, "run", 2)
    rooms.show("t", small(), "run")
    assert (rooms.get("t").ended, rooms.get("t").version) == (False, 3)
    rooms.end("never")
    assert rooms.get("never") is None


def test_a_lab_that_leads_shows_each_change_at_once_until_the_classroom_ends_or_it_looks_on_itself(rooms, engine):
    labs = Labs()
    labs.subscribe(rooms.changed)
    lab = labs.opened(small(depth=4), OWNER)
    rooms.lead("t", lab)
    handle(lab, {"op": "insert_layer", "position": 1}, None)
    assert rooms.get("t").experiment is lab.document.experiment
    handle(lab, {"op": "start", "paused": True}, None)
    assert rooms.get("t").run == lab.document.run
    assert rooms.told == ["t"] * 3
    handle(lab, {"op": "reset"}, None)
    run = engine.submit(endless(), "somebody else", paused=True)
    lab.show(engine.run(run).experiment, run)
    assert rooms.get("t").run is None
    lab.show(small(depth=5))
    assert rooms.get("t").experiment.network.depth == 5
    rooms.end("t")
    lab.show(small(depth=6))
    assert (rooms.get("t").ended, rooms.get("t").experiment.network.depth) == (True, 5)
    engine.post(run, "somebody else", {"kind": "stop"})


def test_the_classrooms_longest_without_news_go_first(rooms, monkeypatch):
    monkeypatch.setattr("skipviz.web.session_state.classroom.MOST", 3)
    for name in "abcd":
        rooms.show(name, small(), None)
    assert [name for name in "abcd" if rooms.get(name)] == ["b", "c", "d"]


def test_one_browser_cannot_push_the_classrooms_of_others_out(rooms, monkeypatch):
    monkeypatch.setattr("skipviz.web.session_state.classroom.MOST", 4)
    rooms.show("lesson", small(), None, "teacher")
    rooms.show("over", small(), None, "other")
    for number in range(9):
        rooms.show(f"t{number}", small(), None, "many")
        if number % 2:
            rooms.end(f"t{number}")
    assert rooms.get("lesson")
    assert rooms.get("over")
    assert sum(rooms.get(f"t{number}") is not None for number in range(9)) == 2
    rooms.end("over")
    rooms.show("new", small(), None, "somebody")
    assert (rooms.get("over"), rooms.get("lesson").owner) == (None, "teacher")
    assert "teacher" not in str(rooms.get("lesson").news())


def test_one_stream_goes_along_from_run_to_run(client, engine):  # noqa: F811
    token = new_token(OWNER)
    messages = client.listen(f"follow={token}")
    assert next(messages)[1] == {"follow": token, "version": 0, "run": None, "ended": False}
    first = client.start(small())
    classrooms.show(token, small(), first)
    assert next(messages)[1]["run"] == first
    news = next(messages)[1]
    assert (news["run"], news["snapshot"]) == (first, True)
    wait_for_end(engine, engine.run(first))
    second = client.start(endless(), paused=True)
    classrooms.show(token, endless(), second)
    seen = next(data for _, data in messages if data.get("follow"))
    assert seen["run"] == second
    assert next(messages)[1]["run"] == second
    classrooms.end(token)
    assert next(data for _, data in messages if data.get("follow"))["ended"] is True
    client.post(second, {"kind": "stop"})


def test_what_is_watched_is_drawn_as_it_stands_and_named_read_only(client, engine):  # noqa: F811
    run = client.start(endless(), paused=True)
    client.post(run, {"kind": "skip", "ids": ["s1-3"], "on": False})
    data = view_of(client, f"run={run}")
    assert (data["run"], data["mine"], data["network"]["skips_on"], data["network"]["depth"]) == (run, False, 1, 6)
    assert data["diagram"]["svg"].startswith("<svg")
    token = new_token(OWNER)
    classrooms.show(token, small(depth=4), None)
    shown = view_of(client, f"follow={token}&compact=1")
    assert (shown["run"], shown["network"]["depth"]) == (None, 4)
    assert shown["diagram"]["width"] < data["diagram"]["width"]
    client.post(run, {"kind": "stop"})


@pytest.mark.parametrize("query", ["", "run=nosuch", "follow=nosuch", f"follow={'a' * 32}"])
def test_what_is_not_there_cannot_be_watched(client, query):  # noqa: F811
    assert client.request("GET", f"/skipviz/view?{query}")[0] == 404


def test_a_stream_of_no_token_is_refused(client):  # noqa: F811
    assert client.request("GET", "/skipviz/stream?follow=%3Cb%3E") == (400, {"error": "this is no classroom's link"})


def view_of(client, query) -> dict:  # noqa: F811
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request("GET", f"/skipviz/view?{query}")
    response = connection.getresponse()
    assert response.headers["content-encoding"] == "gzip"
    data = json.loads(gzip.decompress(response.read()))
    connection.close()
    return data


def test_a_class_that_looks_at_once_has_it_drawn_once(client, engine, monkeypatch):  # noqa: F811
    drawn = []
    draw = watched._drawn
    monkeypatch.setattr(watched, "_drawn", lambda *given: drawn.append(given) or draw(*given))
    assert engine.probe(small(depth=9), timeout=60), "what is not measured yet is drawn again and again"
    token = new_token(OWNER)
    classrooms.show(token, small(depth=9), None)
    with ThreadPoolExecutor(40) as people:
        seen = list(people.map(lambda _: view_of(client, f"follow={token}")["network"]["depth"], range(120)))
    assert seen == [9] * 120
    assert len(drawn) <= 2
