"""Captures what is to be opened, in a process of its own, and writes down as which experiment: `python -m skipviz.watch.opened`.

Takes what `spec.Opened` holds as JSON, and the file to write, in which there is one sentence where it cannot be opened.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from ...learning.setup import prepare
from ...network import edit
from ...tasks.experiment import Experiment, Training
from ...tasks.task import Task
from ..errors import WatchError
from ..random_state import RandomState
from .failure import first_output
from .files import Loader, RandomData, made_loss, made_model
from .held_out import HeldOut
from .objective import loss_of, taken_by
from .spec import Opened, short, write
from .variant import OpenedVariant

BATCH_SIZE, STEPS = 16, 1000
"""Of random data; of a run that is begun in the lab."""
VARIANT = "model"
UNLIKE = "in eval mode {} runs other operations where skips are read: while some are switched, nothing is measured on held-out data"


def experiment_of(opened: Opened) -> Experiment:
    """Return the experiment that a person's module is, one network with all its skips; one pass is run.

    Raises `WatchError` with the true reason.
    """
    random, path = RandomState(0), Path(opened.model.rpartition(":")[0])
    with random.in_force():
        model = made_model(opened)
    names, loss = taken_by(model), made_loss(opened)
    data = Loader(opened.data, 0, names) if opened.data else RandomData(opened, BATCH_SIZE, 0, model, names)
    batch = data.batch(0)
    variant = OpenedVariant(model, random, Training(), torch.device("cpu"), loss)
    with torch.no_grad():
        first_output(variant.model, batch.args, batch.named, path)
    with random.in_force():
        loss_of(variant.model(*batch.args, **batch.named), batch, loss)
    network = variant.begin(batch)
    training = Training(batch_size=min(max(1, variant.batch_size), 4096), steps=STEPS)
    metric = _held_out_metric(opened, names, variant) if opened.held_out else None
    return Experiment(variants={VARIANT: network}, task=Task(name="watched", metric=metric), training=training)


def _held_out_metric(opened: Opened, names: set[str], variant: OpenedVariant) -> str | None:
    """Return what is taken of held-out batches beside the loss; all are gone through once, and a remark may be printed."""
    held_out, network = HeldOut(opened, names, variant), variant.network
    held_out.measure(variant, accuracy=True)
    variant.set_network(edit.bare(network))
    if network.skips and not held_out.measure(variant, accuracy=True):
        print(f"skipviz: {UNLIKE.format(short(opened.model))}", file=sys.stderr)
    variant.set_network(network)
    return None if held_out.ahead is None else "accuracy"


def main() -> int:
    """Do it and return the exit status."""
    prepare()
    fields, target = json.loads(sys.argv[1]), Path(sys.argv[2])
    del sys.argv[1:]  # they are not the person's
    shape = fields.pop("shape")
    opened = Opened(**fields, shape=None if shape is None else tuple(shape))
    try:
        write(target, opened, experiment_of(opened))
    except WatchError as error:
        target.write_text(json.dumps({"problem": str(error)}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
