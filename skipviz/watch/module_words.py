"""What a module does, in a person's words: torch's own by their facts, others by their class."""

from __future__ import annotations

import re

from torch import nn

MOST = 60


def words_of(module: nn.Module) -> tuple[str, str]:
    """Return a label, and one of at most twelve characters; both are '' where the class's name is all there is to say."""
    found = next((words for kinds, words in _WORDS if isinstance(module, kinds)), None)
    if found is None:
        kind = type(module).__name__.lower()
        found = next((words for pattern, words in _BY_NAME if re.search(pattern, kind)), None)
    label, short = found(module) if found is not None else ("", "")
    return label[:MOST], short[:12]


def _conv(module) -> tuple[str, str]:
    kernel = "×".join(map(str, module.kernel_size))
    stride = f", stride {module.stride[0]}" if any(size > 1 for size in module.stride) else ""
    groups = f", {module.groups} groups" if module.groups > 1 else ""
    up = "transposed " if module.transposed else ""
    return f"{up}conv {kernel}, {module.out_channels} channels{stride}{groups}", f"{kernel} · {module.out_channels}"


def _pool(module) -> tuple[str, str]:
    size = getattr(module, "kernel_size", None) or getattr(module, "output_size", "")
    return f"{type(module).__name__} {size}", "pool"


def _attention(module) -> tuple[str, str]:
    heads = _fact(module, "num_heads", "num_attention_heads", "n_heads", "n_head", "heads")
    return (f"attention ×{heads}", f"attn {heads}") if heads else ("attention", "attention")


def _experts(module) -> tuple[str, str]:
    experts = _fact(module, "num_experts", "num_local_experts", "n_experts")
    return (f"mixture of {experts} experts", f"MoE {experts}") if experts else ("mixture of experts", "MoE")


def _fact(module: nn.Module, *names: str) -> int | None:
    """Return the first whole number of one of these names that a module, what it holds, or its configuration has."""
    holders = [*module.modules(), getattr(module, "config", None)]
    found = (getattr(holder, name, None) for holder in holders for name in names)
    return next((value for value in found if isinstance(value, int) and value > 0), None)


_WORDS = (
    (nn.modules.conv._ConvNd, _conv),
    (nn.Linear, lambda module: (f"linear {module.out_features}", f"lin {module.out_features}")),
    (nn.Embedding, lambda module: (f"embedding {module.num_embeddings} × {module.embedding_dim}", "embed")),
    (nn.LayerNorm, lambda module: ("layer norm", "LN")),
    (nn.modules.batchnorm._BatchNorm, lambda module: ("batch norm", "BN")),
    (nn.GroupNorm, lambda module: (f"group norm, {module.num_groups} groups", "GN")),
    (
        (
            *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
            *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d, nn.AdaptiveMaxPool2d),
        ),
        _pool,
    ),
    (nn.Dropout, lambda module: (f"dropout {module.p:g}", "drop")),
    ((nn.ReLU, nn.ReLU6), lambda module: ("ReLU", "ReLU")),
    (nn.modules.activation.__dict__["GELU"], lambda module: ("GELU", "GELU")),
    (nn.SiLU, lambda module: ("SiLU", "SiLU")),
    (nn.Upsample, lambda module: (f"up-sampling ×{module.scale_factor or ''}", "up")),
)
_BY_NAME = (
    (r"^conv1d$", lambda module: (f"linear {module.nf}", f"lin {module.nf}") if hasattr(module, "nf") else ("", "")),
    (r"rmsnorm|t5layernorm", lambda module: ("RMS norm", "RMS")),
    (r"layernorm", lambda module: ("layer norm", "LN")),
    (r"batchnorm|bnact", lambda module: ("batch norm", "BN")),
    (r"moe|experts", _experts),
    (r"attention|attn", _attention),
    (r"mlp$|feedforward|ffn$|dense(gated)?act", lambda module: ("MLP", "MLP")),
    (r"^(new|fast|quick)?gelu", lambda module: ("GELU", "GELU")),
    (r"^silu|^swish", lambda module: ("SiLU", "SiLU")),
)
"""By a class's name in small letters, what it is where its class is none of torch's own."""
