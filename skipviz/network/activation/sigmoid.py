"""The logistic function 1 / (1 + exp(−x))."""

from ..kind import Activation

KIND = Activation(
    number=5,
    name="sigmoid",
    words="sigmoid",
    function="torch:sigmoid",
    module="nn.Sigmoid()",
    saves="output",
)
