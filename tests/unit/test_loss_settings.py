"""Class weights, label smoothing and Dice: torch's own numbers, the same in scripts and links, refused where without effect."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
import torch
from image_files import streets
from own_data import task_of
from scripts import assert_same, check, losses_of, short, trained
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from skipviz import Experiment, Task, Training, families, link
from skipviz.learning.loss.dice import dice_loss
from skipviz.learning.loss.mask import mask_loss
from skipviz.learning.loss.pixel import pixel_loss
from skipviz.learning.loss.token import token_loss
from skipviz.learning.objective import balanced_weights, objective
from skipviz.learning.trainer import Trainer
from skipviz.settings import get_settings
from skipviz.sharing.script.experiment import script
from skipviz.tasks.comparison import differences
from skipviz.tasks.training_words import training_words
from skipviz.tasks.uploads import Uploads

torch.set_num_threads(1)
WEIGHTED = {"class_weights": "balanced"}
SMOOTHED = {"label_smoothing": 0.2}
BOTH = WEIGHTED | SMOOTHED
DICE, SUM = {"loss": "dice"}, {"loss": "cross_entropy+dice"}


def network_for(task: Task):
    if task.finds_masks:
        return families.unet(depth=1, width=4, input=task.sample_shape(), head=task.head())
    if task.gives_tokens:
        return families.transformer(
            depth=1, width=8, heads=2, vocabulary=task.token_count(), input=task.sample_shape(), head=task.head()
        )
    return families.mlp(4, 8, 2, input=task.input_for(False), head=task.head())


def experiment(task: Task, **training) -> Experiment:
    return Experiment(
        variants={"net": network_for(task)},
        task=task,
        training=Training(**{"batch_size": 8, "steps": 6, "record_every": 1} | training),
    )


POINTS, SEQUENCES = Task(name="gaussians", samples=100), Task(name="sequences", samples=100)
MASKS = Task(name="shapes", samples=40, image_size=32)
NUMBERS = Task(name="regression", samples=100)


@pytest.mark.parametrize("training", [{}, WEIGHTED, SMOOTHED, BOTH], ids=str)
def test_a_cross_entropy_is_torchs_with_its_weight_and_its_label_smoothing(training):
    truth = torch.tensor([0] * 50 + [1] * 30)
    loss = objective(experiment(POINTS, **training), truth)
    outputs, batch = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)), truth[40:60]
    weight = torch.tensor([80 / 100, 80 / 60]) if "class_weights" in training else None
    wanted = F.cross_entropy(outputs, batch, weight=weight, label_smoothing=training.get("label_smoothing", 0.0))
    assert torch.equal(loss(outputs, batch), wanted)


def test_balanced_weights_are_those_of_scikit_learn_and_pass_over_what_is_ignored():
    truth = np.random.default_rng(0).choice(4, (5, 6, 7), p=(0.7, 0.2, 0.05, 0.05)).astype(np.uint8)
    wanted = compute_class_weight("balanced", classes=np.arange(4), y=truth.ravel())
    torch.testing.assert_close(balanced_weights(torch.from_numpy(truth), 4).double(), torch.from_numpy(wanted))
    ignored = np.concatenate([truth, np.full((5, 6, 7), 255, np.uint8)])
    assert torch.equal(balanced_weights(torch.from_numpy(ignored), 4), balanced_weights(torch.from_numpy(truth), 4))
    assert balanced_weights(torch.tensor([0, 0, 2, 2, 2, 2]), 3).tolist() == [1.5, 0, 0.75]


def test_weights_are_of_the_training_samples():
    case = experiment(POINTS, **WEIGHTED)
    trainer = Trainer(case)
    weight = balanced_weights(trainer._y, 2)
    x, y = trainer.batches_of_step()[0]
    wanted = F.cross_entropy(trainer._variants["net"].model(x), y, weight=weight).item()
    assert trainer.advance(record=True).variants["net"].loss == pytest.approx(wanted)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_losses_of_pixels_and_tokens_are_torchs_over_those_that_are_not_ignored(weighted, smoothing):
    made = torch.Generator().manual_seed(2)
    outputs, truth = torch.randn(2, 4, 3, 5, generator=made), torch.randint(4, (2, 3, 5), generator=made)
    weight = torch.tensor([0.1, 2.0, 0.5, 3.0]) if weighted else None
    options = {"weight": weight, "label_smoothing": smoothing}
    tokens = outputs.permute(0, 2, 3, 1).flatten(1, 2)
    wanted = F.cross_entropy(tokens.flatten(0, 1), truth.flatten(), **options)
    assert torch.equal(token_loss(tokens, truth.flatten(1), **options), wanted)
    truth[0, 1] = 255
    wanted = F.cross_entropy(outputs, truth, ignore_index=255, **options)
    torch.testing.assert_close(pixel_loss(outputs, truth.to(torch.uint8), **options), wanted)
    assert pixel_loss(outputs, torch.full((2, 3, 5), 255), **options).item() == 0


def test_a_weighted_mask_is_a_weighted_cross_entropy_of_two_classes():
    made = torch.Generator().manual_seed(3)
    logits, truth = torch.randn(3, 1, 4, 4, generator=made), (torch.rand(3, 1, 4, 4, generator=made) > 0.8).float()
    weight = torch.tensor([0.6, 3.0])
    wanted = F.cross_entropy(torch.cat([torch.zeros_like(logits), logits], 1), truth[:, 0].long(), weight=weight)
    torch.testing.assert_close(mask_loss(logits, truth, weight), wanted)


def plain_dice(outputs: torch.Tensor, truth: torch.Tensor) -> float:
    """Return 1 − 2Σpg/(Σp²+Σg²) averaged over the classes that occur, written out pixel by pixel."""
    batch, channels, rows, columns = outputs.shape
    terms = []
    for c in range(channels):
        shared = predicted = true = 0.0
        for b, i, j in itertools.product(range(batch), range(rows), range(columns)):
            scores = [float(outputs[b, k, i, j]) for k in range(channels)]
            if channels == 1:
                p, g = 1 / (1 + np.exp(-scores[0])), float(truth[b, 0, i, j])
            elif truth[b, i, j] == 255:
                continue
            else:
                p, g = np.exp(scores[c]) / np.exp(scores).sum(), float(truth[b, i, j] == c)
            shared, predicted, true = shared + p * g, predicted + p * p, true + g * g
        if true:
            terms.append(1 - 2 * shared / (predicted + true))
    return sum(terms) / len(terms) if terms else 0.0


def masks(classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return outputs in float64 and a truth: for several classes one does not occur and some pixels are ignored."""
    made = torch.Generator().manual_seed(classes)
    outputs = torch.randn(2, classes, 3, 4, generator=made, dtype=torch.float64)
    if classes == 1:
        return outputs, (torch.rand(2, 1, 3, 4, generator=made) > 0.6).double()
    truth = torch.randint(classes - 1, (2, 3, 4), generator=made).to(torch.uint8)
    truth[1, 2] = 255
    return outputs, truth


@pytest.mark.parametrize("classes", [1, 4])
def test_dice_and_its_gradient_are_those_of_the_formula_written_out(classes):
    outputs, truth = masks(classes)
    assert dice_loss(outputs, truth).item() == pytest.approx(plain_dice(outputs, truth), abs=1e-14)
    outputs.requires_grad_()
    (found,) = torch.autograd.grad(dice_loss(outputs, truth), outputs)
    step = 1e-6
    for place in itertools.product(*map(range, outputs.shape)):
        ends = []
        for sign in (1, -1):
            moved = outputs.detach().clone()
            moved[place] += sign * step
            ends.append(plain_dice(moved, truth))
        assert found[place].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-9), place


@pytest.mark.parametrize(
    "truth", [torch.zeros(2, 1, 4, 4), torch.full((2, 4, 4), 255, dtype=torch.uint8)], ids=["empty", "ignored"]
)
def test_dice_without_a_pixel_of_any_class_is_zero_with_a_gradient_of_zero(truth):
    outputs = torch.full((2, 1 if truth.dim() == 4 else 3, 4, 4), -200.0, requires_grad=True)
    loss = dice_loss(outputs, truth)
    assert loss.item() == 0
    assert not torch.autograd.grad(loss, outputs)[0].any()


@pytest.mark.parametrize("training", [DICE, SUM, SUM | WEIGHTED], ids=str)
def test_the_loss_over_parts_of_a_batch_is_the_mean_of_the_parts_losses(training):
    case = experiment(MASKS, accumulation=3, **training)
    trainer = Trainer(case)
    loss, model = objective(case, trainer._y), trainer._variants["net"].model
    batches = trainer.batches_of_step()
    parts = [loss(model(x), y).item() for x, y in batches]
    whole = loss(model(torch.cat([x for x, _ in batches])), torch.cat([y for _, y in batches])).item()
    assert trainer.advance(record=True).variants["net"].loss == pytest.approx(sum(parts) / 3)
    assert abs(whole - sum(parts) / 3) > 1e-5


def test_the_sum_is_of_both():
    case = experiment(MASKS, **SUM | WEIGHTED)
    outputs, truth = (part.float() for part in masks(1))
    wanted = mask_loss(outputs, truth, balanced_weights(truth, 2)) + dice_loss(outputs, truth)
    assert torch.equal(objective(case, truth)(outputs, truth), wanted)


@pytest.mark.parametrize("error", [-3.0, -1.0, -0.4, 0.0, 0.7, 1.0, 2.5])
def test_hubers_loss_and_its_slope_are_squared_below_1_and_linear_above(error):
    outputs, truth = torch.tensor([[error + 2.0]], requires_grad=True), torch.tensor([[2.0]])
    loss = objective(experiment(NUMBERS, loss="huber"), truth)(outputs, truth)
    (slope,) = torch.autograd.grad(loss, outputs)
    assert loss.item() == pytest.approx(error**2 / 2 if abs(error) < 1 else abs(error) - 0.5)
    assert slope.item() == pytest.approx(max(-1.0, min(1.0, error)))


SETTINGS = [(POINTS, BOTH), (POINTS, WEIGHTED | {"accumulation": 2}), (SEQUENCES, BOTH), (MASKS, WEIGHTED), (MASKS, DICE),
            (MASKS, SUM | WEIGHTED), (MASKS, DICE | {"precision": "bfloat16", "accumulation": 2}),
            (NUMBERS, {"loss": "huber"})]  # fmt: skip


@pytest.mark.parametrize(("task", "training"), SETTINGS, ids=str)
def test_a_script_trains_on_the_same_loss_bit_for_bit_and_a_link_carries_it(task, training):
    case = short(experiment(task, **training), steps=4)
    check(case)
    assert link.decode(link.encode(case)) == case
    assert training_words(case.training)
    said = {
        one.what for one in differences(case, case.replaced(training=case.training.replaced(loss="auto", class_weights="none")))
    }
    assert said == {{"loss": "loss", "class_weights": "class weights"}[key] for key in training if key in ("loss", "class_weights")}


@pytest.mark.parametrize("training", [BOTH, DICE, SUM | BOTH], ids=str)
def test_a_script_of_classes_of_pixels_trains_on_the_same_loss(tmp_path, training, monkeypatch):
    uploads = Uploads(get_settings().uploads_place())
    case = short(experiment(task_of(uploads, streets(), "streets.zip", "masks"), **training), steps=3)
    path = tmp_path / "streets.zip"
    path.write_bytes(streets())
    monkeypatch.setattr(sys, "argv", ["experiment.py", str(path)])
    assert_same(losses_of(script(case, uploads=uploads))[0], trained(case)[0])


REFUSED = [
    (NUMBERS, WEIGHTED, "class weights act on classes, and Regression is about numbers: leave class_weights at none"),
    (NUMBERS, SMOOTHED, "label smoothing acts on classes, and Regression is about numbers"),
    (MASKS, SMOOTHED, "label smoothing is of two classes or more, and Shapes has masks of one thing: leave label_smoothing at 0"),
    (POINTS, {"loss": "huber"}, "Huber is a loss of numbers, and Gaussians tells none: leave loss at auto"),
    (POINTS, DICE, "Dice is a loss of masks, and Gaussians has none: leave loss at auto"),
    (SEQUENCES, SUM, "Dice is a loss of masks"),
    (MASKS, DICE | WEIGHTED, "class weights act on a cross-entropy, and Dice alone has none"),
]  # fmt: skip


@pytest.mark.parametrize(("task", "training", "sentence"), REFUSED, ids=str)
def test_a_setting_without_effect_is_refused_in_a_sentence(task, training, sentence):
    with pytest.raises(ValueError, match=sentence):
        experiment(task, **training)


def test_another_task_takes_over_the_settings_that_it_has_a_use_for():
    points = experiment(POINTS, **BOTH)
    kept = points.on(Task(name="moons")).training
    assert (kept.class_weights, kept.label_smoothing) == ("balanced", 0.2)
    assert points.on(NUMBERS).training == experiment(NUMBERS).training
    masks = experiment(MASKS, **SUM | WEIGHTED)
    assert masks.on(Task(name="membranes", image_size=32)).training == masks.training
