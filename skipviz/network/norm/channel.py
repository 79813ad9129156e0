"""Layer norm over the channels of each pixel or position, ConvNeXt's (Liu et al. 2022), whose ε it has."""

from ..base import Shape, channels, is_image
from ..kind import Norm

SOURCE = '''
class PixelLayerNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel (Liu et al. 2022)."""

    def forward(self, x):
        return pixel_layer_norm(x, self.weight, self.bias, self.eps)
'''


def _written(shape: Shape, own: bool) -> str:
    return f"{'PixelLayerNorm' if is_image(shape) else 'nn.LayerNorm'}({channels(shape)}, eps=1e-6)"


KIND = Norm(
    number=6,
    name="channel",
    words="channel layer norm",
    over="a pixel's or position's channels",
    values=channels,
    written=_written,
    helpers={"PixelLayerNorm": SOURCE, "pixel_layer_norm": "skipviz.learning.norm.channel:pixel_layer_norm"},
    saves_more=2,
)
