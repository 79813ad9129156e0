"""The HTTP routes, through a real server and real workers."""

import http.client
import io
import re

import pandas
import pytest
from engines import endless, frames_of, small, wait_for, wait_for_end
from loopback import COOKIE, STRANGER, served

from skipviz.web.http import routes, shares, stream


@pytest.fixture(scope="module")
def client(engine):
    """A browser that speaks to the routes of this engine."""
    with served() as browser:
        yield browser


def until_end(messages, runs=1):
    """Return a stream's messages up to the one in which all its `runs` have ended, those not heard of yet among them."""
    seen, states = [], {}
    for place, data in messages:
        seen.append((place, data))
        states[data["run"]] = data.get("state")
        if len(states) == runs and not set(states.values()) & {"queued", "running", "paused"}:
            return seen
    raise AssertionError("the stream closed before the run had ended")


def steps_in(messages):
    return [frame["step"] for _, data in messages for frame in data["frames"] if not frame.get("passing")]


def test_a_stream_shows_a_run_from_its_start_to_its_end(client, engine):
    run = client.start(small())
    messages = until_end(client.listen(f"runs={run}"))
    first, last = messages[0][1], messages[-1][1]
    assert first["snapshot"] is True
    assert (last["state"], last["step"]) == ("finished", 40)
    assert steps_in(messages) == [frame["step"] for frame in frames_of(engine.run(run))]
    assert messages[-1][0] == f"{run}:{last['seq']}"


def test_a_stream_that_comes_late_begins_with_everything_so_far(client, engine):
    run = client.start(small())
    wait_for_end(engine, engine.run(run))
    _, snapshot = next(client.listen(f"runs={run}"))
    assert [frame["step"] for frame in snapshot["frames"]] == [frame["step"] for frame in frames_of(engine.run(run))]
    assert snapshot["header"]["batch_size"] == 16


def test_a_stream_tells_that_a_run_stands_still_though_nothing_else_comes_of_it(client, engine):
    run = wait_for_end(engine, engine.run(client.start(small())))
    messages = client.listen(f"runs={run.id}")
    _, before = next(messages)
    run.unsaved = "trained by another server and stands still here"
    engine._run_events.tell(run)
    _, after = next(messages)
    assert (after["unsaved"], after["seq"]) == (run.unsaved, before["seq"])
    run.unsaved = None
    engine._run_events.tell(run)
    assert "unsaved" not in next(messages)[1]


@pytest.mark.parametrize("way", ["Last-Event-ID", "after"])
def test_a_stream_resumed_from_any_message_loses_and_repeats_nothing(client, engine, way):
    run = client.start(small(steps=60, record_every=1), speed=400)
    messages = until_end(client.listen(f"runs={run}"))
    everything = steps_in(messages)
    for cut, (place, _) in enumerate(messages[:-1], start=1):
        again = client.listen(f"runs={run}", place) if way == "Last-Event-ID" else client.listen(f"runs={run}&after={place}")
        resumed = until_end(again)
        assert "snapshot" not in resumed[0][1]
        assert steps_in(messages[:cut]) + steps_in(resumed) == everything


def test_one_stream_carries_several_runs_and_resumes_both(client, engine):
    runs = [client.start(small()) for _ in range(2)]
    messages = until_end(client.listen(f"runs={','.join(runs)}"), runs=2)
    place = messages[-1][0]
    assert sorted(part.split(":")[0] for part in place.split(",")) == sorted(runs)
    more = client.listen(f"runs={','.join(runs)},nothing", place)
    assert next(more)[1]["run"] == "nothing"


def test_a_place_that_the_server_never_reached_begins_anew_from_a_snapshot(client, engine):
    run = client.start(small())
    wait_for_end(engine, engine.run(run))
    messages = client.listen(f"runs={run}", f"{run}:999999")
    assert next(messages)[1] == {"run": run, "resync": True}
    assert next(messages)[1]["snapshot"] is True


def test_a_viewer_too_far_behind_is_told_to_begin_anew(client, engine, monkeypatch):
    run = client.start(small(steps=100, record_every=1))
    wait_for_end(engine, engine.run(run))
    monkeypatch.setattr(stream, "MAX_LAG", 1000)
    messages = client.listen(f"runs={run}", f"{run}:2")
    assert next(messages)[1] == {"run": run, "resync": True}
    assert steps_in([next(messages)]) == list(range(100))


@pytest.mark.parametrize("whose", ["address", "browser"])
def test_streams_are_bounded_an_address_and_a_browser_and_a_place_given_back_is_free(client, engine, monkeypatch, whose):
    run = client.start(small())
    wait_for_end(engine, engine.run(run))
    settings = engine.settings.model_copy(update={f"{whose}_streams": 2})
    monkeypatch.setattr(engine, "settings", settings)
    monkeypatch.setattr(shares, "_streams", shares.Shares())
    first, second = (client.listen(f"runs={run}", cookie=COOKIE) for _ in range(2))
    assert next(first)[1]["snapshot"] is next(second)[1]["snapshot"] is True
    sentence = f"one {whose} may have 2 pages open at a time on this server: close one, or try again later"
    assert client.request("GET", f"/skipviz/stream?runs={run}") == (429, {"error": sentence})
    first.close()
    wait_for(engine, lambda: set(shares._streams._held.values()) == {1})
    assert next(client.listen(f"runs={run}", cookie=COOKIE))[1]["snapshot"] is True


def test_a_message_larger_than_a_slice_arrives_whole(client, engine):
    run = client.start(small(steps=400, record_every=1))
    wait_for_end(engine, engine.run(run))
    assert engine.run(run).bytes > 2 * stream.SLICE
    assert steps_in([next(client.listen(f"runs={run}"))]) == list(range(400))


def test_a_stream_ends_when_its_reader_goes(client, engine):
    run = client.start(endless(), paused=True)
    messages = client.listen(f"runs={run}")
    next(messages)
    [broadcaster] = routes._broadcasters.values()
    assert run in broadcaster._viewers
    messages.close()
    wait_for(engine, lambda: run not in broadcaster._viewers)
    client.post(run, {"kind": "stop"})


def test_figures_count_the_frames_that_viewers_read_and_the_streams_that_are_open(client, engine):
    def figures():
        text = client.request("GET", "/skipviz/metrics")[1].decode()
        return [float(re.search(rf"^skipviz_{name} (\S+)$", text, re.M)[1]) for name in ("frames_sent_total", "viewers")]

    wait_for(engine, lambda: figures()[1] == 0)
    sent, _ = figures()
    run = client.start(small(record_every=1), paused=True)  # no frame passes by, which the next one may replace while it is counted
    messages = client.listen(f"runs={run}")
    read = [next(messages)]
    assert figures()[1] == 1
    assert client.post(run, {"kind": "resume"})[0] == 200
    read += until_end(messages)
    messages.close()
    wait_for(engine, lambda: figures()[1] == 0)
    frames = sum(len(data["frames"]) for _, data in read)
    assert frames >= len(engine.run(run).frames)
    assert figures()[0] == sent + frames


def test_an_unknown_run_in_a_stream_is_named_as_gone(client):
    _, data = next(client.listen("runs=nothing"))
    assert data["gone"] is True
    assert data["reason"] == "there is no such run, or it is no longer kept"


def test_a_toggle_posted_to_a_run_comes_back_through_the_stream(client, engine):
    run = client.start(endless())
    messages = client.listen(f"runs={run}")
    next(messages)
    status, answer = client.post(run, {"kind": "skip", "ids": ["s1-3"], "on": False})
    assert (status, answer["ok"]) == (200, True)
    events = next(frame["events"] for _, data in messages for frame in data["frames"] if frame["events"])
    assert events[0]["ids"] == ["s1-3"]
    client.post(run, {"kind": "stop"})


def test_several_messages_in_one_post_act_in_their_order(client, engine):
    run = client.start(endless(), paused=True)
    assert client.post(run, [{"kind": "rate", "learning_rate": 0.5}, {"kind": "step"}])[0] == 200
    wait_for(engine, lambda: engine.run(run).step == 1)
    assert [(event["kind"], event["step"]) for event in engine.run(run).events] == [("rate", 0)]
    client.post(run, {"kind": "stop"})


def test_a_run_says_whether_it_is_mine(client, engine):
    run = client.start(small())
    assert client.request("GET", f"/skipviz/runs/{run}")[1]["mine"] is True
    assert client.request("GET", f"/skipviz/runs/{run}", cookie=STRANGER)[1]["mine"] is False
    assert client.request("GET", f"/skipviz/runs/{run}", cookie=None)[1]["mine"] is False
    wait_for_end(engine, engine.run(run))


def test_a_stranger_may_watch_but_not_control(client, engine):
    run = client.start(endless(), paused=True)
    status, answer = client.post(run, {"kind": "stop"}, cookie=STRANGER)
    assert (status, answer) == (403, {"error": "only the browser that started this run may control it"})
    assert client.post(run, {"kind": "stop"})[0] == 200


def test_pandas_reads_a_run_from_its_address(client, engine):
    run = client.start(small())
    wait_for_end(engine, engine.run(run))
    table = pandas.read_csv(f"http://127.0.0.1:{client.port}/skipviz/runs/{run}.csv")
    same = pandas.read_parquet(io.BytesIO(client.request("GET", f"/skipviz/runs/{run}.parquet")[1]))
    assert len(table) == len(same)
    frames = frames_of(engine.run(run))
    layers = table[table.part == "layer"].pivot(index="step", columns="id", values="weight_grad")
    assert list(layers.index) == [frame["step"] for frame in frames]
    assert layers["f1"].tolist() == pytest.approx([frame["variants"]["net"]["weight_grad"][0] for frame in frames])
    skips = table[(table.part == "skip") & (table.step == 0)]
    assert skips.id.tolist() == ["s1-3", "s3-5"]


def test_plotly_is_served_as_installed_and_may_be_kept(client):
    connection = http.client.HTTPConnection("127.0.0.1", client.port)
    connection.request("GET", "/skipviz/plotly.js", headers={"accept-encoding": "gzip"})
    response = connection.getresponse()
    etag, size = response.headers["etag"], len(response.read())
    assert response.headers["content-type"].startswith("text/javascript")
    assert "max-age" in response.headers["cache-control"]
    connection.request("GET", "/skipviz/plotly.js", headers={"if-none-match": etag})
    assert (connection.getresponse().status, size > 500_000) == (304, True)
    connection.close()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "the body is not JSON"),
        (b"[]", 422, "object|dictionary|Submission"),
        (b"{}", 422, "give an experiment or a link"),
        (b'{"experiment": {"variants": {}}}', 422, "experiment.variants"),
        (b'{"experiment": {"variants": {"a": {"input": [2], "layers": [{"op": {"kind": "magic"}}]}}}}', 422, "magic|op"),
        (b"[" * 100_000, 400, "the body is not JSON"),
        (b" " * 4_000_001, 413, "at most 4,000,000 bytes"),
        (b"\xff\xfe", 400, "the body is not JSON"),
    ],
)
def test_a_body_that_is_no_experiment_gets_one_sentence(client, body, status, words):
    answered, answer = client.request("POST", "/skipviz/runs", body)
    assert answered == status
    assert list(answer) == ["error"]
    assert re.search(words, answer["error"], re.IGNORECASE), answer
    assert "\n" not in answer["error"]
    assert "Traceback" not in answer["error"]


@pytest.mark.parametrize("body", [b"{", b"3", b"null", b"[]", b'{"kind": "explode"}', b'{"kind": "skip"}', b"[" * 100_000])
def test_a_body_that_is_no_event_gets_one_sentence(client, engine, body):
    run = client.start(endless(), paused=True)
    status, answer = client.request("POST", f"/skipviz/runs/{run}/events", body)
    assert status in (400, 422)
    assert list(answer) == ["error"]
    client.post(run, {"kind": "stop"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"content-type": "text/plain"}, 415),
    ],
)
def test_other_sites_and_other_contents_cannot_post(client, headers, status):
    answered, answer = client.request("POST", "/skipviz/runs", {}, **headers)
    assert answered == status
    assert list(answer) == ["error"]


def test_a_browser_without_identity_cannot_post(client):
    assert client.request("POST", "/skipviz/runs", {}, cookie=None)[0] == 401


def test_a_page_gives_a_new_browser_its_cookie_and_a_known_one_none(client):
    def cookie_for(path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", client.port)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.headers["set-cookie"]

    cookie = cookie_for("/", accept="text/html")
    assert cookie.startswith("skipviz=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert cookie_for("/", accept="text/html", cookie=cookie.split(";")[0]) is None
    assert cookie_for("/", accept="*/*") is None


def test_a_page_without_a_run_hears_that_it_is_listened_to_and_that_the_server_restarts(client):
    messages = client.listen("notices=1")
    assert next(messages)[1] == {"listening": True}
    for broadcaster in list(routes._broadcasters.values()):
        for viewer in list(broadcaster._all):
            broadcaster._loop.call_soon_threadsafe(viewer.close, routes.RESTARTS)
    assert next(messages)[1] == {"notice": "The server restarts; runs go on afterwards."}
    assert list(messages) == []


def test_a_stream_of_no_run_is_refused(client):
    assert client.request("GET", "/skipviz/stream?runs=")[0] == 400


def test_unknown_runs_are_not_found(client):
    for path in ("/skipviz/runs/nothing", "/skipviz/runs/nothing.csv", "/skipviz/runs/nothing.parquet"):
        assert client.request("GET", path) == (404, {"error": "there is no such run, or it is no longer kept"})
    assert client.post("nothing", {"kind": "stop"})[0] == 404
