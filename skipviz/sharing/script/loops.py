"""Runs of equal blocks of a long network as loops: lines whose numbers count along with k. Imports nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST_BLOCK = 16
"""Layers of a block, at most, that is looked for."""
_MARK = re.compile("\x01([a-z]?)(\\d+)(?:-(\\d+))?\x02")
_NAME = re.compile("\x03(\\d+)\x04")
_DIGITS = re.compile(r"(?<!\d)(?:0|[1-9]\d*)(?!\d)")
"""A number that is written as it is counted: without leading zeros."""


def number(k: int) -> str:
    """Return a mark for the number of a state or a layer, which counts along in a loop."""
    return f"\x01{k}\x02"


def key(letter: str, source: int, target: int) -> str:
    """Return a mark for the key of an adapter between two states."""
    return f"\x01{letter}{source}-{target}\x02"


def identifier(place: int) -> str:
    """Return a mark for an atom's name number `place`."""
    return f"\x03{place}\x04"


@dataclass
class Atom:
    """What one layer adds to a class: lines that make it and lines that use it, with marks for its numbers and names."""

    k: int = 0
    names: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    comment: str = ""

    def making(self) -> list[str]:
        """Return the lines that make it, standing alone."""
        lines = self._alone(self.made)
        return [f"{lines[0]}  # {self.comment}", *lines[1:]] if self.comment else lines

    def passing(self) -> list[str]:
        """Return the lines that use it, standing alone."""
        return self._alone(self.lines)

    def _alone(self, lines: list[str]) -> list[str]:
        return [_named(_absolute(line), [f'"{name}"' for name in self.names]) for line in lines]

    def shape(self) -> tuple:
        """Return what equal layers of repeated blocks share."""
        lines = (tuple(self.made), tuple(self.lines))
        relative = tuple(tuple(_MARK.sub(lambda mark: self._offset(mark), line) for line in part) for part in lines)
        return (*relative, tuple(_DIGITS.sub("#", name) for name in self.names))

    def numbers(self) -> list[list[int]]:
        """Return the numbers in each name."""
        return [[int(text) for text in _DIGITS.findall(name)] for name in self.names]

    def _offset(self, mark: re.Match) -> str:
        letter, first, second = mark.groups()
        return f"<{letter}{int(first) - self.k}" + ("" if second is None else f"-{int(second) - self.k}") + ">"


def repeated(atoms: list[Atom]) -> tuple[list[str], list[str]]:
    """Return the lines that make all and that use all, equal blocks in a row as loops."""
    shapes = [atom.shape() for atom in atoms]
    made, passed, place = [], [], 0
    while place < len(atoms):
        period, count = _best(atoms, shapes, place)
        block = atoms[place : place + period]
        if count == 1:
            made += block[0].making()
            passed += block[0].passing()
            place += 1
            continue
        start = block[0].k
        step = f", {period}" if period > 1 else ""
        loop = f"for k in range({start}, {start + period * count}{step}):"
        again = atoms[place + period : place + 2 * period]
        pairs = list(zip(block, again, strict=True))
        made += [loop, *(f"    {line}" for one, two in pairs for line in _in_loop(one.made, one, two, start, period))]
        passed += [loop, *(f"    {line}" for one, two in pairs for line in _in_loop(one.lines, one, two, start, period))]
        place += period * count
    return made, passed


def _best(atoms: list[Atom], shapes: list[tuple], place: int) -> tuple[int, int]:
    """Return the period and the count of the repetition at `place` that saves most layers; (1, 1) if there is none."""
    best, saved = (1, 1), 0
    for period in range(1, LONGEST_BLOCK + 1):
        count = 1
        while _goes_on(atoms, shapes, place, period, count):
            count += 1
        if period * (count - 1) > max(saved, 1):
            best, saved = (period, count), period * (count - 1)
    return best


def _goes_on(atoms: list[Atom], shapes: list[tuple], place: int, period: int, count: int) -> bool:
    """Return whether the block at `place` of `period` layers is there once more after `count` times."""
    next_place = place + period * count
    if next_place + period > len(atoms):
        return False
    for offset in range(period):
        one, two, last = atoms[place + offset], atoms[place + period + offset], atoms[next_place + offset]
        if shapes[place + offset] != shapes[next_place + offset]:
            return False
        for a, b, c in zip(one.numbers(), two.numbers(), last.numbers(), strict=True):
            if any(z - x != count * (y - x) for x, y, z in zip(a, b, c, strict=True)):
                return False
    return True


def _in_loop(lines: list[str], one: Atom, two: Atom, start: int, period: int) -> list[str]:
    names = []
    for name, first, second in zip(one.names, one.numbers(), two.numbers(), strict=True):
        steps = iter(zip(first, second, strict=True))
        text = _DIGITS.sub(lambda _, steps=steps: _counted(*next(steps), start, period), name)
        names.append(f'f"{text}"' if "{" in text else f'"{name}"')
    return [_named(_relative(line, start), names) for line in lines]


def _counted(first: int, second: int, start: int, period: int) -> str:
    """Return a number of a name as the loop counts it."""
    step = second - first
    if step == 0:
        return str(first)
    if step == period:
        return f"{{{_moved(first - start)}}}"
    turn = f"(k - {start}) // {period}" if period > 1 else f"(k - {start})"
    return f"{{{turn if step == 1 else f'{turn} * {step}'} + {first}}}"


def _moved(offset: int) -> str:
    return "k" if offset == 0 else f"k {'+' if offset > 0 else '-'} {abs(offset)}"


def _relative(line: str, start: int) -> str:
    def moved(mark: re.Match) -> str:
        letter, first, second = mark.groups()
        if second is None:
            return _moved(int(first) - start)
        return f'f"{letter}{{{_moved(int(first) - start)}}}-{{{_moved(int(second) - start)}}}"'

    return _MARK.sub(moved, line)


def _absolute(line: str) -> str:
    def plain(mark: re.Match) -> str:
        letter, first, second = mark.groups()
        return first if second is None else f'"{letter}{first}-{second}"'

    return _MARK.sub(plain, line)


def _named(line: str, names: list[str]) -> str:
    return _NAME.sub(lambda mark: names[int(mark[1])], line)
