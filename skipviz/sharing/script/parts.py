"""The helpers a written script may need, each as its source; a script carries only those that it uses.

Each does what its namesake in `skipviz.learning` does, number for number; `tests/unit/test_script.py` holds them to it.
"""

from __future__ import annotations

import re

from ...network.init import INITS
from ...network.kind import Init, Operation
from ...network.merge import MERGES
from ...network.norm import NORMS
from ...network.operation import OPERATIONS
from .source import Sources

_USED = re.compile(r"(?<![\w.])\w+(?=[(.])")

STANDARD = """
    if scheme == "standard":
        weight.normal_(generator=source)"""
"""How an embedding's vectors are filled, as torch's own."""


def _filled(init: Init) -> str:
    """Return the lines by which `fill` follows a scheme."""
    lines = [
        f'if scheme == "{init.name}":' + (f"  # {init.paper}" if init.paper else ""),
        *("    " + line for line in init.lines()),
    ]
    if init.biases:
        lines += ["    if bias is not None:", *("        " + line.replace("weight", "bias") for line in init.lines()), "    return"]
    return "\n" + "\n".join("    " + line for line in lines)


SCHEMES = {**{name: _filled(init) for name, init in INITS.items()}, "standard": STANDARD}
"""How first weights are filled, by scheme; biases are zero except in torch's own."""

FILL = '''
@torch.no_grad()
def fill(weight, bias, scheme, fan_in, fan_out, source):
    """Fill first weights by `scheme` from the generator `source`."""
'''
ZERO_BIAS = "    if bias is not None:\n        bias.zero_()"

DRAWN = '''
def drawn(module, *names, scheme="torch"{more}):
    """Return `module` with its first weights, drawn by `scheme` from the generator of `names`."""
    weight, area = module.weight, module.weight[0, 0].numel()
    fan_in, fan_out = {fans}
'''
DRAWN_FANS = "(weight.shape[1] * area, weight.shape[0] * area)"
DRAWN_FILL = '    fill(weight, getattr(module, "bias", None), scheme, fan_in, fan_out, generator(SEED, *names))\n'
DRAWN_FACTOR = "    weight.data.mul_(factor)\n"
DRAWN_BIAS = "    if bias is not None:\n        nn.init.constant_(module.bias, bias)\n"

HELPERS = {name: source for kind in (*NORMS.values(), *OPERATIONS.values()) for name, source in kind.helpers.items()}

PARTS = {
    "initialised": '''
@torch.no_grad()
def initialised(module, *names, scheme="torch", factor=1.0):
    """Return `module` with its first weights, drawn by `scheme` from the generator of `names`."""
    module.initialise(scheme, generator(SEED, *names))
    for weight in module.parameters():
        if weight.dim() > 1:
            weight.mul_(factor)
    return module
''',
    "scaled_weights": '''
def scaled_weights(module, factor):
    """Return `module` with its first weights times a factor."""
    module.weight.data.mul_(factor)
    return module
''',
    "Scale": '''
class Scale(nn.Module):
    """Multiplies by a factor, fixed or learned (ReZero, SkipInit, LayerScale)."""

    def __init__(self, factor, learned=False, shape=()):
        super().__init__()
        self.factor = nn.Parameter(torch.full(shape, float(factor))) if learned else factor

    def forward(self, x):
        return x * self.factor
''',
    "Strength": '''
class Strength(nn.Module):
    """The learned strength of a skip, which learns at `rate` times the run's learning rate."""

    def __init__(self, value, rate=1.0):
        super().__init__()
        self.value, self.rate = nn.Parameter(torch.tensor(float(value))), rate

    def forward(self, x):
        return x * self.value
''',
    "Dropout": '''
class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) whose mask depends on SEED, a layer's name and the step only."""

    step = None  # that of all networks, counted by train(); without one torch's own generator draws

    def __init__(self, share, *names):
        super().__init__()
        self.share, self.names = share, names

    def forward(self, x):
        if not self.training or Dropout.step is None:
            return nn.functional.dropout(x, self.share, self.training)
        source = generator(SEED, "dropout", *self.names, Dropout.step)
        return (x * torch.empty(x.shape).bernoulli_(1 - self.share, generator=source).div_(1 - self.share)).to(x.dtype)
''',
    "DropPath": '''
class DropPath(Dropout):
    """Leaves whole samples out (stochastic depth, Huang et al. 2016) while a skip carries them past."""

    acts = True

    def forward(self, x):
        if not self.training or not self.acts:
            return x
        source = None if Dropout.step is None else generator(SEED, "drop path", *self.names, Dropout.step)
        kept = torch.empty(len(x), *[1] * (x.dim() - 1)).bernoulli_(1 - self.share, generator=source)
        return (x * kept.div_(1 - self.share)).to(x.dtype)
''',
    "zero_gamma": '''
def zero_gamma(norm):
    """Return a norm whose γ starts at 0 (Goyal et al. 2017)."""
    nn.init.zeros_(norm.weight)
    return norm
''',
    **HELPERS,
    "resting": '''
def resting(state, x, shape):
    """Return what stands in for a layer that is off: zeros inside a residual branch, else what it reads."""
    return torch.zeros(len(x), *shape) if state == "zeros" else x.view_as(x)
''',
}
"""Functions and modules by name, in an order in which none needs a later one."""

OURS = {
    **{name: source for name, source in HELPERS.items() if source.startswith("skipviz.")},
    "with_gain": "skipviz.learning.gain:with_gain",
    "shares": "skipviz.learning.merge.add:shares",
    "towards": "skipviz.learning.merge.towards:towards",
    "Identity": "skipviz.learning.operation.identity:Identity",
    **{
        op.__name__: f"skipviz.learning.operation.{name}:{op.__name__}"
        for name, op in OPERATIONS.items()
        if op.written is Operation.written
    },
    **{
        part: f"skipviz.learning.merge.{name}:{part}"
        for name, kind in MERGES.items()
        for part in (kind.module, kind.function)
        if part
    },
}
"""Functions and modules of ours that a script has as they stand: where each is."""

PARTS |= OURS


def called(source: str) -> set[str]:
    """Return the parts that a source calls, or asks for what they have."""
    return PARTS.keys() & _USED.findall(source)


def helpers(needs: set[str], sources: Sources) -> str:
    """Return the source of what `needs` names: parts, `fill`, `drawn`, `scheme …`, `drawn fans|factor|bias`, and of `sources`."""
    needs = needs.union(*(called(PARTS.get(name, "")) for name in needs))
    found = []
    schemes = [text for name, text in SCHEMES.items() if f"scheme {name}" in needs]
    if "drawn" in needs or "fill" in needs:
        returning = {_filled(init) for init in INITS.values() if init.biases}
        lines = [text.strip("\n") for text in (*filter(returning.__contains__, schemes), ZERO_BIAS)]
        lines += [text.strip("\n") for text in schemes if text not in returning]
        found.append(FILL + "\n".join(lines) + "\n")
    if "drawn" in needs:
        options = {"drawn fans": ", fans=None", "drawn factor": ", factor=1.0", "drawn bias": ", bias=None"}
        text = DRAWN.replace("{more}", "".join(word for name, word in options.items() if name in needs)) + DRAWN_FILL
        text = text.replace("{fans}", f"fans or {DRAWN_FANS}" if "drawn fans" in needs else DRAWN_FANS[1:-1])
        text += (DRAWN_FACTOR if "drawn factor" in needs else "") + (DRAWN_BIAS if "drawn bias" in needs else "")
        found.append(text + "    return module\n")
    found += [text for name, text in PARTS.items() if name in needs and name not in OURS]
    for function in ["skipviz.learning.seeding:generator", *(OURS[name] for name in OURS if name in needs)]:
        sources.add(function)
    return "\n".join([*found, f"\n{sources.text()}\n"])
