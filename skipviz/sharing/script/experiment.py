"""An experiment as a stand-alone PyTorch script: the same network, weights, batches and updates, hence the same losses.

Pure text from the experiment and, for a recorded run, its events. Imports no torch and no numpy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...network.network import Network
from ...tasks.change import CHANGES
from ...tasks.event import Event, SkipEvent, applied
from ...tasks.experiment import Experiment, Training
from ...tasks.metric import METRICS
from ...tasks.task import Task
from ...tasks.text import whole
from ...version import __version__
from .data import data_source
from .lines import broken
from .live import Live, literal, words
from .loss import Objective, objective_source
from .network import NetworkWriter, class_name
from .parts import PARTS, helpers
from .source import Sources
from .training import changes_rate, indented, learns_strengths, outputs_source, pass_source, rate_source, updater

if TYPE_CHECKING:
    from ...tasks.uploads import Uploads
    from .own import OwnSource

IMPORTS = """import math
from hashlib import blake2b

import torch
from torch import nn
from torch.nn import functional as F
"""

OWN_CLASSES = (
    *PARTS, "Batches", "Gain", "Path", "Updater",
    "BATCH", "BytesIO", "DIGEST", "F", "FILE", "ITERATIONS", "Image", "ImageOps", "KEPT", "MISSING", "NAME", "OTHER", "SCALE",
    "SEED", "STEPS", "TEXT", "False", "None", "True",
)  # fmt: skip
"""Names that a network's class cannot have: of a script's own classes and constants, and of Python's."""

HELD_OUT_SAMPLES = 512
"""Held-out samples that the metric is taken of."""

HEAD = '''"""{title}

Written by skipviz {version}. It needs torch (written for 2.13) and numpy{needs}. Nothing of
skipviz is imported: network, first weights, batches and updates are written out and the very same, so that on one machine
the losses are the same numbers. Run it with `python {file}`{given}.

f_k is a layer, h_k the state after it and after what lands there; a skip carries an earlier h past the layers between.
"""

'''

TRAIN = '''
def train():
    """Train; yield (step, losses by name, held-out {metric_words} by name, on the last step only)."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    x, y, held_x, held_y = map(torch.from_numpy, data())
    held_x, held_y = held_x[:{held}], held_y[:{held}]
    models = {{{models}}}
    updaters = {{name: Updater(model) for name, model in models.items()}}
    living = dict(models)  # those that have not diverged
    batches = Batches(len(x), BATCH, SEED)
{before}    for step in range(STEPS):
{events}{rates}{pass_}            if not math.isfinite(losses[name]):  # diverged: the others go on
                del living[name]
                continue
            if step == STEPS - 1:
                held_out[name] = {metric}(evaluated(model, held_x), held_y)
            updaters[name].step({stepped})
        yield step, losses, held_out
        if not living:
            return


@torch.no_grad()
def evaluated(model, x):
    """Return the outputs with the running norm statistics."""
    model.eval()
    {evaluate}
    model.train()
    return outputs


def main():
    for step, losses, held_out in train():
        if step % {interval} == 0 or held_out:
            print(step, *(f"{{name}} {{loss:.9g}}" for name, loss in losses.items()), sep="\\t", flush=True)
        for name, value in held_out.items():
            print(f"{{name}}: held-out {metric_words} {{value:.4f}}")
'''
RATES = """        for updater in updaters.values():
            for group in updater.optimizer.param_groups:
                group["lr"] = rate(step, peak)
"""
MAIN = '\n\nif __name__ == "__main__":\n    main()\n'


class ScriptError(ValueError):
    """An experiment that no script can hold; one sentence."""


def script(
    experiment: Experiment, events: Iterable[Event] = (), file: str = "experiment.py", uploads: Uploads | None = None
) -> str:
    """Return the script that trains `experiment`; `events` act before the step they name, as in `skipviz.train`.

    Of one's own data it holds how the file is read, not the data: what was read of it is looked up in `uploads`. Raises
    `NetworkError` where an event cannot act, `UploadError` where the data is not here, `ScriptError` without `uploads`, and
    of somebody's own module.
    """
    if experiment.task.watched:
        raise ScriptError("no script can be written of somebody's own module: its recording holds no code")
    sources, of_data = Sources(), Sources()
    own = _own(experiment.task, uploads, of_data)
    events = sorted(events, key=lambda event: event.step or 0)
    phases, steps = _phases(experiment, events)
    task, needs = experiment.task, set()
    lives = {name: Live([phase.variants[name] for phase in phases]) for name in experiment.variants}
    sources.add("skipviz.learning.batches:Batches")
    objective, rates = objective_source(experiment, sources), rate_source(experiment.training, sources, _lengthens(phases))
    updates = updater(phases, sources)
    data = own.body if own else data_source(task, of_data)
    if not task.kind.holds_out:
        of_data.add("skipviz.tasks.split:split")
    own_norms, taken = experiment.training.batch_size == 1, {*OWN_CLASSES, *sources.parts, *of_data.parts}
    classes = {name: class_name(experiment.label(name), taken) for name in lives}
    writers = {name: NetworkWriter(live, needs, own_norms, task.sample_shape()) for name, live in lives.items()}
    networks = [writer.written(classes[name], _about(experiment, name)) for name, writer in writers.items()]
    body = "\n".join(
        [
            helpers(needs, sources),
            *(f"\n{text}" for text in networks),
            f"{data}\n\n{of_data.text()}\n",
            updates + rates,
            _train_source(experiment, phases, steps, events, classes, writers, bool({"Dropout", "DropPath"} & needs), objective),
        ]
    )
    text = f'\n\nTEXT = r"""\n{whole()}\n"""\n' if "TEXT" in data else ""
    return _head(phases[-1], file, body, own, of_data.imports | sources.imports) + broken(body) + text + MAIN


def _own(task: Task, uploads: Uploads | None, sources: Sources) -> OwnSource | None:
    """Return what is written of one's own data, None where it is not of one's own."""
    if task.own is None:
        return None
    if uploads is None:
        raise ScriptError(f"a script is written from what was read of {task.own.file}, and that is not at hand")
    from .own import own_source

    return own_source(task, uploads, sources)


def network_source(network: Network, seed: int = 0, own_norms: bool = False) -> str:
    """Return the source of one network alone, as the class `Network`, with all it needs."""
    needs: set[str] = set()
    source = NetworkWriter(Live([network]), needs, own_norms, tuple(network.input)).written("Network", "One network.")
    return f"{IMPORTS}\n\nSEED = {seed}\n\n{helpers(needs, Sources())}\n\n{broken(source)}"


def _phases(experiment: Experiment, events: list[Event]) -> tuple[list[Experiment], list[int]]:
    """Return the experiment as it stands from the start and from each step at which events act, and those steps."""
    phases, steps = [experiment], []
    for event in events:
        step = event.step or 0
        after = applied(phases[-1], event)
        if steps and steps[-1] == step:
            phases[-1] = after
        else:
            phases.append(after)
            steps.append(step)
    return phases, steps


def _about(experiment: Experiment, name: str) -> str:
    network = experiment.variants[name]
    count, off = len(network.skips), sum(not skip.in_force for skip in network.skips)
    skips = f"{count or 'no'} skip{'' if count == 1 else 's'}" + (f" ({off} of them off)" if off else "")
    return f"{experiment.label(name)}: {network.depth} layers, {skips}, {network.parameter_count():,} parameters."


def _head(experiment: Experiment, file: str, body: str, own: OwnSource | None, imports: set[str]) -> str:
    task, training = experiment.task, experiment.training
    names = ", ".join(map(experiment.label, experiment.variants))
    title = f"{names} on {task.kind.title}: {training.steps:,} steps of {training.optimizer}."
    if training.seeds > 1:
        title += f"\n\nThe experiment trains {training.seeds} seeds, this script the first; SEED + 1, SEED + 2, … give the others."
    head = HEAD.format(
        title=title, version=__version__, file=file, needs=own.needs if own else task.kind.needs, given=own.given if own else ""
    )
    standard = {"import math", "from hashlib import blake2b", *imports}
    if own:
        standard = {*standard, *own.imports, "from hashlib import blake2b, sha256"} - {"from hashlib import blake2b"}
    if "groupby(" in body:
        standard.add("from itertools import groupby")
    pillow = ["from PIL import Image, ImageOps"] if "ImageOps." in body else []
    others = ["import numpy as np", "import torch", *pillow, "from torch import nn"]
    if "F." in body:
        others.append("from torch.nn import functional as F")
    constants = [
        *(own.constants if own else ()),
        f"SEED = {training.seed}  # of first weights and batches",
        f"STEPS = {training.steps}",
        f"BATCH = {training.batch_size}",
        *([f"ACCUMULATION = {training.accumulation}  # batches a step"] if training.accumulation > 1 else []),
    ]
    return head + "\n".join([*sorted(standard, key=_import_order), "", *others, "", *constants]) + "\n\n"


def _import_order(line: str) -> tuple[bool, str]:
    """Return the place of a line among imports: modules first, then names of modules."""
    return line.startswith("from"), line


def _train_source(
    experiment: Experiment,
    phases,
    steps,
    events,
    classes: dict[str, str],
    writers: dict[str, NetworkWriter],
    drops: bool,
    objective: Objective,
) -> str:
    task, scheduled, lengthens = experiment.task, changes_rate(experiment.training), _lengthens(phases)
    peak = f"    peak = {experiment.training.learning_rate!r}  # of the learning rate\n"
    if lengthens:
        peak += f"    steps = {experiment.training.steps}  # over which the learning rate is scheduled\n"
    return TRAIN.format(
        metric_words=METRICS[task.kind.metric].meaning,
        held=HELD_OUT_SAMPLES,
        models=", ".join(f"{literal(experiment.label(name))}: {made}()" for name, made in classes.items()),
        before=objective.weights + (peak if scheduled else ""),
        events=_events_source(phases, steps, writers, events),
        rates=_rates_source(phases[0], lengthens) if scheduled else "",
        pass_=pass_source(experiment.training, objective.loss, drops),
        stepped="" if experiment.training.accumulation > 1 else "loss",
        evaluate=indented(outputs_source(experiment.training, "x"), 4).strip(),
        metric=objective.metric,
        interval=experiment.training.record_interval(),
    )


def _lengthens(phases: list[Experiment]) -> bool:
    """Return whether an event changes how many steps there are in all."""
    return len({phase.training.steps for phase in phases}) > 1


def _rates_source(experiment: Experiment, lengthens: bool) -> str:
    """Return the lines that set the learning rate of a step."""
    source = RATES.replace("peak)", "peak, steps)") if lengthens else RATES
    return source.replace("peak)", 'peak) * group["rate"]') if learns_strengths(experiment.variants.values()) else source


def _events_source(phases: list[Experiment], steps: list[int], writers: dict[str, NetworkWriter], events: list[Event]) -> str:
    lines, rated = [], learns_strengths(phases[0].variants.values())
    for phase, step in enumerate(steps, start=1):
        acts = []
        for name, writer in writers.items():
            model = f"models[{literal(phases[0].label(name))}]"
            for table, values in writer.live.updates(phase).items():
                acts += [f"{model}.{table}.update({_update_text(part)})" for part in _by_value(values)]
            acts += _learned_acts(name, model, writer, [event for event in events if (event.step or 0) == step])
        acts += _training_acts(phases[phase - 1].training, phases[phase].training, rated)
        if acts:
            lines += [f"        if step == {step}:", *(f"            {act}" for act in acts)]
    return "".join(f"{line}\n" for line in lines)


def _learned_acts(name: str, model: str, writer: NetworkWriter, events: list[Event]) -> list[str]:
    """Return the lines that give learned strengths of the network `name`, in the script `model`, other values."""
    acts, there = [], {edge.id for edge in (*writer.network.skips, *writer.network.edges)}
    for event in events:
        if not isinstance(event, SkipEvent) or event.strength is None or event.variant not in (None, name):
            continue
        if not set(event.ids) <= there:
            continue
        learned = [one for one in event.ids if one in writer.live.learned]
        acts += [f"{model}.{writer.strength_of(one)}.value.data.fill_({event.strength!r})" for one in learned]
    return acts


def _training_acts(before: Training, after: Training, rated: bool) -> list[str]:
    """Return the lines that change how is trained from now on."""
    acts, sets = [], []
    rate = after.learning_rate
    if rate != before.learning_rate:
        if changes_rate(after):
            acts.append(f"peak = {rate!r}")
        else:
            more = ' * group["rate"]' if rated else ""
            sets += ["for group in updater.optimizer.param_groups:", f'    group["lr"] = {rate!r}{more}']
    if after.steps != before.steps and changes_rate(after):
        acts.append(f"steps = {after.steps}")
    for kind in CHANGES.values():
        if kind.acts and any(getattr(after, name) != getattr(before, name) for name in kind.fields):
            sets.append(kind.acts(after))
    return acts + (["for updater in updaters.values():", *(f"    {line}" for line in sets)] if sets else [])


def _by_value(values: dict) -> list[dict]:
    groups: dict = {}
    for name, value in values.items():
        groups.setdefault(value, {})[name] = value
    return list(groups.values())


def _update_text(values: dict) -> str:
    value = literal(next(iter(values.values())))
    if len(values) == 1:
        return f"{{{literal(next(iter(values)))}: {value}}}"
    return f"dict.fromkeys({words(values)}, {value})"
