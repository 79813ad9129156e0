"""Each example's channels divided by their root mean square, position by position (Zhang & Sennrich 2019)."""

from ..base import Shape, channels, is_image
from ..kind import Norm

SOURCE = '''
class PixelRMSNorm(nn.RMSNorm):
    """RMS norm over the channels of each pixel."""

    def forward(self, x):
        return pixel_rms_norm(x, self.weight)
'''
ONCE = '''
class RMSNorm(nn.RMSNorm):
    """RMS norm that reads its input as one: gradients are then summed in the library's order."""

    def forward(self, x):
        return super().forward(x.view_as(x))
'''


def _written(shape: Shape, own: bool) -> str:
    return f"{'PixelRMSNorm' if is_image(shape) else 'RMSNorm'}({channels(shape)})"


KIND = Norm(
    number=4,
    name="rms",
    words="RMS norm",
    over="a sample's channels",
    values=channels,
    written=_written,
    helpers={"PixelRMSNorm": SOURCE, "RMSNorm": ONCE, "pixel_rms_norm": "skipviz.learning.norm.rms:pixel_rms_norm"},
    centred=False,
    saves_more=1,
)
