"""One run in a list, from memory or from the table: the same fields either way."""

from __future__ import annotations

import json

from .run import ENDED, GUEST, Run, resumable
from .summary import latest_of, summary_of

MOST_LISTED = 500
"""Runs of one browser that are listed, the newest; older ones are kept like others."""


def listing_of(run: Run) -> dict:
    """Return what a list shows of a run in memory."""
    latest = latest_of(reversed(run.frames))
    about = {"id": run.id, "owner": run.owner, "title": run.title, "state": run.state, "reason": run.reason, "step": run.step}
    times = {"created": run.created, "ended": run.ended_at, "bytes": run.bytes}
    return _listing({**about, **times, "checkpoint": run.checkpoint}, {**summary_of(run.experiment), "steps": run.steps}, latest)


def listing_from(row: dict) -> dict:
    """Return what a list shows of a row of the table."""
    summary = json.loads(row["summary"])
    return _listing(row, summary, summary.get("latest", {}))


def _listing(row: dict, summary: dict, latest: dict) -> dict:
    names = ("id", "title", "state", "reason", "step", "created", "ended", "bytes")
    shown = ("task", "metric", "steps", "variants", "depth", "parameters", "skips_on", "skips_total")
    return {
        **{name: row[name] for name in names},
        **{name: summary[name] for name in shown},
        "labels": summary.get("labels", summary["variants"]),
        "loss": latest.get("loss", {}),
        "held_out": latest.get("held_out", {}),
        "held_out_step": latest.get("held_out_step", {}),
        "resumable": row["owner"] != GUEST and resumable(row["state"], row["checkpoint"]),
        "resumes_at": row["checkpoint"] or 0,
        "weights": row["state"] in ENDED and row["checkpoint"] is not None,
    }
