"""A torch module that is watched while its own script trains it."""

from __future__ import annotations

import json
import secrets
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..learning.frame import Frame, VariantFrame
from ..learning.frame_text import decode_frame, encode_frame
from ..learning.passes import combined
from ..learning.progress import run_header
from ..network.network import Network
from ..settings import get_settings
from ..storage.run import GUEST, Run
from ..tasks.experiment import MOST_STEPS, Experiment, Training
from ..tasks.task import Task
from .boxes import Boxes
from .capture import Capture
from .check import check
from .errors import WatchError
from .failure import Failure, sentence_of
from .faults.unused import unused_modules
from .finding import Report
from .frames import Values, element_counts, frame_of
from .gradients import GradientRecord
from .guard import Guard, compiled_from
from .layout import MOST_LAYOUTS, Layout, layout_of
from .live import Live, say
from .notebook import Shown
from .projection import is_alike, projected, varying
from .summary import repeats, summary, unregistered
from .switches import Switches

VARIANT = "model"
FREE_SECONDS, SHARE = 0.5, 0.03
"""What recorded steps may cost by default: so much at once, and of the time that training takes."""
FIRST_SECONDS = 0.05
"""That a first recorded step counts at most: much of what it takes is torch's own beginning."""
MOST_OFTEN = 0.03
"""Seconds between two frames at least: what a page can show."""
STEPS = 1000
"""That a run is said to have while nobody knows better; doubled whenever they are used up."""
MOST_PASSES = 1024
"""Forward passes that may wait for one step."""
FRAME_BYTES = 64 * 2**20
"""Of frames kept here; then every other old one goes."""


class Watched(Shown):
    """Captures a module's forward pass on recorded steps, and measures what its owner's backward pass sends through it.

    >>> watched = skipviz.watch(model)
    >>> for x, y in loader:
    ...     loss = criterion(model(x), y)
    ...     loss.backward()
    ...     watched.step(loss)
    ...     optimizer.step(); optimizer.zero_grad()

    Between recorded steps nothing of it is there: no hook, no patch, no copy. `every` is in steps; None records as often as costs
    half a second and 3 % of the time at most, the first step always. `unfold` names modules, by path, that are shown operation by
    operation. Of a compiled module a recorded step runs in eager mode. With `export` (a batch: a tensor, a tuple of arguments or a
    dict of them) it is the static graph of `torch.export` that recorded steps run, and `network` is there before the first.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        every: int | None = None,
        title: str = "",
        steps: int | None = None,
        unfold=(),
        live: bool = True,
        export=None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise WatchError(f"watch takes a torch module, not a {type(model).__name__}")
        if isinstance(model, torch.jit.ScriptModule):
            raise WatchError("a scripted module runs where nothing of it can be seen: watch the module that it was made of")
        if isinstance(model, nn.DataParallel):
            raise WatchError(
                "DataParallel runs copies of its module that nobody sees: train on one device, or by DistributedDataParallel"
            )
        if every is not None and every < 1:
            raise WatchError(f"every is a number of steps, 1 at least, not {every}")
        given, model = model, compiled_from(model)
        self.model, self.every, self.title = model, every, title or type(model).__name__
        self.switches = Switches()
        self.layout: Layout | None = None
        self.run: Run | None = None
        """What was recorded, once there is a first frame."""
        self.steps_taken = 0
        self.listeners: list[Callable[[Watched, bytes], None]] = []
        """Called with each frame as it is kept, encoded."""
        self.failure: Failure | None = None
        """Where the last recorded pass ended early, if it did."""
        self.unused: list[str] = []
        """Paths of modules that the first recorded pass computed for nothing."""
        self.remarks: list[str] = []
        """What could not be shown or measured, each once."""
        self._steps, self._unfold = steps, frozenset((unfold,) if isinstance(unfold, str) else unfold)
        self._layouts: dict[int, Layout] = {}
        self._varied = False
        self._passes: list[_Pass] = []
        self._began = self._at = time.monotonic()
        self._plain: float | None = None
        """Seconds of the fastest step that was not recorded."""
        self._spent = self._recorded_at = 0.0
        """Seconds that recorded steps took longer than others, and when the last one ended."""
        self._captures, self._closed = True, False
        self._exported = self._export(export) if export is not None else None
        self._guard = Guard(self, given)
        self._guard.install()
        self.live = Live() if live and get_settings().watch else None
        """What shows it in the lab, unless that was not asked for."""
        if self.live is not None:
            weakref.finalize(self, self.live.end, "finished", wait=0.0).atexit = False

    @property
    def network(self) -> Network:
        """The module as a network, once a pass was recorded."""
        return self._needs_layout().network

    def step(self, loss: Tensor | float | None = None, gradient_scale: float = 1.0) -> VariantFrame | None:
        """End a step: call it once after the backward pass, before gradients are set to zero. Return what was measured, if it was.

        `gradient_scale` is the factor that a gradient scaler has on the loss. Of several passes since the last call (gradient
        accumulation), states are measured as of one batch of all their samples.
        """
        if self._closed:
            return None
        if self.live is not None:
            self.live.loss = loss.detach() if isinstance(loss, Tensor) else loss
        passes, self._passes = [one for one in self._passes if one.record.states] or self._passes[-1:], []
        frame = None
        if passes:
            value = loss.item() if isinstance(loss, Tensor) else loss
            with self._harmless():
                frame = combined([self._frame(one, value, gradient_scale) for one in passes])
                self._keep(frame, passes[-1])
        elif self.run is not None:
            self.run.step = self.steps_taken + 1
        elif self._captures and self.failure is None and not self.remarks:
            self._remark("no forward pass of the module was seen before step: it has to be called itself, with gradients on")
        now = time.monotonic()
        if not passes and self.steps_taken:
            taken = now - self._at
            self._plain = taken if self._plain is None else min(self._plain, taken)
        self._schedule(now, bool(passes))
        self.steps_taken, self._at = self.steps_taken + 1, now
        return frame

    def found(self) -> str:
        """Return in one line what the last recorded step shows: skips, the layer that starves, what is computed for nothing."""
        return summary(self._needs_layout(), self.frame(), self.unused)

    def close(self) -> None:
        """Watch no longer: the run has ended, and what was recorded stays."""
        self._captures, self._closed = False, True
        self._guard.remove()
        if self.run is not None:
            self.run.state = "finished"
        if self.live is not None:
            self.live.end("finished")

    def frame(self) -> VariantFrame:
        """Return the last frame's measurements. Raises `WatchError` before the first."""
        return decode_frame(self._recorded().frames[-1]).variants[VARIANT]

    def check(self, batch, loss: Callable | None = None) -> Report:
        """Return what is found in one pass over `batch`; see `skipviz.watch.check.check`. Nothing of the training changes."""
        self._guard.remove()
        try:
            return check(self.model, batch, loss)
        finally:
            if self._captures:
                self._guard.install()

    def dataframe(self):
        """Return every frame as one pandas table; see `skipviz.sharing.table`."""
        from ..sharing.table import table

        run = self._recorded()
        return table(run.experiment, map(decode_frame, run.frames))

    def recorded(self, args: tuple, kwargs: dict):
        """Run the module's forward and record it; see `Guard`."""
        capture, forward = self._capture(), self._guard.forward
        if any(one.record.states for one in self._passes) and all(one.grad is None for one in self.model.parameters()):
            self._passes = []  # what came of them was set to zero: they are no part of the step that comes
        if self._exported is not None:
            if not self._exported.takes(args, kwargs):
                self._remark("passes with inputs of other shapes than the exported ones, or in another mode, are not recorded")
                return forward(*args, **kwargs)
            forward = self._exported.forward(capture)
        self.failure = None
        try:
            with capture.running():
                fed, named = capture.feed(args, kwargs)
                output = forward(*fed, **named)
                capture.returned(output)
        except Exception as error:
            self._fails(capture, error)
            raise
        with self._harmless():
            if capture.broken is not None:
                raise capture.broken
            layout = self._layout_of(capture)
            capture.gradients.want(*layout.heard(capture.gradients.changed))
            one = _Pass(layout, capture.gradients, Values(layout, capture.values), capture.trace.batch)
            self._passes = [*self._passes[1 - MOST_PASSES :], one]
        capture.let_go()
        return output

    def _capture(self) -> Capture:
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}  # others, where a script replaced some
        paths = {id(module): path for path, module in self.model.named_modules()}
        return Capture(self.model, names, paths, self.switches)

    def _export(self, batch):
        """Return the module's static graph for inputs as those of `batch`, and know its network by it; raises `WatchError`."""
        from .exported import Exported

        exported, capture = Exported(self.model, batch), self._capture()
        exported.shapes(capture)
        if capture.broken is not None:
            raise WatchError(f"its exported graph cannot be followed: {capture.broken}") from capture.broken
        self._layout_of(capture)
        return exported

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """Keep what is wrong with a measurement to a remark: the person's training goes on."""
        try:
            yield
        except WatchError as error:
            self._remark(str(error))
        except Exception as error:
            self._remark(f"a step could not be measured: {type(error).__name__}: {error}")

    @property
    def captures(self) -> bool:
        """Whether the next forward pass is recorded."""
        return self._captures and torch.is_grad_enabled()

    def _layout_of(self, capture: Capture) -> Layout:
        signature = capture.trace.signature()
        if signature not in self._layouts:
            counts = {name: parameter.numel() for name, parameter in self.model.named_parameters()}
            boxes = Boxes(capture.trace, self._unfold)
            layout = layout_of(boxes, counts)
            if self.layout is None:
                self.layout, self.unused = layout, unused_modules(boxes)
                for text in [*repeats(capture.trace), *unregistered(capture.trace).values()]:
                    self._remark(text)
            else:
                if not is_alike(layout, self.layout):
                    self._remark("the module's layers are not the same at every step: shown are those of the first recorded one")
                elif paths := varying(layout, self.layout):
                    more = f" and {len(paths) - 1} more modules" if len(paths) > 1 else ""
                    self._vary(f"inside {paths[0]}{more} other parts run from step to step, as where tokens are routed to experts")
                elif layout.reads != self.layout.reads:
                    self._vary("inside some boxes other operations run from step to step")
                layout = projected(layout, self.layout)
            self._layouts = {**dict([*self._layouts.items()][1 - MOST_LAYOUTS :]), signature: layout}
        return self._layouts[signature]

    def _fails(self, capture: Capture, error: Exception) -> None:
        """Keep what ran before an error left the module's forward, and where that was."""
        try:
            path, kind, function, sizes = capture.failed(error)
            sentence, layout = sentence_of(path, kind, function, sizes, str(error)), None
            if capture.trace.outputs:
                counts = {name: parameter.numel() for name, parameter in self.model.named_parameters()}
                layout = layout_of(Boxes(capture.trace, self._unfold), counts)
            failed = {} if layout is None else {one: name for name, box in layout.boxes.items() for one in box.operations}
            network = layout and layout.network
            self.failure = Failure(sentence, path, network, failed.get(capture.trace.failed))
        except Exception as wrong:
            self._remark(f"a pass that failed could not be drawn: {type(wrong).__name__}: {wrong}")
        finally:
            capture.let_go()

    def _frame(self, one: _Pass, loss: float | None, scale: float) -> VariantFrame:
        if one.record.passes > 1:
            self._remark("several backward passes went through one forward pass: gradients of states are those of their sum")
        frame = frame_of(one.layout, one.record, one.values, self.model, loss, scale)
        if not frame.total_grad and frame.total_grad is not None and any(frame.state_grad):
            self._remark("no parameter had a gradient when step was called: call it after backward, before they are set to zero")
        return frame

    def _keep(self, frame: VariantFrame, measured: _Pass) -> None:
        first = self.run is None
        if first:
            self.run = self._new_run(measured)
        payload = encode_frame(Frame(self.steps_taken, {VARIANT: frame}, [], time.monotonic() - self._began))
        self.run.add_frame(payload)
        self.run.step = self.steps_taken + 1
        if self.run.bytes > FRAME_BYTES:
            self.run.thin()
        if self.live is not None:
            self.live.begin(self.run, self.found()) if first else self.live.hear()
        for listener in self.listeners:
            listener(self, payload)

    def _new_run(self, measured: _Pass) -> Run:
        steps = min(self._steps or STEPS, MOST_STEPS)
        training = Training(steps=steps, optimizer="sgd", learning_rate=0)
        experiment = Experiment(variants={VARIANT: self.network}, task=Task(name="watched"), training=training)
        run = Run(secrets.token_urlsafe(12), GUEST, experiment, state="running", title=self.title[:80])
        run.header_json = json.dumps(self._header(experiment, measured)).encode()
        return run

    def _header(self, experiment: Experiment, measured: _Pass) -> dict:
        """Return what a viewer needs once; see `Trainer.header`."""
        network, layout = experiment.network, measured.layout
        counts = element_counts(network, [measured.values.counts.get(name, 0) for name in layout.states], self.model)
        device = next((parameter.device.type for parameter in self.model.parameters()), "cpu")
        return run_header(experiment, {VARIANT: counts}, measured.batch, device)

    def _schedule(self, now: float, recorded: bool) -> None:
        """Decide whether the next step is recorded."""
        following = self.steps_taken + 1
        if self.every is not None:
            self._captures = following % self.every == 0
        else:
            taken = now - self._at
            if recorded:
                self._spent += min(FIRST_SECONDS, taken) if self._plain is None else max(0.0, taken - self._plain)
                self._recorded_at = now
            affordable = self._spent <= FREE_SECONDS + SHARE * (now - self._began)
            self._captures = affordable and now - self._recorded_at >= MOST_OFTEN
        self._captures |= following + 1 == self._steps
        if self._captures:
            self._guard.install()
        else:
            self._guard.remove()

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)
            if self.live is not None:
                say(text)

    def _vary(self, text: str) -> None:
        """Say that inside some boxes not all passes are alike; once, by the first that was not."""
        if not self._varied:
            self._varied = True
            self._remark(text)

    def _needs_layout(self) -> Layout:
        if self.layout is None:
            raise WatchError("no forward pass was recorded yet: run the module with gradients on, backward, and call step")
        return self.layout

    def _recorded(self) -> Run:
        if self.run is None:
            raise WatchError("nothing was measured yet: call step after a backward pass")
        return self.run


class _Pass:
    """A recorded forward pass that waits for its backward pass."""

    def __init__(self, layout: Layout, record: GradientRecord, values: Values, batch: int) -> None:
        self.layout, self.record, self.values, self.batch = layout, record, values, batch
