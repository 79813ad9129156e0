"""A layer f_k: one box of the figure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .activation import ACTIVATIONS
from .base import Frozen, NetworkError, Shape, channels
from .init import INITS
from .norm import NORMS
from .operation import Operation

Activation = Literal["none", *ACTIVATIONS]
Norm = Literal["none", *NORMS]
Order = Literal["op-norm-act", "norm-act-op"]
Init = Literal[*INITS]
MAX_INIT_FACTOR = 100
"""With `normal` the factor √n makes weights N(0, 1): this reaches a fan-in of 10,000."""
LayerInit = Literal[*INITS, "bilinear"]


class Layer(Frozen):
    """An operation with its norm and activation.

    `op-norm-act` computes act(norm(op(x))), `norm-act-op` computes op(act(norm(x))) (He et al. 2016, pre-activation).
    """

    id: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,32}$", description="stable; weights and events go by it")
    op: Operation
    activation: Activation = "none"
    norm: Norm = "none"
    order: Order = "op-norm-act"
    init: LayerInit = Field(
        "torch", description="normal: N(0, 1/fan-in); torch: as torch's own module; bilinear: a transposed up-scaling interpolates"
    )
    init_factor: float = Field(1.0, gt=0, le=MAX_INIT_FACTOR, description="on the initial weights, biases apart")
    dropout: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="share of f_k's elements that a training step sets to 0, the others being divided by 1 − share "
        "(Srivastava et al. 2014): after norm and activation, before branch scale, gain and merge",
    )
    drop_path: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="share of samples for which a training step leaves f_k out, the others being divided by 1 − share "
        "(stochastic depth, Huang et al. 2016): where an add in force lands behind it, and nowhere else",
    )
    zero_gamma: bool = Field(
        False, description="γ of the norm starts at 0, so that a residual branch starts as 0 (Goyal et al. 2017)"
    )
    scale: float | None = Field(None, ge=-10, le=10, description="branch scale α on the layer's output; None: no factor")
    scale_learned: bool = Field(False, description="α is a parameter that starts at `scale` (ReZero, SkipInit)")
    scale_per: Literal["layer", "channel"] = Field(
        "layer", description="a learned α is one number, or one a channel (LayerScale, Touvron et al. 2021)"
    )
    shares: str = Field("", max_length=32, description="id of a layer whose weights it uses; '': it has its own")
    on: bool = Field(True, description="the layer switch, for lesions")
    gain: float = Field(1.0, ge=0, le=1, description="factor on the gradient that goes back through the output")

    @model_validator(mode="after")
    def _check(self):
        if self.init == "bilinear" and not self.op.interpolates:
            raise NetworkError("only a transposed up-scaling starts with bilinear weights")
        if self.zero_gamma and (self.norm == "none" or self.order == "norm-act-op"):
            raise NetworkError("zero γ is of a norm behind the operation: choose one, and the order op-norm-act")
        behind = ACTIVATIONS.get(self.activation)
        if self.zero_gamma and behind and not behind.passes_at_zero:
            blocked = "lets no gradient through, so the layer would never learn"
            raise NetworkError(f"a {behind.words} behind zero γ {blocked}: choose another")
        return self

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of f_k's output for an input of `shape`; raises `NetworkError`."""
        output = self.op.output_shape(shape)
        problem = self.norm != "none" and NORMS[self.norm].misfit(self.normed_shape(shape, output))
        if problem:
            raise NetworkError(problem)
        return output

    def normed_shape(self, read: Shape, output: Shape) -> Shape:
        """Return the shape of what the norm stands before or behind, for an input and output of the operation."""
        return read if self.order == "norm-act-op" else output

    def parameter_count(self, shape: Shape) -> int:
        """Return the number of parameters of f_k for an input of `shape`."""
        count = self.op.parameter_count(shape) + self.scale_count(shape)
        if self.activation != "none":
            count += ACTIVATIONS[self.activation].parameters
        if self.norm == "none":
            return count
        return count + NORMS[self.norm].parameter_count(self.normed_shape(shape, self.output_shape(shape)))

    def scale_count(self, shape: Shape) -> int:
        """Return how many numbers α learns for an input of `shape`."""
        if not self.scale_learned:
            return 0
        return channels(self.output_shape(shape)) if self.scale_per == "channel" else 1

    def words(self) -> str:
        """Return a layer's operation, norm, activation and whatever is out of the ordinary, in the order they act."""
        words = [table[name].words for table, name in ((NORMS, self.norm), (ACTIVATIONS, self.activation)) if name != "none"]
        if not words or self.op.kind != "identity":
            words.insert(0 if self.order == "op-norm-act" else len(words), self.op.label())
        if self.init_factor != 1:
            words.append(f"{INITS[self.init].words if self.init in INITS else self.init} init ×{self.init_factor:g}")
        if self.dropout:
            words.append(f"dropout {self.dropout:g}")
        if self.drop_path:
            words.append(f"drop-path {self.drop_path:g}")
        if self.zero_gamma:
            words.append("γ from 0")
        if self.scale is not None:
            words.append(f"×{self.scale:g}" + " learned" * self.scale_learned + " a channel" * (self.scale_per == "channel"))
        if self.gain != 1:
            words.append(f"gradient ×{self.gain:g}")
        return ", ".join(words) + ("" if self.on else " (off)")

    def model_post_init(self, _context) -> None:
        if self.scale_learned and self.scale is None:
            raise NetworkError("a learned branch scale needs its starting value")
        if self.scale_per == "channel" and not self.scale_learned:
            raise NetworkError("only a learned branch scale has a number for each channel")
