"""The leaky rectifier: x above 0, 0.01 x below (Maas et al. 2013)."""

from ..kind import Activation

KIND = Activation(
    number=2,
    name="leaky_relu",
    words="leaky ReLU",
    function="torch.nn.functional:leaky_relu",
    module="nn.LeakyReLU()",
    saves="input",
)
