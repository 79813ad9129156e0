"""The browser's part, joined from its modules: it parses, holds every module once, and loses nothing but comments."""

import re
import shutil
import subprocess

import pytest

from skipviz.drawing import modules
from skipviz.web.content import bundle

SCRIPTS = modules.ASSETS / "js"
FILES = sorted(path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.rglob("*.js"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("part", ["module", "loader", "feed"])
def test_node_accepts_the_joined_script_as_a_module(tmp_path, part):
    script = tmp_path / "joined.mjs"
    script.write_text(getattr(bundle, part)(), encoding="utf-8")
    checked = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_nothing_is_left_to_import_or_exported_but_the_entry():
    assert not re.search(r"^import ", bundle.script(), re.M)
    assert re.findall(r"^export .*$", bundle.script(), re.M) == ["export default function skipviz(component) {"]


def test_no_rule_asks_what_is_anywhere_on_the_page():
    # The browser would look at every element anew whenever one comes, goes or says something else: at each redraw.
    rules = bundle.style() + (modules.ASSETS / "chrome.css").read_text(encoding="utf-8")
    assert not re.search(r"(:root|\bhtml|\bbody)\S*:has\(", rules)


def test_every_module_is_reached_from_the_page_the_replay_or_the_widget():
    reached, waiting = {"loader.js", "feed.js", "beginning.js"}, ["main.js", "replay.js", "widget.js"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += modules.needs(name, (SCRIPTS / name).read_text(encoding="utf-8"))
    assert reached == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_imports_stand_on_one_line_and_nothing_is_written_as_html(name):
    source = (SCRIPTS / name).read_text(encoding="utf-8")
    imports = re.findall(r"^import\b.*$", source, re.M)
    assert len(imports) == len(modules._IMPORT.findall(source))
    assert "innerHTML" not in source


def test_two_modules_with_one_name_at_the_top_level_are_refused(tmp_path, monkeypatch):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "main.js").write_text('import { a } from "./other.js";\nconst twice = a;\n')
    (tmp_path / "js" / "other.js").write_text("export const a = 1;\nfunction twice() {}\n")
    monkeypatch.setattr(modules, "ASSETS", tmp_path)
    with pytest.raises(modules.BundleError, match=r"main\.js and other\.js both have twice"):
        modules.script.__wrapped__()


def test_a_module_that_two_others_import_is_joined_once():
    assert len(re.findall(r"^function formatNumber\b", bundle.script(), re.M)) == 1


def test_the_style_has_the_colours_of_both_themes():
    light, dark = re.findall(r"--sv-skip:\s*(#\w+)", bundle.style(), re.I)[:2]
    assert light != dark
