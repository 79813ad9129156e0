"""A page in a browser whose server is killed: it goes on at the other server, with its run, its lab and what can be undone."""

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from chromium import launch
from engines import endless
from pages import NO_NEWCOMER, PATIENCE, LabPage, kept_by_browser
from proxies import before_servers
from servers import Server


@pytest.fixture
def servers(tmp_path, database_url):
    """Two servers on one database and one folder."""
    given = {"SKIPVIZ_DATABASE_URL": database_url, "SKIPVIZ_CHECKPOINT_SECONDS": "0.3"}
    both = [Server(tmp_path / f"{name}.txt", forked=True, **given) for name in ("first", "second")]
    with ThreadPoolExecutor() as waiting:
        list(waiting.map(Server.wait_until_warm, both))
    yield both
    for server in both:
        server.close()


@pytest.fixture
def nginx(servers, tmp_path):
    """nginx as in the guide, but that all goes to the first server while it lives."""
    first, second = (server.port for server in servers)

    def first_alone(text):
        text = text.replace("hash $cookie_skipviz consistent;", "")
        return re.sub(rf"server 127.0.0.1:{second};", f"server 127.0.0.1:{second} backup;", text)

    started = before_servers(tmp_path / "nginx", [first, second], first_alone)
    yield started
    started.close()


@pytest.fixture
def page(nginx, playwright):
    browser = launch(playwright)
    known = kept_by_browser(nginx.address, NO_NEWCOMER)
    context = browser.new_context(base_url=nginx.address, viewport={"width": 1440, "height": 900}, storage_state=known)
    context.set_default_timeout(1000 * PATIENCE)
    yield context.new_page()
    browser.close()


def test_a_page_whose_server_is_killed_goes_on_at_the_other(page, servers):
    lab = LabPage(page).open(endless(record_every=1))
    skip = lab.skip_ids()[0]
    lab.set_speed(4)
    run = lab.start()
    lab.wait_for_step(20)
    lab.plain.click()
    lab.expect_network(lambda network: not any(skip.on for skip in network.skips))
    lab.event_frame()
    there = lab.step()
    servers[0].end(signal.SIGKILL)
    killed = time.monotonic()
    lab.wait_for_step(there + 20)
    print(f"\ngoes on {time.monotonic() - killed:.1f} s after the kill", end="")
    assert lab.run() == run
    lab.undo.click()
    lab.expect_network(lambda network: network.skip(skip).on)
    assert [event["on"] for event in lab.frame_where(lambda frame: [event["on"] for event in frame["events"]] == [True])["events"]]
    steps = [frame["step"] for frame in lab.frames() if not frame.get("passing")]
    assert steps == list(range(len(steps)))
