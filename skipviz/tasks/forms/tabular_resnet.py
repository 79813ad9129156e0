"""The form of the ResNet for tables (Gorishniy et al. 2021)."""

from __future__ import annotations

from ...network import families
from ...network.family.tabular_resnet import MOST_BLOCKS
from ...network.network import Network
from ..task import KINDS, Task
from .form import DROPOUTS, INIT_WORDS, NORM_WORDS, NORMS, WITH_SKIPS, Form, Setting
from .heuristics import first_width, of_kind, usual
from .highway import INITS

FEATURES = tuple(name for name, kind in KINDS.items() if "mlp" in kind.families)


def _make(task: Task, depth, width, hidden, dropout, residual_dropout, norm, init, plain) -> Network:
    return families.tabular_resnet(
        depth=depth, width=width, hidden=hidden, dropout=dropout, residual_dropout=residual_dropout, norm=norm, init=init,
        plain=plain == "plain", input=task.input_for(False), head=task.head(),
    )  # fmt: skip


def _published(**_) -> tuple[str, int]:
    return "the authors' example, 2 blocks of 192 on 8 columns", families.tabular_resnet().parameter_count()


FORM = Form(
    "Tabular ResNet",
    (
        Setting("depth", "Blocks", 4, low=1, high=MOST_BLOCKS, read=lambda network: len(of_kind(network, "linear")) // 2),
        Setting(
            "width", "Width", 64, low=1, high=1024, help="Features between blocks; the authors' example: 192", read=first_width,
        ),
        Setting("hidden", "Hidden width", 128, low=1, high=4096, help="Features inside a block; the authors' example: 384"),
        Setting(
            "dropout", "Dropout", 0.1, DROPOUTS, help="While training, of the features inside a block",
            read=lambda network: usual((layer.dropout for layer in of_kind(network, "linear")[1::2]), 0.0),
        ),
        Setting("residual_dropout", "End dropout", 0.0, DROPOUTS, help="While training, of what a block adds"),
        Setting("norm", "Norm", "batch", NORMS, words=NORM_WORDS),
        Setting("init", "Init", "torch", INITS, words=INIT_WORDS),
        WITH_SKIPS,
    ),
    _make,
    tasks=FEATURES,
    own=("classes", "numbers", "labels"),
    published=_published,
)  # fmt: skip
