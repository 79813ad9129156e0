"""The rectifier max(0, x) (Nair & Hinton 2010)."""

from ..kind import Activation

KIND = Activation(
    number=1,
    name="relu",
    words="ReLU",
    function="torch:relu",
    module="nn.ReLU()",
    saves="output",
    passes_at_zero=False,
)
