"""Attention as the trunk's values see it: f_j's positions are mixed by the weights that queries and keys of a state give.

The strength s leads from every position by itself (0, which is what a skip that is off is) to the mixture (1). With values as
layers of the trunk, a skip from the first block's to a later one's is a value residual (Zhou et al. 2024, 2410.17897).
"""

from dataclasses import replace
from functools import partial

from .attend import KIND as ATTEND
from .attend import made

SOURCE = '''
class Mixture(nn.Module):
    """softmax(Q Kᵀ/√d) of one state, by which every head mixes the positions of another."""

    def __init__(self, length, width, heads, *names, causal=False):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.hidden = torch.ones(length, length, dtype=torch.bool).triu(1) if causal else None
        self.read = nn.Linear(width, 2 * width)
        source = generator(*names)
        for part in self.read.weight.split(width):
            fill(part, None, "glorot", width, 3 * width, source)
        nn.init.zeros_(self.read.bias)

    def forward(self, f, h):
        queries, keys = self.read(h).unflatten(2, (2, self.heads, self.size)).permute(2, 0, 3, 1, 4).unbind()
        scores = (queries * (1 / math.sqrt(self.size))) @ keys.transpose(2, 3)
        if self.hidden is not None:
            scores = scores.masked_fill(self.hidden, -math.inf)
        values = f.unflatten(2, (self.heads, self.size)).transpose(1, 2)
        return (scores.softmax(3) @ values).transpose(1, 2).flatten(2)
'''

KIND = replace(
    ATTEND,
    number=6,
    name="mix",
    equation="h_j = f_j + s·(P f_j − f_j), P the attention of A(h_i), before what is added",
    parameters=lambda fields, width: {"weight": (2 * width, width), "bias": (2 * width,)},
    own_positions=False,
    sign="P",
    module=partial(made, "Mixture"),
    helper=SOURCE,
    requires=("fill", "scheme glorot"),
)
