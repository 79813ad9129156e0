"""n residual streams mixed by an n × n matrix, onto which a layer writes: hyper-connections.

Free, M = A_rᵀ and B of Zhu et al. (2024, 2409.19606); doubly stochastic, M = H_res and B = H_post of Xie et al. (2025, 2512.24880),
whose Sinkhorn–Knopp iteration ends with the rows. Both are parameters alone or, where they are dynamic, change with what the
streams hold. What a layer reads of the streams is an operation of its own, `Reduce`, and f is a copy in each of them, `Expand`'s.
"""

from math import exp, prod

from ..base import Shape, channels, elements, spatial
from ..kind import Fields, Merge
from ..streams import width_of

KEPT = 4.0
"""The logit by which a doubly stochastic matrix starts near the identity, where Xie et al. name none: e⁴ is 55, so that of four
streams each keeps 0.95 of itself."""


def _start(fields: Fields) -> list[float]:
    n = fields.streams
    own, other = (1.0, 0.0) if fields.mixing == "free" else (exp(KEPT) / (exp(KEPT) + n - 1), 1 / (exp(KEPT) + n - 1))
    return [own if row == column else other for row in range(n) for column in range(n)]


def _parameters(fields: Fields, width: int) -> dict[str, Shape]:
    n, doubly = fields.streams, fields.mixing == "sinkhorn"
    reads = width if doubly else width // n
    maps = {
        "mix_map": (reads, n * n if doubly else n),
        "write_map": (reads, n) if doubly else (reads,),
        "mix_scale": (),
        "write_scale": (),
    }
    return {"mix": (n, n), "write": (n,), **(maps if fields.dynamic else {})}


def _arguments(fields: Fields, shape: Shape) -> dict:
    return {"width": channels(shape), "streams": fields.streams, "mixing": fields.mixing, "dynamic": fields.dynamic}


def _label(fields: Fields) -> str:
    return f" ×{fields.streams}" + ", doubly stochastic" * (fields.mixing == "sinkhorn") + ", dynamic" * fields.dynamic


def _saves_more(fields: Fields, target: Shape, carried: Shape) -> int:
    matrices = prod(spatial(target)) * fields.streams**2 * (40 if fields.mixing == "sinkhorn" else 2)
    return elements(target) + (elements(carried) + matrices) * fields.dynamic


KIND = Merge(
    number=7,
    name="streams",
    equation="h_j = f_j + s·(M A(h_i) + B⊙f_j − f_j), of each stream, M mixing those of A(h_i)",
    alone=True,
    matrix=_start,
    learns="mixing",
    parameters=_parameters,
    fields=("streams", "mixing", "dynamic"),
    checks=lambda fields, shape: width_of(fields.streams, shape),
    label=_label,
    sign="M",
    saves=lambda strength, adapted: 1 + adapted,
    calls=lambda fields: (12 if fields.dynamic else 6) + (20 if fields.mixing == "sinkhorn" else 0),
    saves_more=_saves_more,
    module="Streams",
    arguments=_arguments,
)
