"""The plots in a real browser: where marks stand, what they say, how they keep their axes."""

import math
from itertools import pairwise

import pytest
from playwright.sync_api import expect
from recorded_runs import recorded

from skipviz.drawing import colours, page_figures
from skipviz.drawing.diagram import draw
from skipviz.drawing.network_data import network_data
from skipviz.evidence.theory import predicted
from skipviz.network import families

pytestmark = pytest.mark.browser

RAMPS = {theme: colours.to_data(theme)["ramps"] for theme in colours.THEMES}


def put_rows(page, network, *, width=520, kind="lab", theme="light", shadow=False, **drawing):
    height = {"height": 688} if kind == "lab" else {}
    diagram = draw(network, page=kind, **height, **drawing).to_data()
    at = {"width": width, "diagram": diagram, "theme": theme, "shadow": shadow}
    page.evaluate("([f, r, at]) => harness.make('rows', f, r, at)", [page_figures.figures(kind)["rows"], RAMPS, at])
    return diagram


def show(page, header, frame, variant="network", **more):
    values = frame["variants"][variant]
    fields = {"values": values, "share": values, "update": values, "header": header, "frame": frame["step"], "options": {}}
    page.evaluate("(changes) => harness.plots.rows.update(changes)", fields | more)


RECTANGLES = """(selector) => [...document.querySelectorAll(selector)].map((node) => {
  const { left, top, width, height } = node.getBoundingClientRect();
  return [left, top, width, height];
})"""


def boxes(page, selector):
    return page.evaluate(RECTANGLES, selector)


def centres(page, selector):
    return [top + height / 2 for _, top, _, height in boxes(page, selector)]


def test_bars_stand_within_a_quarter_pixel_of_their_boxes(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    faces = sorted(centres(harness, "svg [data-layer] .face"))
    bars = sorted(centres(harness, "#rows .subplot.xy .trace.bars .point path"))
    assert len(bars) == len(faces) == 24
    assert max(abs(a - b) for a, b in zip(bars, faces, strict=True)) <= 0.25


def test_share_bars_stand_at_the_forks(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    diagram = put_rows(harness, network)
    show(harness, header, frames[-1])
    top = boxes(harness, "#rows .main-svg")[0][1]
    bars = sorted({round(y - top, 2) for y in centres(harness, "#rows .subplot.x2y .trace.bars .point path")})
    forks = sorted(fork["y"] for fork in diagram["forks"])
    assert bars == pytest.approx(forks, abs=0.25)


def test_state_bars_stand_in_the_gaps(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    diagram = put_rows(harness, network)
    show(harness, header, frames[-1], options={"quantity": "state"})
    top = boxes(harness, "#rows .main-svg")[0][1]
    bars = sorted(y - top for y in centres(harness, "#rows .subplot.xy .trace.bars .point path"))
    assert bars == pytest.approx(sorted(state["y"] for state in diagram["states"]), abs=0.25)


def test_ranks_that_hold_boxes_of_branches_alone_have_bars_of_their_norms(harness):
    network = families.transformer(depth=1, encoder=1, width=8, heads=2, vocabulary=10, input=(8,), head=10)
    diagram = put_rows(harness, network)
    shapes = network.shapes
    values = {
        "weight_grad": [0.1 if shape.parameters else None for shape in shapes.layers],
        "branch_grad": [0.01 if shape.parameters else None for shape in shapes.branches],
    }
    frame = {"variants": {"network": values}, "step": 0}
    weighted = {"box": shapes.layers, "beside": shapes.branches}
    rows = {
        kind: [row["y"] for row in diagram["rows"] if row["kind"] == kind and any(known[k].parameters for k in row[parts])]
        for (kind, known), parts in zip(weighted.items(), ("layers", "beside"), strict=True)
    }
    assert len(rows["beside"]) == 5  # three of the encoder's boxes stand at ranks of the decoder's
    wanted = rows["box"] + rows["beside"]
    counts = {"weight_count": [4] * network.depth, "branch_count": [4] * len(network.branches)}
    for options in ({}, {"measure": "rms"}, {"scale": "relative"}):
        show(harness, {"variants": {"network": counts}}, frame, options=options)
        top = boxes(harness, "#rows .main-svg")[0][1]
        bars = sorted(y - top for y in centres(harness, "#rows .subplot.xy .trace.bars .point path"))
        assert bars == pytest.approx(sorted(wanted), abs=0.25)


def test_the_axis_does_not_move_when_gradients_jump(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    before = boxes(harness, "#rows .xtick text")
    huge = {"variants": {"network": {**frames[-1]["variants"]["network"], "weight_grad": [1e9] * 24}}, "step": 9}
    show(harness, header, huge)
    assert boxes(harness, "#rows .xtick text") == before


def test_a_gradient_above_the_axis_is_amber_and_written_out(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    values = {**frames[-1]["variants"]["network"], "weight_grad": [0.1] * 12 + [123.0] + [0.1] * 11}
    show(harness, header, {"variants": {"network": values}, "step": 9})
    assert harness.locator("#rows .textpoint", has_text="123").count() == 1
    fills = harness.evaluate("() => [...document.querySelectorAll('#rows .subplot.xy .trace.bars path')].map((n) => n.style.fill)")
    assert fills.count("rgb(198, 119, 0)") == 1


def test_exact_zeros_are_marked_at_the_foot(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    values = {**frames[-1]["variants"]["network"], "weight_grad": [0.1] * 12 + [0.0] + [0.1] * 11}
    show(harness, header, {"variants": {"network": values}, "step": 9})
    zero = harness.evaluate("() => [...document.querySelectorAll('#rows .textpoint')].filter((n) => n.textContent === '0').length")
    assert zero == 1


def test_layers_without_parameters_have_no_bar(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    values = {**frames[-1]["variants"]["network"], "weight_grad": [None, *[0.1] * 23]}
    show(harness, header, {"variants": {"network": values}, "step": 9})
    assert len(boxes(harness, "#rows .subplot.xy .trace.bars .point path")) == 23


def test_the_outermost_bars_have_their_numbers_written_where_a_layer_without_parameters_comes_after(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    values = {**frames[-1]["variants"]["network"], "weight_grad": [None, 0.125, *[0.1] * 20, 0.25, None]}
    show(harness, header, {"variants": {"network": values}, "step": 9})
    assert sorted(harness.locator("#rows .textpoint").all_text_contents()) == ["0.125", "0.25"]


def test_hollow_bars_are_outlined_where_the_baseline_ends(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    without = harness.locator("#rows .scatterlayer .trace").count()
    show(harness, header, frames[-1], baseline=frames[-1]["variants"]["network"])
    assert harness.locator("#rows .scatterlayer .trace").count() == without + 2


def test_a_collapsed_group_says_smallest_median_and_largest(harness):
    header, frames, network = recorded("residual-300", True, 1)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    words = " ".join(harness.locator("#rows .textpoint").all_text_contents())
    assert "smallest" in words
    assert "median" in words
    assert "largest" in words


def test_columns_give_way_when_there_is_no_room(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network, width=150)
    show(harness, header, frames[-1])
    assert len(boxes(harness, "#rows .subplot.xy .trace.bars .point path")) == 24
    assert boxes(harness, "#rows .subplot.x2y .trace.bars .point path") == []
    assert boxes(harness, "#rows .x2tick text") == []


def test_a_plot_follows_its_column_when_that_grows(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network, width=300)
    show(harness, header, frames[-1])
    narrow = boxes(harness, "#rows .main-svg")[0][2]
    harness.evaluate("() => { document.querySelector('#rows').style.width = '520px'; }")
    harness.wait_for_function(
        "(width) => document.querySelector('#rows .main-svg').getBoundingClientRect().width > width", arg=narrow
    )
    assert boxes(harness, "#rows .main-svg")[0][2] == narrow + 220


def test_a_destroyed_plot_leaves_nothing(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    harness.evaluate("() => harness.plots.rows.destroy()")
    assert harness.evaluate("() => document.querySelector('#rows').childElementCount") == 0


def test_plots_taken_away_or_made_anew_at_any_moment_of_their_drawing_leave_no_error_and_nothing_behind(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    values = frames[-1]["variants"]["network"]
    at = {"width": 348, "theme": "light", "diagram": draw(network, page="lab", height=688).to_data()}
    picture = {"header": header, "picture": values["picture"]}
    rows = {"values": values, "header": header, "frame": 0, "options": {}}
    changes = {"rows": rows, "heatmap": history(frames), "loss": history(frames), "picture": picture}
    left = harness.evaluate(
        """async ([figures, ramps, at, changes]) => {
            const late = [];
            window.addEventListener("unhandledrejection", (event) => late.push(String(event.reason)), { once: true });
            for (let turn = 0; turn < 24; turn += 1) {
                for (const kind of Object.keys(changes)) harness.make(kind, figures[kind], ramps, at);
                for (const [kind, change] of Object.entries(changes)) harness.plots[kind].update(change);
                const plots = Object.values(harness.plots);
                for (let later = 0; later < turn % 12; later += 1) await null;
                for (const [kind, change] of Object.entries(changes)) harness.plots[kind].update({ ...change, theme: "dark" });
                harness.clear();
                for (const plot of plots) plot.update({ theme: "light" });
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
            return [...late, document.querySelectorAll(".js-plotly-plot").length];
        }""",
        [page_figures.figures("lab"), RAMPS, at, changes],
    )
    assert left == [0]


def test_axes_stand_before_anything_is_measured(harness):
    _, _, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    harness.evaluate("() => harness.plots.rows.update({ values: null, share: null, update: null, options: {} })")
    assert len(boxes(harness, "#rows .xtick text")) >= 4


def test_plots_work_inside_a_shadow_root(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network, shadow=True)
    show(harness, header, frames[-1])
    assert harness.locator("#rows .main-svg").first.evaluate("(node) => getComputedStyle(node).position") == "absolute"


def test_a_row_says_what_its_number_is_under_the_pointer(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    left, top, width, height = boxes(harness, "#rows .subplot.xy .trace.bars .point path")[0]
    harness.mouse.move(left + width / 2, top + height / 2)
    words = harness.locator("[role=tooltip]")
    expect(words).to_contain_text("f(24)")
    expect(words).to_contain_text("batch of 64")


def test_the_theme_changes_colours_and_nothing_else(harness):
    header, frames, network = recorded("vanishing-plain", True, 3)
    put_rows(harness, network)
    show(harness, header, frames[-1])
    light = boxes(harness, "#rows .subplot.xy .trace.bars .point path")
    colour = "() => document.querySelector('#rows .trace.bars path').style.fill"
    before = harness.evaluate(colour)
    harness.evaluate("() => harness.plots.rows.update({ theme: 'dark' })")
    assert boxes(harness, "#rows .subplot.xy .trace.bars .point path") == light
    assert harness.evaluate(colour) != before


def put(page, kind, width=348, **changes):
    page.evaluate(
        "([k, f, r, at]) => harness.make(k, f, r, at)", [kind, page_figures.figures("lab")[kind], RAMPS, {"width": width}]
    )
    page.evaluate("([k, changes]) => harness.plots[k].update(changes)", [kind, changes])


def history(frames, **more):
    return {
        "frames": frames,
        "variant": "network",
        "layerCount": 24,
        "steps": 500,
        "cursor": frames[-1]["step"],
        "events": [],
        **more,
    }


def test_columns_of_heatmap_and_loss_are_the_same_steps(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    put(harness, "heatmap", **history(frames))
    put(harness, "loss", **history(frames))

    ticks = [[left + width / 2 for left, _, width, _ in boxes(harness, f"#{kind} .xtick text")] for kind in ("heatmap", "loss")]
    origin = [boxes(harness, f"#{kind}")[0][0] for kind in ("heatmap", "loss")]
    assert [x - origin[0] for x in ticks[0]] == pytest.approx([x - origin[1] for x in ticks[1]], abs=0.5)


def test_the_heatmap_keeps_its_colours_when_a_gradient_explodes(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    put(harness, "heatmap", **history(frames))
    scale = "() => { const t = document.querySelector('#heatmap .js-plotly-plot').data[0]; return [t.zmin, t.zmax]; }"
    before = harness.evaluate(scale)
    frames = [*frames, {"step": 9, "variants": {"network": {"weight_grad": [1e12] * 24, "loss": 0.7, "metric": 0.5}}}]
    harness.evaluate("(frames) => harness.plots.heatmap.update({ frames })", frames)
    assert harness.evaluate(scale) == before


def test_a_press_on_the_heatmap_goes_to_that_step(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    put(harness, "heatmap", **history(frames))
    left, top, _, _ = boxes(harness, "#heatmap")[0]
    harness.mouse.click(left + 38 + (348 - 58) / 2, top + 80)
    assert harness.evaluate("() => harness.seeks") == [250]


def test_a_cell_of_the_heatmap_says_of_a_layer_that_was_off_at_its_step_that_it_has_no_part(harness):
    steps = [{"step": step, "variants": {"network": {"weight_grad": [0, 1], "state_grad_mean": [1, 1, 1]}}} for step in (0, 1)]
    put(harness, "heatmap", **history(steps, layerCount=2, steps=1))
    harness.evaluate(
        "() => harness.plots.heatmap.update({ networkAt: ({ step }) => ({ layers: [{ on: step === 0 }, { on: true }] }) })"
    )
    left, top, width, height = boxes(harness, "#heatmap .plotly .bglayer rect, #heatmap .nsewdrag")[0]
    for share, words in [(0.2, "No path"), (0.8, "Off: it has no part")]:
        harness.mouse.move(left + share * width, top + 0.75 * height)
        expect(harness.locator("[role=tooltip]")).to_contain_text(words)


def test_new_frames_are_added_to_the_heatmap_as_if_drawn_at_once(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    cells = "() => document.querySelector('#heatmap .js-plotly-plot').data[0].z"
    put(harness, "heatmap", **history(frames))
    whole = harness.evaluate(cells)
    harness.evaluate("() => { harness.plots.heatmap.destroy(); document.querySelector('#heatmap').remove(); }")
    put(harness, "heatmap", **history(frames[:2]))
    harness.evaluate("(frames) => harness.plots.heatmap.update({ frames })", frames)
    assert harness.evaluate(cells) == whole


def test_the_loss_axis_grows_in_steps_and_never_shrinks(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    put(harness, "loss", **history(frames))
    top = "() => document.querySelector('#loss .js-plotly-plot').layout.yaxis.range[1]"
    assert harness.evaluate(top) == 1
    high = [{"step": 10 + k, "variants": {"network": {"loss": 2.4, "metric": 0.5}}} for k in range(60)]
    low = [{"step": 100 + k, "variants": {"network": {"loss": 0.1, "metric": 0.5}}} for k in range(60)]
    harness.evaluate("(frames) => harness.plots.loss.update({ frames: window.run = frames })", [*frames, *high])
    assert harness.evaluate(top) == 3
    harness.evaluate("(more) => harness.plots.loss.update({ frames: [...window.run, ...more] })", low)
    assert harness.evaluate(top) == 3


def test_an_exported_legend_names_the_metric_where_all_networks_have_the_same(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    put(harness, "metrics", **history(frames, metric="r2", others=[{"frames": frames, "variant": "network", "metric": "r2"}]))
    said = "() => document.querySelector('#metrics .js-plotly-plot').layout.meta.legend[0][2]"
    assert harness.evaluate(said) == "R², held out, A"
    others = [{"frames": frames, "variant": "network", "metric": "accuracy"}]
    harness.evaluate("(others) => harness.plots.metrics.update({ others })", others)
    assert harness.evaluate(said) == "metric, held out, A"


def test_the_threshold_of_clipping_is_a_line_that_events_move(harness):
    _, frames, _ = recorded("vanishing-plain", True, 3)
    events = [{"step": 100, "event": {"kind": "clip", "clip_norm": 0.01}}, {"step": 300, "event": {"kind": "clip"}}]
    put(harness, "total", **history(frames, training={"clip_norm": 10}, events=events))
    lines = "() => document.querySelector('#total .js-plotly-plot').data.map(({ x, y }) => ({ x, y }))"
    threshold, total = harness.evaluate(lines)[:2]
    assert threshold == {"x": [0, 100, None, 100, 300, None], "y": [1, 1, None, -2, -2, None]}
    wanted = [math.log10(frame["variants"]["network"]["total_grad"]) for frame in frames]
    assert total["x"] == [frame["step"] for frame in frames]
    assert total["y"] == pytest.approx(wanted, rel=1e-4)


def test_the_map_of_a_few_strengths_names_every_state_apart(harness):
    network = families.transformer(depth=4, width=8, heads=2, averaged=True, input=(8, 8))
    put(harness, "strengths", width=348, network=network_data(network))
    learned = [skip for skip in network.skips if skip.learned]
    names = harness.locator("#strengths .xtick text").all_text_contents()
    assert names == [f"h({k})" for k in sorted({skip.source for skip in learned})]
    places = sorted((left, width) for left, _, width, _ in boxes(harness, "#strengths .xtick text"))
    assert all(left + width < other for (left, width), (other, _) in pairwise(places))


def test_the_decision_boundary_says_itself_in_a_sentence(harness):
    header, frames, _ = recorded("vanishing-plain", True, 3)
    put(harness, "picture", header=header, picture=frames[-1]["variants"]["network"]["picture"])
    sentence = harness.locator("#picture [role=img]").first.get_attribute("aria-label")
    assert sentence.startswith("Decision boundary over 1000 points of two classes: class 1 is likelier on ")


def test_misread_digits_are_counted_and_named(harness):
    header, frames, _ = recorded("figure-4-9-left", False, 1)
    picture = {**frames[-1]["variants"]["left"]["picture"]}
    picture["predicted"] = [*picture["label"][1:], picture["label"][-1]]
    wrong = sum(a != b for a, b in zip(picture["predicted"], picture["label"], strict=True))
    put(harness, "picture", header=header, picture=picture)
    sentence = harness.locator("#picture [role=img]").get_attribute("aria-label")
    assert f"{24 - wrong} read correctly, {wrong} wrongly" in sentence


def test_masks_say_how_well_they_overlap(harness):
    from base64 import b64encode

    half, undecided = bytes([255] * 512 + [0] * 512), bytes([128] * 1024)
    masks = {"kind": "masks", "size": [32, 32], "count": 2, "images": b64encode(half * 2).decode(), "dice": [0.6667, 0]}
    masks |= {"truth": b64encode(half * 2).decode(), "predicted": b64encode(half + undecided).decode()}
    put(harness, "picture", header={"picture": "masks"}, picture=masks)
    words = harness.locator("#picture").inner_text()
    assert "IoU 0.50, 0.00" in words
    assert "Dice 0.67, 0.00" in words
    assert "overlap by 50 %, 0 %" in harness.locator("#picture [role=img]").get_attribute("aria-label")


@pytest.mark.parametrize("counts", [[980, 20], [30, 20]], ids=["unequal", "equal enough"])
def test_a_table_of_mix_ups_says_what_an_accuracy_hides_where_classes_are_unequal(harness, counts):
    header = {"picture": "confusion", "classes": ["often", "rare"], "class_counts": counts}
    put(harness, "picture", header=header, picture={"kind": "confusion", "size": [2, 2], "counts": [98, 0, 2, 0]})
    words = harness.locator("#picture").inner_text()
    assert "98 of 100 right" in words
    said = ["50.0 % balanced: every class counts the same", "rare: 0 of 2", "often: 98 of 98"]
    assert [line in words for line in said] == [counts[0] > 1.5 * counts[1]] * 3


def test_a_written_text_is_shown_as_text_whatever_it_holds(harness):
    sample = "<b>Alice</b>\n<img src=x onerror=alert(1)> &amp; so on"
    put(harness, "picture", header={"picture": "text"}, picture={"kind": "text", "sample": sample})
    assert sample in harness.evaluate("() => document.querySelector('#picture [role=img]').textContent")
    assert harness.locator("#picture b, #picture img").count() == 0
    assert "The network writes: <b>Alice" in harness.locator("#picture [role=img]").get_attribute("aria-label")


def test_a_fitted_curve_says_between_what_it_runs(harness):
    header = {"picture": "curve", "points": {"x": [0, 0.5, 1], "y": [0, 1, -1], "held_out": [0, 1, 0]}}
    put(harness, "picture", header=header, picture={"kind": "curve", "extent": [0, 1, -1, 1], "fitted": [-1.5, 0, 0.25]})
    sentence = harness.locator("#picture [role=img]").get_attribute("aria-label")
    assert sentence == "Curve: 3 points; the network's curve runs between −1.50 and 0.25."


@pytest.mark.parametrize("attention", [False, True])
def test_sequences_say_which_tokens_are_right(harness, attention):
    from base64 import b64encode

    truth = [[1, 2, 3, 4], [4, 3, 2, 1]]
    picture = {"kind": "sequences", "size": [2, 4], "tokens": 10, "given": truth, "truth": truth}
    picture["predicted"] = [[1, 2, 3, 4], [4, 3, 2, 2]]
    if attention:
        picture |= {"layer": "f3", "heads": 5, "attention": b64encode(bytes(range(80))).decode()}
    put(harness, "picture", header={"picture": "sequences"}, picture=picture)
    sentence = harness.locator("#picture [role=img]").get_attribute("aria-label")
    assert sentence == "2 held-out sequences: 1 given without a mistake, 7 of 8 tokens right."


@pytest.mark.parametrize(("more", "words"), [({}, "given, wanted, predicted"), ({"source": True}, "source, target, predicted")])
def test_the_rows_of_sequences_are_named_by_where_they_come_from(harness, more, words):
    rows = [[1, 2], [3, 4]]
    picture = {"kind": "sequences", "size": [2, 2], "tokens": 10, "given": rows, "truth": rows, "predicted": rows, **more}
    put(harness, "picture", header={"picture": "sequences"}, picture=picture)
    assert f"Held-out, three rows each: {words}" in harness.text_content("body")


@pytest.mark.parametrize("width", [150, 348])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["heatmap", "loss", "total", "picture"])
def test_a_plot_stays_inside_its_column(harness, kind, theme, width):
    header, frames, _ = recorded("vanishing-plain", True, 3)
    picture = frames[-1]["variants"]["network"]["picture"]
    put(harness, kind, width=width, theme=theme, header=header, picture=picture, **history(frames))
    left, _, _, _ = boxes(harness, f"#{kind}")[0]
    assert all(
        x >= left - 0.5 and x + w <= left + width + 0.5 for x, _, w, _ in boxes(harness, f"#{kind} .main-svg, #{kind} canvas")
    )


def test_what_theory_predicts_is_a_dashed_line_over_the_bars_of_states_from_the_last_states_own_gradient(harness):
    header, frames, network = recorded("vanishing-plain", False, 3)
    put_rows(harness, network)
    theory = [factor and round(factor, 12) for factor in predicted(network).gradients]
    assert len(theory) == 25
    show(harness, header, frames[0], options={"quantity": "state"}, theory=theory)
    traces = "() => document.querySelector('#rows .js-plotly-plot').data.map(({ meta, x }) => [meta, x])"
    line = [x for x in dict(harness.evaluate(traces))["theory"] if x is not None]
    last = frames[0]["variants"]["network"]["state_grad"][-1]
    assert sorted(line) == pytest.approx(sorted(math.log10(factor * last) for factor in theory if factor), abs=1e-6)
    show(harness, header, frames[0], options={"quantity": "weight"}, theory=theory)
    assert "theory" not in dict(harness.evaluate(traces))
