"""The form of the ResNet for tables (Gorishniy et al. 2021)."""

from __future__ import annotations

from ...network import families
from ...network.family.tabular_resnet import MOST_BLOCKS
from ...network.network import Network
from ...tasks.task import KINDS, Task
from .form import DROPOUTS, INIT_WORDS, NORM_WORDS, NORMS, WITH_SKIPS, Form, Setting
from .heuristics import of_kind, usual
from .highway import INITS

FEATURES = tuple(name for name, kind in KINDS.items() if "mlp" in kind.families)


def _make(task: Task, depth, width, hidden, dropout, residual_dropout, norm, init, plain) -> Network:
    return families.tabular_resnet(
        depth=depth, width=width, hidden=hidden, dropout=dropout, residual_dropout=residual_dropout, norm=norm, init=init,
        plain=plain == "plain", input=task.input_for(False), head=task.head(),
    )  # fmt: skip


def _read(network: Network) -> dict | None:
    first, *maps = of_kind(network, "linear") or [None]
    into, back = maps[::2], maps[1::2]
    if not back or network.layers[-1].op.kind != "identity" or {layer.op.kind for layer in network.layers[:-1]} != {"linear"}:
        return None
    return {
        "depth": min(len(back), MOST_BLOCKS),
        "width": first.op.width,
        "hidden": usual((layer.op.width for layer in into), 128),
        "dropout": usual((layer.dropout for layer in into), 0.0),
        "residual_dropout": usual((layer.dropout for layer in back), 0.0),
        "norm": usual((layer.norm for layer in into), "batch"),
        "init": usual((layer.init for layer in maps), "torch"),
        "plain": "residual" if network.skips else "plain",
    }


def _published(**_) -> tuple[str, int]:
    return "the authors' example, 2 blocks of 192 on 8 columns", families.tabular_resnet().parameter_count()


FORM = Form(
    "Tabular ResNet",
    (
        Setting("depth", "Blocks", 4, low=1, high=MOST_BLOCKS),
        Setting("width", "Width", 64, low=1, high=1024, help="Features between blocks; the authors' example: 192"),
        Setting("hidden", "Hidden width", 128, low=1, high=4096, help="Features inside a block; the authors' example: 384"),
        Setting("dropout", "Dropout", 0.1, DROPOUTS, help="While training, of the features inside a block"),
        Setting("residual_dropout", "End dropout", 0.0, DROPOUTS, help="While training, of what a block adds"),
        Setting("norm", "Norm", "batch", NORMS, words=NORM_WORDS),
        Setting("init", "Init", "torch", INITS, words=INIT_WORDS),
        WITH_SKIPS,
    ),
    _make,
    _read,
    tasks=FEATURES,
    own=("classes", "numbers", "labels"),
    published=_published,
)  # fmt: skip
