"""Small files of the shapes in which public data sets of pictures come, and what hostile ones are made of."""

import io
import zipfile

import numpy as np
from PIL import Image

COUNT = 24


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    """Return pixels as an image file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def npz(**arrays) -> bytes:
    """Return arrays as numpy saves them."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def disc(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return where a disc lies, somewhere in the middle."""
    y, x = np.mgrid[:height, :width]
    down, right = generator.uniform(0.35, 0.65, 2) * (height, width)
    return np.hypot(y - down, x - right) < min(height, width) / 4


def photo(generator: np.random.Generator, there: np.ndarray, channels: int = 3) -> np.ndarray:
    """Return a noisy picture, brighter where something is."""
    light = np.where(there, 190, 60)[..., None] + generator.normal(0, 12, (*there.shape, channels))
    return light.clip(0, 255).astype(np.uint8).squeeze()


def pets() -> bytes:
    """Photos of many sizes with trimaps, as Oxford's pets: 1 the animal, 2 what lies behind, 3 its border."""
    generator, files = np.random.default_rng(1), {}
    for place in range(COUNT):
        there = disc(generator, *generator.integers(60, 120, 2))
        border = there ^ np.roll(there, 2, 0)
        files[f"pets/images/Abyssinian_{place}.jpg"] = encoded(photo(generator, there), "JPEG")
        files[f"pets/annotations/trimaps/Abyssinian_{place}.png"] = encoded(
            np.where(border, 3, np.where(there, 1, 2)).astype(np.uint8)
        )
    return zipped({**files, "pets/annotations/list.txt": b"Abyssinian_1 1 1 1"})


def streets() -> bytes:
    """Street scenes with a class a pixel, as Cityscapes: 0, 5 and 11, and 255 where nothing counts."""
    generator, files = np.random.default_rng(2), {}
    for place in range(COUNT):
        there = disc(generator, 32, 64)
        classes = np.where(there, 11, 0).astype(np.uint8)
        classes[:, :9], classes[-4:] = 5, 255
        name = f"aachen/aachen_{place:06}"
        files[f"leftImg8bit/train/{name}_leftImg8bit.png"] = encoded(photo(generator, there))
        files[f"gtFine/train/{name}_gtFine_labelTrainIds.png"] = encoded(classes)
    return zipped(files)


def breasts() -> bytes:
    """Ultrasound with masks saved as JPEG beside the pictures, in a folder for each finding."""
    generator, files = np.random.default_rng(3), {}
    for place in range(COUNT):
        there, finding = disc(generator, 40, 32), ("benign", "malignant")[place % 2]
        files[f"busi/{finding}/{finding} ({place}).png"] = encoded(photo(generator, there, 1))
        files[f"busi/{finding}/{finding} ({place})_mask.jpg"] = encoded((there * 255).astype(np.uint8), "JPEG")
    return zipped(files)


def animals(kind: str = "PNG") -> bytes:
    """Pictures in a folder for each class, apart for training and test, with what systems add."""
    generator, files = np.random.default_rng(4), {"__MACOSX/animals/._cat": b"x", "animals/.DS_Store": b"x"}
    for place in range(COUNT):
        part, name = ("train", "test")[place % 3 == 0], ("cat", "dog")[place % 2]
        pixels = generator.integers(0, 90, (14, 10), dtype=np.uint8) + np.uint8(place % 2 * 120)
        files[f"animals/{part}/{name}/{place}.{kind.lower()}"] = encoded(pixels, kind)
    return zipped(files)


def medical() -> bytes:
    """Arrays as MedMNIST's, in three parts."""
    generator, arrays = np.random.default_rng(5), {}
    for part, count in (("train", 40), ("val", 10), ("test", 14)):
        labels = np.arange(count)[:, None] % 2
        arrays[f"{part}_images"] = generator.integers(0, 90, (count, 28, 28), dtype=np.uint8) + np.uint8(120) * labels[
            ..., None
        ].astype(np.uint8)
        arrays[f"{part}_labels"] = labels
    return npz(**arrays)


def one_hot() -> bytes:
    """Arrays as written for Keras: channels last, one-hot labels."""
    generator, classes = np.random.default_rng(6), np.arange(COUNT) % 3
    return npz(X=generator.random((COUNT, 8, 8, 3)).astype(np.float32), y=np.eye(3)[classes])


PUBLIC = {
    "pets.zip": pets, "streets.zip": streets, "breasts.zip": breasts, "animals.zip": animals, "medical.npz": medical,
    "one_hot.npz": one_hot,
}  # fmt: skip
