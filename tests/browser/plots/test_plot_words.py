"""The small modules under the plots: numbers as a person reads them, spreads, shares, and one namespace for all."""

import re
from collections import Counter
from pathlib import Path

import pytest

from skipviz.drawing.colours import THEMES, contrast, ramp

pytestmark = pytest.mark.browser

SCRIPTS = Path(__file__).parents[3] / "assets" / "js"


def call(page, module, function, *arguments):
    return page.evaluate(
        "async ([module, name, values]) => (await import(`/js/${module}`))[name](...values)", [module, function, list(arguments)]
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.116, "0.116"),
        (0.04, "0.04"),
        (1.2149, "1.21"),
        (1, "1"),
        (4.53e-11, "4.5·10⁻¹¹"),
        (0.00996, "0.01"),
        (9.97e-4, "1.0·10⁻³"),
        (0.9996, "1"),
        (9.996, "10"),
        (99.97, "100"),
        (123.4, "123"),
        (9999, "1.0·10⁴"),
        (5e-324, "4.9·10⁻³²⁴"),
        (0, "0"),
        (-0.5, "−0.5"),
        (None, "–"),
    ],
)
def test_a_number_is_written_in_at_most_three_figures(harness, value, words):
    assert call(harness, "common/numbers.js", "formatNumber", value) == words


@pytest.mark.parametrize(("share", "words"), [(0, "0 %"), (0.004, "< 1 %"), (0.86, "86 %"), (0.996, "> 99 %"), (1, "100 %")])
def test_a_share_is_never_rounded_to_none_or_all(harness, share, words):
    assert call(harness, "common/numbers.js", "formatPercent", share) == words


def test_a_spread_ignores_what_was_not_measured(harness):
    spread = call(harness, "diagram/aggregate.js", "spreadOf", [4, None, 1, 100, 9], [0, 1, 2, 4])
    assert (spread["smallest"], spread["median"], spread["largest"], spread["smallestAt"]) == (1, 4, 9, 2)


def test_the_median_of_two_gradients_is_their_geometric_mean(harness):
    assert call(harness, "diagram/aggregate.js", "medianOf", [0, 1], [1e-8, 1e-2]) == pytest.approx(1e-5)


def test_nothing_measured_has_no_median(harness):
    assert call(harness, "diagram/aggregate.js", "medianOf", [0, 1], [None, None]) is None


def test_several_skips_at_a_fork_add_their_energy(harness):
    frame = {"skip_grad": [3, 4], "trunk_grad": [5]}
    assert call(harness, "plots/row_sides.js", "forkShare", {"skips": [0, 1], "trunk": [0]}, frame) == pytest.approx(0.5)


def test_a_share_is_known_even_where_squares_vanish(harness):
    frame = {"skip_grad": [1e-200], "trunk_grad": [1e-200]}
    assert call(harness, "plots/row_sides.js", "forkShare", {"skips": [0], "trunk": [0]}, frame) == pytest.approx(0.5)


def test_a_fork_without_any_gradient_has_no_share(harness):
    assert (
        call(harness, "plots/row_sides.js", "forkShare", {"skips": [0], "trunk": [0]}, {"skip_grad": [0], "trunk_grad": [0]})
        is None
    )


def test_rms_divides_by_the_root_of_the_elements(harness):
    assert call(harness, "plots/row_marks.js", "comparedValues", [8, None], {"measure": "rms"}, [16, 4]) == [2, None]


def test_relative_values_are_parts_of_the_last_measured(harness):
    assert call(harness, "plots/row_marks.js", "comparedValues", [1, 4, None], {"scale": "relative"}, None) == [0.25, 1, None]


def test_bins_of_a_collapsed_group_cover_every_layer_once(harness):
    mark = {"y": 100, "h": 90, "parts": list(range(5, 300)), "collapsed": {"count": 147}}
    values = [1.0] * 300
    bins = call(harness, "plots/row_marks.js", "collapsedBins", mark, values, 2)
    assert sum(one["spread"]["count"] for one in bins) == 295
    assert sum(one["h"] for one in bins) == pytest.approx(90)


def test_the_highest_layer_is_at_the_top_of_its_collapsed_group(harness):
    mark = {"y": 100, "h": 90, "parts": [0, 1, 2], "collapsed": {"count": 3}}
    bins = call(harness, "plots/row_marks.js", "collapsedBins", mark, [1, 2, 3], 2)
    assert [one["spread"]["median"] for one in bins] == [3, 2, 1]


def test_ticks_of_steps_keep_their_distance(harness):
    assert call(harness, "plots/time_axis.js", "stepTicks", 500, 300, 52) == [0, 100, 200, 300, 400, 500]


def test_smoothing_forgets_a_huge_first_loss(harness):
    frames = [{"step": k, "variants": {"a": {"loss": 1e4 if k == 0 else 0.7}}} for k in range(60)]
    history = call(harness, "plots/loss_history.js", "lossHistory", frames, "a", 6, 300)
    assert history["smooth"]["y"][-1] == pytest.approx(0.7, abs=0.05)


def test_a_long_history_keeps_its_extremes(harness):
    frames = [{"step": k, "variants": {"a": {"loss": 5 if k == 777 else 0.7}}} for k in range(5000)]
    line = call(harness, "plots/loss_history.js", "lossHistory", frames, "a", 6, 300)["loss"]
    assert max(line["y"]) == 5
    assert len(line["x"]) <= 1200


def test_no_two_scripts_share_a_name():
    names = Counter()
    for script in SCRIPTS.rglob("*.js"):
        found = re.findall(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", script.read_text(), re.MULTILINE)
        names.update(set(found))
    assert [name for name, count in names.items() if count > 1] == []


def test_imports_and_exports_can_be_stripped_line_by_line():
    for script in SCRIPTS.rglob("*.js"):
        for line in script.read_text().splitlines():
            if line.startswith("import"):
                assert re.fullmatch(r'import \{ [\w, ]+ \} from "\.{1,2}/[\w./]+\.js";', line), (script.name, line)
            if line.startswith("export"):
                assert re.match(r"export (default )?(async )?(function|const) \w+|export default \{", line), (script.name, line)


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("accuracy", 0.9123, ["Accuracy", "91.2 %"]),
        ("exact", 1, ["Exact match", "100.0 %"]),
        ("iou", 0.5, ["IoU", "0.50"]),
        ("r2", -1.25, ["R²", "−1.25"]),
        ("r2", None, ["R²", "–"]),
    ],
)
def test_a_metric_is_named_and_written_as_its_field_does(harness, metric, value, words):
    assert call(harness, "common/metric_words.js", "metricName", metric) == words[0]
    assert call(harness, "common/metric_words.js", "metricWord", value, metric) == words[1]


SIGNALS = {"state_max": [1, 2.5, 7e4, 8e4], "state_zeros": [0, 0.375, 0.5, None], "state_dead": [0, 0, 0.0625, None]}
STACK = {"layers": [{"k": 1}, {"k": 2}, {"k": 3}], "skips": [{"target": 2}]}


def test_a_states_zeros_dead_units_and_largest_magnitude_are_said_and_where_float16_would_end_first(harness):
    words = "common/signal_words.js"
    assert call(harness, words, "signalLines", SIGNALS, 0, "its elements") == ["largest magnitude 1"]
    owner = call(harness, words, "stateOwner", STACK, STACK["layers"][0])
    assert call(harness, words, "signalLines", SIGNALS, 1, owner) == ["38 % of its outputs are exactly 0", "largest magnitude 2.5"]
    owner = call(harness, words, "stateOwner", STACK, STACK["layers"][1])
    assert call(harness, words, "signalLines", SIGNALS, 2, owner) == [
        "50 % of the elements of h(2) are exactly 0; dead units, 0 for the whole batch: 6 %",
        "largest magnitude 7.0·10⁴: would overflow float16, which ends at 65,504",
    ]
    sentence = "f(2) would overflow float16, so the network has to be computed in float32 or bfloat16."
    assert call(harness, words, "overflowWords", SIGNALS, STACK) == sentence
    assert call(harness, words, "overflowWords", {"state_max": [9e4, 1, None]}, STACK) == ""
    for without in (None, {"state_rms": [1]}):  # a frame of a run that is older than this
        assert call(harness, words, "signalLines", without, 1, "its outputs") == []
        assert call(harness, words, "overflowWords", without, STACK) == ""


MARKED = {
    "weight_grad": [0, 0, 2e-9, 0, 0.5], "weight_grad_mean": [0, 0, 1e-10, 0, 0.01], "state_grad_mean": [0],
    "underflow": {"weight_grad": [0]}, "blocked": {"weight_grad": [1]}, "rounding": {"weight_grad": [2]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("index", "number", "sentence"),
    [
        (0, "< 10⁻³⁸", "Underflow: a path leads to the loss, but float32 ends at 10⁻³⁸"),
        (1, "0, blocked", "Blocked: a path leads to the loss, but its units are off or saturated, or a factor on it is 0"),
        (2, "≈ 2.0·10⁻⁹", "Rounding: its parts cancel, and this is the error of adding them"),
        (3, "0", "No path: nothing in force leads from here to the loss"),
        (4, "0.5", ""),
    ],
)
def test_a_number_that_misleads_says_so_beside_bars_and_in_its_tip(harness, index, number, sentence):
    words = "common/gradient_words.js"
    assert call(harness, words, "gradientAt", MARKED, "weight_grad", index) == number
    assert call(harness, words, "markSentence", MARKED, "weight_grad", index) == sentence
    assert call(harness, words, "gradientMark", MARKED, "weight_grad_mean", index) == call(
        harness, words, "gradientMark", MARKED, "weight_grad", index
    )
    row = {"kind": "box", "y": 10, "h": 12, "layers": [index]}
    given = {"values": MARKED, "diagram": {"rows": [row], "states": []}, "options": {}}
    mark = call(harness, "plots/row_marks.js", "rowMarks", given)[0]
    said = call(harness, "plots/row_marks.js", "markSentences", mark, given, -7)
    assert said[0] == f"f({index + 1}): {number}"
    assert (sentence in said) == bool(sentence)
    assert ("The axis ends there: its bar stands for ≤ 10⁻⁷" in said) == (index == 2)


def test_a_frame_of_before_there_were_marks_says_nothing_of_a_zero(harness):
    assert call(harness, "common/gradient_words.js", "markSentence", {"weight_grad": [0]}, "weight_grad", 0) == ""


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"first_broken": "b"}, "f(2) is the first whose output is not finite"),
        ({"first_broken": "head"}, "The loss is not finite"),
        ({"nonfinite": ["weight_grad:a", "weight_grad:b"]}, "The gradient is not finite at f(2), the first on its way down"),
        ({"nonfinite": []}, ""),
    ],
)
def test_what_is_not_finite_before_the_first_step_is_named(harness, values, words):
    network = {"layers": [{"id": "a", "k": 1}, {"id": "b", "k": 2}]}
    assert call(harness, "common/gradient_words.js", "brokenWords", values, network).startswith(words)


def test_means_are_shown_of_weights_and_of_states(harness):
    options = {"measure": "mean", "quantity": "weight"}
    given = {"values": MARKED, "baseline": {"ghost": [1] * 5}, "before": MARKED, "options": options}
    values = call(harness, "plots/row_marks.js", "markValues", given)
    assert (values["now"], values["before"], values["baseline"]) == (MARKED["weight_grad_mean"],) * 2 + (None,)
    given["options"] = {**options, "quantity": "state"}
    assert call(harness, "plots/row_marks.js", "markValues", given)["now"] == [0]


def test_a_row_of_several_layers_says_which_zeros_it_stands_for(harness):
    row = {"kind": "collapsed", "id": "p1", "y": 10, "h": 90, "layers": [0, 2, 4], "label": ""}
    given = {"values": MARKED, "diagram": {"rows": [row], "states": [], "collapsed": []}, "options": {}}
    mark = call(harness, "plots/row_marks.js", "rowMarks", given)[0]
    said = call(harness, "plots/row_marks.js", "markSentences", mark, given, -7)
    assert said[1] == "smallest < 10⁻³⁸ at f(1), largest 0.5"
    assert "1 of 3: underflow, 1 of 3: rounding" in said


@pytest.mark.parametrize(
    ("hostname", "only_here"),
    [
        ("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("lab.localhost", True),
        ("192.168.1.20", False), ("skipviz.example.org", False), ("localhost.example.org", False),
    ],
)  # fmt: skip
def test_a_code_says_where_a_phone_cannot_reach_the_address(harness, hostname, only_here):
    words = call(harness, "sharing/reachable.js", "codeWords", hostname)
    assert words.startswith("A phone cannot reach this address" if only_here else "Point a phone at it.")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"kind": "decay", "weight_decay": 0.05}, ["weight decay 0.05", "decay", "λ"]),
        ({"kind": "rate", "learning_rate": 0.1}, ["rate 0.1", "rate", "η"]),
        ({"kind": "steps", "steps": 12000}, ["on to 12,000 steps", "steps", "»"]),
        ({"kind": "moved"}, ["on elsewhere, as its machine was gone", "moved", "↷"]),
    ],
)
def test_an_event_that_changes_the_training_has_its_words_mark_and_sign(harness, event, words):
    asked = [("eventWords", event, {}), ("eventMark", event), ("eventSign", event)]
    assert [call(harness, "common/event_words.js", *ask) for ask in asked] == words


HINT = """async ([network, watch]) => {
    const { createHints, isFact } = await import("/js/lab/hints.js");
    const data = { network: { skips: [{ id: "s1", source: 0, target: 2, merge: "add", boxes: [], on: true, strength: 1 }], ...network }, watch };
    const lines = createHints().lines({ dataset: { skip: "s1" } }, data, { skip_grad: [0.5], trunk_grad: [0.5] });
    return [lines.length - lines.filter(isFact).length, lines.filter(isFact).length, lines.at(-1).replace(/ · .*/, "")];
}"""  # noqa: E501


@pytest.mark.parametrize(
    ("network", "watch", "said"),
    [
        ({}, False, [1, 2, "Click: off"]),
        ({"opened": True}, False, [1, 2, "Click: off"]),
        ({"opened": True}, True, [0, 3, "Watching: make it mine to change it"]),
        ({"watched": True}, False, [0, 2, "gradient back through it 0.5, 50 % of the energy at h(0)"]),
    ],
)
def test_a_hint_ends_with_what_can_be_done_where_something_can_and_all_else_are_facts(harness, network, watch, said):
    assert harness.evaluate(HINT, [network, watch]) == said


WITHOUT_GRADIENT = """async ([kind, part]) => {
    const { createHints } = await import("/js/lab/hints.js");
    const one = { id: "x", k: 1, name: "x", source: 0, target: 1, boxes: [], on: true, strength: 1, parameters: 1, ...part };
    const network = { skips: [], edges: [], layers: [], branches: [], [kind]: [one] };
    const values = { skip_grad: [0], trunk_grad: [0], edge_grad: [0], weight_grad: [0], branch_grad: [0], state_grad_mean: [0] };
    const set = kind === "skips" || kind === "edges" ? { skip: "x" } : { layer: "x" };
    return createHints().lines({ dataset: set }, { network }, values).filter((line) => /^(No path|Off|Strength 0)/.test(line));
}"""
OFF = "it has no part in the forward or the backward pass"


@pytest.mark.parametrize("kind", ["skips", "edges", "layers", "branches"])
def test_a_hint_of_what_is_switched_off_says_so_where_a_path_lacks_else(harness, kind):
    assert harness.evaluate(WITHOUT_GRADIENT, [kind, {}]) == ["No path: nothing in force leads from here to the loss"]
    assert harness.evaluate(WITHOUT_GRADIENT, [kind, {"on": False}]) == [f"Off: {OFF}"]


@pytest.mark.parametrize(
    ("kind", "field", "more"),
    [("layers", "weight_grad", {}), ("branches", "branch_grad", {"beside": [0], "label": "a box"})],
)
def test_a_bar_of_what_is_switched_off_says_so_where_a_path_lacks_else(harness, kind, field, more):
    row = {"kind": "layer", "y": 10, "h": 12, "layers": [0], "label": "", **more}
    given = {
        "values": {"state_grad_mean": [0], "weight_grad": [1], field: [0]},
        "diagram": {"rows": [row], "states": [], "collapsed": []},
        "options": {"quantity": "weight"},
    }
    mark = call(harness, "plots/row_marks.js", "rowMarks", given)[0]
    for switched, words in [(True, "No path: nothing in force leads from here to the loss"), (False, f"Off: {OFF}")]:
        network = {"layers": [], "branches": [], kind: [{"on": switched}]}
        assert words in call(harness, "plots/row_marks.js", "markSentences", mark, {**given, "network": network}, -7)


@pytest.mark.parametrize("kind", ["skips", "edges"])
def test_a_fixed_strength_of_0_is_named_as_what_stops_a_gradient(harness, kind):
    assert harness.evaluate(WITHOUT_GRADIENT, [kind, {"strength": 0}]) == [f"Strength 0: {OFF}"]


def test_a_caption_of_a_module_leaves_out_what_is_not_known_of_it(harness):
    network = {"depth": 2, "skips_total": 0, "skips_on": 0, "note": "", "parameters": 1200}
    shown = {"data": {"network": network, "task": "own", "recipe": ""}, "store": {"frames": [], "events": []}, "frame": {"step": 3}}
    said = ["2 layers, no skips, 1,200 parameters.", "Task: own. step 3."]
    assert call(harness, "sharing/export_caption.js", "captionLines", shown) == said


@pytest.mark.parametrize("theme", THEMES)
def test_a_number_is_read_on_every_colour_of_a_ramp(harness, theme):
    for colour in ramp("bars", theme):
        assert contrast(call(harness, "common/contrast.js", "inkOn", colour), colour) >= 4.5, colour
