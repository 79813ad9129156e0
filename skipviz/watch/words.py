"""What functions of torch are to a reader of a diagram: views, activations, norms, merges. Imports no torch."""

from __future__ import annotations

ADDS = frozenset({"add", "iadd", "radd", "sub", "isub", "rsub"})
CONCATS = frozenset({"cat", "concat", "concatenate"})
PRODUCTS = frozenset({"mul", "imul", "rmul", "multiply"})
VIEWS = frozenset(
    {
        *("view", "reshape", "permute", "transpose", "t", "swapaxes", "movedim", "flatten", "unflatten", "unsqueeze", "squeeze"),
        *("contiguous", "to", "float", "half", "bfloat16", "double", "type_as", "type", "clone", "chunk", "split", "tensor_split"),
        *("unbind", "getitem", "narrow", "select", "roll", "view_as", "reshape_as", "split_with_sizes", "pad", "identity"),
        *("pixel_shuffle", "pixel_unshuffle", "flip", "moveaxis", "index_select", "einops", "channels_last", "alias", "T"),
    }
)
"""Functions that lay the same numbers out otherwise: no boxes."""
POINTWISE = {
    "relu": "ReLU", "gelu": "GELU", "silu": "SiLU", "sigmoid": "σ", "tanh": "tanh", "leaky_relu": "leaky ReLU", "elu": "ELU",
    "softmax": "softmax", "relu6": "ReLU6", "hardswish": "hardswish", "hardsigmoid": "hard σ", "mish": "Mish",
    "softplus": "softplus", "prelu": "PReLU", "log_softmax": "log softmax", "dropout": "dropout",
    "dropout2d": "dropout", "normalize": "normalise",
    "selu": "SELU", "celu": "CELU", "hardtanh": "hardtanh", "clamp": "clamp", "threshold": "threshold",
}  # fmt: skip
"""Functions of each element, as a box says them."""
RECTIFIERS = frozenset({"relu", "relu6", "threshold", "hardtanh", "clamp"})
"""Activations that set a part of all values to a bound, as to 0."""
NORMS = {
    "layer_norm": "LN", "batch_norm": "BN", "group_norm": "GN", "instance_norm": "IN", "rms_norm": "RMS",
    "local_response_norm": "LRN",
}  # fmt: skip
ELEMENTWISE = frozenset(
    {*ADDS, *CONCATS, *PRODUCTS, "div", "truediv", "rtruediv", "pow", "rpow", "lerp", "where", "maximum", "minimum", "prelu", "neg"}
)
"""Functions that are no layer, whatever parameters they take: a scale, a shift, a token put before the others."""
MATRIX_PRODUCTS = frozenset({"matmul", "rmatmul", "mm", "bmm"})
MIXES = frozenset({*MATRIX_PRODUCTS, "baddbmm", "addmm", "addbmm", "einsum", "scaled_dot_product_attention"})
"""Functions that multiply states with each other."""
POOLS = {
    "max_pool2d": "pool", "avg_pool2d": "pool", "adaptive_avg_pool2d": "pool", "adaptive_max_pool2d": "pool", "mean": "mean",
    "max_pool1d": "pool", "avg_pool1d": "pool", "max_pool3d": "pool", "interpolate": "resize", "boolean_dispatch": "pool",
}  # fmt: skip
SIGNS = {
    **dict.fromkeys((*MIXES, "truediv"), "×"),
    "truediv": "÷",
    "div": "÷",
    "sub": "−",
    "pow": "power",
    "cat": "concat",
    "mul": "×",
    "add": "+",
    "conv2d": "conv",
    "linear": "linear",
    "scaled_dot_product_attention": "attention",
}


EXPORTED = {
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d"), "interpolate"),
    **dict.fromkeys(("slice", "index"), "getitem"),
}
"""What an exported graph calls by another name than torch's own functions have."""


def is_norm_class(kind: str) -> bool:
    """Return whether a module's class says that it is a norm."""
    return "norm" in kind.lower()


def is_attention_class(kind: str) -> bool:
    """Return whether a module's class says that it is an attention."""
    return "attention" in kind.lower() or "attn" in kind.lower()
