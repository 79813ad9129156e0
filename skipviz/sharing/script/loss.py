"""The loss in a script: an expression of outputs and truth, and what it needs."""

from __future__ import annotations

from ...tasks.experiment import Experiment

OWN = {
    "cross_entropy": "F.cross_entropy(outputs, truth{})",
    "token_cross_entropy": "F.cross_entropy(outputs.flatten(0, 1), truth.flatten(){})",
    "binary_cross_entropy": "F.binary_cross_entropy_with_logits(outputs, centre(truth, outputs))",
    "pixel_cross_entropy": "pixel_loss(outputs, truth{})",
    "squared_error": "F.mse_loss(outputs, truth)",
}
"""The tasks' own losses; {} is where a cross-entropy has its weights of classes and its label smoothing."""


def loss_source(experiment: Experiment) -> str:
    """Return the expression of the loss that `experiment` trains on."""
    training, kind = experiment.training, experiment.task.kind
    weighs = training.class_weights == "balanced"
    options = ", weight=weight" if weighs else ""
    options += f", label_smoothing={training.label_smoothing!r}" if training.label_smoothing else ""
    weighted_mask = weighs and kind.loss == "binary_cross_entropy"
    own = "mask_loss(outputs, truth, weight)" if weighted_mask else OWN[kind.loss].format(options)
    return {"auto": own, "dice": "dice_loss(outputs, truth)"}.get(training.loss, f"{own} + dice_loss(outputs, truth)")


def loss_needs(experiment: Experiment) -> set[str]:
    """Return the names of the functions that the loss needs, and the metric of masks."""
    loss, training = loss_source(experiment), experiment.training
    names = {name for name in ("mask_loss", "pixel_loss", "dice_loss") if f"{name}(" in loss}
    if "pixel_loss" in names and (training.label_smoothing or training.class_weights != "none"):
        names = names - {"pixel_loss"} | {"pixel_loss with options"}
    if training.class_weights == "balanced":
        names.add("balanced_weights")
    return names | ({"centre"} if experiment.task.finds_masks else set())


def weight_source(experiment: Experiment) -> str:
    """Return the line that computes the weights of the classes, or nothing."""
    if experiment.training.class_weights != "balanced":
        return ""
    task = experiment.task
    return f"    weight = balanced_weights(y, {max(2, task.output_shape()[-1 if task.gives_tokens else 0])})\n"
