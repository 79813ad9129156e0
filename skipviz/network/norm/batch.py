"""Each channel over the batch and all positions (Ioffe & Szegedy 2015)."""

from ..base import Shape, axes, channels, elements
from ..kind import Norm

SOURCE = '''
class BatchNorm(nn.BatchNorm1d):
    """Batch norm of vectors, images, volumes or sequences; the running statistics of `frozen` channels stay as they are."""

    def __init__(self, width, frozen=()):
        super().__init__(width)
        self.frozen = frozen

    def forward(self, x):
        y = x.transpose(1, 2) if x.dim() == 3 else x
        y = batch_norm(y, self.weight, self.bias, self.running_mean, self.running_var, self.training, self.frozen)
        return y.transpose(1, 2) if x.dim() == 3 else y
'''


def _written(shape: Shape, own: bool) -> str:
    if len(shape) == 2 or own:
        return f"BatchNorm({channels(shape)})"
    return f"nn.BatchNorm{max(1, axes(shape))}d({channels(shape)})"


KIND = Norm(
    number=1,
    name="batch",
    words="batch norm",
    over="a channel of a batch",
    values=lambda shape: elements(shape) // channels(shape),
    batch=True,
    written=_written,
    helpers={"BatchNorm": SOURCE, "batch_norm": "skipviz.learning.norm.batch:batch_norm"},
)
