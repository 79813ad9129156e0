"""A task: which data, its controls, and what a network for it must take and give. Imports no numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from ..network.base import Frozen, NetworkError, Shape, elements, written
from ..network.network import Head, Network
from .own import Own
from .text import characters

MAX_PIXELS = 2**23
"""Of all generated images of a task together: 64 MB with their masks."""

TaskName = Literal[
    "spiral", "moons", "circles", "xor", "gaussians", "digits", "shapes", "sequences", "text", "regression", "line", "membranes",
    "table", "pictures",
]  # fmt: skip
Rule = Literal["copy", "reverse", "sort", "add"]


@dataclass(frozen=True)
class TaskKind:
    """What is fixed about a task: its words, its loss and metric by name, its ranges."""

    number: int
    """What makes the data of two tasks with one seed differ. It is written down and never changes: kept runs depend on it."""
    title: str
    sentence: str
    loss: str
    metric: str
    outputs: int
    picture: Literal[
        "boundary", "digits", "masks", "class_masks", "sequences", "text", "curve", "thumbnails", "confusion", "scatter"
    ]
    samples: int
    noise: float
    max_samples: int
    length: int | None = None
    """Tokens of a sample, if it is a sequence of them."""
    families: tuple[str, ...] = ("mlp",)
    """Families of networks that can learn it, the usual one first."""


# fmt: off
KINDS: dict[str, TaskKind] = {
    "spiral": TaskKind(0, "Two spirals", "two arms, two classes", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.1, 5000),
    "moons": TaskKind(1, "Moons", "two half circles, two classes", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.2, 5000),
    "circles": TaskKind(2, "Circles", "a ring around a disc", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.2, 5000),
    "xor": TaskKind(3, "XOR", "four squares, two classes", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.1, 5000),
    "gaussians": TaskKind(4, "Gaussians", "two clouds", "cross_entropy", "accuracy", 2, "boundary", 1000, 0.4, 5000),
    "digits": TaskKind(
        5, "Digits", "8×8 handwritten digits, ten classes", "cross_entropy", "accuracy", 10, "digits", 1797, 0.0, 1797,
        families=("mlp", "conv"),
    ),
    "shapes": TaskKind(
        6, "Shapes", "find the shapes in noise, pixel by pixel", "binary_cross_entropy", "iou", 1, "masks", 512, 0.3, 2000,
        families=("conv",),
    ),
    "membranes": TaskKind(
        11, "Membranes", "find the borders between cells", "binary_cross_entropy", "iou", 1, "masks", 256, 0.15, 2000,
        families=("conv",),
    ),
    "sequences": TaskKind(
        7, "Sequences", "tokens in, tokens out by a rule", "token_cross_entropy", "exact", 10, "sequences", 2000, 0.0, 5000,
        length=8, families=("transformer",),
    ),
    "text": TaskKind(
        8, "Text", "the next character of Alice in Wonderland, chapter 1", "token_cross_entropy", "accuracy", 59, "text", 2000, 0.0,
        5000, length=64, families=("transformer",),
    ),
    "regression": TaskKind(
        9, "Regression", "a smooth curve through noisy points", "squared_error", "r2", 1, "curve", 500, 0.2, 5000,
    ),
    "line": TaskKind(10, "Line", "a curve from −2 to 2 in equal steps", "squared_error", "r2", 1, "curve", 256, 0.0, 256),
}

OWN_KINDS: dict[str, TaskKind] = {
    "classes": TaskKind(
        12, "Your own table", "a column's class from the other columns", "cross_entropy", "accuracy", 0, "confusion", 0, 0.0, 0,
    ),
    "numbers": TaskKind(
        12, "Your own table", "a column's number from the other columns", "squared_error", "r2", 1, "scatter", 0, 0.0, 0,
    ),
    "labels": TaskKind(
        13, "Your own pictures", "the class of a picture", "cross_entropy", "accuracy", 0, "thumbnails", 0, 0.0, 0,
        families=("conv", "mlp"),
    ),
    "masks": TaskKind(
        13, "Your own pictures", "masks of pictures", "binary_cross_entropy", "iou", 1, "masks", 0, 0.0, 0, families=("conv",),
    ),
    "pixel_classes": TaskKind(
        13, "Your own pictures", "the class of every pixel", "pixel_cross_entropy", "mean_iou", 0, "class_masks", 0, 0.0, 0,
        families=("conv",),
    ),
}
"""Tasks of one's own data, by what is told; how many samples and outputs there are, the data says."""
# fmt: on
OWN_NAMES = {"table": ("classes", "numbers"), "pictures": ("labels", "masks", "pixel_classes")}
"""What can be told of each kind of file."""
RULES = {
    "copy": "the same tokens again",
    "reverse": "the tokens in reverse order",
    "sort": "the tokens sorted",
    "add": "each token plus the one before it, modulo {}",
}
"""What each rule wants of a sequence of tokens, `{}` being how many different ones there are."""


class Task(Frozen):
    """A data set with its controls. A fifth of it is held out."""

    name: TaskName = "spiral"
    noise: float | None = Field(None, ge=0, le=2, description="standard deviation, in units of the data; None: the task's own")
    samples: int | None = Field(None, ge=40, le=5000, description="points or images; None: the task's own")
    image_size: int = Field(32, ge=16, le=256, multiple_of=4, description="pixels a side, for shapes and membranes")
    overlap: bool = Field(True, description="of shapes: they may cover one another")
    rule: Rule = Field("reverse", description="of sequences; add: to each token the one before it, the first adds the last")
    length: int | None = Field(None, ge=2, le=128, description="tokens of a sequence; None: the task's own")
    vocabulary: int = Field(10, ge=2, le=100, description="different tokens of sequences, and the modulus of add")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="of the data")
    own: Own | None = Field(None, description="of table and pictures: which data it is")

    @model_validator(mode="after")
    def _check(self):
        if self.own is None and self.name in OWN_NAMES:
            raise NetworkError(f"the task {self.name} is one's own data and needs its description: upload a file in the lab")
        if self.own is not None and self.own.kind not in OWN_NAMES.get(self.name, ()):
            raise NetworkError(f"the task {self.name} does not learn {self.own.kind} of one's own data")
        return self

    @property
    def kind(self) -> TaskKind:
        """The task's fixed facts."""
        return OWN_KINDS[self.own.kind] if self.own else KINDS[self.name]

    def sentence(self) -> str:
        """Return in a few words what is to be learned; of sequences, by which rule."""
        if self.own:
            return self.own.sentence()
        return RULES[self.rule].format(self.vocabulary) if self.name == "sequences" else self.kind.sentence

    def sample_count(self) -> int:
        """Return how many samples there are, training and held out together."""
        if self.own:
            return self.own.samples
        return min(self.samples or self.kind.samples, self.most_samples())

    def most_samples(self) -> int:
        """Return how many samples there can be: few of large images, and no sequence twice."""
        if self.own:
            return self.own.samples
        if self.name == "sequences":
            return min(self.kind.max_samples, self.vocabulary ** self.tokens())
        pixels = self.image_size**2 if self.finds_masks else 1
        return min(self.kind.max_samples, MAX_PIXELS // pixels)

    def noise_level(self) -> float:
        """Return the noise in force."""
        return self.kind.noise if self.noise is None else self.noise

    @property
    def finds_masks(self) -> bool:
        """Whether its targets are masks of its images, of one thing or of several classes."""
        return self.kind.picture in ("masks", "class_masks")

    @property
    def gives_tokens(self) -> bool:
        """Whether a sample is a sequence of tokens."""
        return self.kind.length is not None

    def tokens(self) -> int:
        """Return how many tokens a sample has; 0 if it has none."""
        return (self.length or self.kind.length) if self.gives_tokens else 0

    def token_count(self) -> int:
        """Return how many different tokens there are; 0 if there are none."""
        if self.name == "text":
            return len(characters())
        return self.vocabulary if self.gives_tokens else 0

    @property
    def causal(self) -> bool:
        """Whether a position may see only itself and those before it: what comes after is what it has to say."""
        return self.name == "text"

    def sample_shape(self) -> Shape:
        """Return one sample's shape: `(2,)`, `(1,)`, `(1, 8, 8)`, `(1, size, size)`, `(length,)`, or what one's own data has."""
        if self.own:
            return self.own.shape
        if self.gives_tokens:
            return (self.tokens(),)
        if self.name == "digits":
            return (1, 8, 8)
        if self.finds_masks:
            return (1, self.image_size, self.image_size)
        return (1,) if self.kind.picture == "curve" else (2,)

    def output_shape(self) -> Shape:
        """Return the shape that a network gives for one sample.

        It is `(classes,)`, `(1, height, width)`, `(classes, height, width)` or `(length, tokens)`.
        """
        if self.gives_tokens:
            return (self.tokens(), self.token_count())
        return (self.output_count(), *self.sample_shape()[1:]) if self.finds_masks else (self.output_count(),)

    def output_count(self) -> int:
        """Return how many numbers tell a sample's class or value, or a pixel's."""
        return len(self.own.classes) if self.own and self.own.classes else self.kind.outputs

    def input_for(self, images: bool) -> Shape:
        """Return the input of a network that takes images (`images`) or features; tokens are tokens to both."""
        shape = self.sample_shape()
        return shape if images or len(shape) == 1 else (elements(shape),)

    def head(self) -> Head:
        """Return the head that this task needs."""
        if self.finds_masks:
            return Head(kind="pixels", outputs=self.output_count())
        if self.gives_tokens:
            return Head(kind="positions", outputs=self.token_count())
        return Head(kind="classes", outputs=self.output_count())

    def mismatch(self, network: Network) -> str | None:
        """Return one sentence that says why `network` cannot learn this task, or None."""
        title, shape = self.kind.title, self.sample_shape()
        if network.takes_tokens != self.gives_tokens:
            article = (
                "tokens and the network has no embedding for them" if self.gives_tokens else "no tokens and the network reads some"
            )
            return f"{title} gives {article}"
        if elements(network.input) != elements(shape) or (len(network.input) == 3 and network.input != shape):
            return f"{title} gives {written(shape)} inputs and the network takes {written(network.input)}"
        if self.gives_tokens and network.layers[0].op.vocabulary < self.token_count():
            return f"{title} has {self.token_count()} different tokens and the network knows {network.layers[0].op.vocabulary}"
        if ahead := self.causal and next((layer.op.name for layer in network.layers if layer.op.looks_ahead), None):
            return f"{title} is told from what came before, so every {ahead} has to be causal"
        given, wanted = network.shapes.output, self.output_shape()
        if self.finds_masks and len(given) == 3 and given[0] == wanted[0] and max(given[1] - wanted[1], given[2] - wanted[2]) <= 0:
            return None  # valid convolutions: the mask's centre is the target
        if given != wanted:
            return f"{title} needs {written(wanted)} outputs and the network gives {written(given)}"
        return None
