"""torch's optimizers over flat parameters; what is switched off rests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ..network import Network
from ..network.paths import in_use
from ..tasks.experiment import Training
from .parameters import FlatParameters, Span

States = tuple[list[list[Tensor]], bool]
"""Lists of what an optimizer holds of some tensors, and whether their next step is the first."""
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8
"""torch's defaults, also of AdamW."""


class Optimizer:
    """SGD, momentum, Adam or AdamW over some tensors by their `grad`, as torch's fused classes take them, to the bit.

    torch's own classes import its compiler when they are made: seconds, and memory, of every process that trains. Its functions
    sort their tensors at each call, in which a small network takes half a step: here all are of one kind.
    """

    def __init__(self, training: Training, tensors: list[Tensor]) -> None:
        self.groups: list[tuple[list[Tensor], float, float]] = [(tensors, training.weight_decay, 1.0)]
        """Tensors with their weight decay and their multiple of the learning rate; those of a group are updated together."""
        self.learning_rate = training.learning_rate
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        """By tensor, what its next step depends on, under torch's names."""
        self._name = training.optimizer
        self._adaptive = training.optimizer in ("adam", "adamw")
        self.momentum = training.effective_momentum

    @torch.no_grad()
    def step(self) -> None:
        """Update every tensor that has a gradient."""
        for tensors, weight_decay, multiple in self.groups:
            moving = [tensor for tensor in tensors if tensor.grad is not None]
            if moving:
                gradients = [tensor.grad for tensor in moving]
                self.take(moving, gradients, self.states(moving), self.learning_rate * multiple, weight_decay)

    def states(self, tensors: list[Tensor]) -> States:
        """Return what the next step of tensors depends on, begun where there has been none."""
        if self._adaptive:
            for tensor in tensors:
                if not self.state[tensor]:
                    zeros = {name: torch.zeros_like(tensor) for name in ("exp_avg", "exp_avg_sq")}
                    self.state[tensor] = {"step": torch.zeros((), dtype=torch.float32, device=tensor.device), **zeros}
            return [[self.state[tensor][name] for tensor in tensors] for name in ("exp_avg", "exp_avg_sq", "step")], False
        if not self.momentum:
            return [[]], False
        first = not any(self.state[tensor] for tensor in tensors)
        if first:
            for tensor in tensors:
                self.state[tensor]["momentum_buffer"] = torch.empty_like(tensor)
        return [[self.state[tensor]["momentum_buffer"] for tensor in tensors]], first

    def joint_states(self, tensors: list[Tensor]) -> States:
        """Return `states` of tensors of one length as those of one tensor, of which each one's are rows; their counts are equal."""
        held, first = self.states(tensors)
        joint = [torch.stack(parts) for parts in held if parts]
        names = ("exp_avg", "exp_avg_sq", "step") if self._adaptive else ("momentum_buffer",)
        for place, tensor in enumerate(tensors if joint else ()):
            self.state[tensor] = {name: rows[place] for name, rows in zip(names, joint, strict=True)}
        return [[rows] for rows in joint] or [[]], first

    def take(self, tensors: list[Tensor], gradients: list[Tensor], states: States, rate: float, weight_decay: float) -> None:
        """Update tensors of one kind by their gradients and their `states`."""
        (held, first), rates = states, {"lr": rate, "weight_decay": weight_decay, "maximize": False}
        if not self._adaptive:
            constants = {"momentum": self.momentum, "dampening": 0.0, "nesterov": False}
            torch._fused_sgd_(tensors, gradients, *held, is_first_step=first, **constants, **rates)
            return
        means, squares, steps = held
        torch._foreach_add_(steps, 1)
        steps = [step[0] if step.dim() else step for step in steps]  # of several networks' counts, which are equal
        take = torch._fused_adamw_ if self._name == "adamw" else torch._fused_adam_
        constants = {"beta1": ADAM_BETAS[0], "beta2": ADAM_BETAS[1], "eps": ADAM_EPSILON, "amsgrad": False}
        take(tensors, gradients, means, squares, [], steps, **constants, **rates)


class JointUpdater:
    """Takes the steps of several networks alike in one call each: of small ones calls are all the cost.

    `values` are their parameters, `(networks, parameters)`. Where all of these are updated alike they are one tensor to torch, and
    what each network's optimizer holds is a row of what it holds of that. It stands until one of the networks is laid out anew, or
    is another one.
    """

    def __init__(self, updaters: Sequence[Updater], values: Tensor) -> None:
        self._optimizer = updaters[0].optimizer
        for updater in updaters:
            if updater.optimizer.state is not self._optimizer.state:  # one for all from now on: its keys are their tensors
                self._optimizer.state.update(updater.optimizer.state)
                updater.optimizer.state = self._optimizer.state
        self._values = values
        self._groups: dict[tuple[bool, float], tuple[list[Span], list[Tensor]]] = {}
        rests, *_ = [updater.rests() for updater in updaters]
        for place, (span, still) in enumerate(zip(updaters[0].spans, rests, strict=True)):
            if not still:
                spans, tensors = self._groups.setdefault(updaters[0].group_of(span), ([], []))
                spans.append(span)
                tensors += [updater.pieces[place] for updater in updaters]
        self._states: dict[tuple[bool, float], States] = {}

    @torch.no_grad()
    def step(self, gradient: Tensor, rate: float, weight_decay: float) -> None:
        """Update by the gradients of all, `(networks, parameters)`."""
        for (decays, multiple), (spans, tensors) in self._groups.items():
            whole = spans == [(0, self._values.shape[1])]
            gradients = [gradient] if whole else [part for start, end in spans for part in gradient[:, start:end].unbind()]
            states = self._states.get((decays, multiple))
            if states is None:
                states = self._optimizer.joint_states(tensors) if whole else self._optimizer.states(tensors)
            decay = weight_decay if decays else 0.0
            self._optimizer.take([self._values] if whole else tensors, gradients, states, rate * multiple, decay)
            self._states[decays, multiple] = states[0], False


class Updater:
    """Takes optimizer steps. What the outputs do not depend on keeps parameters, momentum and step count.

    The flat vector is updated in pieces, which are the optimizer's parameters: one of layers, head and scales, and one of
    each skip. A piece that rests has no gradient, so that torch leaves it alone. A layer becomes a piece of its own when it
    rests for the first time: from then on it has taken fewer steps than the others.
    """

    def __init__(self, flat: FlatParameters, training: Training, network: Network) -> None:
        self.flat = flat
        self.spans: list[Span] = []
        self.pieces: list[Tensor] = []
        """What the optimizer updates, in the order of `spans`."""
        self.optimizer = Optimizer(training, [flat.values])
        self.lay_out([start for start, _ in flat.pieces])
        self.set_network(network)

    def lay_out(self, starts: Iterable[int]) -> None:
        """Begin afresh, without momentum or step count, with pieces that begin at `starts`."""
        starts = sorted(set(starts))
        for piece in self.pieces:
            self.optimizer.state.pop(piece, None)
        spans = list(pairwise([*starts, len(self.flat.values)]))
        self._take(spans, [self.flat.values[start:end] for start, end in spans])
        self._rests: list[bool] = []

    def take_up(self, values: Tensor) -> None:
        """Update the pieces of `values` from now on, which hold the same parameters, with the momenta and counts so far."""
        state = [self.optimizer.state.pop(piece, None) for piece in self.pieces]
        self._take(self.spans, [values[start:end] for start, end in self.spans])
        self.optimizer.state.update((piece, held) for piece, held in zip(self.pieces, state, strict=True) if held)

    def set_network(self, network: Network) -> None:
        """Let the parts that the outputs of `network` do not depend on rest from now on."""
        use, flat = in_use(network), self.flat
        spans = (flat.layers, flat.scales, flat.skips, flat.branches, flat.edges)
        uses = (use.layers, use.layers, use.skips, use.branches, use.edges)
        used = [pair for pairs in zip(spans, uses, strict=True) for pair in zip(*pairs, strict=True)]
        self.resting: list[Span] = []
        for (start, end), needed in sorted(used):
            if needed or start == end:
                continue
            if self.resting and self.resting[-1][1] == start:
                start = self.resting.pop()[0]  # neighbours that rest together are one piece
            self.resting.append((start, end))
        self._rests: list[bool] = []

    def set_rates(self, learning_rate: float, weight_decay: float) -> None:
        """Take the rates of the next step; only the first group decays."""
        self.optimizer.learning_rate = learning_rate
        self._group(weight_decay)

    def step(self, gradient: Tensor) -> None:
        """Update all parameters that do not rest by the flat `gradient`."""
        self.give(gradient)
        self.optimizer.step()
        self.give(None)

    def give(self, gradient: Tensor | None) -> None:
        """Give every piece that does not rest its part of the flat `gradient`, ready for the optimizer's step; None takes it away.

        Else a gradient of all parameters is held through the next step.
        """
        if gradient is None:
            for piece in self.pieces:
                piece.grad = None
            return
        for piece, part, rests in zip(self.pieces, self.parted(gradient), self.rests(), strict=True):
            piece.grad = None if rests else part

    def parted(self, gradient: Tensor) -> list[Tensor]:
        """Return the flat `gradient` in the pieces that are updated, views of it."""
        self.rests()
        return [gradient[start:end] for start, end in self.spans]

    def rests(self) -> list[bool]:
        """Return whether each piece rests, which are cut before where a rest begins or ends."""
        if not self._rests:
            self._cut({place for span in self.resting for place in span})
            self._rests = [any(first <= start < last for first, last in self.resting) for start, _ in self.spans]
            self._begin_late_momentum()
        return self._rests

    def group_of(self, span: Span) -> tuple[bool, float]:
        """Return whether the piece at `span` decays, and its multiple of the learning rate."""
        start, _ = span
        return not any(first <= start < last for first, last in self.flat.undecayed), self.flat.rates.get(start, 1.0)

    def _cut(self, places: set[int]) -> None:
        """Cut pieces at `places`; each part takes its share of momentum with it, and the count of steps so far."""
        state, spans, pieces = self.optimizer.state, [], []
        for piece, (start, end) in zip(self.pieces, self.spans, strict=True):
            parts = list(pairwise([start, *sorted(place for place in places if start < place < end), end]))
            if len(parts) == 1:
                spans, pieces = [*spans, (start, end)], [*pieces, piece]
                continue
            held = state.pop(piece, None)
            for part in parts:
                cut = self.flat.values[slice(*part)]
                spans.append(part)
                pieces.append(cut)
                if held:
                    state[cut] = {name: _share(value, piece, part[0] - start, part[1] - start) for name, value in held.items()}
        self._take(spans, pieces)

    def _take(self, spans: list[Span], pieces: list[Tensor]) -> None:
        """Have the optimizer update `pieces`, which lie at `spans`: what decays in its first group, the rest by their rates."""
        self.spans, self.pieces = spans, pieces
        self._groups: dict[tuple[bool, float], list[Tensor]] = {(True, 1.0): []}
        for piece, span in zip(pieces, spans, strict=True):
            self._groups.setdefault(self.group_of(span), []).append(piece)
        self._group(self.optimizer.groups[0][1])

    def _group(self, weight_decay: float) -> None:
        self.optimizer.groups = [
            (pieces, weight_decay if decays else 0.0, multiple) for (decays, multiple), pieces in self._groups.items()
        ]

    def _begin_late_momentum(self) -> None:
        """Give a piece that takes its first step after others a momentum of 0, as torch does: its fused SGD begins all at once."""
        if not self.optimizer.momentum:
            return
        state = self.optimizer.state
        if any(state.get(piece) for piece in self.pieces):
            for piece, rests in zip(self.pieces, self._rests, strict=True):
                if not rests and not state.get(piece):
                    state[piece]["momentum_buffer"] = torch.zeros_like(piece)


def _share(value, piece: Tensor, start: int, end: int):
    """Return what a part of a piece has of the piece's state: its elements of a momentum, its own copy of a count."""
    if not isinstance(value, Tensor):
        return value
    return value[start:end].clone() if value.shape == piece.shape else value.clone()
