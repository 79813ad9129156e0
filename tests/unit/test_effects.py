"""What the claims of the evidence room compute themselves, against the same written out."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from skipviz import edit
from skipviz.evidence.claims import CLAIMS, clipping, denseformer, landscape, lazy_unet, rank_collapse, shattering
from skipviz.evidence.norm_places import DEEP, PERI, PRE, transformer
from skipviz.learning.build import build
from skipviz.learning.parameters import FlatParameters
from skipviz.learning.probe import record
from skipviz.learning.trainer import Trainer


def test_an_input_gradient_is_that_of_each_point_by_itself_under_the_grids_statistics():
    stack = shattering.network(3, False, input=(1,), head=1)
    model, points = build(stack, 5), torch.linspace(-2, 2, 256)[:, None].requires_grad_()
    trained, h = points.detach(), points
    for layer in model.layers:
        trained, h = layer.operation(trained), layer.operation(h)
        mean, variance = trained.mean(0).detach(), trained.var(0).detach()  # running ones: of n − 1
        h = torch.relu((h - mean) / (variance + 1e-5).sqrt())
        trained = torch.relu((trained - mean) / (trained.var(0, correction=0) + 1e-5).sqrt())
    (expected,) = torch.autograd.grad(model.head(h).sum(), points)
    assert shattering.input_gradient(stack, 5) == pytest.approx(expected.flatten(), rel=1e-3, abs=1e-4)


def test_autocorrelation_is_one_for_a_slow_wave_less_one_for_a_zigzag_and_nothing_for_noise():
    steps = torch.arange(2000)
    assert shattering.autocorrelation(torch.sin(steps / 100)) > 0.99
    assert shattering.autocorrelation((-1.0) ** steps) < -0.99
    assert abs(shattering.autocorrelation(torch.randn(2000, generator=torch.Generator().manual_seed(0)))) < 0.06


@pytest.mark.parametrize(
    ("height", "share"),
    [
        (lambda x, y: x * x + 3 * y * y, 0),
        (lambda x, y: x * x - y * y, 1),
        (lambda x, y: x * y, 1),
        (lambda x, y: -x * x - y * y, 1),
        (lambda x, y: x * x - 0.05 * y * y, 0),
        (lambda x, y: x**3 + y * y, 0.4),
    ],
)
def test_a_surface_is_not_convex_where_a_curvature_is_well_below_nothing(height, share):
    axis = np.linspace(-1, 1, 21)
    rows = [{"x": x, "y": y, "measured": height(x, y)} for y in axis for x in axis]
    assert landscape.not_convex(pd.DataFrame(rows)) == pytest.approx(share, abs=0.08)


def test_a_direction_has_every_rows_length_and_leaves_biases_and_norms():
    model = build(landscape.experiment(8, 21).variants["residual"])
    flat = FlatParameters(model)
    parts = landscape.direction(flat, 0).split([parameter.numel() for parameter in flat.parameters])
    for parameter, part in zip(flat.parameters, parts, strict=True):
        part = part.view(parameter.shape)
        if parameter.dim() == 1:
            assert not part.any()
        else:
            assert part.norm(dim=1) == pytest.approx(parameter.detach().norm(dim=1), rel=1e-5)


def test_differences_of_positions_are_nothing_where_all_are_the_same_and_all_without_a_mean():
    same = torch.ones(1, 5, 3)
    apart = torch.tensor([[[1.0, 2.0], [-1.0, -2.0]]])
    assert rank_collapse.difference(same) == 0
    assert rank_collapse.difference(apart) == 1
    assert rank_collapse.difference(apart + 3 * torch.tensor([2.0, -1.0])) == pytest.approx(math.sqrt(10 / 100), rel=1e-6)


def states(place: str, blocks: int) -> list[torch.Tensor]:
    network, _ = transformer(blocks, place)
    return [state.detach() for state in record(build(network), torch.randn(4, 8, 32))[1].states]


def test_each_branch_of_peri_ln_adds_numbers_of_variance_one_and_one_of_pre_ln_whatever_it_likes():
    for place in (PERI, PRE):
        network, _ = transformer(3, place)
        h = states(place, 3)
        added = [h[skip.target] - h[skip.source] for skip in network.skips if skip.merge == "add"]
        assert len(added) == 6
        squares = [branch.square().mean().item() for branch in added]
        assert (max(abs(square - 1) for square in squares) < 1e-3) == (place == PERI)


def test_deep_norm_has_its_skips_times_alpha_and_all_maps_but_those_to_queries_and_keys_times_beta():
    network, ends = transformer(8, DEEP)
    assert {skip.strength for skip in network.skips if skip.merge == "add"} == {2.0}
    model, beta = build(network), 64**-0.25
    for layer in model.layers:
        weight = getattr(layer.operation, "weight", None)
        if weight is not None:
            assert weight.std().item() == pytest.approx(beta * math.sqrt(2 / sum(weight.shape)), rel=0.1)
    for skip in network.skips:
        if skip.merge == "mix":
            _, queries_and_keys = max(model.carrier(skip.id).named_parameters(), key=lambda named: named[1].numel())
            assert queries_and_keys.std().item() == pytest.approx(math.sqrt(2 / (32 + 96)), rel=0.1)  # as torch's own
    assert ends == list(range(0, network.depth + 1, network.depth // 8))


def test_a_denseformers_weights_go_by_the_blocks_that_they_average():
    trainer = Trainer(denseformer.experiment(4, 50))
    network = trainer.experiment.variants[denseformer.DENSE]

    def block(state: int) -> int:
        return sum(layer.op.kind == "attention" for layer in network.layers[:state])

    named = trainer.weights(denseformer.DENSE)
    for skip in network.skips:
        if skip.learned:
            named[f"skips.{skip.id}.strength"].fill_(10 * block(skip.target) + block(skip.source))
    found = denseformer.weights(trainer)
    assert [(i, j) for i, j, _ in found] == [(i, j) for i in range(1, 5) for j in range(i + 1)]
    assert all(weight == (1 if i == j else 10 * i + j) for i, j, weight in found)


def test_a_lesion_of_the_deep_path_makes_all_images_the_same_where_there_is_no_skip_and_passes():
    network = lazy_unet.network()
    model, images = build(edit.switch_all(network, False)), torch.randn(6, 1, 16, 16)
    before = lazy_unet.copied(model, images)
    without = lazy_unet.copied(model, images, lesion=True)
    assert lazy_unet.copied(model, images) == before != without
    spread = images.var(0, correction=0).mean().item()
    assert without >= spread


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_what_is_expected_has_a_place_on_a_logarithmic_axis(claim):
    if claim.chart.log_y and claim.expected:
        for row in claim.expected(**claim.checked()):
            assert all(row[part] > 0 for part in ("predicted", "low", "high") if row.get(part) is not None)


@pytest.mark.parametrize(
    ("free", "clipped", "right", "holds"),
    [
        ([300.0, None], [300.0, 0.1], 0.9, True),
        ([300.0, 0.1], [300.0, 0.1], 0.9, False),
        ([300.0, None], [300.0, None], 0.9, False),
        ([300.0, None], [300.0, 2.3], 0.1, False),
    ],
)
def test_clipping_helps_where_training_diverges_without_and_learns_with_it(free, clipped, right, holds):
    rows = [
        {"x": 4 * k, "series": series, "measured": loss, "norm": 3000.0, "right": right}
        for series, losses in ((clipping.FREE, free), (clipping.CLIPPED, clipped))
        for k, loss in enumerate(losses)
    ]
    assert clipping.verdict(pd.DataFrame(rows)).holds is holds
