"""Where the arrays of people's data lie: one object a digest, bounded in number, size and age. numpy only.

What was sent is never kept, only what was read from it, as plain arrays that hold no Python objects.
"""

from __future__ import annotations

import json
import re
import time
import zipfile
from pathlib import Path

import numpy as np

from .blobs import PART, blobs_at
from .own import Own, UploadError
from .pictures import Pictures
from .table import Column, Table, facts

MOST_FILES = 1000
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Uploads:
    """Kept data in a folder or under a URL. Anyone who knows a digest may load it; no other name leads to a file."""

    def __init__(self, place: Path | str, most_mb: int = 512, hours: float = 168) -> None:
        self.place, self._most, self._seconds = str(place), most_mb * 2**20, hours * 3600
        self._blobs = blobs_at(self.place)

    def keep(self, data: Table | Pictures) -> str:
        """Keep `data` and return its digest; the oldest gives way. Raises `UploadError` where the disk takes no more."""
        digest = data.digest()
        arrays = _pictures_arrays(data) if isinstance(data, Pictures) else _table_arrays(data)
        if sum(array.nbytes for array in arrays.values()) > self._most:
            raise UploadError("this server keeps no data of that size")
        try:
            with self._blobs.writing(_name(digest)) as file:
                np.savez(file, **arrays)
            self._sweep(digest)
        except OSError as error:
            raise UploadError(f"this server cannot keep the data at present ({error.strerror or 'the disk'})") from None
        return digest

    def has(self, digest: str) -> bool:
        """Return whether the data of that digest is here."""
        try:
            return _DIGEST.fullmatch(digest) is not None and self._blobs.has(_name(digest))
        except OSError:
            return False

    def load(self, own: Own) -> Table | Pictures:
        """Return the data that `own` describes; raises `UploadError` where it is not here or no longer what it was."""
        name = _name(own.digest)
        try:
            with self._blobs.open(name) as file, np.load(file, allow_pickle=False) as arrays:
                data = (_pictures_from if own.is_pictures else _table_from)(arrays)
        except FileNotFoundError:
            raise UploadError(own.wanted()) from None
        except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
            raise UploadError(f"the data of {own.file} on this server is damaged: upload it again") from None
        if data.digest() != own.digest:
            raise UploadError(f"the data of {own.file} on this server is damaged: upload it again")
        self._blobs.use(name)
        return data

    def _sweep(self, newest: str) -> None:
        """Remove what is too old, then the longest unused until the rest fits."""
        now, room, count, gone = time.time(), self._most, 0, []
        for name, size, modified in sorted(self._blobs.found(), key=lambda one: one.modified, reverse=True):
            age = now - modified
            room, count = room - size, count + 1
            stale = name.endswith(PART) and age > 3600
            if name != _name(newest) and (stale or age > self._seconds or room < 0 or count > MOST_FILES):
                gone.append(name)
                room, count = room + size, count - 1
        self._blobs.remove(gone)


def _name(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise UploadError("that is no digest of data")
    return f"{digest}.npz"


def _table_arrays(table: Table) -> dict[str, np.ndarray]:
    about = np.frombuffer(json.dumps(facts(table)).encode(), np.uint8)
    columns = {f"c{place}": column.values for place, column in enumerate(table.columns) if column.values is not None}
    others = {f"o{place}": column.other for place, column in enumerate(table.columns) if column.other is not None}
    return {"about": about, **columns, **others}


def _table_from(arrays) -> Table:
    about = json.loads(arrays["about"].tobytes())
    columns = []
    for place, (name, kind, missing, distinct, reason, categories, *more) in enumerate(about["columns"]):
        values = None if kind == "left out" else arrays[f"c{place}"]
        more = {key: text for key, text in (more[0] if more else {}).items() if key in ("unit", "date", "written")}
        if more.get("written"):
            more["other"] = arrays[f"o{place}"]
        comma = place in about.get("commas", ())
        columns.append(Column(name, kind, missing, distinct, reason, tuple(categories), values, comma, **more))
    preview, notes = tuple(map(tuple, about["preview"])), tuple(about.get("notes", ()))
    source = about.get("source", {})
    return Table(about["file"], about["rows"], tuple(columns), preview, about.get("delimiter"), source, notes)


def _pictures_arrays(pictures: Pictures) -> dict[str, np.ndarray]:
    about = {name: getattr(pictures, name) for name in ("file", "classes", "mask_classes", "source", "notes")}
    parts = {name: getattr(pictures, name) for name in ("images", "labels", "masks")}
    return {
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
        **{name: part for name, part in parts.items() if part is not None},
    }


def _pictures_from(arrays) -> Pictures:
    about = json.loads(arrays["about"].tobytes())
    labels, masks = (arrays[name] if name in arrays.files else None for name in ("labels", "masks"))
    more = {name: tuple(about.get(name, ())) for name in ("mask_classes", "notes")}
    return Pictures(about["file"], arrays["images"], labels, tuple(about["classes"]), masks, source=about.get("source", {}), **more)
