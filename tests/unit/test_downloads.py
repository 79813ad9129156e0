"""What the server gives out as files: tables that pandas reads from the address, scripts, JSON, replays."""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path

import numpy
import pandas
import pytest
import safetensors.torch
import torch
from engines import endless, frames_of, small, wait_for, wait_for_end
from own_data import experiment_on, table_file, task_of
from scripts import RECORDED, assert_same, losses_of
from test_routes import client  # noqa: F401  a server with the routes

import skipviz
from skipviz import Experiment, Network, Training, experiment_from_json, families, link, presets
from skipviz.learning.batches import Batches
from skipviz.tasks.data import dataset
from skipviz.tasks.event import RateEvent
from skipviz.tasks.task import Task
from skipviz.tasks.upload import described, read
from skipviz.web.content import file_names


def got(client, path):  # noqa: F811
    """Return status, headers and body of a GET without a cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.headers), body


@pytest.fixture(scope="module")
def finished(client, engine):  # noqa: F811
    """A run of 40 steps in which a skip was switched off."""
    run = client.start(small(), paused=True)
    wait_for(engine, lambda: engine.run(run).state == "paused")
    skip = engine.run(run).experiment.network.skips[0].id
    assert client.post(run, [{"kind": "step"}, {"kind": "skip", "ids": [skip], "on": False}])[0] == 200
    wait_for(engine, lambda: engine.run(run).events)
    client.post(run, {"kind": "resume"})
    wait_for_end(engine, engine.run(run))
    return run


def test_pandas_reads_a_run_in_progress_from_its_address(client, engine):  # noqa: F811
    run = client.start(endless(record_every=5), speed=50)
    try:
        wait_for(engine, lambda: len(engine.run(run).frames) > 3)
        address = f"http://127.0.0.1:{client.port}/skipviz/runs/{run}"
        parquet, csv = pandas.read_parquet(f"{address}.parquet"), pandas.read_csv(f"{address}.csv")
        assert engine.run(run).state == "running"
    finally:
        client.post(run, {"kind": "stop"})
    assert list(parquet.columns) == list(csv.columns)
    first = frames_of(engine.run(run))[0]["variants"]
    values = first["net"]
    for rows in (parquet, csv):
        layers = rows.query("step == 0 and part == 'layer' and variant == 'net'")
        assert layers["weight_grad"].tolist() == [numpy.float32(value) for value in values["weight_grad"]]


def test_a_runs_script_repeats_the_run_with_its_events(client, engine, finished):  # noqa: F811
    status, headers, body = got(client, f"/skipviz/runs/{finished}.py")
    assert status == 200
    assert headers["content-disposition"] == f'attachment; filename="skipviz-{_stem(engine, finished)}-{finished}.py"'
    losses, _ = losses_of(body.decode())
    frames = {frame["step"]: frame for frame in frames_of(engine.run(finished))}
    wanted = [{name: one.get("loss") for name, one in frames[step]["variants"].items()} for step in sorted(frames)]
    assert_same([losses[step] for step in sorted(frames)], wanted, RECORDED)


def test_a_runs_json_is_the_experiment_it_began_with(client, engine, finished):  # noqa: F811
    status, headers, body = got(client, f"/skipviz/runs/{finished}.json")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert experiment_from_json(body).network.skips[0].on


def test_a_replay_comes_as_a_file_under_its_limit(client, finished):  # noqa: F811
    status, headers, body = got(client, f"/skipviz/runs/{finished}.html")
    assert status == 200
    assert headers["content-disposition"].startswith("attachment;")
    assert body.startswith(b"<!doctype html>")
    assert len(body) <= 6_000_000


def test_the_script_of_ones_own_data_is_given_where_the_data_is(client, engine):  # noqa: F811
    text = link.encode(experiment_on(task_of(engine.uploads, table_file(), "things.csv", "price")))
    status, _, body = got(client, f"/skipviz/code?x={text}")
    assert status == 200
    assert b'NAME = "things.csv"' in body
    lost = link.encode(experiment_on(Task(name="table", own=described(read(table_file() + b"\n999,1,round,0,red,7", "lost.csv")))))
    status, body = client.request("GET", f"/skipviz/code?x={lost}")
    assert status == 422
    assert "learns from lost.csv" in body["error"]


def test_an_experiment_that_never_ran_is_given_as_script_and_json(client):  # noqa: F811
    experiment = presets.get("vanishing-residual")
    text = link.encode(experiment)
    status, headers, body = got(client, f"/skipviz/experiment?x={text}")
    assert status == 200
    assert 'filename="skipviz-vanishing-residual.json"' in headers["content-disposition"]
    assert experiment_from_json(body) == experiment
    status, headers, body = got(client, f"/skipviz/code?x={text}")
    assert status == 200
    assert 'filename="skipviz-vanishing-residual.py"' in headers["content-disposition"]
    assert b"h3 = self.f3(h2) + h1" in body


@pytest.mark.parametrize("path", ["/skipviz/code", "/skipviz/code?x=1.nonsense", "/skipviz/experiment?x=" + "a" * 9000])
def test_a_bad_link_is_refused_in_a_sentence(client, path):  # noqa: F811
    status, body = client.request("GET", path)
    assert status == 422
    assert "link" in body["error"]


@pytest.mark.parametrize("suffix", ["py", "json", "html", "csv", "parquet"])
def test_a_run_that_is_not_there_is_no_file(client, suffix):  # noqa: F811
    status, body = client.request("GET", f"/skipviz/runs/nothing.{suffix}")
    assert status == 404
    assert "no such run" in body["error"]


def test_file_names_are_plain_whatever_the_experiment():
    names = {file_names.stem(presets.get(name)) for name in presets.names()}
    bare = presets.get("vanishing-plain").with_network(Network(layers=[presets.get("vanishing-plain").network.layers[0]]))
    names.add(file_names.stem(bare))
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    assert "skipviz-1-layers-spiral" in names


def test_files_of_a_run_are_called_by_its_title(client, engine, finished):  # noqa: F811
    for title, name in {
        "Größe × Übung: 3/4 – “quoted”\\..": "grosse-x-ubung-3-4-quoted",
        "../../etc/passwd; filename=x.exe": "etc-passwd-filename-x-exe",
        "最初の実験": _stem(engine, finished),
        "a" * 80: "a" * 60,
    }.items():
        status, _ = client.request("PATCH", f"/skipviz/runs/{finished}", {"title": title})
        assert status == 200
        _, headers, _ = got(client, f"/skipviz/runs/{finished}.json")
        assert headers["content-disposition"] == f'attachment; filename="skipviz-{name}-{finished}.json"'


def _stem(engine, run):
    return file_names.stem(engine.run(run).began or engine.run(run).experiment).removeprefix("skipviz-")


def test_an_ended_run_gives_its_weights_to_the_bit(client, engine):  # noqa: F811
    nets = {
        "norms": families.mlp(depth=4, width=6, skip_every=2, norm="batch"),
        "gates": families.mlp(depth=3, width=8, merge="gate"),
    }
    experiment = Experiment(variants=nets, task=Task(samples=100), training=Training(steps=7, batch_size=16, device="cpu"))
    run = wait_for_end(engine, engine.run(client.start(experiment)))
    assert run.checkpoint == run.step == 7
    alone = skipviz.train(experiment)
    list(alone)
    for name, query in (("norms", ""), ("norms", "?variant=norms"), ("gates", "?variant=gates")):
        status, headers, body = got(client, f"/skipviz/runs/{run.id}.safetensors{query}")
        assert status == 200
        assert f'{run.id}-{name}.safetensors"' in headers["content-disposition"]
        given, own = safetensors.torch.load(body), alone.model(name).state_dict()
        assert given.keys() == own.keys()
        assert all(torch.equal(given[part], own[part]) for part in own)
        assert skipviz.build(nets[name]).load_state_dict(given).missing_keys == []
    assert {"layers.f1.operation.weight", "head.bias"} <= given.keys()
    refused = got(client, f"/skipviz/runs/{run.id}.safetensors?variant=other")
    assert (refused[0], json.loads(refused[2])["error"]) == (
        404,
        "there is no network of this name in the run: it has norms, gates",
    )


def test_the_weights_of_a_run_that_goes_on_or_kept_none_are_refused_with_the_reason(client, engine, finished):  # noqa: F811
    going = client.start(endless())
    try:
        status, _, body = got(client, f"/skipviz/runs/{going}.safetensors")
        assert (status, json.loads(body)["error"]) == (
            409,
            "this run still goes on: its weights can be had once it has ended",
        )
    finally:
        client.post(going, {"kind": "stop"})
    run, kept = engine.run(finished), engine.run(finished).checkpoint_file
    try:
        run.checkpoint_file = None  # as of a run that was kept before weights were
        status, _, body = got(client, f"/skipviz/runs/{finished}.safetensors")
        assert (status, json.loads(body)["error"]) == (409, "the weights of this run are not kept")
    finally:
        run.checkpoint_file = kept


def test_the_weights_give_the_last_numbers_of_the_run_exactly(client, engine):  # noqa: F811
    experiment = small(steps=9, device="cpu")
    still = RateEvent(step=8, learning_rate=0)  # so that the last frame is measured at the weights that are kept
    run = wait_for_end(engine, engine.run(engine.submit(experiment, "me", events=[still])))
    status, headers, body = got(client, f"/skipviz/runs/{run.id}.safetensors")
    assert (status, f'{run.id}.safetensors"' in headers["content-disposition"]) == (200, True)
    model = skipviz.build(experiment.network).eval()
    model.load_state_dict(safetensors.torch.load(body))
    data, last = dataset(experiment.task), frames_of(run)[-1]
    indices = Batches(len(data.x), 16, 0).indices(8)
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(model(torch.tensor(data.x[indices])), torch.tensor(data.y[indices]))
        right = model(torch.tensor(data.held_out_x)).argmax(1) == torch.tensor(data.held_out_y)
    assert last["step"] == 8
    assert numpy.float32(last["variants"]["net"]["loss"]) == loss.numpy()
    assert numpy.float32(last["variants"]["net"]["held_out"]) == right.float().mean().numpy()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda file: file.unlink(), "the weights of this run are no longer there"),
        (lambda file: file.write_bytes(file.read_bytes()[:500]), "the weights that were kept of this run cannot be read"),
        (lambda file: file.write_bytes(b"no checkpoint"), "the weights that were kept of this run cannot be read"),
        (lambda file: numpy.savez(file, a=numpy.ones(3)), "the weights that were kept of this run cannot be read"),
    ],
)
def test_weights_that_are_damaged_or_gone_are_answered_with_a_sentence(client, engine, spoil, sentence):  # noqa: F811
    run = wait_for_end(engine, engine.run(engine.submit(small(steps=3), "me")))
    spoil(Path(*engine.checkpoint(run)))
    status, _, body = got(client, f"/skipviz/runs/{run.id}.safetensors")
    assert (status, json.loads(body)["error"]) == (409, sentence)
