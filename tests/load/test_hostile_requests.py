"""Whatever is posted to the server is taken or refused with one sentence; the short form, see `hostile.py`.

The requests go over a socket to the routes as they are served. One run of the browser goes on, and it may have one, so what it
starts stays in line and no worker is begun for it.
"""

from __future__ import annotations

import http.client
import json
import logging

import pytest
from engines import PATIENCE, endless, wait_for_end
from hostile import CASES, PHASES, bounded, cases, is_one_sentence, tell, written
from hypothesis import HealthCheck, given, settings
from loopback import COOKIE, OWNER, served

from skipviz.engine import Engine
from skipviz.engine import process_engine as module
from skipviz.network import families
from skipviz.network.network import MAX_LAYERS
from skipviz.settings import Settings
from skipviz.tasks.experiment import MAX_JSON, Experiment

many = settings(max_examples=CASES, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck))
fewer = settings(many, max_examples=max(100, CASES // 4))
REFUSALS = {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503}


class Errors(logging.Handler):
    """Keeps what is logged as an error, in whichever thread."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


class Sender:
    """One browser, on one connection as long as the server keeps it."""

    def __init__(self, port, engine):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.engine = engine
        self.begin()

    def begin(self):
        """Start the run that goes on, and that events are sent to."""
        self.run = self.engine.run(self.engine.submit(endless(), OWNER, speed=1.0))

    def ask(self, method, path, body=None):
        """Return the status and the body of an answer, or None where the server did not read all of too long a body."""
        headers = {"content-type": "application/json", "cookie": COOKIE}
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (ConnectionError, http.client.BadStatusLine):
            self._connection.close()
            assert len(body or b"") > MAX_JSON
            return None

    def answered(self, method, path, body=None):
        """Send one case, see that its answer is one for a person, and return the answer where the case was taken."""
        found = self.ask(method, path, body)
        if found is None:
            return None
        status, content = found
        if status < 300:
            return content
        if status == 307:  # to the same address without its last slash
            return None
        assert status in REFUSALS, (status, content[:300])
        refusal = json.loads(content) if content.startswith(b"{") else {"error": content.decode()}
        assert list(refusal) == ["error"]
        assert is_one_sentence(refusal["error"]), refusal
        return None


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A browser with one run under way, which is as many as it may have; whatever fails in a thread fails the test."""
    plenty = dict.fromkeys(("browser_queued", "max_queued", "starts_per_minute", "browser_starts_per_minute"), 100_000)
    before, errors = module._engine, Errors()
    engine = Engine(Settings(max_running=1, browser_running=1, data_dir=tmp_path_factory.mktemp("kept"), **plenty)).start()
    logging.getLogger().addHandler(errors)
    module._engine = engine
    try:
        assert engine.wait_until_warm(PATIENCE)
        with served() as browser:
            yield Sender(browser.port, engine)
    finally:
        module._engine = before
        engine.close()
        logging.getLogger().removeHandler(errors)
    tell()
    assert errors.found == []


@many
@given(cases("SUBMISSIONS"))
def test_a_posted_experiment_is_put_in_line_or_refused(sender, body):
    with bounded("posted experiments") as tried:
        taken = sender.answered("POST", "/skipviz/runs", body)
        tried.taken += taken is not None
    if taken:
        run = sender.engine.run(json.loads(taken)["run"])
        assert run.state == "queued"
        sender.engine.post(run.id, OWNER, {"kind": "stop"})
        sender.engine.delete(run.id, OWNER)


@many
@given(cases("POSTS"))
def test_a_posted_event_acts_or_is_refused_and_its_run_goes_on(sender, body):
    with bounded("posted events") as tried:
        taken = sender.answered("POST", f"/skipviz/runs/{sender.run.id}/events", body)
        tried.taken += taken is not None
    if sender.run.ended:
        assert sender.run.state in ("stopped", "finished", "diverged")
        sender.begin()


def test_two_hundred_events_for_the_largest_network_take_no_second(sender):
    network = families.mlp(depth=MAX_LAYERS, width=2, skip_every=1)
    run = sender.engine.run(sender.engine.submit(Experiment(variants={"net": network}), OWNER))
    layers, skips = ([part.id for part in parts][1:61] for parts in (network.layers, network.skips))
    several = [
        {"kind": "skip", "ids": skips, "on": False},
        {"kind": "layer", "ids": layers, "on": False},
        {"kind": "layer", "ids": layers, "gain": 0.5},
        {"kind": "rate", "learning_rate": 0.5},
    ]
    with bounded("posts for the largest network"):
        assert sender.answered("POST", f"/skipviz/runs/{run.id}/events", written(several * 50))
    everything = {"kind": "skip", "ids": [skip.id for skip in network.skips], "strength": 0.5}
    with bounded("posts for the largest network"):
        assert sender.answered("POST", f"/skipviz/runs/{run.id}/events", written([everything] * 4))
        assert sender.answered("POST", f"/skipviz/runs/{run.id}/events", written([everything] * 20)) is None
    sender.engine.post(run.id, OWNER, {"kind": "stop"})


@fewer
@given(cases("TITLES"))
def test_a_posted_title_is_taken_or_refused(sender, body):
    with bounded("posted titles") as tried:
        taken = sender.answered("PATCH", f"/skipviz/runs/{sender.run.id}", body)
        tried.taken += taken is not None


@fewer
@given(cases("ADDRESSES"))
def test_an_address_is_answered_or_refused(sender, path):
    with bounded("addresses") as tried:
        taken = sender.answered("GET", path)
        tried.taken += taken is not None


def test_the_run_beside_it_all_still_takes_events_and_stops(sender):
    run = sender.run
    assert sender.answered("POST", f"/skipviz/runs/{run.id}/events", b'{"kind": "rate", "learning_rate": 0.5}')
    sender.engine.post(run.id, OWNER, {"kind": "stop"})
    assert wait_for_end(sender.engine, run).state == "stopped"
