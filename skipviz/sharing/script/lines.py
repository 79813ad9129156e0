"""Long lines of a written script, broken as a person would. Imports nothing of ours."""

from __future__ import annotations

import re
import textwrap

WIDTH = 120
_OPENINGS = [re.compile(text) for text in (r"nn\.Sequential\(", r"torch\.cat\(\[", r"\b(?:drawn|initialised)\(", r"(?<![\w\"])\{")]
"""What a line is broken behind, the first that it has; a brace in an f-string is none."""
_WORDS = re.compile(r'"([^"]{60,})"\.split\(\)')


def broken(source: str) -> str:
    """Return Python source with lines of at most `WIDTH` characters where brackets or lists of words let it."""
    return "\n".join(part for line in source.split("\n") for part in _line(line))


def _line(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    words = _WORDS.search(line)
    if words:
        lines = textwrap.wrap(words[1], WIDTH - len(indent) - 4, break_on_hyphens=False, break_long_words=False)
        first, last = f'{line[: words.start()]}"""', f'{indent}""".split(){line[words.end() :]}'
        return [first, *(f"{indent}    {one}" for one in lines), last]
    code, comment = _parted(line)
    for opening in _OPENINGS:
        found = opening.search(code)
        if found:
            first = found.end()
            last = _closing(code, first)
            items = _split(code[first:last])
            inner = [f"{indent}    {item}," for item in items] if opening is _OPENINGS[0] else _filled(items, f"{indent}    ")
            return [code[:first] + comment, *inner, f"{indent}{code[last:]}"]
    return [line]


def _parted(line: str) -> tuple[str, str]:
    code, mark, comment = line.partition("  # ")
    return code, mark + comment


def _filled(items: list[str], indent: str) -> list[str]:
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 1 > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip()]


def _closing(code: str, first: int) -> int:
    """Return where the bracket that was opened just before `first` is closed."""
    depth = 1
    for place in range(first, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth == 0:
            return place
    return len(code)


def _split(code: str) -> list[str]:
    """Return the items between the commas of the outermost level."""
    items, depth, start = [], 0, 0
    for place, character in enumerate(code):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            items.append(code[start:place].strip())
            start = place + 1
    return [*items, code[start:].strip()]
