"""What the store writer has been sent of one run and has not yet written."""

from __future__ import annotations

from .columns import Row


class Pending:
    """What is to be written of one run."""

    def __init__(self) -> None:
        self.number = 0
        self.rows: list[Row] = []
        self.row: dict = {}
        self.places = 0

    def take(self, head: dict, parts: list[bytes]) -> None:
        row, has = head["row"], head["has"]
        if row["edition"] != self.row.get("edition", row["edition"]):
            self.rows.clear()
        self.row |= row | dict(zip(has, parts, strict=False))
        self.rows += [Row(*place, part) for place, part in zip(head["rows"], parts[len(has) :], strict=True)]
        self.places, self.number = head["places"], head["number"]
