"""How a script updates: optimizer, learning rate by step, clipping. Imports the data model only.

It does what `skipviz.learning.optimizer` does, number for number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...network.activation import ACTIVATIONS
from ...network.network import Network
from ...tasks.experiment import Experiment, Training
from ...tasks.schedule import FALLS, RISE, SCHEDULES
from .live import literal
from .source import Sources

UPDATER = '''
class Updater:
    """Updates a model whose parameters it lays into one vector, of which they become views, in pieces: one of layers and head,
    and one of each skip that has parameters. An update is then one call. What has no gradient rests."""
{thresholds}
    def __init__(self, model):
        self.model = model
        skips = [list(skip.parameters()) for skip in model.s.values()] if hasattr(model, "s") else []
        kinds = {{id(p): type(part).__name__ for part in model.modules() for p in part.parameters(recurse=False)}}
{branches}        layers = [list(part.parameters()) for name, part in model.named_children() if name {beside}]
        trunk = [p for layer in layers for p in sorted(layer, key=lambda p: {order})]  # {order_words}
        trunk.sort(key=lambda p: kinds[id(p)] == "Scale")  # and learned scales last
{spared}        self.parts = [part for part in {parts} if part]
{once}        self.vectors = self.joined()
        self.optimizer = {optimizer}

    def joined(self):
        """Lay all parameters into one vector and return its pieces: where a weight lies in memory decides on last bits too."""
        whole, place, pieces = torch.cat([p.detach().reshape(-1) for part in self.parts for p in part]), 0, []
        for part in self.parts:
            first = place
            for p in part:
                p.data = whole[place : place + p.numel()].view(p.shape)
                place += p.numel()
            pieces.append(whole[first:place])
        return pieces

    {begin}{cut}for part, vector in zip(self.parts, self.vectors):
            vector.grad = None if part[0].grad is None else torch.cat([p.grad.reshape(-1) for p in part])
        {clip}{late}self.optimizer.step()
'''
MEASURES = """if self.optimizer.param_groups[0]["lr"] == 0:  # that rate measures only
            return
        """
BACKWARD = """if loss.requires_grad:  # it does not where all that has parameters is off
            loss.backward()"""
PARTED = '''
    def cut(self):
        """Cut vectors where what rests begins or ends; each piece takes its momentum along, and its own count of steps."""
        if all(len({p.grad is None for p in part}) == 1 for part in self.parts):
            return
        parts, vectors, state = [], [], self.optimizer.state
        for part, vector in zip(self.parts, self.vectors):
            first, held = 0, state.pop(vector, {})
            for _, run in groupby(part, key=lambda p: p.grad is None):
                parts.append(list(run))
                last = first + sum(p.numel() for p in parts[-1])
                vectors.append(vector[first:last])
                for name, value in held.items():
                    state[vectors[-1]][name] = (value[first:last] if value.shape == vector.shape else value).clone()
                first = last
        self.parts, self.vectors = parts, vectors
        {update}
'''
UPDATED = 'self.optimizer.param_groups[0]["params"] = vectors'
UPDATED_GROUPS = """for group, found in zip(self.optimizer.param_groups, self.groups()):
            group["params"] = found["params"]"""
ORDER = """"Norm" in kinds[id(p)]"""
ORDER_WORDS = "norms after operations"
SPARED_ORDER = """(kinds[id(p)] in {learned}, "Norm" in kinds[id(p)])"""
SPARED_WORDS = "operations, norms, activations"
ONCE = """        seen = set()  # what several layers use stands once
        self.parts = [[p for p in part if not (id(p) in seen or seen.add(id(p)))] for part in self.parts]
        self.parts = [part for part in self.parts if part]
"""
SPARED = """        self.spared = {{p for p in kinds if kinds[p] in {learned}}}  # by weight decay (He et al. 2015)
        runs = [groupby(part, key=lambda p: id(p) in self.spared) for part in (trunk, *skips)]
"""
BRANCHES = """        for part in model.b.values() if hasattr(model, "b") else ():  # of branches: scales first
            skips.append(sorted(part.parameters(), key=lambda p: (kinds[id(p)] != "Scale", {order})))
        skips += [list(edge.parameters()) for edge in model.e.values()] if hasattr(model, "e") else []
"""
RATED_GROUPS = '''
    def groups(self):
        """Return the optimizer's groups: what decays, what does not, and what learns at a rate of its own."""
        found = {{(False, 1.0): []}}
        for part, vector in zip(self.parts, self.vectors):
            found.setdefault((id(part[0]) in self.spared, self.rates.get(id(part[0]), 1.0)), []).append(vector)
        return [
            {{"params": vectors, "lr": {rate!r} * rate, "rate": rate, **({{"weight_decay": 0.0}} if spared else {{}})}}
            for (spared, rate), vectors in found.items()
        ]
'''
RATES = """        self.rates = {id(part.value): part.rate for part in model.modules() if isinstance(part, Strength)}
"""
GROUPS = '''
    def groups(self):
        """Return the optimizer's groups: what decays, and what does not."""
        found = [{"params": []}, {"params": [], "weight_decay": 0.0}]
        for part, vector in zip(self.parts, self.vectors):
            found[id(part[0]) in self.spared]["params"].append(vector)
        return found
'''
LATE = '''
    def begin_late(self):
        """Give what takes its first step after others a momentum of 0: torch's fused SGD begins all at once."""
        state = self.optimizer.state
        if any(state.get(vector) for vector in self.vectors):
            for vector in self.vectors:
                if vector.grad is not None and not state.get(vector):
                    state[vector]["momentum_buffer"] = torch.zeros_like(vector)
'''
CLIP = """clip([vector.grad for vector in self.vectors if vector.grad is not None], self.clip_norm, self.clip_value)
        """
STEP = '''def step(self, loss):
        """Take one step down the gradient of `loss`."""
        '''
SUMMED = '''def step(self):
        """Take one step down the gradient that the model's parameters hold."""
        '''
ONE_PASS = """        chosen = batches.indices(step)
        truth, losses, held_out = y[chosen], {{}}, {{}}
        for name, model in list(living.items()):
{outputs}
            loss = {loss}
            losses[name] = loss.item()
"""
PASSES = """        losses, held_out = {{}}, {{}}
        for name, model in list(living.items()):
            model.zero_grad()
            losses[name] = 0.0
            for batch in range(step * ACCUMULATION, (step + 1) * ACCUMULATION):
{counting}                chosen = batches.indices(batch)
                truth = y[chosen]
{outputs}
                loss = {loss}
                losses[name] += loss.item()
                if not math.isfinite(loss.item()):
                    break
                if loss.requires_grad:
                    (loss / ACCUMULATION).backward()
            losses[name] /= ACCUMULATION
"""


def pass_source(training: Training, loss: str, drops: bool) -> str:
    """Return the lines that compute every model's loss at a step; `loss` is its expression, `drops`: some layer has dropout."""
    if training.accumulation == 1:
        counting = "        Dropout.step = step\n" if drops else ""
        return counting + ONE_PASS.format(outputs=indented(outputs_source(training, "x[chosen]"), 12), loss=loss)
    counting = "                Dropout.step = batch\n" if drops else ""
    return PASSES.format(counting=counting, outputs=indented(outputs_source(training, "x[chosen]"), 16), loss=loss)


def outputs_source(training: Training, reads: str) -> str:
    """Return the lines that compute a model's outputs."""
    if training.precision == "float32":
        return f"outputs = model({reads})"
    return f'with torch.autocast("cpu", torch.bfloat16):\n    outputs = model({reads})\noutputs = outputs.float()'


def indented(lines: str, depth: int) -> str:
    """Return lines moved to the right."""
    return "\n".join(" " * depth + line for line in lines.split("\n"))


def updater(phases: Sequence[Experiment], sources: Sources) -> str:
    """Return the source of the updater for what is switched, clipped and trained in the phases of a run.

    What that needs of ours comes into `sources`.
    """
    first = phases[0].training
    clips = any(thresholds(phase.training) != (None, None) for phase in phases)
    if clips:
        sources.add("skipviz.learning.clipping:clip")
    networks = [network for phase in phases for network in phase.variants.values()]
    rated = learns_strengths(networks)
    learned = _spared_kinds(networks)
    rests = any(not layer.on for network in networks for layer in (*network.layers, *network.branches))
    late = bool(first.effective_momentum) and (rests or any(not skip.in_force for network in networks for skip in network.skips))
    norm, value = thresholds(first)
    measures = MEASURES if any(phase.training.learning_rate == 0 for phase in phases) else ""
    backward = BACKWARD if rests else "loss.backward()"
    order, branches = SPARED_ORDER.format(learned=learned) if learned else ORDER, any(network.branches for network in networks)
    source = UPDATER.format(
        thresholds=f"\n    clip_norm, clip_value = {norm!r}, {value!r}\n" if clips else "",
        order=order,
        order_words=SPARED_WORDS if learned else ORDER_WORDS,
        branches=BRANCHES.format(order=order) if branches else "",
        once=ONCE if any(_shares(network) for network in networks) else "",
        beside='not in ("s", "b", "e")' if branches else '!= "s"',
        spared=(SPARED.format(learned=learned) if learned else "") + (RATES if rated else ""),
        parts="(list(run) for found in runs for _, run in found)" if learned else "(trunk, *skips)",
        optimizer=_optimizer(first, "self.groups()" if learned else "self.vectors"),
        begin=SUMMED + measures
        if first.accumulation > 1
        else f"{STEP}{measures}self.model.zero_grad()\n        {backward}\n        ",
        cut="self.cut()\n        " if rests else "",
        clip=CLIP if clips else "",
        late="self.begin_late()\n        " if late else "",
    )
    parted = PARTED.replace("{update}", UPDATED_GROUPS if learned else UPDATED)
    groups = RATED_GROUPS.format(rate=first.learning_rate) if rated else GROUPS if learned else ""
    return source + groups + (parted if rests else "") + (LATE if late else "")


def learns_strengths(networks: Iterable[Network]) -> bool:
    """Return whether some skip's strength is a parameter."""
    return any(part.learned for network in networks for part in (*network.skips, *network.edges))


def _shares(network: Network) -> bool:
    return bool(network.tied) or any(part.shares for part in (*network.layers, *network.branches))


def _spared_kinds(networks: Sequence[Network]) -> str:
    """Return the names of the modules that weight decay spares, as a tuple is written; nothing without any."""
    kinds = {ACTIVATIONS.get(layer.activation) for network in networks for layer in (*network.layers, *network.branches)}
    names = sorted(kind.module.removeprefix("nn.").partition("(")[0] for kind in kinds if kind and kind.parameters)
    names += ["Strength"] if learns_strengths(networks) else []
    return f"({', '.join(map(literal, names))},)" if names else ""


def thresholds(training: Training) -> tuple[float | None, float | None]:
    """Return at which norm and at which magnitude gradients are clipped."""
    return training.clip_norm, training.clip_value


def changes_rate(training: Training) -> bool:
    """Return whether the learning rate depends on the step."""
    return training.schedule != "constant" or training.warmup_steps > 0


def rate_source(training: Training, sources: Sources, lengthens: bool = False) -> str:
    """Return the function that gives a step's learning rate, or nothing where that is always the same.

    `lengthens`: it is also given of how many steps, since an event changes that. What it needs of ours comes into `sources`.
    """
    if not changes_rate(training):
        return ""
    warmup, schedule, steps = training.warmup_steps, training.schedule, "steps" if lengthens else "STEPS"
    rise = f"{warmup} steps of warm-up, then " if warmup and schedule != "one_cycle" else ""
    given = "step, peak, steps" if lengthens else "step, peak"
    head = f'\ndef rate({given}):\n    """Return the learning rate of a step: {rise}{SCHEDULES[schedule]}."""\n'
    if schedule == "one_cycle":
        sources.add("skipviz.tasks.schedule:one_cycle")
        return head + f"    return peak * one_cycle(step, {steps}, {warmup or f'{RISE!r} * {steps}'})\n"
    if warmup:
        head += f"    if step < {warmup}:\n        return peak * (step + 1) / {warmup}\n"
    if schedule == "constant":
        return head + "    return peak\n"
    fall, later = sources.add(f"skipviz.tasks.schedule:{FALLS[schedule].__name__}"), f" - {warmup}" if warmup else ""
    return head + f"    return peak * {fall}(step{later}, {steps}{later})\n"


def _optimizer(training: Training, updated: str) -> str:
    """Return the expression that makes the optimizer of what is `updated`."""
    decay = f", weight_decay={training.weight_decay!r}" if training.weight_decay or training.optimizer == "adamw" else ""
    rate = f"{updated}, lr={training.learning_rate!r}"
    if training.optimizer in ("adam", "adamw"):
        return f"torch.optim.{'Adam' if training.optimizer == 'adam' else 'AdamW'}({rate}{decay}, fused=True)"
    more = f", momentum={training.effective_momentum!r}" if training.effective_momentum else ""
    return f"torch.optim.SGD({rate}{more}{decay}, fused=True)"
