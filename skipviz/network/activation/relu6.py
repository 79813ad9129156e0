"""The rectifier that ends at 6, min(max(0, x), 6) (Krizhevsky 2010)."""

from ..kind import Activation

KIND = Activation(
    number=7,
    name="relu6",
    words="ReLU6",
    function="torch.nn.functional:relu6",
    module="nn.ReLU6()",
    saves="input",
    passes_at_zero=False,
)
