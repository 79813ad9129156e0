"""An .npz of pictures is read without unpickling or unpacking too much, and whatever can be wrong with one ends in one sentence."""

import io
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from functools import cache
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pace import slowness

from skipviz.tasks import examples
from skipviz.tasks.own import UploadError
from skipviz.tasks.upload import described, read

COUNT = 24
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 255, (COUNT, 8, 10), dtype=np.uint8)
LABELS = np.arange(COUNT) % 3
MASKS = IMAGES > 100


def npz(save=np.savez_compressed, **arrays) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def zipped(entries: dict[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(UploadError) as caught:
        read(content, "my.npz")
    text = str(caught.value)
    assert 10 < len(text) < 260
    assert text.isprintable()
    return text


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        (IMAGES, (COUNT, 1, 8, 10)),
        (np.stack([IMAGES] * 3, axis=-1), (COUNT, 3, 8, 10)),
        (np.stack([IMAGES] * 3, axis=1), (COUNT, 3, 8, 10)),
        (IMAGES[:, None], (COUNT, 1, 8, 10)),
        (np.asfortranarray(IMAGES / 255), (COUNT, 1, 8, 10)),
        (IMAGES.astype(">u2"), (COUNT, 1, 8, 10)),
        (IMAGES > 99, (COUNT, 1, 8, 10)),
    ],
    ids=["grey", "channels last", "channels first", "one channel", "by columns", "big-endian", "bool"],
)
def test_pictures_come_with_or_without_channels_in_bytes_or_numbers(images, shape):
    pictures = read(npz(images=images, labels=LABELS), "x.npz")
    assert pictures.images.shape == shape
    assert pictures.images.dtype == (np.uint8 if images.dtype in (np.uint8, bool) else np.float32)
    plain = pictures.images[:, 0].astype(float)
    expected = images if images.ndim == 3 else images[:, 0] if images.shape[1] < 4 else images[..., 0]
    assert np.allclose(plain, expected.astype(float) * (255 if images.dtype == bool else 1))


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS[:, None],
        LABELS.astype(float),
        np.array(["cat", "dog", "eel"])[LABELS],
        np.array([b"cat", b"dog", b"eel"])[LABELS],
    ],
)
def test_labels_are_whole_numbers_or_words(labels):
    pictures = read(npz(images=IMAGES, labels=labels), "x.npz")
    assert np.array_equal(pictures.labels, LABELS)
    assert len(described(pictures).classes) == 3


@pytest.mark.parametrize("masks", [MASKS, MASKS * np.uint8(255), MASKS.astype(float), MASKS[:, None], MASKS[..., None]])
def test_masks_are_two_values(masks):
    pictures = read(npz(images=IMAGES, masks=masks, labels=LABELS), "x.npz")
    assert np.array_equal(pictures.masks, MASKS)
    assert pictures.targets() == ["masks", "labels"]
    assert described(pictures).kind == "masks"


def test_compression_and_order_of_arrays_leave_the_digest():
    one = read(npz(images=IMAGES, labels=LABELS), "x.npz").digest()
    assert read(npz(np.savez, labels=LABELS, images=IMAGES), "y.npz").digest() == one
    assert read(npz(images=IMAGES, labels=(LABELS + 1) % 3), "x.npz").digest() != one


def test_the_example_has_labels_and_masks():
    assert described(read(examples.pictures_npz(), "shapes.npz"), "labels").classes == ("cross", "disc", "square")


GOOD = npz(images=IMAGES, labels=LABELS)
SPIKED = IMAGES.astype(float)
SPIKED[3, 2, 1] = np.nan


class Evil:
    """Would write a file if it were ever unpickled."""

    def __reduce__(self):
        return (open, ("/nonexistent/evil", "w"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"not a zip", "is no .npz"),
        (GOOD[: len(GOOD) // 2], "is no .npz, or it is damaged"),
        (GOOD[:300] + bytes([GOOD[300] ^ 255]) + GOOD[301:], "damaged"),
        (GOOD[:60] + GOOD[100:], "damaged"),
        (GOOD[39:], "damaged"),
        (npy(IMAGES), "is one array of 24 × 8 × 10 with nothing to tell of it"),
        (npy(IMAGES[:, None]), "numpy.savez('pictures.npz', x=…, y=…)"),
        (npy(LABELS), "is one array of 24 with nothing to tell of it"),
        (npy(np.array([[Evil()] * 2] * COUNT)), "my.npz holds pickled Python objects, which are never opened"),
        (npy(np.zeros((150, 5))), "every column of my.npz is left out"),
        (npy(np.zeros((150, 1))), "has one column"),
        (npy(np.zeros((0, 5))), "is an array without values"),
        (npy(np.zeros((20, 201))), "201 columns"),
        (npy(np.zeros((100_001, 2), np.int8)), "100,001 rows of 2 columns"),
        (npy(np.zeros((20, 2), complex)), "complex128"),
        (npy(np.full((20, 2), b"a")), "my.npz holds bytes"),
        (npy(np.ones((150, 5)))[:-8], "the array of my.npz does not hold the 750 values"),
        (npz(images=IMAGES), "holds images: it needs images and labels or masks"),
        (npz(a=IMAGES, b=LABELS), "holds a, b"),
        (npz(images=IMAGES, x=IMAGES, y=LABELS), "holds images and x, both images: keep one of them"),
        (npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES, test_masks=MASKS), "give both the same arrays"),
        (npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:, :6], y_test=LABELS), "cannot be joined"),
        (zipped({}), "holds nothing"),
        (zipped({"../images.npy": npy(IMAGES), "labels.npy": npy(LABELS)}), "'../images.npy'"),
        (zipped({"/etc/passwd": b"x", "labels.npy": npy(LABELS)}), "'/etc/passwd'"),
        (zipped({"images.npy": b"junk" * 9, "labels.npy": npy(LABELS)}), "images of my.npz is no numpy array"),
        (
            zipped({"images.npy": npy(np.array([Evil()] * COUNT)), "labels.npy": npy(LABELS)}),
            "pickled Python objects, which are never opened",
        ),
        (npz(images=IMAGES, labels=np.array([Evil(), *range(COUNT - 1)], dtype=object)), "pickled Python objects"),
        (npz(images=IMAGES, labels=np.zeros(COUNT, dtype=[("a", "i4")])), "save numbers or words"),
        (npz(images=IMAGES.astype(complex), labels=LABELS), "complex128: save numbers"),
        (npz(images=IMAGES.astype(str), labels=LABELS), "have to be numbers"),
        (npz(images=IMAGES[0], labels=LABELS), "have the shape 8 × 10"),
        (
            npz(images=np.zeros((COUNT, 8, 10, 9)), labels=LABELS),
            "24 × 8 × 10 × 9: its second or its last number has to be 1 to 4 channels",
        ),
        (npz(images=np.zeros((COUNT, 5, 16, 16)), labels=LABELS), "24 × 5 × 16 × 16: its second or its last number"),
        (npz(images=np.zeros((COUNT, 8, 8, 8, 1)), labels=LABELS), "volumes and films are not read"),
        (npz(images=IMAGES[:, :3], labels=LABELS), "3 × 10 pixels"),
        (npz(images=np.zeros((COUNT, 8, 300)), labels=LABELS), "8 × 300 pixels"),
        (npz(images=IMAGES[:5], labels=LABELS[:5]), "has 5 images"),
        (npz(images=IMAGES[:0], labels=LABELS[:0]), "has 0 images"),
        (npz(images=SPIKED, labels=LABELS), "NaN, infinite"),
        (npz(images=np.ones_like(IMAGES), labels=LABELS), "all of one colour"),
        (npz(images=IMAGES, labels=LABELS[:9]), "have the shape 9 and there are 24 images"),
        (npz(images=IMAGES, labels=LABELS + 0.5), "fractions"),
        (npz(images=IMAGES, labels=LABELS * np.nan), "fractions or are no numbers"),
        (npz(images=IMAGES, labels=LABELS * 0), "one value only"),
        (npz(images=IMAGES, labels=np.arange(COUNT) // 23), "once only"),
        (npz(images=IMAGES, labels=np.array(["x" * 200, "y"])[LABELS % 2]), "longer than 100 characters"),
        (npz(images=IMAGES, labels=np.array([b"\xff\xfe", b"y"])[LABELS % 2]), "are no text"),
        (npz(images=IMAGES, masks=MASKS[:, :5]), "24 × 5 × 10 and its images need 24 × 8 × 10"),
        (npz(images=IMAGES, masks=IMAGES), "hold 255 different values: a mask has two, or one for each of up to 21 classes"),
        (npz(images=IMAGES, masks=MASKS * np.nan), "NaN or infinite"),
        (npz(images=IMAGES, masks=IMAGES / 7), "hold fractions"),
        (npz(images=IMAGES, masks=np.stack([MASKS, MASKS, ~MASKS], -1)), "have 3 channels, of which a pixel has several"),
        (npz(images=IMAGES, labels=np.ones((COUNT, 3))), "no single 1 in every row"),
        (npz(images=IMAGES, masks=MASKS & False), "mark no pixel"),
        (npz(images=IMAGES, masks=MASKS | True), "mark every pixel"),
        (npz(images=IMAGES, labels=LABELS, **{f"x{i}": LABELS for i in range(20)}), "holds 22 arrays"),
        (b"x" * (20 * 2**20 + 1), "at most 20"),
    ],
)
def test_whatever_is_wrong_with_pictures_is_said_in_one_sentence(content, words):
    assert words in refused(content)


@cache
def bomb(megabytes: int) -> bytes:
    """Return an archive whose images are said to be, and are, that many MB of zeros."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (megabytes << 20,)})
    return zipped({"images.npy": header.getvalue() + bytes(megabytes << 20), "labels.npy": npy(LABELS)})


def test_a_zip_bomb_is_refused_by_its_directory_before_anything_is_unpacked():
    content = bomb(150)
    assert len(content) < 500_000
    tracemalloc.start()
    assert "unpacks to 150 MB" in refused(content)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_zip_bomb_whose_directory_lies_is_never_unpacked_further_than_it_says():
    content = bytearray(bomb(150))
    size = struct.pack("<I", (150 << 20) + 128)
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = struct.pack("<I", 100_000)
    tracemalloc.start()
    refused(bytes(content))
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_header_that_promises_more_than_there_is_costs_nothing():
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    assert "too large" in refused(zipped({"images.npy": header.getvalue(), "labels.npy": npy(LABELS)}))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2000, 8, 10)})
    assert "cut short" in refused(zipped({"images.npy": header.getvalue() + b"abc", "labels.npy": npy(LABELS)}))


def test_too_many_pixels_say_how_many_pictures_may_come():
    images = np.zeros((1000, 128, 128), np.uint8)
    images[0, 0, 0] = 1
    assert "at most 512 are taken" in refused(npz(images=images, labels=np.arange(1000) % 2))


@given(st.data())
def test_damaged_archives_end_in_pictures_or_a_sentence(data):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UploadError):
        read(bytes(content[: data.draw(st.integers(1, len(content)))]), "x.npz")


def test_the_largest_pictures_take_less_than_200_mb_and_a_second():
    images = np.zeros((2000, 64, 64)) + np.arange(2000)[:, None, None]
    content = npz(images=images, labels=np.arange(2000) % 2)
    tracemalloc.start()
    began = process_time()
    read(content, "x.npz")
    took = process_time() - began
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()
    assert took < 1 * slowness()
