"""What travels between the server and its workers: lines of JSON. Imports no torch.

To a worker: a first line with the request, then one event or control a line. From a worker: a word, a space and JSON,
so that the server stores and forwards frames without ever decoding them. JSON never holds a line break.

    header {…}              the run's header
    frame 12 1 {…}          what was measured at step 12; 1: an event acted, 0: none did
    event {…}               an event, with the step at which it acted
    at 40                   steps taken
    took 0.0123             seconds that a step takes lately, without what it waits between two
    state "paused"          or "running"
    resumed [40, 2]         it goes on from a checkpoint at step 40, in which two events have acted
    checkpoint 80           it can go on from step 80; null: only from the first
    diverged {…}            variants that diverged: step and layer
    end ["finished", null]  the last line: the run's last state and the reason
    row {…}                 of a job: a further row
    at 0.25                 of a job: how much of it is done
    takes 35                of a job: the MB that it expects to take from now on
    probe [7, {…}, null]    a measurement's number, its result, or a sentence that says why there is none

A guest, which is a script that watches a module of its own, writes frame, event, at, took and end after a line of JSON with the
experiment, its header and a title; it is answered once, by {"run": …, "address": …} or {"refused": sentence}.
"""

from __future__ import annotations

import json

from ...learning.frame_text import encode_frame

__all__ = ["Lines", "encode", "encode_frame"]


def encode(data) -> bytes:
    """Return compact JSON; raises `ValueError` for NaN or infinity."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).encode()


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, without their line breaks."""
        if b"\n" not in data:
            self._rest.append(data)
            return []
        *lines, rest = (b"".join(self._rest) + data).split(b"\n")
        self._rest = [rest] if rest else []
        return lines
