"""What a person takes along: files of the panel, numbers for a spreadsheet, a replay from disk, and JSON that comes back."""

from __future__ import annotations

import json

import pytest
import safetensors.numpy
from experiments import small
from pages import DESKTOP, PHONE
from playwright.sync_api import expect

from skipviz import build, experiment_from_json
from skipviz.tasks import presets


def _panel(lab):
    lab.page.get_by_role("button", name="Export", exact=True).click()
    panel = lab.page.get_by_role("dialog", name="Export")
    expect(panel).to_be_visible()
    return panel


def _download(page, node, folder):
    with page.expect_download() as given:
        node.click()
    path = folder / given.value.suggested_filename
    given.value.save_as(path)
    return path


def _drop(page, name, text):
    """Drop a file on the page as a browser does; the hint is there while it is dragged over, which is no longer than that."""
    handle = page.evaluate_handle(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name, { type: "application/json" }));
            return data;
        }""",
        [name, text],
    )
    hinted = page.locator("svg.sv-diagram").evaluate(
        """(svg, dataTransfer) => {
            svg.dispatchEvent(new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true }));
            return document.querySelector(".sv-drop-hint").checkVisibility();
        }""",
        handle,
    )
    assert hinted
    page.dispatch_event("svg.sv-diagram", "drop", {"dataTransfer": handle})
    expect(page.locator(".sv-drop-hint")).to_be_hidden()


def test_the_panel_gives_script_json_tables_pictures_and_numbers_for_a_spreadsheet(kept, tmp_path):
    lab, page = kept.put(small(steps=30)), kept.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = _panel(lab)
    expect(panel.get_by_text("CSV", exact=True)).to_have_attribute("aria-disabled", "")
    expect(panel).to_contain_text("Start it, and here are its numbers")
    path = _download(page, panel.get_by_text("JSON", exact=True), tmp_path)
    assert experiment_from_json(path.read_bytes()) == lab.experiment()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    lab.set_speed(9)
    run = lab.start()
    lab.expect_state("Finished")
    panel = _panel(lab)
    script = _download(page, panel.get_by_text("PyTorch script"), tmp_path)
    assert script.name.startswith("skipviz-")
    assert script.name.endswith(f"-{run}.py")
    compile(script.read_text(), "script.py", "exec")
    assert _download(page, panel.get_by_text("CSV", exact=True), tmp_path).read_text().startswith("step,seconds,variant")
    assert _download(page, panel.get_by_text("Parquet", exact=True), tmp_path).read_bytes().startswith(b"PAR1")
    expect(panel.locator("code")).to_contain_text(f"/skipviz/runs/{run}.parquet")
    weights = _download(page, panel.get_by_text("safetensors"), tmp_path)
    assert weights.name.endswith(f"-{run}.safetensors")
    assert set(safetensors.numpy.load_file(weights)) == set(build(lab.experiment().network).state_dict())
    svg = _download(page, panel.get_by_label("Diagram as SVG"), tmp_path).read_text()
    assert "stroke" in svg
    assert "var(--" not in svg
    for name in ("Diagram", "Gradient bars", "Loss", "Layer × step", "Output"):
        picture = _download(page, panel.get_by_label(f"{name} as PNG"), tmp_path).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 2000
    assert "<svg" in _download(page, panel.get_by_label("Loss as SVG"), tmp_path).read_text()
    panel.get_by_label("Copy these numbers").click()
    expect(panel).to_contain_text("The numbers are copied")
    rows = [line.split("\t") for line in page.evaluate("navigator.clipboard.readText()").splitlines()]
    last = lab.frames(run)[-1]
    depth = lab.experiment().network.depth
    column = rows[0].index("weight_grad")
    assert [float(row[column]) for row in rows[1 : depth + 1]] == next(iter(last["variants"].values()))["weight_grad"]
    assert rows[1][0] == str(last["step"])


def test_json_dropped_or_chosen_opens_as_an_edit_and_what_is_no_experiment_is_refused(kept, tmp_path):
    lab, page = kept.put(small(depth=6)), kept.page
    before = lab.experiment()
    other = presets.get("figure-4-9-left")
    _drop(page, "left.json", json.dumps(other.model_dump(mode="json", exclude_defaults=True), indent=1))
    lab.until(lambda: lab.experiment() == other)
    lab.undo.click()
    lab.until(lambda: lab.experiment() == before)
    bad = {
        "note.txt": ("not json at all", "is not JSON"),
        "nan.json": ('{"variants": NaN}', "is not JSON"),
        "shape.json": ('{"variants": {}}', "Variants: "),
        "deep.json": ("[" * 3000 + "]" * 3000, "."),
        "big.json": (" " * 4_100_000, "at most 4 MB"),
    }
    for name, (text, sentence) in bad.items():
        page.locator(".sv-toast").evaluate("toast => { toast.hidden = true; }")
        _drop(page, name, text)
        expect(lab.toast).to_contain_text("This file does not open.")
        expect(lab.toast).to_contain_text(sentence)
        assert "Traceback" not in lab.toast.inner_text()
    assert lab.experiment() == before

    path = tmp_path / "left.json"
    path.write_text(other.to_json())
    panel = _panel(lab)
    with page.expect_file_chooser() as chosen:
        panel.get_by_role("button", name="Open a file…").click()
    chosen.value.set_files(path)
    lab.until(lambda: lab.experiment() == other)


def test_a_replay_opens_from_disk_without_any_network(kept, chromium, tmp_path):
    lab, page = kept.put(small(steps=30, depth=8)), kept.page
    lab.set_speed(9)
    run = lab.start()
    lab.expect_state("Finished")
    path = _download(page, _panel(lab).get_by_text("Replay, one HTML file"), tmp_path)
    assert path.stat().st_size <= 6_000_000
    frames = lab.frames(run)
    context = chromium.new_context(viewport=DESKTOP, offline=True)
    try:
        asked, errors = [], []
        context.route("http*://**", lambda route: (asked.append(route.request.url), route.abort()))
        alone = context.new_page()
        alone.on("pageerror", lambda error: errors.append(error.message))
        alone.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        for viewport in (DESKTOP, PHONE):
            alone.set_viewport_size(viewport)
            alone.goto(path.as_uri())
            expect(alone.locator(".sv-bars .main-svg").first).to_be_visible()
            expect(alone.locator("svg.sv-diagram [data-layer]")).to_have_count(8)
            alone.get_by_label("Step shown").fill("20")
            expect(alone.locator(".sv-step")).to_have_text("20")
            frame = next(frame for frame in frames if frame["step"] == 20)
            values = next(iter(frame["variants"].values()))
            expect(alone.locator(".sv-title", has_text="Loss")).to_contain_text(f"{values['loss']:.3g}")
            alone.get_by_role("button", name="Table", exact=True).click()
            shown = alone.locator(".sv-table tbody tr").first.locator("td").nth(5).inner_text()
            assert float(_plain(shown)) == pytest.approx(values["weight_grad"][0], rel=0.02)
            alone.get_by_role("button", name="Play").click()
            expect(alone.locator(".sv-step")).to_have_text("29")
            expect(alone.get_by_role("button", name="Play")).to_be_visible()
        assert asked == []
        assert errors == []
    finally:
        context.close()


def _plain(text: str) -> str:
    """Return a number as the page writes it (`1.4·10⁻⁹`) as Python reads it."""
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
    number, _, power = text.partition("·10")
    return number + (f"e{power.translate(digits)}" if power else "")
