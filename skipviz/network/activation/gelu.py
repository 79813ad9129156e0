"""x Φ(x), Φ the normal distribution's function (Hendrycks & Gimpel 2016); exact, not by tanh."""

from ..kind import Activation

KIND = Activation(
    number=3,
    name="gelu",
    words="GELU",
    function="torch.nn.functional:gelu",
    module="nn.GELU()",
    saves="input",
)
