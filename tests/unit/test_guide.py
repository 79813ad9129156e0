"""The guide's sections as the app shows them, their search, and the tables that are written from the code."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from skipviz.drawing.glossary import glossary
from skipviz.network.layer import Activation, LayerInit, Norm
from skipviz.network.skip import Merge
from skipviz.settings import Settings
from skipviz.tasks.experiment import Training
from skipviz.tasks.schedule import Schedule
from skipviz.tasks.task import KINDS
from skipviz.web.content import guide, kinds

TITLES = [section.title for section in guide.sections()]


def test_every_page_begins_with_its_title_and_every_anchor_is_one_places():
    assert [section.page for section in guide.sections() if section.leads] == list(
        dict.fromkeys(section.page for section in guide.sections())
    )
    anchors = [section.anchor for section in guide.sections()]
    assert len(set(anchors)) == len(anchors)


def test_every_link_of_the_text_leads_to_a_place_of_the_page_or_out_of_it():
    anchors = {section.anchor for section in guide.sections()}
    targets = [target for section in guide.sections() for target in re.findall(r"\]\(([^)\s]+)\)", section.body)]
    assert "#settings" in targets
    assert [target for target in targets if target.removeprefix("#") not in anchors and not target.startswith("http")] == []


def test_no_text_outside_code_is_html_or_would_be_read_as_a_formula():
    for section in guide.sections():
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", section.body, flags=re.S)
        assert not re.search(r"<[a-z/!]|\$", prose), section.title


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_found_by_its_name(name):
    assert "Settings" in [section.title for section in guide.search(f"SKIPVIZ_{name.upper()}")]


@pytest.mark.parametrize(
    ("text", "title"), [("qr CODE", "Share it, teach with it"), ("moons", "Tasks"), ("gpu", "Measured"), ("museum", None)]
)
def test_a_section_is_found_that_has_every_word_in_any_case(text, title):
    found = guide.search(text)
    assert (title in [section.title for section in found]) == (title is not None)
    assert len(found) < len(TITLES)
    for section in found:
        assert all(word in f"{section.page} {section.title} {section.body}".lower() for word in text.lower().split())


def test_no_word_finds_everything_and_words_of_two_sections_find_neither():
    assert guide.search("  ") == list(guide.sections())
    assert guide.search("gradient") != []
    assert guide.search("moons SKIPVIZ_KEEP_DAYS") == []


def test_a_comment_in_a_block_of_code_is_no_section():
    sections = guide._split("# A\n\n```sh\n# not one\n```\n\n## B\n\ntext [of A](a.md), [a file](../b.txt)\n", "A", {"a": "A"})
    assert [(section.title, section.leads) for section in sections] == [("A", True), ("B", False)]
    assert sections[1].body == "text [of A](#a), a file"


def test_the_guide_has_every_term_of_the_pages_once_with_its_formula():
    (section,) = (section for section in guide.sections() if section.title == "Glossary")
    assert len(re.findall(r"(?m)^\| \*\*", section.body)) == len(glossary())
    for term in glossary().values():
        title, says, formula = (term[name].replace("|", "\\|") for name in ("title", "says", "formula"))
        row = next(line for line in section.body.splitlines() if line.startswith(f"| **{title}** |"))
        assert says in row
        assert formula in row
        assert row.endswith(f"| {term['section']} |")


WORDS = {
    "`Layer.activation`": get_args(Activation),
    "`Layer.norm`": get_args(Norm),
    "`Layer.init`": get_args(LayerInit),
    "`Skip.merge`": get_args(Merge),
    "`Training.optimizer`": get_args(Training.model_fields["optimizer"].annotation),
    "`Training.schedule`": get_args(Schedule),
}


@pytest.mark.parametrize("field", WORDS)
def test_the_table_of_choices_has_every_word_that_a_field_takes(field):
    row = next(line for line in kinds.tables().splitlines() if line.startswith(f"| {field} |"))
    assert re.findall(r"`(\w[\w-]*)`", row.split("|")[2]) == list(WORDS[field])


def test_the_table_of_tasks_has_every_task_and_the_guide_shows_both_tables():
    tasks, choices = (
        next(section.body for section in guide.sections() if section.title == title) for title in ("Tasks", "Choices")
    )
    assert re.findall(r"(?m)^\| `(\w+)`", tasks) == list(KINDS)
    assert f"## Choices\n\n{choices}\n" in kinds.tables()


def test_every_picture_of_the_guide_is_there_and_says_what_it_shows():
    pictures = [picture for section in guide.sections() for picture in section.pictures]
    assert all(file.is_file() and len(words) > 10 for file, words in pictures)
    assert not any("![" in section.body for section in guide.sections())
