"""The operations of a layer: one file is one of them, and all that names it. `Operation` is whichever a layer has."""

from __future__ import annotations

from typing import Annotated, Union

from pydantic import Field

from .. import kind

OPERATIONS: dict[str, type[kind.Operation]] = kind.kinds(__name__)

CLASSES = {operation.__name__: operation for operation in OPERATIONS.values()}
"""By the names under which `skipviz` has them, and this package too."""

globals().update(CLASSES)

Operation = Annotated[Union[*OPERATIONS.values()], Field(discriminator="kind")]
