"""The guide's example of watching runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "assets" / "guide" / "watch.md"


def test_the_thirty_lines_train_and_show_six_skips(capsys):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    example = next(block for block in blocks if "load_digits" in block)
    names: dict = {}
    exec(compile(example, "watch.md", "exec"), names)
    watched, lines = names["watched"], capsys.readouterr().out.splitlines()
    assert 25 <= len([line for line in example.splitlines() if line.strip()]) <= 32
    assert len(lines) == 5
    assert float(lines[-1].split()[-1]) < 0.7 < float(lines[0].split()[-1]) + 0.3
    assert len(watched.network.skips) == 6
    assert len(watched.run.frames) > 3
    assert watched.remarks == []
