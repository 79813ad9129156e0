"""What a check of a module found: one fault or remark, with the path of the module it is in. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`rule` is the rule's name, `path` the module's as `named_modules` has it ('': the watched module itself)."""

    rule: str
    path: str
    sentence: str
    fault: bool = True
    """Whether it is almost surely not meant; otherwise a remark, such as a design that is known to be hard to train."""


class Report(tuple[Finding, ...]):
    """All findings, faults first. It is false where there is no fault, so `assert not watched.check(batch)` is a test."""

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is almost surely not meant."""
        return tuple(one for one in self if one.fault)

    def __bool__(self) -> bool:
        return bool(self.faults)

    def __str__(self) -> str:
        if not len(self):
            return "nothing was found"
        return "\n".join(f"{'fault' if one.fault else 'remark'} {one.rule}: {one.sentence}" for one in self)
