"""Where a person's forward pass failed, in one sentence: the module's path, the operation, and the shapes that it was given."""

from __future__ import annotations

from pathlib import Path

from torch import nn
from torch.overrides import TorchFunctionMode

from ...network.base import written
from ..capture import tensors_in
from ..errors import WatchError


class _LastFailed(TorchFunctionMode):
    """Keeps which function of torch raised, and the shapes of its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.words = ""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        try:
            return func(*args, **kwargs)
        except Exception as error:
            if error is not self.error:
                self.error = error
                given = [*args, *kwargs.values()]
                shapes = [written(tuple(tensor.shape)) or "one number" for tensor in tensors_in(given)]
                self.words = f"{getattr(func, '__name__', 'an operation').strip('_')} of {' and '.join(shapes[:3])}"
            raise


def first_output(model: nn.Module, args: tuple, kwargs: dict, path: Path):
    """Return what a module gives; raises `WatchError` that says where it failed and why."""
    mode = _LastFailed()
    try:
        with mode:
            return model(*args, **kwargs)
    except Exception as error:
        inside, words = _path_of(error, model), told(error, path)
        what = f"at {mode.words}, " if mode.error is error and mode.words else ""
        place = inside or f"{type(model).__name__} itself"
        raise WatchError(f"the forward pass fails in {place}: {what}{words}") from error


def _path_of(error: BaseException, model: nn.Module) -> str:
    """Return the path of the innermost module whose forward was under way; '' for the model itself."""
    paths, found, trace = {id(module): path for path, module in model.named_modules()}, "", error.__traceback__
    while trace is not None:
        found = paths.get(id(trace.tb_frame.f_locals.get("self")), found)
        trace = trace.tb_next
    return found


def told(error: BaseException, path: Path) -> str:
    """Return an error of the person's code in one line, with the line of their file in which it came."""
    words = " ".join(str(error).split())[:300]
    where, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            where = f" (line {trace.tb_lineno} of {path.name})"
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and not where and error.lineno:
        return f"SyntaxError: {error.msg} (line {error.lineno} of {Path(error.filename or path).name})"
    return f"{type(error).__name__}{': ' + words if words else ''}{where}"
