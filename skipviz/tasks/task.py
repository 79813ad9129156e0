"""A task: which data, its controls, and what a network for it must take and give. Imports no numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ..network.base import Frozen, Shape, elements, written
from ..network.network import Head, Network

MAX_PIXELS = 2**23
"""Of all generated images of a task together: 64 MB with their masks."""

TaskName = Literal["spiral", "moons", "circles", "xor", "gaussians", "digits", "shapes"]


@dataclass(frozen=True)
class TaskKind:
    """What is fixed about a task: its words, its loss and metric by name, its ranges."""

    title: str
    sentence: str
    loss: Literal["cross_entropy", "binary_cross_entropy"]
    metric: Literal["accuracy", "iou"]
    outputs: int
    picture: Literal["boundary", "digits", "masks"]
    samples: int
    noise: float
    max_samples: int


KINDS: dict[str, TaskKind] = {
    "spiral": TaskKind("Two spirals", "two arms, two classes", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.1, 5000),
    "moons": TaskKind("Moons", "two half circles, two classes", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.2, 5000),
    "circles": TaskKind("Circles", "a ring around a disc", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.2, 5000),
    "xor": TaskKind("XOR", "four squares, two classes", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.1, 5000),
    "gaussians": TaskKind("Gaussians", "two clouds", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.4, 5000),
    "digits": TaskKind("Digits", "8×8 handwritten digits, ten classes", "cross_entropy", "accuracy", 10, "digits", 1797, 0.0, 1797),
    "shapes": TaskKind(
        "Shapes", "find the shapes in noise, pixel by pixel", "binary_cross_entropy", "iou", 1, "masks", 512, 0.3, 2000
    ),
}


class Task(Frozen):
    """A data set with its controls. A fifth of it is held out."""

    name: TaskName = "spiral"
    noise: float | None = Field(None, ge=0, le=2, description="standard deviation, in units of the data; None: the task's own")
    samples: int | None = Field(None, ge=40, le=5000, description="points or images; None: the task's own")
    image_size: int = Field(32, ge=16, le=256, multiple_of=4, description="pixels a side, for shapes")
    overlap: bool = Field(True, description="shapes may cover one another")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="of the data")

    @property
    def kind(self) -> TaskKind:
        """The task's fixed facts."""
        return KINDS[self.name]

    def sample_count(self) -> int:
        """Return how many samples there are, training and held out together."""
        return min(self.samples or self.kind.samples, self.most_samples())

    def most_samples(self) -> int:
        """Return how many samples there can be; large images are fewer, so that they fit into memory."""
        pixels = self.image_size**2 if self.name == "shapes" else 1
        return min(self.kind.max_samples, MAX_PIXELS // pixels)

    def noise_level(self) -> float:
        """Return the noise in force."""
        return self.kind.noise if self.noise is None else self.noise

    def sample_shape(self) -> Shape:
        """Return one sample's shape: `(2,)`, `(1, 8, 8)` or `(1, size, size)`."""
        if self.name == "digits":
            return (1, 8, 8)
        return (1, self.image_size, self.image_size) if self.name == "shapes" else (2,)

    def input_for(self, images: bool) -> Shape:
        """Return the input of a network that takes images (`images`) or features."""
        shape = self.sample_shape()
        return shape if images or len(shape) == 1 else (elements(shape),)

    def head(self) -> Head:
        """Return the head that this task needs."""
        if self.name == "shapes":
            return Head(kind="pixels", outputs=1)
        return Head(kind="classes", outputs=self.kind.outputs)

    def mismatch(self, network: Network) -> str | None:
        """Return one sentence that says why `network` cannot learn this task, or None."""
        shape = self.sample_shape()
        if elements(network.input) != elements(shape) or (len(network.input) == 3 and network.input != shape):
            return f"{self.kind.title} gives {written(shape)} inputs and the network takes {written(network.input)}"
        given = network.shapes.output
        wanted = (1, *shape[1:]) if self.name == "shapes" else (self.kind.outputs,)
        if self.name == "shapes" and len(given) == 3 and given[0] == 1 and max(given[1:]) < shape[1]:
            return None  # valid convolutions: the mask's centre is the target
        if given != wanted:
            return f"{self.kind.title} needs {written(wanted)} outputs and the network gives {written(given)}"
        return None
