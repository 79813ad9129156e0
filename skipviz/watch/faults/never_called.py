"""Modules and parameters that a pass never touches: a shortcut that is built and never called."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield the outermost modules with parameters of which none was used, and single parameters."""
    used = {name for one in checked.trace.operations for name in (*one.parameters, *one.shared)}
    used |= {name for name, gradient in checked.gradients.items() if gradient is not None}
    names = [name for name, parameter in checked.model.named_parameters() if parameter.requires_grad]
    idle: list[str] = []
    for path, module in checked.model.named_modules():
        inner = [f"{path}.{name}" if path else name for name, one in module.named_parameters() if one.requires_grad]
        inner = [name for name in inner if name in names]
        if path and inner and not used & {*inner} and not any(path.startswith(f"{outer}.") for outer in idle):
            idle.append(path)
            yield Finding("never_called", path, f"{path} has {len(inner)} parameters and this pass never uses it")
    for name in names:
        path = name.rpartition(".")[0]
        if name not in used and not any(path == outer or path.startswith(f"{outer}.") for outer in idle):
            yield Finding("never_called", path, f"the parameter {name} is not used by this pass, so it gets no gradient")
