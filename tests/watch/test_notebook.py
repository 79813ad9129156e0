"""What a watched module shows of itself in a notebook: its picture, what its widget sends and how often."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from base64 import b64decode
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

import skipviz
from skipviz.drawing import modules
from skipviz.drawing.standalone import SVG
from skipviz.watch import notebook, widget
from skipviz.watch.errors import WatchError

EVIL = "</style><script>alert(1)</script><img src=x onerror=alert(1)>"


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.f = nn.Linear(4, 4)

    def forward(self, x):
        return x + torch.relu(self.f(x))


class Net(nn.Module):
    """Two blocks between a stem and a head, under a name that is not text alone where text becomes HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(2, 4), nn.Linear(4, 3)
        self.blocks = nn.ModuleDict({"<script>a": Block(), "b": Block()})

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks.values():
            x = block(x)
        return self.head(x)


def train(watched, steps: int) -> list[float]:
    torch.manual_seed(1)
    x, y, losses = torch.randn(8, 2), torch.randint(0, 3, (8,)), []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(watched.model(x), y)
        loss.backward()
        losses.append(loss.item())
        watched.step(loss)
        watched.model.zero_grad()
    return losses


@pytest.fixture
def watched():
    torch.manual_seed(0)
    return skipviz.watch(Net(), every=1, title=EVIL)


@pytest.fixture
def clock(monkeypatch):
    """What the widget takes for the time, in seconds."""
    now = [100.0]
    monkeypatch.setattr(widget.time, "monotonic", lambda: now[0])
    return now


def svg_in(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(b64decode(re.search(r"base64,([\w+/=]+)", html)[1]))


def test_before_anything_is_measured_it_says_so(watched):
    bundle = watched._repr_mimebundle_()
    assert bundle["text/plain"].endswith(": nothing measured yet.")
    assert watched._display_().view == watched._display_().get_state("past")["past"] == ""


def test_the_picture_holds_diagram_bars_and_loss_and_no_script(watched):
    losses = train(watched, 3)
    html = watched._repr_mimebundle_()["text/html"]
    assert "<script" not in html.lower()
    assert "http" not in html
    assert html.count("<img") == 1
    root = svg_in(html)
    assert not {"script", "foreignObject", "image", "a"} & {one.tag.partition("}")[2] for one in root.iter()}
    words = [one.text for one in root.iter(f"{{{SVG}}}text")]
    assert words[0] == f"{EVIL}: 4 layers, 2 skips, step 2, loss {losses[-1]:.4g}"
    assert {f"{value:.2g}" for value in watched.frame().weight_grad} <= set(words)
    assert f"Loss: {losses[-1]:.3g} at last, {max(losses):.3g} at most" in words


def test_without_anywidget_it_says_which_extra_brings_it(watched, monkeypatch):
    monkeypatch.setattr(notebook, "find_spec", lambda name: None)
    train(watched, 1)
    html = watched._display_()._repr_html_()
    assert notebook.EXTRA in html
    assert "<img" in html
    assert "“notebook”" in notebook.EXTRA


def test_the_widget_is_one_module_that_fetches_nothing(tmp_path):
    source = widget.RunWidget._esm
    assert not re.search(r"^\s*import\s*[{'\"]", source, re.M)
    assert re.findall(r"^export .*$", source, re.M) == ["export default {"]
    assert "cdn.plot" not in source
    assert gzip.decompress(widget.packed_plotly()) == modules.plotly_file().read_bytes()
    if shutil.which("node"):
        (tmp_path / "widget.mjs").write_text(source, encoding="utf-8")
        subprocess.run(["node", "--check", str(tmp_path / "widget.mjs")], check=True)


def test_it_sends_what_is_drawn_once_and_frames_as_they_come(watched, clock):
    shown, sent, views = watched._display_(), [], []
    shown.observe(lambda change: sent.append(json.loads(change["new"])), "live")
    shown.observe(lambda change: views.append(json.loads(change["new"])), "view")
    for step in range(3):
        clock[0] = 100.0 + step
        train(watched, 1)
    assert [[frame["step"] for frame in one["frames"]] for one in sent] == [[0], [1], [2]]
    assert {one["state"] for one in sent} == {"running"}
    assert sent[2]["frames"][0] == json.loads(watched.run.frames[2])
    (view,) = views
    assert view["title"] == EVIL
    (drawn,) = view["variants"].values()
    assert (drawn["network"]["depth"], drawn["network"]["skips_total"]) == (4, 2)
    assert drawn["facts"][0] == f"4 layers, 2 skips, {sum(one.numel() for one in watched.model.parameters())} parameters"


def test_ten_messages_a_second_at_most_and_all_frames_once_it_rests(watched, clock):
    shown, sent = watched._display_(), []
    shown.observe(lambda change: sent.append(json.loads(change["new"])), "live")
    for step in range(100):
        clock[0] = 100.0 + step * 0.02
        train(watched, 1)
    assert 15 <= len(sent) <= 20
    watched._shown._rest()
    assert (sent[-1]["state"], sent[-1]["snapshot"], sent[-1]["steps"]) == ("paused", True, 99)
    assert [frame["step"] for frame in sent[-1]["frames"]] == list(range(100))


def test_who_comes_late_gets_the_whole_run_thinned(watched, clock, monkeypatch):
    monkeypatch.setattr(widget, "MOST_FRAMES", 20)
    shown = watched._display_()
    train(watched, 60)
    past = json.loads(shown.get_state("past")["past"])
    steps = [frame["step"] for frame in past["frames"]]
    assert len(steps) == 20
    assert (steps[0], steps[-1]) == (0, 59)
    monkeypatch.setattr(widget, "MOST_BYTES", 5 * len(watched.run.frames[-1]))
    assert len(shown.get_state("past")["past"]) < 6 * len(watched.run.frames[-1])


@pytest.mark.parametrize(("step", "end"), [(1, 1), (2, 2), (3, 5), (9, 10), (10, 10), (11, 20), (499, 500), (501, 1000)])
def test_the_axis_of_steps_grows_in_few_leaps(step, end):
    class Run:
        pass

    Run.step = step + 1
    assert widget.steps_shown(Run, ended=False) == end
    assert widget.steps_shown(Run, ended=True) == step


def test_showing_it_changes_no_bit_of_the_training(clock):
    found = []
    for shows in (False, True):
        torch.manual_seed(0)
        watched = skipviz.watch(Net(), every=1)
        if shows:
            watched._display_()
        found.append(train(watched, 4))
    assert found[0] == found[1]


def test_its_diagram_is_svg_with_the_last_gradients(watched):
    train(watched, 2)
    root = ElementTree.fromstring(watched.diagram("dark"))
    assert len([one for one in root.iter() if one.get("data-skip")]) == 2
    widths = [float(width) for width in re.findall(r"stroke-width:([\d.]+)px", ElementTree.tostring(root, encoding="unicode"))]
    assert max(widths) > 3


def test_its_figure_has_each_layers_gradient_and_the_loss(watched):
    losses = train(watched, 3)
    bars, curve = watched.figure().data
    assert list(bars.x) == watched.frame().weight_grad
    assert list(bars.customdata) == ["stem", "blocks.<script>a.f", "blocks.b.f", "head"]
    assert list(curve.x) == [0, 1, 2]
    assert list(curve.y) == pytest.approx(losses, rel=1e-6)


def test_before_the_first_frame_neither_is_there(watched):
    for ask in (watched.diagram, watched.figure):
        with pytest.raises(WatchError, match=r"nothing was measured|no forward pass"):
            ask()


def test_a_picture_decodes_each_frame_once(monkeypatch):
    watched = skipviz.watch(Net(), every=1, live=False)
    train(watched, 6)
    decoded = []
    monkeypatch.setattr(notebook.json, "loads", lambda text: decoded.append(text) or json.JSONDecoder().decode(text.decode()))
    watched._repr_mimebundle_()

    assert sum(text.startswith(b'{"step"') for text in decoded) == 6 + 1
