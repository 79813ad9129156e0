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
        self.calls: list[tuple] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: else torch imports its compiler, seconds of every worker, to keep it out of here."""
        return False

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        given = kwargs or {}
        result = operation(*args, **given)
        self.calls.append((operation, args, given, result))
        return result


def noted(work: Callable[[], T]) -> tuple[T, Callable[[], None]]:
    """Return what `work` returns, and a function that fills the tensors of it anew from what the inputs and parameters hold then.

    Raises `UnrepeatableError`, after which all is as if `work` had been called alone.
    """
    with Notes() as notes:
        result = work()
    try:
        function = _Graph(notes.calls).function()
    except UnrepeatableError:
        raise
    except (RuntimeError, TypeError, KeyError) as error:  # a call that torch's graphs cannot write down
        raise UnrepeatableError(str(error)) from None
    return result, lambda: _interpret(function)


def _interpret(function) -> None:
    optimizes = torch._C._get_graph_executor_optimize()
    torch._C._set_graph_executor_optimize(False)  # it would fuse and reorder: other bits
    try:
        with torch.inference_mode():
            function()
    finally:
        torch._C._set_graph_executor_optimize(optimizes)


class _Graph:
    """Calls as a graph of torch's interpreter, whose tensors are constants."""

    def __init__(self, calls: Iterable[tuple]) -> None:
        self._graph = torch._C.Graph()
        self._constants: dict[int, torch._C.Value] = {}
        for operation, args, given, result in calls:
            self._note(operation, args, given, result)
        self._graph.registerOutput(self._none())

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
        """Return an argument of a type that the call's schema names."""
        if isinstance(value, Tensor):
            if id(value) not in self._constants:
                self._constants[id(value)] = self._graph.insertConstant(value.detach())
            return self._constants[id(value)]
        if value is None:
            return self._none()
        kind = kind.removeprefix("Optional[").removesuffix("]") if kind.startswith("Optional[") else kind
        if kind.startswith("List[") and "Tensor" in kind:
            element = torch._C.OptionalType.ofTensor() if "Optional" in kind else torch._C.TensorType.get()
            return self._list([self._value(one, "Tensor") for one in value], element)
        if kind == "List[int]" and not len(value):
            return self._list([], torch._C.IntType.get())
        if kind == "float":
            value = float(value)
        if isinstance(value, torch.dtype | torch.layout | torch.memory_format):
            value = CODES[value]
        return self._graph.insertConstant(list(value) if isinstance(value, tuple) else value)

    def _list(self, values: list[torch._C.Value], element) -> torch._C.Value:
        (found,) = self._add("prim::ListConstruct", values, 1)
        found.setType(torch._C.ListType(element))
        return found

    def _none(self) -> torch._C.Value:
        (found,) = self._add("prim::Constant", [], 1)
        found.setType(torch._C.NoneType.get())
        return found


def memory(tensor: Tensor) -> int:
    """Return what says in which piece of memory a tensor lies."""
    return tensor.untyped_storage()._cdata


def _tensors(values: Iterable) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


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
