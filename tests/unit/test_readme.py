"""What the README promises is there and runs."""

import re
from pathlib import Path

from skipviz.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_named():
    missing = [name for name in Settings.model_fields if f"`SKIPVIZ_{name.upper()}`" not in README]
    assert missing == []


def test_the_first_two_commands_run_the_app_and_the_tests():
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.S)[:2]
    assert commands[0].endswith(".venv/bin/streamlit run app.py")
    assert commands[1] == "bash tests/run"


def test_the_network_written_out_trains(capsys):
    block = re.search(r"```python\n(.*?)```", README, re.S)[1].replace("steps=500", "steps=3")
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4
    assert int(printed[0]) > 0


def test_every_picture_is_there():
    assert all((ROOT / path).is_file() for path in re.findall(r"!\[.*?\]\((.*?)\)", README))
