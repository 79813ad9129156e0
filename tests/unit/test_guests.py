"""Scripts that watch their own module come in by a socket: they have a run, whatever they send, and nothing else."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from engines import small, wait_for
from guests import Guest, frame_line, greeting_of, two_layers

from skipviz.engine import Engine, EngineError
from skipviz.engine.guests import LEFT, MOST
from skipviz.settings import Settings
from skipviz.storage import Run
from skipviz.storage.folder import LONGEST_SOCKET, socket_of

ROOT = Path(__file__).resolve().parents[2]
ME = "a-browser-of-a-test-1234"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    engine = Engine(Settings(data_dir=tmp_path_factory.mktemp("guests"))).start()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def watched():
    return two_layers()


def test_a_guests_run_holds_its_frames_ends_as_it_says_and_is_listed_for_every_browser(own, watched):
    with Guest(own) as guest:
        run = own.run(guest.greet(greeting_of(watched))["run"])
        assert (run.state, run.title, run.header["variants"]) == ("running", "Two layers", watched.run.header["variants"])
        guest.say(*map(frame_line, watched.run.frames), b"at 7\n", b'end ["finished",null]\n')
        assert guest.lines.read() == b""
    assert (run.state, run.step, run.steps, run.frames) == ("finished", 7, 7, watched.run.frames)
    assert run.id in [one["id"] for one in own.runs_of(ME)]
    assert own.rename(run.id, ME, "mine")["title"] == "mine"
    assert own.delete(run.id, ME) == {"ok": True}


def test_a_live_run_of_a_script_is_said_to_have_as_many_steps_as_it_needs(own, watched):
    with Guest(own) as guest:
        run = own.run(guest.greet(greeting_of(watched))["run"])
        for step, steps in ((999, 1000), (1001, 2000), (5000, 8000)):
            guest.say(b"at %d\n" % step)
            wait_for(own, lambda step=step: run.step == step)
            assert run.steps == steps
            assert json.loads(run.update(run.sequence)[1])["steps"] == steps
        guest.say(b'end ["stopped",null]\n')
        wait_for(own, lambda: run.ended)
        assert run.steps == 5000


def test_nobody_but_its_script_controls_a_run_and_nobody_trains_its_network(own, watched):
    with Guest(own) as guest:
        run = own.run(guest.greet(greeting_of(watched))["run"])
        for message in ({"kind": "stop"}, {"kind": "pause"}, {"kind": "skip", "ids": ["s1"], "on": False}):
            with pytest.raises(EngineError, match="script's own"):
                own.post(run.id, ME, message)
        with pytest.raises(EngineError, match="goes on"):
            own.delete(run.id, ME)
        assert own.figures()["queue_length"] == 0
    wait_for(own, lambda: run.ended)
    with pytest.raises(EngineError, match="nothing to go on from"):
        own.resume(run.id, ME)
    with pytest.raises(EngineError, match="somebody's own module"):
        own.submit(run.experiment, ME)
    axes = [{"field": "seed", "values": [0, 1]}]
    with pytest.raises(EngineError, match="only its script can train"):
        own.jobs.submit("sweep", {"base": greeting_of(watched)["experiment"], "axes": axes}, ME)
    assert "somebody's own module" in own.probe(run.experiment)["problem"]


def test_a_guest_that_is_gone_without_a_word_leaves_an_interrupted_run_that_nobody_is_offered_to_resume(own, watched):
    with Guest(own) as guest:
        run = own.run(guest.greet(greeting_of(watched))["run"])
        guest.say(frame_line(watched.run.frames[0]), b"at 1")
    wait_for(own, lambda: run.ended)
    assert (run.state, run.reason, run.resumable, len(run.frames)) == ("interrupted", LEFT, False, 1)
    (listed,) = [one for one in own.runs_of(ME) if one["id"] == run.id]
    assert listed["resumable"] is False


def test_a_script_that_is_killed_leaves_what_it_had_recorded(own):
    environment = {**os.environ, "SKIPVIZ_DATA_DIR": str(own.settings.data_dir), "SKIPVIZ_WATCH": "1", "PYTHONPATH": str(ROOT)}
    before = {one["id"] for one in own.runs_of(ME)}
    command = [sys.executable, str(ROOT / "tests" / "watched_script.py"), "20", "kill"]
    script = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert script.returncode == -signal.SIGKILL
    (run,) = [own.run(one["id"]) for one in own.runs_of(ME) if one["id"] not in before]
    wait_for(own, lambda: run.ended)
    assert (run.state, run.reason, run.step, len(run.frames)) == ("interrupted", LEFT, 20, 20)
    assert script.stderr.count("\n") == 1
    assert "2 residual skips over 6 layers; live at" in script.stderr


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe" * 100,
        b"[" * 100_000,
        b'{"experiment": {"variants": {}}}',
        json.dumps({"experiment": json.loads(small().to_json()), "header": {}}).encode(),
        b" " * 5_000_000,
    ],
    ids=["nothing", "cut", "list", "bytes", "nested", "empty", "not watched", "too long"],
)
def test_a_first_line_that_says_no_module_is_refused_in_a_sentence_and_makes_no_run(own, line):
    count = len(own.runs_of(ME))
    with Guest(own) as guest:
        try:
            guest.say(line + b"\n")
            answer = guest.lines.readline()
        except OSError:
            answer = b""
        assert not answer or json.loads(answer)["refused"]
    assert len(own.runs_of(ME)) == count


WRONG = ("another name", "too few", "text", "no number", "unknown field", "no step", "no event")


def wrong_frames(watched):
    """Return frames that are none of the module's, by what is wrong with them."""
    frame = json.loads(watched.run.frames[0])
    values = frame["variants"]["model"]
    number = values["weight_grad"][0]

    def of(**changes):
        return {**frame, "variants": {"model": {**values, **changes}}}

    wrong = (
        {**frame, "variants": {"other": values}},
        of(weight_grad=[number]),
        of(weight_grad=["x"] * len(values["weight_grad"])),
        of(loss=float("nan")),
        of(picture={"kind": "boundary"}),
        {**frame, "step": -1},
        {**frame, "events": [{"kind": "stop"}]},
    )
    return dict(zip(WRONG, wrong, strict=True))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_frame_that_is_none_of_its_modules_ends_the_run_with_a_sentence(own, watched, wrong):
    with Guest(own) as guest:
        run = own.run(guest.greet(greeting_of(watched))["run"])
        payload = json.dumps(wrong_frames(watched)[wrong], separators=(",", ":")).encode()
        guest.say(frame_line(payload))
        assert guest.lines.read() == b""
    assert (run.state, run.reason, run.frames) == ("interrupted", "a line of its script was no frame", [])


@pytest.mark.parametrize(
    "line",
    [b"checkpoint 3\n", b"at -1\n", b'at "1"\n', b"at 1e400\n", b"took 0\n", b'end ["queued",null]\n', b"frame 1\n", b"\n\n"],
)
def test_a_line_that_a_guest_does_not_say_ends_its_run_and_no_other(own, watched, line):
    with Guest(own) as other, Guest(own) as guest:
        beside = own.run(other.greet(greeting_of(watched))["run"])
        run = own.run(guest.greet(greeting_of(watched))["run"])
        guest.say(line)
        assert guest.lines.read() == b""
        assert (run.state, beside.state) == ("interrupted", "running")


def test_the_socket_is_its_users_alone_and_takes_only_so_many_guests(own, watched):
    assert stat.S_IMODE(socket_of(own.settings.data_dir).stat().st_mode) == 0o600
    guests = [Guest(own) for _ in range(MOST + 1)]
    try:
        answers = [guest.greet(greeting_of(watched)) for guest in guests]
        assert ["refused" in answer for answer in answers] == [False] * MOST + [True]
    finally:
        for guest in guests:
            guest.__exit__()
    for answer in answers[:MOST]:
        wait_for(own, lambda answer=answer: own.run(answer["run"]).ended)


def test_a_public_server_has_no_socket_and_lists_no_guests(tmp_path):
    engine = Engine(Settings(data_dir=tmp_path, public=True)).start()
    try:
        assert not socket_of(tmp_path).exists()
        assert engine.runs_of(ME) == []
    finally:
        engine.close()


def test_a_second_server_of_a_folder_leaves_the_first_ones_guests_alone(own, watched):
    second = Engine(own.settings).start()
    second.close()
    with Guest(own) as guest:
        assert own.run(guest.greet(greeting_of(watched))["run"]) is not None


def test_an_orderly_stop_ends_a_guests_run_with_its_own_sentence_and_it_is_there_again(tmp_path, watched):
    engine = Engine(Settings(data_dir=tmp_path)).start()
    with Guest(engine) as guest:
        run_id = guest.greet(greeting_of(watched))["run"]
        guest.say(*map(frame_line, watched.run.frames))
        wait_for(engine, lambda: len(engine.run(run_id).frames) == len(watched.run.frames))
        engine.close()
    assert not socket_of(tmp_path).exists()
    again = Engine(Settings(data_dir=tmp_path)).start()
    try:
        run = again.run(run_id)
        assert (run.state, run.reason) == ("interrupted", "the server was stopped; the script trained on without it")
        assert (run.frames, run.steps) == (watched.run.frames, max(1, run.step))
    finally:
        again.close()


def test_a_folder_with_a_long_name_has_its_socket_elsewhere(tmp_path, monkeypatch):
    temporary = Path(tempfile.mkdtemp(prefix="t"))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    deep = tmp_path / ("x" * 120)
    path = socket_of(deep, make=True)
    assert len(os.fsencode(path)) <= LONGEST_SOCKET + 8
    assert path.parent.parent == temporary
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    shutil.rmtree(temporary)


def test_a_module_that_is_trained_here_takes_the_steps_it_was_begun_with_and_can_go_on(watched):
    run = Run("r", ME, watched.run.experiment, state="interrupted", step=40)
    assert (run.steps, run.resumable) == (watched.run.experiment.training.steps, True)
