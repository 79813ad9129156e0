"""One variant of a person's own module while it trains: its parameters, its optimizer, its switches, its measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from math import isfinite

import torch
from torch import Tensor, nn

from ...learning.clipping import clip
from ...learning.frame import Numbers, VariantFrame
from ...learning.norms import norms
from ...learning.objective import finite
from ...learning.optimizer import Optimizer
from ...learning.passes import combined
from ...network import Network, edit
from ...tasks.experiment import Training
from ...tasks.schedule import learning_rate
from ..boxes import Boxes
from ..buffers import kept_buffers
from ..capture import Capture
from ..errors import WatchError
from ..frames import Values, frame_of
from ..gradients import Unheard
from ..layout import MOST_LAYOUTS, Layout, layout_of
from ..random_state import RandomState
from ..switches import Switches, settings_of
from ..trace import Operation
from .objective import Batch, loss_of, told_right


class OpenedVariant:
    """A module in training, switched as its network says. `loss` is the person's own function, or None."""

    def __init__(self, model: nn.Module, random: RandomState, training: Training, device: torch.device, loss: Callable | None):
        self.model, self.training, self.device = model.to(device).train(), training, device
        self._random, self._loss = random, loss
        self.parameters = {name: one for name, one in model.named_parameters() if one.requires_grad}
        if not self.parameters:
            raise WatchError("the module has no parameter to train")
        self.optimizer = Optimizer(training, [*self.parameters.values()])
        self._names = {id(parameter): name for name, parameter in model.named_parameters()}
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._layouts: dict[int, Layout] = {}
        self.layout: Layout | None = None
        """As it was at first."""
        self.counts: list[int] = []
        """Elements of each of its states, the batch included."""
        self.batch_size = 0
        self.ahead: int | None = None
        """By how many places the class indices lie ahead of their scores, where the accuracy on each batch is wanted."""
        self._operations: list[Operation] = []
        """Of the first pass."""
        self.network: Network | None = None
        self._switches = Switches()
        self._same_bits = True
        """Whether a recorded pass gives the gradient of one that is not, to the bit."""

    def begin(self, batch: Batch) -> Network:
        """Capture the first pass, which changes nothing, and return its network; raises `WatchError`."""
        with self._undone():
            plain, _ = self._backward([batch], Switches(), recorded=False)
            before = self._gradients()
        with self._undone():
            recorded, _ = self._backward([batch], Switches(), recorded=True)
            after = self._gradients()
        alike = len(before) == len(after) and all(map(torch.equal, before, after))
        self._same_bits = alike and (plain == recorded or plain != plain)
        self.network = self.layout.network
        return self.network

    def set_network(self, network: Network) -> None:
        """Take other switches, strengths and gains of the same network."""
        self.network = network
        self._switches = settings_of(network, self.layout, self._operations)

    def step(self, batches: list[Batch], step: int, recorded: bool, baseline: bool) -> tuple[float, VariantFrame | None]:
        """Take a step; return its loss and, if it is recorded, what was measured at the parameters before.

        A loss that is not finite is always recorded, and no step is taken.
        """
        ghost = self.baseline(batches) if recorded and baseline else {}
        in_place = self._same_bits or bool(self._switches)
        frame = self.measured(batches) if recorded and not in_place else None
        loss, found = self._moving(batches, recorded and in_place)
        frame = found or frame
        if not isfinite(loss):
            self._let_go()
            frame = frame or self.measured(batches)
            frame.loss, frame.first_broken = None, frame.first_broken or "head"
            frame.nonfinite.insert(0, "loss")
            return loss, frame
        rate = learning_rate(self.training, step)
        before = {name: one.detach().clone() for name, one in self.parameters.items()} if frame is not None else {}
        self._update(rate)
        if frame is not None:
            frame.learning_rate = rate
            self._measure_update(frame, before)
            filled(frame, ghost)
        return loss, frame

    def measured(self, batches: list[Batch], baseline: bool = False) -> VariantFrame:
        """Return the measurements of the present parameters; nothing changes."""
        ghost = self.baseline(batches) if baseline else {}
        with self._undone():
            frame = self._backward(batches, self._switches, recorded=True)[1]
        return filled(frame, ghost)

    def baseline(self, batches: list[Batch]) -> dict[str, Numbers]:
        """Return `weight_grad` and `state_grad` of the same weights and batches with every skip off; nothing changes."""
        with self._undone():
            bare = settings_of(edit.bare(self.network), self.layout, self._operations)
            frame = self._backward(batches, bare, recorded=True)[1]
        return frame.baseline()

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that the next step depends on, by name."""
        found = {f"value/{name}": one for name, one in self.model.named_parameters()}
        found |= {f"buffer/{name}": one for name, one in self.model.named_buffers()}
        found |= {f"random/{name}": one for name, one in self._random.tensors().items()}
        for name, parameter in self.parameters.items():
            for field, value in self.optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    found[f"state/{field}/{name}"] = value
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` returned; raises `KeyError` or `ValueError` where it is another module's."""
        parts = {"value": dict(self.model.named_parameters()), "buffer": dict(self.model.named_buffers())}
        self.optimizer.state.clear()
        for place, value in tensors.items():
            part, _, name = place.partition("/")
            if part in parts:
                target = parts[part].pop(name)
                if target.shape != value.shape:
                    raise ValueError(f"{name} has another shape")
                with torch.no_grad():
                    target.data.copy_(value)
            elif part == "state":
                field, _, name = name.partition("/")
                self.optimizer.state[self.parameters[name]][field] = value.to(self.device)
        if missing := [*parts["value"], *parts["buffer"]]:
            raise ValueError(f"{missing[0]} is missing")
        mine = len("random/")
        self._random.restore({name[mine:]: one for name, one in tensors.items() if name.startswith("random/")})

    def _moving(self, batches: list[Batch], recorded: bool) -> tuple[float, VariantFrame | None]:
        with self._random.in_force():
            return self._backward(batches, self._switches, recorded)

    def _backward(self, batches: list[Batch], switches: Switches, recorded: bool) -> tuple[float, VariantFrame | None]:
        """Let the batches go forward and their mean loss backward; return it, and what was measured if it is recorded."""
        frames, total, count, told = [], 0.0, len(batches), []
        for batch in batches:
            capture = None
            if recorded or switches:
                capture = self._capture(switches, recorded)
            with self._autocast():
                output = self._output(batch, capture)
                loss = loss_of(output, batch, self._loss)
            if recorded and self.ahead is not None:
                told.append(told_right(output, batch, self.ahead))
            del output
            if capture is not None and capture.broken is not None:
                raise WatchError(f"a pass of it cannot be followed: {capture.broken}") from capture.broken
            if switches.off:
                switches.check(capture.trace)
            found = self._seen(capture) if recorded else None
            if not loss.requires_grad:
                raise WatchError("the loss does not depend on a parameter by a gradient: is the module in no_grad?")
            value = loss.item()
            total += value / count
            if recorded or isfinite(value):
                (loss if count == 1 else loss / count).backward()
            if found is not None:
                frames.append(self._frame(*found))
            if capture is not None:
                capture.let_go()
            if not isfinite(value):
                break
        if not recorded:
            return total, None
        frame = next((one for one in frames if not one.state_max), None) or combined(frames)
        frame.loss = finite(total)
        right, counted = (sum(part) for part in zip(*told, strict=True)) if told else (0, 0)
        frame.metric = right / counted if counted else None
        return total, frame

    def evaluated(self, batch: Batch, graph: bool = False) -> tuple | None:
        """Return what the module gives of a batch in eval mode, switched as it is, and the loss; nothing changes.

        With `graph` the loss can go backward. None where it runs other operations than in training where something is switched.
        """
        modes = {module: module.training for module in self.model.modules()}
        capture = self._capture(self._switches, heard=False) if self._switches else None
        with self._undone(), torch.set_grad_enabled(graph or capture is not None), self._autocast():
            try:
                self.model.eval()
                output = self._output(batch, capture)
                loss = loss_of(output, batch, self._loss)
            finally:
                for module, mode in modes.items():
                    module.training = mode
        if capture is not None and (capture.broken is not None or not self._switches.fits(self._operations, capture.trace)):
            return None
        return output, loss

    def _capture(self, switches: Switches, heard: bool) -> Capture:
        capture = Capture(self.model, self._names, self._paths, switches)
        if not heard:
            capture.gradients = Unheard()
        return capture

    def _autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16) if self.training.precision == "bfloat16" else nullcontext()

    def _output(self, batch: Batch, capture: Capture | None):
        if capture is None:
            return self.model(*batch.args, **batch.named)
        forward, own = self.model.forward, {name: one for name, one in vars(self.model).items() if name == "forward"}

        def captured(*args, **kwargs):
            with capture.running():
                args, kwargs = capture.feed(args, kwargs)
                output = forward(*args, **kwargs)
                capture.returned(output)
            return output

        self.model.__dict__["forward"] = captured
        try:
            return self.model(*batch.args, **batch.named)
        finally:
            del self.model.__dict__["forward"]
            self.model.__dict__.update(own)

    def _seen(self, capture: Capture) -> tuple[Layout | None, Capture, Values | None]:
        """Return by which layout a pass is measured, None where it ran other operations than the first, and its states' sizes."""
        signature = capture.trace.signature()
        if signature not in self._layouts:
            counts = {name: parameter.numel() for name, parameter in self.model.named_parameters()}
            boxes = Boxes(capture.trace)
            self._layouts = {**dict([*self._layouts.items()][1 - MOST_LAYOUTS :]), signature: layout_of(boxes, counts)}
        layout = self._layouts[signature]
        if self.layout is None:
            self.layout, self._operations = layout, capture.trace.operations
            values = Values(layout, capture.values)
            self.counts = [values.counts.get(name, 0) for name in layout.states]
            self.batch_size = capture.trace.batch
            return layout, capture, values
        if layout.reads != self.layout.reads or layout.states != self.layout.states:
            return None, capture, None
        capture.gradients.want(*layout.heard(capture.gradients.changed))
        return layout, capture, Values(layout, capture.values)

    def _frame(self, layout: Layout | None, capture: Capture, values: Values | None) -> VariantFrame:
        if layout is None:
            return _unmeasured(self.layout.network)
        return frame_of(layout, capture.gradients, values, self.model, None, 1.0)

    def _update(self, rate: float) -> None:
        """Step on the gradients, and let them go."""
        found = self._gradients()
        if rate and found:
            clip(found, self.training.clip_norm, self.training.clip_value)
            self.optimizer.learning_rate = rate
            self.optimizer.groups = [([*self.parameters.values()], self.training.weight_decay, 1.0)]
            self.optimizer.step()
        self._let_go()

    def _measure_update(self, frame: VariantFrame, before: dict[str, Tensor]) -> None:
        """Fill in ‖Δθ_k‖/‖θ_k‖, θ_k being a layer's parameters before the step."""
        layers, parameters = self.layout.network.layers, self.layout.parameters
        own = [[name for name in parameters.get(layer.id, ()) if name in before] for layer in layers]
        for index, names in enumerate(own):
            if names:
                moves = norms([], [self.parameters[name].detach() - before[name] for name in names])
                sizes = norms([], [before[name] for name in names])
                size = sum(one**2 for one in sizes) ** 0.5
                frame.update_ratio[index] = finite(sum(one**2 for one in moves) ** 0.5 / size) if size else None

    def _gradients(self) -> list[Tensor]:
        return [one.grad for one in self.parameters.values() if one.grad is not None]

    def _let_go(self) -> None:
        for parameter in self.model.parameters():
            parameter.grad = None

    @contextmanager
    def _undone(self) -> Iterator[None]:
        """Give buffers, gradients and random generators back as they were."""
        try:
            with kept_buffers(self.model), self._random.in_force(moves=False):
                yield
        finally:
            self._let_go()


def filled(frame: VariantFrame, fields: dict) -> VariantFrame:
    """Return the frame with further fields of it."""
    for name, value in fields.items():
        setattr(frame, name, value)
    return frame


def _unmeasured(network: Network) -> VariantFrame:
    """Return the frame of a pass that ran other operations than the network shows, of which nothing but the loss is told."""
    layers, states, skips = ([None] * count for count in (network.depth, network.depth + 1, len(network.skips)))
    fields = {name: [*layers] for name in ("weight_grad", "trunk_grad", "scale_grad", "update_ratio")}
    fields |= {name: [*states] for name in ("state_grad", "state_rms")}
    fields |= {name: [*skips] for name in ("skip_grad", "skip_weight_grad")}
    return VariantFrame(loss=None, metric=None, head_grad=None, **fields)
