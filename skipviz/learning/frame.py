"""What is measured at one step, as plain data. Imports no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

Numbers = list[float | None]
Places = dict[str, list[int]]
"""Some places of a frame's lists, by the field's name."""
Band = list[float | None] | list[Numbers]
"""The lower and the upper end of a field's band: two numbers, or two lists of them."""
BANDED = (
    "loss", "metric", "held_out", "total_grad", "weight_grad", "weight_grad_mean", "state_grad", "state_grad_mean",
    "trunk_grad", "skip_grad", "branch_grad", "update_ratio", "strength",
)  # fmt: skip
"""Fields that have a band where several seeds are trained: those that plots draw."""

BASELINE = {"ghost": "weight_grad", "ghost_state": "state_grad", "ghost_branch": "branch_grad"}
"""Fields measured with every skip off, by those that hold them beside a frame's own."""


@dataclass(slots=True)
class VariantFrame:
    """One network's measurements at θ_t, before the update; gradients are L2 norms over the batch's mean loss.

    A value is None where there is nothing to measure or the number is not finite (then `nonfinite` names it).
    """

    loss: float | None
    metric: float | None
    weight_grad: Numbers
    state_grad: Numbers
    trunk_grad: Numbers
    skip_grad: Numbers
    head_grad: float | None
    skip_weight_grad: Numbers
    scale_grad: Numbers
    update_ratio: Numbers
    state_rms: Numbers
    nonfinite: list[str] = field(default_factory=list)
    first_broken: str | None = None
    """Id of the first layer whose output is not finite; `head` where only the loss is not."""
    underflow: Places | None = None
    """Where a gradient of 0 is a number too small for float32: a path leads to the loss. These three: see `marks`."""
    blocked: Places | None = None
    """Where a gradient is exactly 0 though a path leads to the loss and the gradient above is a healthy one."""
    rounding: Places | None = None
    """Where a gradient is the rounding error of parts that cancel."""
    weight_grad_mean: Numbers = field(default_factory=list)
    """For each layer the mean of |∂L/∂w| over its weights; biases and parameters of norms are left out. None: it has none."""
    state_grad_mean: Numbers = field(default_factory=list)
    """For each state the mean of |∂L/∂h| over the batch and its elements."""
    state_max: Numbers = field(default_factory=list)
    """For each state its largest magnitude. These three: None for tokens."""
    state_zeros: Numbers = field(default_factory=list)
    """For each state the share of its elements that are exactly 0, 0..1."""
    state_dead: Numbers = field(default_factory=list)
    """For each state the share of its units (features or channels) that are 0 throughout the step's batch, 0..1."""
    held_out: float | None = None
    held_out_loss: float | None = None
    """The loss on held-out batches in eval mode: of one's own module, where it is opened with some."""
    balanced_accuracy: float | None = None
    """Where `held_out` is an accuracy: the mean of `recall`, in which every class counts the same."""
    recall: Numbers | None = None
    """For each class the share of its held-out samples (or tokens) that are predicted right; None for a class without any."""
    ghost: Numbers | None = None
    """`weight_grad` of the same network, weights and batch with every skip off."""
    ghost_state: Numbers | None = None
    """`state_grad` likewise."""
    gate_opening: Numbers | None = None
    """For each skip, the mean of its gate's T over the batch, 0..1; None where there is no gate in force."""
    strength: Numbers | None = None
    """For each skip, its learned strength; None where it is fixed, and instead of the list where all are."""
    share: Numbers | None = None
    """For each skip with a share of the state where it lands, that share, 0..1; None as above, and where it is off."""
    mixing: Numbers | None = None
    """Of the skips of streams, in the network's order, the n × n matrix by which streams mix, row by row: a row makes a stream of
    all. Where it is dynamic, the mean over the batch and its positions; None in the places of one that is off."""
    picture: dict[str, Any] | None = None
    branch_grad: Numbers | None = None
    """For each node of a branch, the norm of the gradient of its parameters. These six: None where there is no branch."""
    branch_grad_mean: Numbers | None = None
    """For each node of a branch, the mean of |∂L/∂w| over its weights, as of a layer."""
    ghost_branch: Numbers | None = None
    """`branch_grad` with every skip off, as `ghost`."""
    branch_state_grad: Numbers | None = None
    """For each node of a branch, that of its state; None where a merge takes the state as it is."""
    edge_grad: Numbers | None = None
    """For each edge of a branch, the part of its source's gradient that came back along it."""
    edge_weight_grad: Numbers | None = None
    """For each edge of a branch, that of its adapter's and gate's parameters."""
    edge_strength: Numbers | None = None
    """For each edge of a branch, its learned strength; None where it is fixed, and instead of the list where all are."""
    total_grad: float | None = None
    """Norm of the whole gradient, before it is clipped."""
    learning_rate: float | None = None
    """Of the update that follows; None where none does."""
    members: int | None = None
    """Of several seeds, those that have not diverged, of which every number here is the median; None where there is one seed."""
    bands: dict[str, Band] | None = None
    """By field, the 10 % and the 90 % quantile over the members, element by element."""

    def baseline(self) -> dict[str, Numbers | None]:
        """Return the fields that another frame of the network has of this one, which was measured with every skip off."""
        return {field: getattr(self, own) for field, own in BASELINE.items()}


@dataclass(slots=True)
class Frame:
    """What was measured at `step`; `variants` go by the experiment's names."""

    step: int
    variants: dict[str, VariantFrame]
    events: list[dict] = field(default_factory=list)
    """Events that acted just before this step, as JSON data."""
    seconds: float = 0.0
    """Since the run began."""

    def to_data(self) -> dict:
        """Return the frame as JSON data, without fields that are None."""
        data = asdict(self)
        for name, variant in data["variants"].items():
            data["variants"][name] = {key: value for key, value in variant.items() if value is not None and value != []}
        return data
