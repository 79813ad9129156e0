"""Captures a forward pass as it runs, in eager mode: who made which tensor, and what comes back to it from each of its readers.

A `TorchFunctionMode` sees every function of torch while the watched module's forward runs, and gives each reader of a tensor an
alias of it, made right before the read: autograd then sums the same numbers in the same order as without, and a hook on the alias
hears the gradient that comes back along that edge. Nothing of it is there between two recorded passes.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from .errors import WatchError
from .gradients import GradientRecord
from .module_words import words_of
from .switches import Switches
from .trace import ROOT, Call, Operation, Read, Trace

MOST_OPERATIONS = 200_000
_UNSEEN = frozenset(
    {"__get__", "__set__", "size", "dim", "stride", "numel", "is_floating_point", "requires_grad_", "register_hook"}
)
"""Functions that make no tensor of their tensors' values, or hand one on that is found again by its history."""


_NO_STATES = ("mask", "bias", "weight", "position")
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
        self._made_by: dict[int, int] = {}
        """By the id of a node of autograd's graph, the operation that left it."""
        self._held: list = []
        """What was told apart by its id, which is another's once it has gone."""
        self._taken: set[str] = set()
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
            self._begin_call(self._model)
            stack.enter_context(self)
            yield self

    def feed(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Return the module's arguments, of which tensors of real numbers have a gradient, masks and biases apart."""
        names = _argument_names(type(self._model).forward)
        args = tuple(self._fed(name, value) for name, value in zip((*names, *map(str, range(len(args)))), args, strict=False))
        return args, {name: self._fed(name, value) for name, value in kwargs.items()}

    def returned(self, output) -> None:
        """Note what the module returns; a loss beside other tensors is what is made of them, not what the network gives."""
        found = []
        for tensor in tensors_in(output):
            made = self._source(tensor) if tensor.requires_grad else None
            if made is not None:
                found.append((tensor.dim() > 0, made[0]))
        largest = any(has_axes for has_axes, _ in found)
        self.trace.outputs = list(dict.fromkeys(source for has_axes, source in found if has_axes == largest))

    def let_go(self) -> None:
        """Let the tensors go that the pass made."""
        self._held, self.values = [], {}
        self._known, self._weights, self._inputs, self._cut, self._made_by = {}, {}, {}, {}, {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "__set__" and func == Tensor.requires_grad.__set__ and args[0].requires_grad and args[1]:
            return None  # it has one already, and is no leaf any more
        if name in _UNSEEN or threading.get_ident() != self._thread or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        return _Seen(self, func, name, args, kwargs).run()

    def _fed(self, name: str, value):
        if not isinstance(value, Tensor):
            return value
        trace = self.trace
        if value.is_floating_point() and not any(word in name.lower() for word in _NO_STATES):
            value = value.detach().requires_grad_().clone()
            self._known[id(value)] = name, 0
            self.values[name] = value
            self.gradients.of_state(name, value)
            trace.inputs[name] = tuple(value.shape[1:])
            trace.batch = trace.batch or (value.shape[0] if value.dim() else 1)
        else:
            self._inputs[id(value)] = name
            trace.batch = trace.batch or (value.shape[0] if value.dim() else 1)
        self._held.append(value)
        return value

    def _enter(self, module: nn.Module, _args) -> None:
        if threading.get_ident() == self._thread and isinstance(module, nn.Module):
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
        self.trace.calls.append(Call(path, kind, parent, number, *words_of(module)))

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
        reads = [Read(source, slot, 0, self.trace.operations[source].shape) for slot, source in enumerate(dict.fromkeys(sources))]
        operation = self.operation(type(tensor.grad_fn).__name__.removesuffix("Backward"), reads, weights)
        self.note(operation, [tensor])
        return self._known.get(id(tensor))

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
        operation.dtype, operation.outputs = str(first.dtype).removeprefix("torch."), len(outputs)
        for part, tensor in enumerate(outputs):
            self._known[id(tensor)] = number, part
            if tensor.grad_fn is not None:
                self._made_by[id(tensor.grad_fn)] = number
                self._held.append(tensor.grad_fn)
            self._held.append(tensor)
            self.gradients.of_state(number, tensor, part)
        self.values[number] = first


class _Seen:
    """One call of a function of torch while it is taken in."""

    def __init__(self, capture: Capture, func: Callable, name: str, args: tuple, kwargs: dict) -> None:
        self.capture, self.func, self.name, self.args, self.kwargs = capture, func, name, args, kwargs
        self.reads: list[Read] = []
        self.tensors: list[tuple[Read, Tensor, Tensor]] = []
        """Of each read, the tensor as it was and as it is read."""
        self.parameters: list[str] = []
        self.from_input: list[tuple[str, Tensor]] = []
        self.frozen = False
        """Whether it takes values of parameters that have no gradient."""
        self.cut: list[int | str] = []
        self.slots = 0
        self.target = self._changed_in_place()

    def _changed_in_place(self) -> Tensor | None:
        """Return the tensor that the function changes in place."""
        name, first = self.name, self.args[0] if self.args else None
        own = name == "__setitem__" or (name.endswith("_") and not name.startswith("__")) or name in _IN_PLACE_SIGNS
        if own or _asks_in_place(self.func, self.args, self.kwargs):
            return first if isinstance(first, Tensor) else None
        return self.kwargs.get("out") if isinstance(self.kwargs.get("out"), Tensor) else None

    def run(self):
        capture = self.capture
        args = tuple(self._taken(value) for value in self.args)
        kwargs = {name: value if name == "out" else self._taken(value) for name, value in self.kwargs.items()}
        operation = None
        if self.reads or (self.parameters and self.from_input):
            if not self.reads:
                self._read_inputs()
            operation = capture.operation(self.name.strip("_"), self.reads, self.parameters)
            operation.detached = self.cut
            args, kwargs = self._switched(operation, args, kwargs)
        output = self.func(*args, **kwargs)
        return self._noted(operation, output, args)

    def _read_inputs(self) -> None:
        """Read the inputs of which what it takes was made, as an embedding reads tokens."""
        trace = self.capture.trace
        for slot, (name, tensor) in enumerate(dict(self.from_input).items()):
            if name not in trace.inputs:
                trace.inputs[name] = tuple(tensor.shape[1:])
                trace.tokens.add(name)
            self.reads.append(Read(name, slot, 0, trace.inputs[name]))

    def _switched(self, operation: Operation, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Return the arguments with what the person's switches make of them, and hear the gradients of their aliases."""
        capture, replaced = self.capture, {}
        operation.in_place = self.target is not None
        operation.detail = _detail(self.name, self.args, self.kwargs)
        number = len(capture.trace.operations)
        for read, tensor, alias in self.tensors:
            if alias is not tensor:
                capture.gradients.of_read(number, read.slot, alias)
            elif tensor is self.target:
                capture.gradients.of_changed(number, read.slot, tensor, read.source)
            switched = capture._switches.applied(operation, read, alias)
            if switched is not alias:
                replaced[id(alias)] = switched
        if not replaced:
            return args, kwargs
        self.replaced_target = self.target is not None and id(self.target) in replaced
        return _mapped(args, replaced), _mapped(kwargs, replaced)

    replaced_target = False

    def _noted(self, operation: Operation | None, output, args: tuple):
        capture = self.capture
        if self.replaced_target:
            with torch._C.DisableTorchFunction():
                output = self.target.copy_(output if output is not None else args[0])
        aliases = {id(alias): tensor for _, tensor, alias in self.tensors if alias is not tensor}
        if isinstance(output, Tensor) and id(output) in aliases:
            return aliases[id(output)]  # the function handed on what it read
        made = [self.target] if self.name == "__setitem__" else [*tensors_in(output)]
        live = [tensor for tensor in made if tensor.requires_grad]
        if operation is None or not live:
            self._note_others(made, live)
            return output
        if len(live) == 1 and live[0] is not self.target and any(live[0] is tensor for _, tensor, _ in self.tensors):
            return output
        capture.note(operation, live)
        return output

    def _note_others(self, made: list[Tensor], live: list[Tensor]) -> None:
        """Know what is made of parameters alone, or of inputs without gradient."""
        capture = self.capture
        for tensor in made if self.frozen and not self.reads and not self.from_input else live:
            if self.parameters:
                capture._weights[id(tensor)] = tuple(dict.fromkeys(self.parameters))
                capture._held.append(tensor)
        for source in [*(read.source for read in self.reads), *self.cut][:1]:
            for tensor in made:
                if not tensor.requires_grad and tensor.is_floating_point():
                    capture._cut[id(tensor)] = source
                    capture._held.append(tensor)
        for name, _ in self.from_input[:1]:
            for tensor in made:
                if not tensor.requires_grad:
                    capture._inputs[id(tensor)] = name
                    capture._held.append(tensor)

    def _taken(self, value):
        """Return an argument as the function is to have it."""
        if isinstance(value, Tensor):
            return self._read(value)
        if type(value) in (list, tuple):
            return type(value)([self._taken(one) for one in value])
        if type(value) is dict:
            return {name: self._taken(one) for name, one in value.items()}
        return value

    def _read(self, tensor: Tensor) -> Tensor:
        capture, slot = self.capture, self.slots
        self.slots += 1
        name = capture._names.get(id(tensor))
        if name is not None:
            self.parameters.append(name)
            self.frozen = not tensor.requires_grad and not self.name.startswith("new_") and not self.name.endswith("_like")
            return tensor
        if not tensor.requires_grad:
            if id(tensor) in capture._weights:
                self.parameters += capture._weights[id(tensor)]
                self.frozen = True
            if id(tensor) in capture._cut:
                self.cut.append(capture._cut[id(tensor)])
            if id(tensor) in capture._inputs:
                self.from_input.append((capture._inputs[id(tensor)], tensor))
            return tensor
        source = capture._source(tensor)
        if source is None:
            self.parameters += capture._weights.get(id(tensor), ())
            return tensor
        read = Read(source[0], slot, source[1], tuple(tensor.shape[1:]))
        self.reads.append(read)
        alias = tensor
        if tensor is not self.target:
            with torch._C.DisableTorchFunction():
                alias = tensor.view_as(tensor)
            read.aliased = True
        self.tensors.append((read, tensor, alias))
        return alias


_IN_PLACE_SIGNS = frozenset({"__iadd__", "__isub__", "__imul__", "__idiv__", "__itruediv__", "__ipow__"})


@cache
def _in_place_argument(func: Callable) -> int | None:
    """Return the place of a function's argument `inplace`, or None."""
    try:
        names = [*inspect.signature(func).parameters]
    except (TypeError, ValueError):
        return None
    return names.index("inplace") if "inplace" in names else None


def _asks_in_place(func: Callable, args: tuple, kwargs: dict) -> bool:
    if "inplace" in kwargs:
        return bool(kwargs["inplace"])
    try:
        place = _in_place_argument(func)
    except TypeError:
        return False
    return place is not None and len(args) > place and args[place] is True


def _detail(name: str, args: tuple, kwargs: dict) -> tuple:
    """Return a concat's axis, and by what a number multiplies."""
    if name in ("cat", "concat", "concatenate"):
        axis = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else 0))
        tensors = [*tensors_in(args[:1])] or [*tensors_in(kwargs)]
        return (axis % tensors[0].dim(),)
    return ()


def tensors_in(value) -> Iterator[Tensor]:
    """Yield the tensors in what a function or a module returns."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from tensors_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from tensors_in(getattr(value, name, None))


def _mapped(value, replaced: dict[int, Tensor]):
    if isinstance(value, Tensor):
        return replaced.get(id(value), value)
    if type(value) in (list, tuple):
        return type(value)([_mapped(one, replaced) for one in value])
    if type(value) is dict:
        return {name: _mapped(one, replaced) for name, one in value.items()}
    return value


@cache
def _argument_names(forward: Callable) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(forward).parameters)[1:]
    except (TypeError, ValueError):
        return ()
