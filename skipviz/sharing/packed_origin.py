"""What made a network, in the short form that a link carries. Imports nothing."""

from __future__ import annotations

FAMILIES = (
    "resnet", "unet", "fcn", "transformer", "densenet", "mobilenet", "convnext", "tabular_resnet", "highway", "mlp", "conv",
    "vit", "tcn", "wavenet", "resnet_unet",
)  # fmt: skip
SETTINGS = (
    "layout", "block", "depth", "width", "version", "shortcut", "init", "norm", "scale", "drop_path", "zero_gamma", "plain",
    "groups", "group_width", "reduction", "scales", "convolutions", "edges", "uneven", "up", "merge", "activation", "long",
    "short", "beside", "dropout", "variant", "stages", "widening", "classifier", "heads", "feed_forward", "causal", "positions",
    "residual", "shared", "averaged", "values", "encoder", "blocks", "layers", "growth", "compression", "bottleneck",
    "expansion", "last", "patch", "kernel", "hidden", "residual_dropout", "gate_bias", "order", "init_factor", "pattern",
    "every", "streams", "mix", "dynamic", "doubled", "across",
    "token", "cycles", "end_width", "ends", "resize", "tied", "period", "dilation",
)  # fmt: skip
"""What may have made a network, and the settings of all, each by its place here: a new one stands at the end."""


def packed_origin(family: str, values: dict | None = None) -> dict:
    """Return a family and its settings by their places; nothing of what a link has no number for."""
    values = values or {}
    if family not in FAMILIES or not values.keys() <= set(SETTINGS):
        return {}
    places = sorted((SETTINGS.index(name), value) for name, value in values.items())
    return {"o": [FAMILIES.index(family), *(part for pair in places for part in pair)]}


def unpacked_origin(short) -> dict:
    """Return what made a network; a text that says something else of it loses no more than that."""
    try:
        family, *parts = short
        return {
            "family": FAMILIES[family],
            "values": {SETTINGS[k]: value for k, value in zip(parts[::2], parts[1::2], strict=True)},
        }
    except (TypeError, ValueError, IndexError):
        return {}
