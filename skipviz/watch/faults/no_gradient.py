"""Parameters whose gradient is exactly 0 everywhere although the pass uses them."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding

MOST_NAMED = 3


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the modules of which no parameter gets a gradient, the ones behind a zero γ or a zero branch scale apart."""
    zero: dict[str, list[str]] = {}
    parameters = dict(checked.model.named_parameters())
    alive = {name for number in checked.boxes.flow.alive for name in checked.trace.operations[number].parameters}
    for name, gradient in checked.gradients.items():
        if gradient is not None and not gradient.is_sparse and name in alive and not gradient.any():
            zero.setdefault(name.rpartition(".")[0], []).append(name)
    starts_at_zero = any(one.numel() and not one.any() for name, one in parameters.items() if not name.endswith("bias"))
    for path, names in zero.items():
        whole = [name for name in checked.gradients if name.rpartition(".")[0] == path]
        if len(names) < len(whole) or starts_at_zero:
            continue
        named = ", ".join(name.rpartition(".")[2] for name in names[:MOST_NAMED])
        yield Finding("no_gradient", path, f"no gradient reaches {path or 'the model'} ({named}): it is exactly 0")
