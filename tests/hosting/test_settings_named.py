"""What the files for hosts set and link to is there."""

import re
from pathlib import Path

import pytest

from skipviz.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
HOSTING = ROOT / "assets" / "hosting"
FILES = [ROOT / "Dockerfile", HOSTING / "skipviz.service", HOSTING / "README.md"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file):
    named = set(re.findall(r"SKIPVIZ_([A-Z_]+)", file.read_text()))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_link_of_the_page_leads_somewhere():
    targets = re.findall(r"\]\(([^)#]+)", (HOSTING / "README.md").read_text())
    assert len(targets) > 2
    assert [target for target in targets if not (HOSTING / target).exists()] == []


def test_the_service_gives_runs_time_to_be_kept_and_stops_the_server_alone():
    lines = dict(line.split("=", 1) for line in (HOSTING / "skipviz.service").read_text().splitlines() if re.match(r"\w+=", line))
    assert int(lines["TimeoutStopSec"]) >= 60
    assert lines["KillMode"] == "mixed"
    assert lines["User"] != "root"
    assert lines["ExecStart"].endswith("/streamlit run app.py --server.address 127.0.0.1 --server.port 8501")
