"""What of a training is out of the ordinary, in short phrases. Imports the data model only."""

from __future__ import annotations

from .experiment import OPTIMIZERS, Training
from .loss import CHOSEN
from .schedule import SCHEDULES


def schedule_words(training: Training) -> str:
    """Return the learning rate's schedule in a word, or nothing where it stays as it is."""
    if training.schedule == "constant":
        return "warm-up" if training.warmup_steps else ""
    return SCHEDULES[training.schedule]


def recipe_words(training: Training) -> str:
    """Return how a network is trained, in a line: optimizer, learning rate, batches, steps, what is out of the ordinary."""
    parts = [
        f"{OPTIMIZERS[training.optimizer]}, learning rate {training.learning_rate:g}",
        f"batches of {training.batch_size}",
        f"{training.steps:,} steps",
    ]
    return ", ".join([*parts, *training_words(training), f"seed {training.seed}"])


def training_words(training: Training) -> list[str]:
    """Return a phrase for each setting that most trainings leave alone, in the order in which they act."""
    words = [] if training.loss == "auto" else [f"loss {CHOSEN[training.loss]}"]
    if training.class_weights != "none":
        words.append(f"{training.class_weights} class weights")
    if training.label_smoothing:
        words.append(f"label smoothing {training.label_smoothing:g}")
    if training.warmup_steps:
        words.append(f"{training.warmup_steps:,} steps of warm-up")
    if training.schedule != "constant":
        words.append(f"learning rate {SCHEDULES[training.schedule]}")
    if training.clip_value is not None:
        words.append(f"gradient's elements clipped at {training.clip_value:g}")
    if training.clip_norm is not None:
        words.append(f"gradient's norm clipped at {training.clip_norm:g}")
    if training.accumulation > 1:
        words.append(f"{training.accumulation} batches a step")
    if training.precision != "float32":
        words.append(f"{training.precision} passes")
    if training.seeds > 1:
        words.append(f"{training.seeds} seeds")
    return words
