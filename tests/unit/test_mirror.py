"""A run as another server shows it: whatever the one that trains it has written, every sequence stands for the same at both."""

import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from skipviz.network import families
from skipviz.storage.mirror import Mirror, shown
from skipviz.storage.record import Recorder, run_from
from skipviz.storage.run import Run
from skipviz.tasks.event import applied, message_from
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.task import Task

EXPERIMENT = Experiment(
    variants={"net": families.mlp(depth=4, width=4, skip_every=2)},
    task=Task(name="spiral", samples=100),
    training=Training(steps=5, batch_size=8),
)
LOCK = threading.Lock()


class Written:
    """What the server of a run writes of it, and the other server's run."""

    def __init__(self, run):
        self.run, self._recorder, self._place, self._edition = run, Recorder(run), 0, -1
        row, frames, record = self._new()
        self.mirror = Mirror(run_from(row, frames, record.experiment, record.header or b""))
        self.mirror.bring_up(row, [], b"")

    def _new(self):
        record = self._recorder.record(self._place, self._edition, LOCK)
        self._place, self._edition = record.places, record.row["edition"]
        facts = json.dumps(record.row["facts"] | shown(self.run))
        return {**record.row, "id": self.run.id, "facts": facts}, record.frames, record

    def ship(self):
        row, frames, record = self._new()
        self.mirror.bring_up(row, frames, record.header or b"")


def frame(run):
    return b'{"step":%d,"variants":{},"events":[],"seconds":0.1}' % run.step


def changed(run, kind):
    if kind in ("frame", "kept", "passing"):
        run.step += 1
        run.add_frame(frame(run), keep=kind == "kept", passing=kind == "passing")
    elif kind == "pause":
        run.state = "paused" if run.state == "running" else "running"
        run.mark()
    elif kind == "place":
        run.ahead, run.turn = 3, (2, 1.5)
        run.mark()
    else:
        event = message_from({"kind": "rate", "learning_rate": 0.5 + run.edits / 100})
        run.experiment = applied(run.experiment, event)
        run.events.append(event.model_dump(mode="json", exclude_none=True) | {"step": run.step})
        run.led = {"lab": len(run.events)}


@given(st.lists(st.sampled_from(["frame", "kept", "passing", "pause", "place", "event", "ship"]), max_size=40))
def test_every_viewer_is_told_the_same_at_both_servers(kinds):
    run = Run("a", "me", EXPERIMENT, state="running", began=EXPERIMENT, header_json=b"{}")
    written, cursors = Written(run), {0}
    for kind in [*kinds, "frame", "ship"]:
        if kind != "ship":
            changed(run, kind)
            continue
        written.ship()
        if run._passing:
            continue
        theirs = written.mirror.run
        cursors |= {run.sequence}
        assert theirs.sequence == run.sequence
        assert all(theirs.update(cursor) == run.update(cursor) for cursor in cursors)
        assert theirs.snapshot() == run.snapshot()
        assert (theirs.experiment, theirs.led, theirs.ahead, theirs.edits) == (run.experiment, run.led, run.ahead, run.edits)


def test_a_state_is_told_with_its_last_frame():
    run = Run("a", "me", EXPERIMENT, state="running", began=EXPERIMENT, header_json=b"{}")
    written = Written(run)
    theirs, told = written.mirror.run, []
    run.add_frame(frame(run))
    run.state = "finished"
    run.mark()
    add = theirs.add_frame
    theirs.add_frame = lambda *given: (told.append(theirs.state), add(*given))
    written.ship()
    assert (told, theirs.state) == (["running"], "finished")


def test_what_was_posted_here_is_shown_until_it_is_written_there():
    run = Run("a", "me", EXPERIMENT, state="running", began=EXPERIMENT)
    written = Written(run)
    before, theirs = run.experiment, written.mirror.run
    for rate in (0.25, 0.75):
        event = message_from({"kind": "rate", "learning_rate": rate})
        run.experiment = applied(run.experiment, event)
        run.waiting.append(event.model_dump(mode="json", exclude_none=True))
        if rate == 0.25:
            row, frames, _ = written._new()
        written.mirror.posted(run.experiment, run.edits)
    written.mirror.bring_up(row, frames, b"")
    assert theirs.experiment == run.experiment, "what is older does not come back"
    written.ship()
    assert theirs.experiment == run.experiment != before
    assert theirs.edits == run.edits
