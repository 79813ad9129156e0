"""What watching somebody's own model costs: a step of an ordinary loop, bare, and with `skipviz.watch` beside it.

Run by hand: `python tests/bench/bench_watch.py [--only NAME] [--seconds S] [--device cuda]`. Prints JSON. All three train in one
process in turn, step by step, each on a copy of the same model: bare, watched as often as it decides itself, and watched on every
step. A figure is the seconds of a kind over those of the bare loop: CPU seconds on one thread (other work on the machine then
counts in neither), wall-clock seconds on a GPU. `default` is the sum over all steps but the first; `every` the median over steps.
Targets: 1.05 on the default schedule, 2 on every step. Models of the transformers library, with random weights.

Where they are installed, two others log every step beside them: `wandb.watch(log_freq=1)`, offline, which draws a histogram of each
parameter's gradient, and TensorBoard's `add_histogram` of the same.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time

os.environ.update(HF_HUB_OFFLINE="1", SKIPVIZ_WATCH="0", TRANSFORMERS_VERBOSITY="error")

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

import skipviz
from skipviz.watch import watched as watched_module


def gpt2() -> tuple[nn.Module, dict]:
    """Return GPT-2 small and one text of 128 tokens."""
    import transformers

    return transformers.GPT2LMHeadModel(transformers.GPT2Config(use_cache=False)), {"input_ids": torch.randint(50257, (1, 128))}


def resnet50() -> tuple[nn.Module, dict]:
    """Return a ResNet-50 and 8 images of 64 px."""
    import transformers

    return transformers.ResNetForImageClassification(transformers.ResNetConfig()), {"pixel_values": torch.randn(8, 3, 64, 64)}


def wandb_watch(model: nn.Module) -> Callable:
    """Return what logs a step with wandb, which keeps all in a folder of its own and sends nothing."""
    import wandb

    folder = tempfile.mkdtemp()
    run = wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True, console="off"))
    run.watch(model, log="gradients", log_freq=1)
    return lambda _, loss: run.log({"loss": loss.item()})


def tensorboard_histograms(model: nn.Module) -> Callable:
    """Return what logs a step with TensorBoard's histograms."""
    from torch.utils.tensorboard import SummaryWriter

    writer, steps = SummaryWriter(tempfile.mkdtemp()), iter(range(10**9))

    def log(model: nn.Module, loss: torch.Tensor) -> None:
        step = next(steps)
        writer.add_scalar("loss", loss.item(), step)
        for name, parameter in model.named_parameters():
            writer.add_histogram(name, parameter.grad, step)

    return log


OTHERS = {"wandb": wandb_watch, "tensorboard": tensorboard_histograms}
CASES = {"GPT-2 small, 128 tokens": gpt2, "ResNet-50, 64 px": resnet50}
LEAST_STEPS = 6


class Loop:
    """A training loop whose steps are timed; `log(model, loss)` is called after each backward pass."""

    def __init__(
        self,
        model: nn.Module,
        inputs: dict,
        clock: Callable[[], float],
        every: int | None = None,
        watch: bool = True,
        log: Callable | None = None,
    ) -> None:
        self.log = log
        self.model, self.inputs, self.clock = model, inputs, clock
        self.optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        self.seconds: list[float] = []
        self.began = clock()
        watched_module.time = self  # what watches begins by this clock, too
        self.watched = skipviz.watch(model, every=every) if watch else None

    def monotonic(self) -> float:
        """Return the time as this loop has it, to which the steps of the others are no time: what decides when it is recorded."""
        return sum(self.seconds) + self.clock() - self.began

    def step(self) -> None:
        self.began = began = self.clock()
        watched_module.time = self
        loss = self.model(**self.inputs).logits.float().square().mean()
        loss.backward()
        if self.watched is not None:
            self.watched.step(loss)
        if self.log is not None:
            self.log(self.model, loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.seconds.append(self.clock() - began)


def measured(make: Callable, device: str, budget: float) -> dict:
    """Return the ratios of one model."""
    torch.manual_seed(0)
    model, inputs = make()
    model, inputs = model.to(device), {name: value.to(device) for name, value in inputs.items()}

    def on_device() -> float:
        torch.cuda.synchronize()
        return perf_counter()

    clock = on_device if device == "cuda" else process_time
    loops = {
        "bare": Loop(model, inputs, clock, watch=False),
        "default": Loop(copy.deepcopy(model), inputs, clock),
        "every": Loop(copy.deepcopy(model), inputs, clock, every=1),
    }
    for name, prepare in OTHERS.items():
        if find_spec(name.partition(".")[0]):
            other = copy.deepcopy(model)
            loops[name] = Loop(other, inputs, clock, watch=False, log=prepare(other))
    began = perf_counter()
    while len(loops["bare"].seconds) < LEAST_STEPS or perf_counter() - began < budget:
        for loop in loops.values():
            loop.step()
    seconds = {name: loop.seconds[1:] for name, loop in loops.items()}
    medians = {
        name: round(statistics.median(one / bare for one, bare in zip(seconds[name], seconds["bare"], strict=True)), 3)
        for name in ("every", *OTHERS)
        if name in seconds
    }
    return {
        "steps": len(seconds["bare"]),
        "bare step": round(statistics.median(seconds["bare"]), 4),
        "default": round(sum(seconds["default"]) / sum(seconds["bare"]), 3),
        "recorded by default": len(loops["default"].watched.run.frames),
        **medians,
        "layers": loops["every"].watched.network.depth,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = {name: measured(make, given.device, given.seconds) for name, make in CASES.items() if given.only in name}
    print(json.dumps({"machine": platform.processor() or platform.machine(), "device": given.device, **found}, indent=1))


if __name__ == "__main__":
    main()
