"""A run as one HTML file: it holds what was recorded, stays small, and lets nothing in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from itertools import pairwise
from random import Random

import pytest

from skipviz import Experiment, families, link, presets
from skipviz.learning.trainer import Trainer
from skipviz.network.network import MAX_LAYERS
from skipviz.settings import Settings
from skipviz.sharing import replay
from skipviz.storage import Run
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.task import Task
from skipviz.web.content.replay_data import replay_file

PARTS = replay.Parts("p { margin: 0 }", "run();", "window.Plotly = {};")


def recorded(preset="figure-4-9-left", steps=6) -> Run:
    """Return a run of a few steps, with a skip switched off at step 3."""
    experiment = presets.get(preset)
    experiment = experiment.replaced(training=experiment.training.replaced(steps=steps))
    trainer = Trainer(experiment)
    run = Run("r-1", "me", experiment, state="finished")
    run.header_json = json.dumps(trainer.header()).encode()
    while not trainer.finished:
        if trainer.step == 3:
            event = SkipEvent(ids=(experiment.network.skips[0].id,), on=False)
            trainer.apply(event)
            run.events.append({**event.model_dump(mode="json", exclude_none=True), "step": trainer.step})
        run.add_frame(json.dumps(trainer.advance(record=True, picture=True).to_data()).encode())
    return run


def held(document: bytes) -> dict:
    """Return what a file holds of its run."""
    packed = re.search(rb'id="recorded">([A-Za-z0-9+/=]+)</script>', document)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def frames(count: int, numbers: int, events=()) -> list[bytes]:
    values = [1 / (index + 3) for index in range(numbers)]
    return [
        json.dumps({"step": step, "variants": {"a": {"weight_grad": [value * (step + 1) ** -0.7 for value in values]}}}
                   | ({"events": [{"kind": "rate"}]} if step in events else {})).encode()
        for step in range(count)
    ]  # fmt: skip


def test_networks_side_by_side_are_there_as_a_u_each_where_all_have_one():
    task = Task(name="shapes", samples=40)
    unet = families.unet(1, 2, 1, padded=True, input=task.sample_shape(), head=task.head())
    flat = families.conv(2, 4, input=task.sample_shape(), head=task.head())
    for other, shape in ((unet, "u"), (flat, None)):
        experiment = Experiment(variants={"one": unet, "other": other}, task=task)
        run = Run("r-1", "me", experiment, state="finished", header_json=b"{}")
        run.add_frame(b'{"step":0,"variants":{}}')
        variants = held(replay_file(run, "two", "lab"))["variants"]
        assert [one["diagram"]["shape"] for one in variants.values()] == ["column", "column"]
        assert [one["u"] and one["u"]["diagram"]["shape"] for one in variants.values()] == [shape, shape]


def test_a_file_holds_every_frame_as_it_was_recorded():
    run = recorded()
    data = held(replay_file(run, "Left", "http://localhost/lab"))
    assert data["frames"] == [json.loads(frame) for frame in run.frames]
    assert data["header"] == run.header
    assert data["note"] == ""
    assert data["title"] == "Left"
    assert [event["step"] for one in data["variants"].values() for event in one["events"]] == [3]
    assert data["variants"]["left"]["network"]["depth"] == 8
    assert data["address"].startswith(f"http://localhost/lab?x={link.VERSION}")


def test_only_the_files_own_scripts_may_run_and_nothing_may_be_fetched():
    document = replay.document("T", {}, frames(2, 3), PARTS).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document)[1]
    assert 'type="module"' not in document
    script = re.findall(r"<script>(.*?)</script>", document, re.S)[-1]
    assert PARTS.script in script
    for source in (script, PARTS.plotly):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_a_title_is_never_html():
    run = recorded()
    run.title = "</title><script>alert(1)</script><img src=x onerror=alert(1)>"
    document = replay_file(run, "Left", "http://localhost/lab")
    assert b"<script>alert" not in document
    assert b"<img src=x" not in document
    assert held(document)["title"] == run.title


def test_a_long_run_is_thinned_until_it_fits_and_says_so(monkeypatch):
    monkeypatch.setattr(replay, "MAX_BYTES", 600_000)
    long = frames(900, 150, events=(17, 501))
    document = replay.document("Long", {"x": 1}, long, PARTS)
    assert 0.6 * replay.MAX_BYTES < len(document) <= replay.MAX_BYTES
    data = held(document)
    steps = [frame["step"] for frame in data["frames"]]
    assert steps == sorted(set(steps))
    assert {0, 17, 501, 899} <= set(steps)
    assert f"{len(steps):,} of 900 frames" in data["note"]
    assert data["frames"][0] == json.loads(long[0])


def test_the_largest_run_that_a_server_keeps_fits_into_a_file_with_all_that_the_page_needs():
    networks = {name: families.mlp(depth=MAX_LAYERS, width=4, skip_every=2) for name in "abcd"}
    run = Run("r-1", "me", Experiment(variants=networks, task=Task(name="spiral")), state="finished")
    run.header_json = json.dumps({"experiment": run.experiment.model_dump(mode="json")}).encode()
    random = Random(0)
    numbers = [f"{10 ** random.uniform(-9, 0):.6g}" for _ in range(30_011)]
    place = 0
    while run.bytes < Settings.model_fields["run_store_mb"].default * 2**20:
        variants = []
        for name in networks:
            lists = []
            for field in ("weight_grad", "state_grad", "trunk_grad", "skip_grad", "update_ratio", "state_rms"):
                place = (place + 7919) % (len(numbers) - MAX_LAYERS)
                lists.append(f'"{field}":[{",".join(numbers[place : place + MAX_LAYERS])}]')
            variants.append(f'"{name}":{{{",".join(lists)}}}')
        run.add_frame(f'{{"step":{len(run.frames)},"variants":{{{",".join(variants)}}},"events":[]}}'.encode())
    document = replay_file(run, "Long", "http://localhost/lab")
    assert 0.85 * replay.MAX_BYTES < len(document) <= replay.MAX_BYTES == 6_000_000
    data = held(document)
    steps = [frame["step"] for frame in data["frames"]]
    assert (steps[0], steps[-1]) == (0, len(run.frames) - 1)
    assert data["note"] == f"To stay small the file holds {len(steps)} of {len(run.frames)} frames."
    assert all(json.loads(run.frames[frame["step"]]) == frame for frame in data["frames"])


def test_thinning_leaves_no_long_gap():
    kept = [json.loads(frame)["step"] for frame in replay.thinned(frames(1000, 1, events=range(100, 140)), 100)]
    assert len(kept) <= 104
    assert max(b - a for a, b in pairwise(kept)) <= 30


def test_a_line_has_room_for_every_word_that_it_ever_carries():
    run = recorded("figure-4-9-right")
    skip = run.experiment.network.skips[1]
    event = {"kind": "skip", "ids": [skip.id], "strength": 0.5, "gain": 0.1, "step": 3}
    run.events += [event, {**event, "strength": 1, "gain": 1, "step": 4}]
    data = next(iter(held(replay_file(run, "Right", "http://localhost/lab"))["variants"].values()))
    assert data["network"]["skips"][1]["strength"] == 1
    for drawing in (data["diagram"], data["compact"]):
        layer = drawing["svg"].partition("label-layer")[2].partition("valve-layer")[0]
        assert re.findall(r'class="word"[^>]*>([^<]*)<', layer) == ["×0.5", "▽ ×0.1"]


def test_a_run_without_frames_is_no_replay():
    run = Run("r-2", "me", presets.get("vanishing-plain"))
    with pytest.raises(replay.ReplayError, match="nothing to replay"):
        replay_file(run, "T", "http://localhost/lab")
