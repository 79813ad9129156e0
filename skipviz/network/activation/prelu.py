"""The rectifier whose slope a below 0 is learned, one a layer (He et al. 2015)."""

from ..kind import Activation

KIND = Activation(
    number=8,
    name="prelu",
    words="PReLU",
    function="torch:prelu",
    module="nn.PReLU()",
    saves="input",
    starts_at=0.25,
)
