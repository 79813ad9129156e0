"""Where one run is computed: a process of its own that trains, records frames and takes events between steps.

Started by the fork server, or as a fresh process: `python -m skipviz.engine.processes.worker`, which speaks over stdin and stdout.
Imports torch, never streamlit.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import deque

from ...learning.checkpoint import CheckpointError
from ...learning.seeds import Seeds
from ...learning.setup import prepare
from ...learning.trainer import Trainer
from ...network.base import NetworkError
from ...settings import usable_cores
from ...tasks.event import Control, message_from
from ...tasks.experiment import Experiment
from ...tasks.own import UploadError
from ...tasks.uploads import Uploads
from ...watch.errors import WatchError
from ..capacity import limits
from ..capacity.duration import step_seconds
from .channel import Channel, line, serve_over_pipes
from .checkpoints import Checkpoints
from .trainers import trainer_for
from .wire import encode_frame

PICTURE_PERIOD = 0.2
"""Seconds between two pictures: each costs a forward pass over a grid or a sample, and one over what is held out."""
PICTURE_REST = 10
"""Times what the last picture took that the next one waits at least, so that a slow network still trains most of the time."""
SLOW = 1 / 20
"""Seconds a step from which on every step is recorded: as held to, or as reckoned, since what is kept must not hang on how busy
a machine is; of a run that is slower than reckoned, every step passes by."""
EARLY = 1 / 100
"""Seconds a step, as reckoned, from which the first frame is sent without what a picture shows, and a moment later with it."""
LATELY = 50
"""Steps by which it is reported how long one takes."""
SETTLED = 0.5
"""Seconds after which a paused run in which nothing happens makes a checkpoint."""
LEAVE_SECONDS = 5.0
"""After a signal to end: by then a server that ends too has taken the worker along; if it lives, the run is interrupted."""


class Session:
    """One run from its first step to its last."""

    def __init__(self, channel: Channel, trainer: Trainer | Seeds, request: dict, checkpoints: Checkpoints) -> None:
        self._channel, self._trainer, self._checkpoints = channel, trainer, checkpoints
        self._began = request["experiment"]
        self._waiting: list = []
        self._paused, self._stopped, self._leaves = bool(request.get("paused")), False, False
        self._single_steps = 0
        self._speed: float | None = request.get("speed")
        self._baseline = bool(request.get("baseline"))
        self._sending_period = 1 / request["frames_per_second"]
        """Seconds between two sends, unless something is urgent, and after a frame from which a passing one is worth measuring."""
        self._due = time.monotonic()
        self._reckoned = step_seconds(trainer.experiment)
        if self._reckoned > EARLY:
            trainer.early = self._show_early
        self._acted: list[dict] = trainer.unshown
        self._touched = bool(self._acted)
        self._buffer = bytearray()
        self._sent = self._emitted = 0.0
        self._pictured = {False: 0.0, True: 0.0}
        """When the last picture was taken that is kept, and when the last of all."""
        self._reported_step = 0
        self._took: deque[float] = deque(maxlen=LATELY)
        """Seconds of the last steps; the first one, which is slower by far, counts only until there is another."""
        self._warm = False
        self._reported_diverged: set[str] = set(trainer.diverged)
        if request.get("resume"):
            self._put("resumed", [trainer.step, trainer.applied])
            if trainer.diverged:
                self._put("diverged", trainer.diverged)
        for message in request.get("events", ())[trainer.applied :]:
            self._take(message_from(message))

    def run(self) -> None:
        """Train until the steps are used up, every variant diverged, or the person stops it."""
        self._put("header", {**self._trainer.header(), "experiment": self._began})
        self._put("state", "paused" if self._paused else "running")
        self._flush()
        self._receive()
        while not (self._trainer.finished or self._stopped or self._leaves):
            if not self._rests():
                self._advance()
            self._receive()
        if self._trainer.finished or self._checkpoints.affordable():
            self._save()
        self._flush()
        self._channel.send("end", self._outcome())

    def _receive(self) -> None:
        """Take what has come, then apply the events whose step this is."""
        inbox = self._channel.inbox
        while inbox:
            message = inbox.popleft()
            if message["kind"] == "checkpoint":
                self._save()
                self._flush()
            elif message["kind"] == "leave":
                self._leaves = True
            else:
                self._take(message_from(message))
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            if self._trainer.takes(event):
                self._apply(event)
            else:
                self._waiting.append(event)

    def _take(self, message) -> None:
        if not isinstance(message, Control):
            self._waiting.append(message)
            return
        if message.kind == "stop":
            self._stopped = True
        elif message.kind == "speed":
            self._speed, self._due = message.steps_per_second, time.monotonic()
        elif message.kind == "ghost":
            self._baseline, self._touched = message.ghost, True
        elif message.kind == "step":
            self._single_steps += 1
            self._pause(True)
        else:
            self._pause(message.kind == "pause")

    def _pause(self, paused: bool) -> None:
        if paused != self._paused:
            self._paused, self._due = paused, time.monotonic()
            self._put("state", "paused" if paused else "running")
            self._flush()
        if not paused:
            self._single_steps = 0

    def _apply(self, event) -> None:
        try:
            self._trainer.apply(event)
        except NetworkError:
            return
        self._touched = True
        acted = event.model_copy(update={"step": self._trainer.step}).model_dump(mode="json", exclude_none=True)
        self._acted.append(acted)
        self._put("event", acted)

    def _rests(self) -> bool:
        """Wait while it is paused or the next step is not due, and return whether it did.

        What an event did is measured at once, without a step, so that it shows however slow the run is.
        """
        if self._paused:
            seconds = None if not self._single_steps else 0.0
        else:
            seconds = self._due - time.monotonic() if self._speed else 0.0
        if seconds is not None and seconds <= 0:
            return False
        if self._touched and (seconds is None or seconds > SLOW):
            self._measure_at_rest()
        if self._buffer:
            self._flush()
        if seconds is None and self._checkpoints.lacks(self._trainer):
            if not self._channel.wait(SETTLED):
                self._save()
        else:
            self._channel.wait(seconds)
        return True

    def _save(self) -> None:
        """Write a checkpoint and tell from which step the run can go on."""
        self._checkpoints.write(self._trainer)
        self._put("checkpoint", self._checkpoints.name)

    def _measure_at_rest(self) -> None:
        """Show the parameters before the step that waits; the frame of that step will take this one's place."""
        frame = self._trainer.measure(baseline=self._baseline, picture=True)
        frame.events = list(self._acted)
        self._touched = False
        self._emit(frame)
        self._flush()

    def _advance(self) -> None:
        """Take one step; record it as design and schedule say."""
        trainer, step = self._trainer, self._trainer.step
        slow = self._reckoned > SLOW or (self._speed is not None and self._speed < 1 / SLOW)
        training = trainer.experiment.training
        edge = step == 0 or step == training.steps - 1
        urgent = self._touched or bool(self._acted) or self._single_steps > 0 or edge
        record = urgent or slow or step % training.record_interval() == 0
        began = time.monotonic()
        passing = not record and began - self._emitted >= self._sending_period
        rest = max(PICTURE_PERIOD, PICTURE_REST * trainer.picture_seconds)
        picture = (record or passing) and (urgent or began - self._pictured[passing] >= rest)
        shown = record or passing
        frame = trainer.advance(record=shown, baseline=self._baseline and record, picture=picture, passing=passing)
        now = time.monotonic()
        if self._took and not self._warm:
            self._took.clear()
            self._warm = True
        self._took.append(now - began)
        self._touched = False
        self._single_steps = max(0, self._single_steps - 1)
        if self._speed:
            self._due = max(self._due + 1 / self._speed, now - SLOW)
        if picture:
            self._pictured |= {passing: now, True: now}
        self._acted.clear()
        if frame is not None:
            self._emitted = began  # so that what it takes to measure one makes the next no later
            self._emit(frame, passing and len(trainer.diverged) == len(self._reported_diverged))
        if now >= self._checkpoints.due:
            self._save()
        if urgent or now - self._sent >= self._sending_period:
            self._flush()

    def _emit(self, frame, passing: bool = False) -> None:
        """Send a frame; a passing one, between two of the schedule, is for who watches now and is not kept."""
        kind = 2 if passing else int(bool(frame.events))
        self._buffer += b"frame %d %d " % (frame.step, kind) + encode_frame(frame, passing) + b"\n"
        if len(self._trainer.diverged) > len(self._reported_diverged):
            self._reported_diverged = set(self._trainer.diverged)
            self._put("diverged", self._trainer.diverged)

    def _show_early(self, frame) -> None:
        """Send the first frame before its picture is made; the whole one takes its place."""
        self._emit(frame, passing=True)
        self._flush()

    def _put(self, word: str, data) -> None:
        self._buffer += line(word, data)

    def _flush(self) -> None:
        if self._trainer.step != self._reported_step:
            self._reported_step = self._trainer.step
            self._put("at", self._reported_step)
            if self._took:
                self._put("took", round(sum(self._took) / len(self._took), 6))
        if self._buffer:
            self._channel.write(bytes(self._buffer))
            self._buffer.clear()
        self._sent = time.monotonic()

    def _outcome(self) -> list:
        """Return the run's last state and, where it diverged, a sentence."""
        variants, diverged = self._trainer.experiment.variants, []
        for name, where in self._trainer.diverged.items():
            place = variants[name].place(where["layer"])
            diverged.append(f"{name} diverged at step {where['step']}: {place} gave the first number that is not finite")
        reason = "; ".join(diverged) or None
        if self._stopped and not self._trainer.finished:
            return ["stopped", reason]
        if self._leaves and not self._trainer.finished:
            return ["interrupted", "the run's worker was told to end"]
        everyone = len(diverged) == len(variants)
        return ["diverged" if everyone else "finished", reason]


def serve(channel: Channel) -> None:
    """Compute the run that the channel's first message asks for, and tell its end whatever happens."""
    request = channel.receive()
    try:
        experiment = Experiment.kept(request["experiment"])
        prepare(_threads(experiment), cuda=request["device"] == "cuda")
        limits.bound_memory(request["memory_mb"])
        checkpoints = Checkpoints(**request["checkpoints"])
        trainer = _trainer(experiment, request, checkpoints)
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=_leave, args=(channel,), daemon=True).start())
        Session(channel, trainer, request, checkpoints).run()
    except Exception as error:
        if not (limits.is_memory_error(error) or isinstance(error, UploadError | WatchError)):
            sys.excepthook(*sys.exc_info())
        channel.send("end", ["failed", limits.reason(error, request["memory_mb"])])


def _threads(experiment: Experiment) -> int:
    """Return how many threads compute the run: one, but all cores for a large module of a person's own."""
    return usable_cores() if experiment.task.watched and step_seconds(experiment) > SLOW else 1


def _trainer(experiment: Experiment, request: dict, checkpoints: Checkpoints) -> Trainer | Seeds:
    """Return a trainer at the checkpoint that the request names, or at the first step where it is not there or damaged."""
    uploads = Uploads(request["uploads"])
    trainer = trainer_for(experiment, request["device"], uploads)
    data = checkpoints.read(*request["resume"]) if request.get("resume") else None
    if data is None:
        return trainer
    try:
        trainer.load_state(data)
        return trainer
    except CheckpointError:
        checkpoints.name = None
        return trainer_for(experiment, request["device"], uploads)


def _leave(channel: Channel) -> None:
    """Make a checkpoint at once, and end if the server still lives a while later."""
    channel.put({"kind": "checkpoint"})
    time.sleep(LEAVE_SECONDS)
    channel.put({"kind": "leave"})


if __name__ == "__main__":
    serve_over_pipes(serve)
