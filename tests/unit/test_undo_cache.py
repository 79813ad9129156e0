"""Steps that could be undone are found again by the same browser at the same address, for a while."""

from engines import small

from skipviz.web.session_state import undo_cache as module
from skipviz.web.session_state.undo_cache import UndoCache

STEPS = [small(depth=depth) for depth in (3, 4, 5)]


def test_steps_are_found_by_the_same_browser_at_the_same_address_only():
    undo_cache = UndoCache()
    undo_cache.park("me", "here", STEPS[:2], STEPS[2:], [(STEPS[0], "run")])
    assert undo_cache.find("me", "here") == (STEPS[:2], STEPS[2:], [(STEPS[0], "run")])
    assert undo_cache.find("me", "there") == undo_cache.find("you", "here") == ([], [], [])
    undo_cache.find("me", "here")[0].clear()
    assert undo_cache.find("me", "here")[0] == STEPS[:2]


def test_steps_are_forgotten_after_a_while_but_not_for_a_lab_without_any():
    now = [0.0]
    undo_cache = UndoCache(lambda: now[0])
    undo_cache.park("me", "here", STEPS, [])
    now[0] = module.SECONDS + 1
    assert undo_cache.find("me", "here") == ([], [], [])
    undo_cache.park("me", "here", STEPS, [])
    undo_cache.park("me", "here", [], [])
    assert undo_cache.find("me", "here") == (STEPS, [], [])


def test_only_so_many_labs_and_steps_are_kept(monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(module, "STEPS", 1)
    undo_cache = UndoCache()
    for address in "abc":
        undo_cache.park("me", address, STEPS, STEPS)
    assert [undo_cache.find("me", address)[0] for address in "abc"] == [[], STEPS[-1:], STEPS[-1:]]
