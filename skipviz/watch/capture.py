"""Captures a forward pass as it runs, in eager mode: who made which tensor, and what comes back to it from each of its readers.

A `TorchFunctionMode` sees every function of torch while the watched module's forward runs, and gives each reader of a tensor an
alias of it, made right before the read: autograd then sums the same numbers in the same order as without, and a hook on the alias
hears the gradient that comes back along that edge. Nothing of it is there between two recorded passes.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import takewhile

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from .errors import WatchError
from .function_call import FunctionCall, alias_of, tensors_in
from .gradients import GradientRecord
from .module_words import words_of
from .switches import Switches
from .trace import ROOT, Call, Operation, Read, Trace
from .words import EXPORTED

MOST_OPERATIONS = 200_000
_UNSEEN = frozenset(
    {
        *("__get__", "__set__", "size", "dim", "stride", "numel", "is_floating_point", "data_ptr", "is_contiguous"),
        *("requires_grad_", "retain_grad", "register_hook", "register_post_accumulate_grad_hook"),
    }
)
"""Functions that make no tensor of their tensors' values, mean the very tensor that they are given, or hand on one that is found
again by its history."""
_LEAVES_TORCH = frozenset({"numpy", "__array__"})
"""Functions that refuse a tensor that has a gradient, as inputs have only while they are watched."""


_NO_STATES = ("mask", "bias", "weight", "position_ids", "position_embeddings")
"""In names of arguments that are real numbers and no data: nothing is learned of their gradient."""


class Capture(TorchFunctionMode):
    """One recorded forward pass of `model`; use `running` around it, and read `trace` and `gradients` afterwards."""

    def __init__(self, model: nn.Module, names: dict[int, str], paths: dict[int, str], switches: Switches) -> None:
        super().__init__()
        self.trace, self.gradients = Trace(), GradientRecord()
        self._model, self._names, self._paths, self._switches = model, names, paths, switches
        self._thread = threading.get_ident()
        self._stack: list[int] = []
        self._called: dict[int, int] = {}
        self._known: dict[int, tuple[int | str, int]] = {}
        """By the id of a tensor, what made it and which of its outputs it is."""
        self._weights: dict[int, tuple[str, ...]] = {}
        """By the id of a tensor made of parameters alone, their names."""
        self._inputs: dict[int, str] = {}
        """By the id of a tensor without gradient, the input that it was made of."""
        self._cut: dict[int, int | str] = {}
        """By the id of a tensor without gradient, what it was made of before it was cut from the graph."""
        self._made_by: dict[int, int | str] = {}
        """By the id of a node of autograd's graph, the operation or input that left it."""
        self._held: list = []
        """What was told apart by its id, which is another's once it has gone."""
        self._copied: list[tuple[Tensor, Tensor]] = []
        """Inputs as they were given, and the copies that the module runs on."""
        self._taken: set[str] = set()
        self._quiet: list[str] = []
        """Names of the parameters of modules that ran without gradients, as those in a checkpoint do until the backward pass."""
        self.broken: Exception | None = None
        """What was wrong with the capture itself, which then sees nothing more: the pass goes on."""
        self._failing: tuple[Exception, Operation, list[tuple[int, ...]]] | None = None
        """The last error of a function of torch, with the operation that it would have been and its tensors' shapes."""
        self.values: dict[int | str, Tensor] = {}
        """What each operation and input gave, until `let_go`."""

    @contextmanager
    def running(self) -> Iterator[Capture]:
        """See every operation and module call of this thread within."""
        with ExitStack() as stack:
            for handle in (
                register_module_forward_pre_hook(self._enter),
                register_module_forward_hook(self._leave, always_call=True),
            ):
                stack.callback(handle.remove)
            if "torch._dynamo" in sys.modules:  # parts may be compiled: they run in eager mode, where they are seen
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            self._begin_call(self._model)
            stack.callback(self._give_back)
            stack.enter_context(self)
            yield self

    def feed(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Return the module's arguments, of which tensors of real numbers have a gradient, masks and biases apart."""
        try:
            return self._feed(args, kwargs)
        except Exception as error:  # the module gets what it was given
            self.broken = error
            return args, kwargs

    def _feed(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        names = _argument_names(type(self._model).forward)
        args = tuple(self._fed(name, value) for name, value in zip((*names, *map(str, range(len(args)))), args, strict=False))
        return args, {name: self._fed(name, value) for name, value in kwargs.items()}

    def returned(self, output) -> None:
        """Note what the module returns; a loss beside other tensors is what is made of them, not what the network gives."""
        try:
            self._note_returned(output)
        except Exception as error:
            self.broken = error

    def _note_returned(self, output) -> None:
        found = []
        for tensor in tensors_in(output):
            made = self._source(tensor) if tensor.requires_grad else None
            if made is not None:
                found.append((tensor.dim() > 0, made[0]))
        largest = any(has_axes for has_axes, _ in found)
        self.trace.outputs = list(dict.fromkeys(source for has_axes, source in found if has_axes == largest))

    def failed(self, error: Exception) -> tuple[str, str, str, list[tuple[int, ...]]]:
        """End the trace where `error` left the module; return path and kind of what failed, its function and its shapes."""
        trace = self.trace
        read = {one.source for operation in trace.operations for one in operation.reads}
        ends = [number for number in range(len(trace.operations)) if number not in read]
        if self._failing is None or self._failing[0] is not error:
            trace.outputs = ends
            path, kind = module_of(error, self._paths) or (trace.calls[0].path, trace.calls[0].kind)
            return path, kind, type(error).__name__, []
        _, operation, sizes = self._failing
        if operation.reads:
            trace.failed = len(trace.operations)
            trace.operations.append(operation)
        trace.outputs = [*([trace.failed] if operation.reads else []), *ends]
        call = trace.calls[operation.call]
        return call.path, call.kind, operation.name, sizes

    def let_go(self) -> None:
        """Let the tensors go that the pass made."""
        self._held, self.values = [], {}
        self._known, self._weights, self._inputs, self._cut, self._made_by = {}, {}, {}, {}, {}
        self._failing = None

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if isinstance(func, torch._ops.OpOverload):  # an exported graph's functions have their overload's name behind
            name = EXPORTED.get(name.partition(".")[0], name.partition(".")[0])
        if name == "__set__" and func == Tensor.requires_grad.__set__ and args[0].requires_grad and args[1]:
            return None  # it has one already, and is no leaf any more
        if name in _UNSEEN or self.broken is not None or threading.get_ident() != self._thread or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        if name in _LEAVES_TORCH and args[0].requires_grad:
            return func(args[0].detach(), *args[1:], **kwargs)
        return FunctionCall(self, func, name, args, kwargs).run()

    def _fed(self, name: str, value):
        if type(value) in (list, tuple):
            return type(value)([self._fed(f"{name}.{place}", one) for place, one in enumerate(value)])
        if type(value) is dict:
            return {key: self._fed(f"{name}.{key}", one) for key, one in value.items()}
        if not isinstance(value, Tensor):
            return value
        trace = self.trace
        if value.is_floating_point() and not any(word in name.lower() for word in _NO_STATES):
            value = self._with_gradient(value)
            self._known[id(value)] = name, 0
            self._made_by[id(value.grad_fn)] = name
            self._held.append(value.grad_fn)
            self.values[name] = value
            self.gradients.of_state(name, value)
            trace.inputs[name] = tuple(value.shape[1:])
            trace.batch = trace.batch or (value.shape[0] if value.dim() else 1)
        else:
            self._inputs[id(value)] = name
            trace.batch = trace.batch or (value.shape[0] if value.dim() else 1)
        self._held.append(value)
        return value

    def _with_gradient(self, given: Tensor) -> Tensor:
        """Return a tensor of the same values that has a gradient, which goes on to what `given` was made of."""
        if given.requires_grad:
            return alias_of(given)
        copied = given.detach().requires_grad_().clone()
        self._copied.append((given, copied))
        return copied

    def _give_back(self) -> None:
        """Let an input that was changed in place be changed for whoever gave it."""
        with torch.no_grad():
            for given, copied in self._copied:
                if copied._version:
                    given.copy_(copied)
        self._copied = []

    def _enter(self, module: nn.Module, _args) -> None:
        if threading.get_ident() == self._thread and isinstance(module, nn.Module):
            names = [self._names[id(one)] for one in module.parameters(recurse=False) if id(one) in self._names]
            self._quiet = [] if torch.is_grad_enabled() else [*self._quiet, *names]
            self._begin_call(module)

    def _leave(self, _module, _args, _output) -> None:
        if threading.get_ident() == self._thread and len(self._stack) > 1:
            self._stack.pop()

    def _begin_call(self, module: nn.Module) -> None:
        number = self._called.get(id(module), 0)
        self._called[id(module)] = number + 1
        path = self._paths.get(id(module))
        parent = self._stack[-1] if self._stack else ROOT
        kind = type(module).__name__
        if path is None:
            outer = self.trace.calls[parent].path if parent != ROOT else ""
            path = f"{outer}.{kind}" if outer else kind
        self._stack.append(len(self.trace.calls))
        try:
            words = words_of(module)
        except Exception:  # what a module of somebody's own raises when it is asked for its facts
            words = "", ""
        self.trace.calls.append(Call(path, kind, parent, number, *words))

    @contextmanager
    def within(self, modules: list[tuple[str, nn.Module]], calls: dict[str, int]) -> Iterator[None]:
        """Let what runs within be of these modules' calls, the outer first; `calls`: numbers of those seen, by key."""
        outer, self._stack = self._stack, self._stack[:1]
        for key, module in modules:
            if key in calls:
                self._stack.append(calls[key])
            else:
                self._begin_call(module)
                calls[key] = self._stack[-1]
        try:
            yield
        finally:
            self._stack = outer

    def found_unregistered(self) -> None:
        """Note that a parameter is read that is none of the module's."""
        calls, known = [self.trace.calls[number] for number in self._stack], {*self._paths.values()}
        owner = max((place for place, call in enumerate(calls) if call.path in known), default=0)
        inner = calls[min(owner + 1, len(calls) - 1)]
        self.trace.unregistered.setdefault(calls[owner].path, inner.kind if inner is not calls[owner] else "somebody else")

    def _source(self, tensor: Tensor) -> tuple[int | str, int] | None:
        """Return what made a tensor that has a gradient, found in autograd's graph where no function of torch was seen to."""
        known = self._known.get(id(tensor))
        if known is not None or tensor.is_leaf:
            return known
        if id(tensor) in self._weights:
            return None
        return self._unseen(tensor)

    def _unseen(self, tensor: Tensor) -> tuple[int | str, int] | None:
        """Note what an autograd function of somebody's own, or an attribute, made, with all that it is seen to depend on."""
        sources, weights, ways, met = [], [], [tensor.grad_fn], set()
        while ways:
            node = ways.pop()
            if node is None or node in met:
                continue
            met.add(node)
            made, variable = self._made_by.get(id(node)), getattr(node, "variable", None)
            if variable is not None:
                weights += [self._names[id(variable)]] if id(variable) in self._names else []
            elif made is not None:
                sources.append(made)
            else:
                ways += [way for way, _ in node.next_functions]
        if not sources:
            self._weights[id(tensor)] = tuple(dict.fromkeys(weights))
            self._held.append(tensor)
            return None
        shapes = [self.trace.inputs[one] if isinstance(one, str) else self.trace.operations[one].shape for one in sources]
        reads = [Read(one, slot, 0, shape) for slot, (one, shape) in enumerate(dict(zip(sources, shapes, strict=True)).items())]
        name = type(tensor.grad_fn).__name__.removesuffix("Backward")
        if name == "CheckpointFunction":
            weights, self._quiet = [*weights, *self._quiet], []
        outer = self._stack
        self._stack = self._around(reads, weights)
        operation = self.operation(name, reads, weights)
        self._stack = outer
        self.note(operation, [tensor])
        return self._known.get(id(tensor))

    def _around(self, reads: list[Read], weights: list[str]) -> list[int]:
        """Return the calls within which something ran unseen: those around all that it reads, and the module of its weights."""
        calls, around = self.trace.calls, [*self._stack]
        for read in reads:
            call = self.trace.operations[read.source].call if isinstance(read.source, int) else 0
            ancestors = {call}
            while call > 0:
                call = calls[call].parent
                ancestors.add(call)
            around = [one for one in around if one in ancestors]
        parts = [*takewhile(lambda one: len({*one}) == 1, zip(*(name.split(".")[:-1] for name in weights), strict=False))]
        paths = {".".join(part[0] for part in parts[:length]) for length in range(1, len(parts) + 1)}
        within = [one for one in self._stack[len(around) :] if calls[one].path in paths]
        empty = [one for one, call in enumerate(calls) if call.path in paths and not call.operations]
        return [*around, *(within or empty[-1:])]

    def operation(self, name: str, reads: list[Read], parameters: Iterable[str]) -> Operation:
        """Return a new operation of the module call that runs."""
        call = self.trace.calls[self._stack[-1]]
        key = f"{call.path}#{call.number}:{call.operations}"
        call.operations += 1
        names = dict.fromkeys(parameters)
        own = [one for one in names if one not in self._taken]
        self._taken.update(own)
        return Operation(name, self._stack[-1], key, reads, own, [one for one in names if one not in own])

    def note(self, operation: Operation, outputs: list[Tensor]) -> None:
        """Keep an operation and know its outputs again."""
        number = len(self.trace.operations)
        if number >= MOST_OPERATIONS:
            raise WatchError(f"one forward pass has over {MOST_OPERATIONS:,} operations: watch a part of the module")
        self.trace.operations.append(operation)
        first = outputs[0]
        operation.shape, operation.elements = tuple(first.shape[1:]), first.numel()
        operation.outputs = len(outputs)
        for part, tensor in enumerate(outputs):
            self._known[id(tensor)] = number, part
            if tensor.grad_fn is not None:
                self._made_by[id(tensor.grad_fn)] = number
                self._held.append(tensor.grad_fn)
            self._held.append(tensor)
            self.gradients.of_state(number, tensor, part)
            self._switches.given(operation, tensor)
        self.values[number] = first


def module_of(error: Exception, paths: dict[int, str]) -> tuple[str, str] | None:
    """Return path and class of the innermost module whose forward an error left."""
    found, at = None, error.__traceback__
    while at is not None:
        owner = at.tb_frame.f_locals.get("self")
        if isinstance(owner, nn.Module) and id(owner) in paths:
            found = paths[id(owner)], type(owner).__name__
        at = at.tb_next
    return found


def arguments_of(batch) -> tuple[tuple, dict]:
    """Return how a batch is given to a forward: a tensor, a tuple of arguments or a dict of them."""
    return ((), batch) if isinstance(batch, dict) else (batch if isinstance(batch, tuple) else (batch,), {})


@cache
def _argument_names(forward: Callable) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(forward).parameters)[1:]
    except (TypeError, ValueError):
        return ()
