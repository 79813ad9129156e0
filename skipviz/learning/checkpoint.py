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
    for index, piece in enumerate(variant.flat.pieces):
        for name, value in variant.updater.optimizer.state.get(piece, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{prefix}/optimizer/{index}/{name}"] = value
    return tensors


def restore_variant(variant: Variant, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Put a variant's tensors back; raises `CheckpointError` where they do not fit."""
    mine = {f"{prefix}/values": variant.flat.values}
    mine |= {f"{prefix}/buffer/{name}": buffer for name, buffer in variant.model.named_buffers()}
    for name, target in mine.items():
        if name not in tensors or tensors[name].shape != target.shape:
            raise CheckpointError(f"the checkpoint is of another network: {name} is missing or has another shape")
    for name, target in mine.items():
        target.copy_(tensors[name])
    state = variant.updater.optimizer.state
    state.clear()
    for name, value in tensors.items():
        if name.startswith(f"{prefix}/optimizer/"):
            index, field = name.removeprefix(f"{prefix}/optimizer/").split("/")
            piece = variant.flat.pieces[int(index)]
            state[piece][field] = value.to(piece.device)
