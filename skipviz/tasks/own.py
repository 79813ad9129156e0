"""Data of one's own: what a task knows of a file without holding it, and the bounds of such files. Imports no numpy.

A link carries this description, never the data. The data itself lies on the server that read it, under its digest.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ..network.base import Frozen, NetworkError, elements, written

FEWEST_SAMPLES = 20
"""With fewer, the fifth that is held out says nothing."""
MOST_SAMPLES = 20_000
"""Pictures."""
MOST_ROWS = 100_000
"""Of a table; how many columns they may have is bounded by its cells, and how many inputs by all rows together."""
MOST_FEATURES = 500
"""Inputs that a table's columns make, categories counted one by one."""
MOST_TABLE_INPUTS = 4_000_000
"""Inputs of all rows of a table together: 16 MB in a run's process."""
MOST_CLASSES = 50
MOST_MASK_CLASSES = 21
"""Of pixels: 20 things and what lies behind them, as in the images that FCN was made for."""
IGNORED = 255
"""The class of a pixel that counts neither in loss nor in metric."""
MOST_CHANNELS = 4
SIDES = (4, 256)
"""Fewest and most pixels a side of a picture."""
MOST_PIXELS = 2**23
"""Of all pictures together, channels counted one by one: 32 MB in a run's process."""
COLUMNS_NAMED = 12
"""So many of a table's columns are named in a link, for who has to find the file again."""


CLASSED = ("classes", "labels", "pixel_classes")
"""Kinds of data of one's own whose classes have names."""


class UploadError(ValueError):
    """A file that cannot be used, or data that is not here; its text is one sentence for a person."""


def shown(text: str, most: int) -> str:
    """Return `text` as it may be shown: one line of printable characters, none that turns its direction, at most `most` of them."""
    line = " ".join(unicodedata.normalize("NFC", text[: 20 * most]).split())
    line = "".join(character for character in line if character.isprintable())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def shown_file(name: str) -> str:
    """Return a file's name as it may be shown, without the folders that a browser or a hostile client put before it."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, dot, suffix = last.rpartition(".")
    if dot and stem and len(suffix) <= 4:
        return f"{shown(stem, 50) or 'file'}.{shown(suffix, 4)}"
    return shown(last, 55) or "file"


def _as_shown(text: str) -> str:
    if shown(text, len(text) + 1) != text:
        raise NetworkError("a name of one's own data holds characters that cannot be shown")
    return text


def _name(most: int):
    return Annotated[str, Field(min_length=1, max_length=most), AfterValidator(_as_shown)]


class Own(Frozen):
    """What a network for one's own data must take and give, and which file that was."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the arrays read from the file")
    file: _name(56) = Field(description="the file's name, without folders")
    kind: Literal["classes", "numbers", "labels", "masks", "pixel_classes"] = Field(
        description="what the network predicts of a table's row, or of a picture"
    )
    target: _name(40) = Field(description="the column that is predicted; of pictures labels or masks")
    samples: int = Field(ge=FEWEST_SAMPLES, le=MOST_ROWS, description="rows with a target, or pictures")
    shape: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=1, max_length=3, description="(inputs,) or (channels, height, width)"
    )
    classes: tuple[_name(24), ...] = Field((), max_length=MOST_CLASSES, description="names of the classes, in their order")
    columns: tuple[_name(24), ...] = Field(
        (), max_length=COLUMNS_NAMED, description="the first columns that the inputs are made of"
    )
    decimal: Literal["point", "comma"] | None = Field(
        None, description="the decimal mark of a table's numbers that can be read in two ways; None: the likely one"
    )
    dates: Literal["day", "month"] | None = Field(None, description="what comes first in dates that can be read in two ways")
    taken: tuple[_name(40), ...] = Field((), max_length=COLUMNS_NAMED, description="columns of ids that are inputs nevertheless")

    @model_validator(mode="after")
    def _check(self):
        if (len(self.shape) == 3) != self.is_pictures or len(self.shape) == 2:
            raise NetworkError(f"{self.kind} are not predicted from {written(self.shape)} inputs")
        most = MOST_MASK_CLASSES if self.kind == "pixel_classes" else MOST_CLASSES
        if not (2 <= len(self.classes) <= most if self.kind in CLASSED else not self.classes):
            raise NetworkError(f"{self.kind.replace('_', ' ')} cannot have {len(self.classes)} classes")
        if self.is_pictures:
            channels, *sides = self.shape
            if channels > MOST_CHANNELS or min(sides) < SIDES[0] or max(sides) > SIDES[1]:
                raise NetworkError(f"pictures of {written(self.shape)} are out of bounds")
        if self.is_pictures and self.samples > MOST_SAMPLES:
            raise NetworkError(f"{self.samples:,} pictures are too many")
        if elements(self.shape) > (MOST_PIXELS if self.is_pictures else MOST_FEATURES):
            raise NetworkError(f"{elements(self.shape):,} inputs are too many")
        if self.samples * elements(self.shape) > (MOST_PIXELS if self.is_pictures else MOST_TABLE_INPUTS):
            raise NetworkError(f"{self.samples:,} samples of {written(self.shape)} are too many")
        return self

    @classmethod
    def of(cls, data, kind: str, target: str, samples: int, shape: tuple[int, ...], classes=(), columns=(), **choices) -> Own:
        """Return the description of what was read of a file (`data.file`, `data.digest()`), names as they may be shown.

        `choices` are fields that say how the file is read.
        """
        return cls(
            digest=data.digest(),
            file=data.file,
            kind=kind,
            target=target,
            samples=samples,
            shape=shape,
            classes=tuple(shown(name, 24) or "(blank)" for name in classes),
            columns=tuple(shown(name, 24) for name in columns),
            **choices,
        )

    def choices(self) -> dict:
        """Return what a person chose of how the file is read."""
        return {"decimal": self.decimal, "dates": self.dates, "taken": self.taken}

    @property
    def is_pictures(self) -> bool:
        """Whether the samples are pictures; otherwise they are a table's rows."""
        return self.kind in ("labels", "masks", "pixel_classes")

    def sentence(self) -> str:
        """Return in a few words what is predicted from what."""
        if self.kind == "masks":
            return f"find masks in {written(self.shape)} pictures of {self.file}"
        if self.kind == "pixel_classes":
            return f"tell {len(self.classes)} classes of pixels in {written(self.shape)} pictures of {self.file}"
        what = f"{self.target} ({len(self.classes)} classes)" if self.kind == "classes" else self.target
        if self.is_pictures:
            return f"tell {len(self.classes)} classes of {written(self.shape)} pictures of {self.file}"
        return f"tell {what} from {self.shape[0]} {'input' if self.shape[0] == 1 else 'inputs'} made of {self.file}"

    def wanted(self) -> str:
        """Return one sentence that says which file has to be uploaded where the data is not."""
        way = f", {'which has' if self.is_pictures else 'target column'} {self.target}"
        size = f"{self.samples:,} {'pictures' if self.is_pictures else 'rows'}"
        return f"this experiment learns from {self.file} ({size}{way}), which is not on this server: upload it to go on"
