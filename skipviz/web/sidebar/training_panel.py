"""How the experiment is trained: the sidebar's fields of `Training`."""

from __future__ import annotations

import streamlit as st

from ...engine import get_engine
from ...tasks.change import CHANGES
from ...tasks.experiment import MOST_SEEDS, OPTIMIZERS
from ...tasks.loss import LOSSES
from ...tasks.objective import CLASS_WEIGHTS, choices, takes
from ...tasks.schedule import SCHEDULES
from ..session_state.editor import Editor
from ..session_state.session import SessionState
from .family_panel import take
from .field import field_of
from .number_field import number_field

DEVICES = {"auto": "auto", "cpu": "CPU", "cuda": "CUDA"}
PRECISIONS = {"float32": "float32", "bfloat16": "bfloat16"}
MORE, OWN_MORE = "Loss, schedule, clipping, precision", "Schedule, clipping, precision"
MOST_CLIPPED = 1e6
LIVE = {name for kind in CHANGES.values() if kind.by_form for name in kind.fields}
AT_ONCE = "A run takes it at once"
"""Said of fields that a run follows while it trains."""
MOST_SMOOTHED = 0.999
"""Below 1, where nothing would be left of the true class."""


class _Fields:
    """Places widgets of one experiment's training; a change is taken at once, by a live run too where it can follow."""

    def __init__(self, state: SessionState, editor: Editor) -> None:
        self.state, self.editor = state, editor

    def choice(self, place, label: str, field: str, words: dict, **options) -> None:
        """Draw a choice among `words`."""
        value = getattr(self.editor.experiment.training, field)
        chosen = field_of(f"train_{field}", value, lambda value: self._put(field, value), words)
        place.selectbox(label, list(words), format_func=words.get, **chosen, **options)

    def number(self, place, label: str, field: str, limits: tuple[float, float], *, none: bool = False, **options) -> None:
        """Draw a number; with `none` 0 stands for none."""
        value = getattr(self.editor.experiment.training, field)

        def put(typed: float) -> None:
            self._put(field, None if none and typed == 0 else typed)

        said = [options.pop("help", ""), AT_ONCE if field in LIVE else ""]
        help = ". ".join(filter(None, said)) or None
        number_field(self.state, place, label, value or 0, limits, put, name=f"train_{field}", help=help, **options)

    def _put(self, field: str, value) -> None:
        now = self.editor.experiment
        changed = {field: value}
        take(self.state, self.editor, lambda: now.replaced(training=now.training.replaced(**changed)), structural=False)


def draw_training(state: SessionState, editor: Editor) -> None:
    """Draw every field of training but the learning rate, which stands beside the time slider.

    Of a module that the lab was opened on, its own file says data and loss.
    """
    fields, own = _Fields(state, editor), get_engine().own if editor.experiment.task.watched else None
    st.markdown('<div class="sv-size"><b>Training</b></div>', unsafe_allow_html=True)
    left, right = st.columns(2, gap="small")
    fields.choice(left, "Optimizer", "optimizer", OPTIMIZERS)
    if not (own and own.data):
        fields.number(right, "Batch size", "batch_size", (1, 4096))
    fields.number(left, "Steps", "steps", (1, 1_000_000))
    fields.number(right, "Seed", "seed", (0, 2**31 - 1))
    fields.number(left, "Weight decay", "weight_decay", (0, 1), whole=False)
    if not own:
        fields.number(
            right, "Seeds", "seeds", (1, MOST_SEEDS),
            help="So many networks are trained, from the seed on: plots show their median and 10–90 %",
        )  # fmt: skip
    fields.choice(left, "Device", "device", DEVICES)
    more = st.expander(OWN_MORE if own else MORE)
    if not own:
        _draw_loss(fields, more)
    left, right = more.columns(2, gap="small")
    fields.choice(left, "Schedule", "schedule", SCHEDULES, help="Of the learning rate, whose slider sets its largest value")
    fields.number(
        right, "Warm-up", "warmup_steps", (0, 1_000_000),
        help="Steps in which the learning rate rises to its largest; one-cycle takes 30 % of all steps for 0",
    )  # fmt: skip
    fields.number(
        left, "Clip norm", "clip_norm", (0, MOST_CLIPPED), none=True, whole=False,
        help="The whole gradient is shortened to this L2 norm; 0: it is not. Frames show it unclipped",
    )  # fmt: skip
    fields.number(
        right, "Clip value", "clip_value", (0, MOST_CLIPPED), none=True, whole=False,
        help="Each element of the gradient is held to this magnitude, before its norm; 0: it is not",
    )  # fmt: skip
    fields.number(
        left, "Accumulate", "accumulation", (1, 256),
        help="Batches of which a step takes the mean gradient: a batch of all their samples in the memory of one",
    )  # fmt: skip
    fields.choice(
        right, "Precision", "precision", PRECISIONS,
        help="Of forward and backward passes; parameters stay float32. Without hardware for bfloat16 it is slower",
    )  # fmt: skip


def _draw_loss(fields: _Fields, more) -> None:
    """Draw the settings of the loss that act on the task."""
    experiment = fields.editor.experiment
    taken = takes(experiment.task, experiment.training)
    if "loss" in taken:
        fields.choice(
            more, "Loss", "loss", choices(experiment.task),
            help=". ".join({LOSSES[name].help: None for name in choices(experiment.task) if name in LOSSES}),
        )  # fmt: skip
    left, right = more.columns(2, gap="small")
    if "class_weights" in taken:
        fields.choice(
            left, "Class weights", "class_weights", CLASS_WEIGHTS,
            help="In the cross-entropy; balanced: samples / (classes × samples of the class), of the training samples",
        )  # fmt: skip
    if "label_smoothing" in taken:
        fields.number(
            right, "Label smoothing", "label_smoothing", (0, MOST_SMOOTHED), whole=False,
            help="This share of every class's target is spread evenly over all classes",
        )  # fmt: skip
