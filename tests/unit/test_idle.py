"""A server that a script has started ends by itself, but not while anybody uses it."""

import asyncio
import signal

import pytest

from skipviz.web.http import idle

TENTH = 0.1 / 60
"""Minutes."""


@pytest.fixture
def killed(monkeypatch):
    """The signals that the process was sent, by itself."""
    sent = []
    monkeypatch.setattr(idle.os, "kill", lambda pid, number: sent.append(number))
    monkeypatch.setattr(idle.InUse, "open", 0)
    monkeypatch.setattr(idle.InUse, "last", 0.0)
    return sent


def within(awaitable, seconds=30):
    return asyncio.run(asyncio.wait_for(awaitable, seconds))


def test_it_ends_once_nothing_goes_on_for_a_while(killed):
    within(idle.end_when_idle(TENTH, lambda: False))
    assert killed == [signal.SIGTERM]


def test_it_stays_where_the_setting_is_0(killed):
    within(idle.end_when_idle(0, lambda: False))
    assert killed == []


def test_it_stays_while_a_run_or_a_job_has_not_ended(killed):
    asked = []

    def busy():
        asked.append(True)
        return len(asked) < 20

    within(idle.end_when_idle(TENTH, busy))
    assert len(asked) > 20
    assert killed == [signal.SIGTERM]


@pytest.mark.parametrize("kind", ["websocket", "http"])
def test_it_stays_while_a_page_is_connected(killed, kind):
    async def used():
        left = asyncio.Event()

        async def page(scope, receive, send):
            await left.wait()

        connection = asyncio.create_task(idle.InUse(page)({"type": kind}, None, None))
        ending = asyncio.create_task(idle.end_when_idle(TENTH, lambda: False))
        done, _ = await asyncio.wait([ending], timeout=0.5)
        assert not done
        left.set()
        await connection
        await ending

    within(used())
    assert killed == [signal.SIGTERM]
