"""What a worker records: a function of the run alone, however fast the machine is and whoever watches."""

import json
from collections import deque
from types import SimpleNamespace

import pytest
from engines import small

from skipviz.engine.processes import worker
from skipviz.engine.processes.checkpoints import Checkpoints
from skipviz.learning.trainer import Trainer
from skipviz.network import families
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

FAST, SLOW = 0.005, 0.2


class Told:
    """A channel that keeps what is written to it, and a clock that its waiting moves on."""

    def __init__(self):
        self.inbox, self.lines, self.now = deque(), [], 0.0

    def write(self, data):
        self.lines += data.splitlines()

    def send(self, word, data):
        self.write(worker.line(word, data))

    def wait(self, seconds=None):
        self.now += seconds
        return False

    def frames(self, *kinds):
        """Return the frames that are kept (1: of an event), or pass (2)."""
        cut = [line.split(b" ", 3) for line in self.lines if line.startswith(b"frame ")]
        return [json.loads(payload) for _, _, kind, payload in cut if int(kind) in kinds]


@pytest.fixture
def told(monkeypatch):
    """A function that runs an experiment on a machine whose steps take the seconds that it is given in turn.

    A picture is said to take `looking` seconds.
    """

    def told(experiment, seconds, events=(), looking=0.0, **request):
        trainer, channel = Trainer(experiment), Told()
        monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: channel.now))
        advance = trainer.advance

        def timed(**asked):
            channel.now += seconds[trainer.step % len(seconds)]
            frame = advance(**asked)
            trainer.picture_seconds = looking
            return frame

        trainer.advance = timed
        request |= {"experiment": experiment.model_dump(mode="json", exclude_defaults=True), "frames_per_second": 60}
        request["events"] = [event.model_dump(mode="json", exclude_none=True) for event in events]
        worker.Session(channel, trainer, request, Checkpoints(None, 10)).run()
        return channel

    return told


def steps(frames):
    return [frame["step"] for frame in frames]


def holding(name, frames):
    """Return the steps of the frames that have a field."""
    return {frame["step"] for frame in frames if name in frame["variants"]["net"]}


@pytest.mark.parametrize("seconds", [(FAST,), (SLOW,), (FAST, FAST, SLOW)], ids=["fast", "slow", "uneven"])
def test_the_same_run_keeps_the_same_frames_on_every_machine(told, seconds):
    events = [SkipEvent(ids=("s1-3",), on=False, step=33)]
    channel = told(small(steps=160, record_every=20), seconds, events)
    kept = channel.frames(0, 1)
    assert steps(kept) == sorted({*range(0, 160, 20), 33, 159})
    assert holding("held_out", kept) == {*range(0, 160, 20), 33, 159}
    assert channel.frames(2), "who watches sees it move between them"


def test_the_held_out_metric_keeps_its_schedule_beside_frames_that_pass_and_frames_of_events(told):
    events = [SkipEvent(ids=("s1-3",), on=False, step=31)]
    plain, switched = (told(small(steps=420, record_every=10), (FAST,), some) for some in ((), events))
    assert plain.frames(2)
    assert 31 in steps(switched.frames(1))
    first_kept = {-(-due // 10) * 10 for due in range(0, 420, 14)}
    for channel in (plain, switched):
        kept = channel.frames(0, 1)
        assert holding("held_out", kept) == {*first_kept, 419} | holding("picture", kept)
        assert holding("held_out", kept) - holding("picture", kept), "the schedule is followed where no picture is due"


def test_the_held_out_metric_is_taken_with_every_picture_and_of_the_same_parameters(told):
    channel, same = told(small(steps=120, record_every=30), (FAST,)), Trainer(small(steps=120))
    for kinds in ((0, 1), (2,)):
        frames = channel.frames(*kinds)
        assert len(holding("picture", frames)) > 1
        assert holding("picture", frames) <= holding("held_out", frames)
    assert holding("held_out", channel.frames(2)) == holding("picture", channel.frames(2)) < set(steps(channel.frames(2)))
    taken = {frame["step"]: frame["variants"]["net"].get("held_out") for frame in channel.frames(0, 1, 2)}
    for step in range(120):
        if taken.get(step) is not None:
            assert taken[step] == pytest.approx(same.measure().variants["net"].held_out)
        same.advance(record=False)


def test_it_is_told_what_a_step_takes_without_its_waiting_and_its_first_step(told):
    def took(*args, **asked):
        return [float(line.split()[1]) for line in told(small(steps=5), *args, **asked).lines if line.startswith(b"took ")]

    assert took((0.5, 0.02, 0.02, 0.02, 0.02))[-1] == pytest.approx(0.02)
    assert took((0.5, 0.02, 0.02, 0.02, 0.02))[0] == pytest.approx(0.5)
    assert took((0.01,), speed=2)[-1] == pytest.approx(0.01)


def test_a_picture_that_takes_long_is_taken_less_often(told):
    quick, slow = (told(small(steps=400, record_every=1), (FAST,), looking=looking) for looking in (0.0, 0.1))
    assert len(holding("picture", quick.frames(0, 1))) > 2 * len(holding("picture", slow.frames(0, 1))) > 4


def wide(steps=3):
    """Return an experiment whose steps are reckoned slow."""
    training = Training(steps=steps, batch_size=1024, record_every=100)
    network = families.mlp(depth=6, width=400)
    return Experiment(variants={"net": network}, task=Task(name="spiral", samples=2000), training=training)


def test_every_step_of_a_network_whose_steps_are_reckoned_slow_is_kept(told):
    assert steps(told(wide(), (FAST,)).frames(0, 1)) == [0, 1, 2]


def test_the_first_frame_of_a_slow_network_is_shown_before_its_picture_is_made_and_kept_with_it(told):
    channel = told(wide(), (FAST,))
    early, kept = channel.frames(2), channel.frames(0, 1)
    assert steps(channel.frames(0, 1, 2)) == [0, 0, 1, 2]
    assert channel.frames(0, 1, 2)[0] == early[0]
    later = {"picture", "held_out", "balanced_accuracy", "recall", "learning_rate", "update_ratio"}
    whole = kept[0]["variants"]["net"]
    assert whole.keys() - early[0]["variants"]["net"].keys() <= later <= whole.keys()
    assert early[0]["variants"]["net"]["weight_grad"] == pytest.approx(whole["weight_grad"], rel=1e-5)
    alone = Trainer(wide()).advance(record=True, picture=True).variants["net"]
    assert whole["weight_grad"] == pytest.approx(alone.weight_grad, rel=1e-8)
    assert whole["update_ratio"] == pytest.approx(alone.update_ratio, rel=1e-8)
    assert not told(small(steps=3, record_every=1), (FAST,)).frames(2)


def test_every_step_of_a_run_that_is_held_to_a_slow_speed_is_kept(told):
    channel = told(small(steps=6, record_every=100), (FAST,), speed=19)
    assert steps(channel.frames(0, 1)) == list(range(6))


def test_what_a_worker_writes_late_is_never_what_another_goes_on_from(tmp_path):
    """As a worker does that was cut off while its run goes on elsewhere, with other events."""
    cut_off, taken_over = Checkpoints(str(tmp_path), 10), Checkpoints(str(tmp_path), 10)
    taken_over.write(SimpleNamespace(step=40, applied=1, state_bytes=lambda: b"with an event"))
    cut_off.write(SimpleNamespace(step=40, applied=0, state_bytes=lambda: b"without"))
    cut_off.write(SimpleNamespace(step=40, applied=2, state_bytes=lambda: b"with others"))
    assert Checkpoints(str(tmp_path), 10).read(taken_over.name) == b"with an event"
