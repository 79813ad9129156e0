"""The data sets: one file is one of them, how it is made and all that names it. numpy only."""

from ...network.kind import kinds
from ..task_kind import TaskKind

_found: dict[str, TaskKind] = kinds(__name__)
_pictures = list(dict.fromkeys(kind.picture for kind in _found.values()))

KINDS = dict(sorted(_found.items(), key=lambda item: _pictures.index(item[1].picture)))
"""By name, those with the same picture side by side."""
