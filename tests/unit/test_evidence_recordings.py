"""The recording of every claim, which a page shows until its server has measured it. That it is what is measured: tests/science.

`SKIPVIZ_RENEW_GOLDEN=1 pytest tests/unit/test_evidence_recordings.py` measures all of them anew, in a few minutes.
"""

from __future__ import annotations

import json
import math
import os
from datetime import date

import pytest

from skipviz.evidence.claims import CLAIMS
from skipviz.evidence.recording import FILE, columns, recordings, rows_of
from skipviz.sharing.link import torch_release


def written(name, rows):
    """Return a claim's line of the file; its verdict is of the rows as they stand there."""
    kept = columns(rows)
    verdict = CLAIMS[name].judged(rows_of(kept))
    return f"{json.dumps(name)}: {json.dumps({'columns': kept, 'verdict': verdict}, ensure_ascii=False, separators=(',', ':'))}"


def renew():
    """Measure every claim with its usual controls and write it down."""
    lines = ",\n".join(written(name, [row for _, row in claim.rows() if row]) for name, claim in CLAIMS.items())
    FILE.write_text(f'{{"date": "{date.today()}", "torch": "{torch_release()}", "claims": {{\n{lines}\n}}}}\n')
    recordings.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _renewed():
    if os.environ.get("SKIPVIZ_RENEW_GOLDEN"):
        renew()


def test_every_claim_has_a_recording():
    assert recordings().keys() == CLAIMS.keys()


@pytest.mark.parametrize("name", CLAIMS)
def test_a_recordings_verdict_is_what_its_claim_says_of_its_rows(name):
    recording = recordings()[name]
    judged = CLAIMS[name].judged(recording.rows)
    assert judged["holds"] == recording.verdict["holds"] is True
    assert judged["sentence"] == recording.verdict["sentence"]
    for row in recording.rows:
        assert {"x", "series", "measured"} <= row.keys()
        assert row["measured"] is None or math.isfinite(row["measured"])


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.expected])
def test_a_recording_is_of_the_usual_controls(name):
    """What is predicted of them stands in its rows."""
    claim, found = CLAIMS[name], recordings()[name].rows
    places = {(row["x"], row["series"]): row for row in found}
    for row in claim.expected(**claim.checked()):
        for kind in row.keys() & {"predicted", "low", "high"}:
            assert places[row["x"], row["series"]][kind] == pytest.approx(row[kind], rel=1e-4)
