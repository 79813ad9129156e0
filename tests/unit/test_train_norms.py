"""Norms of many tensors at once are those of each alone, also where squares leave float32."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skipviz.learning.norms import norms

SIZES = st.sampled_from((1e-37, 1e-30, 1e-20, 1e-15, 1e-3, 1.0, 1e10, 1e25, 1e36, 1.5e38, 0.0))
ROWS = st.lists(SIZES, min_size=1, max_size=6)


def filled(scales: list[float], columns: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(scales))
    return (1 + torch.rand(len(scales), columns, generator=generator)) * torch.tensor(scales)[:, None]


@given(st.lists(ROWS, max_size=3), st.lists(st.tuples(SIZES, st.integers(1, 3)), max_size=6))
def test_every_norm_equals_the_one_taken_in_float64(matrices, tensors):
    matrices = [filled(scales, 5) for scales in matrices]
    tensors = [filled([scale], 4 * size).view(2, -1) for scale, size in tensors]
    exact = [row.double().norm().item() for row in (*(row for matrix in matrices for row in matrix), *tensors)]
    assert norms(matrices, tensors) == pytest.approx(exact, rel=1e-5, abs=0)


def test_what_is_not_finite_stays_so():
    values = norms([torch.tensor([[1.0, math.inf], [3.0, 4.0]])], [torch.tensor([math.nan]), torch.tensor([2.0])])
    assert not math.isfinite(values[0])
    assert math.isnan(values[2])
    assert (values[1], values[3]) == (5.0, 2.0)


def test_large_tensors_are_measured_like_small_ones():
    large = [torch.full((100, 100), size) for size in (1.0, 1e-30)]
    assert norms([], large) == pytest.approx([100, 1e-28], rel=1e-5, abs=0)
