"""Where a person's forward pass failed, in one sentence: the module's path, the operation, and the shapes that it was given."""

from __future__ import annotations

from pathlib import Path

from torch import nn
from torch.overrides import TorchFunctionMode

from ..capture import module_of, tensors_in
from ..errors import WatchError
from ..failure import remedy, shown


class _LastFailed(TorchFunctionMode):
    """Keeps which function of torch raised, and the shapes of its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.function, self.sizes = "", []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        try:
            return func(*args, **kwargs)
        except Exception as error:
            if error is not self.error:
                self.error = error
                self.function = getattr(func, "__name__", "an operation").strip("_")
                self.sizes = [tuple(tensor.shape) for tensor in tensors_in([*args, *kwargs.values()])]
            raise


def first_output(model: nn.Module, args: tuple, kwargs: dict, path: Path):
    """Return what a module gives; raises `WatchError` that says where it failed and why."""
    mode = _LastFailed()
    try:
        with mode:
            return model(*args, **kwargs)
    except Exception as error:
        inside = module_of(error, {id(module): name for name, module in model.named_modules()})
        place, at, mended = (inside and inside[0]) or f"{type(model).__name__} itself", "", ""
        if mode.error is error:
            at = f"at {mode.function} of {' and '.join(map(shown, mode.sizes[:3]))}, "
            mended = remedy(mode.function, mode.sizes)
        raise WatchError(f"the forward pass fails in {place}: {at}{told(error, path)}{mended and f'; {mended}'}") from error


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
