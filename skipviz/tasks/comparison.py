"""What sets two experiments apart, in plain words. Imports the data model only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..network.activation import ACTIVATIONS
from ..network.base import written
from ..network.edge import Edge
from ..network.init import INITS
from ..network.layer import Layer
from ..network.merge import MERGES
from ..network.network import Network
from ..network.norm import NORMS
from ..network.skip import Skip
from .experiment import Experiment, Training
from .loss import CHOSEN
from .objective import CLASS_WEIGHTS
from .schedule import SCHEDULES
from .task import Task

MOST_NAMED = 3
"""Differences that are named in one clause, the others are counted."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs: `learning rate`, `0.001`, `0.01`."""

    what: str
    left: str
    right: str

    def sentence(self) -> str:
        """Return it in one line: `learning rate 0.001 / 0.01`."""
        return f"{self.what} {self.left} / {self.right}"


def differences(left: Experiment, right: Experiment, names: tuple[str, str] | None = None) -> list[Difference]:
    """Return all that differs between two experiments, of the variants `names` (by default the first ones).

    Task first, then training, then the network: layers, skips, parameters.
    """
    first, second = names or (next(iter(left.variants)), next(iter(right.variants)))
    networks = left.variants[first], right.variants[second]
    return [
        *_task(left.task, right.task),
        *(() if left.scripted or right.scripted else _training(left.training, right.training)),
        *network_differences(*networks, same_task=left.task == right.task),
    ]


def summary(found: Sequence[Difference]) -> str:
    """Return the differences as one line, or the sentence that there are none."""
    if not found:
        return "The same experiment: equal networks, task, training and seed."
    return " · ".join(difference.sentence() for difference in found)


def apart_words(first: Network, other: Network) -> str:
    """Return in a clause how `other` differs from `first`: `11 skips off, the same weights elsewhere`, `layers 24 → 8`."""
    found = network_differences(first, other)
    if not found:
        return "the same network"
    words = [_changed(one) for one in found if one.what != "parameters" or len(found) == 1]
    named, more = words[:MOST_NAMED], len(words) - MOST_NAMED
    listed = ", ".join(named) + (f" and {more} more" if more > 0 else "")
    return listed + ("; the same weights elsewhere" if _starts_equal(first, other) else "")


def _changed(one: Difference) -> str:
    """Return a difference as what is so in the second: `the 11 skips are off`, `layers 8 instead of 24`."""
    if one.right in ("on", "off") and "skip" in one.what:
        subject = one.what.replace("all ", "the ")
        return f"{subject} {'are' if 'skips' in subject else 'is'} {one.right}"
    return f"{one.what} {one.right} instead of {one.left}"


def _starts_equal(first: Network, other: Network) -> bool:
    """Return whether equal seeds give all boxes equal weights: they go by a box's id, its init and its shapes."""
    sides = [
        [(box.id, box.op, box.init, box.init_factor, box.shares, shape.parameters) for box, shape in zip(*pair, strict=True)]
        for one in (first, other)
        for pair in [((*one.layers, *one.branches), (*one.shapes.layers, *one.shapes.branches))]
    ]
    return sides[0] == sides[1] and first.head == other.head


def _compared(left, right, words: Iterable[tuple[str, Callable[[object], str]]]) -> list[Difference]:
    """Return a difference for each of `words` (a name, and how a side says it) in which the sides differ."""
    pairs = [(what, say(left), say(right)) for what, say in words]
    return [Difference(what, first, second) for what, first, second in pairs if first != second]


def _task(left: Task, right: Task) -> list[Difference]:
    if left.name != right.name:
        return [Difference("task", left.kind.title.lower(), right.kind.title.lower())]
    words = [
        ("target", lambda task: task.own.target if task.own else ""),
        ("data of one's own", lambda task: f"{task.own.file} ({task.own.digest[:6]})" if task.own else ""),
        ("noise", lambda task: f"{task.noise_level():g}"),
        ("samples", lambda task: f"{task.sample_count():,}"),
        ("image size", lambda task: str(task.image_size) if "image_size" in task.kind.settings else ""),
        ("overlap of shapes", lambda task: _switch(task.overlap) if "overlap" in task.kind.settings else ""),
        ("rule", lambda task: task.rule if "rule" in task.kind.settings else ""),
        ("tokens", lambda task: str(task.tokens())),
        ("different tokens", lambda task: str(task.token_count())),
        ("seed of the data", lambda task: str(task.seed)),
    ]
    return _compared(left, right, words)


def _training(left: Training, right: Training) -> list[Difference]:
    words = [
        ("optimizer", lambda training: training.optimizer),
        ("loss", lambda training: CHOSEN[training.loss]),
        ("class weights", lambda training: CLASS_WEIGHTS[training.class_weights]),
        ("label smoothing", lambda training: f"{training.label_smoothing:g}"),
        ("learning rate", lambda training: f"{training.learning_rate:g}"),
        ("schedule", lambda training: SCHEDULES[training.schedule]),
        ("warm-up", lambda training: f"{training.warmup_steps:,} steps" if training.warmup_steps else "none"),
        ("gradient's norm", lambda training: _threshold(training.clip_norm)),
        ("gradient's elements", lambda training: _threshold(training.clip_value)),
        ("momentum", lambda training: f"{training.momentum:g}"),
        ("batch", lambda training: str(training.batch_size)),
        ("batches a step", lambda training: str(training.accumulation)),
        ("precision", lambda training: training.precision),
        ("weight decay", lambda training: f"{training.weight_decay:g}"),
        ("steps", lambda training: f"{training.steps:,}"),
        ("seed", lambda training: str(training.seed)),
        ("seeds", lambda training: str(training.seeds)),
        ("device", lambda training: training.device),
    ]
    return _compared(left, right, words)


def _threshold(value: float | None) -> str:
    return "not clipped" if value is None else f"clipped at {value:g}"


def network_differences(left: Network, right: Network, same_task: bool = True) -> list[Difference]:
    """Return what differs between two networks: layers, skips, input and head if they learn one task, parameters."""
    if left == right:
        return []
    found = [Difference("layers", str(left.depth), str(right.depth))] if left.depth != right.depth else []
    found += _layers(left, right)
    found += _skips(left, right)
    found += _compared(left, right, [("boxes of branches", lambda network: str(len(network.branches)))])
    if len(left.branches) == len(right.branches):
        pairs = list(zip(left.branches, right.branches, strict=True))
        found += _part_by_part(pairs, _layer_words(), lambda index: pairs[index][1].id, "boxes of branches")
        found += _edges(left, right) if len(left.edges) == len(right.edges) else []
    if same_task:
        ends = [("input", lambda network: written(network.input)), ("head", lambda network: f"{network.head.kind}")]
        found += _compared(left, right, ends)
    return found + _compared(left, right, [("parameters", lambda network: f"{network.parameter_count():,}")])


def _layer_words() -> list[tuple[str, Callable[[Layer], str]]]:
    return [
        ("operation", lambda layer: layer.op.label()),
        ("activation", lambda layer: _word(ACTIVATIONS, layer.activation)),
        ("norm", lambda layer: _word(NORMS, layer.norm)),
        ("order", lambda layer: layer.order.replace("-", " – ")),
        ("init", lambda layer: _word(INITS, layer.init) + (f" ×{layer.init_factor:g}" if layer.init_factor != 1 else "")),
        ("dropout", lambda layer: f"{layer.dropout:g}"),
        ("drop-path", lambda layer: f"{layer.drop_path:g}"),
        ("zero γ", lambda layer: _switch(layer.zero_gamma)),
        ("branch scale", _branch_scale),
        ("switch", lambda layer: _switch(layer.on)),
        ("gradient gain", lambda layer: f"{layer.gain:g}"),
    ]


def _word(kinds: dict, name: str) -> str:
    """Return a kind as a person writes it; `none` is of no kind."""
    return kinds[name].words if name in kinds else name


def _branch_scale(layer: Layer) -> str:
    if layer.scale is None:
        return "none"
    return f"{layer.scale:g}" + " learned" * layer.scale_learned + " a channel" * (layer.scale_per == "channel")


def _layers(left: Network, right: Network) -> list[Difference]:
    """Compare layer by layer where there are equally many, else what is usual on either side."""
    if left.depth != right.depth:
        return _compared(left, right, [(what, _usual(say)) for what, say in _layer_words()])
    return _part_by_part(
        list(zip(left.layers, right.layers, strict=True)), _layer_words(), lambda index: f"f({index + 1})", "layers"
    )


def _usual(say: Callable[[Layer], str]) -> Callable[[Network], str]:
    """Return what most of a network's layers that have weights say: pools and ReLUs after sums are no architecture's mark."""
    return lambda network: Counter(map(say, network.weighted or network.layers)).most_common(1)[0][0]


def _skips(left: Network, right: Network) -> list[Difference]:
    sides = left.skips, right.skips
    if left.depth != right.depth:
        return _compared(*sides, [("skips", _counts), ("skips that are on", _on)])
    ends = [
        {(skip.source, skip.target, skip.via): (skip, shape.label() or "identity") for skip, shape in zip(*parts, strict=True)}
        for parts in ((network.skips, network.shapes.skips) for network in (left, right))
    ]
    both = [pair for pair in ends[0] if pair in ends[1]]
    alone = [[skip for pair, (skip, _) in side.items() if pair not in ends[1 - index]] for index, side in enumerate(ends)]
    words = [
        ("", lambda part: _switch(part[0].in_force)),
        ("merge", lambda part: part[0].merge + MERGES[part[0].merge].label(part[0])),
        *_live_words(),
    ]
    pairs = [(ends[0][pair], ends[1][pair]) for pair in both]
    found = [Difference("skips" if not all(sides) else "further skips", *map(_named, alone))] if any(alone) else []
    return found + _part_by_part(pairs, words, lambda index: "skip {}→{}".format(*both[index][:2]), "skips")


def _edges(left: Network, right: Network) -> list[Difference]:
    """Compare edges of branches, which are there in equal numbers, one by one."""
    sides = [list(zip(one.edges, one.shapes.edges, strict=True)) for one in (left, right)]
    pairs = [
        ((a, first.label() or "identity"), (b, second.label() or "identity"))
        for (a, first), (b, second) in zip(*sides, strict=True)
    ]
    words = [("", lambda part: _switch(part[0].in_force)), ("leads", _ends), *_live_words()]
    return _part_by_part(pairs, words, lambda index: f"edge {_ends(pairs[index][0])}", "edges of branches")


def _ends(part: tuple[Edge, str]) -> str:
    return f"{part[0].source} → {part[0].target}"


def _live_words() -> list[tuple[str, Callable[[tuple], str]]]:
    """Return what is said of a skip or an edge with its adapter's words."""
    return [
        ("strength", lambda part: _strength(part[0]) + ", softmax" * part[0].softmax),
        ("gradient gain", lambda part: f"{part[0].gain:g}"),
        ("adapter", lambda part: part[1]),
    ]


def _strength(part: Skip | Edge) -> str:
    return f"{part.strength:g}" + (f", learned at ×{part.rate:g}" if part.learned else "")


def _named(skips: Sequence[Skip]) -> str:
    return f"{skips[0].source}→{skips[0].target}" if len(skips) == 1 else _counts(skips)


def _counts(skips: Sequence[Skip]) -> str:
    """Return how many skips of each kind there are: `12 add`."""
    return ", ".join(f"{count} {merge}" for merge, count in Counter(skip.merge for skip in skips).items()) or "none"


def _on(skips: Sequence[Skip]) -> str:
    on = sum(skip.in_force for skip in skips)
    return "all" if on == len(skips) else "none" if on == 0 else f"{on} of {len(skips)}"


def _part_by_part(pairs: Sequence[tuple], words, name: Callable[[int], str], parts: str) -> list[Difference]:
    """Return for each of `words` one difference over all parts in which the sides differ."""
    found = []
    for what, say in words:
        apart = [(index, say(left), say(right)) for index, (left, right) in enumerate(pairs) if say(left) != say(right)]
        if not apart:
            continue
        sides = [{values[side] for values in apart} for side in (1, 2)]
        left, right = (_several(side, min(map(len, sides)) > 1) for side in sides)
        if left == right:
            left, right = (f"{value} first" for value in apart[0][1:])
        where = name(apart[0][0]) if len(apart) == 1 else f"{len(apart)} {parts}"
        if len(apart) == len(pairs) > 1:
            where = "" if what else f"all {where}"
        found.append(Difference(" of ".join(filter(None, (what, where))), left, right))
    return found


def _several(values: set[str], named: bool) -> str:
    """Return the one of `values`, or that they are several: `named`, where the other side has several, too."""
    first, *others = sorted(values)
    if not others:
        return first
    return f"{first} and {others[0] if len(others) == 1 else f'{len(others)} others'}" if named else "mixed"


def _switch(on: bool) -> str:
    return "on" if on else "off"
