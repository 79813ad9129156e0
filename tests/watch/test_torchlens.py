"""The captured graph against TorchLens's: the same sums, concats and layers, each made of the same others, views apart."""

from __future__ import annotations

import pytest
import torch
from catalogue import CASES
from passes import captured
from small_models import MODELS

torchlens = pytest.importorskip("torchlens")

LIKE = {"iadd": "add", "radd": "add", "concat": "cat"}
COMPARED = frozenset(
    {"add", "cat", "conv2d", "linear", "addmm", "layer_norm", "batch_norm", "embedding", "scaled_dot_product_attention"}
)


def graph(operations: list[tuple[str, list[int]]]) -> list[tuple[str, set]]:
    """Return the compared operations in their order, each with the nearest compared ones that it is made of."""
    nearest: list[set] = []
    counts: dict[str, int] = {}
    found = []
    for name, parents in operations:
        above = set().union(*(nearest[parent] for parent in parents)) if parents else set()
        name = LIKE.get(name, name)
        if name in COMPARED:
            counts[name] = counts.get(name, 0) + 1
            found.append((f"{name} {counts[name]}", above))
            above = {f"{name} {counts[name]}"}
        nearest.append(above)
    return found


def ours(model, args, kwargs):
    operations = captured(model, args, kwargs).capture.trace.operations
    return graph([(one.name, [read.source for read in one.reads if isinstance(read.source, int)]) for one in operations])


def theirs(model, args, kwargs):
    trace = torchlens.trace(model, args, kwargs)
    ops = [one for one in trace.ops if one.has_input_ancestor or one.is_input]
    places = {one.label if one.num_passes > 1 else one.layer_label: place for place, one in enumerate(ops)}
    listed = [(one.func_name.strip("_"), [places[parent] for parent in one.parents if parent in places]) for one in ops]
    return graph(listed)


@pytest.mark.parametrize("name", MODELS)
def test_small_models_have_the_same_graph(name):
    torch.manual_seed(0)
    model, x = MODELS[name][0]().eval(), torch.randn(2, 3, 16, 16)

    assert ours(model, (x,), {}) == theirs(model, (x,), {})


@pytest.mark.parametrize("name", ["ResNet bottleneck", "ConvNeXt", "ViT", "GPT-2"])
def test_models_of_transformers_have_the_same_graph(name):
    pytest.importorskip("transformers")
    case = next(case for case in CASES if case.name == name)
    model = case.make().eval()

    assert ours(model, (), case.inputs()) == theirs(model, (), case.inputs())
