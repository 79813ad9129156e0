"""What the "?" beside a heading says: every heading has its text, every text is whole, and its numbers are the drawing's."""

from __future__ import annotations

import re

import pytest

from skipviz.drawing import colours, figures
from skipviz.drawing.glossary import glossary
from skipviz.drawing.modules import ASSETS
from skipviz.network.merge import CHOSEN
from skipviz.web.content.tour import STEPS

ROOM = ASSETS.parent / "skipviz" / "learning"
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ASSETS / "js").rglob("*.js"))}
TEXTS = glossary()
GUIDE_ONLY = {"trunk", "branch_scale", "vanishing", "fold"}
"""Terms that no heading of a page asks for: the guide's page has them."""
DRAWN = "\n".join(source for name, source in SCRIPTS.items() if name != "explain.js")


def _asked() -> set[str]:
    """Return every key that a heading asks for."""
    named = set(re.findall(r'explain\("(\w+)"', DRAWN)) | set(re.findall(r'^ +row\(.*, "(\w+)"\)', DRAWN, re.M))
    chosen = set(re.findall(r'"(\w+)"', re.search(r"const EXPLAINED = \[(.*)\]", DRAWN)[1]))
    quantities = set(re.findall(r'\? "(\w+_gradient)" : "(\w+_gradient)"', DRAWN)[0])
    kinds = set(re.findall(r"^  (\w+): paint\w+,$", SCRIPTS["picture.js"], re.M)) | {"boundary", "text"}
    return named | chosen | quantities | {f"picture_{kind}" for kind in kinds}


def test_every_heading_that_is_drawn_has_its_text_and_every_text_a_heading():
    assert _asked() | {term for step in STEPS for term in step.terms} | GUIDE_ONLY == set(TEXTS)


def test_every_heading_of_the_plots_and_every_row_of_the_inspector_asks():
    headings = re.findall(
        r'element\("strong", \{\}, "(?:Gradient|Gradient per layer|Loss ?|Share at fork|Whole gradient |Update ÷ weight)"\).*',
        DRAWN,
    )
    assert len(headings) == 8
    assert [line for line in headings if "explain(" not in line] == []
    rows = re.findall(r"^ +row\(.*$", SCRIPTS["inspector.js"], re.M)
    assert len(rows) == 16
    assert all(re.search(r', "\w+"\)', row) for row in rows)


def test_the_text_of_a_skip_has_the_equation_of_every_merge():
    assert re.findall(r"(\w+): ", TEXTS["skip"]["formula"]) == list(CHOSEN)


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_is_a_short_sentence_a_formula_and_how_to_read_it(key):
    text = TEXTS[key]
    assert set(text) == {"title", "says", "formula", "read", "section"}
    assert text["section"] in ("", "4.6", "4.7", "4.8")
    assert 3 <= len(text["title"]) <= 30
    for part in ("says", "read"):
        assert text[part].endswith(".")
        assert 10 < len(text[part]) <= 160
    assert 4 < len(text["formula"]) <= 128
    assert "\n" not in text["formula"]


def test_the_numbers_said_are_those_of_the_drawings():
    assert f"(log₁₀ g + {-colours.LOWEST:g}) ÷ {colours.DECADES:g}" in TEXTS["lines"]["formula"]
    assert colours.LOWEST == -7
    assert colours.LOWEST + colours.DECADES == 1
    assert f"halves every {figures.loss_figure()['layout']['meta']['half_life']} recorded steps" in TEXTS["loss"]["read"]
    assert figures.rows_figure()["layout"]["xaxis3"]["range"] == [-6, 0]
    assert "at 1 it" in TEXTS["update"]["read"]
    bounds = dict(re.findall(r"export const (VANISHING|EXPLODING) = (1e-?\d);", SCRIPTS["sentence.js"]))
    assert bounds == {"VANISHING": "1e-3", "EXPLODING": "1e3"}
    assert TEXTS["vanishing"]["formula"].endswith("< 10⁻³, or > 10³")


def test_every_kind_of_picture_that_a_run_can_send_is_explained():
    sent = set(re.findall(r'"kind": "(\w+)"', "".join(path.read_text(encoding="utf-8") for path in ROOM.glob("*picture.py"))))
    assert {f"picture_{kind}" for kind in sent} <= set(TEXTS)
    assert len(sent) >= 5
