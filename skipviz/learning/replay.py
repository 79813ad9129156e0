"""A pass's calls of torch, noted once and made again without Python and without autograd: the same bits in a fraction of the time.

As CUDA replays a graph, torch's interpreter of graphs makes the calls here, each into the memory that it filled when it was
noted: views of it need no call, and nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

T = TypeVar("T")
Call = tuple
"""An operation, its arguments by place and by name, and what it returned."""
CHANCE = {
    torch.Tag.nondeterministic_seeded,
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
    torch.Tag.inplace_view,
}
"""What a call may say of itself that is not the same again: it draws, or its shape or what follows hangs on numbers."""
CODES = {
    torch.uint8: 0, torch.int32: 3, torch.int64: 4, torch.float32: 6, torch.float64: 7, torch.bool: 11, torch.bfloat16: 15,
    torch.strided: 0, torch.contiguous_format: 0, torch.preserve_format: 1, torch.channels_last: 2, torch.channels_last_3d: 3,
}  # fmt: skip
"""Types and layouts as torch's graphs have them (c10/core/ScalarType.h, Layout.h, MemoryFormat.h)."""

REDUCING = {"aten::mse_loss"}
"""Operations that take their target for the place of what they reduce, and give it another shape meanwhile."""
SAME_AS = {torch.ops.aten.relu.default: (torch.ops.aten.clamp_min.default, (0,))}
"""Operations that fill given tensors by a copy, and what they call, with further arguments."""


class UnrepeatableError(RuntimeError):
    """Something among the calls cannot be made again."""


class Notes(TorchDispatchMode):
    """Notes the calls that reach the kernels: those of a forward pass and those of its backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: else torch imports its compiler, seconds of every worker, to keep it out of here."""
        return False

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = kwargs or {}
        result = operation(*args, **given)
        self.calls.append((operation, args, given, result))
        return result


def noted(work: Callable[[], T], parts: Callable[[T], Iterable[Tensor]]) -> tuple[T, Graph]:
    """Return what `work` returns, and a graph that fills `parts` of it anew from what the inputs and parameters hold then.

    Other tensors of it hold nothing afterwards.
    """
    with Notes() as notes:
        result = work()
    return result, Graph(notes.calls, map(memory, parts(result)))


def _interpret(function) -> None:
    """Have the calls made as they stand: optimised, they would be fused, split and reordered, to other bits."""
    optimizes = torch._C._get_graph_executor_optimize()
    torch._C._set_graph_executor_optimize(False)
    try:
        with torch.inference_mode():
            function()
    finally:
        torch._C._set_graph_executor_optimize(optimizes)


class Graph:
    """Calls as a graph of torch's interpreter; what lies in `kept` memory lasts to the end.

    It is ready after its `pieces`. Its tensors are unpacked from one constant: a node for each would take as much again.
    """

    def __init__(self, calls: list[Call], kept: Iterable[int]) -> None:
        self._graph = torch._C.Graph()
        self._constants: dict[tuple, torch._C.Value] = {}
        self._held: list[Tensor] = []
        self._unpacked = self._graph.insertNode(self._graph.create("prim::ListUnpack", [], 0))
        self._calls, self._kept = calls, set(kept)

    def pieces(self, count: int) -> Iterator[None]:
        """Write the calls down, some `count` at a time.

        Raises `UnrepeatableError` where they are not the same for all inputs.
        """
        touched = []
        for number, (_, args, given, result) in enumerate(self._calls, start=1):
            touched.append(Touched(_memories((args, given)), _memories([result]), result))
            if not number % (4 * count):
                yield
        self._places = places(touched, self._kept)
        yield
        try:
            for number, ((operation, args, given, result), call) in enumerate(zip(self._calls, touched, strict=True), start=1):
                self._note(operation, args, given, result, call.reads)
                if not number % count:
                    yield
            self._end()
        except UnrepeatableError:
            raise
        except (RuntimeError, TypeError, KeyError) as error:  # a call that torch's graphs cannot write down
            raise UnrepeatableError(str(error)) from None

    def _end(self) -> None:
        held = self._graph.insertConstant(self._held)
        held.node().moveBefore(self._unpacked)
        self._unpacked.addInput(held)
        self._graph.registerOutput(self._constant(None, "Tensor"))
        self._function = torch._C._create_function_from_graph("calls", self._graph)
        del self._constants, self._held, self._unpacked, self._places, self._calls

    def call(self) -> None:
        """Make the calls again."""
        _interpret(self._function)
        if self._graph is not None:  # the interpreter has its own copies of it by now
            for node in reversed([*self._graph.nodes()][:-1]):
                node.destroy()
            self._graph = None

    def _note(self, operation, args: tuple, given: dict, result, held: set[int]) -> None:
        """Write down one call, which reads `held` memory, unless all that it makes is a view."""
        if operation in SAME_AS:
            operation, more = SAME_AS[operation]
            args = *args, *more
        form = _form(operation)
        if form.chance:
            raise UnrepeatableError(f"{operation} is another one each time")
        inputs = [*args, *(given.get(name, default) for name, default, _ in form.arguments[len(args) :])]
        made = list(_tensors(result if isinstance(result, tuple | list) else [result]))
        fresh = [tensor for tensor in made if memory(tensor) not in held]
        if not fresh:
            if form.mutable:
                self._call(form, inputs)
            return
        whole = result if isinstance(result, tuple) else (result,)
        into = _into(operation) if len(fresh) == len(whole) and form.name not in REDUCING else None
        if into is not None:
            self._call(into, [*inputs, *whole])
            return
        if any(isinstance(one, list) for one in whole):
            raise UnrepeatableError(f"{operation} makes a list")
        for target, value in zip(whole, self._call(form, inputs), strict=True):
            if isinstance(target, Tensor) and memory(target) not in held:
                self._add("aten::copy_", [self._value(target, "Tensor"), value, self._value(False, "bool")], 1)

    def _call(self, form: Form, inputs: list) -> list[torch._C.Value]:
        values = [self._value(value, kind) for (_, _, kind), value in zip(form.arguments, inputs, strict=True)]
        return self._add(form.name, values, form.returns)

    def _add(self, name: str, values: list[torch._C.Value], results: int) -> list[torch._C.Value]:
        return list(self._graph.insertNode(self._graph.create(name, values, results)).outputs())

    def _value(self, value, kind: str) -> torch._C.Value:
        """Return an argument of a type that the call's schema names; what was given before is the same constant."""
        if isinstance(value, list | tuple) and "Tensor" in kind:
            element = torch._C.OptionalType.ofTensor() if "Optional" in kind else torch._C.TensorType.get()
            return self._list([self._value(one, "Tensor") for one in value], element)
        if isinstance(value, torch.dtype | torch.layout | torch.memory_format):
            value = CODES[value]
        if isinstance(value, Tensor):
            value = self._placed(value)
            key = memory(value), value.storage_offset(), value.shape, value.stride(), value.dtype
        else:
            key = kind, repr(value)
        if key not in self._constants:
            self._constants[key] = self._constant(value, kind)
        return self._constants[key]

    def _placed(self, tensor: Tensor) -> Tensor:
        """Return a tensor as it lies in the memory that its own is given."""
        place = self._places.get(memory(tensor))
        if place is None:
            return tensor.detach()
        return tensor.new_empty(0).set_(place, tensor.storage_offset(), tensor.shape, tensor.stride())

    def _constant(self, value, kind: str) -> torch._C.Value:
        if value is None:
            (found,) = self._add("prim::Constant", [], 1)
            found.setType(torch._C.NoneType.get())
            return found
        if isinstance(value, Tensor):
            self._held.append(value)
            return self._unpacked.addOutput()
        if kind == "List[int]" and not len(value):
            return self._list([], torch._C.IntType.get())
        return self._graph.insertConstant(list(value) if isinstance(value, tuple) else float(value) if kind == "float" else value)

    def _list(self, values: list[torch._C.Value], element) -> torch._C.Value:
        (found,) = self._add("prim::ListConstruct", values, 1)
        found.setType(torch._C.ListType(element))
        return found


class Touched(NamedTuple):
    """The pieces of memory that a call reads and gives, and what it returns."""

    reads: set[int]
    gives: set[int]
    result: object


def places(calls: list[Touched], kept: set[int]) -> dict[int, torch.UntypedStorage]:
    """Return, by what calls fill and nothing reads to the end, the memory of an earlier one that is read no more by then."""
    last = {own: number for number, call in enumerate(calls) for own in call.reads | call.gives}
    free: dict[int, list[torch.UntypedStorage]] = {}
    used: dict[int, torch.UntypedStorage] = {}
    given = {}
    for number, (reads, gives, result) in enumerate(calls):
        for tensor in _tensors([result]) if gives - reads else ():
            own = memory(tensor)
            if own not in reads and own not in kept and own not in used:
                left = free.get(tensor.untyped_storage().nbytes())
                used[own] = given[own] = left.pop() if left else tensor.untyped_storage()
        for own in reads | gives:
            if last[own] == number and own in used:
                free.setdefault(used[own].nbytes(), []).append(used[own])
    return given


memory = torch._C._storage_address
"""Returns what says in which piece of memory a tensor lies."""


def _memories(values: Iterable) -> set[int]:
    return {memory(tensor) for tensor in _tensors(values)}


def _tensors(values: Iterable) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())


class Form(NamedTuple):
    """What a graph needs to know of an operation, read once: torch makes its answers anew each time."""

    name: str
    arguments: list[tuple[str, object, str]]
    """By its place each one's name, default and type, of an optional one that which it has where it is there."""
    returns: int
    mutable: bool
    chance: bool


@cache
def _form(operation) -> Form:
    schema = operation._schema
    kinds = [str(one.type) for one in schema.arguments]
    kinds = [kind.removeprefix("Optional[").removesuffix("]") if kind.startswith("Optional[") else kind for kind in kinds]
    arguments = [(one.name, one.default_value, kind) for one, kind in zip(schema.arguments, kinds, strict=True)]
    return Form(schema.name, arguments, len(schema.returns), schema.is_mutable, bool(CHANCE & set(operation.tags)))


@cache
def _into(operation) -> Form | None:
    """Return the form of the same operation that fills given tensors, None where there is none."""
    mine = [(one.name, str(one.type)) for one in operation._schema.arguments]
    for name in operation.overloadpacket.overloads():
        other = getattr(operation.overloadpacket, name)
        targets = [one for one in other._schema.arguments if one.is_out]
        if targets and [(one.name, str(one.type)) for one in other._schema.arguments if not one.is_out] == mine:
            return _form(other)
    return None
