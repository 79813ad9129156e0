"""Which values of a form give a network that does not say what made it.

Some settings are read off the network; of the others each takes in turn the value with which the form's network is more alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...network.base import NetworkError
from ...network.network import Network
from ..task import Task
from . import FORMS
from .form import Setting
from .form_values import FormValues, built, parts, plain_skip, usual_values, values_of

MOST_PARTS = 20_000
"""Layers, skips and branches of all networks that one search builds: about a second's work."""
FEW = 12
"""Numbers of which all are tried."""
ALMOST = 1 - 1e-9
"""Likeness of networks with the same parts at other places."""
SAID = ("activation", "norm", "order", "init", "init_factor", "dropout", "drop_path", "zero_gamma", "scale", "scale_learned")


class Search:
    """Tries a form's values for one network."""

    def __init__(self, network: Network, task: Task) -> None:
        self.network, self.task, self.left = network, task, MOST_PARTS
        self.wanted = features(network)
        numbers = {value for feature in self.wanted for value in feature if type(value) in (int, float)}
        self.numbers = {int(value) if value == int(value) else value for value in numbers}
        self.alike: dict[FormValues, float] = {}

    def nearest(self, start: FormValues) -> FormValues:
        """Return the values nearest to the network's that are found from `start` on."""
        best, before = start, None
        free = [setting for setting in FORMS[start.family].settings if setting.read is None]
        while best != before and self.left > 0:
            before = best
            for setting in free:
                for one in (best, *self._others(best, setting)):
                    best = max(best, one, key=self.likeness)
                    if self.likeness(best) == 1:
                        return best
        return best

    def start(self, family: str) -> FormValues:
        """Return the values that are read off the network, or nearest to that, and of the others the usual ones."""
        usual, settings = usual_values(family, self.task).settings(), FORMS[family].settings
        values = usual | {setting.name: setting.read(self.network) for setting in settings if setting.read}
        for setting in settings:
            offered = setting.options(values) if callable(setting.options) else ()
            if offered and not isinstance(setting.default, str):
                values[setting.name] = min(offered, key=lambda one: abs(one - values[setting.name]))
            elif not setting.takes(values):
                values[setting.name] = usual[setting.name]
        return values_of(family, values)

    def _others(self, form: FormValues, setting: Setting) -> Iterator[FormValues]:
        """Return the form with each other value of one setting that may be the network's."""
        values = form.settings()
        value, offered = values[setting.name], setting.options(values) if callable(setting.options) else setting.options
        if not isinstance(setting.default, str):
            near = range(int(setting.low), int(setting.high) + 1) if setting.high - setting.low < FEW else (value - 1, value + 1)
            offered = (*offered, *(() if offered else near), *self.numbers)
        for one in dict.fromkeys(offered):
            if one != value and setting.takes({**values, setting.name: one}):
                yield form.changed(**{setting.name: one})

    def likeness(self, form: FormValues) -> float:
        """Return the share of what is said of both networks that is the same: 1 for one structure."""
        if form not in self.alike:
            try:
                made = built(form, self.task) if self.left > 0 else None
            except NetworkError:
                made = None
            self.left -= made.depth + len(made.skips) + len(made.branches) if made else 1
            self.alike[form] = self._shared(made) if made else 0.0
        return self.alike[form]

    def _shared(self, made: Network) -> float:
        if not {layer.op.kind for layer in made.layers} <= {layer.op.kind for layer in self.network.layers}:
            return 0.0
        found = features(made)
        share = 2 * (found & self.wanted).total() / (found.total() + self.wanted.total())
        return min(share, ALMOST) if share < 1 or parts(made) != parts(self.network) else 1.0


def features(network: Network) -> Counter:
    """Return what is said of a network's parts, and how often."""
    found: Counter = Counter()
    for where in ("layers", "branches"):
        for part in getattr(network, where):
            kind = (where, part.op.kind, getattr(part.op, "kernel", ""), part.activation)
            found.update((*kind, name, value) for name, value in vars(part.op).items())
            found.update((name, value) for name, value in vars(part).items() if name in SAID)
    for carried, shape in zip(network.skips, network.shapes.skips, strict=True):
        skip = plain_skip(carried, shape.adapter)
        found.update(("skip", name, value) for name, value in vars(skip).items() if name not in ("id", "source", "target", "via"))
        found["skip", skip.merge, skip.target - skip.source, bool(skip.via)] += 1
    return found
