"""What a claim is: a published effect that anybody can measure again. Imports no torch; what measures does when it is called."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature, getdoc
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from ..network.base import Frozen, sentence
from ..tasks.experiment import Experiment

if TYPE_CHECKING:
    import pandas

Row = dict[str, float | int | str | bool | None]
"""One measured point. `x` and `series` say which, `measured` what was found; `predicted`, or `low` and `high`, what is expected.

Of a surface `x` and `y` are the place and `measured` its height. Further columns are welcome. None: not a finite number.
"""
Rows = Iterator[tuple[float, Row | None]]
"""What a measurement yields: how much is done, 0…1, and a row, or None where it has come further and there is none yet, as while
a network trains. It is stopped between two of them, so they come at least every second."""


class ClaimError(ValueError):
    """Controls that a claim does not take; one sentence for a person."""


@dataclass(frozen=True)
class Chart:
    """How a claim's rows are drawn: titles with their units, and axes."""

    kind: Literal["line", "bars", "surface"]
    x: str
    y: str
    log_x: bool = False
    log_y: bool = False
    z: str = ""
    """Of a surface, the title of its height."""


@dataclass(frozen=True)
class Verdict:
    """What the rows say of the claim."""

    holds: bool | None
    """None: the band says nothing of these controls, or a measurement is missing."""
    sentence: str
    """With the figure, its unit and what was expected; an effect that does not appear at this size is said like one that does."""
    figure: float | None
    """The number that decided."""


@dataclass(frozen=True)
class Claim:
    """A published effect: who found it, how it is measured here, what is expected, and whether it is found."""

    number: int
    """Its place among the claims, which never changes: tens go by subject."""
    name: str
    """In addresses, jobs and `skipviz.evidence`."""
    title: str
    """The claim as one sentence."""
    who: str
    year: int
    paper: str
    """Where it stands: a title, and `arXiv:…` where it is there."""
    controls: type[Frozen]
    """At most two fields, numbers or choices, each with bounds, a default and a description."""
    measure: Callable[..., Rows]
    """`measure(**controls)`; its docstring has shapes and units."""
    chart: Chart
    verdict: Callable[[pandas.DataFrame], Verdict]
    """Reads all rows of one measurement; by the band alone."""
    band: str
    """What is expected, in words."""
    read_next: tuple[str, ...]
    """Citations."""
    experiment: Callable[..., Experiment]
    """`experiment(**controls)`: what is opened in the lab, in as many variants as are compared."""
    expected: Callable[..., list[Row]] | None = None
    """`expected(**controls)`: rows of what is predicted where that needs no measurement, drawn before anybody has run it."""

    def checked(self, **controls) -> dict:
        """Return the value of every control; raises `ClaimError` for one that is out of bounds or not there."""
        try:
            return dict(self.controls(**controls))
        except ValidationError as error:
            raise ClaimError(sentence(error)) from None

    def rows(self, **controls) -> Rows:
        """Measure row by row; raises `ClaimError` before the first.

        It computes as runs do, with one thread and without denormals, and leaves the caller's settings as they are between rows.
        """
        return self._rows(self.checked(**controls))

    def _rows(self, controls: dict) -> Rows:
        from ..learning.setup import as_in_a_run

        measuring = self.measure(**controls)
        while True:
            with as_in_a_run():
                found = next(measuring, None)
            if found is None:
                return
            done, row = found
            yield done, row and {name: _finite(value) for name, value in row.items()}

    def frame(self, **controls) -> pandas.DataFrame:
        """Measure everything; raises `ClaimError`."""
        return as_frame(row for _, row in self.rows(**controls) if row)

    def judged(self, rows: Iterable[Row]) -> Row:
        """Return what all rows of one measurement say of the claim: `holds`, `sentence` and `figure` of its verdict."""
        verdict = self.verdict(as_frame(rows))
        return {"holds": verdict.holds, "sentence": verdict.sentence, "figure": verdict.figure}

    @cached_property
    def function(self) -> Callable[..., pandas.DataFrame]:
        """`frame` as the public function of this claim, with its controls' names and defaults."""

        def measured(**controls) -> pandas.DataFrame:
            return self.frame(**controls)

        fields = self.controls.model_fields
        parameters = [Parameter(name, Parameter.KEYWORD_ONLY, default=field.default) for name, field in fields.items()]
        measured.__name__ = measured.__qualname__ = self.name
        measured.__signature__ = Signature(parameters)
        controls = "\n".join(f"`{name}`: {field.description}." for name, field in fields.items())
        source = f"{self.who} {self.year}, {self.paper}. Raises `ClaimError`."
        measured.__doc__ = "\n\n".join(filter(None, (self.title, getdoc(self.measure), controls, source)))
        return measured


def as_frame(rows: Iterable[Row]) -> pandas.DataFrame:
    """Return rows as the table that a verdict reads."""
    import pandas

    return pandas.DataFrame(list(rows))


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value
