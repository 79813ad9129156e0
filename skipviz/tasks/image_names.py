"""What image files in an archive are by their names. Imports the standard library only.

A script that reads such a file is given these functions as they stand here, so that it finds the same pictures.
"""

from __future__ import annotations

import re

IMAGE_ENDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
PART_WORDS = {"train", "training", "val", "valid", "validation", "test", "testing"}
PICTURE_WORDS = {"images", "image", "imgs", "img", "jpegimages", "leftimg8bit", "photos", "pictures", "inputs"}
MASK_WORDS = {
    "masks", "mask", "labels", "label", "annotations", "annotation", "annot", "trimaps", "trimap", "segmentations",
    "segmentation", "segmentationclass", "seg", "gt", "gtfine", "groundtruth", "labelids", "labeltrainids",
}  # fmt: skip


def words(text):
    """Return the words that a name is made of, in small letters."""
    return [word for word in re.split(r"[_. -]+|(?=annot$)", text.lower()) if word]


def is_picture(name):
    """Return whether the name is an image file's, and not one of those that systems add by themselves."""
    return name.lower().endswith(IMAGE_ENDS) and not name.startswith("__MACOSX/") and "/." not in f"/{name}"


def is_mask(name):
    """Return whether a folder's name or the file's own says that it is a mask."""
    return any(not MASK_WORDS.isdisjoint(words(part)) for part in name.rpartition(".")[0].split("/"))


def pair_key(name):
    """Return what a picture and its mask share: folders and name without the words that tell the two apart."""
    parts = [words(part) for part in name.rpartition(".")[0].split("/")]
    kept = [" ".join(word for word in part if word not in PICTURE_WORDS | MASK_WORDS) for part in parts]
    return "/".join([*filter(None, kept[:-1]), kept[-1] or " ".join(parts[-1])])


def folder_class(name):
    """Return the folder that names a picture's class: the last that is no part of a data set; "" where there is none."""
    folders = [folder for folder in name.split("/")[:-1] if not PART_WORDS.issuperset(words(folder))]
    return folders[-1] if folders else ""


def chosen_pictures(names):
    """Return the pictures that are learned from, in order, each with its mask, or with None where folders are classes."""
    masks, names = {}, sorted(name for name in names if is_picture(name))
    for name in names:
        if is_mask(name):
            masks.setdefault(pair_key(name), []).append(name)
    pairs = {name: masks.get(pair_key(name), []) for name in names if not is_mask(name)}
    pairs = {name: found[0] for name, found in pairs.items() if len(found) == 1}
    return pairs or {name: None for name in names if folder_class(name)}
