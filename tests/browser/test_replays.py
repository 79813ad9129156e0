"""Replays opened from disk: what was done stands as it stood at the step shown, of each variant, by mouse and keyboard."""

from __future__ import annotations

import re

import pytest
from pages import wait_until
from playwright.sync_api import expect

from skipviz.network import families
from skipviz.sharing import link
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

DONE = (
    {"kind": "skip", "ids": ["s1-3"], "strength": 0.5, "variant": "residual"},
    {"kind": "skip", "ids": ["s3-5"], "gain": 0.25, "variant": "residual"},
    {"kind": "layer", "ids": ["f2"], "gain": 0.5, "variant": "residual"},
    {"kind": "layer", "ids": ["f4"], "on": False, "variant": "residual"},
    {"kind": "rate", "learning_rate": 0.01},
    {"kind": "skip", "ids": ["s1-3"], "strength": 1.0, "variant": "residual"},
    {"kind": "skip", "ids": ["s3-5"], "on": False, "variant": "residual"},
    {"kind": "layer", "ids": ["f1"], "gain": 0.0, "variant": "plain"},
)
"""What is done before steps 1, 2, 3, …"""
AT = dict(enumerate(DONE, start=1))


@pytest.fixture(scope="module")
def recording(server, chromium, tmp_path_factory):
    """The replay of a run of two networks to which much was done, as a file."""
    nets = {"plain": families.mlp(depth=4, width=8), "residual": families.mlp(depth=6, width=8, skip_every=2)}
    training = Training(steps=len(DONE) + 4, record_every=1, batch_size=16)
    experiment = Experiment(variants=nets, task=Task(name="spiral", samples=200), training=training)
    context = chromium.new_context(base_url=server.address)
    page = context.new_page()
    context.request.get("", headers={"accept": "text/html"})

    def post(path, data):
        answer = context.request.post(path, data=data)
        assert answer.ok, answer.text()
        return answer.json()

    def reaches(run, step, state):
        def there() -> bool:
            now = context.request.get(f"skipviz/runs/{run}").json()
            return (now["state"], now["step"]) == (state, step)

        wait_until(page, there)

    run = post("skipviz/runs", {"link": link.encode(experiment), "paused": True})["run"]
    for step, event in AT.items():
        post(f"skipviz/runs/{run}/events", [{"kind": "step"}])
        reaches(run, step, "paused")
        post(f"skipviz/runs/{run}/events", [event])
    post(f"skipviz/runs/{run}/events", [{"kind": "resume"}])
    reaches(run, training.steps, "finished")
    path = tmp_path_factory.mktemp("replay") / "replay.html"
    path.write_bytes(context.request.get(f"skipviz/runs/{run}.html").body())
    context.close()
    return path


@pytest.fixture(scope="module")
def offline(chromium):
    """A page in a browser without any network."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def replay(recording, offline):
    """The replay as it opens; a failing script fails the test."""
    problems = []

    def on_error(error) -> None:
        problems.append(error.message)

    def on_line(line) -> None:
        if line.type == "error":
            problems.append(line.text)

    offline.on("pageerror", on_error)
    offline.on("console", on_line)
    offline.goto(recording.as_uri())
    expect(offline.locator(".sv-column-body .sv-bars .main-svg").first).to_be_visible()
    yield offline
    offline.remove_listener("pageerror", on_error)
    offline.remove_listener("console", on_line)
    assert problems == []


def at(page, step: int) -> dict:
    """Show a step and return what the chosen diagram says: words on lines, lines off, valves not open, boxes off."""
    page.get_by_label("Step shown").fill(str(step))
    expect(page.locator(".sv-step")).to_have_text(str(step))
    return page.evaluate(
        """() => {
            const all = (selector, of) => [...document.querySelectorAll("[data-chosen=true] > svg.sv-diagram " + selector)].map(of);
            return {
                words: all(".badge", (badge) => badge.textContent),
                off: all(".skip.off", (line) => line.dataset.skip),
                valves: all(".valve:not(.open)", (valve) => valve.dataset.valve + valve.querySelector(".factor").textContent),
                rest: all(".box.off", (box) => box.dataset.layer),
            };
        }"""
    )


def test_everything_stands_as_it_stood_at_the_step_shown(replay):
    replay.get_by_role("button", name="residual").click()
    plain = {"words": [], "off": [], "valves": [], "rest": []}
    assert at(replay, 0) == plain
    assert at(replay, 1) == {**plain, "words": ["×0.5"]}
    assert at(replay, 5) == {"words": ["×0.5", "▽ ×0.25"], "off": [], "valves": ["f2×0.5"], "rest": ["f4"]}
    assert at(replay, 8) == {"words": ["▽ ×0.25"], "off": ["s3-5"], "valves": ["f2×0.5"], "rest": ["f4"]}
    expect(replay.locator('[data-skip="s3-5"]')).to_have_attribute("aria-label", "Skip from h(3) to h(5), add, off")
    expect(replay.locator('[data-chosen=true] [data-valve="f2"]')).to_have_attribute("aria-label", "Gradient gain of f(2): 0.5.")
    assert at(replay, 0) == plain
    expect(replay.locator('[data-skip="s1-3"]')).to_have_attribute("aria-pressed", "true")


def test_each_variant_has_its_own_facts_and_events(replay):
    marks = replay.locator(".sv-transport .sv-mark")
    facts = replay.locator(".sv-replay-head p")
    expect(facts).to_contain_text("4 layers, 0 skips")
    expect(marks).to_have_count(2)
    assert at(replay, 8)["valves"] == ["f1×0"]
    replay.get_by_role("button", name="residual").click()
    expect(facts).to_contain_text("6 layers, 2 skips")
    expect(replay.locator("[data-chosen=true] > svg.sv-diagram [data-layer]")).to_have_count(6)
    expect(marks).to_have_count(7)
    expect(marks.nth(0)).to_have_attribute("title", "Step 1: 1→3 ×0.5")


def test_both_networks_stand_beside_each_other_with_their_bars_and_losses_at_the_step_shown(replay):
    at(replay, 5)
    drawn = replay.locator(".sv-column-body svg.sv-diagram")
    expect(drawn).to_have_count(2)
    expect(replay.locator(".sv-variant-name")).to_have_text(["plain", "residual"])
    expect(replay.locator(".sv-differs").nth(1)).to_contain_text("layers 6 instead of 4")
    tops = [drawn.nth(side).locator('[data-layer="f1"]').bounding_box()["y"] for side in (0, 1)]
    assert tops[0] == pytest.approx(tops[1], abs=0.5)
    said = re.compile(r"A, plain: .* at f\(4\), .*B, residual: .* at f\(6\), ")
    expect(replay.locator(".sv-column-body .sv-bars [role=img]")).to_have_attribute("aria-label", said)
    expect(replay.locator(".sv-sentence")).to_contain_text("Step 5: ")
    expect(replay.locator(".sv-curves-card .sv-of-letter").first).to_have_text(re.compile(r"^A0\.\d+"))


def test_the_keyboard_goes_from_frame_to_frame_and_plays(replay):
    title = replay.locator("h1").inner_text()
    assert replay.title() == f"{title} · skipviz"
    assert title
    slider, step = replay.get_by_label("Step shown"), replay.locator(".sv-step")
    slider.focus()
    for key, shown in (("ArrowRight", "1"), ("ArrowRight", "2"), ("ArrowLeft", "1"), ("PageUp", "11"), ("Home", "0")):
        replay.keyboard.press(key)
        expect(step).to_have_text(shown)
        expect(slider).to_have_value(shown)
    slider.blur()
    replay.keyboard.press(" ")
    expect(step).to_have_text("11")
    expect(replay.get_by_role("button", name="Play")).to_be_visible()
