"""x times the logistic function of x, also called swish (Elfwing et al. 2018)."""

from ..kind import Activation

KIND = Activation(
    number=6,
    name="silu",
    words="SiLU",
    function="torch.nn.functional:silu",
    module="nn.SiLU()",
    saves="input",
)
