"""The Dockerfile's lines, read and performed by hand where no container engine runs: all but the packages' installation."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from ports import free_port

ROOT = Path(__file__).resolve().parents[2]
BIN = str(Path(sys.prefix) / "bin")
PATIENCE = 90


def lines() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions: (word, rest)."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    found = [line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(word, rest.strip()) for word, rest in found]


def all_of(word: str) -> list[str]:
    return [rest for found, rest in lines() if found == word]


def environment() -> dict[str, str]:
    """Return what the ENV lines set."""
    return dict(part.split("=", 1) for rest in all_of("ENV") for part in shlex.split(rest))


def copied() -> dict[str, str]:
    """Return what the COPY lines copy, source → target."""
    return dict(rest.split() for rest in all_of("COPY"))


def listed() -> tuple[list[str], set[str]]:
    """Return the lines of .dockerignore, and the top-level names that it lets through."""
    rules = (ROOT / ".dockerignore").read_text().split()
    return rules, {rule[1:] for rule in rules if rule.startswith("!")}


def test_what_is_copied_is_there_and_is_let_through_and_nothing_else_is():
    rules, through = listed()
    assert rules[0] == "*"
    assert set(copied()) == through
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_torch_is_the_version_that_the_requirements_pin_from_the_index_without_cuda():
    [pinned] = [line for line in (ROOT / "requirements.txt").read_text().split() if line.startswith("torch==")]
    [install] = [rest for rest in all_of("RUN") if "torch" in rest]
    assert pinned in install.split()
    assert "https://download.pytorch.org/whl/cpu" in install.split()


def test_the_server_runs_as_a_user_of_its_own_in_safe_mode():
    words = [word for word, _ in lines()]
    assert all_of("USER") == ["skipviz"]
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in ("RUN", "COPY"))
    assert environment()["SKIPVIZ_PUBLIC"] == "1"
    assert environment()["SKIPVIZ_DATA_DIR"] in all_of("VOLUME")


def test_commands_are_lists_so_that_signals_reach_the_server():
    assert isinstance(json.loads(all_of("CMD")[0]), list)
    assert isinstance(json.loads(all_of("HEALTHCHECK")[0].partition("CMD ")[2]), list)


@pytest.fixture
def container():
    """The app as the Dockerfile lays it out, its environment and, where root runs these tests, its user, who may read it."""
    folder = Path(tempfile.mkdtemp(prefix="skipviz-container-"))  # a folder of pytest's own would be root's alone
    folder.chmod(0o755)
    app, data = folder / "app", folder / "data"
    app.mkdir()
    for source, target in copied().items():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, app / target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy(ROOT / source, app / target)
    [compiling] = [rest for rest in all_of("RUN") if "compileall" in rest]
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    subprocess.run(shlex.split(compiling), cwd=app, env={**os.environ, **path}, check=True)
    data.mkdir()
    user, commands = {}, BIN
    if os.getuid() == 0 and (found := commands_for(the_images_user(), folder)):
        user, commands = the_images_user(), found
        os.chown(data, user["user"], user["group"])
        assert {(path.stat().st_uid, path.stat().st_mode & 0o002) for path in (app, *app.rglob("*"))} == {(0, 0)}
    path = {"PATH": f"{commands}:{os.environ['PATH']}"}
    options = user | {"cwd": app, "env": {**path, "HOME": str(data), **environment(), "SKIPVIZ_DATA_DIR": str(data)}}
    options["env"] |= {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_PORT": str(free_port())}
    yield options
    shutil.rmtree(folder)


def the_images_user() -> dict:
    """Return how a command runs as the image's user."""
    [number] = [int(rest.split("--uid ")[1].split()[0]) for rest in all_of("RUN") if "useradd" in rest]
    return {"user": number, "group": number, "extra_groups": []}


def commands_for(user: dict, folder: Path) -> str | None:
    """Return a folder of commands that `user` may run, or None where our packages are closed to that user: this
    environment's, or where its Python is root's alone, the system's with the same packages."""

    def may_run(commands: Path) -> bool:
        try:
            return subprocess.run([commands / "python", "-c", "import streamlit, skipviz"], **user, cwd=ROOT).returncode == 0
        except PermissionError:
            return False

    if may_run(Path(BIN)):
        return BIN
    system = shutil.which(f"python3.{sys.version_info.minor}", path=os.defpath)
    if system is None:
        return None
    environment = folder / "venv"
    subprocess.run([system, "-m", "venv", "--without-pip", environment], check=True)
    [packages] = environment.glob("lib/*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib"))
    command = environment / "bin" / "streamlit"
    command.write_text(f"#!{environment}/bin/python\nfrom streamlit.web.cli import main\nmain()\n")
    command.chmod(0o755)
    return str(command.parent) if may_run(command.parent) else None


def is_healthy(options) -> bool:
    """Run the health check's own command and return whether it succeeds."""
    command = json.loads(all_of("HEALTHCHECK")[0].partition("CMD ")[2])
    return subprocess.run(command, **options, stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_the_laid_out_app_becomes_healthy_writes_only_to_its_data_and_ends_on_sigterm(container, tmp_path):
    assert not is_healthy(container)
    laid_out = files_in(container["cwd"])
    with (tmp_path / "log.txt").open("w+") as log:
        server = subprocess.Popen(json.loads(all_of("CMD")[0]), **container, stdout=log, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + PATIENCE
            while not is_healthy(container):
                assert server.poll() is None, Path(log.name).read_text()
                assert time.monotonic() < end, Path(log.name).read_text()
            helpers = psutil.Process(server.pid).children(recursive=True)
            assert helpers
            user = container.get("user", os.getuid())
            assert {one.uids().effective for one in (psutil.Process(server.pid), *helpers)} == {user}
            begin_a_run(container["env"]["STREAMLIT_SERVER_PORT"])
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) in (0, -signal.SIGTERM)
            assert psutil.wait_procs(helpers, timeout=PATIENCE)[1] == []
        finally:
            server.kill()
            server.wait()
    assert files_in(container["cwd"]) == laid_out


def files_in(folder: Path) -> dict[str, int]:
    """Return every file of a folder with the time of its last change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def begin_a_run(port: str) -> None:
    """Start a run as a browser does: as long as a public server lets it be, and slow enough to last."""
    address = f"http://127.0.0.1:{port}/"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"accept": "text/html"})) as page:
        cookie = page.headers["set-cookie"].partition(";")[0]
    network = {"layers": [{"op": {"kind": "linear", "width": 2}}]}
    body = json.dumps({"experiment": {"variants": {"a": network}, "training": {"steps": 20_000}}, "speed": 20}).encode()
    headers = {"cookie": cookie, "content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address + "skipviz/runs", body, headers)) as answer:
        assert answer.status == 201
