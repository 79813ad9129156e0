"""n residual streams mixed by an n × n matrix, onto which a layer writes: hyper-connections.

Free, M = A_rᵀ and B of Zhu et al. (2024, 2409.19606); doubly stochastic, M = H_res and B = H_post of Xie et al. (2025, 2512.24880),
whose Sinkhorn–Knopp iteration ends with the rows. Both are parameters alone or, where they are dynamic, change with what the
streams hold. What a layer reads of the streams is an operation of its own, `Reduce`, and f is a copy in each of them, `Expand`'s.
"""

from math import exp, prod

from ..base import Shape, channels, elements, spatial
from ..kind import Fields, Merge
from ..streams import width_of

SOURCE = '''
class Streams(nn.Module):
    """n streams mixed by an n × n matrix, and how much each takes of what is written (Zhu et al. 2024, Xie et al. 2025)."""

    def __init__(self, width, streams, mixing, dynamic=False):
        super().__init__()
        self.streams, self.width, self.doubly = streams, width // streams, mixing == "sinkhorn"
        self.mix = nn.Parameter(torch.eye(streams) * (4.0 if self.doubly else 1.0))
        self.write = nn.Parameter(torch.full((streams,), 0.0 if self.doubly else 1.0))
        self.mix_map = None
        if dynamic:
            reads = width if self.doubly else self.width
            self.mix_map = nn.Parameter(torch.zeros(reads, streams**2 if self.doubly else streams))
            self.write_map = nn.Parameter(torch.zeros(reads, streams) if self.doubly else torch.zeros(reads))
            self.mix_scale, self.write_scale = (nn.Parameter(torch.full((), 0.01)) for _ in range(2))

    def forward(self, f, h):
        image = h.dim() > 3
        h, f = (h.movedim(1, -1), f.movedim(1, -1)) if image else (h.view_as(h), f)
        streams = h.unflatten(-1, (self.streams, -1))
        matrix, write = self.weights(h, streams)
        out = (matrix @ streams + write.unsqueeze(-1) * f.unflatten(-1, (self.streams, -1))).flatten(-2)
        return out.movedim(-1, 1) if image else out

    def weights(self, h, streams):
        mix, write = self.mix, self.write
        if self.mix_map is not None and self.doubly:
            h = torch.rms_norm(h, h.shape[-1:])
            mix = mix + self.mix_scale * (h @ self.mix_map).unflatten(-1, (self.streams, -1))
            write = write + self.write_scale * (h @ self.write_map)
        elif self.mix_map is not None:
            h = nn.functional.layer_norm(streams, (self.width,))
            mix = mix + self.mix_scale * torch.tanh(h @ self.mix_map)
            write = write + self.write_scale * torch.tanh(h @ self.write_map)
        return (self.sinkhorn(mix), 2 * torch.sigmoid(write)) if self.doubly else (mix.mT, write)

    def sinkhorn(self, logits):
        logits = logits.movedim((-2, -1), (0, 1)).contiguous()
        matrix = (logits - logits.detach().amax((0, 1))).exp()
        for _ in range(20):
            matrix = matrix / matrix.sum(0, keepdim=True)
            matrix = matrix / matrix.sum(1, keepdim=True)
        return matrix.movedim((0, 1), (-2, -1)).contiguous()
'''


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


def _made(fields: Fields, shape: Shape, names: str) -> str:
    return f'Streams({channels(shape)}, {fields.streams}, "{fields.mixing}"{", dynamic=True" * fields.dynamic})'


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
    module=_made,
    helper=SOURCE,
)
