"""Two tabs of one lab, at one run, and a watcher: whatever is pressed, all show the state that the server holds, as has the run."""

from __future__ import annotations

import random

from experiments import small
from kept import listened
from pages import LabPage
from playwright.sync_api import expect

PRESSES = 24


def _switched_off(lab: LabPage) -> set[str]:
    return {name for name in lab.skip_ids() if "off" in lab.skip(name).get_attribute("class").split()}


def test_two_tabs_that_press_at_once_end_in_one_state_the_runs_and_a_watchers_after_a_reload_too(kept, visit):
    kept.put(small())
    run = kept.start()
    kept.press("Pause")
    kept.expect_state("Paused")
    other = LabPage(listened(kept.page.context.new_page(), kept.page.problems))
    other.page.goto(kept.page.url)
    other.ready()
    watcher = LabPage(visit())
    watcher.page.goto(f"lab?run={run}")
    watcher.ready()
    names = kept.skip_ids()
    chance = random.Random(11)
    for turn in range(PRESSES):
        tab = chance.choice((kept, other))
        act = chance.choice(("skip", "skip", "undo", "redo"))
        if act == "skip":
            tab.click_skip(chance.choice(names))
        else:
            getattr(tab, act).evaluate("button => button.click()")  # which does nothing where there is nothing to undo
        if turn == PRESSES // 2:
            for tab in (other, watcher):
                tab.page.reload()
                tab.ready()

    def off_in_run() -> set[str]:
        on = dict.fromkeys(names, True)
        for frame in kept.frames(run):
            for event in frame.get("events", ()):
                on |= dict.fromkeys(event["ids"], event["on"])
        return {name for name in names if not on[name]}

    kept.until(lambda: _switched_off(kept) == _switched_off(other) == _switched_off(watcher) == off_in_run())
    before = off_in_run()
    other.click_skip(names[0])
    kept.until(lambda: _switched_off(kept) == _switched_off(watcher) == off_in_run() == before ^ {names[0]})
    expect(kept.undo).to_be_enabled()
    kept.undo.click()
    kept.until(lambda: _switched_off(kept) == _switched_off(other) == off_in_run() == before)
