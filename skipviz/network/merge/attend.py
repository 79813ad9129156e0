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
        scores = (queries * (1 / math.sqrt(self.size))) @ keys.transpose(2, 3)
        if self.hidden is not None:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
        return self.out((scores.softmax(3) @ values).transpose(1, 2).flatten(2))
'''

KIND = Merge(
    number=5,
    name="attend",
    equation="h_j = f_j + s·(attention(f_j; A(h_i)) − f_j), before what is added",
    residual=False,
    first=True,
    parameters=lambda width: {
        "weight": (3 * width, width),
        "bias": (3 * width,),
        "out_weight": (width, width),
        "out_bias": (width,),
    },
    own_positions=True,
    sign="A",
    saves=lambda strength, adapted: 1 + adapted,
    module="CrossAttention",
    helper=SOURCE,
    requires=("Attention", "fill", "scheme torch", "scheme glorot"),
)
