"""The guide: the pages of `assets/guide` as sections that can be searched. Imports no streamlit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...drawing.modules import ASSETS
from . import kinds
from .glossary import glossary_table

FOLDER = ASSETS / "guide"
PAGES = (
    "start", "python", "watch", "check", "kinds", "glossary", "data", "without-a-browser", "share", "export", "hosting",
    "settings", "measured", "code-map",
)  # fmt: skip
"""The pages' files without `.md`, in the order in which they are shown."""
_HEADING = re.compile(r"(#{1,3}) (.+)")
_PICTURE = re.compile(r"!\[([^\]]+)\]\((\S+)\)\n?")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Section:
    """A heading with the text under it, in Markdown. `page` is the title of the page it stands on."""

    page: str
    title: str
    anchor: str
    body: str
    pictures: tuple[tuple[Path, str], ...] = ()
    """Files that stand below the text, each with what it shows."""

    @property
    def leads(self) -> bool:
        """Whether it is the one that its page begins with."""
        return self.title == self.page


@cache
def sections() -> tuple[Section, ...]:
    """Return every section of every page, the tables of kinds and the glossary among them."""
    texts = {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in PAGES}
    texts["kinds"] += "\n" + kinds.tables()
    texts["glossary"] += "\n" + glossary_table()
    titles = {name: _HEADING.match(text)[2] for name, text in texts.items()}
    return tuple(section for name, text in texts.items() for section in _split(text, titles[name], titles))


def search(text: str) -> list[Section]:
    """Return the sections that have every word of `text`, in any case and as a part of a longer one; all for no word."""
    wanted = text.casefold().split()
    return [section for section in sections() if all(word in _searched(section) for word in wanted)]


def anchor_of(title: str) -> str:
    """Return the anchor that code hosts give to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _searched(section: Section) -> str:
    return f"{section.page}\n{section.title}\n{section.body}".casefold()


def _split(text: str, page: str, titles: dict[str, str]) -> list[Section]:
    """Return a page's sections; what stands in a block of code is no heading."""
    found: list[tuple[str, list[str]]] = []
    in_code = False
    for line in text.splitlines():
        in_code ^= line.startswith("```")
        heading = None if in_code else _HEADING.fullmatch(line)
        if heading:
            found.append((heading[2], []))
        else:
            found[-1][1].append(line)
    return [_section(page, title, "\n".join(lines).strip(), titles) for title, lines in found]


def _section(page: str, title: str, text: str, titles: dict[str, str]) -> Section:
    pictures = tuple((FOLDER / target, words) for words, target in _PICTURE.findall(text))
    return Section(page, title, anchor_of(title), _linked(_PICTURE.sub("", text), titles), pictures)


def _linked(text: str, titles: dict[str, str]) -> str:
    """Let links between the pages lead to places of the one page that the app shows; files that it does not show are named."""

    def mended(link: re.Match) -> str:
        words, target = link[1], link[2]
        if re.match(r"https?://|#", target):
            return link[0]
        file, _, place = target.partition("#")
        name = file.removesuffix(".md")
        return f"[{words}](#{place or anchor_of(titles[name])})" if name in titles else words

    return _LINK.sub(mended, text)
