"""The mean squared error of numbers."""

from ..objective_kind import Loss

KIND = Loss(number=5, name="squared_error", words="squared error", function="torch.nn.functional:mse_loss")
