"""What measures knows no plan: any program that notes its states and their readers gives the same frame."""

import pytest
import torch
from torch import Tensor

from skipviz import Skip, families
from skipviz.learning.build import build
from skipviz.learning.parameters import FlatParameters
from skipviz.learning.probe import gradients, measured, record
from skipviz.learning.recording import Recording
from skipviz.network.chain import wiring_of

NETWORK = families.mlp(3, 6, activation="tanh", input=(4,), head=3).replaced(
    skips=[Skip(id="a", source=1, target=2, strength=0.5), Skip(id="b", source=1, target=3)]
)


class ByHand:
    """h₁ = tanh(W₁x), h₂ = tanh(W₂h₁) + h₁/2, h₃ = tanh(W₃h₂) + h₁, written out; each reader of h₁ has an alias of its own."""

    def __init__(self, model) -> None:
        self.model, self.trunk = model, wiring_of(NETWORK).trunk

    def run(self, x: Tensor, recording: Recording | None = None) -> Tensor:
        f1, f2, f3 = (layer.operation for layer in self.model.layers)
        h1 = torch.tanh(f1(x))
        trunk, half, whole = (h1.view_as(h1) for _ in range(3))
        h2 = torch.tanh(f2(trunk)) + 0.5 * half
        h3 = torch.tanh(f3(h2)) + whole
        if recording is not None:
            first, second, third = self.trunk.ways
            recording.trunk, recording.by_node = self.trunk, dict(zip(self.trunk.states, (x, h1, h2, h3), strict=True))
            recording.uses = {second: trunk, "a": half, "b": whole}
            recording.sole = {first: self.trunk.states[0], third: self.trunk.states[2]}
        return self.model.head(h3)


def frame_of(program, model, flat: FlatParameters, x: Tensor):
    outputs, recording = record(program, x)
    found = gradients((outputs**2).sum(), flat.parameters, recording)
    return measured(NETWORK, flat, found, flat.flatten(found.parameters), recording)


@pytest.mark.parametrize("seed", range(3))
def test_a_program_written_by_hand_is_measured_as_the_native_one(seed):
    model = build(NETWORK, seed).double()
    flat, x = FlatParameters(model), torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    mine, native, module = (frame_of(one, model, flat, x) for one in (ByHand(model), model.bound(NETWORK, True), model))
    for name in ("weight_grad", "state_grad", "trunk_grad", "skip_grad", "head_grad", "state_rms", "total_grad", "state_grad_mean"):
        assert getattr(mine, name) == pytest.approx(getattr(native, name), rel=1e-12)
        assert getattr(module, name) == getattr(native, name)
