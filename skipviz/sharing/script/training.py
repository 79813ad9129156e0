"""How a script updates: optimizer, learning rate by step, clipping. Imports the data model only.

Each does what `skipviz.learning` and `skipviz.tasks.schedule` do, number for number.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...tasks.experiment import Experiment, Training
from ...tasks.schedule import CUT, CUTS, FIRST, LAST, RISE, SCHEDULES

UPDATER = '''
class Updater:
    """Updates a model whose parameters it lays into vectors, of which they become views: one vector of layers and head,
    and one of each skip that has parameters, which rests while the skip is off. An update is then one call."""
{thresholds}
    def __init__(self, model):
        self.model = model
        skips = {{key: list(skip.parameters()) for key, skip in model.s.items()}} if hasattr(model, "s") else {{}}
        theirs = {{id(p) for part in skips.values() for p in part}}
        trunk = [p for p in model.parameters() if id(p) not in theirs]
        self.parts = {{"trunk": sorted(trunk, key=lambda p: p.dim() == 0), **skips}}  # learned scales last
        self.vectors = {{key: self.joined(part) for key, part in self.parts.items() if part}}
        self.optimizer = {optimizer}

    def joined(self, part):
        vector, place = torch.cat([p.detach().reshape(-1) for p in part]), 0
        for p in part:
            p.data = vector[place : place + p.numel()].view(p.shape)
            place += p.numel()
        return vector

    def step(self, loss):
        """Take one step down the gradient of `loss`."""
        self.model.zero_grad()
        loss.backward()
        {off}for key, vector in self.vectors.items():
            gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parts[key]]
            rests = {rests}
            vector.grad = None if rests else torch.cat([gradient.reshape(-1) for gradient in gradients])
        {clip}{step}
'''
RESTS = 'key != "trunk" and all(p.grad is None for p in self.parts[key])'
KEEPING = """kept = []
        for p in (p for layer in layers for p in layer.parameters()):  # a layer that is off keeps weights and momentum
            place, trunk = slice(p.storage_offset(), p.storage_offset() + p.numel()), self.vectors["trunk"]
            state = self.optimizer.state.get(trunk, {})
            tensors = [trunk, *(t for t in state.values() if torch.is_tensor(t) and t.shape == trunk.shape)]
            kept += [(tensor[place], tensor[place].clone()) for tensor in tensors]
        self.optimizer.step()
        for tensor, old in kept:
            tensor.copy_(old)"""
CLIP = '''
    def clip(self):
        """Clip the gradient: every element to clip_value, then the norm of the whole to clip_norm."""
        gradients = [vector.grad for vector in self.vectors.values() if vector.grad is not None]
        if self.clip_value is not None:
            for gradient in gradients:
                gradient.clamp_(-self.clip_value, self.clip_value)
        if self.clip_norm is not None:
            total = math.hypot(*sorted(torch.linalg.vector_norm(g, dtype=torch.float64).item() for g in gradients))
            if self.clip_norm < total + 1e-6:
                for gradient in gradients:
                    gradient.mul_(self.clip_norm / (total + 1e-6))
'''
ONE_CYCLE = """    top = {top!r}
    first, last = ({first!r}, 1.0) if step < top else (1.0, {last!r})
    share = step / top if step < top else (step - top) / (STEPS - 1 - top) if step > top else 0.0
    return peak * (last + (first - last) / 2 * (1 + math.cos(math.pi * share)))
"""


def updater(phases: Sequence[Experiment], layers_rest: bool) -> str:
    """Return the source of the updater; `layers_rest`: some layer is off at some time."""
    clips = any(thresholds(phase.training) != (None, None) for phase in phases)
    norm, value = thresholds(phases[0].training)
    source = UPDATER.format(
        thresholds=f"\n    clip_norm, clip_value = {norm!r}, {value!r}\n" if clips else "",
        optimizer=_optimizer(phases[0].training),
        off="layers, skips = self.model.off()\n        " if layers_rest else "",
        rests="key in skips" if layers_rest else RESTS,
        clip="self.clip()\n        " if clips else "",
        step=KEEPING if layers_rest else "self.optimizer.step()",
    )
    return source + (CLIP if clips else "")


def thresholds(training: Training) -> tuple[float | None, float | None]:
    """Return at which norm and at which magnitude gradients are clipped."""
    return training.clip_norm, training.clip_value


def changes_rate(training: Training) -> bool:
    """Return whether the learning rate depends on the step."""
    return training.schedule != "constant" or training.warmup_steps > 0


def rate_source(training: Training) -> str:
    """Return the function that gives a step's learning rate, or nothing where that is always the same."""
    if not changes_rate(training):
        return ""
    warmup, schedule = training.warmup_steps, training.schedule
    rise = f"{warmup} steps of warm-up, then " if warmup and schedule != "one_cycle" else ""
    head = f'\ndef rate(step, peak):\n    """Return the learning rate of a step: {rise}{SCHEDULES[schedule]}."""\n'
    if schedule == "one_cycle":
        return head + ONE_CYCLE.format(top=(warmup or RISE * training.steps) - 1, first=FIRST, last=LAST)
    if warmup:
        head += f"    if step < {warmup}:\n        return peak * (step + 1) / {warmup}\n"
    return head + f"    return {_fall(training)}\n"


def _fall(training: Training) -> str:
    warmup = training.warmup_steps
    past, left = (f"(step - {warmup})", f"(STEPS - {warmup})") if warmup else ("step", "STEPS")
    if training.schedule == "cosine":
        return f"peak * ((1 + math.cos(math.pi * {past} / {left})) / 2)"
    if training.schedule == "step":
        cuts = (warmup + int(share * (training.steps - warmup)) for share in CUTS)
        return f"peak * {CUT!r} ** ({' + '.join(f'(step >= {cut})' for cut in cuts)})"
    return "peak"


def _optimizer(training: Training) -> str:
    """Return the expression that makes the optimizer."""
    decay = f", weight_decay={training.weight_decay!r}" if training.weight_decay or training.optimizer == "adamw" else ""
    rate = f"self.vectors.values(), lr={training.learning_rate!r}"
    if training.optimizer in ("adam", "adamw"):
        return f"torch.optim.{'Adam' if training.optimizer == 'adam' else 'AdamW'}({rate}{decay}, fused=True)"
    momentum = training.momentum or (0.9 if training.optimizer == "momentum" else 0.0)
    more = f", momentum={momentum!r}" if momentum else ""
    return f"torch.optim.SGD({rate}{more}{decay}, fused=True)"
