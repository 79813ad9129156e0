"""The bars of several networks in a real browser, and what stands beside them: share at fork, update ÷ weight, theory."""

import math

import pytest
from recorded_runs import recorded
from test_plots_in_browser import RAMPS

from skipviz.drawing import aligned, page_figures
from skipviz.drawing.network_data import network_data
from skipviz.evidence.theory import predicted
from skipviz.network import edit, families

pytestmark = pytest.mark.browser

TRACES = """() => Object.fromEntries(
    document.querySelector('#columns .js-plotly-plot').data.map(({ meta, ...trace }) => [meta, trace]),
)"""


def put_columns(page, networks, frames, *, width=400, theory=False, options=None, theme="light"):
    """Draw `networks` side by side, each with its own frame's values; return their diagrams."""
    diagrams = [one.to_data() for one in aligned.draw(networks, height=660)]
    figure = page_figures.figures("lab")["columns"]
    page.evaluate("([f, r, at]) => harness.make('columns', f, r, at)", [figure, RAMPS, {"width": width, "theme": theme}])
    columns = columns_of(diagrams, networks, frames, theory=theory)
    page.evaluate("(changes) => harness.plots.columns.update(changes)", {"columns": columns, "options": options or {}, "frame": 0})
    return diagrams


def columns_of(diagrams, networks, frames, theory=False) -> list[dict]:
    """Return what the plot is told of each network."""
    return [
        {
            "letter": letter,
            "name": letter.lower(),
            "variant": letter.lower(),
            "diagram": diagram,
            "values": frame,
            "theory": list(predicted(network).gradients) if theory else None,
        }
        for letter, diagram, frame, network in zip("ABCD", diagrams, frames, networks, strict=False)
    ]


def measured(residual: bool) -> tuple:
    """Return a network of 24 layers, with its skips on or off, and its part of a frame."""
    _, frames, network = recorded("vanishing-plain", residual, 3)
    return network, frames[-2]["variants"]["network"]


def test_each_networks_share_and_update_stand_in_the_rows_of_the_bars_as_they_are_measured(harness):
    (first, shown), (other, values) = measured(True), measured(False)
    diagrams = put_columns(harness, [first, other], [shown, values])
    traces = harness.evaluate(TRACES)
    for index, (diagram, frame) in enumerate(zip(diagrams, (shown, values), strict=True)):
        shares = traces[f"share {index}"]
        drawn = dict(zip(shares["y"][::2], shares["x"][::2], strict=True))
        assert len(drawn) == len(diagram["forks"])
        for fork in diagram["forks"]:
            skip = math.hypot(*(frame["skip_grad"][part] or 0 for part in fork["skips"]))
            trunk = math.hypot(*(frame["trunk_grad"][part] or 0 for part in fork["trunk"]))
            near = min(drawn, key=lambda y, fork=fork: abs(y - fork["y"]))
            assert abs(near - fork["y"]) < 8
            assert drawn[near] == pytest.approx(skip**2 / (skip**2 + trunk**2), abs=1e-9)
        update = traces[f"update {index}"]
        rows = [row for row in diagram["rows"] if row["kind"] == "box"]
        assert len(update["y"]) == len(rows)
        for x, y, row in zip(update["x"], update["y"], rows, strict=True):
            assert abs(y - row["y"]) < row["h"] / 2
            assert x == pytest.approx(max(-5.8, math.log10(frame["update_ratio"][row["layers"][0]])), abs=1e-6)
    assert len({colour for index in (0, 1) for colour in traces[f"update {index}"]["marker"]["color"]}) == 2


@pytest.mark.parametrize(("width", "there"), [(400, ["share", "update"]), (315, ["share"]), (250, [])])
def test_columns_that_would_leave_the_bars_of_two_networks_no_room_are_left_out(harness, width, there):
    (first, shown), (other, values) = measured(True), measured(False)
    put_columns(harness, [first, other], [shown, values], width=width)
    areas = harness.evaluate("() => harness.plots.columns.areas()")
    assert [name for name in ("share", "update") if name in areas] == there
    traces = harness.evaluate(TRACES)
    assert [name for name in ("share", "update") if traces.get(f"{name} 0", {}).get("y")] == there
    harness.evaluate("() => harness.plots.columns.update({ bare: true })")  # as on a phone
    assert set(harness.evaluate("() => harness.plots.columns.areas()")).isdisjoint({"share", "update"})


def test_what_is_predicted_of_each_network_is_a_dashed_line_of_its_own_colour_from_its_own_last_state(harness):
    plain, values = measured(False)
    wide = edit.set_layers(plain, [layer.id for layer in plain.layers], init="he")
    put_columns(harness, [plain, wide], [values, values], theory=True, options={"quantity": "state"})
    traces = harness.evaluate(TRACES)
    for index, network in enumerate((plain, wide)):
        line = traces[f"theory {index}"]
        expected = [math.log10(factor * values["state_grad"][-1]) + 12 for factor in predicted(network).gradients if factor]
        drawn = [x for x in line["x"] if x is not None]
        assert sorted(drawn) == pytest.approx(sorted((-1, 1)[index] * max(0, x) for x in expected), abs=1e-6)
    assert traces["theory 0"]["line"]["color"] != traces["theory 1"]["line"]["color"]
    harness.evaluate("() => harness.plots.columns.update({ options: { quantity: 'weight' } })")
    assert not [name for name, trace in harness.evaluate(TRACES).items() if name.startswith("theory") and trace.get("y")]


def test_the_tip_in_the_columns_says_every_networks_number(harness):
    (first, shown), (other, values) = measured(True), measured(False)
    diagrams = put_columns(harness, [first, other], [shown, values])
    areas = harness.evaluate("() => harness.plots.columns.areas()")
    box = harness.locator("#columns .sv-plot").bounding_box()
    row = next(row for row in diagrams[0]["rows"] if row["kind"] == "box" and row["layers"] == [4])
    harness.mouse.move(box["x"] + areas["update"]["x"] + 20, box["y"] + row["y"])
    tip = harness.locator("#columns").inner_text()
    assert "A: f(5):" in tip
    assert "B: f(5):" in tip
    fork = diagrams[0]["forks"][2]
    harness.mouse.move(box["x"] + areas["share"]["x"] + 20, box["y"] + fork["y"])
    tip = harness.locator("#columns").inner_text()
    assert "through the skip" in tip
    assert tip.count("through the trunk") >= 2


def rows_of(network, skip_places):
    """Return as the page has it a network and its drawing of a comparison."""
    drawn = aligned.draw([network, network], height=660)[0].to_data()
    return network_data(network), drawn, [row for row in drawn["rows"] if set(row["skips"]) & set(skip_places)]


def test_the_rows_of_parts_that_are_switched_apart_are_those_where_they_stand_or_land(harness):
    network = families.mlp(depth=6, width=8, skip_every=2)
    name = network.skips[1].id
    page, drawn, joints = rows_of(network, [1])
    other = network_data(edit.set_layer(edit.set_skips(network, [name], on=False), "f5", gain=0.0))
    apart = harness.evaluate(
        "async ([a, b]) => [...(await import('/js/diagram/unlike_rows.js')).switchedApart([a, b])].sort()", [page, other]
    )
    assert apart == sorted([name, "f5"])
    rows = harness.evaluate(
        "async ([d, n, ids]) => (await import('/js/diagram/unlike_rows.js')).unlikeRows(d, n, new Set(ids))", [drawn, page, apart]
    )
    layer = next(row for row in drawn["rows"] if "f5" in row["ids"])
    assert [row["id"] for row in rows] == [row["id"] for row in sorted([layer, *joints], key=lambda row: row["y"])]
    concat = edit.set_skips(network, [name], merge="concat")
    page, drawn, _ = rows_of(concat, [])
    rows = harness.evaluate(
        "async ([d, n, ids]) => (await import('/js/diagram/unlike_rows.js')).unlikeRows(d, n, new Set(ids))", [drawn, page, [name]]
    )
    assert len(rows) == 1
