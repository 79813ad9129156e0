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
        return self.normed(x.transpose(1, 2)).transpose(1, 2) if x.dim() == 3 else self.normed(x)

    def normed(self, x):
        mean, var = self.running_mean, self.running_var
        kept = [(part, mean[part].clone(), var[part].clone()) for part in self.frozen if self.training]
        known = (None, None) if self.training and x.numel() == mean.numel() else (mean, var)  # one value has no variance
        y = torch.batch_norm(x, self.weight, self.bias, *known, self.training, 0.1, 1e-5, False)
        for part, old_mean, old_var in kept:
            mean.data[part], var.data[part] = old_mean, old_var
        return y
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
    helpers={"BatchNorm": SOURCE},
)
