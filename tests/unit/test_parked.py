"""Steps that could be undone are found again by the same browser at the same address, for a while."""

from engines import small

from skipviz.web.desk import parked as module
from skipviz.web.desk.parked import Parked

STEPS = [small(depth=depth) for depth in (3, 4, 5)]


def test_steps_are_found_by_the_same_browser_at_the_same_address_only():
    parked = Parked()
    parked.park("me", "here", STEPS[:2], STEPS[2:], [(STEPS[0], "run")])
    assert parked.find("me", "here") == (STEPS[:2], STEPS[2:], [(STEPS[0], "run")])
    assert parked.find("me", "there") == parked.find("you", "here") == ([], [], [])
    parked.find("me", "here")[0].clear()
    assert parked.find("me", "here")[0] == STEPS[:2]


def test_steps_are_forgotten_after_a_while_but_not_for_a_lab_without_any():
    now = [0.0]
    parked = Parked(lambda: now[0])
    parked.park("me", "here", STEPS, [])
    now[0] = module.SECONDS + 1
    assert parked.find("me", "here") == ([], [], [])
    parked.park("me", "here", STEPS, [])
    parked.park("me", "here", [], [])
    assert parked.find("me", "here") == (STEPS, [], [])


def test_only_so_many_labs_and_steps_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(module, "STEPS", 1)
    parked = Parked()
    for address in "abc":
        parked.park("me", address, STEPS, STEPS)
    assert [parked.find("me", address)[0] for address in "abc"] == [[], STEPS[-1:], STEPS[-1:]]
