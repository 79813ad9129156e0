"""Data sets are repeatable, split four to one, and as large and as varied as their task says."""

import numpy as np
import pytest

from skipviz import Task
from skipviz.tasks.data import dataset
from skipviz.tasks.images import _star
from skipviz.tasks.task import KINDS

PARTS = ("x", "y", "held_out_x", "held_out_y")


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_gives_the_same_samples_and_another_seed_others(name):
    first, again, other = dataset(Task(name=name)), dataset(Task(name=name)), dataset(Task(name=name, seed=1))
    assert all(np.array_equal(getattr(first, part), getattr(again, part)) for part in PARTS)
    assert not np.array_equal(first.x, other.x)


@pytest.mark.parametrize("name", KINDS)
def test_samples_have_the_tasks_shape_count_and_types(name):
    task = Task(name=name)
    data = dataset(task)
    assert len(data.x) + len(data.held_out_x) == task.sample_count()
    assert len(data.held_out_x) == pytest.approx(task.sample_count() / 5, abs=10)
    assert data.x.shape[1:] == data.held_out_x.shape[1:] == task.sample_shape()
    assert data.x.dtype == np.float32
    assert data.y.dtype == (np.float32 if name == "shapes" else np.int64)
    assert np.isfinite(data.x).all()


@pytest.mark.parametrize("name", [name for name in KINDS if name != "shapes"])
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
    star = _star(grid[1], grid[0], 40.0, 0.3)
    angle, radius = np.arctan2(grid[0], grid[1]), np.hypot(*grid)
    outside = star & (np.abs(radius - 30) < 1.5)
    turns = np.sort(angle[outside])
    assert np.sum(np.diff(turns) > 0.3) + (turns[0] + 2 * np.pi - turns[-1] > 0.3) == 5
    assert star[radius < 15].all()
    assert not star[radius > 41].any()


def test_large_images_are_fewer_so_that_they_fit_into_memory():
    assert Task(name="shapes", image_size=256, samples=2000).sample_count() == 128
    assert Task(name="shapes", samples=2000).sample_count() == 2000
