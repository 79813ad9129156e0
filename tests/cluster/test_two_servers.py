"""Two servers on one database before browsers: one may be killed, and nobody may do anything at one that the other refuses."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor

from engines import endless
from replicas import watched

VIEWERS, SECONDS = int(os.environ.get("SKIPVIZ_TEST_VIEWERS", "20")), float(os.environ.get("SKIPVIZ_TEST_SECONDS", "3"))
STRANGER = "skipviz=" + "b" * 32


def test_viewers_at_two_servers_miss_no_frame_and_see_none_twice_where_one_is_killed(machines):
    with ThreadPoolExecutor(1) as own:  # a browser's driver may have the loop of this thread
        seen = own.submit(asyncio.run, watched(machines, VIEWERS, SECONDS)).result()
    print(f"\n{VIEWERS} viewers, {seen.frames} frames each; nothing new for {seen.away:.1f} s after the kill", end="")
    assert seen.faults == []


def test_a_browser_may_do_nothing_at_one_server_to_what_another_browser_has_at_the_other(machines):
    first, second = machines
    body = {"experiment": endless().model_dump(mode="json", exclude_defaults=True), "speed": 10}
    run = first.ask("POST", "/skipviz/runs", body)[1]["run"]
    place = f"/skipviz/runs/{run}"
    wait_for_state(second, run, "running")
    refused = [
        second.ask("POST", f"{place}/events", {"kind": "stop"}, cookie=STRANGER),
        second.ask("POST", f"{place}/resume", {}, cookie=STRANGER),
        second.ask("PATCH", place, {"title": "mine"}, cookie=STRANGER),
        second.ask("DELETE", place, {}, cookie=STRANGER),
    ]
    assert [status for status, _ in refused] == [403] * 4, refused
    assert second.ask("GET", "/skipviz/runs", cookie=STRANGER)[1]["runs"] == []
    assert [mine["id"] for mine in second.ask("GET", "/skipviz/runs")[1]["runs"]] == [run]
    assert first.run(run)["state"] == "running"
    assert second.ask("POST", f"{place}/events", {"kind": "stop"})[0] == 200
    wait_for_state(first, run, "stopped")
    wait_for_state(second, run, "stopped")


def wait_for_state(machine, run, state):
    end = time.monotonic() + 120
    while (found := machine.run(run).get("state")) != state:
        assert time.monotonic() < end, f"{found}, not {state}"
        time.sleep(0.05)
