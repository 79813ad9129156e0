"""A server that is killed, or told to stop, in the middle of a run, and the viewer that comes back to the next one."""

import http.client
import json
import os
import signal

from engines import PATIENCE, TAKEN, small

STRANGER = "skipviz=" + "b" * 32
RATE = 100


class Page:
    """A viewer that does with messages what a page does, and comes back where it was."""

    def __init__(self, machine, run):
        self.machine, self.run = machine, run
        self.frames, self.events, self.place, self.state, self.notice = {}, [], None, None, None
        self.doubled = []

    def listen(self, until):
        """Take messages until `until()` holds or the stream ends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.machine.port, timeout=PATIENCE)
        headers = {"last-event-id": self.place} if self.place else {}
        connection.request("GET", f"/skipviz/stream?runs={self.run}", headers=headers)
        response = connection.getresponse()
        try:
            while not until() and (line := response.readline()):
                if line.startswith(b"id: "):
                    self.place = line[4:].strip().decode()
                elif line.startswith(b"data: "):
                    self._take(json.loads(line[6:]))
        except ConnectionError:
            return
        finally:
            connection.close()

    def _take(self, message):
        if "notice" in message:
            self.notice = message["notice"]
            return
        if message.get("resync"):
            return
        if message.get("snapshot"):
            self.frames = {}
        for frame in message["frames"]:
            if not frame.get("passing"):
                if frame["step"] in self.frames:
                    self.doubled.append(frame["step"])
                self.frames[frame["step"]] = frame["variants"]["net"]
        self.state = message["state"]


def measured(values):
    return {name: value for name, value in values.items() if name not in TAKEN}


def test_a_run_survives_a_killed_and_a_stopped_server_and_its_viewer_misses_and_repeats_nothing(machine):
    machine.start()
    experiment = small(steps=1_000_000, record_every=1).model_dump(mode="json", exclude_defaults=True)
    run = machine.ask("POST", "/skipviz/runs", {"experiment": experiment, "speed": RATE})[1]["run"]
    page = Page(machine, run)
    page.listen(lambda: len(page.frames) > 150)
    machine.ask("POST", f"/skipviz/runs/{run}/events", {"kind": "skip", "ids": ["s1-3"], "on": False})
    page.listen(lambda: len(page.frames) > 220)
    seen = dict(page.frames)
    machine.end(signal.SIGKILL)

    machine.start()
    found = machine.run(run)
    recorded = [frame["step"] for frame in found["frames"]]
    assert (found["state"], found["mine"]) == ("interrupted", True)
    assert recorded == list(range(len(recorded)))
    assert len(recorded) > max(seen) - RATE, "at most the last second is lost"
    assert found["resumes"] > 0
    assert [event["ids"] for event in found["events"]] == [["s1-3"]]
    page.listen(lambda: page.state == "interrupted")
    assert machine.ask("POST", f"/skipviz/runs/{run}/resume", {}, cookie=STRANGER)[0] == 403
    assert machine.ask("POST", f"/skipviz/runs/{run}/resume", {}) == (200, {"ok": True, "step": found["resumes"]})
    page.listen(lambda: page.state == "running" and max(page.frames) > max(seen) + 50)
    assert sorted(page.frames) == list(range(max(page.frames) + 1)), "no frame is lost"
    assert page.doubled == []
    assert all(measured(page.frames[step]) == measured(values) for step, values in seen.items()), "recorded again, bit for bit"

    looked = []

    def tell_to_stop_once_it_streams():
        looked.append(page.place)
        if len(looked) == 4:
            os.kill(machine.process.pid, signal.SIGTERM)
        return False

    page.listen(tell_to_stop_once_it_streams)
    assert page.notice == "The server restarts; runs go on afterwards."
    machine.process.wait(PATIENCE)
    before = dict(page.frames)
    machine.start()
    page.listen(lambda: page.state == "running" and max(page.frames) > max(before) + 50)
    assert sorted(page.frames) == list(range(max(page.frames) + 1))
    assert page.doubled == []
    assert all(measured(page.frames[step]) == measured(values) for step, values in before.items())
    [mine] = machine.ask("GET", "/skipviz/runs")[1]["runs"]
    assert (mine["id"], mine["state"]) == (run, "running")
    assert machine.ask("GET", "/skipviz/runs", cookie=STRANGER)[1]["runs"] == []
    assert machine.ask("PATCH", f"/skipviz/runs/{run}", {"title": "theirs"}, cookie=STRANGER)[0] == 403
    assert machine.ask("DELETE", f"/skipviz/runs/{run}", cookie=STRANGER)[0] == 403
    assert machine.ask("DELETE", f"/skipviz/runs/{run}")[0] == 409
    assert machine.ask("PATCH", f"/skipviz/runs/{run}", {"title": "mine"}) == (200, {"ok": True, "title": "mine"})
    machine.ask("POST", f"/skipviz/runs/{run}/events", {"kind": "stop"})
    page.listen(lambda: page.state == "stopped")
    assert machine.ask("DELETE", f"/skipviz/runs/{run}") == (200, {"ok": True})
    assert machine.ask("GET", f"/skipviz/runs/{run}")[0] == 404


def test_runs_in_line_of_a_killed_server_are_found_again_and_go_on_when_they_are_told_to(machine):
    machine.environment["SKIPVIZ_MAX_RUNNING"] = "1"
    machine.start()
    going = small(steps=1_000_000).model_dump(mode="json", exclude_defaults=True)
    short = small(steps=20).model_dump(mode="json", exclude_defaults=True)
    asked = [{"experiment": going}, {"experiment": short, "speed": RATE}, {"experiment": short}]
    runs = [machine.ask("POST", "/skipviz/runs", body)[1]["run"] for body in asked]
    machine.end(signal.SIGKILL)

    machine.start()
    listed = {row["id"]: row for row in machine.ask("GET", "/skipviz/runs")[1]["runs"]}
    assert {run: (listed[run]["state"], listed[run]["resumable"]) for run in runs} == dict.fromkeys(runs, ("interrupted", True))
    waiting = machine.run(runs[1])
    assert (waiting["speed"], waiting["step"], waiting["resumes"], waiting["frames"]) == (RATE, 0, 0, [])
    for run in runs[1:]:
        assert machine.ask("POST", f"/skipviz/runs/{run}/resume", {}) == (200, {"ok": True, "step": 0})
    page = Page(machine, runs[2])
    page.listen(lambda: page.state == "finished")
    assert sorted(page.frames)[-1] == 19
