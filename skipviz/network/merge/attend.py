"""An attention from f_j over what a skip carries: queries of one state, keys and values of another (Vaswani et al. 2017).

The strength s leads from f_j itself (0, which is what a skip that is off is) to the attention's output in its place (1).
"""

from ..base import Shape, elements
from ..kind import Fields, Merge
from ..operation import Attention


def checks(fields: Fields, shape: Shape) -> Shape:
    """Return the shape of an attention over states of a shape; raises `NetworkError`."""
    return Attention(heads=fields.heads, causal=fields.causal).output_shape(shape)


def label(fields: Fields) -> str:
    """Return its heads and its mask."""
    return f" ×{fields.heads}" + ", causal" * fields.causal


def saves_more(fields: Fields, target: Shape, carried: Shape) -> int:
    """Return the elements of queries, keys and values, of every head's weights, and of what those make."""
    return 2 * elements(target) + 2 * elements(carried) + fields.heads * target[0] * carried[0]


KIND = Merge(
    number=5,
    name="attend",
    equation="h_j = f_j + s·(attention(f_j; A(h_i)) − f_j), before what is added",
    residual=False,
    first=True,
    learns="attention",
    fields=("heads", "causal"),
    checks=checks,
    label=label,
    parameters=lambda fields, width: {
        "weight": (3 * width, width),
        "bias": (3 * width,),
        "out_weight": (width, width),
        "out_bias": (width,),
    },
    own_positions=True,
    sign="A",
    saves=lambda strength, adapted: 1 + adapted,
    saves_more=saves_more,
    module="CrossAttention",
    arguments=lambda fields, shape: Attention(heads=fields.heads, causal=fields.causal).arguments(shape),
    fills=("torch", "glorot"),
)
