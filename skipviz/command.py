"""The command line: list presets, describe an experiment, draw it, train it into a file, write it as a script, make its link.

Imports no torch until a training begins.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import opening
from .network.base import NetworkError
from .network.network import Network
from .settings import get_settings
from .sharing import link, sweep_table
from .sharing.script.experiment import ScriptError, script
from .sharing.weights import SUFFIX, to_safetensors
from .tasks import presets
from .tasks.cautions import cautions
from .tasks.experiment import MAX_JSON, Experiment, ExperimentError, experiment_from_json
from .tasks.own import UploadError
from .tasks.sweep import Sweep, sweep_of, usual_sweep
from .watch.errors import WatchError

FORMATS = (".parquet", ".csv")
BROKEN = 2
"""Exit status where a person has to change something: arguments, the experiment, or the file's place."""


class CommandError(ValueError):
    """What was asked cannot be done; one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 after one sentence on the error stream."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (CommandError, ExperimentError, NetworkError, ScriptError, UploadError, link.LinkError, WatchError) as error:
        print(f"skipviz: {error}", file=sys.stderr)
        return BROKEN
    except BrokenPipeError:
        sys.stderr.close()
    return 0


def experiment_named(text: str) -> Experiment:
    """Return the experiment that `text` names: a preset, a JSON file, a link or an address with one.

    Raises `CommandError`, `ExperimentError` or `LinkError`.
    """
    if text in presets.names():
        return presets.get(text)
    if "://" in text or "?x=" in text:
        return link.decode(link.text_of(text))
    path = Path(text)
    if _is_file(path):
        return _read(path)
    if text.startswith((link.VERSION, link.FIRST)):
        return link.decode(text)
    if path.suffix == ".json":
        raise CommandError(f"there is no file {text}")
    raise CommandError(f"{text[:80]!r} is no preset, JSON file or link; the presets are {', '.join(presets.names())}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> Experiment:
    try:
        with path.open("rb") as file:
            return experiment_from_json(file.read(MAX_JSON + 1))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m skipviz", description="A lab for skip connections, without a browser.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    listing = commands.add_parser("presets", help="list the named experiments")
    listing.set_defaults(run=lambda options: _list_presets())
    describing = commands.add_parser("describe", help="print layers, shapes, skips and exact parameter counts")
    describing.set_defaults(run=_describe)
    drawing = commands.add_parser("draw", help="draw a network into an SVG file, as the lab shows it")
    drawing.set_defaults(run=_draw)
    drawing.add_argument("--out", required=True, help="an .svg file")
    drawing.add_argument("--variant", help="which of its networks; the first if left out")
    drawing.add_argument("--dark", action="store_true", help="for a dark page")
    drawing.add_argument("--gradient", action="store_true", help="with bands as wide as the gradient at initialisation")
    training = commands.add_parser("train", help="train it here; write what was measured, the weights or both to files")
    training.set_defaults(run=_train, refuse=training.error)
    training.add_argument("--steps", type=_count, help="optimizer steps; its own number if left out")
    training.add_argument("--out", help="a .parquet or .csv file, one row a layer, state, skip or network at a step")
    training.add_argument("--weights", help="a .safetensors file of the trained weights; its metadata say how to load them")
    training.add_argument("--variant", help="whose weights; the first network's if left out")
    sweeping = commands.add_parser("sweep", help="train it with other values of one or two fields, and list where each ends")
    sweeping.set_defaults(run=_sweep)
    sweeping.add_argument(
        "--over", action="append", metavar="FIELD=A,B,…", help="a field and its values; twice for two; depth and skips if left out"
    )
    sweeping.add_argument("--steps", type=_count, help="optimizer steps of each cell; its own number if left out")
    sweeping.add_argument("--out", help="a .parquet or .csv file, one row a cell")
    sweeping.add_argument("--variant", help="which of its networks; the first if left out")
    linking = commands.add_parser("link", help="print its link text, for ?x=… behind the lab's address")
    linking.set_defaults(run=lambda options: print(link.encode(experiment_named(options.experiment))))
    coding = commands.add_parser("code", help="print it as a stand-alone PyTorch script that trains to the same losses")
    coding.set_defaults(run=_code)
    own = commands.add_parser("open", help="open the lab on a torch module of your own, on this machine alone")
    opening.add_options(own)
    own.set_defaults(run=opening.open_lab)
    for command in (describing, drawing, training, sweeping, linking, coding):
        command.add_argument("experiment", metavar="X", help="a preset's name, a JSON file, a link's text or address")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give at least one step")
    return value


def _list_presets() -> None:
    width = max(map(len, presets.names()))
    for name in presets.names():
        preset = presets.preset(name)
        print(f"{name:<{width}}  {preset.title}. {preset.do}")


def _describe(options) -> None:
    from .description import described

    print(described(experiment_named(options.experiment)))


def _code(options) -> None:
    """Print the script; one of one's own data says on the error stream which file it will ask for."""
    experiment = experiment_named(options.experiment)
    own = experiment.task.own
    if own is None:
        print(script(experiment), end="")
        return
    from .tasks.uploads import Uploads

    uploads = Uploads(get_settings().uploads_place())
    if not uploads.has(own.digest):
        raise CommandError(
            f"a script is written from what was read of {own.file}, which {uploads.place} does not hold: upload the file in the "
            "lab, or let SKIPVIZ_DATA_DIR name the folder of the server that has it"
        )
    print(script(experiment, uploads=uploads), end="")
    print(
        f"skipviz: the script reads {own.file}: lay it beside the script, or give its path as the first argument", file=sys.stderr
    )


def _draw(options) -> None:
    """Write one network's diagram, with the gradient of the first step where that is asked for."""
    from .drawing.diagram import draw

    path = _place(options.out, (".svg",))
    experiment = experiment_named(options.experiment)
    name = _variant(options.variant, experiment)
    frame = None
    if options.gradient:
        from .learning.seeds import trainer_of

        frame = trainer_of(experiment).measure().to_data()["variants"][name]
    svg = draw(experiment.variants[name]).standalone_svg("dark" if options.dark else "light", frame)
    _write(path, svg.encode())


def _variant(name: str | None, experiment: Experiment) -> str:
    """Return the name of a network that is asked for by name or label, the first one's for None; raises `CommandError`."""
    found = experiment.named(name) if name else next(iter(experiment.variants))
    if found is None:
        there = ", ".join(map(experiment.label, experiment.variants))
        raise CommandError(f"there is no network {name[:80]!r} in it; there is {there}")
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from None


def _place(text: str, suffixes: Sequence[str], option: str = "--out") -> Path:
    """Return where a file is to be written, of one of these kinds; raises `CommandError`."""
    path = Path(text)
    if path.suffix not in suffixes:
        raise CommandError(f"{option} names {'an' if suffixes == ('.svg',) else 'a'} {' or '.join(suffixes)} file, not {text}")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"there is no folder {path.absolute().parent}")
    return path


def _train(options) -> None:
    if options.out is None and options.weights is None:
        options.refuse("give --out, --weights or both: a training that writes nothing is lost")
    out = None if options.out is None else _place(options.out, FORMATS)
    weights = None if options.weights is None else _place(options.weights, (SUFFIX,), "--weights")
    experiment = experiment_named(options.experiment)
    variant = _variant(options.variant, experiment)
    if options.steps is not None:
        experiment = experiment.replaced(training=experiment.training.replaced(steps=options.steps))
    for sentence in cautions(experiment):
        print(f"skipviz: {sentence}", file=sys.stderr)
    run, frames = _watched(experiment)
    written = []
    if out is not None:
        _write(out, _table(experiment, frames, out))
        written.append(f"{len(frames)} frames in {out}")
    if weights is not None:
        _write(weights, _weights(run, frames, variant, experiment.label(variant)))
        written.append(f"weights of {experiment.label(variant)} in {weights}")
    print("\n".join([*_outcomes(experiment, frames), *written]))


def _watched(experiment: Experiment) -> tuple:
    """Train with a progress bar on the error stream; return the run and its recorded frames."""
    from tqdm import tqdm

    from .learning.training import train

    run, frames = train(experiment), []
    with tqdm(total=experiment.training.steps, unit="step") as bar:
        for frame in run:
            frames.append(frame)
            bar.update(frame.step + 1 - bar.n)
            losses = {experiment.label(name): measured.loss for name, measured in frame.variants.items()}
            bar.set_postfix({name: "–" if loss is None else f"{loss:.4f}" for name, loss in losses.items()}, refresh=False)
    return run, frames


def _sweep(options) -> None:
    """Train every cell, one after the other; print them as a table, and write them where that is asked for."""
    out = None if options.out is None else _place(options.out, FORMATS)
    experiment = experiment_named(options.experiment)
    name = _variant(options.variant, experiment)
    experiment = experiment.replaced(variants={name: experiment.variants[name]})
    if options.steps is not None:
        experiment = experiment.replaced(training=experiment.training.replaced(steps=options.steps))
    sweep = sweep_of(experiment, [_axis(text) for text in options.over]) if options.over else usual_sweep(experiment)
    rows = _swept(sweep)
    if out is not None:
        _write(out, sweep_table.to_csv(rows) if out.suffix == ".csv" else sweep_table.to_parquet(rows))
    print(sweep_table.to_text(sweep, rows))


def _axis(text: str) -> tuple[str, list[str]]:
    field, separator, values = text.partition("=")
    if not separator or not values:
        raise CommandError(f"--over names a field and its values, as depth=4,8,16, not {text[:80]!r}")
    return field.strip(), values.split(",")


def _swept(sweep: Sweep) -> list[dict]:
    """Train every cell with a progress bar on the error stream; return their rows."""
    from tqdm import tqdm

    from .learning.cell import cell_row
    from .tasks.uploads import Uploads

    uploads, device, rows = Uploads(get_settings().uploads_place()), sweep.base.training.device, []
    with tqdm(total=len(sweep), unit="cell", bar_format="{l_bar}{bar}| {n:.1f}/{total} {unit}s [{elapsed}<{remaining}]") as bar:
        try:
            for cell in sweep.cells():
                bar.set_description(", ".join(field.said(cell.at[field.name]) for field in sweep.fields), refresh=False)
                rows.append(cell_row(cell, uploads, lambda share: bar.update(len(rows) + share - bar.n), device=device))
                bar.update(len(rows) - bar.n)
        except KeyboardInterrupt:
            bar.set_description("stopped")
    return rows


def _table(experiment: Experiment, frames: list, path: Path) -> bytes:
    from .sharing import table

    rows = table.table(experiment, frames)
    return table.to_csv(rows) if path.suffix == ".csv" else table.to_parquet(rows)


def _weights(run, frames: list, variant: str, label: str) -> bytes:
    """Return the weights file of a run that is over; a step that diverged was not taken."""
    model, last = run.model(variant), _last(frames, variant)
    steps = last.step + (last.variants[variant].loss is not None)
    return to_safetensors({name: tensor.numpy() for name, tensor in model.state_dict().items()}, model.network, label, steps)


def _last(frames: list, variant: str):
    """Return the last frame of a variant."""
    return next(frame for frame in reversed(frames) if variant in frame.variants)


def _outcomes(experiment: Experiment, frames: list) -> list[str]:
    lines = []
    for name, network in experiment.variants.items():
        frame = _last(frames, name)
        lines.append(f"{experiment.label(name)}: {_ending(experiment, network, frame.step, frame.variants[name])}")
    return lines


def _ending(experiment: Experiment, network: Network, step: int, measured) -> str:
    if measured.loss is None:
        return f"diverged at step {step}, first at {network.place(measured.first_broken)}"
    metric = "–" if measured.metric is None else f"{measured.metric:.4f}"
    return f"step {step}, loss {measured.loss:.4f}, {experiment.task.kind.metric} {metric}"
