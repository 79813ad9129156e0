"""A person's own pictures as the source of a function `data()` that reads the file as it was read here. numpy only.

How it was read stands in `Pictures.source`; functions by which image files are found and decoded are written out as they are.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ...tasks.own import IGNORED, Own, UploadError
from ...tasks.pictures import Pictures
from ...tasks.task import Task
from .own_words import MEAN, Reading, literal, sentence
from .source import Sources

PICTURES = '''
def data():
    """{sentence}"""
    x, y = pictures()
    training, held_out = split(y, np.random.default_rng([{seed}, {number}]))
{standardise}    return x[training], y[training], x[held_out], y[held_out]


def pictures():
    """Return the pictures of the file, {numbers}, and their {target}."""
    if not FILE.is_file():
        sys.exit(f"There is no file {{FILE}}: give the path of {{NAME}} as the first argument.")
{first}    try:
{lines}    except Exception:  # another file fails in many ways
        sys.exit(OTHER)
    if sha256(x.tobytes() + y.tobytes()).hexdigest() != DIGEST:
        sys.exit(OTHER)
    return {x}, y
'''
CHANNELS = """    for channel in range({channels}):  # mean 0 and deviation 1 in the training part
        mean, deviation = mean_and_deviation(x[training, channel])
        x[:, channel] -= np.float32(mean)
        x[:, channel] /= np.float32(deviation)
"""
OPENED = """
    def opened(name):
        return Image.open(BytesIO(archive.read(name)))

"""
CHANNELS_FIRST = {"none": "images[:, None]", "first": "images", "last": "images.transpose(0, 3, 1, 2)"}
ONE_VALUE = {
    ("one", 1): "masks[:, 0]",
    ("one", 3): "masks[..., 0]",
    ("one-hot", 1): "masks.argmax(1)",
    ("one-hot", 3): "masks.argmax(3)",
    ("one-hot or none", 1): "np.where((masks != 0).any(1), masks.argmax(1) + 1, 0)",
    ("one-hot or none", 3): "np.where((masks != 0).any(3), masks.argmax(3) + 1, 0)",
    ("colours", 1): "np.moveaxis(masks, 1, 3)[..., :3].astype(int) @ [65536, 256, 1]",
    ("colours", 3): "masks[..., :3].astype(int) @ [65536, 256, 1]",
}
"""How one value a pixel comes from masks with channels, by what they are and where."""


def pictures_source(task: Task, pictures: Pictures, sources: Sources) -> Reading:
    """Return how a script reads the pictures of `task`; raises `UploadError` where it was not noted how they were read.

    The functions of ours that this takes come into `sources`.
    """
    own, source = task.own, pictures.source
    if not source:
        raise UploadError(f"{own.file} was read before it was noted how: upload it again, and its script can be written")
    of_files = source["door"] == "images"
    of_pixels = source["door"] == "pixels"
    lines = (_of_files if of_files else _of_pixels if of_pixels else _of_arrays)(source, own)
    is_bytes = pictures.images.dtype == np.uint8
    if not (of_files or of_pixels) and is_bytes and not ((pictures.images != 0) & (pictures.images != 255)).any():
        lines += ["if images.dtype == bool:", "    images = images * np.uint8(255)"]
    lines += ["x = np.ascontiguousarray(images, dtype=np.float32)", *_target_lines(source, own)]
    body = PICTURES.format(
        sentence=sentence(task),
        seed=task.seed,
        number=task.kind.number,
        standardise=CHANNELS.format(channels=own.shape[0]),
        numbers="0 to 1" if is_bytes else "as they are",
        target=own.target,
        lines="".join(f"        {line}\n" for line in lines),
        first=OPENED if of_files else "",
        x="x / 255" if is_bytes else "x",
    )
    digest = _pictures_digest(pictures, own)
    sources.add(MEAN)
    if not of_files:
        return Reading(("import csv",) if of_pixels else (), body, digest)
    for function in ("names:chosen_pictures", "names:folder_class", "pixels:pixels_of"):
        sources.add(f"skipviz.tasks.image_{function}")
    return Reading(("import zipfile", "from io import BytesIO"), body, digest, ("pillow",))


def _of_files(source: dict, own: Own) -> list[str]:
    """Return the lines that read image files."""
    size, paired = tuple(source["size"]), own.target == "masks"
    lines = ["with zipfile.ZipFile(FILE) as archive:", "    chosen = chosen_pictures(archive.namelist())"]
    kinds = [("images", "chosen", source["mode"], "BILINEAR")]
    kinds += [("masks", "chosen.values()", source["mask_mode"], "NEAREST")] if paired else []
    lines += [
        f'    {name} = np.stack([pixels_of(opened(name), "{mode}", {size}, "{method}") for name in {names}])'
        for name, names, mode, method in kinds
    ]
    lines += [] if paired else ["labels = [folder_class(name) for name in chosen]"]
    return [*lines, f"images = {CHANNELS_FIRST['none' if source['mode'] == 'L' else 'last']}"]


def _of_pixels(source: dict, own: Own) -> list[str]:
    """Return the lines that read a table whose rows are pictures."""
    place, side = source["label"], source["side"]
    rows = "filter(None, csv.reader(file))"
    lines = ['with FILE.open(encoding="latin-1") as file:', f"    {'_, *rows' if source['named'] else 'rows'} = {rows}"]
    pixels = "row[1:]" if place == 0 else "row[:-1]"
    lines.append(f"    read = [(row[{place}].strip(), np.array({pixels}, dtype=float).astype(np.uint8)) for row in rows]")
    lines.append(f"labels = [{'int(label)' if source['numbers'] else 'label'} for label, _ in read]")
    lines.append("images = np.stack([pixels for _, pixels in read])")
    if source["channels"] == "last":
        lines.append(f"images = images.reshape(-1, {side}, {side}, 3).transpose(0, 3, 1, 2)")
    return [*lines, f"images = images.reshape{(-1, *own.shape)}"]


def _of_arrays(source: dict, own: Own) -> list[str]:
    """Return the lines that read arrays."""
    lines = ["with np.load(FILE, allow_pickle=False) as arrays:"]
    for kind in ("images", own.target):
        names = [literal(name) for name in source["paths"][kind]]
        joined = f"np.concatenate([arrays[name] for name in ({', '.join(names)})])"
        lines.append(f"    {kind} = {joined if len(names) > 1 else f'arrays[{names[0]}]'}")
    return [*lines, f"images = {CHANNELS_FIRST[source['channels']]}"] if source["channels"] != "first" else lines


def _target_lines(source: dict, own: Own) -> list[str]:
    """Return the lines that make `y` of labels or masks."""
    if own.kind == "labels":
        labels = "(labels != 0).argmax(1)" if source.get("one_hot") else "labels"
        return [f"y = np.unique({labels}, return_inverse=True)[1].ravel()"]
    rule = source["masks"]
    lines = [f"masks = {ONE_VALUE[rule['channels'], rule['axis']]}"] if "channels" in rule else []
    if "inside" in rule:
        return [*lines, f"y = (masks == {rule['inside']!r})[:, None].astype(np.float32)"]
    if "above" in rule:
        return [*lines, f"y = (masks > {rule['above']!r})[:, None].astype(np.float32)"]
    lines.append(f"y = np.searchsorted({rule['classes']}, masks).astype(np.uint8)")
    return lines + ([f"y[masks == {rule['ignored']}] = {IGNORED}  # is ignored"] if "ignored" in rule else [])


def _pictures_digest(pictures: Pictures, own: Own) -> str:
    """Return the digest picture by picture: all of them as floats take much memory."""
    found = hashlib.sha256()
    for image in pictures.images:
        found.update(image.astype(np.float32).tobytes())
    if own.kind == "labels":
        found.update(pictures.labels.astype(np.int64).tobytes())
    else:
        for mask in pictures.masks:
            found.update(mask.astype(np.uint8 if own.kind == "pixel_classes" else np.float32).tobytes())
    return found.hexdigest()
