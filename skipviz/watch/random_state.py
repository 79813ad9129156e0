"""Random generators, of which a variant and the data each have a course of their own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor


class RandomState:
    """Where torch's, numpy's and Python's own generators stand for one user of them, who began at `seed`."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._state: tuple | None = None

    @contextmanager
    def in_force(self, moves: bool = True) -> Iterator[None]:
        """Let what draws within draw from here, and others go on afterwards where they were; without `moves` this one, too."""
        outside = _states()
        if self._state is None:
            torch.manual_seed(self._seed)
            np.random.seed(self._seed)
            random.seed(self._seed)
        else:
            _put(self._state)
        try:
            yield
        finally:
            if moves or self._state is None:
                self._state = _states()
            _put(outside)

    def tensors(self) -> dict[str, Tensor]:
        """Return where they stand, for `restore`."""
        cpu, cuda, (_, words, *rest), (version, own, gauss) = self._state
        facts = [float(fact) for fact in (*rest, version, len(own), gauss is not None, gauss or 0)]
        found = {"torch": cpu, "numpy": torch.from_numpy(words.astype(np.int64)), "python": torch.tensor(own)}
        found["facts"] = torch.tensor(facts, dtype=torch.float64)
        return found | {f"cuda{place}": state for place, state in enumerate(cuda)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Stand where `tensors` says; raises `KeyError` or `ValueError` where it says nothing."""
        position, has_gauss, cached, version, _, gaussed, gauss = tensors["facts"].tolist()
        cuda = [tensors[f"cuda{place}"] for place in range(sum(name.startswith("cuda") for name in tensors))]
        words = tensors["numpy"].numpy().astype(np.uint32)
        own = int(version), tuple(tensors["python"].tolist()), gauss if gaussed else None
        self._state = tensors["torch"], cuda, ("MT19937", words, int(position), int(has_gauss), cached), own


@contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Let what draws within draw on from where all generators are, and put them back there afterwards."""
    before = _states()
    try:
        yield
    finally:
        _put(before)


def _states() -> tuple:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return torch.get_rng_state(), cuda, np.random.get_state(), random.getstate()


def _put(states: tuple) -> None:
    cpu, cuda, numbers, own = states
    torch.set_rng_state(cpu)
    if cuda:
        torch.cuda.set_rng_state_all(cuda)
    np.random.set_state(numbers)
    random.setstate(own)
