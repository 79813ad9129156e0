"""A pass's calls of torch, noted once and made again without Python and without autograd: the same bits in a fraction of the time.

As CUDA replays a graph, torch's interpreter of graphs makes the calls here, each into the memory that it filled when it was
noted: views of it need no call, and nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

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


def noted(work: Callable[[], T], parts: Callable[[T], Iterable[Tensor]]) -> tuple[T, Callable[[], None]]:
    """Return what `work` returns, and a function that fills `parts` of it anew from what the inputs and parameters hold then.

    Other tensors of it hold nothing afterwards. Raises `UnrepeatableError` where the calls are not the same for all inputs.
    """
    with Notes() as notes:
        result = work()
    try:
        function = _Graph(notes.calls, map(memory, parts(result))).function()
    except UnrepeatableError:
        raise
    except (RuntimeError, TypeError, KeyError) as error:  # a call that torch's graphs cannot write down
        raise UnrepeatableError(str(error)) from None
    return result, lambda: _interpret(function)


def _interpret(function) -> None:
    """Have the calls made as they stand: optimised, they would be fused, split and reordered, to other bits."""
    optimizes = torch._C._get_graph_executor_optimize()
    torch._C._set_graph_executor_optimize(False)
    try:
        with torch.inference_mode():
            function()
    finally:
        torch._C._set_graph_executor_optimize(optimizes)


class _Graph:
    """Calls as a graph of torch's interpreter, whose tensors are constants; what lies in `kept` memory lasts to the end."""

    def __init__(self, calls: list[Call], kept: Iterable[int]) -> None:
        self._graph = torch._C.Graph()
        self._constants: dict[tuple, torch._C.Value] = {}
        self._places = places(calls, set(kept))
        for operation, args, given, result in calls:
            self._note(operation, args, given, result)
        self._graph.registerOutput(self._value(None, "Tensor"))

    def function(self):
        """Return it as a function without arguments."""
        return torch._C._create_function_from_graph("calls", self._graph)

    def _note(self, operation, args: tuple, given: dict, result) -> None:
        """Write down one call, unless all that it makes is a view."""
        if CHANCE & set(operation.tags):
            raise UnrepeatableError(f"{operation} is another one each time")
        schema = operation._schema
        inputs = [
            args[place] if place < len(args) else given.get(one.name, one.default_value)
            for place, one in enumerate(schema.arguments)
        ]
        held = {memory(tensor) for tensor in _tensors(inputs)}
        made = list(_tensors(result if isinstance(result, tuple | list) else [result]))
        fresh = [tensor for tensor in made if memory(tensor) not in held]
        if not fresh:
            if schema.is_mutable:
                self._call(schema, inputs)
            return
        whole = result if isinstance(result, tuple) else (result,)
        into = _into(operation) if len(fresh) == len(whole) and schema.name not in REDUCING else None
        if into is not None:
            self._call(into, [*inputs, *whole])
            return
        if any(isinstance(one, list) for one in whole):
            raise UnrepeatableError(f"{operation} makes a list")
        for target, value in zip(whole, self._call(schema, inputs), strict=True):
            if isinstance(target, Tensor) and memory(target) not in held:
                self._add("aten::copy_", [self._value(target, "Tensor"), value, self._value(False, "bool")], 1)

    def _call(self, schema, inputs: list) -> list[torch._C.Value]:
        values = [self._value(value, str(one.type)) for one, value in zip(schema.arguments, inputs, strict=True)]
        return self._add(schema.name, values, len(schema.returns))

    def _add(self, name: str, values: list[torch._C.Value], results: int) -> list[torch._C.Value]:
        return list(self._graph.insertNode(self._graph.create(name, values, results)).outputs())

    def _value(self, value, kind: str) -> torch._C.Value:
        """Return an argument of a type that the call's schema names; what was given before is the same constant."""
        kind = kind.removeprefix("Optional[").removesuffix("]") if kind.startswith("Optional[") else kind
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
            return self._graph.insertConstant(value)
        if kind == "List[int]" and not len(value):
            return self._list([], torch._C.IntType.get())
        return self._graph.insertConstant(list(value) if isinstance(value, tuple) else float(value) if kind == "float" else value)

    def _list(self, values: list[torch._C.Value], element) -> torch._C.Value:
        (found,) = self._add("prim::ListConstruct", values, 1)
        found.setType(torch._C.ListType(element))
        return found


def places(calls: list[Call], kept: set[int]) -> dict[int, torch.UntypedStorage]:
    """Return, by what calls fill and nothing reads to the end, the memory of an earlier one that is read no more by then."""
    last = {memory(tensor): number for number, call in enumerate(calls) for tensor in _tensors(call)}
    free: dict[int, list[torch.UntypedStorage]] = {}
    used: dict[int, torch.UntypedStorage] = {}
    given = {}
    for number, (_, args, more, result) in enumerate(calls):
        read = {memory(tensor) for tensor in _tensors((args, more))}
        for tensor in _tensors([result]):
            own = memory(tensor)
            if own not in read and own not in kept and own not in used:
                left = free.get(tensor.untyped_storage().nbytes())
                used[own] = given[own] = left.pop() if left else tensor.untyped_storage()
        for own in {memory(tensor) for tensor in _tensors(calls[number])} & used.keys():
            if last[own] == number:
                free.setdefault(used[own].nbytes(), []).append(used[own])
    return given


def memory(tensor: Tensor) -> int:
    """Return what says in which piece of memory a tensor lies."""
    return tensor.untyped_storage()._cdata


def _tensors(values: Iterable) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())


@cache
def _into(operation):
    """Return the schema of the same operation that fills given tensors, None where there is none."""
    mine = [(one.name, str(one.type)) for one in operation._schema.arguments]
    for name in operation.overloadpacket.overloads():
        schema = getattr(operation.overloadpacket, name)._schema
        targets = [one for one in schema.arguments if one.is_out]
        if targets and [(one.name, str(one.type)) for one in schema.arguments if not one.is_out] == mine:
            return schema
    return None
