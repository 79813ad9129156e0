"""What theory says of a network's gradient at initialisation, layer by layer; or why it says nothing. Imports no torch.

Wide layers, weights independent of what they meet (mean field: Poole et al. 2016; Schoenholz et al. 2017). Going back through a
layer, ‖g‖² is multiplied by n·Var W · E[σ'²], n being the fan-in. With ReLU that is half of n·Var W (Glorot & Bengio 2010; He et
al. 2015); behind a batch norm it is divided by the variance that the norm takes away (Yang et al. 2019: π/(π − 1) in a plain
network). At a fork the parts are independent, so their squares add up (De & Smith 2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from ..network.base import elements
from ..network.layer import Layer
from ..network.network import Network
from ..network.operation import Linear
from ..network.skip import Skip

VARIANCES = {"he": 2.0, "torch": 1 / 3, "normal": 1.0}
"""n·Var W by scheme; Glorot's depends on the fan-out too."""
HALF_NORMAL = (1 - 1 / math.pi) / 2
"""Variance of a ReLU of a standard normal number."""


@dataclass(frozen=True)
class Prediction:
    """‖∂L/∂h_k‖, of which only ratios between states mean anything; or the reason why nothing is predicted."""

    gradients: tuple[float | None, ...] = ()
    """For h_0…h_n as multiples of that of h_n; None for h_0, which is data, not what a layer gives."""
    reason: str = ""
    """A sentence, where nothing is predicted."""

    def factor(self) -> float:
        """Return the mean factor a layer, going back from h_n to h_1."""
        return self.gradients[1] ** (1 / (len(self.gradients) - 2))


def predicted(network: Network) -> Prediction:
    """Return what theory says of `network` as it is initialised, whatever the loss."""
    reason = _reason(network)
    if reason:
        return Prediction(reason=reason)
    factors, landing = squared_factors(network), _landing(network)
    squares = [-math.inf] * network.depth + [0.0]  # logarithms: of 300 sigmoids the square itself would be 0
    for k in range(network.depth, 1, -1):  # what comes back to h_(k-1): through f_k here, through skips when their target came
        squares[k - 1] = _added(squares[k - 1], _log(factors[k - 1]) + squares[k])
        if k in landing:
            skip = landing[k]
            squares[skip.source] = _added(squares[skip.source], _log((skip.strength * skip.gain) ** 2) + squares[k])
    return Prediction((None, *(math.exp(square / 2) for square in squares[1:])))


def _log(value: float) -> float:
    return math.log(value) if value else -math.inf


def _added(a: float, b: float) -> float:
    """Return the logarithm of the sum of two numbers, given by theirs."""
    low, high = sorted((a, b))
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _landing(network: Network) -> dict[int, Skip]:
    return {skip.target: skip for skip in network.skips if skip.in_force}


def squared_factors(network: Network) -> list[float]:
    """Return, by layer, the factor on ‖g‖² on the way back through it alone, its branch scale and gain included; `network` is one
    of which something is predicted."""
    landing = _landing(network)
    variance, second = 1.0, 1.0
    variances, factors = [variance], []
    for k, (layer, shape) in enumerate(zip(network.layers, network.shapes.layers, strict=True), start=1):
        weights = _weights(layer, shape.input, shape.output)
        scale = 1.0 if layer.scale is None else layer.scale
        first = layer.order == "norm-act-op"
        read = variance if layer.norm == "batch" else second
        entering = read if first else weights * read
        """Of what comes to the activation, or to the norm before it."""
        normed = layer.norm == "batch"
        moments = _moments(layer.activation, 1.0 if normed else entering)
        factors.append(weights * moments.slope / (entering if normed else 1.0) * (scale * layer.gain) ** 2)
        given = scale**2 * (weights if first else 1.0)
        second, variance = given * moments.square, given * moments.variance
        if k in landing:
            carried = landing[k].strength ** 2 * variances[landing[k].source]
            variance, second = variance + carried, second + carried
        variances.append(variance)
    return factors


def _weights(layer: Layer, read: tuple[int, ...], given: tuple[int, ...]) -> float:
    """Return n·Var W of a layer's weights."""
    n = elements(read)
    return layer.init_factor**2 * (2 * n / (n + elements(given)) if layer.init == "glorot" else VARIANCES[layer.init])


@dataclass(frozen=True)
class _Moments:
    """Of σ(z), z being normal with mean 0: E[σ²], Var σ and E[σ'²]."""

    square: float
    variance: float
    slope: float


@cache
def _moments(activation: str, square: float) -> _Moments:
    if activation == "none":
        return _Moments(square, square, 1.0)
    if activation == "relu":
        return _Moments(square / 2, square * HALF_NORMAL, 0.5)
    from numpy import exp
    from numpy.polynomial.hermite_e import hermegauss

    places, weights = hermegauss(61)
    weights = weights / weights.sum()
    values = 1 / (1 + exp(-places * math.sqrt(square)))
    mean, moment = weights @ values, weights @ values**2
    return _Moments(float(moment), float(moment - mean**2), float(weights @ (values * (1 - values)) ** 2))


def _reason(network: Network) -> str:
    """Return why nothing is predicted of `network`, as a sentence, or ''."""
    if network.branches:
        return "Theory speaks of a trunk with skips; here boxes stand beside it."
    first = network.layers[0]
    for layer in network.layers:
        if found := _unlike(layer, first):
            return f"Theory says nothing of {layer.id}: {found}."
    if network.depth < 2:
        return "There is but one layer."
    end = 0
    for skip, shape in zip(network.skips, network.shapes.skips, strict=True):
        if not skip.in_force:
            continue
        if skip.merge != "add" or skip.softmax:
            return f"Theory speaks of adds, and {skip.id} is a {skip.merge}."
        if shape.parameters > skip.learned or shape.adapter.channels != "none":
            return f"Theory speaks of skips that carry a state as it is, and {skip.id} adapts it."
    for skip in sorted((skip for skip in network.skips if skip.in_force), key=lambda skip: skip.source):
        if skip.source < end:
            return f"{skip.id} overlaps another skip, so what comes back through them is not independent."
        if first.order != "norm-act-op" or first.activation == "sigmoid":
            return f"What the branch beside {skip.id} adds has a mean that is not 0, so its part depends on the skip's."
        end = skip.target
    return ""


def _unlike(layer: Layer, first: Layer) -> str:
    """Return what of a layer theory does not speak of, or ''."""
    if not isinstance(layer.op, Linear):
        return f"it speaks of linear layers, and this is {layer.op.label()}"
    if layer.activation not in ("relu", "sigmoid", "none"):
        return f"it speaks of ReLU and sigmoid, not of {layer.activation}"
    if layer.norm not in ("none", "batch") or (layer.norm, layer.order) != (first.norm, first.order):
        return "it speaks of batch norm everywhere, at one side of the weights, or nowhere"
    if layer.init not in (*VARIANCES, "glorot"):
        return f"it speaks of independent weights, and these are {layer.init}"
    if layer.dropout or layer.drop_path or layer.shares or layer.zero_gamma or not layer.on:
        return "it is off, shares weights, drops out or begins with γ = 0"
    return ""
