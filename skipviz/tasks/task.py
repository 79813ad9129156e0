"""A task: which data, its controls, and what a network for it must take and give."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from ..network.base import Frozen, NetworkError, Shape, elements, is_image, written
from ..network.branch import seen_ahead
from ..network.network import Head, Network
from .dataset import KINDS
from .dataset.sequences import RULE_WORDS
from .own import Own
from .task_kind import TaskKind

_TABLE = {"number": 12, "title": "Your own table", "settings": ()}
_PICTURES = {"number": 13, "title": "Your own pictures", "settings": ()}
# fmt: off
OWN_KINDS: dict[str, TaskKind] = {
    "classes": TaskKind(
        sentence="a column's class from the other columns", loss="cross_entropy", metric="accuracy", outputs=0,
        picture="confusion", **_TABLE,
    ),
    "numbers": TaskKind(
        sentence="a column's number from the other columns", loss="squared_error", metric="r2", outputs=1,
        picture="scatter", **_TABLE,
    ),
    "labels": TaskKind(
        sentence="the class of a picture", loss="cross_entropy", metric="accuracy", outputs=0,
        picture="thumbnails", families=("conv", "mlp"), **_PICTURES,
    ),
    "masks": TaskKind(
        sentence="masks of pictures", loss="binary_cross_entropy", metric="iou", outputs=1,
        picture="masks", families=("conv",), **_PICTURES,
    ),
    "pixel_classes": TaskKind(
        sentence="the class of every pixel", loss="pixel_cross_entropy", metric="mean_iou", outputs=0,
        picture="class_masks", families=("conv",), **_PICTURES,
    ),
}
"""Tasks of one's own data, by their target; how many samples and outputs there are, the data says."""
# fmt: on
WATCHED = TaskKind(
    number=17,
    title="Your own network",
    sentence="what its own script trains it on",
    loss="",
    metric="",
    outputs=1,
    picture="none",
    settings=(),
    families=(),
)
"""The task of a network that is somebody's own torch module: data, loss and updates are its script's affair."""
WATCHED_CLASSES = replace(WATCHED, metric="accuracy")
"""The same where what is held out is told apart as classes."""
OWN_NAMES = {"table": ("classes", "numbers"), "pictures": ("labels", "masks", "pixel_classes")}
"""The targets of each kind of file."""
TaskName = Literal[*KINDS, *OWN_NAMES, "watched"]
Rule = Literal[*RULE_WORDS]


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
    metric: Literal["accuracy"] | None = Field(None, description="of one's own module: taken of held-out data beside the loss")

    @model_validator(mode="after")
    def _check(self):
        if self.metric and not self.watched:
            raise NetworkError(f"the task {self.name} has a metric of its own: {self.metric} is chosen for one's own module alone")
        if self.own is None and self.name in OWN_NAMES:
            raise NetworkError(f"the task {self.name} is one's own data and needs its description: upload a file in the lab")
        if self.own is not None and self.own.kind not in OWN_NAMES.get(self.name, ()):
            raise NetworkError(f"the task {self.name} does not learn {self.own.kind} of one's own data")
        return self

    @property
    def kind(self) -> TaskKind:
        """The task's fixed facts."""
        if self.watched:
            return WATCHED_CLASSES if self.metric else WATCHED
        return OWN_KINDS[self.own.kind] if self.own else KINDS[self.name]

    @property
    def watched(self) -> bool:
        """Whether the network is somebody's own module, which only its own script can train."""
        return self.name == "watched"

    def sentence(self) -> str:
        """Return in a few words what is to be learned; of sequences, by which rule."""
        if self.own:
            return self.own.sentence()
        return self.kind.sentence_of(self) if self.kind.sentence_of else self.kind.sentence

    def sample_count(self) -> int:
        """Return how many samples there are, training and held out together."""
        if self.own:
            return self.own.samples
        return min(self.samples or self.kind.samples, self.most_samples())

    def most_samples(self) -> int:
        """Return how many samples there can be: few of large images, and no sequence twice."""
        if self.own:
            return self.own.samples
        return self.kind.most(self) if self.kind.most else self.kind.max_samples

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
        return self.kind.vocabulary(self)

    @property
    def causal(self) -> bool:
        """Whether a position may see only itself and those before it: what comes after is what it has to say."""
        return self.kind.causal

    def sample_shape(self) -> Shape:
        """Return one sample's shape: `(2,)`, `(1,)`, `(1, 8, 8)`, `(1, size, size)`, `(length,)`, or what one's own data has."""
        return self.own.shape if self.own else self.kind.shape(self)

    def further(self) -> dict[str, Shape]:
        """Return the shapes of the inputs beside the first, by name; a sample of the data has them behind that."""
        return {} if self.own else self.kind.further(self)

    def output_shape(self) -> Shape:
        """Return the shape that a network gives for one sample.

        It is `(classes,)`, `(1, height, width)`, `(1, depth, height, width)`, `(classes, height, width)` or `(length, tokens)`.
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
        own = any(part.op.kind == "watched" for part in (*network.layers, *network.branches))
        if self.watched or own:
            return None if self.watched else f"{self.kind.title} cannot be learned here by a module of somebody's own"
        title, shape = self.kind.title, self.sample_shape()
        if network.takes_tokens != self.gives_tokens:
            article = (
                "tokens and the network has no embedding for them" if self.gives_tokens else "no tokens and the network reads some"
            )
            return f"{title} gives {article}"
        if elements(network.input) != elements(shape) or (is_image(network.input) and network.input != shape):
            return f"{title} gives {written(shape)} inputs and the network takes {written(network.input)}"
        if network.further != self.further():
            return f"{title} gives {_inputs(self.further())}, and this network reads {_inputs(network.further)}"
        known = min((part.op.vocabulary for part in (*network.layers, *network.branches) if part.op.kind == "embedding"), default=0)
        if self.gives_tokens and known < self.token_count():
            return f"{title} has {self.token_count()} different tokens and the network knows {known}"
        if ahead := self.causal and next((layer.op.name for layer in network.layers if layer.op.looks_ahead), None):
            return f"{title} is predicted from what came before, so every {ahead} has to be causal"
        if self.further() and (ahead := seen_ahead(network)):
            return f"{title} is predicted from what came before, and {ahead} sees what comes after"
        given, wanted = network.shapes.output, self.output_shape()
        alike = self.finds_masks and len(given) == len(wanted) and given[0] == wanted[0]
        if alike and all(side <= wide for side, wide in zip(given[1:], wanted[1:], strict=True)):
            return None  # valid convolutions: the mask's centre is the target
        if given != wanted:
            return f"{title} needs {written(wanted)} outputs and the network gives {written(given)}"
        return None


def _inputs(further: dict[str, Shape]) -> str:
    """Return which inputs there are, the first and those beside it with their sizes."""
    beside = " and ".join(f"{name} ({written(shape)})" for name, shape in further.items())
    return f"the input and {beside}" if further else "the input alone"
