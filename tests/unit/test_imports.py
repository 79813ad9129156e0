"""Rooms import downwards only, and the server's rooms load neither torch nor scikit-learn."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "skipviz"

BELOW = {
    "network": set(),
    "tasks": {"network"},
    "learning": {"tasks", "network", "settings"},
    "evidence": {"learning", "tasks", "network", "settings"},
    "engine": {"evidence", "watch", "learning", "storage", "sharing", "tasks", "network", "settings", "version"},
    "storage": {"learning", "sharing", "tasks", "network", "settings"},
    "sharing": {"learning", "tasks", "network", "settings", "version"},
    "drawing": {"learning", "tasks", "network"},
    "watch": {"storage", "sharing", "drawing", "learning", "tasks", "network", "settings", "version"},
    "web": {"engine", "evidence", "storage", "sharing", "drawing", "learning", "tasks", "network", "settings", "version"},
}
"""What each may import besides itself: web → engine → evidence, watch → storage, sharing, drawing → learning → tasks → network."""

INSIDE = {
    "engine": ["processes", "capacity"],
    "web": ["screens", "sidebar", "component", "http", "content", "session_state", "document"],
}
"""The folders of a large room, from the highest down; a file that lies in none of them stands above all."""

FORBIDDEN = {
    "network": {"torch", "streamlit", "sklearn", "numpy"},
    "tasks": {"torch", "streamlit"},
    "learning": {"streamlit"},
    "evidence": {"streamlit"},
    "engine": {"streamlit"},
    "storage": {"torch", "streamlit"},
    "sharing": {"torch", "streamlit"},
    "drawing": {"torch", "streamlit"},
    "watch": {"streamlit"},
    "web": {"torch", "sklearn"},
}
"""Libraries that a room imports nowhere, not even inside a function."""

SERVER = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py") if path.parent.name != "learning")
"""Packages that the server imports; torch and scikit-learn come with none of them."""


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Return the full names of all that a file imports, wherever in it; its type-checking imports too."""
    found = set()
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {f"{module}.{alias.name}" for alias in node.names} | {module}
    return frozenset(found)


def test_a_file_imports_only_rooms_below_its_own_and_no_library_its_room_must_not_know():
    wrong = {}
    for path in sources():
        room, names = path.relative_to(PACKAGE).parts[0], imports_of(path)
        rooms = {name.split(".")[1] for name in names if name.startswith("skipviz.")} - {room, *BELOW[room]}
        above = {"skipviz"} & names  # the package's top stands above every room: import a room, or a file of it
        if found := rooms | above | {name.split(".")[0] for name in names} & FORBIDDEN[room]:
            wrong[str(path.relative_to(PACKAGE))] = found
    assert wrong == {}


def test_ray_is_imported_by_the_process_that_joins_a_cluster_alone():
    ours = "skipviz.engine.processes.cluster"
    found = {path: imports_of(path) for path in sources()}
    assert [path.stem for path, names in found.items() if any(name.split(".")[0] == "ray" for name in names)] == ["cluster"]
    assert [path for path, names in found.items() if any(name.startswith(ours) for name in names)] == []


@pytest.mark.parametrize(("room", "folder"), [(room, folder) for room, order in INSIDE.items() for folder in order])
def test_a_folder_of_a_room_imports_only_folders_below_it(room, folder):
    order = INSIDE[room]
    allowed = {folder, *order[order.index(folder) :]}
    names = set().union(*(imports_of(path) for path in (PACKAGE / room / folder).glob("*.py")))
    modules = {path.stem for path in (PACKAGE / room).glob("*.py")} - {"errors"}
    assert {name.split(".")[2] for name in names if name.startswith(f"skipviz.{room}.")} & {*order, *modules} <= allowed


def test_every_folder_of_a_large_room_has_its_place():
    for room, order in INSIDE.items():
        assert {path.parent.name for path in (PACKAGE / room).glob("*/__init__.py")} == set(order)


def test_each_room_stands_above_all_that_it_may_import():
    assert set(BELOW) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    for room, below in BELOW.items():
        assert all(room not in BELOW.get(lower, ()) for lower in below)


@pytest.mark.parametrize("name", ["settings", "version"])
def test_what_every_room_may_import_imports_none(name):
    assert not {found for found in imports_of(PACKAGE / f"{name}.py") if found.startswith("skipviz")}


def loaded_by(statement: str) -> set[str]:
    """Return which of the heavy libraries a fresh process has loaded after `statement`."""
    heavy = ("torch", "sklearn", "streamlit", "pandas")
    code = f"{statement}; import sys; print(*(name for name in {heavy!r} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_the_packages_of_the_server_loads_no_torch():
    assert not loaded_by("import " + ", ".join(f"skipviz.{room}" for room in SERVER)) & {"torch", "sklearn"}


def test_importing_skipviz_loads_no_heavy_library():
    assert loaded_by("import skipviz") == set()


def test_describing_and_linking_load_no_torch():
    commands = "from skipviz.command import main; main(['describe', 'residual-300']); main(['link', 'residual-300'])"
    ran = loaded_by(f"import sys, io; out, sys.stdout = sys.stdout, io.StringIO(); {commands}; sys.stdout = out")
    assert "torch" not in ran


def test_the_server_gives_a_runs_table_out_without_pandas():
    made = (
        "from skipviz.web.http.downloads import run_file; from skipviz.storage import Run; from skipviz.tasks import presets; "
        "run = Run('a', 'me', presets.get('vanishing-plain'), header_json=b'{}'); "
        'run.add_frame(b\'{"step":0,"variants":{"network":{"loss":0.5}},"events":[],"seconds":0}\'); '
        "assert b'0.5' in run_file(run, 'csv', '')[1]"
    )
    assert loaded_by(made) == set()


def test_the_process_that_makes_files_loads_no_heavy_library():
    text = "from skipviz import link, presets; text = link.encode(presets.get('vanishing-plain')); "
    made = "from skipviz.web.content.render_worker import JOBS; assert JOBS['link'](text, 'py', None)[1]"
    assert loaded_by(text + made) == set()


def test_a_worker_loads_no_streamlit():
    assert "streamlit" not in loaded_by("import skipviz.learning.build")


def test_the_public_surface_is_there():
    import skipviz

    assert all(hasattr(skipviz, name) for name in skipviz.__all__)
    assert skipviz.families.mlp(depth=2).parameter_count() == 192 + 4160 + 130


def test_streamlit_finds_no_folder_that_it_takes_for_pages_of_its_own():
    assert not (PACKAGE / "web" / "pages").exists()


def test_what_several_servers_share_is_loaded_where_a_database_is_set_and_nowhere_else(tmp_path):
    code = """
import sys
from pathlib import Path
import skipviz.storage.store_writer as writer
from skipviz.engine import Engine
from skipviz.settings import Settings
from skipviz.web.http import routes
Engine(Settings(data_dir=sys.argv[1]))
writer.StoreWriter(Path(sys.argv[1]), {writer.DATABASE_URL: "", writer.BLOBS: ""}, 0, None, False, None, None)
shared = {"skipviz.engine.others", "skipviz.web.document.shared_labs"}
shared |= {f"skipviz.storage.{name}" for name in ("shared", "mirror", "exchange", "commands", "documents", "notices")}
print(sorted(shared & sys.modules.keys()))
"""
    found = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
