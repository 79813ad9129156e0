"""What the sidebar's form of a published architecture is: its settings, how they build a network, how they are read off one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...network import activation, init, norm
from ...network.network import Network
from ..task import Task


@dataclass(frozen=True)
class Setting:
    """One widget: a choice among `options`, or a number between `low` and `high`.

    `options` may be a function of all values, where they depend on the settings before this one.
    """

    name: str
    label: str
    default: Any
    options: tuple | Callable[[dict], tuple] = ()
    low: float = 1
    high: float = 100
    slider: int = 0
    """The most that a slider shows; 0: the number is typed."""
    words: Mapping[Any, str] = field(default_factory=dict, hash=False)
    """How options are shown; what is missing is shown as it is."""
    help: str | None = None
    idle: Callable[[dict], bool] | None = None
    """Says whether nothing depends on it, the other values being what they are."""
    read: Callable[[Network], Any] | None = None
    """Reads the value off a network of the family, where a search would take long for it or lose its way."""

    def choices(self, values: dict) -> tuple:
        """Return what is offered beside these values, and the value itself where a link brought an unusual one."""
        offered = self.options(values) if callable(self.options) else self.options
        value = values[self.name]
        return (*offered, value) if offered and value not in offered else offered

    def takes(self, values: dict) -> bool:
        """Return whether its value is one that it has beside those before it: a number may be between the options."""
        value, offered = values[self.name], self.options(values) if callable(self.options) else self.options
        if isinstance(value, str) or isinstance(self.default, str):
            return value in offered
        low, high = (min(offered), max(offered)) if offered else (self.low, self.high)
        return low <= value <= high and (isinstance(value, int) or isinstance(self.default, float))

    def shown(self, value) -> str:
        """Return how a value is shown."""
        return str(self.words.get(value, value))

    def nearest(self, before: dict, now: dict) -> Any:
        """Return the value that goes with `now`: the same one, or the nearest where other options are offered than `before`."""
        value = now[self.name]
        if not callable(self.options) or self.options(before) == self.options(now) or value in self.options(now):
            return value
        offered = self.options(now)
        return min(offered, key=lambda option: abs(option - value)) if isinstance(value, int) else offered[0]


@dataclass(frozen=True)
class Form:
    """A family's widgets, and what they mean."""

    title: str
    settings: tuple[Setting, ...]
    make: Callable[..., Network]
    """`make(task, **values)` builds the network; raises `NetworkError`."""
    tasks: tuple[str, ...]
    """Those it fits, the first its own."""
    own: tuple[str, ...] = ()
    """What it tells of one's own data."""
    published: Callable[..., tuple[str, int]] | None = None
    """Returns the name in words and the parameters of the paper's own network nearest to the values."""
    along: Callable[[dict], dict] = lambda changed: {}
    """Returns the values of other settings that come with changed ones."""
    free: bool = False
    """Whether its layers and skips may be set one by one too, as a stack's."""
    follow: Callable[[dict, Task, Task], dict] = lambda values, before, task: values
    """Returns the values changed where another task wants other ones: `follow(values, before, task)`."""

    def defaults(self) -> dict:
        """Return the usual value of every setting."""
        return {setting.name: setting.default for setting in self.settings}

    def fits(self, task: Task) -> bool:
        """Return whether it is built for the task's kind of data."""
        return task.own.kind in self.own if task.own else task.name in self.tasks


SWITCH = ("on", "off")
WITH_SKIPS = Setting("plain", "Skips", "residual", ("residual", "plain"))
OF_IMAGES = {"tasks": ("digits",), "own": ("labels",)}
"""What a form has whose networks tell images apart."""
NORMS = ("none", *norm.NORMS)
NORM_WORDS = {"none": "none", **{name: kind.words.removesuffix(" norm") for name, kind in norm.NORMS.items()}}
ACTIVATIONS = {**{name: kind.words for name, kind in activation.ACTIVATIONS.items()}, "none": "none"}
INIT_WORDS = {name: kind.words for name, kind in init.INITS.items()}
SCALES = {"none": "1", "root": "1/√L", "skipinit": "from 1/√L", "rezero": "from 0"}
"""Branch scales by their names in `families`, `none` being no factor."""
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
SCALES_HELP = "A factor on each of the L branches: fixed, or learned from its start on"
EDGES = {"padded": "padded", "valid": "valid"}
