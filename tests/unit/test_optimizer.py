"""The optimizers' steps are those of torch's own classes, bit for bit, and load no compiler."""

import subprocess
import sys

import pytest
import torch

from skipviz.learning.optimizer import Optimizer
from skipviz.tasks.experiment import Training

THEIRS = {
    "sgd": lambda groups, momentum: torch.optim.SGD(groups, lr=0.1, momentum=momentum, fused=True),
    "momentum": lambda groups, momentum: torch.optim.SGD(groups, lr=0.1, momentum=momentum or 0.9, fused=True),
    "adam": lambda groups, momentum: torch.optim.Adam(groups, lr=0.1, fused=True),
    "adamw": lambda groups, momentum: torch.optim.AdamW(groups, lr=0.1, fused=True),
}


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("name", THEIRS)
def test_steps_give_the_bits_and_keep_the_state_of_torchs_own_class(name, momentum):
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(count, generator=generator) for count in (1, 37, 1000, 5)]
    mine, theirs = [tensor.clone() for tensor in start], [tensor.clone() for tensor in start]
    ours = Optimizer(Training(optimizer=name, momentum=momentum, weight_decay=0.3, learning_rate=0.1), mine)
    ours.groups = [(mine[:3], 0.3, 1.0), (mine[3:], 0.0, 1.0)]
    torchs = THEIRS[name]([{"params": theirs[:3], "weight_decay": 0.3}, {"params": theirs[3:], "weight_decay": 0.0}], momentum)
    for step in range(6):
        if step == 4:
            ours.learning_rate = 0.01
            for group in torchs.param_groups:
                group["lr"] = 0.01
        for index, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            rests = index == 1 and step in (2, 3)
            gradient = torch.randn(a.shape, generator=generator)
            a.grad, b.grad = (None, None) if rests else (gradient, gradient.clone())
        ours.step()
        torchs.step()
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    for a, b in zip(mine, theirs, strict=True):
        kept = {field: value for field, value in torchs.state.get(b, {}).items() if isinstance(value, torch.Tensor)}
        assert ours.state.get(a, {}).keys() == kept.keys()
        assert all(torch.equal(ours.state[a][field], value) for field, value in kept.items())


def test_warming_a_worker_up_for_every_kind_of_data_does_not_load_torchs_compiler():
    code = "import sys\nfrom skipviz.engine.fork_server import warm_ups\nfor warm_up in warm_ups(): warm_up()\n"
    code += "print([name for name in ('torch._dynamo', 'torch._inductor', 'sympy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
