"""How much one run may take: what is refused before it starts, and the bound that its process keeps. Imports no torch."""

from __future__ import annotations

import math

from ...network.base import channels, elements, is_image
from ...network.network import Network
from ...network.remembered import remembered
from ...tasks.experiment import Experiment, Training
from ...tasks.loss import LOSSES
from ...tasks.own import UploadError
from ...tasks.seeds import obstacle
from ...tasks.split import HELD_OUT_SHARE
from ...watch.errors import WatchError
from .footprint import arranged, convolutions, evaluated, footprint, stacked

WORKER_MB = 9.2
"""What a worker takes by itself: pages of the warm process that it writes to, and its reading of frames."""
LAYER_KB, SKIP_KB = 32.0, 10.0
"""Modules, plans and the nodes of two graphs, for each layer and each skip."""
LIGHT = 0.5
"""What a further seed has of them where all share one plan and one graph."""
HEAP, VECTORS_HEAP = 1.35, 1.8
"""What glibc's heap takes over what is in use at the peak, free chunks between live ones: of passes, and of vectors of all
parameters, each of which seldom fits where something smaller lay."""
CONVOLUTIONS_MB, CONVOLUTION_MB, REDUCED_MB = 2.0, 0.5, 7.0
"""What oneDNN keeps of the code it compiles: for convolutions at all, for each of another shape, and for products in bfloat16."""
ARRANGED = 2.5
"""Copies of a convolution's input and output that oneDNN arranges for itself while it computes it or its gradients."""
_DATA_COPIES = 4
"""Of one's own data: as kept, as doubles (two), and as the network takes it; of tokens: whole numbers of eight bytes, twice."""
HELD_OUT_SAMPLES = 512
"""Of these the outputs are held at once to be compared (`learning.trainer`): classes of pixels are many numbers."""
PICTURED = {"boundary": 2304, "curve": 161}
"""Points of a picture that are evaluated; of other pictures they are fewer than the held-out samples."""
WATCHED_COPIES = 6
"""Tensors of a box's size that a box of a person's own module is taken to hold: a layer with norm and activation, twice."""
HALVED = 0.75
"""What passes in bfloat16 hold of those in float32: norms' outputs, sums of both and losses stay as they are."""
MAPPED = 2**23
"""Elements from which a vector of all parameters is mapped by itself (`learning.setup`), outside the heap."""


@remembered
def memory_mb(experiment: Experiment) -> float:
    """Return about how many MB of its own a run of `experiment` takes at its peak, watched in the lab (with baseline and picture).

    Within about a quarter of what 24 networks of every family took (`tests/bench/bench_estimates.py`).
    """
    training = experiment.training
    if experiment.task.watched:
        return WORKER_MB + sum(_watched(network, training) for network in experiment.variants.values()) * 4 / 2**20
    batch = min(training.batch_size, experiment.task.sample_count())
    shown = max(experiment.task.sample_count() // HELD_OUT_SHARE, PICTURED.get(experiment.task.kind.picture, 0))
    together = training.seeds if training.seeds > 1 and not obstacle(experiment) else 1
    parts = [_Part(network, batch, training, shown, together) for network in experiment.variants.values()]
    forward = sum(part.forward for part in parts)
    heap = max(max(forward + part.baseline, forward + part.evaluated, part.measured) + part.arranged for part in parts)
    data, left = _data(experiment)
    seeds = training.seeds  # of which weights and objects stay, whether their passes come together or one after the other
    outside = seeds * sum(part.kept for part in parts) + max(part.mapped for part in parts) + data
    objects = (seeds if together == 1 else 1 + LIGHT * (seeds - 1)) * sum(part.objects for part in parts)
    return WORKER_MB + _compiled_mb(experiment) + (4 * (outside + max(left, heap)) + 1024 * objects) / 2**20


def _compiled_mb(experiment: Experiment) -> float:
    """Return the MB of kernels that are compiled for a run."""
    reduced = REDUCED_MB if experiment.training.precision == "bfloat16" else 0.0
    shapes = set().union(*map(convolutions, experiment.variants.values()))
    return reduced + (CONVOLUTIONS_MB + CONVOLUTION_MB * len(shapes) if shapes else 0.0)


def _watched(network: Network, training: Training) -> int:
    """Return about how many numbers a person's own module holds: of what happens within its boxes nothing is known."""
    states = training.batch_size * sum(elements(shape.output) for shape in (*network.shapes.layers, *network.shapes.branches))
    return network.parameter_count() * (3 + kept_by_optimizer(training)) + WATCHED_COPIES * states


def kept_by_optimizer(training: Training) -> int:
    """Return how many tensors of all parameters' size the training's optimizer keeps."""
    return 2 if training.optimizer in ("adam", "adamw") else int(training.effective_momentum > 0)


class _Part:
    """One variant's share, in elements of four bytes, as they take it in the heap where they lie there; `objects` in kB."""

    def __init__(self, network: Network, batch: int, training: Training, shown: int, together: int) -> None:
        own, bare = footprint(network), footprint(network, baseline=True)
        parameters = network.parameter_count()
        share = HALVED if training.precision == "bfloat16" else 1.0
        copies = int(training.accumulation > 1) + int(share < 1)  # the sum of gradients; weights and their gradients in bfloat16
        self.kept = parameters * (1 + kept_by_optimizer(training) + copies)
        passes = HEAP * together * batch
        self.forward = passes * own.forward * share
        if training.loss in LOSSES:
            self.forward += LOSSES[training.loss].keeps * passes * elements(network.shapes.output)
        large = parameters >= MAPPED
        self.mapped = 2 * parameters if large else 0
        holes = training.accumulation > 1 and not large  # where gradients of the batches before lay
        vectors = (1 if large else 2) + int(together > 1) + int(holes)
        measuring = together * (VECTORS_HEAP * vectors * parameters + HEAP * stacked(network, batch))
        self.baseline = max(passes * bare.forward * share, passes * (bare.states + bare.gradients) * share + measuring)
        self.measured = passes * (own.states + own.gradients) * share + measuring
        self.arranged = ARRANGED * batch * arranged(network)
        self.evaluated = evaluated(network, shown)
        if channels(network.shapes.output) > 1 and is_image(network.shapes.output):
            self.evaluated += min(shown, HELD_OUT_SAMPLES) * elements(network.shapes.output)
        self.evaluated *= HEAP
        self.objects = LAYER_KB * (network.depth + len(network.branches)) + SKIP_KB * (len(network.skips) + len(network.edges))


def _data(experiment: Experiment) -> tuple[int, int]:
    """Return the elements of the data set, and as many that its making leaves in the heap for passes unless they were mapped."""
    task = experiment.task
    size = elements(task.sample_shape()) + sum(map(elements, task.further().values()))
    inputs = task.sample_count() * size
    once = 2 * inputs if task.finds_masks or task.gives_tokens else inputs + 2 * task.sample_count()
    if task.own or task.gives_tokens:
        return _DATA_COPIES * once, 0
    return once, once if inputs < MAPPED // 2 else 0


def refusal(experiment: Experiment, limit_mb: int) -> str | None:
    """Return one sentence that says why `experiment` is too big to run, or None."""
    needed = memory_mb(experiment)
    if needed <= limit_mb:
        return None
    parameters = sum(network.parameter_count() for network in experiment.variants.values())
    return (
        f"this experiment needs about {written(needed)} of memory ({parameters:,} parameters, batches of"
        f" {experiment.training.batch_size:,}) and a run may take {written(limit_mb)}:"
        " make it narrower, shallower, or its batches smaller"
    )


def written(megabytes: float) -> str:
    """Return an amount of memory as a person reads it."""
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{math.ceil(megabytes)} MB"


def bound_memory(megabytes: int) -> None:
    """Let this process allocate at most `megabytes` more than it holds; does nothing where the system has no such bound."""
    try:
        import resource

        with open("/proc/self/status") as status:
            held = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
        limit = held + megabytes * 2**20
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))
    except (ImportError, OSError, StopIteration, ValueError):
        return


def is_memory_error(error: BaseException) -> bool:
    """Return whether `error` is Python's or torch's way to say that an allocation failed."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error) or "out of memory" in str(error)


def reason(error: BaseException, megabytes: int) -> str:
    """Return one sentence on why a run failed with `error`."""
    if "CUDA out of memory" in str(error):
        return "the run needed more memory than its CUDA device has free: make it narrower, shallower, or its batches smaller"
    if is_memory_error(error):
        return f"the run needed more than the {written(megabytes)} of memory that a run may take"
    if isinstance(error, UploadError | WatchError):
        return str(error)
    text = " ".join(str(error).split())[:300]
    return f"the run's worker stopped: {type(error).__name__}{': ' + text if text else ''}"
