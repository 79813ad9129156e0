"""What arrays are by their names: pictures, their targets, which part of a data set. Imports the standard library."""

from __future__ import annotations

import re

SPLITS = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Words for the parts of a data set; their order is that in which parts are joined."""
ROLES = {
    **dict.fromkeys(("images", "image", "imgs", "img", "x", "data", "pictures", "photos", "inputs", "arr_0"), "images"),
    **dict.fromkeys(("labels", "label"), "labels"),
    **dict.fromkeys(("masks", "mask", "segmentations", "segmentation", "seg", "annotations", "trimaps", "gt"), "masks"),
    **dict.fromkeys(("y", "targets", "target", "truth", "arr_1"), "targets"),
}
"""What each name means; of what is only called the target, the shape says whether it is labels or masks."""
_GLUED = re.compile(r"(x|y)(train|val|valid|test)|(train|val|valid|test)(x|y)")


def role(name: str) -> tuple[str, str] | None:
    """Return the part of the data set ("" for all) and what an array is in it, or None where its name says nothing."""
    name = name.lower()
    if name in ROLES:
        return "", ROLES[name]
    glued = _GLUED.fullmatch(name)
    words = [word for word in glued.groups() if word] if glued else name.split("_")
    parts = [SPLITS[word] for word in words if word in SPLITS]
    rest = "_".join(word for word in words if word not in SPLITS)
    return (parts[0], ROLES[rest]) if len(parts) == 1 and rest in ROLES else None


def parted(names: list[str]) -> dict[str, dict[str, str]]:
    """Return for each part of a data set, in their order, the names of its arrays by what they are.

    Only parts with pictures and a target count. Raises `ValueError` with what two arrays both are.
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        known = role(name)
        if known is None:
            continue
        part, kind = known
        if kind in found.setdefault(part, {}):
            raise ValueError(f"{found[part][kind]} and {name}, both {kind}")
        found[part][kind] = name
    whole = {part: arrays for part, arrays in found.items() if "images" in arrays and len(arrays) > 1}
    if "" in whole:
        return {"": whole[""]}
    return {part: whole[part] for part in dict.fromkeys(SPLITS.values()) if part in whole}
