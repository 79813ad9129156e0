"""Data sets are repeatable, split four to one, and as large and as varied as their task says."""

import numpy as np
import pytest

from skipviz import Task
from skipviz.tasks.data import dataset
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
