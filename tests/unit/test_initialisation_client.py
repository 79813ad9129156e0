"""Measurements at initialisation: pages have their turns, and a question that takes long holds nobody else up."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from engines import small

from skipviz.engine.processes import initialisation_client
from skipviz.engine.processes.initialisation_client import InitialisationClient

DEEP = {901, 902, 903}
"""Seeds of what is never answered."""
PATIENCE = 60


class _Child:
    """An initialisation worker that answers at once, but what is deep; notes what it was asked; waits while `gate` is shut."""

    def __init__(self, launcher, hear, lost) -> None:
        self._launcher, self._hear, self._lost = launcher, hear, lost

    def send(self, data) -> None:
        if "probe" not in data:
            return
        seed = data["experiment"]["training"].get("seed", 0)
        self._launcher.asked.append(seed)
        if seed not in DEEP:
            answer = [data["probe"], {"header": {}, "frame": {"seed": seed}}, None]
            self._launcher.answer(lambda: self._hear([(b"probe", json.dumps(answer).encode())]))

    def kill(self) -> None:
        asyncio.get_running_loop().call_soon(self._lost, -9)


class _Launcher:
    """Starts such initialisation workers; what they answer is held back while `holds`."""

    def __init__(self) -> None:
        self.asked, self.held, self.holds, self.children = [], [], False, 0

    def launch(self, role, hear, lost):
        assert role == "initialisation"
        self.children += 1
        return _Child(self, hear, lost)

    def answer(self, say) -> None:
        if self.holds:
            self.held.append(say)
        else:
            asyncio.get_running_loop().call_soon(say)


@contextmanager
def _initialisation_client(seconds):
    """Yield (launcher, ask(seed, page) → a future of the answer, on_loop(call))."""
    loop, launcher, pool = asyncio.new_event_loop(), _Launcher(), ThreadPoolExecutor(16)
    threading.Thread(target=loop.run_forever, daemon=True).start()
    asked = InitialisationClient(launcher, loop, seconds, 4096, "")

    def on_loop(call):
        async def run():
            call()

        asyncio.run_coroutine_threadsafe(run(), loop).result(PATIENCE)

    def ask(seed, page):
        future = pool.submit(asked.ask, small(seed=seed), PATIENCE, page)
        while not future.done() and seed not in [one.experiment["training"]["seed"] for one in list(asked._asked.values())]:
            on_loop(lambda: None)  # its thread puts it there
        return future

    on_loop(asked.start)
    yield launcher, ask, on_loop
    on_loop(asked.close)
    pool.shutdown()
    loop.call_soon_threadsafe(loop.stop)


@pytest.fixture
def editor(monkeypatch):
    """Pages and an initialisation worker whose slices are short."""
    monkeypatch.setattr(initialisation_client, "SLICE", 0.1)
    with _initialisation_client(2.0) as made:
        yield made


@pytest.fixture
def unhurried(monkeypatch):
    """The same where nothing takes long."""
    monkeypatch.setattr(initialisation_client, "SLICE", 1000.0)
    with _initialisation_client(1000.0) as made:
        yield made


def seed_of(future):
    return future.result(PATIENCE)["frame"]["seed"]


def test_a_deep_network_of_one_page_takes_the_measurement_from_no_other_page(editor):
    _, ask, _ = editor
    deep = ask(901, "one")
    for seed, page in ((1, "two"), (2, "three"), (3, "two")):
        assert seed_of(ask(seed, page)) == seed
    assert not deep.done()


def test_two_pages_with_deep_networks_have_their_turns_and_others_are_answered_meanwhile(editor):
    launcher, ask, _ = editor
    deep = [ask(901, "one"), ask(902, "two")]
    assert seed_of(ask(1, "three")) == 1
    said = [one.result(PATIENCE)["problem"] for one in deep]
    assert said == ["This network's gradient takes over 2 s to measure: Start shows it."] * 2
    assert seed_of(ask(2, "one")) == 2
    assert launcher.asked.count(901) >= 1 <= launcher.asked.count(902)


def test_what_could_not_be_measured_is_not_measured_again_at_once(editor):
    launcher, ask, _ = editor
    problem = ask(901, "one").result(PATIENCE)
    asked = len(launcher.asked)
    assert ask(901, "one").result(PATIENCE) == problem
    assert len(launcher.asked) == asked


def test_of_a_page_only_its_newest_question_waits(unhurried):
    launcher, ask, on_loop = unhurried
    launcher.holds = True
    first = ask(1, "one")
    old = [ask(seed, "two") for seed in (2, 3)]
    new = ask(4, "two")
    launcher.holds = False
    on_loop(lambda: [say() for say in launcher.held])
    assert (seed_of(first), seed_of(new)) == (1, 4)
    assert [one.result(PATIENCE) for one in old] == [None, None]
    assert launcher.asked == [1, 4]


def test_a_page_that_had_its_turn_waits_behind_those_that_had_none(unhurried):
    launcher, ask, on_loop = unhurried
    assert seed_of(ask(1, "busy")) == 1
    launcher.holds = True
    futures = [ask(2, "busy"), ask(3, "busy too"), ask(4, "busy"), ask(5, "new")]
    launcher.holds = False
    on_loop(lambda: [say() for say in launcher.held])
    assert [seed_of(futures[at]) for at in (1, 2, 3)] == [3, 4, 5]
    assert launcher.asked == [1, 2, 3, 5, 4]


def test_a_deep_question_that_its_page_has_given_up_makes_room_for_the_next_deep_one(editor):
    launcher, ask, _ = editor
    first = ask(901, "one")
    assert seed_of(ask(1, "two")) == 1
    second = ask(902, "one")
    assert first.result(PATIENCE) is None
    assert "takes over 2 s" in second.result(PATIENCE)["problem"]
    assert launcher.asked.count(901) == 1
