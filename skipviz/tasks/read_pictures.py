"""Reads pictures that somebody sends, as arrays or as image files: whatever is wrong with them ends in one sentence. numpy only.

Nothing in a file is unpickled, and nothing is unpacked before its size is known and allowed.
"""

from __future__ import annotations

from .archive import files, opened
from .image_names import is_picture
from .own import UploadError, shown_file
from .pictures import Pictures
from .read_arrays import one_array, read_arrays

MOST_BYTES = 20 * 2**20
_NUMPY = b"\x93NUMPY"


def read_pictures(content: bytes, name: str) -> Pictures:
    """Return the pictures of an .npz or of a zip of image files; raises `UploadError` with one sentence for any other content."""
    file = shown_file(name)
    if len(content) > MOST_BYTES:
        raise UploadError(f"{file} has {len(content) / 2**20:.1f} MB and a file of pictures has at most {MOST_BYTES // 2**20}")
    if not content:
        raise UploadError(f"{file} is empty")
    if content.startswith(_NUMPY):
        raise UploadError(one_array(content, file))
    try:
        with opened(content, file) as archive:
            entries = files(archive, file)
            if any(is_picture(entry.filename) for entry in entries):
                from .read_images import read_images  # and with it Pillow, which nobody else needs

                return read_images(archive, entries, file)
            return read_arrays(archive, entries, file)
    except UploadError:
        raise
    except Exception:  # of a damaged archive zipfile tells in a dozen kinds, down to a negative seek
        kind = "zip of pictures" if file.lower().endswith(".zip") else ".npz"
        again = "pack it again" if kind != ".npz" else "save it again with numpy.savez"
        raise UploadError(f"{file} is no {kind}, or it is damaged or cut short: {again}") from None
