"""Plots whose numbers move: they end as plotly draws them anew, and plotly draws only what is not a number's move."""

import base64
import math
import re

import numpy as np
import pytest
from recorded_runs import recorded
from test_columns import columns_of, put_columns
from test_plots_in_browser import history, put, put_rows

from skipviz.drawing.claim_figures import claim_figure
from skipviz.drawing.diagram import draw
from skipviz.network import edit, families

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
  // Marks of one colour may be one path: what each of them encloses.
  const marks = (node) => (node.getAttribute("d").match(/M[^M]+/g) ?? []).map((outline) => {
    const alone = node.parentNode.appendChild(node.cloneNode());
    alone.setAttribute("d", outline);
    const found = [node.closest(".trace").className.baseVal, place(alone), node.style.fill];
    alone.remove();
    return found;
  });
  const bars = all(".point path, path.point", marks).flat();
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
        for found in (moved[part], drawn[part]):
            found.sort(key=lambda mark: (mark[0], mark[1][1], mark[1][0]))
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


LEVEL = """() => [...document.querySelectorAll("#picture .contourlevel path")].flatMap((path) => {
  const length = path.getTotalLength();
  return Array.from({ length: Math.ceil(length) }, (_, at) => { const { x, y } = path.getPointAtLength(at); return [x, y]; });
})"""


def boundary_of(field) -> dict:
    """Return a picture of the probabilities `field(x, y)` on −1…1 × −1…1."""
    places = np.linspace(-1, 1, 48)
    probability = field(places[None, :], places[::-1, None])
    data = base64.b64encode(np.round(255 * np.clip(probability, 0, 1)).astype(np.uint8).tobytes()).decode()
    return {"kind": "boundary", "size": [48, 48], "extent": [-1, 1, -1, 1], "probability": data}


@pytest.mark.parametrize(
    "field",
    [
        lambda x, y: 0.5 + 0.6 * np.sin(7 * x) * np.cos(6 * y),  # islands, bays at the rim, saddles
        lambda x, y: 0.5 + 0.5 * np.tanh(3 * (x**2 + y**2 - 0.5)),  # one ring
        lambda x, y: (np.round(3 * x) + np.round(3 * y)) % 2,  # a chessboard
        lambda x, y: 0.3 + 0 * x * y,  # no line at all
    ],
)
def test_a_boundary_that_moved_lies_where_plotly_draws_it(counted, field):
    before, after = boundary_of(lambda x, y: 0.5 + x + y / 2), boundary_of(field)
    put(counted, "picture", header={"picture": "boundary"}, picture=before)
    begun = drawings(counted)
    update(counted, "picture", {"picture": after})
    assert drawings(counted) == begun
    moved = counted.evaluate(LEVEL), counted.evaluate(MARKS, "picture")["pixels"]
    counted.evaluate("() => { harness.plots.picture.destroy(); document.getElementById('picture').remove(); }")
    put(counted, "picture", header={"picture": "boundary"}, picture=after)
    drawn = counted.evaluate(LEVEL), counted.evaluate(MARKS, "picture")["pixels"]
    assert np.abs(np.subtract(moved[1], drawn[1])).max() <= 3
    ours, theirs = (np.array(points).reshape(-1, 2) for points in (moved[0], drawn[0]))
    assert bool(len(ours)) == bool(len(theirs))
    if len(ours):
        apart = np.hypot(*(ours[:, None] - theirs[None]).transpose(2, 0, 1))
        assert max(apart.min(0).max(), apart.min(1).max()) < 1.2


def test_points_of_a_boundary_are_drawn_where_they_lie(harness):
    header = {
        "picture": "boundary",
        "points": {"x": [-0.5, 0.5, 0.25], "y": [0.5, -0.5, 0], "label": [0, 1, 1], "held_out": [0, 0, 1]},
    }
    put(harness, "picture", header=header, picture=boundary_of(lambda x, y: 0.5 + x + 0 * y))
    found = harness.evaluate("""() => {
      const { x, y, width, height } = document.querySelector("#picture .sv-picture [role=img] > div").getBoundingClientRect();
      return [...document.querySelectorAll("#picture path.point")].map((mark) => {
        const box = mark.getBoundingClientRect();
        return [(box.x + box.width / 2 - x) / width, (box.y + box.height / 2 - y) / height, mark.hasAttribute("transform")];
      });
    }""")
    places = {(round(2 * x - 1, 2), round(1 - 2 * y, 2)) for x, y, _ in found}
    assert places == {(-0.5, 0.5), (0.5, -0.5), (0.25, 0)}
    assert not any(transformed for *_, transformed in found)


STRIPES = """async ([diagram, ramps, gradients]) => {
  const { createDiagramPainter } = await import("/js/diagram/diagram_paint.js");
  const svg = document.getElementById("stage").appendChild(document.importNode(new DOMParser().parseFromString(diagram.svg, "image/svg+xml").documentElement, true));
  const drawn = [...svg.querySelectorAll("rect[data-stripe]")].map((node) => [Number(node.dataset.stripe), node.getBBox()]);
  const paint = createDiagramPainter(svg, diagram);
  const found = gradients.map((list) => {
    paint(list && { weight_grad: list }, ramps);
    const paths = [...svg.querySelectorAll(".stripes path")];
    const at = ({ x, y, width, height }) => Object.assign(svg.createSVGPoint(), { x: x + width / 2, y: y + height / 2 });
    return drawn.map(([layer, box]) => [layer, paths.filter((path) => path.isPointInFill(at(box))).map((path) => path.style.fill)]);
  });
  return [found, svg.querySelectorAll("rect[data-stripe]").length];
}"""  # noqa: E501


def test_every_stripe_of_a_collapsed_group_has_its_layers_colour_until_nothing_is_measured(harness):
    diagram = draw(families.mlp(depth=120, width=8, skip_every=2, input=(8,))).to_data()
    fading = [10.0 ** (-place / 17.3) for place in range(120)]
    lacking = [None if place % 7 == 0 else value for place, value in enumerate(reversed(fading))]
    ramps = {name: [f"rgb({place}, 0, 0)" for place in range(65)] for name in ("bars", "trunk", "skip")}
    found, left = harness.evaluate(STRIPES, [diagram, ramps, [fading, lacking, None]])
    place = [math.floor(64 * (0.22 + 0.78 * (math.log10(value) + 7) / 8) + 0.5) for value in fading]
    colours = [f"rgb({at}, 0, 0)" for at in place]
    thinned = ["" if layer % 7 == 0 else colour for layer, colour in enumerate(reversed(colours))]
    for wanted, painted in ((colours, found[0]), (thinned, found[1])):
        assert len(painted) > 60
        assert all(own == [wanted[layer]] for layer, own in painted)
    assert not any(own for _, own in found[2])
    assert left == len(found[2])


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
