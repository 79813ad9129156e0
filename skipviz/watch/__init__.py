"""Anybody's torch module: its forward pass captured as it runs, as a network with the gradient of every edge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from .watched import Watched


def watch(
    model: nn.Module,
    *,
    every: int | None = None,
    title: str = "",
    steps: int | None = None,
    unfold: str | Iterable[str] = (),
    live: bool = True,
    export=None,
) -> Watched:
    """Watch a torch module while its own script trains it: call `.step(loss)` on what this returns after each backward pass.

    `every` is in steps, None: as often as costs 3 % of the time; `unfold` names modules, by path, that are shown operation by
    operation. `export` is a batch (a tensor, a tuple of arguments or a dict of them): the module is then exported as a static graph
    by `torch.export`, its network is there before any step, and recorded steps run that graph. A compiled module runs in eager mode
    on recorded steps. It is shown in the lab of this machine while it trains, whose address is printed, and is kept there as a run;
    with `live=False`, or the setting `SKIPVIZ_WATCH=0`, it stays in memory. Raises `WatchError`, a `ValueError`. See `Watched`.
    """
    from .watched import Watched as WatchedModule

    return WatchedModule(model, every=every, title=title, steps=steps, unfold=unfold, live=live, export=export)
