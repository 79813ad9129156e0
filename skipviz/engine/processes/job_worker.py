"""Where one job is computed: a process of its own that gives way to runs and sends rows as they come.

Started by the fork server, or as a fresh process: `python -m skipviz.engine.processes.job_worker`. Imports torch, never streamlit.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator

from ...evidence.claims import CLAIMS
from ...learning.cell import cell_row
from ...learning.setup import prepare
from ...tasks.experiment import Experiment
from ...tasks.own import UploadError
from ...tasks.sweep import Sweep
from ...tasks.uploads import Uploads
from ..capacity import limits
from .channel import Channel, line, serve_over_pipes

NICENESS = 5
"""Beyond that of a run's worker, so that what is looked at live comes first."""
SENDING_PERIOD = 0.1
"""Seconds between two words on the progress."""

Rows = Iterator[tuple[float, dict]]
"""Progress 0…1 and a row, as JSON data."""


class _StoppedError(BaseException):
    """The person has stopped the job; no `except Exception` on the way may take it for a failure."""


class Session:
    """What a kind of job needs of its worker: who stops it, what it may take, and the data of people's own."""

    def __init__(self, channel: Channel, request: dict) -> None:
        self._channel, self._request, self._sent = channel, request, 0.0
        self.uploads = Uploads(request["uploads"])
        self.rows: list[dict] = request["rows"]
        """Those that the job has already."""
        self.cells: list[int] | None = request.get("cells")
        """Of a sweep, those that are wanted; None: all."""

    def beat(self, progress: float) -> None:
        """Send the progress, now and then; to be called often, since here the job is stopped."""
        if self._channel.inbox:
            raise _StoppedError
        now = time.monotonic()
        if now - self._sent >= SENDING_PERIOD:
            self._sent = now
            self._channel.send("at", round(progress, 4))

    def refuse(self, experiment: Experiment) -> str | None:
        """Return why an experiment is over what a run may take here, or None; the server hears what it is expected to take."""
        most = self._request["most"]
        parameters = sum(network.parameter_count() for network in experiment.variants.values())
        for count, what in ((experiment.training.steps, "steps"), (parameters, "parameters")):
            if count > most[what]:
                return f"{count:,} {what} are more than the {most[what]:,} that a run may have on this server"
        self._channel.send("takes", round(limits.memory_mb(experiment)))
        return limits.refusal(experiment, self._request["memory_mb"])

    def explain(self, error: Exception) -> str:
        """Return in one sentence why something failed."""
        if isinstance(error, UploadError):
            return str(error)
        if limits.is_memory_error(error):
            return f"it needed more than the {limits.written(self._request['memory_mb'])} of memory that a run may take"
        text = " ".join(str(error).split())[:300]
        return f"{type(error).__name__}{': ' + text if text else ''}"


def sweep_rows(spec: dict, session: Session) -> Rows:
    """Yield the cells that a sweep has no row of yet."""
    sweep = Sweep.kept(spec)
    known = {row["cell"] for row in session.rows}
    missing = [index for index in session.cells or range(len(sweep)) if index not in known]
    for done, index in enumerate(missing, start=len(sweep) - len(missing)):
        row = cell_row(
            sweep.cell(index),
            session.uploads,
            lambda share, done=done: session.beat((done + share) / len(sweep)),
            session.refuse,
            session.explain,
        )
        yield (done + 1) / len(sweep), row


def claim_rows(spec: dict, session: Session) -> Rows:
    """Yield a claim's rows and at last its verdict; the first ones, which a job that goes on has already, are computed again and
    left out."""
    claim, rows = CLAIMS[spec["claim"]], []
    for progress, row in claim.rows(**spec.get("controls", {})):
        session.beat(progress)
        if row is None:
            continue
        rows.append(row)
        if len(rows) > len(session.rows):
            yield progress, row
    yield 1, claim.judged(rows)


KINDS: dict[str, Callable[[dict, Session], Rows]] = {"sweep": sweep_rows, "claim": claim_rows}


def serve(channel: Channel) -> None:
    """Compute the job that the channel's first message asks for, and tell its end whatever happens."""
    request = channel.receive()
    os.nice(NICENESS)
    prepare()
    limits.bound_memory(request["memory_mb"])
    session = Session(channel, request)
    try:
        for progress, row in KINDS[request["kind"]](request["spec"], session):
            channel.write(line("row", plain(row)) + line("at", round(progress, 4)))
            session.beat(progress)
        channel.send("end", ["finished", None])
    except _StoppedError:
        channel.send("end", ["stopped", None])
    except Exception as error:
        if not (limits.is_memory_error(error) or isinstance(error, UploadError)):
            sys.excepthook(*sys.exc_info())
        channel.send("end", ["failed", session.explain(error)])


def plain(value):
    """Return `value` as JSON data: numpy's numbers as Python's, and None for what is not finite."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    serve_over_pipes(serve)
