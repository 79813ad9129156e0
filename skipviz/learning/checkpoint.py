"""A run's state as bytes: arrays in numpy's npz format and facts as JSON, so that reading one can run no code."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import torch
from torch import Tensor

from .variant import Variant

FACTS = "facts"


class CheckpointError(ValueError):
    """Bytes that are no checkpoint of this run; one sentence."""


def pack(facts: dict, tensors: dict[str, Tensor]) -> bytes:
    """Return JSON `facts` and named tensors as bytes."""
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    arrays[FACTS] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[dict, dict[str, Tensor]]:
    """Return what `pack` packed; raises `CheckpointError`."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        facts = json.loads(arrays.pop(FACTS).tobytes())
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"these bytes hold no checkpoint: {error}") from None
    return facts, {name: torch.from_numpy(array) for name, array in arrays.items()}


def variant_tensors(variant: Variant, prefix: str) -> dict[str, Tensor]:
    """Return everything that a variant's next step depends on, by name."""
    tensors = {f"{prefix}/values": variant.flat.values}
    tensors |= {f"{prefix}/buffer/{name}": buffer for name, buffer in variant.model.named_buffers()}
    updater = variant.updater
    tensors[f"{prefix}/starts"] = torch.tensor([start for start, _ in updater.spans])
    for piece, (start, _) in zip(updater.pieces, updater.spans, strict=True):
        for name, value in updater.optimizer.state.get(piece, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{prefix}/state/{start}/{name}"] = value
    return tensors


def weight_shapes(variant: Variant) -> list[tuple[str, list[int]]]:
    """Return the names and shapes of a variant's parameters in the order in which its values hold them."""
    names = {id(parameter): name for name, parameter in variant.model.named_parameters()}
    return [(names[id(parameter)], list(parameter.shape)) for parameter in variant.flat.parameters]


def restore_variant(variant: Variant, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Put a variant's tensors back; raises `CheckpointError` where they do not fit."""
    mine = {f"{prefix}/values": variant.flat.values}
    mine |= {f"{prefix}/buffer/{name}": buffer for name, buffer in variant.model.named_buffers()}
    earlier = {f"{prefix}/buffer/{old}": f"{prefix}/buffer/{new}" for new, old in variant.model.earlier_names().items()}
    if not mine.keys() <= tensors.keys():
        tensors = {earlier.get(name, name): tensor for name, tensor in tensors.items()}
    for name, target in mine.items():
        if name not in tensors or tensors[name].shape != target.shape:
            raise CheckpointError(f"the checkpoint is of another network: {name} is missing or has another shape")
    for name, target in mine.items():
        target.copy_(tensors[name])
    _restore_optimizer(variant, prefix, tensors)


def _restore_optimizer(variant: Variant, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Put momenta and step counts back, by the place where their piece begins; checkpoints once named the piece's number."""
    updater, first = variant.updater, [start for start, _ in variant.flat.pieces]
    starts = tensors[f"{prefix}/starts"].tolist() if f"{prefix}/starts" in tensors else first
    if not set(first) <= set(starts) or not all(0 <= start < len(variant.flat.values) for start in starts):
        raise CheckpointError("the checkpoint is of another network: its parameters lie otherwise")
    updater.lay_out(starts)
    pieces = {start: piece for piece, (start, _) in zip(updater.pieces, updater.spans, strict=True)}
    for name, value in tensors.items():
        kind, _, where = name.removeprefix(f"{prefix}/").partition("/")
        if not name.startswith(f"{prefix}/") or kind not in ("state", "optimizer"):
            continue
        place, field = where.split("/")
        piece = pieces[int(place) if kind == "state" else first[int(place)]]
        if value.dim() and value.shape != piece.shape:
            raise CheckpointError(f"the checkpoint is of another network: {name} has another shape")
        updater.optimizer.state[piece][field] = value.to(piece.device)
