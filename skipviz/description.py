"""An experiment in words and tables for a terminal. Imports the data model only."""

from __future__ import annotations

from itertools import accumulate
from math import floor, log10

from .network.base import written
from .network.branch import INPUT, arriving_at
from .network.edge import Edge
from .network.network import Network
from .network.paths import path_counts
from .tasks.cautions import cautions
from .tasks.experiment import Experiment
from .tasks.training_words import training_words


def described(experiment: Experiment) -> str:
    """Return the experiment as text: task, training, and each variant's layers and skips with shapes and exact counts."""
    blocks = [_task(experiment)]
    blocks += [network_described(experiment.label(name), network) for name, network in experiment.variants.items()]
    blocks += ["\n".join(said)] if (said := cautions(experiment)) else []
    return "\n\n".join(blocks)


def network_described(name: str, network: Network) -> str:
    """Return one network's table of layers, table of skips and totals."""
    shapes = network.shapes
    switched = sum(not skip.in_force for skip in network.skips)
    title = f"{name}: {_counted(network.depth, 'layer')}, {_counted(len(network.skips), 'skip')}"
    title += f" ({switched} off)" if switched else ""
    lines = [
        f"{title}, {shapes.parameters:,} parameters",
        *_table(("", "id", "layer", "in", "out", "parameters"), _layers(network)),
    ]
    if network.skips:
        lines += ["", *_table(("skip", "id", "merge", "strength", "adapter", "carries", "parameters"), _skips(network))]
    if network.branches:
        lines += ["", *_table(("branch", "reads", "layer", "in", "out", "parameters"), _branches(network))]
    if network.groups:
        rows = [(group.name, group.nodes[0], group.nodes[-1], f"{len(group.nodes)}") for group in network.groups]
        lines += ["", *_table(("group", "first", "last", "boxes"), rows)]
    counts = [sum(part.parameters for part in parts) for parts in (shapes.layers, shapes.skips, (*shapes.branches, *shapes.edges))]
    beside = f"branches {counts[2]:,} + " if network.branches else ""
    sums = f"layers {counts[0]:,} + skips {counts[1]:,} + {beside}head {shapes.head_parameters:,}"
    lines += ["", f"parameters: {sums} = {shapes.parameters:,}"]
    lines += [paths] if (paths := _paths(network)) else []
    return "\n".join(lines)


def _paths(network: Network) -> str:
    """Return how many ways lead from input to output and how long they are, or nothing where there is but one.

    A network with skips behaves like an ensemble of its paths, most of which are short (Veit et al. 2016).
    """
    counts = path_counts(network)
    total, lengths = sum(counts), [length for length, count in enumerate(counts) if count]
    if total < 2:
        return ""
    median = next(length for length, so_far in enumerate(accumulate(counts)) if 2 * so_far >= total)
    many = f"{total:,}" if total < COUNTED_OUT else f"about 10^{floor(log10(total))}"
    return (
        f"paths: {many} from input to output, through {lengths[0]} to {lengths[-1]} layers, half of them through at most {median}"
    )


COUNTED_OUT = 10**9
"""Paths from which only their order of magnitude is written."""


def _task(experiment: Experiment) -> str:
    task, training = experiment.task, experiment.training
    return (
        f"{task.kind.title}: {task.sentence()}; {task.sample_count():,} samples of {written(task.sample_shape())}, "
        f"a fifth held out, noise {task.noise_level():g}\n"
        f"{training.optimizer}, learning rate {training.learning_rate:g}, batch {training.batch_size}, "
        f"weight decay {training.weight_decay:g}, {training.steps:,} steps, seed {training.seed}"
        + "".join(f", {words}" for words in training_words(training))
    )


def _layers(network: Network) -> list[tuple[str, ...]]:
    rows = [("h(0)", "", "input", "", written(network.input), "")]
    for k, (layer, shape) in enumerate(zip(network.layers, network.shapes.layers, strict=True), start=1):
        rows.append((f"f({k})", layer.id, layer.words(), written(shape.input), written(shape.output), f"{shape.parameters:,}"))
    shapes = network.shapes
    head = f"head, {network.head.kind}"
    rows.append(("", "", head, written(shapes.head_input), written(shapes.output), f"{shapes.head_parameters:,}"))
    return rows


def _skips(network: Network) -> list[tuple[str, ...]]:
    rows = []
    for skip, shape in zip(network.skips, network.shapes.skips, strict=True):
        strength = (
            f"{skip.strength:g}" + (f", learned at ×{skip.rate:g}" if skip.learned else "") + ", softmax" * skip.softmax
            if skip.on
            else "off"
        )
        adapter = shape.label() or "–"
        ends = f"{skip.source} → {skip.target}" + f" by {skip.via}" * bool(skip.via)
        rows.append((ends, skip.id, skip.merge, strength, adapter, written(shape.carried), f"{shape.parameters:,}"))
    return rows


def _branches(network: Network) -> list[tuple[str, ...]]:
    rows, names = [], {INPUT: "h(0)", **{layer.id: f"h({k})" for k, layer in enumerate(network.layers, start=1)}}
    arriving = arriving_at(network)
    for node, shape in zip(network.branches, network.shapes.branches, strict=True):
        reads = ", ".join(names.get(edge.source, edge.source) + _unusual(edge) for edge in arriving[node.id])
        words = node.words()
        sizes = " and ".join(map(written, shape.inputs)), written(shape.output)
        rows.append((node.id, reads, words, *sizes, f"{shape.parameters:,}"))
    return rows


def _unusual(edge: Edge) -> str:
    """Return what is unusual of an edge of a branch, in brackets."""
    strength = f"×{edge.strength:g}" if edge.strength != 1 or edge.learned else ""
    found = [strength + ", learned" * edge.learned, f"gradient ×{edge.gain:g}" if edge.gain != 1 else "", "off" * (not edge.on)]
    return f" ({', '.join(filter(None, found))})" if any(found) else ""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table; the last column, numbers, is flush right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append("  " + "  ".join([*cells, row[-1].rjust(widths[-1])]).rstrip())
    return lines


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
