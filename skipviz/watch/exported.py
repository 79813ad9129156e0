"""A module's forward as the static graph that torch.export makes of it, run operation by operation under a capture.

Parameters, buffers and random numbers are the module's own, so loss and gradients are those of its forward to the bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, fx, nn
from torch._subclasses import FakeTensorMode
from torch.export.graph_signature import InputKind, OutputKind
from torch.utils import _pytree as pytree

from .capture import Capture, arguments_of
from .errors import WatchError


class Exported:
    """The graph of `model` for arguments of the shapes of `batch`, in training or evaluation as it is now. Raises `WatchError`."""

    def __init__(self, model: nn.Module, batch) -> None:
        self._model = model
        self._example = self._bound(*arguments_of(batch))
        self._flat, self._spec = pytree.tree_flatten(self._example)
        self._modes = self._modes_now()
        try:
            self._program = torch.export.export(model, *self._example, strict=False)
        except Exception as error:
            said = str(error).strip().partition("\n")[0][:200]
            raise WatchError(
                f"torch.export makes no static graph of it, leave `export` out to watch it as it runs: {said}"
            ) from error
        kinds = {one.kind for one in self._program.graph_signature.output_specs}
        if not kinds <= {OutputKind.USER_OUTPUT, OutputKind.BUFFER_MUTATION}:
            raise WatchError("a module that changes its inputs has no static graph here: leave `export` out")

    def takes(self, args: tuple, kwargs: dict) -> bool:
        """Return whether the graph is that of these arguments and of the module's present mode."""
        try:
            flat, spec = pytree.tree_flatten(self._bound(args, kwargs))
        except TypeError:
            return False
        return spec == self._spec and self._modes_now() == self._modes and all(map(_are_alike, flat, self._flat))

    def shapes(self, capture: Capture) -> None:
        """Let `capture` see a pass of which nothing is computed: tensors have shapes and no numbers."""
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        args, kwargs = pytree.tree_map_only(Tensor, mode.from_tensor, self._example)
        with mode, torch.enable_grad(), capture.running():
            fed, named = capture.feed(args, kwargs)
            capture.returned(self.forward(capture)(*fed, **named))

    def forward(self, capture: Capture) -> Callable:
        """Return the graph as a function of the module's arguments, to be called while `capture` is running."""

        def forward(*args, **kwargs):
            given = iter(pytree.tree_flatten(self._bound(args, kwargs))[0])
            signature = self._program.graph_signature
            inputs = [self._input(one, given) for one in signature.input_specs]
            outputs = _Interpreter(self._program.graph_module, self._model, capture).run(*inputs, enable_io_processing=False)
            returned = []
            for one, output in zip(signature.output_specs, outputs, strict=True):
                if one.kind == OutputKind.USER_OUTPUT:
                    returned.append(output)
                else:
                    with torch.no_grad():
                        self._model.get_buffer(one.target).copy_(output)
            return pytree.tree_unflatten(returned, self._program.call_spec.out_spec)

        return forward

    def _input(self, spec, given):
        if spec.kind == InputKind.PARAMETER:
            return self._model.get_parameter(spec.target)
        if spec.kind == InputKind.BUFFER:
            return self._model.get_buffer(spec.target)
        return next(given) if spec.kind == InputKind.USER_INPUT else self._program.constants[spec.target]

    def _bound(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Return arguments in the one form in which a call can be written; raises `TypeError`."""
        bound = inspect.signature(type(self._model).forward).bind(self._model, *args, **kwargs)
        return bound.args[1:], bound.kwargs

    def _modes_now(self) -> tuple[bool, ...]:
        return tuple(module.training for module in self._model.modules())


class _Interpreter(fx.Interpreter):
    """Runs a graph's nodes, each in the calls of modules in which it was exported."""

    def __init__(self, graph: fx.GraphModule, model: nn.Module, capture: Capture, calls: dict[str, int] | None = None) -> None:
        super().__init__(graph)
        self.extra_traceback = False
        self._model, self._capture = model, capture
        self._calls = {} if calls is None else calls
        """Numbers of the calls that were seen, by torch.export's own keys."""

    def run_node(self, node: fx.Node):
        stack = node.meta.get("nn_module_stack")
        if not stack:
            return super().run_node(node)
        around = [(key, path) for key, (path, _) in stack.items() if path]
        with self._capture.within([(key, self._model.get_submodule(path)) for key, path in around], self._calls):
            return super().run_node(node)

    def call_function(self, target, args: tuple, kwargs: dict):
        if isinstance(target, torch._ops.HigherOrderOperator):
            return self._region(target, args)
        args = tuple([*one] if isinstance(one, list) else one for one in args)  # fx's lists are of a class of its own
        return super().call_function(target, args, kwargs)

    def _region(self, target, args: tuple):
        """Run a part of the graph that has gradients off or on, or its own autocast."""
        regions = {"wrap_with_set_grad_enabled": (torch.set_grad_enabled, 1), "wrap_with_autocast": (torch.autocast, 4)}
        if target.__name__ not in regions:
            raise WatchError(f"its exported graph has a {target.__name__}, which cannot be followed")
        context, count = regions[target.__name__]
        with context(*args[:count]):
            inner = _Interpreter(args[count], self._model, self._capture, self._calls)
            return inner.run(*args[count + 1 :], enable_io_processing=False)


def _are_alike(one, other) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return (one.shape, one.dtype) == (other.shape, other.dtype)
    return type(one) is type(other) and one == other
