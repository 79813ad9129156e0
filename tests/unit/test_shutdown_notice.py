"""A server that is told to stop stays a moment for pages that only ask from time to time, and for nobody else."""

import asyncio

import pytest

from skipviz.web.http.shutdown_notice import ARRIVES, ASKING, RECENT, RESTARTS, STAYS, ShutdownNotice
from skipviz.web.http.stream import Broadcaster, Viewer


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shutdown_notice(clock):
    return ShutdownNotice(clock)


def test_a_server_that_no_page_asks_stops_at_once(shutdown_notice):
    assert not shutdown_notice.tell()
    assert shutdown_notice.sentence_for("a page") == RESTARTS


def test_it_stays_until_every_page_that_asks_was_told_however_late_and_an_answer_takes_a_moment(shutdown_notice, clock):
    assert shutdown_notice.sentence_for("quick") == shutdown_notice.sentence_for("slow") == ""
    clock.now += ASKING
    assert shutdown_notice.tell()
    assert shutdown_notice.sentence_for("quick") == RESTARTS
    clock.now += 2 * ASKING
    assert shutdown_notice.waits()
    assert shutdown_notice.sentence_for("slow") == RESTARTS
    clock.now += 0.9 * ARRIVES
    assert shutdown_notice.waits()
    clock.now += 0.2 * ARRIVES
    assert not shutdown_notice.waits()


def test_a_second_signal_waits_for_nobody(shutdown_notice):
    shutdown_notice.sentence_for("a page")
    assert shutdown_notice.tell()
    assert not shutdown_notice.tell()


def test_a_page_that_was_closed_is_not_waited_for_nor_one_that_has_not_asked_for_long(shutdown_notice, clock):
    shutdown_notice.sentence_for("silent for long")
    clock.now += RECENT + 1
    shutdown_notice.sentence_for("closed", is_open=lambda: False)
    assert not shutdown_notice.tell()


def test_a_page_that_does_not_ask_any_more_is_waited_for_a_bounded_time(shutdown_notice, clock):
    shutdown_notice.sentence_for("silent")
    clock.now += 0.1
    assert shutdown_notice.tell()
    clock.now += 0.9 * STAYS
    assert shutdown_notice.waits()
    clock.now += 0.2 * STAYS
    assert not shutdown_notice.waits()


def test_the_next_server_of_a_process_says_nothing(shutdown_notice):
    shutdown_notice.tell()
    shutdown_notice.begin()
    assert shutdown_notice.sentence_for("a page") == ""


def test_a_stream_that_is_opened_while_the_server_leaves_ends_at_once_with_its_sentence(engine):
    sent = []

    async def send(message):
        sent.append(message.get("body", b""))

    async def leaving():
        broadcaster = Broadcaster(engine)
        broadcaster.close(RESTARTS)
        await asyncio.wait_for(broadcaster.stream(Viewer([], {}), asyncio.Event().wait, send), 60)
        broadcaster.close()

    asyncio.run(leaving())
    assert RESTARTS in sent[-1].decode()
