"""The form of WaveNet (van den Oord et al. 2016)."""

from __future__ import annotations

from ...network import families
from ...network.family.wavenet import MOST_CYCLES, MOST_LAYERS
from ...network.network import Network
from ..task import Task
from .form import SWITCH, Form, Setting
from .heuristics import of_kind
from .transformer import OF_TOKENS, follow_causal


def _make(task: Task, cycles, depth, width, end_width, kernel, causal, residual, ends) -> Network:
    return families.wavenet(
        cycles=cycles, depth=depth, width=width, end_width=end_width, kernel=kernel, causal=causal == "on",
        residual=residual == "on", ends=ends == "on", vocabulary=task.token_count(), input=task.sample_shape()[-1:],
        head=task.head(),
    )  # fmt: skip


def _depth(network: Network) -> int:
    return max((layer.op.dilation for layer in of_kind(network, "conv1d")), default=1).bit_length()


def _has_adds(network: Network, way: str) -> str:
    """Return whether skips add what they carry that way: as it is, or projected to the end."""
    return "on" if any((skip.merge, skip.adapter.channels) == ("add", way) for skip in network.skips) else "off"


FORM = Form(
    "WaveNet",
    (
        Setting(
            "cycles", "Cycles", 1, low=1, high=MOST_CYCLES,
            read=lambda network: sum(skip.merge == "multiply" for skip in network.skips) // _depth(network),
        ),
        Setting(
            "depth", "Layers a cycle", 4, low=1, high=MOST_LAYERS, read=_depth,
            help="Dilations 1, 2, 4, … in each cycle; published: 10",
        ),
        Setting("width", "Width", 32, low=1, high=512, help="Features that go on from layer to layer"),
        Setting("end_width", "End width", 32, low=1, high=512, help="Features in which all layers are added at the end"),
        Setting("kernel", "Kernel", 2, low=1, high=16, help="Positions that one reads; published: 2"),
        Setting("causal", "Causal", "off", SWITCH, help="A position reads itself and those before it only, as published"),
        Setting("residual", "Residuals", "on", SWITCH, read=lambda network: _has_adds(network, "auto")),
        Setting(
            "ends", "Skips to the end", "on", SWITCH, help="Each layer's gated output is added where the head reads",
            read=lambda network: _has_adds(network, "project"),
        ),
    ),
    _make,
    tasks=OF_TOKENS,
    follow=follow_causal,
)  # fmt: skip
