"""The hyperbolic tangent."""

from ..kind import Activation

KIND = Activation(
    number=4,
    name="tanh",
    words="tanh",
    function="torch:tanh",
    module="nn.Tanh()",
    saves="output",
)
