"""An ordinary training script that watches its module: `python watched_script.py STEPS [END]`; END: raise, kill, or meet.

`meet` waits after the first step until the lab has it; `raise` and `kill` are how it ends.
"""

import os
import signal
import sys
import time

import torch
from torch import nn

import skipviz


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.outer(torch.relu(self.inner(x)))


class Residual(nn.Module):
    """Two residual blocks between a stem and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = nn.Linear(4, 8), nn.Sequential(Block(), Block()), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.blocks(torch.relu(self.stem(x))))


def main(steps: int, end: str) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Residual()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    watched = skipviz.watch(model, every=1)
    x, y = torch.randn(32, 4), torch.randint(0, 3, (32,))
    for step in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        watched.step(loss)
        optimizer.step()
        optimizer.zero_grad()
        time.sleep(0.005)
        while end == "meet" and step == 0 and watched.live and watched.live.run_id is None:
            time.sleep(0.05)
    if end == "raise":
        raise RuntimeError("out of luck")
    if end == "kill":
        while watched.live.run_id is None:
            time.sleep(0.05)
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGKILL)
    print(loss.item())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
