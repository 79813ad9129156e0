"""What the README and the guide promise is there and runs."""

import re
from pathlib import Path

import pytest

from skipviz.settings import PUBLIC, Settings
from skipviz.web.content import guide

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = ROOT / "assets" / "guide"
TEXTS = {file: file.read_text(encoding="utf-8") for file in (ROOT / "README.md", *sorted(GUIDE.glob("*.md")))}
SETTINGS, PYTHON = TEXTS[GUIDE / "settings.md"], TEXTS[GUIDE / "python.md"]


def test_every_setting_is_named():
    missing = [name for name in Settings.model_fields if f"`SKIPVIZ_{name.upper()}`" not in SETTINGS]
    assert missing == []


HIDDEN = {"max_running": "cores, at least 4", "max_jobs": "half the cores", "total_memory_mb": "60 % of the machine's"}
"""Defaults that depend on the machine, as the README says them."""
TOGETHER = (
    ("max_running",), ("max_queued",), ("browser_running", "browser_queued"), ("starts_per_minute", "browser_starts_per_minute"),
    ("run_minutes", "run_steps", "run_parameters"), ("run_memory_mb",), ("step_seconds",),
    ("browser_jobs", "job_minutes"), ("unwatched_minutes", "paused_minutes"),
    ("cuda",), ("keep_days",),
)  # fmt: skip
"""The settings of each row of the table of public defaults."""


def rows_after(heading: str, part: str) -> list[list[str]]:
    """Return the cells of the table that follows `heading`, without its head."""
    lines = part.split(heading, 1)[1].splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("| --- |"))
    found = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            return found
        found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def test_every_default_is_the_settings_own():
    said = {cells[0].strip("`").removeprefix("SKIPVIZ_").lower(): cells[1] for cells in rows_after("# Settings", SETTINGS)}
    assert said.keys() == Settings.model_fields.keys()
    for name, field in Settings.model_fields.items():
        default = HIDDEN.get(name, field.default)
        wanted = {"": "none", True: "1", False: "0"}.get(default, str(default)) if isinstance(default, bool | str) else f"{default}"
        assert said[name] == wanted, name


def test_the_defaults_of_a_public_server_are_those_in_force():
    rows = rows_after("## A server for everybody", SETTINGS)
    assert len(rows) == len(TOGETHER)
    usual = {name: field.default for name, field in Settings.model_fields.items()}
    for names, (what, *columns) in zip(TOGETHER, rows, strict=True):
        for cell, values in zip(columns, (usual, PUBLIC), strict=True):
            if names == ("max_running",):
                assert cell == f"cores, at least {4 if values is usual else 2}"
            elif names == ("cuda",):
                assert cell == ("allowed" if values["cuda"] else "not allowed")
            else:
                numbers = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+", cell)]
                assert numbers == [values[name] for name in names], what
    assert set(PUBLIC) == {name for names in TOGETHER for name in names}


def test_the_first_two_commands_run_the_app_and_the_tests():
    commands = re.findall(r"```sh\n(.*?)\n```", README, re.S)[:2]
    assert commands[0].endswith(".venv/bin/streamlit run app.py")
    assert commands[1] == "bash tests/run"


def test_the_network_written_out_trains(capsys):
    block = re.search(r"```python\n(.*?)```", PYTHON, re.S)[1].replace("steps=500", "steps=3")
    exec(compile(block, "python.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 4
    assert int(printed[0]) > 0


def test_the_claim_written_out_is_measured(capsys):
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", PYTHON, re.S) if "evidence" in block]
    exec(compile(block, "python.md", "exec"), {})
    sentence, factor = capsys.readouterr().out.splitlines()
    assert sentence.startswith("The loss is the same to the bit.")
    assert float(factor) == pytest.approx(0.5**0.5)


def test_every_picture_is_there():
    assert all((ROOT / path).is_file() for path in re.findall(r"!\[.*?\]\((.*?)\)", README))


def test_the_readme_is_a_screen_and_a_half_and_ends_with_every_page_of_the_guide_in_its_order():
    assert len(README.splitlines()) < 60
    assert re.findall(r"\(assets/guide/([a-z-]+)\.md\)", README.split("## Guide", 1)[1]) == list(guide.PAGES)
    assert {file.stem for file in GUIDE.iterdir()} == set(guide.PAGES)


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_link_between_pages_leads_somewhere_on_a_code_host(file):
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[file]):
        if not target.startswith("http"):
            path, _, place = target.partition("#")
            goal = (file.parent / path).resolve() if path else file
            assert goal.exists(), target
            headings = re.findall(r"(?m)^#+ (.+)$", goal.read_text(encoding="utf-8")) if place else []
            assert not place or place in map(guide.anchor_of, headings), target
