"""The text that a language model learns: chapter I of Lewis Carroll, Alice's Adventures in Wonderland (Macmillan, 1865).

In the public domain: Carroll died in 1898. The words are those of Project Gutenberg's eBook 11, set in ASCII, without its
italics and rows of stars. Imports no numpy.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "assets" / "text.txt"


def passage_of(text: str) -> str:
    """Return a text with one paragraph a line; it begins and ends with the end of a line."""
    return "\n" + "".join(" ".join(paragraph.split()) + "\n" for paragraph in text.split("\n\n"))


@cache
def whole() -> str:
    """Return the text as it is printed."""
    return FILE.read_text(encoding="ascii").strip()


@cache
def passage() -> str:
    """Return the text as it is learned."""
    return passage_of(whole())


@cache
def characters() -> str:
    """Return the different characters of the text in their order; a character's place is its token."""
    return "".join(sorted(set(passage())))


def tokens_of(text: str) -> list[int]:
    """Return the tokens of `text`; raises `ValueError` for a character that the passage has not."""
    return [characters().index(character) for character in text]


def text_of(tokens: list[int]) -> str:
    """Return the text that tokens stand for."""
    return "".join(characters()[token] for token in tokens)
