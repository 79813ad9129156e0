"""What is exported holds what is shown: every plot and diagram as SVG and PNG, in light and dark, on every page that has them."""

from __future__ import annotations

import io
import json
import re
from xml.etree import ElementTree

from experiments import small
from pages import FigurePage, LabPage, wait_until
from PIL import Image
from playwright.sync_api import expect

from skipviz import Experiment, Task, Training, experiment_from_json, families

HREF = "{http://www.w3.org/1999/xlink}href"
SVG = "{http://www.w3.org/2000/svg}"


def panel_of(page, name="Export"):
    page.get_by_role("button", name=name, exact=True).click()
    panel = page.get_by_role("dialog", name=name)
    expect(panel).to_be_visible()
    return panel


def taken(page, node) -> tuple[str, bytes]:
    """Return name and content of the file that a click on `node` gives."""
    with page.expect_download() as given:
        node.click()
    return given.value.suggested_filename, given.value.path().read_bytes()


def pictures(page, panel, name: str) -> tuple[ElementTree.Element, Image.Image]:
    """Return what is drawn under `name` as SVG and as PNG, of one size and, but for the ground, not of one colour."""
    (svg_name, svg), (png_name, png) = (taken(page, panel.get_by_label(f"{name} as {kind}")) for kind in ("SVG", "PNG"))
    assert re.fullmatch(r"skipviz-[a-z0-9-]+-[\w-]+\.svg", svg_name)
    assert png_name == svg_name.removesuffix("svg") + "png"
    drawn, image = ElementTree.fromstring(svg), Image.open(io.BytesIO(png)).convert("RGB")
    assert image.size == tuple(round(2 * float(drawn.get(side))) for side in ("width", "height"))
    colours = image.getcolors(image.size[0] * image.size[1])
    assert len(colours) > 8, name
    assert max(colours)[0] < 0.995 * image.size[0] * image.size[1], name
    assert said(drawn, "title")
    assert len(said(drawn, "key")) >= 1, name
    caption = " ".join(said(drawn, "caption"))
    for words in (" layers, ", " skips on", "Task: ", "learning rate 0.", "batches of ", "seed 0", "step "):
        assert words in caption, (name, caption)
    assert_nothing_is_cut(image, name)
    return drawn, image


def said(drawn, part: str) -> list[str]:
    """Return what the frame of a picture says as its title, its axes' names, its legend's keys or its caption."""
    return ["".join(node.itertext()) for node in classed(drawn, f"frame-{part}")]


def assert_nothing_is_cut(image: Image.Image, name: str) -> None:
    """Nothing reaches the picture's edge: 6 px all around it are of the ground's colour."""
    (width, height), edge = image.size, 12
    for box in ((0, 0, width, edge), (0, height - edge, width, height), (0, 0, edge, height), (width - edge, 0, width, height)):
        assert len(image.crop(box).getcolors()) == 1, (name, box)


def classed(drawn, name: str) -> list:
    return [node for node in drawn.iter() if name in (node.get("class") or "").split()]


def ground_is(image: Image.Image, theme: str) -> bool:
    return image.getpixel((1, 1)) == {"light": (255, 255, 255), "dark": (0x19, 0x19, 0x22)}[theme]


def test_every_picture_of_the_lab_holds_what_it_shows_in_light_and_dark(kept):
    lab, page = kept.put(small(depth=6, steps=40)), kept.page
    lab.set_speed(9)
    lab.start()
    lab.expect_state("Finished")
    panel = panel_of(page)
    diagram, image = pictures(page, panel, "Diagram")
    assert ground_is(image, "light")
    labels = ["".join(node.itertext()) for node in diagram.iter(f"{SVG}text")]
    assert {f"f({k})" for k in range(1, 7)} <= set(labels)
    assert {"trunk", "skip", "sum"} <= set(said(diagram, "key"))
    assert "gradient along a line" in said(diagram, "key")
    bars, image = pictures(page, panel, "Gradient bars")
    assert ground_is(image, "light")
    assert said(bars, "title") == ["Gradient per layer"]
    assert said(bars, "axis") == ["layer, the input at the bottom", "‖∂L/∂θₖ‖, L2 norm", "share at fork", "‖Δθ‖ ÷ ‖θ‖"]
    assert said(bars, "row") == [f"f({k})" for k in range(6, 0, -1)]
    assert {"gradient, darker where larger", "hollow: the same weights, all skips off"} <= set(said(bars, "key"))
    assert any("skip (red, left)" in words for words in said(bars, "key"))
    assert len(classed(bars, "point")) == 6 + 6 + 2 * 2  # bars, ratios of updates, the shares of both forks
    heatmap, _ = pictures(page, panel, "Layer × step")
    assert said(heatmap, "axis") == ["layer", "step"]
    assert "f(1)" in ["".join(node.itertext()) for node in heatmap.iter(f"{SVG}text")]
    assert len([node for node in heatmap.iter(f"{SVG}image") if len(node.get(HREF)) > 400]) == 1
    loss, image = pictures(page, panel, "Loss")
    assert ground_is(image, "light")
    assert len(classed(loss, "js-line")) >= 4
    assert said(loss, "axis") == ["loss; metric 0…1", "step"]
    assert {"loss, smoothed", "Accuracy, held out", "Accuracy, batch", "the step shown"} <= set(said(loss, "key"))
    assert "lab?x=" in "".join(said(loss, "caption"))
    assert all(node.get("d").count("L") >= 5 for node in classed(loss, "js-line")[:2])
    output, _ = pictures(page, panel, "Output")
    assert len(classed(output, "point")) == 200
    assert said(output, "title") == ["Decision boundary"]
    assert {"class 0", "class 1", "hollow: held out"} <= set(said(output, "key"))
    assert [words[:2] for words in said(output, "axis")] == ["x₂", "x₁"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".sv-lab")).to_have_attribute("data-theme", "dark")
    lab.ready()
    panel = panel_of(page)
    for name in ("Diagram", "Gradient bars", "Loss"):
        assert ground_is(pictures(page, panel, name)[1], "dark"), name
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Light or dark").click()


def test_a_panel_of_the_figure_is_taken_along(visit):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure = FigurePage(page).open()
    figure.until(lambda: figure.step() > 3)
    panel = panel_of(page, "Export the left network")
    network = experiment_from_json(taken(page, panel.get_by_text("JSON", exact=True))[1]).network
    assert network.depth == 8
    name, script = taken(page, panel.get_by_text("PyTorch script"))
    assert re.fullmatch(r"skipviz-figure-4-9-left-[\w-]+\.py", name)
    compile(script, name, "exec")
    assert taken(page, panel.get_by_text("CSV", exact=True))[1].startswith(b"step,seconds,variant")
    assert taken(page, panel.get_by_text("Replay, one HTML file"))[1].startswith(b"<!doctype html>")
    panel.get_by_label("Copy these numbers").click()
    expect(panel).to_contain_text("The numbers are copied")
    assert page.evaluate("navigator.clipboard.readText()").count("\n") == 1 + 8 + 2 + 4
    diagram, _ = pictures(page, panel, "Diagram")
    assert len([node for node in diagram.iter(f"{SVG}text") if "".join(node.itertext()).startswith("f(")]) == 8
    bars, _ = pictures(page, panel, "Gradient bars")
    assert len(classed(bars, "point")) == 8
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Export the left network", exact=True)).to_be_focused()


def finished(page, experiment=None) -> str:
    """Return a run that this page's browser had finished; no page need be open."""
    page.request.get("", headers={"accept": "text/html"})
    body = {"experiment": json.loads((experiment or small(depth=6, steps=30)).to_json())}
    run = page.request.post("skipviz/runs", data=body).json()["run"]
    wait_until(page, lambda: page.request.get(f"skipviz/runs/{run}").json()["state"] == "finished")
    return run


def test_each_of_two_runs_side_by_side_is_taken_along(page):
    other = Experiment(
        variants={"curve": families.mlp(depth=6, width=16, input=(1,), head=1)},
        task=Task(name="line", samples=200),
        training=Training(steps=30, record_every=1, batch_size=16),
    )
    curve, run = finished(page, other), finished(page)
    held = []
    page.route("**/skipviz/stream?**", lambda route: held.append(route))
    page.goto(f"compare?runs={curve},{run}")
    expect(page.locator(".sv-column-body .sv-bars .main-svg").first).to_be_visible()
    panel = panel_of(page, "Export the right run")
    expect(panel.get_by_text("JSON", exact=True)).to_have_attribute("aria-disabled", "")
    for stream in held:
        stream.continue_()
    expect(panel.get_by_text("JSON", exact=True)).not_to_have_attribute("aria-disabled", "")
    name, content = taken(page, panel.get_by_text("JSON", exact=True))
    assert name.endswith(f"-{run}.json")
    assert experiment_from_json(content).network.depth == 6
    expect(page.locator(".sv-sentence-line")).to_contain_text("loss A ")  # an R² and an accuracy are not alike
    expect(panel.get_by_label("Layer × step, A as SVG")).to_have_count(0)
    for what, least in (("Gradient bars, side by side", 12), ("Losses of all", 0), ("Layer × step, B", 0), ("Diagram", 0)):
        drawn, _ = pictures(page, panel, what)
        assert len(classed(drawn, "point")) >= least
        if what == "Losses of all":
            assert [line.partition(":")[0] for line in said(drawn, "caption")[:1]] == ["Left"]
            assert any(line.startswith("Right: ") for line in said(drawn, "caption"))


def test_a_watcher_takes_a_run_along_opens_a_file_as_their_own_and_hears_why_a_file_cannot_be_made(visit, tmp_path):
    run = finished(visit())
    watcher = visit()
    theirs = LabPage(watcher).open(run=run)
    expect(watcher.locator(".sv-watch")).to_contain_text("You are watching")
    panel = panel_of(watcher)
    for words, kind in (("PyTorch script", "py"), ("CSV", "csv"), ("Replay, one HTML file", "html")):
        name, content = taken(watcher, panel.get_by_text(words, exact=True))
        assert name.endswith(f"-{run}.{kind}")
        assert len(content) > 1000
    pictures(watcher, panel, "Diagram")
    path = tmp_path / "other.json"
    path.write_text(json.dumps(small(depth=4).model_dump(mode="json")))
    with watcher.expect_file_chooser() as chosen:
        panel.get_by_role("button", name="Open a file…").click()
    chosen.value.set_files(path)
    theirs.expect_network(lambda network: network.depth == 4)
    expect(watcher.locator(".sv-watch")).to_be_hidden()
    expect(theirs.main).to_have_text("Start")
    theirs.settle()
    watcher.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    watcher.route("**/skipviz/code?**", lambda route: route.fulfill(status=422, json={"error": "the data of this is not here"}))
    panel = panel_of(watcher)
    panel.get_by_text("PyTorch script").click()
    expect(panel.get_by_role("status")).to_have_text("The data of this is not here.")
    watcher.unroute("**/skipviz/code?**")
    watcher.route("**/skipviz/code?**", lambda route: route.abort())
    panel.get_by_text("PyTorch script").click()
    expect(panel.get_by_role("status")).to_have_text("The server does not answer.")
