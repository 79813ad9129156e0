"""A run's frames as one table, for notebooks and spreadsheets. Imports pandas inside functions, never torch.

One row a step, variant and part of the network; one column a quantity, empty where a part has no such quantity:

    step, seconds, variant, part, index, id, marks, then the quantities

    part     index        quantities (L2 norms; see `skipviz.learning.frame`)
    network  0            loss, metric, held_out, held_out_loss (of one's own module), balanced_accuracy, head_grad,
                          total_grad (before clipping), learning_rate
    layer    k = 1..n     weight_grad, weight_grad_mean, trunk_grad, update_ratio, scale_grad, ghost
    state    k = 0..n     state_grad, state_grad_mean, state_rms, state_max, state_zeros, state_dead, ghost_state
    skip     1..skips     skip_grad, skip_weight_grad, gate_opening (0..1), strength and share (0..1) of learned ones
    class    0..classes-1 recall, where an accuracy of held-out samples was taken
    branch   1..nodes     branch_grad, branch_grad_mean, branch_state_grad, ghost_branch: of the boxes beside the trunk
    edge     1..edges     edge_grad, edge_weight_grad: of the edges that lead into them
    mixing   0..          mixing: the n × n matrices of the skips of streams, one after the other, row by row, where there are some

Of several seeds every number is the median over those that have not diverged, which `members` of the network's row counts, and what
plots draw has two further columns, of its 10 % and 90 % quantiles: `loss_low`, `loss_high`, …

The two means are of magnitudes: of a layer's weights without biases, and of a state's elements and the batch's. `state_zeros` and
`state_dead` are shares: of a state's elements that are exactly 0, and of its features or channels that are so for the whole batch.

`id` is the stable id of a layer, skip, box or edge and empty for the others. `marks` says what an empty field or a 0 is, and what
is no gradient but rounding, as `weight_grad:underflow` (see `skipviz.learning.marks`) or `state_rms:nonfinite`, between spaces; the
network's row names the first layer whose output is not finite, as `first_broken:f37`.
`pandas.read_csv(url)` and `pandas.read_parquet(url)` read a run straight from its address:
`rows.query("part == 'layer'").pivot(index="step", columns="id", values="weight_grad")`.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..learning.frame import BANDED, Frame
from ..learning.frame_text import MARKS
from ..network.merge import MERGES
from ..tasks.experiment import Experiment

if TYPE_CHECKING:
    import numpy
    import pandas

QUANTITIES = {
    "network": ("loss", "metric", "held_out", "held_out_loss", "balanced_accuracy", "head_grad", "total_grad", "learning_rate"),
    "layer": ("weight_grad", "weight_grad_mean", "trunk_grad", "update_ratio", "scale_grad", "ghost"),
    "state": ("state_grad", "state_grad_mean", "state_rms", "state_max", "state_zeros", "state_dead", "ghost_state"),
    "skip": ("skip_grad", "skip_weight_grad", "gate_opening", "strength", "share"),
    "class": ("recall",),
}
BESIDE = {
    "branch": ("branch_grad", "branch_grad_mean", "branch_state_grad", "ghost_branch"),
    "edge": ("edge_grad", "edge_weight_grad", "edge_strength"),
}
"""Of a network with branches, too."""
MIXED = {"mixing": ("mixing",)}
"""Of a network whose streams mix."""
EXACT = {"learning_rate", "held_out_loss", "balanced_accuracy", "recall", "state_zeros", "state_dead"}
"""What is no float32 number that was measured."""
IDENTIFIED = ("layer", "skip", "branch", "edge")
KEYS = ("step", "seconds", "variant", "part", "index", "id", "marks")


def table(experiment: Experiment | dict, frames: Iterable[Frame | dict]) -> pandas.DataFrame:
    """Return the table of the frames (or their JSON data) of a run of `experiment` (or its JSON data)."""
    import pandas

    experiment = experiment if isinstance(experiment, Experiment) else Experiment.kept(experiment)
    ids = {
        (name, part): [item.id for item in items]
        for name, network in experiment.variants.items()
        for part, items in zip(IDENTIFIED, (network.layers, network.skips, network.branches, network.edges), strict=True)
    }
    networks = experiment.variants.values()
    quantities = QUANTITIES | (BESIDE if any(network.branches for network in networks) else {})
    quantities |= MIXED if any(MERGES[skip.merge].mixes for network in networks for skip in network.skips) else {}
    if experiment.training.seeds > 1:
        quantities = {part: _with_ends(names) for part, names in quantities.items()}
    data = (frame if isinstance(frame, dict) else frame.to_data() for frame in frames)
    latest = {frame["step"]: frame for frame in data}
    columns: dict[str, list] = {name: [] for name in (*KEYS, *(name for names in quantities.values() for name in names))}
    for frame in latest.values():
        for variant, values in frame["variants"].items():
            values = {**values, **_ends(values.get("bands", {}))}
            for part, names in quantities.items():
                _add_rows(columns, frame, experiment.label(variant), part, names, values, ids.get((variant, part), ()))
    floats = {name: "float64" for names in quantities.values() for name in names}
    rows = pandas.DataFrame(columns).astype({**floats, "step": "int64", "index": "int64", "seconds": "float64"})
    for name in floats.keys() - EXACT if experiment.training.seeds == 1 else ():
        rows[name] = measured_exactly(rows[name].to_numpy())
    return rows.astype(dict.fromkeys(("variant", "part", "id", "marks"), "category"))


def _with_ends(names: Sequence[str]) -> tuple[str, ...]:
    """Return a part's quantities with the ends of their bands behind them, and the count of members before the network's."""
    counted = ("members",) if "loss" in names else ()
    return (*counted, *names, *(f"{name}_{end}" for name in names if name in BANDED for end in ("low", "high")))


def _ends(bands: dict) -> dict:
    return {f"{name}_{end}": value for name, band in bands.items() for end, value in zip(("low", "high"), band, strict=True)}


def measured_exactly(values: numpy.ndarray) -> numpy.ndarray:
    """Return each number as the float32 number that was measured, of which a frame's text has nine digits; still as float64.

    What no float32 holds to all its digits stays: norms of what underflowed, or of very large numbers.
    """
    import numpy

    with numpy.errstate(over="ignore", under="ignore"):
        single = values.astype(numpy.float32).astype(numpy.float64)
    limits, size = numpy.finfo(numpy.float32), numpy.abs(values)
    return numpy.where((size >= limits.tiny) & (size <= limits.max), single, values)


def _add_rows(columns: dict[str, list], frame: dict, variant: str, part: str, names: Sequence[str], values: dict, ids) -> None:
    series = {name: values.get(name) for name in names}
    if part == "network":
        series = {name: [value] for name, value in series.items()}
    count = max((len(numbers) for numbers in series.values() if numbers), default=0)
    first = 1 if part in IDENTIFIED else 0
    marks = _marks(part, names, values, ids, count)
    for name, numbers in columns.items():
        if name in series:
            given = series[name] or []
            numbers.extend(given)
            numbers.extend([None] * (count - len(given)))
        elif name == "index":
            numbers.extend(range(first, first + count))
        elif name == "id":
            numbers.extend(ids[:count] if len(ids) >= count else [""] * count)
        elif name == "marks":
            numbers.extend(marks)
        elif name in ("step", "seconds"):
            numbers.extend([frame.get(name)] * count)
        else:
            numbers.extend([{"variant": variant, "part": part}.get(name)] * count)


def _marks(part: str, names: Sequence[str], values: dict, ids, count: int) -> list[str]:
    """Return the marks of every row of a part, one word a quantity, nearly always empty."""
    if not any(values.get(name) for name in (*MARKS, "nonfinite", "first_broken")):
        return [""] * count
    words: list[list[str]] = [[] for _ in range(count)]
    for field in names:
        for mark in MARKS:
            for index in values.get(mark, {}).get(field, ()):
                words[index].append(f"{field}:{mark}")
    rows = {"network": ["head"], "state": [f"h{k}" for k in range(count)]}.get(part, ids)
    for name in values.get("nonfinite", ()):
        field, _, where = name.partition(":")
        if field in names:
            words[rows.index(where) if where in rows else 0].append(f"{field}:nonfinite")
    if part == "network" and "first_broken" in values:
        words[0].append(f"first_broken:{values['first_broken']}")
    return [" ".join(found) for found in words]


def to_csv(rows: pandas.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8; by pyarrow, which writes numbers ten times faster than pandas.

    Names of variants, parts and ids hold nothing that asks for quotation marks.
    """
    import pyarrow
    from pyarrow import csv

    buffer = io.BytesIO()
    buffer.write((",".join(rows.columns) + "\n").encode())
    bare = csv.WriteOptions(include_header=False, quoting_style="none")
    csv.write_csv(pyarrow.Table.from_pandas(rows, preserve_index=False), buffer, bare)
    return buffer.getvalue()


def to_parquet(rows: pandas.DataFrame) -> bytes:
    """Return a table as a Parquet file's bytes."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def main(suffix: str) -> None:
    """Read an experiment's JSON and a frame's in each further line, and write their table as a file: for a process of its own.

    It gives way to every other, as nobody waits for it but who asked.
    """
    os.nice(10)
    experiment, *frames = sys.stdin.buffer.read().split(b"\n")
    rows = table(json.loads(experiment), map(json.loads, frames))
    sys.stdout.buffer.write({"csv": to_csv, "parquet": to_parquet}[suffix](rows))


if __name__ == "__main__":
    main(sys.argv[1])
