"""What every description in this project shares: frozen, strict data and one kind of error.

Imports pydantic only.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

Shape = tuple[int, ...]
"""A state's shape without the batch: `(features,)`, `(length, width)`, `(channels, height, width)` or, of volumes,
`(channels, depth, height, width)`."""

Width = Annotated[int, Field(ge=1, le=4096)]
Bias = Annotated[bool, Field(description="a number that is learned is added to each feature or channel out")]
"""Features or channels that an operation gives."""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
"""A stable id of a layer, a skip or a variant: letters, digits, dot, dash and underscore."""


class NetworkError(ValueError):
    """A network that cannot be built; its text is one sentence for a person."""


AS_KEPT = {"kept": True}
"""The context of what was written down: an earlier version may have let it pass, and it stays what it was."""


class Frozen(BaseModel):
    """Immutable data without unknown fields, NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def kept(cls, data: dict | str | bytes):
        """Return what was written down as `data`, JSON or what it decodes to; raises `ValidationError`."""
        validate = cls.model_validate if isinstance(data, dict) else cls.model_validate_json
        return validate(data, context=AS_KEPT)

    def replaced(self, **changes):
        """Return a validated copy with `changes`; raises `NetworkError` with one sentence."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self)(**{**values, **changes})
        except ValidationError as error:
            raise NetworkError(sentence(error)) from None


class Tagged(Frozen):
    """Frozen data that is told apart from its siblings by `kind`, which every dump therefore keeps."""

    @model_serializer(mode="wrap")
    def _with_kind(self, handler):
        return {"kind": self.kind, **handler(self)}


def sentence(error: ValidationError) -> str:
    """Return the first problem of a pydantic error as one sentence that names the field."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, NetworkError):
        return str(cause)
    where = ".".join(_shown(str(part)) for part in first["loc"]) or "value"
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no such field here; what has one may come from a newer skipviz"[-400:]
    if first["type"] in ("too_long", "too_short"):
        bound = "at most {max_length}" if first["type"] == "too_long" else "at least {min_length}"
        return f"{where}: {first['ctx']['actual_length']} values, and it takes {bound.format(**first['ctx'])}"
    message = str(cause) if cause is not None else first["msg"]
    return f"{where}: {message[:1].lower()}{message[1:]}"[:400]


def _shown(name: str) -> str:
    """Return a field's name, which a sender may have made up, so that it stands in one line and can be written down."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name[:80])


def is_image(shape: Shape) -> bool:
    """Return whether `shape` is that of an image or a volume: `(channels, height, width)`, or with a depth before the height."""
    return len(shape) in (3, 4)


def axes(shape: Shape) -> int:
    """Return along how many axes the pixels of an image, the voxels of a volume or the positions of a sequence lie."""
    return len(spatial(shape))


def channel_axis(shape: Shape) -> int:
    """Return the axis of `shape` (no batch) along which states are concatenated."""
    return 0 if is_image(shape) else len(shape) - 1


def channels(shape: Shape) -> int:
    """Return how many channels (or features) a state of `shape` has."""
    return shape[channel_axis(shape)]


def spatial(shape: Shape) -> Shape:
    """Return the axes of `shape` that are not channels: `(height, width)`, `(depth, height, width)`, `(length,)` or `()`."""
    axis = channel_axis(shape)
    return shape[:axis] + shape[axis + 1 :]


def places(shape: Shape) -> tuple[int, ...]:
    """Return the axes of a batch of states of `shape` along which their positions lie."""
    axis = channel_axis(shape)
    return tuple(1 + place for place in range(len(shape)) if place != axis)


def with_channels(shape: Shape, count: int) -> Shape:
    """Return `shape` with `count` channels."""
    axis = channel_axis(shape)
    return (*shape[:axis], count, *shape[axis + 1 :])


def kernel_words(kernel: int, shape: Shape) -> str:
    """Return a kernel that reads a state of `shape` as a person writes it: `3×3`, of a sequence `3`."""
    return written((kernel,) * max(1, len(spatial(shape))))


def elements(shape: Shape) -> int:
    """Return the number of elements of one sample of `shape`."""
    product = 1
    for size in shape:
        product *= size
    return product


def written(shape: Shape) -> str:
    """Return `shape` as a person writes it: `64` or `16×8×8`."""
    return "×".join(str(size) for size in shape)
