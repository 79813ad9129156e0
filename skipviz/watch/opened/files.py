"""What a person's files hold: their module, data and loss. Runs their code, so it is for a process of its own."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from ..capture import tensors_in
from ..errors import WatchError
from ..random_state import RandomState
from .failure import first_output, told
from .objective import Batch, batch_of
from .spec import Opened, short

RANDOM_BATCHES = 4
"""Batches of random data, which come again and again: a network can learn them by heart."""


def made_model(opened: Opened) -> nn.Module:
    """Return a new module as the person's file makes it; raises `WatchError`."""
    found = named(opened.model)
    if isinstance(found, nn.Module):
        return copy.deepcopy(found)
    model = _called(found, opened.model)
    if not isinstance(model, nn.Module):
        raise WatchError(f"{short(opened.model)} gives a {type(model).__name__}, and a torch module is wanted")
    return model


def made_loss(opened: Opened) -> Callable | None:
    """Return the person's own loss, called with the output and the target; None where they named none."""
    if opened.loss is None:
        return None
    found = named(opened.loss)
    if isinstance(found, type):
        found = _called(found, opened.loss)
    if not callable(found):
        raise WatchError(f"{short(opened.loss)} is a {type(found).__name__}, and a function of output and target is wanted")
    return found


class Loader:
    """A person's batches one after the other, begun anew where they end."""

    def __init__(self, place: str, seed: int, names: set[str]) -> None:
        self._random, self._names, self._what = RandomState(seed), names, place
        self.next = 0
        """The number of the next batch."""
        with self._random.in_force():
            found = named(place)
            self._make = None if _is_batches(found) else found
            self._batches = found if self._make is None else self._made()
            self._left = None

    def batch(self, number: int) -> Batch:
        """Return a batch, passing over those before it; none comes a second time."""
        with self._random.in_force():
            while self.next < number:
                self._take()
            return batch_of(self._take(), self._names)

    def first(self, most: int, samples: int) -> list[Batch]:
        """Return its first batches, `most` at most and none after so many samples; what it draws from is left as it was."""
        found: list[Batch] = []
        with self._random.in_force(), _generators_kept(self._batches):
            for item in itertools.islice(self._batches, most):
                found.append(batch_of(item, self._names))
                if sum(batch.size for batch in found) >= samples:
                    break
        if not found:
            raise WatchError(f"{short(self._what)} gives no batch")
        return found

    def _take(self):
        self.next += 1
        self._left = iter(self._batches) if self._left is None else self._left
        item = next(self._left, self)
        if item is self:
            if isinstance(self._batches, Iterator) and self._make is not None:  # a generator, which is spent
                self._batches = self._made()
            self._left = iter(self._batches)
            item = next(self._left, self)
        if item is self:
            raise WatchError(f"{short(self._what)} gives no batch")
        return item

    def _made(self) -> Iterable:
        made = _called(self._make, self._what)
        if not _is_batches(made):
            raise WatchError(f"{short(self._what)} gives a {type(made).__name__}, and batches to go through are wanted")
        return made


class RandomData:
    """Batches of random samples, a few that come again and again; what is true of them is drawn from what a module gives."""

    def __init__(self, opened: Opened, size: int, seed: int, model: nn.Module, names: set[str]) -> None:
        shape = (size, *opened.shape)
        chance = torch.Generator().manual_seed(seed)
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))

        def sample() -> torch.Tensor:
            if opened.tokens is not None:
                return torch.randint(opened.tokens, shape, generator=chance)
            return torch.randn(shape, generator=chance)

        inputs = [sample() for _ in range(RANDOM_BATCHES)]
        targets = [_targets(inputs[0], opened, model, device, chance) for _ in inputs]
        self._batches = [batch_of((x, y), names) for x, y in zip(inputs, targets, strict=True)]

    def batch(self, number: int) -> Batch:
        """Return a batch."""
        return self._batches[number % RANDOM_BATCHES]


def _targets(x, opened: Opened, model: nn.Module, device, chance: torch.Generator) -> torch.Tensor:
    """Return random targets that fit what `model` gives of `x`: the next tokens, classes where there are several, or numbers."""
    if opened.tokens is not None:
        return torch.randint(opened.tokens, x.shape, generator=chance)
    path, was = Path(opened.model.rpartition(":")[0]), model.training
    model.eval()
    with torch.no_grad(), RandomState(0).in_force():
        scores = next((tensor for tensor in tensors_in(first_output(model, (x.to(device),), {}, path)) if tensor.dim()), None)
    model.train(was)
    if scores is None:
        raise WatchError("the module gives no tensor for a random sample, so no target can be drawn: give --data")
    if scores.dim() > 1 and scores.shape[1] > 1:
        wanted = scores.shape[:-1] if scores.dim() == 3 else (scores.shape[0], *scores.shape[2:])
        return torch.randint(scores.shape[-1 if scores.dim() == 3 else 1], wanted, generator=chance)
    return torch.randn(scores.shape, generator=chance)


def named(place: str):
    """Return what `/path/train.py:name` names, its file run once; raises `WatchError`."""
    path, _, name = place.rpartition(":")
    found = _file(Path(path))
    for part in name.split("."):
        if not hasattr(found, part):
            raise WatchError(f"there is no {name} in {Path(path).name}")
        found = getattr(found, part)
    return found


def _file(path: Path) -> ModuleType:
    """Return a file as a module, as if it were imported by a script beside it."""
    if not path.is_file():
        raise WatchError(f"there is no file {path}")
    name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise WatchError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    for folder in (os.getcwd(), str(path.parent)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise WatchError(f"{path.name} cannot be imported: {told(error, path)}") from error
    return module


def _called(function, place: str):
    """Return what a function of the person's gives; raises `WatchError` with what it raised."""
    if not callable(function):
        raise WatchError(f"{short(place)} is a {type(function).__name__}, and a function without arguments is wanted")
    path = Path(place.rpartition(":")[0])
    try:
        return function()
    except (Exception, SystemExit) as error:
        raise WatchError(f"{short(place)} fails: {told(error, path)}") from error


@contextmanager
def _generators_kept(loader) -> Iterator[None]:
    """Give a loader's own generators back as they were: another loader may draw from the same."""
    owners = (loader, getattr(loader, "sampler", None))
    found = [one.generator for one in owners if isinstance(getattr(one, "generator", None), torch.Generator)]
    kept = [(one, one.get_state()) for one in found]
    try:
        yield
    finally:
        for one, state in kept:
            one.set_state(state)


def _is_batches(value) -> bool:
    return not isinstance(value, type) and not isinstance(value, str) and isinstance(value, Iterable)
