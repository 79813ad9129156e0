"""Labs whose documents several servers share, over a store that holds what a database would."""

import random
import threading
import time
from types import SimpleNamespace

import pytest
from engines import PATIENCE

from skipviz.network import families
from skipviz.storage import StoreError
from skipviz.tasks.event import SkipEvent, applied
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task
from skipviz.web.document import lab as lab_module
from skipviz.web.document import labs as labs_module
from skipviz.web.document.commands import handle
from skipviz.web.document.labs import Labs
from skipviz.web.document.shared_labs import SharedLabs

ME = "a-browser"
EXPERIMENT = Experiment(
    variants={"net": families.mlp(depth=6, width=4, skip_every=2)},
    task=Task(name="spiral", samples=100),
    training=Training(steps=5, batch_size=8),
)
FIRST, SECOND, *_ = [skip.id for skip in EXPERIMENT.network.skips]


class Table:
    """The table of labs' documents, which may be away."""

    def __init__(self):
        self.rows, self.away, self.lock = {}, False, threading.Lock()

    def read_lab(self, identifier, version):
        self._check()
        row, data = self.rows.get(identifier, (None, None))
        return None if row is None else (row, None if row["version"] == version else data.encode())

    def put_lab(self, row, data, before):
        self._check()
        with self.lock:
            there = self.rows.get(row["id"], ({"version": 0},))[0]["version"]
            if there == before:
                self.rows[row["id"]] = (row, data)
            return there == before

    def find_lab(self, owner, **where):
        self._check()
        mine = [row for row, _ in self.rows.values() if row["owner"] == owner and where.items() <= row.items()]
        return mine[-1]["id"] if mine else None

    def place_lab(self, identifier, place):
        self.rows[identifier][0]["place"] = place

    def _check(self):
        if self.away:
            raise StoreError("the database cannot be reached")


@pytest.fixture
def table(monkeypatch):
    engine = SimpleNamespace(run=lambda run: None, kept=lambda run: None, trains=lambda experiment: True)
    for module in (lab_module, labs_module):
        monkeypatch.setattr(module, "get_engine", lambda: engine)
    return Table()


@pytest.fixture
def server(table):
    """Returns the labs of another server each time."""

    def server():
        labs = Labs()
        labs.share(SharedLabs(table))
        return labs

    return server


def switched(lab, skip, on=False):
    return handle(lab, {"op": "skips", "ids": [skip], "changes": {"on": on}}, None)


def test_a_lab_is_the_same_at_a_server_that_never_saw_its_page(server):
    lab = server().opened(EXPERIMENT, ME)
    switched(lab, FIRST)
    switched(lab, SECOND)
    handle(lab, {"op": "undo"}, None)
    there = server().look_up(lab.id)
    assert (there.document, there.owner, there.speed) == (lab.document, lab.owner, lab.speed)
    assert there.document.back().forth().experiment == lab.document.experiment
    assert there.document.back().experiment == EXPERIMENT
    assert server().look_up("none") is None


def test_which_of_its_runs_an_edit_ended_is_known_at_another_server_by_the_experiment_itself(server):
    lab = server().opened(EXPERIMENT, ME)
    lab.show(EXPERIMENT, "run")
    handle(lab, {"op": "remove_skips", "ids": [FIRST]}, None)
    assert lab.document.run is None
    there = server().look_up(lab.id)
    assert there.document.ended_here() is None
    assert there.document.back().ended_here() == "run"


def test_both_servers_of_two_that_have_a_lab_may_change_it_in_turn_or_at_once(server):
    lab = server().opened(EXPERIMENT, ME)
    there = server().look_up(lab.id)
    switched(lab, FIRST)
    switched(there, SECOND)
    lab.refresh()
    assert lab.document == there.document
    assert [skip.on for skip in lab.document.experiment.network.skips[:2]] == [False, False]
    assert len(lab.document.undo) == 2
    turns = random.Random(1)

    def press(one):
        for _ in range(20):
            handle(one, {"op": "skips", "ids": [FIRST], "changes": {"strength": round(turns.random(), 6) + 1.5}}, None)

    threads = [threading.Thread(target=press, args=[one]) for one in (lab, there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lab.refresh()
    there.refresh()
    assert lab.document == there.document
    assert len(lab.document.undo) == 42


def test_a_lab_goes_on_while_the_database_is_away_and_is_written_once_it_is_back(server, table):
    lab = server().opened(EXPERIMENT, ME)
    table.away = True
    switched(lab, FIRST)
    with pytest.raises(StoreError):
        server().look_up(lab.id)
    assert server().of_run(ME, "run") is None
    table.away = False
    switched(lab, SECOND)
    assert server().look_up(lab.id).document == lab.document
    assert len(lab.document.undo) == 2


def test_a_page_that_is_loaded_anew_at_another_server_finds_its_lab_by_its_place(server):
    here = server()
    lab = here.opened(EXPERIMENT, ME)
    switched(lab, FIRST)
    here.keep(lab, "its address")
    there = server()
    assert there.document_at(ME, "its address") == lab.document
    assert there.document_at("another-browser", "its address") is None
    assert there.document_at(ME, "elsewhere") is None


def test_a_run_that_is_behind_its_labs_commands_takes_none_of_them_back(server, monkeypatch):
    monkeypatch.setattr(lab_module, "SETTLED_SECONDS", 0.2)
    now = [0.0]
    monkeypatch.setattr(lab_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    run = SimpleNamespace(id="run", owner=ME, experiment=EXPERIMENT, state="running", ended=False)
    engine = lab_module.get_engine()
    engine.run = engine.kept = lambda run_id: run
    engine.post = engine.label = lambda *_: None
    lab = server().opened(EXPERIMENT, ME)
    lab.show(EXPERIMENT, "run")
    there = server().look_up(lab.id)
    lab.refresh()
    for on in (False, True):
        switched(there, FIRST, on)
    run.experiment = applied(EXPERIMENT, SkipEvent(ids=[FIRST], on=False))
    lab.follow()
    assert (lab.document.version, lab.document.experiment) == (there.document.version, EXPERIMENT)
    run.experiment = applied(run.experiment, SkipEvent(ids=[FIRST], on=True))
    before = lab.document.version
    now[0] += 1
    until(lambda: not lab.is_behind(run))
    assert (lab.document.version, lab.document.experiment) == (before, EXPERIMENT)
    run.experiment = applied(run.experiment, SkipEvent(ids=[SECOND], on=False))
    until(lambda: lab.follow() or not lab.document.experiment.network.skips[1].on)
    assert lab.document.version == before + 1


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)


def test_a_page_hears_of_a_version_that_another_server_wrote_whether_its_lab_is_here_or_not(server):
    lab = server().opened(EXPERIMENT, ME)
    there, told = server(), []
    there.subscribe(told.append)
    there.heard([[lab.id, 7]])
    assert (there.version_of(lab.id), told) == (7, [lab.id])
    there.learn({lab.id: 0, "none": 3})
    assert there.version_of(lab.id) == 1
    assert there.version_of("none") is None
