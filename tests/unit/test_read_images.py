"""Pictures as people have them: image files in folders and arrays under usual names, read as meant, or refused in a sentence."""

import struct
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from time import process_time

import image_files
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_files import COUNT, PUBLIC, encoded, npz, zipped
from pace import slowness
from PIL import Image

from skipviz.tasks.own import UploadError
from skipviz.tasks.upload import described, read
from skipviz.tasks.uploads import Uploads

GREY = np.random.default_rng(0).integers(0, 255, (COUNT, 8, 10), dtype=np.uint8)
LABELS = np.arange(COUNT) % 2


def folders(files: dict[str, bytes] | None = None, count: int = COUNT, **changed) -> bytes:
    """Return grey pictures in two class folders, and what else is given."""
    plain = {f"{'ab'[place % 2]}/{place}.png": encoded(GREY[place]) for place in range(count)}
    return zipped({**plain, **(files or {})}, **changed)


def refused(content: bytes, name: str = "my.zip") -> str:
    with pytest.raises(UploadError) as caught:
        read(content, name)
    text = str(caught.value)
    assert 10 < len(text) < 260
    assert text.isprintable()
    return text


@pytest.mark.parametrize(
    ("name", "shape", "targets", "kind", "classes", "said"),
    [
        ("pets.zip", (3, 64, 64), ["masks"], "pixel_classes", ("1", "2", "3"), "are cut to their middle and scaled to 64 × 64"),
        ("streets.zip", (3, 32, 64), ["masks"], "pixel_classes", ("0", "5", "11"), "A pixel of 255 in a mask is ignored"),
        ("breasts.zip", (1, 40, 32), ["masks", "labels"], "masks", (), "what is above 127.5 is taken as inside"),
        ("animals.zip", (1, 14, 10), ["labels"], "labels", ("cat", "dog"), ""),
        ("medical.npz", (1, 28, 28), ["labels"], "labels", ("0", "1"), "Its parts train and val and test are joined"),
        ("one_hot.npz", (3, 8, 8), ["labels"], "labels", ("0", "1", "2"), "Labels are one-hot"),
    ],
)
def test_public_data_sets_are_read_as_they_are_meant(tmp_path, name, shape, targets, kind, classes, said):
    pictures = read(PUBLIC[name](), name)
    own = described(pictures)
    assert (own.shape, pictures.targets(), own.kind, own.classes) == (shape, targets, kind, classes)
    assert said in " ".join(pictures.notes)
    uploads = Uploads(tmp_path)
    uploads.keep(pictures)
    kept = uploads.load(own)
    assert (kept.digest(), kept.notes, described(kept)) == (pictures.digest(), pictures.notes, own)


def test_masks_lie_over_their_own_pictures():
    for name in ("pets.zip", "streets.zip", "breasts.zip"):
        pictures = read(PUBLIC[name](), name)
        there = pictures.masks == {"pets.zip": 0, "streets.zip": 2, "breasts.zip": True}[name]
        behind = pictures.masks == {"pets.zip": 1, "streets.zip": 0, "breasts.zip": False}[name]
        light = pictures.images.mean(1)
        means = [[image[part].mean() for image, part in zip(light, parts, strict=True)] for parts in (there, behind)]
        assert min(means[0]) > max(means[1]) + 40


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "JPEG"])
def test_every_kind_of_image_file_has_the_same_pictures(kind):
    pictures, plain = (read(image_files.animals(one), "a.zip") for one in (kind, "PNG"))
    assert pictures.images.shape == (COUNT, 3 if kind in ("WEBP", "GIF") else 1, 14, 10)
    assert np.array_equal(pictures.labels, plain.labels)
    if kind not in ("WEBP", "JPEG"):
        assert np.array_equal(pictures.images[:, :1], plain.images)


def test_large_pictures_of_one_size_keep_their_proportion_and_small_ones_stay_as_they_are():
    large = folders({f"{'ab'[place % 2]}/{place}.png": encoded(np.resize(GREY, (200, 400))) for place in range(COUNT)})
    pictures = read(large, "x.zip")
    assert pictures.images.shape[2:] == (64, 128)
    assert pictures.notes == ("Pictures of 400 × 200 are cut to their middle and scaled to 128 × 64 pixels.",)
    assert np.array_equal(read(folders(), "x.zip").images[:2, 0], GREY[[0, 10]])


def test_sixteen_bits_transparency_and_palettes_are_read():
    deep = [(image.astype(np.uint16) * 257) for image in GREY]
    pictures = read(folders({f"{'ab'[place % 2]}/{place}.png": encoded(deep[place]) for place in range(COUNT)}), "x.zip")
    assert np.array_equal(pictures.images[:2, 0], GREY[[0, 10]])
    clear = np.dstack([GREY[0]] * 4)
    assert read(folders({"a/0.png": encoded(clear)}), "x.zip").images.shape[1] == 3


def palettes(same: bool) -> bytes:
    """Return pictures with masks of numbered colours, the numbers of all masks the same or turned in some."""
    files = {}
    for place in range(COUNT):
        mask = Image.fromarray((GREY[place] > 128) + (GREY[place] > 200).astype(np.uint8))
        colours = [0, 0, 0, 250, 0, 0, 0, 0, 250]
        if place % 2 and not same:
            mask, colours = mask.point([2, 1, 0] + [0] * 253), colours[6:] + colours[3:6] + colours[:3]
        mask.putpalette(colours)
        file = image_files.io.BytesIO()
        mask.save(file, "PNG")
        files |= {f"images/{place}.png": encoded(GREY[place]), f"masks/{place}.png": file.getvalue()}
    return zipped(files)


def test_numbers_of_colours_are_classes_unless_files_number_them_differently():
    one, other = (read(palettes(same), "x.zip") for same in (True, False))
    assert (one.mask_classes, other.mask_classes) == (("0", "1", "2"), ("#000000", "#0000FA", "#FA0000"))
    assert np.array_equal(one.masks == 1, other.masks == 2)


def test_folders_called_like_masks_are_classes_where_no_picture_has_one():
    files = {f"{('with_mask', 'without_mask')[place % 2]}/{place}.png": encoded(GREY[place]) for place in range(COUNT)}
    assert read(zipped(files), "faces.zip").classes == ("with_mask", "without_mask")


PAIR = {f"{kind}/{place}.png": encoded(GREY[place]) for kind in ("images", "masks") for place in range(COUNT)}
UNMASKED = {name: content for name, content in PAIR.items() if name.startswith("images")}
HUGE = encoded(np.zeros((4100, 4100), np.uint8))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (folders()[:900], "is no zip of pictures, or it is damaged or cut short: pack it again"),
        (b"PK\x03\x04" + b"x" * 99, "is no zip of pictures"),
        (zipped({f"{place}.png": encoded(GREY[place]) for place in range(COUNT)}), "24 pictures and nothing to tell of them"),
        (zipped({f"x/{place}.png": encoded(GREY[place]) for place in range(COUNT)}), "nothing to tell of them"),
        (folders(count=10), "has 10 pictures and needs at least 20"),
        (folders({"c/1.png": encoded(GREY[0])}), "folders of my.zip name 'c' once only"),
        (folders({f"{place}/1.png": encoded(GREY[0]) for place in range(60)}), "62 different values, and 2 to 50 classes"),
        (folders({"a/0.png": b"GIF"}), "a/0.png of my.zip is no PNG, JPEG, BMP, GIF, TIFF or WebP that can be opened"),
        (folders({"a/0.png": encoded(GREY[0])[:60]}), "a/0.png of my.zip is no PNG"),
        (folders({"a/0.png": b"%!PS-Adobe-3.0 EPSF-3.0\n"}), "is no PNG"),
        (folders({"a/0.png": HUGE}), "has 4,100 × 4,100 pixels, and 16,000,000 are the limit"),
        (folders({"a/0.png": encoded(np.zeros((2, 9), np.uint8))}), "has a side of 2 pixels"),
        (zipped({**UNMASKED, "masks/x.png": encoded(GREY[0])}), "no mask in my.zip has the name of images/0.png"),
        (zipped(PAIR), "masks of my.zip hold 255 different values"),
        (zipped(PAIR | {"masks/3.png": encoded(GREY[0].T)}), "in another proportion than its picture: images/3.png has 10 × 8"),
        (folders({"../a/x.png": encoded(GREY[0])}), "'../a/x.png', which is no name of a file in it"),
        (folders({"/etc/x.png": encoded(GREY[0])}), "'/etc/x.png', which is no name"),
        (folders({"a\\x.png": encoded(GREY[0])}), "which is no name of a file"),
        (folders({"a/" + "x" * 300 + ".png": encoded(GREY[0])}), "which is no name of a file"),
        (folders(method=zipfile.ZIP_LZMA), "packed in an unusual way"),
        (zipped({"a.txt": b"hello"}), "'a.txt', which is neither a picture nor an array"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_image_files_is_said_in_one_sentence(content, words):
    assert words in refused(content)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def stuffed_png() -> bytes:
    """Return a PNG with thousands of profiles and texts that unpack to a megabyte each."""
    plain, packed = encoded(GREY[0]), zlib.compress(bytes(2**20), 9)
    more = chunk(b"iCCP", b"x\0\0" + packed) * 500 + chunk(b"zTXt", b"x\0\0" + packed) * 50
    return plain[:33] + more + plain[33:]


def many_scans() -> bytes:
    """Return a JPEG whose last scan comes again and again."""
    plain = encoded(np.resize(GREY, (800, 800)), "JPEG", progressive=True)
    last = plain[plain.rfind(b"\xff\xda") : -2]
    return plain[:-2] + last * 100 + plain[-2:]


def many_tags() -> bytes:
    """Return a TIFF whose tags all hold the same two megabytes."""
    tags = b"".join(struct.pack("<HHLL", 40000 + tag, 1, 2**21, 8) for tag in range(60))
    return b"II*\0" + struct.pack("<L", 8 + 2**21) + bytes(2**21) + struct.pack("<H", 60) + tags + bytes(4)


def long_list() -> bytes:
    """Return a zip that lists a hundred thousand files, all of them nothing."""
    one = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    return one * 100_000 + b"PK\x05\x06" + bytes(8) + struct.pack("<LLH", len(one) * 100_000, 0, 0)


def packed_bmp() -> bytes:
    content = bytearray(encoded(GREY[0], "BMP"))
    content[30:34] = struct.pack("<L", 1)
    return bytes(content)


LARGE = encoded(np.zeros((2000, 2000), np.uint8))


def in_folders(content: bytes, count: int) -> bytes:
    return zipped({f"{'ab'[place % 2]}/{place}.png": content for place in range(count)})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: folders({"a/0.png": stuffed_png()}), None),
        (lambda: folders({"a/0.jpg": many_scans()}), "It has more than 20 scans"),
        (lambda: folders({"a/0.tif": many_tags()}), "It is a TIFF with more than a picture in it"),
        (lambda: folders({"a/0.bmp": packed_bmp()}), "It is a packed BMP"),
        (long_list, "lists too many files"),
        (lambda: folders({"a/0.png": bytes(60 << 20)}), "unpacks to 60 MB and image files may have 40 in all"),
        (lambda: in_folders(HUGE[:40], 9000), "at most 5,000 are taken"),
        (lambda: folders({f"a/{place}.png": LARGE for place in range(100, 110)}), "holds 40 megapixels and at most 36"),
        (lambda: in_folders(encoded(np.tile(GREY[0], (30, 30))), 400), None),
        (lambda: in_folders(encoded(GREY[0][:6, :6]), 5000), None),
    ],
)
def test_no_archive_takes_more_than_a_second(make, words):
    content = make()
    assert len(content) < 20 * 2**20
    began = process_time()
    assert words in refused(content) if words else read(content, "my.zip")
    assert process_time() - began < 1 * slowness()


def test_the_largest_image_files_take_less_than_200_mb():
    large = encoded(np.resize(GREY, (3950, 4000, 3)), "JPEG", quality=20)
    content = folders({"a/0.jpg": large, "a/2.jpg": large})
    tracemalloc.start()
    assert read(content, "my.zip").images.shape == (COUNT + 2, 3, 16, 16)
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


@given(st.data())
def test_damaged_image_files_end_in_pictures_or_a_sentence(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"]))
    content = bytearray(encoded(GREY[0], kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UploadError):
        read(folders({"a/0.png": bytes(content)}), "x.zip")


@pytest.mark.parametrize(
    ("names", "images", "told"),
    [
        (("images", "labels"), 0, "labels"),
        (("X", "y"), 0, "labels"),
        (("x", "target"), 0, "labels"),
        (("data", "targets"), 0, "labels"),
        (("arr_0", "arr_1"), 0, "labels"),
        (("X_train", "y_train"), 0, "labels"),
        (("xtest", "ytest"), 0, "labels"),
        (("train_images", "train_labels"), 0, "labels"),
        (("imgs", "segmentation"), 0, "masks"),
        (("x_val", "y_val"), 0, "masks"),
    ],
)
def test_arrays_are_known_by_the_names_that_people_give_them(names, images, told):
    masks = GREY > 100
    pictures = read(npz(**dict(zip(names, (GREY, masks if told == "masks" else LABELS), strict=True)), extra=np.ones(3)), "x.npz")
    assert np.array_equal(pictures.images[:, 0], GREY)
    assert pictures.targets() == [told]


def test_parts_of_a_data_set_are_joined_in_their_order():
    parts = {"test": slice(16, 24), "train": slice(0, 10), "val": slice(10, 16)}
    arrays = {f"{kind}_{part}": array[places] for part, places in parts.items() for kind, array in (("x", GREY), ("y", LABELS))}
    pictures = read(npz(**arrays), "x.npz")
    assert np.array_equal(pictures.images[:, 0], GREY)
    assert np.array_equal(pictures.labels, LABELS)


def test_arrays_in_a_plain_zip_are_read_too():
    file = {f"data/{name}.npy": image_files.io.BytesIO() for name in ("images", "labels")}
    for target, array in zip(file.values(), (GREY, LABELS), strict=True):
        np.save(target, array)
    assert np.array_equal(read(zipped({name: one.getvalue() for name, one in file.items()}), "x.zip").labels, LABELS)
