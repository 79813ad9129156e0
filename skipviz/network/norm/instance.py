"""Each channel of each example over its positions (Ulyanov et al. 2016)."""

from ..base import Shape, axes, channels, elements, is_image
from ..kind import Norm

SOURCE = '''
class SequenceInstanceNorm(nn.InstanceNorm1d):
    """Instance norm of sequences, whose channels are last."""

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)
'''


def _positions(shape: Shape) -> int:
    return elements(shape) // channels(shape)


def _written(shape: Shape, own: bool) -> str:
    name = f"nn.InstanceNorm{axes(shape)}d" if is_image(shape) else "SequenceInstanceNorm"
    return f"{name}({channels(shape)}, affine=True)"


def _misfit(shape: Shape) -> str | None:
    if _positions(shape) > 1:
        return None
    return "instance norm needs more than one pixel or position a channel: choose another norm"


KIND = Norm(
    number=5,
    name="instance",
    words="instance norm",
    over="a channel of a sample",
    values=_positions,
    written=_written,
    helpers={"SequenceInstanceNorm": SOURCE},
    misfit=_misfit,
)
