"""What a check knows of one pass forward and back: who made what, its values, and the gradients that came back."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from .boxes import Boxes
from .capture import Capture
from .layout import Layout
from .trace import ROOT, Operation, Trace
from .words import VIEWS


class CheckedPass:
    """One captured pass of `model`; see `Trace`, `Boxes` and `Layout`. Gradients of parameters are in `gradients`, by name."""

    def __init__(
        self, model: nn.Module, capture: Capture, boxes: Boxes, layout: Layout, gradients: dict[str, Tensor | None]
    ) -> None:
        self.model, self.boxes, self.layout, self.gradients = model, boxes, layout, gradients
        self.trace: Trace = capture.trace
        self.record, self.values = capture.gradients, capture.values

    def path(self, operation: Operation) -> str:
        """Return the path of the module that an operation ran in; '' for the model's own forward."""
        return self.trace.calls[operation.call].path

    def place(self, number: int) -> str:
        """Return where an operation stands, for a sentence: its module's path and what it is."""
        operation = self.trace.operations[number]
        path = self.path(operation)
        return f"{path}.{operation.name}" if path else operation.name

    def through_views(self, source: int | str) -> int | str:
        """Return what made the numbers that a view of it shows."""
        while isinstance(source, int) and self.trace.operations[source].name in VIEWS and self.trace.operations[source].reads:
            source = self.trace.operations[source].reads[0].source
        return source

    def merges(self, *kinds: str) -> Iterator[tuple[int, Operation]]:
        """Yield the operations that are merges of these kinds."""
        for number, kind in sorted(self.boxes.merges.items()):
            if kind in kinds:
                yield number, self.trace.operations[number]

    def rms(self, source: int | str) -> float | None:
        """Return the root mean square of what an operation gave; None where that is not there or not finite."""
        tensor = self.values.get(source)
        if tensor is None or not tensor.numel():
            return None
        value = tensor.detach().float().square().mean().sqrt().item()
        return value if value < float("inf") else None

    def calls_around(self, number: int) -> list[int]:
        """Return the module calls around an operation, the innermost first."""
        call, found = self.trace.operations[number].call, []
        while call != ROOT:
            found.append(call)
            call = self.trace.calls[call].parent
        return found
