"""Groups of channels with all their positions, example by example (Wu & He 2018)."""

from ..base import Shape, channels, elements
from ..kind import Norm

SOURCE = '''
class GroupNorm(nn.GroupNorm):
    """Group norm of vectors, images or sequences."""

    def forward(self, x):
        y = x.transpose(1, 2) if x.dim() == 3 else x
        y = torch.group_norm(y, self.num_groups, self.weight, self.bias, 1e-5)
        return y.transpose(1, 2) if x.dim() == 3 else y
'''


def group_count(features: int) -> int:
    """Return the groups of a group norm: the largest divisor of `features` up to 8."""
    return next(count for count in range(min(8, features), 0, -1) if features % count == 0)


def in_groups(groups: int, shape: Shape, own: bool) -> str:
    """Return how a script makes a norm of so many groups."""
    return f"{'' if len(shape) == 2 or own else 'nn.'}GroupNorm({groups}, {channels(shape)})"


KIND = Norm(
    number=3,
    name="group",
    words="group norm",
    over="a group",
    values=lambda shape: elements(shape) // group_count(channels(shape)),
    written=lambda shape, own: in_groups(group_count(channels(shape)), shape, own),
    helpers={"GroupNorm": SOURCE},
)
