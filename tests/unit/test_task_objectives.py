"""Losses and metrics are what their names say."""

import pytest
import torch

from skipviz import Experiment, Task, Training, families
from skipviz.learning.centre import centre
from skipviz.learning.loss.mask import mask_loss
from skipviz.learning.loss.pixel import pixel_loss
from skipviz.learning.loss.token import token_loss
from skipviz.learning.metric import METRICS
from skipviz.learning.metric.iou import dice
from skipviz.learning.objective import finite
from skipviz.learning.trainer import Trainer
from skipviz.network.network import Head
from skipviz.tasks import presets


def test_dice_and_iou_agree_with_a_count_by_hand():
    truth = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]]])
    outputs = torch.tensor([[[[2.0, 0.5, -1.0, 3.0]]]])
    assert METRICS["iou"](outputs, truth) == pytest.approx(2 / 4)
    assert dice(outputs, truth) == pytest.approx(2 * 2 / (3 + 3))


def test_a_mask_is_compared_at_its_centre_when_valid_convolutions_left_fewer_pixels():
    truth = torch.zeros(1, 1, 6, 6)
    truth[..., 2:4, 2:4] = 1
    outputs = torch.full((1, 1, 2, 2), 20.0)
    assert torch.equal(centre(truth, outputs), torch.ones(1, 1, 2, 2))
    assert METRICS["iou"](outputs, truth) == 1
    assert mask_loss(outputs, truth).item() < 1e-6


def test_the_mean_iou_of_classes_agrees_with_a_count_by_hand_and_passes_over_what_is_ignored():
    truth = torch.tensor([[[0, 0, 1], [2, 2, 255]]], dtype=torch.uint8)
    predicted = torch.tensor([[[0, 1, 1], [2, 0, 3]]])
    outputs = torch.nn.functional.one_hot(predicted, 5).permute(0, 3, 1, 2).float() * 9
    assert METRICS["mean_iou"](outputs, truth) == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)


def test_the_loss_of_classes_is_the_mean_over_pixels_that_are_not_ignored():
    outputs = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    truth = torch.arange(30).view(2, 3, 5) % 4
    singles = torch.nn.functional.cross_entropy(outputs, truth, reduction="none")
    truth[0, 1], truth[1, 2, 0] = 255, 255
    assert pixel_loss(outputs, truth.to(torch.uint8)).item() == pytest.approx(singles[truth != 255].mean().item())
    assert pixel_loss(outputs, torch.full((2, 3, 5), 255, dtype=torch.uint8)).item() == 0
    assert finite(METRICS["mean_iou"](outputs, torch.full((2, 3, 5), 255))) is None


def test_classes_of_pixels_are_compared_at_the_centre_when_valid_convolutions_left_fewer_pixels():
    truth = torch.zeros(1, 6, 6, dtype=torch.uint8)
    truth[:, 2:4, 2:4] = 1
    outputs = torch.tensor([-20.0, 20.0])[None, :, None, None].expand(1, 2, 2, 2)
    assert METRICS["mean_iou"](outputs, truth) == 1
    assert pixel_loss(outputs, truth).item() < 1e-6


def test_a_network_of_valid_convolutions_learns_the_middle_of_the_mask_and_paints_it():
    network = families.unet(depth=1, width=4, input=(1, 32, 32), head=Head(kind="pixels", outputs=1))
    side = network.shapes.output[1]
    assert side < 32
    experiment = Experiment(variants={"u": network}, task=Task(name="shapes", samples=60), training=Training(batch_size=4, steps=2))
    trainer = Trainer(experiment)
    picture = trainer.advance(record=True, picture=True).variants["u"].picture
    assert picture["size"] == [side, side]
    assert len(picture["dice"]) == picture["count"] == 3


def test_masks_of_a_network_that_has_learned_nothing_overlap_by_nothing_in_picture_and_metric():
    """Zero-initialised scores give every pixel one half, which is no shape found."""
    experiment = presets.get("fcn-32s")
    experiment = experiment.replaced(training=experiment.training.replaced(steps=1))
    values = Trainer(experiment).measure(picture=True).variants[next(iter(experiment.variants))]
    assert values.picture["dice"] == [0] * 3


def test_a_sequence_counts_only_without_any_wrong_token_and_every_token_weighs_the_same():
    truth = torch.tensor([[0, 1], [1, 1]])
    outputs = torch.nn.functional.one_hot(torch.tensor([[0, 1], [0, 1]]), 2).float() * 9
    assert METRICS["exact"](outputs, truth) == 0.5
    assert METRICS["accuracy"](outputs, truth) == 0.75
    single = [torch.nn.functional.cross_entropy(outputs[i, j], truth[i, j]) for i in range(2) for j in range(2)]
    assert token_loss(outputs, truth).item() == pytest.approx(float(sum(single) / 4))


def test_r_squared_is_one_when_exact_and_none_at_the_mean():
    truth = torch.tensor([[1.0], [2.0], [6.0]])
    assert METRICS["r2"](truth, truth) == 1
    assert METRICS["r2"](torch.full((3, 1), 3.0), truth) == 0
    assert METRICS["r2"](torch.full((3, 1), 9.0), truth) < 0
    assert finite(METRICS["r2"](truth[:1], truth[:1])) is None
