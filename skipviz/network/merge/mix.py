"""Attention as the trunk's values see it: f_j's positions are mixed by the weights that queries and keys of a state give.

The strength s leads from every position by itself (0, which is what a skip that is off is) to the mixture (1). With values as
layers of the trunk, a skip from the first block's to a later one's is a value residual (Zhou et al. 2024, 2410.17897).
"""

from dataclasses import replace

from .attend import KIND as ATTEND

KIND = replace(
    ATTEND,
    number=6,
    name="mix",
    equation="h_j = f_j + s·(P f_j − f_j), P the attention of A(h_i), before what is added",
    parameters=lambda fields, width: {"weight": (2 * width, width), "bias": (2 * width,)},
    own_positions=False,
    sign="P",
    module="Mixture",
    fills=("glorot",),
)
