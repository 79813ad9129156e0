"""What stands beside a frame that has no held-out number of its own: the last one, with the step that it was taken at."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

SHOWN = """async ([messages, step]) => {
    const { createRunStore } = await import("/js/frames/store.js");
    const { atStep } = await import("/js/common/metric_words.js");
    const store = createRunStore();
    store.reset("run");
    for (const message of messages) store.take({ run: "run", state: "running", ...message });
    store.cursor = step === null ? null : store.indexAt(step);
    const found = store.lastWith(store.frame(), "net", "held_out");
    return [store.frame().step, found?.variants.net.held_out ?? null, atStep(found?.step)];
}"""


def _frame(step: int, held_out: float | None = None, **more) -> dict:
    taken = {} if held_out is None else {"held_out": held_out, "picture": {"kind": "digits"}}
    return {"step": step, "variants": {"net": {"loss": 1.0, **taken}}, **more}


EARLY = [_frame(0, passing=True)]
KEPT = [_frame(0, 0.1), _frame(10), _frame(20, 0.3), _frame(30)]
PASSING = [_frame(33, 0.4, passing=True), _frame(35, passing=True)]
NEWER = [_frame(40, 0.5), _frame(42, passing=True)]


@pytest.mark.parametrize(
    ("messages", "step", "shown"),
    [
        ([{"frames": KEPT}], None, [30, 0.3, " at step 20"]),
        ([{"frames": KEPT}], 10, [10, 0.1, " at step 0"]),
        ([{"frames": KEPT + PASSING}], None, [35, 0.4, " at step 33"]),
        ([{"frames": KEPT + PASSING}], 20, [20, 0.3, " at step 20"]),
        ([{"frames": KEPT + PASSING + NEWER}], None, [42, 0.5, " at step 40"]),
        ([{"frames": KEPT + PASSING}, {"snapshot": True, "frames": KEPT}], None, [30, 0.3, " at step 20"]),
        ([{"frames": [_frame(0)]}], None, [0, None, ""]),
        ([{"frames": EARLY}], None, [0, None, ""]),
        ([{"frames": EARLY}, {"frames": KEPT[:1]}], None, [0, 0.1, " at step 0"]),
        ([{"frames": EARLY + KEPT}], 10, [10, 0.1, " at step 0"]),
    ],
    ids=[
        "live",
        "looked back",
        "between two kept",
        "looked back while one passes",
        "a newer one",
        "begun anew",
        "none yet",
        "a first one early",
        "and whole",
        "and later ones",
    ],
)
def test_the_last_held_out_number_is_shown_with_its_step(harness, messages, step, shown):
    assert harness.evaluate(SHOWN, [messages, step]) == shown


def test_a_held_out_loss_stands_behind_the_batchs_and_is_a_line_of_its_own(harness):
    """`recorded` are frames of one's own module, of which every second measured what is held out."""
    recorded = [_frame(0, 0.1), _frame(10), _frame(20, 0.3), _frame(30)]
    for place in (0, 2):
        recorded[place]["variants"]["net"]["held_out_loss"] = 2.0 - place / 2
    said = """async ([frames]) => {
        const { heldOutLossWords } = await import("/js/common/metric_words.js");
        const { lossHistory } = await import("/js/plots/loss_history.js");
        const words = [frames[2], frames[3], undefined].map((frame) => heldOutLossWords(frame, "net"));
        words.push(heldOutLossWords(frames[2], "net", false));
        return [words, lossHistory(frames, "net", 6, 100).heldOutLoss];
    }"""
    assert harness.evaluate(said, [recorded]) == [[", held out 1 at step 20", "", "", ", held out 1"], {"x": [0, 20], "y": [2, 1]}]
