"""One call of a function of torch, while a capture takes it in: what it reads, what it changes, and what it gives."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .trace import Operation, Read
from .words import ELEMENTWISE

if TYPE_CHECKING:
    from .capture import Capture


class FunctionCall:
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
        self.ready: dict[int, list[Tensor]] = {}
        """Aliases of tensors that it reads more than once, by their ids: the first to be read is the last made, as autograd goes
        through what was made last first, and sums in the order of the slots what one node of its graph gives back."""

    def _changed_in_place(self) -> Tensor | None:
        """Return the tensor that the function changes in place."""
        name, first = self.name, self.args[0] if self.args else None
        own = name == "__setitem__" or (name.endswith("_") and not name.startswith("__")) or name in _IN_PLACE_SIGNS
        if own or _asks_in_place(self.func, self.args, self.kwargs):
            return first if isinstance(first, Tensor) else None
        return self.kwargs.get("out") if isinstance(self.kwargs.get("out"), Tensor) else None

    def run(self):
        try:
            operation, args, kwargs = self._prepared()
        except Exception as error:
            self.capture.broken = error
            return self.func(*self.args, **self.kwargs)
        try:
            output = self.func(*args, **kwargs)
        except Exception as error:
            self._fails(error, operation)
            raise
        try:
            return self._noted(operation, output, args)
        except Exception as error:
            self.capture.broken = error
            return output

    def _fails(self, error: Exception, operation: Operation | None) -> None:
        capture, name = self.capture, self.name.strip("_")
        operation = operation or Operation(name, capture._stack[-1], "")
        sizes = [tuple(tensor.shape) for tensor in tensors_in([self.args, self.kwargs])]
        capture._failing = error, operation, sizes

    def _prepared(self) -> tuple[Operation | None, tuple, dict]:
        """Return the operation that this is, if it is one, and the arguments as the function is to have them."""
        capture = self.capture
        if self.name.strip("_") in _ONE_NODE:
            self._make_ready()
        args = tuple(self._taken(value) for value in self.args)
        kwargs = {name: value if name == "out" else self._taken(value) for name, value in self.kwargs.items()}
        operation = None
        if self.reads or (self.parameters and self.from_input):
            if not self.reads:
                self._read_inputs()
            operation = capture.operation(self.name.strip("_"), self.reads, self.parameters)
            operation.detached = self.cut
            args, kwargs = self._switched(operation, args, kwargs)
        return operation, args, kwargs

    def _make_ready(self) -> None:
        read = [tensor for tensor in tensors_in([self.args, self.kwargs]) if tensor.requires_grad and tensor is not self.target]
        counts = Counter(map(id, read))
        for tensor in read:
            if counts[id(tensor)] > 1:
                with torch._C.DisableTorchFunction():
                    self.ready.setdefault(id(tensor), []).append(alias_of(tensor))

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
            if tensor is self.target and capture.values.get(read.source) is tensor:
                capture.values[read.source] = tensor.detach().clone()  # before it is changed
            if alias is not tensor:
                capture.gradients.of_read(number, read.slot, alias)
            elif tensor is self.target:
                capture.gradients.of_changed(number, read.slot, read.source)
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
        if self.target is not None and self.target._base is not None:
            capture._known.pop(id(self.target._base), None)  # written through a view: autograd knows of what it is made now
        aliases = {id(alias): tensor for _, tensor, alias in self.tensors if alias is not tensor}
        if isinstance(output, Tensor) and id(output) in aliases:
            given = aliases[id(output)]  # the function handed on what it read, as a dropout in eval mode
            return given if operation is None else capture._switches.stood_in(operation, given)
        if operation is not None:
            output = capture._switches.stood_in(operation, output)
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
            if id(tensor) not in capture._weights and isinstance(tensor, torch.nn.Parameter):
                capture.found_unregistered()
            self.parameters += capture._weights.get(id(tensor), ())
            return tensor
        again = next((alias for _, one, alias in self.tensors if one is tensor), None) if self.name in _ASKS_WHO else None
        if again is not None:
            return again
        read = Read(source[0], slot, source[1], tuple(tensor.shape[1:]))
        self.reads.append(read)
        alias = tensor
        if tensor is not self.target:
            ready = self.ready.get(id(tensor))
            with torch._C.DisableTorchFunction():
                alias = ready.pop() if ready else alias_of(tensor)
            read.aliased = True
        self.tensors.append((read, tensor, alias))
        return alias


_ONE_NODE = ELEMENTWISE | {"stack", "addcmul", "addcdiv", "mm", "bmm"}
"""Functions that are one node of autograd's graph; others are several, which give back in an order of their own."""
_ASKS_WHO = frozenset({"multi_head_attention_forward"})
"""Functions that compute otherwise where several arguments are one tensor: it reads that once, as one edge."""
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


def alias_of(tensor: Tensor) -> Tensor:
    """Return a view that is a node of its own in autograd's graph; a `view_as` would give an axis of one element another stride, by
    which some processors multiply in another way."""
    return torch.ops.aten.alias(tensor)


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
