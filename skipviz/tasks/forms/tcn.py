"""The form of the temporal convolutional network (Bai et al. 2018)."""

from __future__ import annotations

from ...network import families
from ...network.family.tcn import MOST_BLOCKS
from ...network.network import Network
from ..task import Task
from .form import ACTIVATIONS, DROPOUTS, INIT_WORDS, NORM_WORDS, NORMS, SWITCH, WITH_SKIPS, Form, Setting
from .highway import INITS
from .transformer import OF_TOKENS, follow_causal


def _make(task: Task, depth, width, kernel, causal, activation, norm, init, dropout, plain) -> Network:
    return families.tcn(
        depth=depth, width=width, kernel=kernel, causal=causal == "on", activation=activation, norm=norm, init=init,
        dropout=dropout, plain=plain == "plain", vocabulary=task.token_count(), input=task.sample_shape()[-1:], head=task.head(),
    )  # fmt: skip


FORM = Form(
    "Temporal convolutional",
    (
        Setting(
            "depth", "Blocks", 4, low=1, high=MOST_BLOCKS,
            help="Dilations 1, 2, 4, … from block to block: n blocks of kernel k reach 2·(k − 1)·(2ⁿ − 1) positions back",
        ),
        Setting("width", "Width", 32, low=1, high=512),
        Setting("kernel", "Kernel", 3, low=1, high=16, help="Positions that one reads"),
        Setting("causal", "Causal", "off", SWITCH, help="A position reads itself and those before it only, as published"),
        Setting("activation", "Activation", "relu", tuple(ACTIVATIONS), words=ACTIVATIONS),
        Setting("norm", "Norm", "none", NORMS, words=NORM_WORDS),
        Setting("init", "Init", "he", INITS, words=INIT_WORDS),
        Setting("dropout", "Dropout", 0.0, DROPOUTS, help="While training, behind each convolution"),
        WITH_SKIPS,
    ),
    _make,
    tasks=OF_TOKENS,
    follow=follow_causal,
)  # fmt: skip
