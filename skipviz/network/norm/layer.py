"""All of an example's features (Ba et al. 2016), position by position in a sequence; of an image everything together."""

from ..base import Shape, channels, elements, is_image
from ..kind import Norm
from .group import SOURCE, in_groups


def _written(shape: Shape, own: bool) -> str:
    return in_groups(1, shape, own) if is_image(shape) else f"nn.LayerNorm({channels(shape)})"


KIND = Norm(
    number=2,
    name="layer",
    words="layer norm",
    over="a sample",
    values=lambda shape: elements(shape) if is_image(shape) else channels(shape),
    written=_written,
    helpers={"GroupNorm": SOURCE},
)
