"""What the lab says of one frame, on frames that real networks gave: all five states, before and after, why, what to try."""

from __future__ import annotations

import json

import pytest

import skipviz
from skipviz.drawing.network_data import network_data
from skipviz.learning.frame_text import encode_frame
from skipviz.network import edit
from skipviz.tasks.event import LayerEvent

pytestmark = pytest.mark.browser

F = skipviz.families


def _frames(network, steps=1, events=(), **training) -> list[dict]:
    """Return the frames of a run of one network as the browser reads them."""
    settings = skipviz.Training(**{"steps": steps, "record_every": 1, "batch_size": 64, **training})
    experiment = skipviz.Experiment(variants={"a": network}, task=skipviz.Task(name="spiral"), training=settings)
    frames = skipviz.train(experiment, events=events)
    return [json.loads(encode_frame(frame))["variants"]["a"] for frame in frames]


def _sentence(page, network, values, **more) -> dict:
    shown = {"network": network_data(network), "values": values, **more}
    return page.evaluate(
        "async (shown) => (await import('/js/common/sentence.js')).frameSentence(shown)", json.loads(json.dumps(shown))
    )


def _words(sentence: dict) -> str:
    return "".join(sentence["words"])


def test_a_plain_network_vanishes_and_the_skips_that_are_off_are_what_to_try(harness):
    network = edit.switch_all(F.mlp(depth=24, width=64, skip_every=2), False)
    values = _frames(network)[0]
    sentence = _sentence(harness, network, values)
    assert sentence["kind"] == "vanishing"
    ratio = values["weight_grad"][0] / values["weight_grad"][-1]
    exponent = int(f"{ratio:e}".split("e")[1])
    assert f"10⁻{str(-exponent).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}" in sentence["words"][1]
    assert f"{ratio ** (1 / 23):.3f}" in sentence["why"]
    assert sentence["attempt"] == "switch the skips on"


def test_the_same_network_with_its_skips_gets_through_and_off_is_named_beside(harness):
    network = F.mlp(depth=24, width=64, skip_every=2)
    values = _frames(network)[0]
    values["ghost"] = _frames(edit.switch_all(network, False))[0]["weight_grad"]
    sentence = _sentence(harness, network, values)
    assert sentence["kind"] == "through"
    assert _words(sentence).startswith("It gets through: the first layer gets ")
    assert "all skips off it would get" in sentence["why"]


def test_without_anything_switched_off_a_skip_to_draw_is_what_to_try(harness):
    network = F.mlp(depth=24, width=64)
    assert "drag from a state" in _sentence(harness, network, _frames(network)[0])["attempt"]


@pytest.mark.parametrize(
    ("settings", "attempt"),
    [
        ({"depth": 48, "norm": "batch", "skip_every": 2}, "switch the skips on"),
        ({"depth": 48, "norm": "batch"}, "skips past the layers"),
        ({"depth": 24, "activation": "tanh", "init": "normal", "init_factor": 4}, "a smaller init factor, or a norm"),
    ],
)
def test_a_network_explodes_and_what_to_try_helps(harness, settings, attempt):
    def sentence_of(**changes):
        on = changes.pop("on", False)
        built = {"width": 64, **settings, **changes}
        factor = built.pop("init_factor", 1.0)
        network = F.mlp(**built)
        layers = tuple(layer.replaced(init_factor=float(factor)) for layer in network.layers)
        network = edit.switch_all(edit.changed(network, layers=layers), on)
        return _sentence(harness, network, _frames(network)[0])

    sentence = sentence_of()
    assert sentence["kind"] == "exploding"
    assert (sentence["attempt"], _words(sentence)[:32]) == (attempt, "Exploding: the first layer gets ")
    better = sentence_of(init_factor=1.0) if "factor" in attempt else sentence_of(skip_every=2, on=True)
    assert better["kind"] != "exploding"


def test_a_network_that_died_is_called_dead_and_not_vanishing(harness):
    network = F.mlp(depth=8, width=8, skip_every=2)
    frames = _frames(network, steps=60, optimizer="sgd", learning_rate=8.0)
    dead = next(values for values in frames if values.get("loss") is not None and not any(values["weight_grad"]))
    sentence = _sentence(harness, network, dead)
    assert sentence["kind"] == "dead"
    assert "exactly 0" in _words(sentence)
    assert "lower learning rate" in sentence["attempt"]


def test_a_shut_valve_is_named_as_the_cause(harness):
    network = F.mlp(depth=6, width=16)
    frames = _frames(network, steps=3, events=[LayerEvent(step=1, ids=(network.layers[3].id,), gain=0)])
    shut = edit.set_layers(network, [network.layers[3].id], gain=0)
    sentence = _sentence(harness, shut, frames[1])
    assert _words(sentence) == "Vanishing: the gradient of f(1) to f(4) is exactly 0."
    assert "The gain of f(4) is 0" in sentence["why"]
    assert sentence["attempt"] == "open the valve of f(4)"


def test_a_diverged_network_names_step_and_layer(harness):
    network = F.mlp(depth=3, width=8)
    sentence = _sentence(harness, network, None, broken={"step": 142, "layer": network.layers[1].id})
    assert (sentence["kind"], _words(sentence)) == (
        "diverged", "Diverged at step 142: f(2)’s output is the first that is not finite.",
    )  # fmt: skip


def test_what_is_not_finite_before_training_is_said_with_its_layer(harness):
    network = F.mlp(depth=100, width=64, activation="none", init="normal")
    network = edit.changed(network, layers=tuple(layer.replaced(init_factor=10.0) for layer in network.layers))
    values = _frames(network)[0]
    sentence = _sentence(harness, network, values)
    layer = next(k for k, layer in enumerate(network.layers, 1) if layer.id == values["first_broken"])
    assert sentence["kind"] == "diverged"
    assert f"f({layer})’s output" in _words(sentence)
    assert "init" in sentence["attempt"]


def test_before_and_after_a_switch_stand_side_by_side_with_the_loss(harness):
    off = edit.switch_all(F.mlp(depth=24, width=64, skip_every=2), False)
    on = edit.switch_all(off, True)
    before, after = _frames(off)[0], _frames(on)[0]
    sentence = _sentence(harness, on, after, before=before, event="all skips on")
    assert _words(sentence).startswith("First layer’s gradient ")
    assert "→" in sentence["words"][0]
    assert f"loss {before['loss']:.3g}"[:9] in _words(sentence)
    assert "After “all skips on”" in sentence["why"]


def test_at_the_end_the_loss_stands_beside_what_it_began_with(harness):
    network = F.mlp(depth=4, width=16, skip_every=2)
    frames = _frames(network, steps=100)
    words = _words(_sentence(harness, network, frames[-1], over=True, first=frames[0]))
    assert words.startswith("It got through: first layer ")
    assert f"{frames[0]['loss']:.3f}".rstrip("0") in words


def test_a_branch_whose_scale_is_still_0_is_not_called_dead(harness):
    network = F.mlp(depth=6, width=16, skip_every=1)
    layers = tuple(layer.replaced(scale=0.0, scale_learned=True) for layer in network.layers)
    network = edit.changed(network, layers=layers)
    sentence = _sentence(harness, network, _frames(network)[0])
    assert sentence["kind"] == "none"
    assert "scales" in _words(sentence)


def _compared(page, columns, step=4, metric="accuracy") -> dict:
    """Return what is said of several networks at one frame: each as (network, values, held-out metric, more)."""
    shown = [
        {"letter": letter, "network": network_data(network), "values": values, "held": held, "broken": None, "differs": "", **more}
        for letter, (network, values, held, more) in zip("ABCD", columns, strict=False)
    ]
    script = (
        "async ([shown, step, metric]) => (await import('/js/common/compared_sentence.js')).comparedSentence(shown, step, metric)"
    )
    return page.evaluate(script, json.loads(json.dumps([shown, step, metric])))


PLAIN, SKIPPED = F.mlp(depth=24, width=64), F.mlp(depth=24, width=64, skip_every=2)


def test_of_several_networks_the_one_is_named_whose_gradient_stays_away_and_how_well_each_does(harness):
    plain, skipped = _frames(PLAIN)[0], _frames(SKIPPED)[0]
    sentence = _compared(harness, [(PLAIN, plain, 0.5, {}), (SKIPPED, skipped, 0.998, {"differs": "11 skips more"})])
    ratio = plain["weight_grad"][0] / plain["weight_grad"][-1]
    power = str(-int(f"{ratio:e}".split("e")[1])).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    assert (sentence["kind"], sentence["why"]) == ("vanishing", "B: 11 skips more")
    assert _words(sentence).startswith("Step 4: A’s first layer gets ")
    assert sentence["words"][1].endswith(f"10⁻{power}")
    assert _words(sentence).endswith(" of its last; accuracy A 50.0 %, B 99.8 %.")
    assert sentence["words"][3::2] == ["50.0 %", "99.8 %"]


def test_of_several_networks_that_get_it_through_each_share_is_said_and_the_loss_where_nothing_was_held_out(harness):
    values = _frames(SKIPPED)[0]
    sentence = _compared(harness, [(SKIPPED, values, None, {}), (SKIPPED, values, None, {})], metric="iou")
    share = f"{values['weight_grad'][0] / values['weight_grad'][-1]:.3g}"
    assert sentence["kind"] == "through"
    assert (
        _words(sentence) == f"Step 4: first ÷ last layer A {share}, B {share}; loss A {values['loss']:.3f}, B {values['loss']:.3f}."
    )
    held = _compared(harness, [(SKIPPED, values, 0.5, {}), (SKIPPED, values, 0.25, {})], metric="iou")
    assert _words(held).endswith("IoU A 0.50, B 0.25.")
    apart = _compared(harness, [(SKIPPED, values, 0.5, {}), (SKIPPED, values, 0.25, {})], metric="")
    assert _words(apart) == _words(sentence)


OPENED = """async ([network, values]) => {
    const { sentenceOf } = await import("/js/lab/sentence_line.js");
    const { createRunStore } = await import("/js/frames/store.js");
    const frame = { step: 0, variants: { a: values } };
    const shown = { store: createRunStore(), frame, variant: "a" };
    const said = (more) => sentenceOf({ data: { network: { ...network, ...more } }, ...shown }).attempt;
    return [said({}), said({ opened: true }), said({ watched: true })];
}"""


def test_a_module_of_ones_own_is_only_told_to_switch_what_it_has(harness):
    plain, skipped = PLAIN, edit.switch_all(SKIPPED, False)
    drag, nothing, _ = harness.evaluate(OPENED, [network_data(plain), _frames(plain)[0]])
    assert drag.startswith("drag from a state")
    assert nothing == ""
    said = harness.evaluate(OPENED, [network_data(skipped), _frames(skipped)[0]])
    assert said == ["switch the skips on", "switch the skips on", ""]


def test_of_several_networks_what_diverged_or_died_or_gets_no_gradient_comes_first(harness):
    good = _frames(SKIPPED)[0]
    broken = _compared(harness, [(SKIPPED, good, 0.5, {}), (SKIPPED, None, 0.1, {"broken": {"step": 3}})])
    assert (broken["kind"], _words(broken)) == ("diverged", "B diverged at step 3; accuracy A 50.0 %, B 10.0 %.")
    small = F.mlp(depth=8, width=8, skip_every=2)
    frames = _frames(small, steps=60, optimizer="sgd", learning_rate=8.0)
    dead = next(values for values in frames if values.get("loss") is not None and not any(values["weight_grad"]))
    found = _compared(harness, [(SKIPPED, good, 0.5, {}), (small, dead, 0.5, {})])
    assert (found["kind"], _words(found)[:21]) == ("dead", "Step 4: B is dead, al")
    shut = F.mlp(depth=6, width=16)
    none = _frames(shut, steps=3, events=[LayerEvent(step=1, ids=(shut.layers[3].id,), gain=0)])[1]
    found = _compared(harness, [(shut, none, 0.5, {}), (SKIPPED, good, 0.5, {})])
    assert _words(found).startswith("Step 4: A’s first layer gets none of the gradient; ")
    exploding = F.mlp(depth=48, width=64, norm="batch")
    found = _compared(harness, [(exploding, _frames(exploding)[0], None, {}), (SKIPPED, good, None, {})])
    assert (found["kind"], _words(found)[:29]) == ("exploding", "Step 4: A’s first layer gets ")
    assert _words(_compared(harness, [(SKIPPED, None, None, {}), (SKIPPED, None, None, {})])) == ""
