"""The memory a run is reckoned with, and the refusal where this machine has less."""

from types import SimpleNamespace

import psutil
import pytest
from engines import endless, wait_for, wait_for_end, wait_for_rest

from skipviz.engine import EngineError
from skipviz.engine.capacity import budget, limits, room

OWNER = "a-browser-named-ann"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A function that says how much is free, of the machine and of its container."""

    def machine(free_mb, limit_mb=None, used_mb=0, files_mb=0):
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free_mb * 2**20, total=2**40))
        monkeypatch.setattr(room, "CGROUP", tmp_path)
        (tmp_path / "memory.max").write_text("max" if limit_mb is None else str(limit_mb * 2**20))
        (tmp_path / "memory.current").write_text(str(used_mb * 2**20))
        (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {files_mb * 2**20}\n")

    return machine


def test_what_is_free_is_the_machines_or_less_where_its_container_has_less(machine):
    machine(1000)
    assert room.free_mb() == 1000
    machine(1000, limit_mb=600, used_mb=500, files_mb=50)
    assert room.free_mb() == 150
    machine(100, limit_mb=600, used_mb=100)
    assert room.free_mb() == 100
    machine(100, limit_mb=600, used_mb=700)
    assert room.free_mb() == 0


def test_a_refusal_names_what_is_needed_and_what_is_free(machine):
    machine(1229)
    assert "needs about 3.1 GB of memory and this machine has 1.2 GB free now" in room.refusal(3174)
    assert room.refusal(1229) is None


def test_a_run_is_refused_where_this_machine_has_no_memory_for_it(engine, machine):
    machine(4)
    with pytest.raises(EngineError, match=r"needs about \d+ MB of memory and this machine has 4 MB free now") as refused:
        engine.submit(endless(), OWNER)
    assert refused.value.status == 503


def test_a_forked_workers_own_memory_is_counted_once(engine):
    experiment = endless()
    wait_for_rest(engine)
    before = engine.figures()["reckoned_memory_mb"]
    run = engine.run(engine.submit(experiment, OWNER))
    try:
        wait_for(engine, lambda: run.step)
        extra = 0 if engine.settings.forks() else budget.FRESH_MB
        reckoned = engine.figures()["reckoned_memory_mb"] - before
        assert reckoned == pytest.approx(limits.memory_mb(experiment) + extra)
    finally:
        engine.post(run.id, OWNER, {"kind": "stop"})
        wait_for_end(engine, run)
