"""Kinds: whatever there are several of, each described once, in a file of its own that holds it as `KIND`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from inspect import getsource
from math import prod
from textwrap import dedent
from typing import ClassVar, Literal, Protocol

from .base import NetworkError, Shape, Tagged, channels, elements, is_image, spatial, written
from .positions import Between


@dataclass(frozen=True)
class Activation:
    """An activation σ, applied to each element; all that the form, the diagram, the estimates, the scripts and torch need of it."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a network's JSON data and in links."""
    words: str
    """As a person writes it."""
    function: str
    """Where torch has it as a function: `module:name`; of its parameter too, where it learns one."""
    module: str
    """How a script makes torch's own module of it."""
    saves: Literal["input", "output"]
    """What autograd keeps of it for the way back; several keep the tensor that comes out, which is there anyway."""
    passes_at_zero: bool = True
    """Whether a gradient goes back where the input is exactly 0."""
    starts_at: float | None = None
    """Where its one parameter starts, which a layer learns and weight decay leaves alone; None: it learns nothing."""

    @property
    def parameters(self) -> int:
        """How many parameters each layer has for it."""
        return int(self.starts_at is not None)


@dataclass(frozen=True)
class Norm:
    """A norm with one weight a channel; what torch computes of it stands under its name in `skipviz.learning.norm`."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a network's JSON data and in links."""
    words: str
    """As a person writes it."""
    over: str
    """Over what it takes each mean, as the rest of "values in …"."""
    values: Callable[[Shape], int]
    """How many values of a sample it takes each mean over."""
    written: Callable[[Shape, bool], str]
    """How a script makes it for states of a shape; the flag: with a module that takes batches of one, which torch's refuse."""
    helpers: dict[str, str] = field(default_factory=dict)
    """What a script needs beside torch's own, by name: a class's source, or where it has a function from, `module:name`."""
    batch: bool = False
    """Whether each mean is over the whole batch, and kept for later; its channels may be frozen one by one."""
    centred: bool = True
    """Whether it takes the mean away and has a bias a channel."""
    misfit: Callable[[Shape], str | None] = lambda shape: None
    """What is wrong with states of a shape, as a sentence, or None."""
    saves_more: int = 0
    """Tensors of its input's size that autograd keeps beside the input itself."""

    def parameter_count(self, shape: Shape) -> int:
        """Return how many parameters it has for states of `shape`."""
        return (2 if self.centred else 1) * channels(shape)

    def values_normed(self, shape: Shape, batch_size: int) -> int:
        """Return over how many values each mean is taken in training."""
        return self.values(shape) * (batch_size if self.batch else 1)

    def blocks(self, shape: Shape, batch_size: int) -> bool:
        """Return whether it gives its bias whatever comes in: of one value the mean is the value itself."""
        return self.centred and self.values_normed(shape, batch_size) == 1


@dataclass(frozen=True)
class Init:
    """A scheme of first weights; torch and scripts fill with the same lines."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a network's JSON data and in links."""
    words: str
    """As a person writes it."""
    fill: Callable
    """`fill(weight, fan_in, fan_out, source, nn)` fills a tensor in place from the generator `source`; `nn` is torch's.

    It is one function without a docstring or an import: a script has its lines as they stand.
    """
    paper: str = ""
    """Where it comes from."""
    biases: bool = False
    """Whether biases are filled as weights are; they are zero elsewhere."""

    def lines(self) -> list[str]:
        """Return the source of what `fill` does."""
        _, _, body = getsource(self.fill).partition(":\n")
        return dedent(body).splitlines()


class Fields(Protocol):
    """What a skip and a `Join` have that only some merges use; see `Skip`."""

    gate_bias: float
    heads: int
    causal: bool
    streams: int
    mixing: str
    dynamic: bool


@dataclass(frozen=True)
class Merge:
    """How what a skip carries, A(h_i), joins its target; what torch computes of it stands under its name in
    `skipviz.learning.merge`."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a network's JSON data and in links, and as a person writes it."""
    equation: str
    """What it makes of f_j and A(h_i), and what the strength s is in it."""
    joins: bool = False
    """It widens what the next layer reads instead of landing on the state, and zeros take its place while it is off."""
    sums: bool = False
    """It adds to f_j, which ends a residual branch there: drop-path and branch scales act on f_j, whose gradient is the state's."""
    residual: bool = True
    """A layer that it passes contributes 0 while it is off; under one that is not, it becomes the identity."""
    first: bool = False
    """It acts on f_j before those at the same state that are not."""
    alone: bool = False
    """Nothing else lands where it does."""
    spreads: bool = False
    """What a skip carries may be one for all channels or all positions of the target."""
    neutral: int = 0
    """What is carried, or of a gate its T, that changes nothing: 0 or 1."""
    maps: bool = False
    """It learns a map T = σ(W h_i + b) to the target's channels, beside its adapter."""
    matrix: Callable[[Fields], list[float]] | None = None
    """How streams mix at the start, n × n, row by row, of a module that has `matrix(A)`: how those of A do."""
    learns: str = ""
    """The name of the module that it learns of f_j and A: an `attention`, a `mixing`."""
    parameters: Callable[[Fields, int], dict[str, Shape]] = lambda fields, width: {}
    """Names and shapes of that module's parameters, by the target's width."""
    fields: tuple[str, ...] = ()
    """The fields of a skip, or of a `Join`, that are this kind's own."""
    checks: Callable[[Fields, Shape], object] = lambda fields, shape: None
    """Raises `NetworkError` where that module cannot read, or land on, a state of a shape."""
    label: Callable[[Fields], str] = lambda fields: ""
    """What those fields say, in few letters behind the kind's name."""
    own_positions: bool = False
    """What a skip carries keeps its own positions, whatever those of the target are."""
    module: str = ""
    """The class of that module in its torch part, which a script has as it stands."""
    arguments: Callable[[Fields, Shape], dict] = lambda fields, shape: {}
    """What that class is made with, for a target's shape."""
    fills: tuple[str, ...] | None = None
    """The schemes by which that class fills its weights; None: it draws nothing."""
    recorded_only: bool = False
    """It stands in recordings of somebody's own module alone, and nobody chooses it."""
    any_shape: bool = False
    """What a skip carries may have any shape, and is not adapted."""
    sign: str = ""
    """A letter in the mark where it lands, or nothing."""
    strokes: tuple[tuple[float, float, float, float], ...] = ()
    """Or lines in it, from (x, y) to (x, y), each −1…1 from its middle."""
    hands_on: bool = False
    """Where no adapter stands between, its source's gradient needs no memory of its own: it is the target's, or a slice of it."""
    saves: Callable[[float, bool], int] = lambda strength, adapted: 0
    """Tensors of the target's size that autograd keeps beside states, by strength and whether A makes a tensor of its own."""
    calls: Callable[[Fields], int] = lambda fields: 1
    """How many times as long as a sum's it takes to call what joins, however narrow the states."""
    saves_more: Callable[[Fields, Shape, Shape], int] = lambda fields, target, carried: 0
    """Elements a sample that its module has autograd keep, by the shapes of f_j and of A."""
    written: Callable[[str, str, str], str] = lambda f, carried, strength: f
    """How a script lands it: from the expressions of f_j, of A(h_i) and of the strength (`1.0` where it is that for good)."""
    function: str = ""
    """The function of its torch part with which it is landed, which a script has as it stands; nothing where torch has one."""

    @property
    def words(self) -> str:
        return self.name

    @property
    def mixes(self) -> bool:
        """Whether it mixes streams."""
        return self.matrix is not None


@dataclass(frozen=True)
class Placement:
    """How an adapter takes a state to the positions of the one that it joins."""

    number: int
    """Its place among the choices, which never changes."""
    name: str
    """In a network's JSON data and in links."""
    words: str
    """As a person writes it."""
    written: Callable[[str, Between], str]
    """The expression of the state that is placed, of that of a state: a script has it, and torch computes it (`F` is its
    `nn.functional`)."""
    misfit: Callable[[Between], str | None] = lambda between: None
    """What is wrong with positions, as a sentence, or None."""
    images: bool = False
    """Whether it wants images, not sequences."""
    offset: bool = False
    """Whether an adapter's offset is its."""
    copies: bool = False
    """Whether it makes a tensor of its own; else it is a view."""
    saves: int = 0
    """Numbers that autograd keeps of each position it gives, beside what it reads."""

    def problem(self, between: Between) -> str | None:
        """Return what is wrong with it there, as a sentence, or None."""
        return f"{self.name} is for images" if self.images and not between.images else self.misfit(between)


class Weights(Protocol):
    """How a script draws the first weights of one operation."""

    scheme: str

    def drawn(self, module: str, scheme: str | None = None) -> str:
        """Return a module whose `weight` and `bias` are drawn, by another scheme if one is given."""

    def scaled(self, module: str) -> str:
        """Return a module that has its first weights but for the layer's factor."""

    def initialised(self, op: Operation) -> str:
        """Return the module of an operation that is a class of our own, which fills its first weights itself, if it has any."""


class Operation(Tagged):
    """What a layer applies: each is a subclass, whose fields stand in a network's JSON data; `shape` is an input's.

    Its torch module stands under the same name in `skipviz.learning.operation`.
    """

    number: ClassVar[int]
    """Its place among the choices, which never changes."""
    name: ClassVar[str]
    """In a network's JSON data and in links: what its field `kind` says."""
    keys: ClassVar[dict[str, str]] = {}
    """Letters that stand in links for its fields, the same for the same field of all operations; they never change."""
    recorded_only: ClassVar[bool] = False
    """Whether it stands in recordings alone: it is in no link, and no form changes it."""
    saves_input: ClassVar[bool] = True
    """Whether autograd keeps what it reads."""
    view: ClassVar[bool] = False
    """Whether what it gives lies in the memory of what it reads."""
    reads_tokens: ClassVar[bool] = False
    """Whether it reads tokens, whole numbers that have no gradient."""
    attends: ClassVar[bool] = False
    """Whether its torch module has `read(x)`: queries, keys and values."""
    calls: ClassVar[int] = 1
    """How long it takes at least, of however little, forward and backward, counted in linear maps: some are many kernels' calls."""
    helpers: ClassVar[dict[str, str]] = {}
    """What a script needs beside torch's own and its torch module, by name: a source, or where it has it from, `module:name`."""
    fills: ClassVar[tuple[str, ...] | None] = None
    """The schemes by which its torch module fills weights, whichever the layer has; None: it draws nothing."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_more) -> None:
        cls.name = cls.model_fields["kind"].default

    @property
    def alike(self) -> Hashable:
        """What is equal for operations that look alike in a diagram: all of it, where nothing is a mere name."""
        return self

    @property
    def coarsens(self) -> Fraction:
        """How many times as far apart its pixels are as those it reads."""
        return Fraction(1)

    @property
    def interpolates(self) -> bool:
        """Whether its weights may start so that it interpolates."""
        return False

    @property
    def reads_streams(self) -> int:
        """How many parallel streams it reads, which are groups of channels."""
        return 1

    @property
    def gives_streams(self) -> int:
        """How many it gives."""
        return 1

    @property
    def looks_ahead(self) -> bool:
        """Whether a position reads later ones."""
        return False

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of what it gives; raises `NetworkError`."""
        return shape

    def parameters(self, shape: Shape) -> dict[str, Shape | None]:
        """Return the shapes of its parameters by name, in torch's order, None for one that it may have and has not."""
        return {}

    def parameter_count(self, shape: Shape) -> int:
        """Return how many numbers it learns."""
        return sum(elements(size) for size in self.parameters(shape).values() if size is not None)

    def fans(self, shape: Shape) -> tuple[float, float]:
        """Return how many inputs a unit of what it gives reads, and how many units an input feeds, of its `weight`."""
        return fans_of(self.parameters(shape)["weight"])

    def multiplications(self, shape: Shape) -> int:
        """Return those of one sample's forward pass: each parameter once at each place that it is used at."""
        return self.parameter_count(shape) * prod(spatial(self.output_shape(shape)))

    def saves_more(self, shape: Shape) -> int:
        """Return how many elements a sample autograd keeps beside its input and output."""
        return 0

    def unusual(self, *names: str) -> dict:
        """Return those of its fields `names` that are not as they usually are."""
        return {name: getattr(self, name) for name in names if getattr(self, name) != type(self).model_fields[name].default}

    def arguments(self, shape: Shape) -> dict:
        """Return what its torch module is made with, where that is a class that a script has as it stands."""
        return {}

    def written(self, shape: Shape, weights: Weights) -> list[str]:
        """Return the modules, one after the other, as which a script makes it."""
        return [weights.initialised(self)]

    def label(self) -> str:
        """Return it as a person writes it, in few words."""
        return self.name

    def short(self, axes: int = 2) -> str:
        """Return it in at most about nine characters, as a box or a label says it of states of so many axes;
        '' for what does nothing."""
        return ""

    def _need_image(self, shape: Shape) -> None:
        if not is_image(shape):
            raise NetworkError(f"a {self.name} layer needs an image or a volume, not {written(shape)} features")

    def _need_sequence(self, shape: Shape) -> None:
        if len(shape) != 2:
            raise NetworkError(f"{self.name} needs a sequence, length × width, not {written(shape)}")


def fans_of(weight: Shape) -> tuple[int, int]:
    """Return the fans of a map with a weight of that shape, outputs first, as torch counts them."""
    area = prod(weight[2:])
    return weight[1] * area, weight[0] * area


def kinds(package: str) -> dict:
    """Return the kinds in the files of `package`, by name, in the order of their numbers."""
    modules = [import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(import_module(package).__path__)]
    found = sorted((module.KIND for module in modules), key=lambda kind: kind.number)
    if len({kind.number for kind in found}) < len(found) or len({kind.name for kind in found}) < len(found):
        raise ValueError(f"two kinds in {package} share a number or a name")
    return {kind.name: kind for kind in found}
