"""What a module does, in a person's words: torch's own by their facts, others by their class."""

from __future__ import annotations

from torch import nn

MOST = 60


def words_of(module: nn.Module) -> tuple[str, str]:
    """Return a label, and one of at most twelve characters; both are '' where the class's name is all there is to say."""
    for kinds, words in _WORDS:
        if isinstance(module, kinds):
            label, short = words(module)
            return label[:MOST], short[:12]
    return "", ""


def _conv(module) -> tuple[str, str]:
    kernel = "×".join(map(str, module.kernel_size))
    stride = f", stride {module.stride[0]}" if any(size > 1 for size in module.stride) else ""
    groups = f", {module.groups} groups" if module.groups > 1 else ""
    up = "transposed " if module.transposed else ""
    return f"{up}conv {kernel}, {module.out_channels} channels{stride}{groups}", f"{kernel} · {module.out_channels}"


def _conv_of_transformers(module) -> tuple[str, str]:
    return f"linear {module.nf}", f"lin {module.nf}"


def _pool(module) -> tuple[str, str]:
    size = getattr(module, "kernel_size", None) or getattr(module, "output_size", "")
    return f"{type(module).__name__} {size}", "pool"


_WORDS = (
    (nn.modules.conv._ConvNd, _conv),
    (nn.Linear, lambda module: (f"linear {module.out_features}", f"lin {module.out_features}")),
    (nn.Embedding, lambda module: (f"embedding {module.num_embeddings} × {module.embedding_dim}", "embed")),
    (nn.LayerNorm, lambda module: ("layer norm", "LN")),
    (nn.modules.batchnorm._BatchNorm, lambda module: ("batch norm", "BN")),
    (nn.GroupNorm, lambda module: (f"group norm, {module.num_groups} groups", "GN")),
    (nn.MultiheadAttention, lambda module: (f"attention, {module.num_heads} heads", f"attn {module.num_heads}")),
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
