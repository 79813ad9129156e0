"""Masks are understood by their values, channels or colours, and what was understood is said."""

import io

import numpy as np
import pytest
from PIL import Image

from skipviz.tasks.own import UploadError
from skipviz.tasks.read_masks import read_masks

RNG = np.random.default_rng(0)
SHAPE = (24, 12, 16)
INSIDE = RNG.random(SHAPE) < 0.3
CLASSES = RNG.integers(0, 5, SHAPE)
DISC = np.hypot(*(np.mgrid[:60, :60] - 29.5)) < 20


def understood(given, wanted=SHAPE):
    return read_masks(np.asarray(given), wanted, "masks of my.npz")


def jpeg(mask: np.ndarray, quality: int) -> np.ndarray:
    """Return a mask as it comes back from a JPEG."""
    file = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (INSIDE, ""),
        (INSIDE.astype(np.uint8), ""),
        (INSIDE * 1.0, ""),
        (INSIDE * np.uint8(255), ""),
        (INSIDE + np.uint8(1), "Masks hold 1 and 2: 2 is taken as inside."),
        (INSIDE * 2 - 1, "Masks hold -1 and 1: 1 is taken as inside."),
        (INSIDE * np.float32(0.7), "Masks hold 0 and 0.7: 0.7 is taken as inside."),
        (INSIDE[:, None], ""),
        (INSIDE[..., None], ""),
        (np.stack([INSIDE * np.uint8(255)] * 3, -1), ""),
        (np.stack([~INSIDE, INSIDE], 1), "Masks have a channel for each of 2 classes."),
        (np.stack([~INSIDE, INSIDE], -1) * 1.0, "Masks have a channel for each of 2 classes."),
    ],
)
def test_two_values_are_a_mask_of_one_thing(given, said):
    masks = understood(given)
    assert masks.classes == ()
    assert np.array_equal(masks.values, INSIDE)
    assert " ".join(masks.notes) == said


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_a_mask_saved_as_jpeg_is_cut_at_half(quality):
    given = np.stack([jpeg(DISC, quality), jpeg(~DISC, quality)])
    masks = understood(given, (2, 60, 60))
    assert np.mean(masks.values != np.stack([DISC, ~DISC])) < 0.001
    assert masks.notes == ("Masks are blurred, as JPEG does it: what is above 127.5 is taken as inside.",)
    assert np.array_equal(understood(given / 255, (2, 60, 60)).values, masks.values)


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (CLASSES, "01234"),
        (CLASSES.astype(np.uint8) + np.uint8(1), "12345"),
        (CLASSES.astype(float), "01234"),
        (CLASSES * 50, ("0", "50", "100", "150", "200")),
        (np.eye(5)[CLASSES], "01234"),
        (np.moveaxis(np.eye(5, dtype=bool)[CLASSES], -1, 1), "01234"),
        (np.eye(5)[CLASSES][..., 1:], "01234"),
        (CLASSES % 3 * 127, ("0", "127", "254")),
    ],
)
def test_more_values_or_channels_are_classes_of_pixels(given, classes):
    masks = understood(given)
    assert masks.classes == tuple(classes)
    assert masks.values.dtype == np.uint8
    assert np.array_equal(masks.values, CLASSES % len(classes))


def test_colours_are_classes_named_by_them():
    palette = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]], np.uint8)
    masks = understood(palette[CLASSES])
    assert masks.classes == ("#000000", "#000080", "#008000", "#800000", "#808000")
    assert np.array_equal(masks.values, np.array([0, 3, 2, 4, 1])[CLASSES])


@pytest.mark.parametrize("ignored", [255, -1])
def test_what_is_ignored_is_no_class(ignored):
    given = np.where(RNG.random(SHAPE) < 0.1, ignored, CLASSES)
    masks = understood(given)
    assert masks.classes == tuple("01234")
    assert np.array_equal(masks.values, np.where(given == ignored, 255, given))
    assert f"A pixel of {ignored} in a mask is ignored" in masks.notes[-1]


def test_two_classes_and_what_is_ignored_are_told_apart_class_by_class():
    given = INSIDE.astype(np.uint8)
    given[:, 0] = 255
    assert understood(given).classes == ("0", "1")


def test_as_many_classes_as_voc_has_are_taken_and_no_more():
    given = RNG.integers(0, 21, SHAPE).astype(np.uint8)
    given[0, 0, 0] = 255
    assert len(understood(given).classes) == 21
    with pytest.raises(UploadError, match="hold 34 different values: a mask has two, or one for each of up to 21 classes"):
        understood(RNG.integers(0, 34, SHAPE))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (INSIDE & False, "mark no pixel"),
        (INSIDE | True, "mark every pixel alike, with 1"),
        (CLASSES[:, :5], "have the shape 24 × 5 × 16 and its images need 24 × 12 × 16"),
        (CLASSES[:20], "have the shape 20 × 12 × 16"),
        (RNG.random(SHAPE), "hold fractions"),
        (np.where(INSIDE, np.inf, 0), "NaN or infinite"),
        (RNG.integers(0, 200, (*SHAPE, 3)).astype(np.uint8), "different colours: a mask has two"),
        (CLASSES.astype(str), "have to be numbers"),
    ],
)
def test_what_cannot_be_understood_is_said_as_it_is(given, words):
    with pytest.raises(UploadError) as caught:
        understood(given)
    assert words in str(caught.value)
