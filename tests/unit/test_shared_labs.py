"""Labs whose documents several servers share, over a store that holds what a database would."""

import random
import threading
from types import SimpleNamespace

import pytest

from skipviz.engine.capacity.budget import MOST_EVENT_BYTES
from skipviz.engine.controls import Controls
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


class Trainer:
    """A run's server, which has heard of it only what a test lets come there."""

    def __init__(self, experiment, **more):
        self.run = SimpleNamespace(
            id="run", owner=ME, experiment=experiment, state="running", restart=False, ended=False, led={}, **more
        )
        self.controls = Controls(threading.RLock(), *[SimpleNamespace(**dict.fromkeys(CALLED, ignore))] * 4, lambda: None)
        self.under_way = []

    def lead(self, *given):
        self.under_way.append(given)

    def hear(self, place=0):
        _, owner, *given = self.under_way.pop(place)
        self.controls.lead(self.run, owner, *given)

    def switch(self, skip, on):
        """As another lab or a script does."""
        self.run.experiment = applied(self.run.experiment, SkipEvent(ids=[skip], on=on))


CALLED = ("unheard", "note", "tell", "post", "asked")


def ignore(*_):
    return 0


@pytest.fixture
def trainer(table):
    trainer, engine = Trainer(EXPERIMENT, waiting=[], event_bytes=0), lab_module.get_engine()
    engine.run = engine.kept = lambda run_id: trainer.run
    engine.lead, engine.label = trainer.lead, lambda *_: None
    return trainer


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(lab_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def of_run(server):
    """Return one lab that shows the run as two servers have it."""
    lab = server().opened(EXPERIMENT, ME)
    lab.show(EXPERIMENT, "run")
    return lab, server().look_up(lab.id)


def are_on(lab):
    return [skip.on for skip in lab.document.experiment.network.skips[:2]]


def test_a_lab_takes_nothing_of_a_run_that_has_not_heard_of_all_its_commands_however_long_that_takes(server, trainer, clock):
    lab, there = of_run(server)
    for on in (False, True):
        switched(there, FIRST, on)
    for wait in (0, 5, 15):  # with what another lab switches meanwhile
        clock[0] += wait
        if wait == 15:
            trainer.hear()
            trainer.switch(SECOND, False)
        lab.follow()
        there.follow()
        lab.refresh()
        assert (lab.document, lab.document.version, are_on(lab)) == (there.document, 4, [True, True])
    trainer.hear()
    lab.follow()
    there.refresh()
    assert (lab.document, lab.document.version, are_on(lab)) == (there.document, 5, [True, False])
    assert lab.document.back().experiment.network.skip(FIRST).on is False
    there.follow()
    trainer.switch(SECOND, True)
    for one in (there, lab, there):
        one.follow()
    lab.refresh()
    assert (lab.document, lab.document.version, are_on(lab)) == (there.document, 6, [True, True])


def test_a_lab_follows_a_run_that_refuses_a_command_or_has_nothing_to_do_for_it(server, trainer, clock):
    lab, there = of_run(server)
    trainer.run.event_bytes = MOST_EVENT_BYTES + 1
    switched(there, FIRST)
    trainer.hear()
    assert trainer.run.experiment == EXPERIMENT
    handle(there, {"op": "rename_variant", "name": "renamed"}, None)
    trainer.hear()
    trainer.switch(SECOND, False)
    lab.follow()
    assert are_on(lab) == [False, False]


def test_what_a_server_did_not_tell_the_run_before_it_was_killed_another_tells_it(server, trainer, clock):
    lab, there = of_run(server)
    switched(there, FIRST)
    del there, trainer.under_way[:]
    lab.refresh()
    trainer.switch(SECOND, False)
    clock[0] += 20
    lab.follow()
    assert (trainer.under_way, are_on(lab)) == ([], [False, True])
    clock[0] += lab_module.LOST_SECONDS
    lab.follow()
    lab.follow()
    (_,) = trainer.under_way
    trainer.hear()
    lab.follow()
    assert trainer.run.experiment == lab.document.experiment
    assert are_on(lab) == [False, True]
    trainer.switch(SECOND, False)
    lab.follow()
    assert are_on(lab) == [False, False]


def test_a_run_that_hears_of_two_commands_in_the_other_order_is_brought_to_the_document(server, trainer, clock):
    lab, there = of_run(server)
    switched(lab, FIRST)
    switched(there, FIRST, True)
    trainer.hear(1)
    trainer.hear()
    lab.follow()
    assert (are_on(lab), trainer.run.experiment.network.skip(FIRST).on) == ([True, True], False)
    clock[0] += lab_module.LOST_SECONDS + 1
    lab.follow()
    trainer.hear()
    lab.follow()
    assert trainer.run.experiment == lab.document.experiment == EXPERIMENT
    assert lab.document.version == 4


@pytest.mark.parametrize("restart", [True, False])
def test_a_run_that_goes_on_by_itself_at_another_server_stays_its_labs_one(server, trainer, clock, restart):
    lab, _ = of_run(server)
    trainer.run.state, trainer.run.ended, trainer.run.restart = "interrupted", True, restart
    switched(lab, FIRST)
    assert lab.document.run == ("run" if restart else None)
    if restart:
        trainer.hear()
        assert [event["on"] for event in trainer.run.waiting] == [False]
        assert trainer.run.experiment == lab.document.experiment


def test_a_page_hears_of_a_version_that_another_server_wrote_whether_its_lab_is_here_or_not(server):
    lab = server().opened(EXPERIMENT, ME)
    there, told = server(), []
    there.subscribe(told.append)
    there.heard([[lab.id, 7]])
    assert (there.version_of(lab.id), told) == (7, [lab.id])
    there.learn({lab.id: 0, "none": 3})
    assert there.version_of(lab.id) == 1
    assert there.version_of("none") is None
