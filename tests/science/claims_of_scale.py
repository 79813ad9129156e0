"""What the presets claim that find masks or read sequences: U-Nets, fully convolutional networks, Transformers."""

from functools import cache
from math import log
from statistics import median

from claims import shows
from preset_run import PresetRun, layer_gradients

from skipviz import edit, presets


@shows("unet-2015")
def _():
    """Follow a long skip from the left of the network to the crop at its end, then start it. Convolutions without padding take
    the rim off at every scale: of 220 pixels a side 36 are found."""
    run = PresetRun("unet-2015")
    shapes = run.network.shapes
    assert (run.network.input, shapes.output) == ((1, 220, 220), (1, 36, 36))
    for layer, shape in zip(run.network.layers, shapes.layers, strict=True):
        if layer.op.kind == "conv":
            assert shape.output[1] == shape.input[1] - 2
    assert {(skip.merge, shape.adapter.spatial) for skip, shape in zip(run.network.skips, shapes.skips, strict=True)} == {
        ("concat", "crop")
    }
    before = run.held_out
    run.go(20)
    assert run.held_out > before + 0.15


@shows("unet-shapes")
def _():
    """Start it, wait for clear masks, then switch all skips off. The masks fall apart: what pooling left out came back through
    the skips only."""
    run = PresetRun("unet-shapes")
    run.go(80)
    assert run.held_out > 0.8
    assert run.switch(False).held_out < 0.3


@shows("unet-no-skips")
def _():
    """Start it, wait until the masks stay as they are, then switch all skips on. The blurred masks get sharp edges."""
    run = PresetRun("unet-no-skips")
    run.go(100)
    overlap, blurred = run.held_out, run.undecided()
    run.switch(True).go(30)
    assert run.held_out > overlap + 0.05
    assert run.undecided() < 0.5 * blurred


@shows("unet-membranes")
def _():
    """Start it, wait for clear membranes, then switch the long skips off. Within 150 steps it traces the membranes; without the
    long skips they blur, and a third of its overlap is lost."""
    run = PresetRun("unet-membranes")
    run.go(150)
    overlap, blurred = run.held_out, run.undecided()
    assert overlap > 0.75
    run.switch(False).go(10)
    assert run.held_out < 0.67 * overlap
    assert run.undecided() > 1.5 * blurred


@shows("unet-3d")
def _():
    """Start it, wait for clear masks, then switch all skips off. Nearly all of the tubes are lost at once: what pooling left out
    came back through the skips only."""
    run = PresetRun("unet-3d")
    run.reach(0.5, within=150)
    overlap = run.held_out
    assert run.undecided() < 0.1
    run.switch(False)
    assert run.held_out < 0.2 * overlap
    run.go(10)
    assert run.held_out < 0.4 * overlap


@shows("fcn-32s")
def _():
    """Look at the bars, then start it. At first only the scores have a gradient, for they start at zero; the masks stay
    coarse."""
    run = PresetRun("fcn-32s")
    network = run.network
    (scores,) = [k for k, layer in enumerate(network.layers) if layer.init == "zero"]
    gradients = run.see().weight_grad
    assert [k for k, gradient in enumerate(gradients) if gradient] == [scores]
    overlap, blurred = masks_of("fcn-32s", 160)
    assert overlap < 0.3
    assert blurred > 0.12


@cache
def masks_of(name: str, steps: int) -> tuple[float, float]:
    """Return the overlap that a preset's masks have after so many steps, and how blurred they are then."""
    run = PresetRun(name)
    run.go(steps)
    return run.held_out, run.undecided()


@shows("fcn-16s")
def _():
    """Start it and compare its masks with those of FCN-32s. Scores of half the stride join, and the masks get finer."""
    network = presets.get("fcn-16s").network
    (skip,) = network.skips
    states = network.shapes.states
    assert states[skip.source][1] == 2 * min(state[1] for state in states)
    assert masks_of("fcn-16s", 120)[0] > masks_of("fcn-32s", 160)[0] + 0.1


@shows("fcn-8s")
def _():
    """Start it, wait for clear masks, then switch the skip from the third pool off. With scores of a quarter of the stride the
    masks are the finest of the three; without them hardly anything is left."""
    run, (coarser, blurred) = PresetRun("fcn-8s"), masks_of("fcn-16s", 120)
    _, third = run.network.skips
    states = run.network.shapes.states
    assert states[third.source][1] == 4 * min(state[1] for state in states)
    run.go(120)
    overlap = run.held_out
    assert overlap > max(0.6, coarser + 0.1)
    assert run.undecided() < blurred
    assert run.switch(False, [third]).held_out < 0.3 * overlap


@shows("transformer-post-ln")
def _():
    """Start it and watch who attends to whom. Within two hundred steps each position looks at its mirror image, and every
    sequence is exact."""
    run = PresetRun("transformer-post-ln")
    run.reach(0.99, within=200)
    _, weights = run.variant.attention(run.trainer.held_out_x[:50])
    assert weights.mean((0, 1)).argmax(1).tolist() == [7, 6, 5, 4, 3, 2, 1, 0]


@shows("transformer-pre-ln")
def _():
    """Start it and compare its gradients with those of Post-LN. With the norm inside the branches the skips lead from the input
    to the last norm, and nothing stands in their way."""
    run, post = PresetRun("transformer-pre-ln"), PresetRun("transformer-post-ln")
    gradients = layer_gradients(run.see())
    assert max(gradients) < 20 * median(gradients)
    end = carried_to(run)
    assert end == run.network.depth - 1
    assert run.network.layers[end].norm == "layer"
    assert carried_to(post) == FIRST_ATTENTION + 1
    branches = [layer.id for layer in run.network.layers[FIRST_ATTENTION:end]]
    found = PresetRun("transformer-pre-ln", edit.set_layers(run.network, branches, gain=0.0)).see().state_grad
    joined = {FIRST_ATTENTION, *(skip.target for skip in run.network.skips)}
    assert all(abs(found[state] / found[end] - 1) < 1e-6 for state in joined)
    run.reach(0.9, within=100)


@shows("transformer-streams")
def _():
    """Start it and watch the grid at each skip. Four streams begin as equals that keep to themselves; within two hundred steps
    each skip mixes them in its own way, and every sequence is exact."""
    run = PresetRun("transformer-streams")
    own = [float(row == column) for row in range(4) for column in range(4)]
    assert run.see().mixing == own * 6
    run.go(140)
    assert run.held_out > 0.99
    matrices = [run.see().mixing[start : start + 16] for start in range(0, 96, 16)]
    others = [[weight for weight, diagonal in zip(matrix, own, strict=True) if not diagonal] for matrix in matrices]
    assert all(max(map(abs, matrix)) > 0.03 for matrix in others)
    ways = [(one, other) for place, one in enumerate(others) for other in others[:place]]
    assert all(max(abs(a - b) for a, b in zip(*pair, strict=True)) > 0.03 for pair in ways)


FIRST_ATTENTION = 2
"""The state that the first attention reads: behind the embedding and its positions."""


def carried_to(run: PresetRun) -> int:
    """Return the last state that the first attention's input reaches by skips alone."""
    state, ways = FIRST_ATTENTION, {skip.source: skip.target for skip in run.network.skips}
    while state in ways:
        state = ways[state]
    return state


@shows("transformer-no-residual")
def _():
    """Start it, wait two hundred steps, then switch all skips on. Attention alone makes all positions alike, and no sequence is
    ever right; with its residuals it learns within a hundred steps."""
    run = PresetRun("transformer-no-residual")
    run.go(200)
    assert run.held_out == 0
    last = run.states()[-1]
    assert (last - last.mean(1, keepdim=True)).norm() < 0.01 * last.norm()
    run.switch(True).reach(0.9, within=100)


@shows("transformer-text")
def _():
    """Start it and read what it writes. Noise turns into words: after two hundred steps every third character of pages it has
    never seen is predicted right."""
    run = PresetRun("transformer-text")
    assert run.held_out < 0.1
    run.go(200)
    assert run.held_out > 0.33


@shows("transformer-seq2seq")
def _():
    """Start it and let it take three hundred steps; then switch both skips from the encoder off. The decoder says the source
    backwards, no token wrong, from what the encoder tells it; without those skips it guesses every token."""
    run = PresetRun("transformer-seq2seq")
    run.go(300)
    assert run.held_out > 0.98
    crosses = [skip.id for skip in run.network.skips if skip.merge == "attend"]
    assert len(crosses) == 2
    run.switch(False, [run.network.skip(name) for name in crosses])
    assert run.held_out == 0
    bare = PresetRun("transformer-seq2seq", edit.set_skips(run.network, crosses, on=False))
    assert bare.go(300).loss > 0.9 * log(10)
    assert bare.held_out == 0


@shows("vit-digits")
def _():
    """Start it; start it again with all skips off. The head reads one position, which has to ask the sixteen patches: within two
    hundred steps it tells eight of ten digits right; without its skips it never learns any."""
    run = PresetRun("vit-digits")
    (laid,) = [k for k, layer in enumerate(run.network.layers, start=1) if layer.op.kind == "patches"]
    assert run.network.shapes.states[laid] == (1 + 16, 32)
    assert run.network.layers[-1].op.kind == "first"
    run.reach(0.8, within=200)
    bare = PresetRun("vit-digits", edit.switch_all(run.network, False))
    bare.go(200)
    assert bare.held_out < 0.15


@shows("tcn-memory")
def _():
    """Start it; start it again with all skips off. After a hundred steps it says every token again that it read long before;
    without its skips not one sequence is right after two hundred."""
    run = PresetRun("tcn-memory")
    run.go(110)
    assert run.held_out > 0.99
    bare = PresetRun("tcn-memory", edit.switch_all(run.network, False))
    bare.go(200)
    assert bare.held_out == 0
