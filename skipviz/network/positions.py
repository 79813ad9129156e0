"""The positions of what is carried and of the state that it joins. Imports the shapes' helpers only."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Shape, is_image, spatial


@dataclass(frozen=True)
class Between:
    """From positions `here` to positions `there`, as an adapter takes a state from the ones to the others."""

    here: Shape
    there: Shape
    images: bool
    """Channels stand before the positions, not behind them."""
    offset: int | None = None
    """Positions left out or added at the start of each axis; None: centred."""

    @classmethod
    def of(cls, source: Shape, target: Shape, offset: int | None = None) -> Between:
        """Return the positions of two states' shapes."""
        return cls(spatial(source), spatial(target), is_image(source), offset)

    @property
    def step(self) -> int | None:
        """The stride from one to the other, or None."""
        return stride_between(self.here, self.there)

    @property
    def grows(self) -> bool:
        """Whether no axis gets shorter."""
        return all(a <= b for a, b in zip(self.here, self.there, strict=True))

    @property
    def shrinks(self) -> bool:
        """Whether no axis gets longer."""
        return all(a >= b for a, b in zip(self.here, self.there, strict=True))

    @property
    def window(self) -> tuple[slice, ...]:
        """What a crop keeps along each axis."""
        firsts = [(a - b) // 2 if self.offset is None else self.offset for a, b in zip(self.here, self.there, strict=True)]
        return tuple(slice(first, first + kept) for first, kept in zip(firsts, self.there, strict=True))

    @property
    def around(self) -> tuple[int, ...]:
        """How many zeros a pad adds before and behind each axis, the last one first, as `F.pad` takes them."""
        added: list[int] = [] if self.images else [0, 0]
        for a, b in reversed([*zip(self.here, self.there, strict=True)]):
            before = (b - a) // 2 if self.offset is None else self.offset
            added += [before, b - a - before]
        return tuple(added)


def stride_between(source: Shape, target: Shape) -> int | None:
    """Return the stride that takes positions `source` to `target` by keeping every stride-th of them, or None."""
    step = -(-source[0] // target[0])
    return step if all(a >= b and -(-a // step) == b for a, b in zip(source, target, strict=True)) else None
