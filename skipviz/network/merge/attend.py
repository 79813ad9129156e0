"""An attention from f_j over what a skip carries: queries of one state, keys and values of another (Vaswani et al. 2017).

The strength s leads from f_j itself (0, which is what a skip that is off is) to the attention's output in its place (1).
"""

from ..kind import Merge

SOURCE = '''
class CrossAttention(Attention):
    """The same with the queries of one state, and the keys and values of another."""

    def forward(self, f, memory):
        sizes = (f.shape[2], 2 * f.shape[2])
        (to_query, to_read), (query, read) = self.read.weight.split(sizes), self.read.bias.split(sizes)
        queries = F.linear(f, to_query, query).unflatten(2, (self.heads, self.size)).transpose(1, 2)
        parts = F.linear(memory, to_read, read).unflatten(2, (2, self.heads, self.size))
        keys, values = parts.permute(2, 0, 3, 1, 4).unbind()
        weights = ((queries * (1 / math.sqrt(self.size))) @ keys.transpose(2, 3)).softmax(3)
        return self.out((weights @ values).transpose(1, 2).flatten(2))


def attend(f, memory, attention, strength=1.0):
    """Return f + s·(attention − f): queries of f, keys and values of memory."""
    f = f.view_as(f)  # one node for its uses: the gradients that come back through both sum here first
    out = attention(f, memory)
    if callable(strength):
        return f + strength(out - f)
    return out if strength == 1 else f + strength * (out - f)
'''

KIND = Merge(
    number=5,
    name="attend",
    equation="h_j = f_j + s·(attention(f_j; A(h_i)) − f_j), before what is added",
    residual=False,
    first=True,
    attends=True,
    sign="A",
    saves=lambda strength, adapted: 1 + adapted,
    helper=SOURCE,
    requires=("Attention", "fill", "scheme torch", "scheme glorot"),
)
