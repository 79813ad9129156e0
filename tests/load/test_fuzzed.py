"""The short form of coverage-guided fuzzing; see `fuzz.py` for the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import CASES

pytest.importorskip("atheris", reason="atheris does not install here")
FUZZ = Path(__file__).with_name("fuzz.py")


def test_what_reaches_new_code_is_taken_or_refused_within_the_bounds(tmp_path):
    command = [sys.executable, FUZZ, "everything", f"-atheris_runs={10 * CASES}", "-seed=1"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    # Through a shell: a process begins with the peak of memory of the one it was forked from, here that of thousands of tests.
    told = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *command], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert told.returncode == 0, told.stdout[-1000:] + told.stderr[-3000:]
    for target in ("links", "documents", "commands", "events", "files"):
        assert f" {target}, " in told.stdout
