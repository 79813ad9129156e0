"""Files of runs: one is made at a time of a run, and what was made last is not made again."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from engines import small

from skipviz.storage import Run
from skipviz.web.http.made_files import MOST_WAITING, CrowdedError, MadeFiles


class Workshop:
    """Makes files of 100 bytes, each once it is let; `made` says of which run, suffix and step."""

    def __init__(self, makers) -> None:
        self.made, self.gate, self.most, self._at_once = [], threading.Semaphore(0), Counter(), Counter()
        self.files = MadeFiles(self._make, makers, most_bytes=250)

    def _make(self, run, suffix, lab):
        self._at_once[run.id] += 1
        self.most[run.id] = max(self.most[run.id], self._at_once[run.id])
        self.gate.acquire(timeout=20)
        self.made.append((run.id, suffix, len(run.frames)))
        self._at_once[run.id] -= 1
        if suffix == "bad":
            raise ValueError("no such file")
        return f"{run.title}.{suffix}", f"{len(run.frames):100}".encode()

    def get(self, run, suffix="html", lab="here"):
        self.gate.release()
        return self.files.ask(run, suffix, lab).result(20)


@pytest.fixture
def workshop():
    with ThreadPoolExecutor(4) as makers:
        yield Workshop(makers)


def run_of(name: str) -> Run:
    run = Run(name, "me", small(), title=name)
    run.add_frame(b'{"step":0,"variants":{}}')
    return run


def test_a_file_is_made_again_only_once_its_run_has_changed(workshop):
    run = run_of("a")
    assert workshop.get(run) == workshop.get(run)
    assert len(workshop.made) == 1
    goes_on, renamed = (lambda: run.add_frame(b'{"step":1,"variants":{}}')), (lambda: setattr(run, "title", "b"))
    for count, change in enumerate((goes_on, run.mark, renamed, lambda: run.rewind(1, 0)), start=2):
        change()
        workshop.get(run)
        assert len(workshop.made) == count
    assert workshop.get(run)[0] == "b.html"
    workshop.get(run, lab="there")
    assert len(workshop.made) == 6


def test_the_files_of_a_run_are_made_one_by_one_and_those_who_ask_for_the_same_share_it(workshop):
    run, other = run_of("a"), run_of("b")
    asked = [workshop.files.ask(run, suffix, "here") for suffix in ("csv", "html", "html", "py", "html")]
    elsewhere = workshop.files.ask(other, "html", "here")
    for _ in range(5):
        workshop.gate.release()
    assert len({future.result(20) for future in asked}) == 3
    assert elsewhere.result(20)[0] == "b.html"
    assert sorted(workshop.made) == [("a", "csv", 1), ("a", "html", 1), ("a", "py", 1), ("b", "html", 1)]
    assert workshop.most == {"a": 1, "b": 1}


def test_the_file_longest_not_asked_for_goes_first(workshop):
    runs = [run_of(name) for name in "abc"]
    for run in (*runs[:2], runs[0], runs[2], runs[0], runs[1]):
        workshop.get(run)
    assert [name for name, _, _ in workshop.made] == ["a", "b", "c", "b"]


def test_what_could_not_be_made_is_told_and_holds_nothing_up(workshop):
    run = run_of("a")
    with pytest.raises(ValueError, match="no such file"):
        workshop.get(run, "bad")
    assert workshop.get(run)[0] == "a.html"


def test_a_crowd_is_refused_in_a_sentence_before_it_takes_memory(workshop):
    run = run_of("a")
    asked = [workshop.files.ask(run, "html", str(number)) for number in range(MOST_WAITING)]
    with pytest.raises(CrowdedError, match="try again"):
        [workshop.files.ask(run, "html", f"more {number}") for number in range(2)]
    for _ in range(MOST_WAITING + 1):
        workshop.gate.release()
    assert all(future.result(20) for future in asked)
