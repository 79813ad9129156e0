"""A pass's calls of torch, noted once and made again without Python and without autograd: the same bits in a fraction of the time.

As CUDA replays a graph, torch's interpreter of graphs makes the calls here, each into the memory that it filled when it was
noted: views of it need no call, and nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate
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

JOIN = torch.ops.aten.cat.default
TYPES = {bool: "bool", int: "int", float: "float", str: "str", torch.device: "Device"}
"""Types of constants, in torch's words."""


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
        if not (operation.is_view and isinstance(result, Tensor) and memory(result) == memory(args[0])):
            self.calls.append((operation, args, given, result))
        return result


def noted(work: Callable[[], T], parts: Callable[[T], Iterable[Tensor]]) -> tuple[T, Graph]:
    """Return what `work` returns, and a graph that fills `parts` of it anew from what the inputs and parameters hold then.

    Other tensors of it hold nothing afterwards.
    """
    with Notes() as notes:
        result = work()
    return result, Graph(notes.calls, parts(result))


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
    """Calls as a graph of torch's interpreter; what `kept` tensors hold lasts to the end. They need no graph of autograd.

    It is ready after its `pieces`. All that calls fill is moved into one piece of memory, since what lies between things that go
    leaves gaps. Its tensors are unpacked from one constant: a node for each would take as much again.
    """

    def __init__(self, calls: list[Call], kept: Iterable[Tensor]) -> None:
        self._lines: list[str] = []
        """The calls as torch's text of a graph: each object of a graph in Python would copy a page that a forked process shares."""
        self._names: dict[tuple, str] = {}
        self._tensors: list[Tensor] = []
        self._others: list[tuple[str, object]] = []
        """Constants that are no tensors, with their types."""
        self._calls, self._kept = calls, list(kept)

    def pieces(self, count: int) -> Iterator[None]:
        """Write the calls down, some `count` at a time.

        Raises `UnrepeatableError` where they are not the same for all inputs.
        """
        touched = []
        for number, (operation, args, given, result) in enumerate(self._calls, start=1):
            joined = args[0] if operation is JOIN else ()
            touched.append(Touched(_memories((args, given)), _memories([result]), result, joined))
            if not number % (4 * count):
                yield
        self._places, size = places(touched, set(map(memory, self._kept)))
        self._memory = torch.empty(size, dtype=torch.uint8).untyped_storage()
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
        for tensor in self._kept:
            tensor.data = self._placed(tensor)
        given = [("Tensor[]", self._tensors), *self._others]
        head = ", ".join(f"%c{number} : {kind}" for number, (kind, _) in enumerate(given))
        unpacked = ", ".join(f"%t{number} : Tensor" for number in range(len(self._tensors)))
        none = "%none : NoneType = prim::Constant()"
        lines = [f"graph({head}):", none, f"{unpacked} = prim::ListUnpack(%c0)", *self._lines, "return (%none)"]
        self._graph = torch._C.parse_ir("\n  ".join(lines) + "\n")
        first = next(iter(self._graph.nodes()))
        for place, (_, value) in zip([*self._graph.inputs()], given, strict=True):
            constant = self._graph.insertConstant(value)
            constant.node().moveBefore(first)
            place.replaceAllUsesWith(constant)
        for _ in given:
            self._graph.eraseInput(0)
        self._function = torch._C._create_function_from_graph("calls", self._graph)
        del self._lines, self._names, self._tensors, self._others, self._places, self._calls, self._kept, self._memory

    def call(self) -> None:
        """Make the calls again."""
        _interpret(self._function)
        if self._graph is not None:  # the interpreter has its own copies of it by now
            torch._C._jit_pass_dce_allow_deleting_nodes_with_side_effects(self._graph)
            self._graph = None

    def _note(self, operation, args: tuple, given: dict, result, held: set[int]) -> None:
        """Write down one call, which reads `held` memory, unless all that it makes is a view."""
        if operation is JOIN and self._places.get(memory(args[0][0])) == self._places.get(memory(result), -1):
            return
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

    def _call(self, form: Form, inputs: list) -> list[str]:
        values = [self._value(value, kind) for (_, _, kind), value in zip(form.arguments, inputs, strict=True)]
        return self._add(form.name, values, form.returns)

    def _add(self, name: str, values: list[str], results: int, kind: str = "Tensor") -> list[str]:
        """Write down a call; return the names of its results."""
        made = [f"%r{len(self._lines)}x{number}" for number in range(results)]
        left = ", ".join(f"{one} : {kind}" for one in made)
        self._lines.append(f"{left}{' = ' if made else ''}{name}({', '.join(values)})")
        return made

    def _value(self, value, kind: str) -> str:
        """Return the name of an argument of a type that the call's schema names; what was given before is the same constant."""
        if value is None:
            return "%none"
        if isinstance(value, list | tuple) and "Tensor" in kind:
            names = [self._value(one, "Tensor") for one in value]
            return self._add("prim::ListConstruct", names, 1, "Tensor?[]" if "Optional" in kind else "Tensor[]")[0]
        if isinstance(value, torch.dtype | torch.layout | torch.memory_format):
            value = CODES[value]
        if isinstance(value, Tensor):
            value = self._placed(value)
            key = memory(value), value.storage_offset(), value.shape, value.stride(), value.dtype
        else:
            key = kind, repr(value)
        if key not in self._names:
            self._names[key] = self._constant(value, kind)
        return self._names[key]

    def _placed(self, tensor: Tensor) -> Tensor:
        """Return a tensor as it lies in the memory that its own is given."""
        place = self._places.get(memory(tensor))
        if place is None:
            return tensor.detach()
        first = place // tensor.element_size() + tensor.storage_offset()
        return tensor.new_empty(0).set_(self._memory, first, tensor.shape, tensor.stride())

    def _constant(self, value, kind: str) -> str:
        if isinstance(value, Tensor):
            self._tensors.append(value)
            return f"%t{len(self._tensors) - 1}"
        if kind == "List[int]" and not len(value):
            return self._add("prim::ListConstruct", [], 1, "int[]")[0]
        value = list(value) if isinstance(value, tuple) else float(value) if kind == "float" else value
        self._others.append((f"{TYPES[type(value[0])]}[]" if isinstance(value, list) else TYPES[type(value)], value))
        return f"%c{len(self._others)}"


class Touched(NamedTuple):
    """The pieces of memory that a call reads and gives, what it returns, and what it only lays side by side for that."""

    reads: set[int]
    gives: set[int]
    result: object
    joined: Sequence[Tensor] = ()


ALIGNED = 64
"""Bytes at whose multiples a piece of memory begins, as torch's own do."""
LANE = 16
"""Likewise a part of what is joined: written elsewhere, a product of MKL has other bits on processors of AMD."""


def places(calls: list[Touched], kept: set[int]) -> tuple[dict[int, int], int]:
    """Return, by what calls fill, the byte at which it may lie in one piece of memory, and the bytes of that piece.

    What nothing reads to the end lies where something lay that is read no more by then; what is joined at once where it ends up.
    """
    last = {own: number for number, call in enumerate(calls) for own in call.reads | call.gives}
    found, size = _joined(calls, last, kept)
    lasting, bytes_of = kept | found.keys(), {}
    free: dict[int, list[int]] = {}
    for number, (reads, gives, result, _) in enumerate(calls):
        for tensor in _tensors([result]) if gives - reads else ():
            own = memory(tensor)
            if own not in reads and own not in found:
                bytes_of[own] = count = _aligned(tensor)
                left = None if own in lasting else free.get(count)
                found[own] = left.pop() if left else size
                size += count if found[own] == size else 0
        for own in reads | gives:
            if last[own] == number and own in bytes_of and own not in lasting:
                free.setdefault(bytes_of[own], []).append(found[own])
    return found, size


def _joined(calls: list[Touched], last: dict[int, int], kept: set[int]) -> tuple[dict[int, int], int]:
    """Return where flat parts that are joined lie, which nothing else needs by then, and what they are joined to; see `places`."""
    found: dict[int, int] = {}
    size, made = 0, set()
    for number, (reads, gives, result, parts) in enumerate(calls):
        made |= gives - reads
        owns = [memory(part) for part in parts]
        free = made - kept - found.keys()
        alone = len({*owns}) == len(owns) and all(own in free and last[own] == number for own in owns)
        if parts and alone and all(part.dim() == 1 and part.nbytes == part.untyped_storage().nbytes() for part in parts):
            begins = list(accumulate((part.nbytes for part in parts[:-1]), initial=size))
            if any(begin % LANE for begin in begins):
                continue
            found |= {memory(result): size, **dict(zip(owns, begins, strict=True))}
            size += _aligned(result)
    return found, size


def _aligned(tensor: Tensor) -> int:
    """Return the bytes from the begin of a tensor's memory to that of the next."""
    return -(-tensor.untyped_storage().nbytes() // ALIGNED) * ALIGNED


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
