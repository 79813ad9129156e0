"""Data sets are repeatable, split four to one, and as large and as varied as their task says."""

import hashlib
import math

import numpy as np
import pytest

from skipviz import Experiment, Task, Training, families, train
from skipviz.tasks.data import dataset
from skipviz.tasks.dataset.shapes import star as star_of
from skipviz.tasks.task import KINDS, OWN_KINDS
from skipviz.tasks.text import characters, passage, text_of, tokens_of

PARTS = ("x", "y", "held_out_x", "held_out_y")


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_gives_the_same_samples_and_another_seed_others(name):
    first, again, other = dataset(Task(name=name)), dataset(Task(name=name)), dataset(Task(name=name, seed=1))
    assert all(np.array_equal(getattr(first, part), getattr(again, part)) for part in PARTS)
    assert not np.array_equal(first.x, other.x)


NUMBERED = {
    "spiral": 0, "moons": 1, "circles": 2, "xor": 3, "gaussians": 4, "digits": 5, "shapes": 6, "sequences": 7, "text": 8,
    "regression": 9, "line": 10, "membranes": 11, "memory": 14,
    "tubes": 15, "seq2seq": 16,
}  # fmt: skip
HELD_OUT = {
    "spiral": "82f68f7b2ff3", "moons": "611b22bf6bf9", "circles": "7dee2f53fc90", "xor": "656193575190",
    "gaussians": "e06dc0c3aee1", "digits": "c20fbddb97c0", "sequences": "382e8a673053", "text": "d6adc944d08f",
    "memory": "bf3fa7e9f051", "seq2seq": "6ed3875545fd",
}  # fmt: skip
"""SHA-256 of what is held out of 60 samples, where that is whole numbers."""


def test_tasks_keep_the_numbers_that_kept_runs_were_made_with():
    assert {name: kind.number for name, kind in KINDS.items()} == NUMBERED
    own = {"classes": 12, "numbers": 12, "labels": 13, "masks": 13, "pixel_classes": 13}
    assert {name: kind.number for name, kind in OWN_KINDS.items()} == own


@pytest.mark.parametrize("name", HELD_OUT)
def test_a_seed_holds_out_the_samples_that_it_always_did(name):
    held_out = dataset(Task(name=name, samples=60)).held_out_y
    assert hashlib.sha256(np.ascontiguousarray(held_out).tobytes()).hexdigest().startswith(HELD_OUT[name])


@pytest.mark.parametrize("name", KINDS)
def test_samples_have_the_tasks_shape_count_and_types(name):
    task = Task(name=name)
    data = dataset(task)
    assert len(data.x) + len(data.held_out_x) == task.sample_count()
    assert len(data.held_out_x) == pytest.approx(task.sample_count() / 5, abs=10)
    further = sum(math.prod(shape) for shape in task.further().values())
    wanted = (math.prod(task.sample_shape()) + further,) if further else task.sample_shape()
    assert data.x.shape[1:] == data.held_out_x.shape[1:] == wanted
    assert data.x.dtype == (np.int64 if task.gives_tokens else np.float32)
    assert data.y.dtype == (np.int64 if KINDS[name].loss.endswith("cross_entropy") and not task.finds_masks else np.float32)
    assert np.isfinite(data.x).all()


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.loss == "cross_entropy"])
def test_every_class_has_its_share_in_both_parts(name):
    data = dataset(Task(name=name))
    shares = [np.bincount(labels, minlength=KINDS[name].outputs) / len(labels) for labels in (data.y, data.held_out_y)]
    assert np.abs(shares[0] - shares[1]).max() < 0.01


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.picture == "boundary"])
def test_noise_moves_points_and_leaves_their_labels(name):
    clean, noisy = dataset(Task(name=name, noise=0)), dataset(Task(name=name, noise=0.5))
    assert np.abs(clean.x).max() <= 1.01
    assert np.array_equal(clean.y, noisy.y)
    assert np.abs(noisy.x - clean.x).mean() > 0.03


def test_the_samples_control_sets_their_number():
    data = dataset(Task(name="moons", samples=300))
    assert (len(data.x), len(data.held_out_x)) == (240, 60)


def test_shapes_pictures_hold_brighter_pixels_inside_their_masks():
    data = dataset(Task(name="shapes", image_size=16, samples=50))
    assert data.x.shape[1:] == (1, 16, 16)
    assert set(np.unique(data.y)) == {0.0, 1.0}
    assert data.y.reshape(len(data.y), -1).any(1).all()
    assert data.x[data.y == 1].mean() - data.x[data.y == 0].mean() > 0.5


def test_without_overlap_other_pictures_are_drawn():
    apart, over = (dataset(Task(name="shapes", noise=0, samples=200, overlap=overlap)) for overlap in (False, True))
    assert np.array_equal(apart.x > 0, apart.y > 0)
    assert apart.y.mean() > 0
    assert not np.array_equal(apart.y, over.y)


def test_stars_have_five_points_and_a_waist():
    grid = np.mgrid[:101, :101] - 50
    star = star_of(grid[1], grid[0], 40.0, 0.3)
    angle, radius = np.arctan2(grid[0], grid[1]), np.hypot(*grid)
    outside = star & (np.abs(radius - 30) < 1.5)
    turns = np.sort(angle[outside])
    assert np.sum(np.diff(turns) > 0.3) + (turns[0] + 2 * np.pi - turns[-1] > 0.3) == 5
    assert star[radius < 15].all()
    assert not star[radius > 41].any()


def test_large_images_are_fewer_so_that_they_fit_into_memory():
    assert Task(name="shapes", image_size=256, samples=2000).sample_count() == 128
    assert Task(name="shapes", samples=2000).sample_count() == 2000


@pytest.mark.parametrize(
    ("rule", "given", "wanted"),
    [
        ("copy", [3, 0, 2, 3], [3, 0, 2, 3]),
        ("reverse", [3, 0, 2, 3], [3, 2, 0, 3]),
        ("sort", [3, 0, 2, 3], [0, 2, 3, 3]),
        ("add", [3, 0, 2, 3], [2, 3, 2, 1]),
    ],
)
def test_each_rule_makes_of_a_sequence_what_its_name_says(rule, given, wanted):
    data = dataset(Task(name="sequences", rule=rule, length=4, vocabulary=4))
    place = np.flatnonzero((data.x == given).all(1))
    parts = [data.y[place], data.held_out_y[(data.held_out_x == given).all(1)]]
    assert np.concatenate(parts).tolist() == [wanted]


@pytest.mark.parametrize(
    "fields", [{"length": 2, "vocabulary": 2}, {"length": 4, "vocabulary": 10}, {"length": 40, "vocabulary": 3}]
)
def test_no_sequence_is_both_trained_on_and_held_out(fields):
    task = Task(name="sequences", samples=5000, **fields)
    data = dataset(task)
    both = np.concatenate([data.x, data.held_out_x])
    assert len(np.unique(both, axis=0)) == len(both) == task.sample_count()
    assert both.min() == 0
    assert both.max() == fields["vocabulary"] - 1


@pytest.mark.parametrize(("length", "vocabulary", "count"), [(24, 10, 6), (11, 3, 2), (2, 2, 1)])
def test_copy_memory_asks_for_its_first_tokens_at_the_end_blanks_before_and_each_words_once(length, vocabulary, count):
    task = Task(name="memory", length=length, vocabulary=vocabulary)
    data, blank, cue = dataset(task), vocabulary, vocabulary + 1
    x, y = np.concatenate([data.x, data.held_out_x]).tolist(), np.concatenate([data.y, data.held_out_y]).tolist()
    assert len({tuple(row) for row in x}) == len(x) == min(2000, vocabulary**count)
    for given, wanted in zip(x, y, strict=True):
        words = given[:count]
        assert all(0 <= word < vocabulary for word in words)
        assert given == words + [blank] * (length - 2 * count) + [cue] * count
        assert wanted == [blank] * (length - count) + words
    assert task.token_count() == vocabulary + 2
    assert str(count) in task.sentence() or "first token" in task.sentence()


def test_a_transformer_learns_copy_memory_where_no_guess_is_good():
    task = Task(name="memory", length=8, vocabulary=8)
    network = families.transformer(
        2, 32, 4, positions="learned", vocabulary=task.token_count(), input=task.sample_shape(), head=task.head()
    )
    training = Training(steps=150, batch_size=51, learning_rate=0.01, record_every=149)
    losses = [frame.variants["a"].loss for frame in train(Experiment(variants={"a": network}, task=task, training=training))]
    guessed = 2 / 8 * np.log(8)  # of six blanks that are known and two words that are not
    assert losses[-1] < guessed / 2 < losses[0]


def test_a_window_of_text_is_followed_by_the_next_character_and_training_never_sees_the_last_fifth():
    data = dataset(Task(name="text", length=20))
    whole, cut = passage(), len(passage()) - len(passage()) // 5
    for x, y, part in ((data.x, data.y, whole[:cut]), (data.held_out_x, data.held_out_y, whole[cut:])):
        assert np.array_equal(x[:, 1:], y[:, :-1])
        for given, after in zip(x[:50].tolist(), y[:50].tolist(), strict=True):
            assert text_of(given) + text_of(after[-1:]) in part


def test_the_text_is_ascii_and_its_tokens_can_be_read_back():
    assert 4_000 < len(passage()) < 60_000
    assert text_of(tokens_of(passage())) == passage()
    assert len(characters()) == KINDS["text"].outputs
    assert passage().startswith("\nAlice was beginning to get very tired")


def test_the_line_is_the_256_points_of_the_shattered_gradients_paper():
    data = dataset(Task(name="line"))
    x = np.sort(np.concatenate([data.x, data.held_out_x])[:, 0])
    assert np.allclose(x, np.linspace(-2, 2, 256))


def test_a_regressions_points_scatter_around_its_curve_by_their_noise():
    clean, noisy = (
        dataset(Task(name="regression", noise=0, samples=5000)),
        dataset(Task(name="regression", noise=0.3, samples=5000)),
    )
    assert np.array_equal(clean.x, noisy.x)
    assert (noisy.y - clean.y).std() == pytest.approx(0.3, rel=0.05)
    assert clean.y.std() == pytest.approx(1, rel=0.05)
    order = np.argsort(clean.x[:, 0])
    assert np.abs(np.diff(clean.y[order, 0])).max() < 0.1


def test_membranes_are_darker_than_cells_and_dark_blobs_are_none():
    data = dataset(Task(name="membranes", noise=0, samples=50))
    assert set(np.unique(data.y)) == {0.0, 1.0}
    assert 0.15 < data.y.mean() < 0.5
    assert data.x[data.y == 0].mean() - data.x[data.y == 1].mean() > 0.3
    dark = data.x < 0.45
    assert (dark & (data.y == 0)).any()
    assert not dark[data.y == 1].all()


def test_a_membrane_is_as_thick_in_a_larger_picture_for_its_size():
    small, large = (dataset(Task(name="membranes", image_size=size, samples=60)).y.mean() for size in (32, 128))
    assert small == pytest.approx(large, rel=0.1)


def test_tubes_and_balls_are_as_bright_and_only_tubes_are_marked():
    data = dataset(Task(name="tubes", noise=0, samples=60))
    volumes, masks = data.x[:, 0], data.y[:, 0] > 0.5
    assert masks.any((1, 2, 3)).all()
    balls = (volumes > 0) & ~masks
    assert volumes[masks].min() >= 0.6
    assert volumes[masks].max() <= 1
    assert abs(volumes[masks].mean() - volumes[balls].mean()) < 0.05
    assert balls.any((1, 2, 3)).mean() > 0.95
    assert 0.02 < masks.mean() < 0.08


@pytest.mark.parametrize("size", [64, 192, 256])
@pytest.mark.parametrize(("name", "inside"), [("shapes", (0.08, 0.14)), ("membranes", (0.24, 0.28))])
def test_large_pictures_have_their_size_their_range_and_the_same_share_inside_their_masks(name, inside, size):
    task = Task(name=name, image_size=size, samples=40)
    data, noise = dataset(task), 6 * task.noise_level()  # standard deviations that none of so many pixels lies beyond
    assert len(data.x) + len(data.held_out_x) == 40
    for x, y in ((data.x, data.y), (data.held_out_x, data.held_out_y)):
        assert x.shape == y.shape == (len(x), 1, size, size)
        assert x.dtype == y.dtype == np.float32
        assert -0.2 - noise < x.min() < 0
        assert 1 < x.max() < 1.2 + noise
        assert np.unique(y).tolist() == [0, 1]
        share = y.mean((1, 2, 3))
        assert (share > 0.01).all()
        assert inside[0] < share.mean() < inside[1]
