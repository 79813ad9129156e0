"""Plots whose numbers move: they end as plotly draws them anew, and plotly draws only what is not a number's move."""

import re

import pytest
from recorded_runs import recorded
from test_columns import columns_of, put_columns
from test_plots_in_browser import history, put, put_rows

from skipviz.drawing.claim_figures import claim_figure
from skipviz.network import edit

pytestmark = pytest.mark.browser

COUNT = """() => {
  const react = Plotly.react;
  window.drawings = 0;
  window.stopCounting = () => { Plotly.react = react; };
  Plotly.react = (...given) => { window.drawings += 1; return react(...given); };
}"""

MARKS = """async (kind) => {
  const round = (list) => list.map((value) => Math.round(value * 10) / 10);
  const place = (node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return round([x - left, y - top, width, height]);
  };
  const paths = (trace) => [...trace.querySelectorAll(".js-line, .js-fill")].map((node) => node.getAttribute("d"));
  const plot = document.querySelector(`#${kind} .js-plotly-plot`);
  const { x: left, y: top } = plot.getBoundingClientRect();
  const all = (selector, does) => [...plot.querySelectorAll(selector)].map(does);
  const bars = all(".point path, path.point", (node) => [place(node), node.style.fill]);
  const words = all(".textpoint text", (node) => [node.textContent, place(node), node.style.fill]);
  const lines = all(".scatterlayer .trace", paths);
  const pixels = await Promise.all(all(".hm image", async (node) => {
    const picture = Object.assign(new Image(), { src: node.href.baseVal });
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return [picture.width, picture.height, ...context.getImageData(0, 0, picture.width, picture.height).data];
  }));
  return { bars, words, lines, pixels, data: JSON.parse(JSON.stringify(plot.data)) };
}"""


@pytest.fixture
def counted(harness):
    """The harness, which counts how often plotly draws."""
    harness.evaluate(COUNT)
    yield harness
    harness.evaluate("() => stopCounting()")


def drawings(page) -> int:
    return page.evaluate("() => window.drawings")


def update(page, kind, changes):
    page.evaluate("([kind, changes]) => harness.plots[kind].update(changes)", [kind, changes])


def corners(lines: list[str]) -> set[tuple[float, ...]]:
    """Return all points of lines, wherever they begin anew."""
    found = (re.findall(r"[-\d.]+,[-\d.]+", line or "") for line in lines)
    return {tuple(round(float(part), 1) for part in point.split(",")) for line in found for point in line}


def check_as_drawn_anew(page, kind, again):
    """Check that the plot of `kind` looks as when plotly draws it at once, which `again` has it do."""
    moved = page.evaluate(MARKS, kind)
    page.evaluate("(kind) => { harness.plots[kind].destroy(); document.getElementById(kind).remove(); }", kind)
    again()
    drawn = page.evaluate(MARKS, kind)
    assert moved["data"] == drawn["data"]
    for part in ("bars", "words"):
        assert len(moved[part]) == len(drawn[part])
        for ours, theirs in zip(moved[part], drawn[part], strict=True):
            assert ours == [pytest.approx(one, abs=0.11) if isinstance(one, list) else one for one in theirs]
    assert len(moved["lines"]) == len(drawn["lines"])
    for ours, theirs in zip(moved["lines"], drawn["lines"], strict=True):
        # plotly leaves out what lies on the way, and we do not: each of its corners is one of ours, to a tenth of a px.
        lacking = [
            corner
            for corner in corners(theirs) - corners(ours)
            if not any(max(abs(a - b) for a, b in zip(corner, own, strict=True)) < 0.11 for own in corners(ours))
        ]
        assert not lacking
    for ours, theirs in zip(moved["pixels"], drawn["pixels"], strict=True):
        assert len(ours) == len(theirs)
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 3


def frames_of(residual=True, steps=12):
    header, frames, network = recorded("vanishing-plain", residual, steps)
    return header, frames[:-1], network  # the last has no update: its column goes, and plotly draws


def rows_changes(header, frame, options, baseline=None, before=None):
    own = frame["variants"]["network"]
    changes = {"values": own, "share": own, "update": own, "header": header, "frame": frame["step"], "options": options}
    return changes | {"baseline": baseline, "before": before}


@pytest.mark.parametrize("options", [{}, {"quantity": "state", "measure": "rms"}, {"scale": "relative"}])
@pytest.mark.parametrize("marked", [False, True])
def test_bars_that_moved_stand_as_drawn_anew(counted, options, marked):
    header, frames, network = frames_of()
    first = frames[0]["variants"]["network"]
    extra = {"baseline": {"ghost": first["weight_grad"], "ghost_state": first["state_grad"]}, "before": first} if marked else {}
    put_rows(counted, network)
    for frame in frames:
        update(counted, "rows", rows_changes(header, frame, options, **extra))
    # Without numbers, with them, and each further shape of a dot once.
    assert drawings(counted) <= 4

    def again():
        put_rows(counted, network)
        update(counted, "rows", rows_changes(header, frames[-1], options, **extra))

    check_as_drawn_anew(counted, "rows", again)


def test_bars_that_come_and_go_with_their_words_stand_as_drawn_anew(counted):
    header, frames, network = frames_of()
    own = frames[-1]["variants"]["network"]
    lists = [
        [0.1] * 24,
        [None, 1e-14, *[0.1] * 20, 123.0, 0.2],
        [0.0, 1e-13, *[0.1] * 10, 1e-13, *[0.3] * 9, None, 0.2],
        [0.2] * 24,
    ]
    several = [{"step": 3, "variants": {"network": {**own, "weight_grad": values}}} for values in lists]
    for end in (2, 3, 4):
        put_rows(counted, network)
        for frame in several[:end]:
            update(counted, "rows", rows_changes(header, frame, {}))

        def again(end=end):
            put_rows(counted, network)
            update(counted, "rows", rows_changes(header, several[end - 1], {}))

        check_as_drawn_anew(counted, "rows", again)
        counted.evaluate("() => harness.clear()")


def test_collapsed_groups_that_moved_stand_as_drawn_anew(counted):
    header, frames, network = recorded("residual-300", True, 4)
    put_rows(counted, network)
    for frame in frames[:-1]:
        update(counted, "rows", rows_changes(header, frame, {}))

    def again():
        put_rows(counted, network)
        update(counted, "rows", rows_changes(header, frames[-2], {}))

    check_as_drawn_anew(counted, "rows", again)


@pytest.mark.parametrize("count", [2, 3])
def test_bars_side_by_side_that_moved_stand_as_drawn_anew(counted, count):
    _, frames, network = frames_of()
    networks = [network, *[edit.switch_all(network, on=False)] * (count - 1)]
    later = [[frame["variants"]["network"]] * count for frame in frames]
    diagrams = put_columns(counted, networks, later[0], width=600)
    for values in later[1:]:
        update(counted, "columns", {"columns": columns_of(diagrams, networks, values)})
    assert drawings(counted) <= 4
    check_as_drawn_anew(counted, "columns", lambda: put_columns(counted, networks, later[-1], width=600))


@pytest.mark.parametrize("kind", ["heatmap", "loss", "total"])
def test_a_history_that_grew_is_drawn_as_at_once(counted, kind):
    _, frames, _ = frames_of()
    put(counted, kind, **history(frames[:3]))
    begun = drawings(counted)
    for end in range(4, len(frames) + 1):
        update(counted, kind, history(frames[:end]))
    assert drawings(counted) <= begun + (kind == "total")  # whose axis may grow
    check_as_drawn_anew(counted, kind, lambda: put(counted, kind, **history(frames)))


def test_what_is_no_number_has_plotly_draw_anew(counted):
    header, frames, network = frames_of()
    put_rows(counted, network)
    update(counted, "rows", rows_changes(header, frames[-1], {}))
    for changes in ({"theme": "dark"}, {"theme": "light"}, {"options": {"scale": "relative"}}):
        before = drawings(counted)
        update(counted, "rows", changes)
        update(counted, "rows", {})
        assert drawings(counted) == before + 1


def test_a_plot_that_finds_its_own_range_is_drawn_anew(counted):
    chart = {"kind": "line", "x": "depth", "y": "loss", "z": "", "log_x": False, "log_y": False}
    rows = [{"series": "plain", "x": x, "measured": measured} for x, measured in ((1, 0.1), (2, 0.2), (3, 90.0))]
    counted.evaluate("([figure, at]) => harness.make('claim', figure, null, at)", [claim_figure(), {"width": 500}])
    update(counted, "claim", {"chart": chart, "rows": rows[:2]})
    update(counted, "claim", {"rows": rows})
    low, high = counted.evaluate("() => document.querySelector('#claim .js-plotly-plot')._fullLayout.yaxis.range")
    assert low < 0.1 < 90 < high


def test_ticks_beside_hollow_bars_keep_their_edge(harness):
    header, frames, network = frames_of()
    first = frames[0]["variants"]["network"]
    put_rows(harness, network)
    update(harness, "rows", rows_changes(header, frames[-1], {}, baseline={"ghost": first["weight_grad"]}, before=first))
    scatters = (
        "() => document.querySelector('#rows .js-plotly-plot').data.filter((t) => t.type === 'scatter' && t.y?.length).length"
    )
    assert harness.locator("#rows .scatterlayer .trace").count() == harness.evaluate(scatters)
