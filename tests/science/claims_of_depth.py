"""What the presets that are deep claim: the book's figure, stacks, residual networks, highways, ReZero, dense blocks."""

from statistics import mean, median

from claims import shows
from preset_run import PresetRun, first_over_last, layer_gradients

from skipviz import edit, presets
from skipviz.drawing.diagram import draw
from skipviz.tasks.presets import figure

EPOCH = 1438 / 64
"""Steps in which batches of 64 pass all training digits."""
BY_CHANCE = 0.2
"""More than what guessing one of ten digits gets right."""


def without_skips(name: str):
    return edit.switch_all(presets.get(name).network, False)


@shows("vanishing-plain")
def _():
    """Start it, wait a second, then press Residual. The first layer's gradient, a billionth of the last's, jumps to a tenth of
    it in one step, and the network begins to learn."""
    run = PresetRun("vanishing-plain")
    assert 1e-10 < first_over_last(run.see()) < 1e-8
    run.go(200)
    assert abs(run.see().loss - 0.693) < 0.02
    assert abs(run.held_out - 0.5) < 0.05
    assert first_over_last(run.see()) < 1e-7
    assert 0.03 < first_over_last(run.switch(True).see()) < 0.3
    run.go(200)
    assert run.held_out > 0.95


@shows("vanishing-residual")
def _():
    """Start it and switch single skips off while it learns. The gradient of every layer stays near their median; with a skip off
    the loss jumps, and the network learns on."""
    run = PresetRun("vanishing-residual")
    spread = sorted(from_median(run.go(1)) for _ in range(250))
    assert spread[-10] < 10
    assert spread[-1] < 20
    learned = run.held_out
    assert learned > 0.9
    before = run.see().loss
    for skip in run.network.skips:  # before any further step, in which processors that round otherwise go ways of their own
        assert run.switch(False, [skip]).see().loss > 2 * before
        run.switch(True, [skip])
    for skip in run.network.skips[::5]:
        run.switch(False, [skip]).go(100)
        assert run.held_out > learned - 0.05


def from_median(frame) -> float:
    """Return the largest factor between a layer's gradient and the layers' median."""
    gradients = layer_gradients(frame)
    middle = median(gradients)
    return max(max(gradients) / middle, middle / min(gradients))


@shows("curve-plain")
def _():
    """Start it, wait two hundred steps, then press Residual. Without skips the network's curve stays flat, at the points' mean;
    with them it bends to the points within fifty steps."""
    run = PresetRun("curve-plain")
    run.go(200)
    flat = run.see(picture=True).picture["fitted"]
    assert max(flat) - min(flat) < 0.05
    assert abs(mean(flat) - run.trainer._y.mean().item()) < 0.1
    run.switch(True).go(50)
    bent = run.see(picture=True).picture["fitted"]
    assert max(bent) - min(bent) > 2
    assert run.held_out > 0.85


@shows("residual-300")
def _():
    """Start it, wait two hundred steps, then switch one skip near the input off and on again. Three hundred layers learn, and
    guess while that skip is off; repeated blocks are folded to their smallest, median and largest gradient."""
    run = PresetRun("residual-300")
    run.go(160)
    learned, skip = run.held_out, run.network.skips[1:2]
    assert learned > 0.8
    assert run.switch(False, skip).held_out < 0.65
    assert run.switch(True, skip).held_out == learned
    assert sum(group["last"] - group["first"] for group in draw(run.network).collapsed) > 200


@shows("figure-4-9-left")
def _():
    """Shut the valve beside f(5), and start it. The layers below it still learn: their gradient comes back through the skips."""
    run = PresetRun("figure-4-9-left")
    run.shut("f5")
    start = run.see().loss
    frame = run.go(200)
    assert frame.weight_grad[4] == frame.trunk_grad[4] == 0
    assert all(gradient > 0 for gradient in frame.weight_grad[:4])
    assert all(ratio > 0 for ratio in frame.update_ratio[:4])
    assert frame.loss < 0.7 * start
    assert run.switch(False).see().weight_grad[:5] == [0] * 5


@shows("figure-4-9-center")
def _():
    """Before you start it, switch the inner skip off, then the outer one. The smallest scale keeps its gradient; the first
    layers at the larger ones lose their short way back, and most of their gradient."""
    run = PresetRun("figure-4-9-center")
    outer, inner = sorted(run.network.skips, key=lambda skip: skip.source)
    sides = [shape.output[1] for shape in run.network.shapes.layers]
    smallest = [k for k, side in enumerate(sides) if side == min(sides)]
    whole = run.see().weight_grad
    inside = run.switch(False, [inner]).see().weight_grad
    bare = run.switch(False, [outer]).see().weight_grad
    for gradients in (inside, bare):
        assert all(0.5 < gradients[k] / whole[k] < 4 for k in smallest)
    assert inside[inner.source - 1] < 0.3 * whole[inner.source - 1]
    assert inside[outer.source - 1] > 0.5 * whole[outer.source - 1]
    assert bare[outer.source - 1] < 0.05 * whole[outer.source - 1]
    run.switch(True).go(20)


@shows("figure-4-9-right")
def _():
    """Repeat the block more often. The gradient at the bottom stays about as large as the layers' median, up to 800 layers: a
    branch scale of 1/√(blocks) holds it, and the signal."""
    for repeat in (1, 6, 25, 100, 200):
        run = PresetRun("figure-4-9-right", figure("right", repeat).network)
        assert run.network.depth == 4 * repeat
        gradients = layer_gradients(run.see())
        assert 0.3 < gradients[0] / median(gradients) < 3
    run = PresetRun("figure-4-9-right")
    assert all(from_median(run.go(1)) < 3 for _ in range(40))
    assert run.held_out > 0.8


@shows("residual-unscaled")
def _():
    """Look at the bars, then start it. Every block at least doubles the square of the signal and of the gradient, so that 30
    blocks begin with a loss of thousands; Figure 4.9, right, has a branch scale and begins near guessing."""
    run = PresetRun("residual-unscaled")
    first, blocks = run.see(), len(run.network.skips)
    assert blocks == 30
    assert (first.state_rms[-1] / first.state_rms[0]) ** (2 / blocks) > 1.9
    assert (first.state_grad[0] / first.state_grad[-1]) ** (2 / blocks) > 1.9
    assert first.loss > 1000
    assert run.go(20).loss > 100
    assert PresetRun("figure-4-9-right").see().loss < 3


@shows("digits-conv")
def _():
    """Start it and toggle Plain and Residual. Without skips a 20-layer stack of convolutions does not start to learn; with them
    it reads digits."""
    plain, residual = PresetRun("digits-conv", without_skips("digits-conv")), PresetRun("digits-conv")
    plain.go(80), residual.reach(0.75, within=160)
    assert plain.held_out < BY_CHANCE


@shows("resnet-20-cifar")
def _():
    """Start it, then start Plain, 20 layers, for comparison. With 20 layers the plain network learns as well, only later: depth
    is no hindrance yet."""
    residual, plain = PresetRun("resnet-20-cifar"), PresetRun("plain-20-cifar")
    residual.go(20), plain.go(20)
    assert plain.held_out + 0.2 < residual.held_out
    residual.reach(0.9, within=40), plain.reach(0.9, within=80)


@shows("resnet-56-cifar")
def _():
    """Start it and let it take sixty steps; do the same with Plain, 56 layers. After them it reads nine digits of ten, and the
    plain one still guesses."""
    residual, plain = PresetRun("resnet-56-cifar"), PresetRun("plain-56-cifar")
    residual.go(60), plain.go(60)
    assert residual.held_out > 0.9
    assert plain.held_out < BY_CHANCE


@shows("resnet-110-cifar")
def _():
    """Look at the bars, then switch all skips off. The gradient of 110 layers is even; without skips batch norm makes it grow
    from layer to layer, back to the input."""
    run = PresetRun("resnet-110-cifar")
    even = layer_gradients(run.see())
    assert max(even) < 20 * min(even)
    grown = layer_gradients(run.switch(False).see())
    assert all(grown[k] > grown[k + 10] for k in range(1, len(grown) - 10))
    assert grown[0] > 1000 * grown[-1]
    run.switch(True).go(20)


@shows("plain-20-cifar")
def _():
    """Start it, then switch all skips on. It learns without its skips too, more slowly than with them."""
    plain, switched = PresetRun("plain-20-cifar"), PresetRun("plain-20-cifar")
    assert not any(skip.on for skip in plain.network.skips)
    plain.go(20), switched.switch(True).go(20)
    assert plain.held_out > 2 * BY_CHANCE
    assert switched.held_out > plain.held_out + 0.2


@shows("plain-56-cifar")
def _():
    """Look at the bars, then switch all skips on. The first layer's gradient, hundreds of times the last's through batch norm,
    falls to about the same."""
    run = PresetRun("plain-56-cifar")
    assert 100 < first_over_last(run.see()) < 1000
    assert 0.3 < first_over_last(run.switch(True).see()) < 3
    run.go(20)


@shows("densenet-bc")
def _():
    """Start it and click a skip to see what it carries. Every layer of a block reads all states before it; it reads digits
    within sixty steps."""
    run = PresetRun("densenet-bc")
    convolutions = [k for k, layer in enumerate(run.network.layers, start=1) if layer.op.kind == "conv" and layer.op.width == 12]
    joined = {(skip.source, skip.target) for skip in run.network.skips}
    for block in (convolutions[start : start + 6] for start in range(0, 18, 6)):
        states = [block[0] - 2, *block]
        assert {(i, j) for i in states for j in states if i < j} <= joined
    run.reach(0.9, within=60)


@shows("highway-50")
def _():
    """Start it; start it again with all skips off. Gates that begin by carrying let fifty layers learn; without them they do
    not."""
    run, plain = PresetRun("highway-50"), PresetRun("highway-50", without_skips("highway-50"))
    assert max(run.see().gate_opening) < 0.15
    run.reach(0.85, within=120), plain.go(120)
    assert plain.held_out < BY_CHANCE


@shows("rezero-200")
def _():
    """Look at the bars, then start it. At step 0 no layer has a gradient, only its scale; within five epochs 200 layers read
    digits."""
    run = PresetRun("rezero-200")
    first = run.see()
    assert first.weight_grad == [0.0] * 200
    assert all(gradient > 0 for gradient in first.scale_grad)
    run.go(round(3 * EPOCH))
    assert 1 - mean(run.go(1).metric for _ in range(round(EPOCH))) < 0.05
    assert run.held_out > 0.9
