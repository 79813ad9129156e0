"""An attention from f_j over what a skip carries: queries of one state, keys and values of another (Vaswani et al. 2017).

The strength s leads from f_j itself (0, which is what a skip that is off is) to the attention's output in its place (1).
"""

from functools import partial

from ..base import Shape, elements
from ..kind import Fields, Merge
from ..operation import Attention

SOURCE = '''
class CrossAttention(Attention):
    """The same with the queries of one state, and the keys and values of another."""

    def forward(self, f, memory):
        sizes = (f.shape[2], 2 * f.shape[2])
        (to_query, to_read), (query, read) = self.read.weight.split(sizes), self.read.bias.split(sizes)
        queries = F.linear(f, to_query, query).unflatten(2, (self.heads, self.size)).transpose(1, 2)
        parts = F.linear(memory, to_read, read).unflatten(2, (2, self.heads, self.size))
        keys, values = parts.permute(2, 0, 3, 1, 4).unbind()
        scores = (queries * (1 / math.sqrt(self.size))) @ keys.transpose(2, 3)
        if self.hidden is not None:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
        return self.out((scores.softmax(3) @ values).transpose(1, 2).flatten(2))
'''


def checks(fields: Fields, shape: Shape) -> Shape:
    """Return the shape of an attention over states of a shape; raises `NetworkError`."""
    return Attention(heads=fields.heads, causal=fields.causal).output_shape(shape)


def label(fields: Fields) -> str:
    """Return its heads and its mask."""
    return f" ×{fields.heads}" + ", causal" * fields.causal


def made(module: str, fields: Fields, shape: Shape, names: str) -> str:
    """Return how a script makes the attention."""
    return f"{module}({shape[0]}, {shape[1]}, {fields.heads}, {names}{', causal=True' * fields.causal})"


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
    module=partial(made, "CrossAttention"),
    helper=SOURCE,
    requires=("Attention", "fill", "scheme torch", "scheme glorot"),
)
