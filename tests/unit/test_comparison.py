"""What sets two experiments apart, in plain words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skipviz.network import edit, families
from skipviz.network.network import Head
from skipviz.network.skip import Skip
from skipviz.tasks import presets
from skipviz.tasks.comparison import differences, network_differences, summary
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.own import Own
from skipviz.tasks.task import Task
from skipviz.tasks.training_words import training_words

PLAIN = presets.get("vanishing-plain")


def _with(network=None, task=None, **training) -> Experiment:
    experiment = PLAIN.with_network(network) if network is not None else PLAIN
    changed = experiment.replaced(training=experiment.training.replaced(**training))
    return changed if task is None else changed.replaced(task=changed.task.replaced(**task))


def _said(right: Experiment, left: Experiment = PLAIN) -> str:
    return summary(differences(left, right))


def test_an_experiment_differs_in_nothing_from_itself():
    assert differences(PLAIN, PLAIN) == []
    assert "same experiment" in _said(PLAIN)


def test_settings_and_switches_are_said_in_one_line():
    network = edit.switch_all(PLAIN.network, True)
    network = edit.set_skips(network, [network.skips[3].id], on=False)
    assert _said(_with(network, learning_rate=0.01)) == "learning rate 0.001 / 0.01 · 10 skips off / on"


def test_what_is_out_of_the_ordinary_in_training_is_said():
    changed = _with(PLAIN.network, schedule="cosine", warmup_steps=20, clip_norm=1.0)
    assert _said(changed) == ("schedule constant / cosine · warm-up none / 20 steps · gradient's norm not clipped / clipped at 1")
    assert training_words(changed.training) == ["20 steps of warm-up", "learning rate cosine", "gradient's norm clipped at 1"]
    assert training_words(PLAIN.training) == []


def test_a_layers_dropout_is_said():
    assert _said(_with(edit.set_layer(PLAIN.network, "f3", dropout=0.1))) == "dropout of f(3) 0 / 0.1"


def test_architectures_are_told_by_their_layers_with_weights_not_by_pools_and_relus_after_sums():
    residual, plain = families.resnet(20, input=(1, 8, 8)), families.conv(depth=4, width=8, input=(1, 8, 8), activation="tanh")
    said = network_differences(residual, plain)
    words = {one.what: (one.left, one.right) for one in said}
    assert words["operation"][0].startswith("conv")
    assert words["layers"] == (str(residual.depth), "4")
    fcn = families.fcn("8s", stages=((8, 1), (8, 1), (8, 1)), classifier=16, padded=True, input=(1, 32, 32), head=1)
    assert "activation" not in {one.what for one in network_differences(fcn, families.conv(depth=2, width=8, input=(1, 32, 32)))}


@pytest.mark.parametrize("depth", [20, 56, 110])
def test_layers_with_weights_are_those_that_a_resnet_is_called_by_but_for_its_head(depth):
    network = families.resnet(depth, input=(3, 32, 32), head=10)
    assert len(network.weighted) == depth - 1 < network.depth


def test_what_is_fixed_has_no_weights():
    network = families.transformer(depth=1, input=(8,), vocabulary=5)
    counts = {layer.op.kind: layer in network.weighted for layer in network.layers}
    assert counts["attention"]
    assert counts["embedding"]
    assert not counts["position"]


def test_every_skip_switched_says_so():
    assert _said(_with(edit.switch_all(PLAIN.network, True))) == "all 11 skips off / on"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training": {"optimizer": "sgd", "seed": 3}}, "optimizer adam / sgd · seed 0 / 3"),
        ({"task": {"noise": 0.3}}, "noise 0.1 / 0.3"),
        ({"task": {"name": "moons"}}, "task two spirals / moons"),
    ],
)
def test_a_setting_is_named_with_both_values(changes, words):
    assert _said(_with(task=changes.get("task"), **changes.get("training", {}))) == words


def test_ones_own_data_are_told_apart_by_target_and_content():
    def task(target: str, digest: str) -> Task:
        own = Own(digest=digest * 64, file="iris.csv", kind="numbers", target=target, samples=100, shape=(2,))
        return Task(name="table", own=own)

    network = families.mlp(depth=4, width=8, head=Head(outputs=1))
    left, right = (Experiment(variants={"a": network}, task=one) for one in (task("width", "a"), task("length", "b")))
    assert _said(right, left) == "target width / length · data of one's own iris.csv (aaaaaa) / iris.csv (bbbbbb)"
    assert _said(right).startswith("task two spirals / your own table · ")


def test_layers_are_compared_one_by_one_where_there_are_equally_many():
    one = edit.set_layers(PLAIN.network, ["f5"], gain=0)
    assert _said(_with(one)) == "gradient gain of f(5) 1 / 0"
    three = edit.set_layers(PLAIN.network, ["f5", "f6", "f7"], activation="tanh")
    assert _said(_with(three)) == "activation of 3 layers ReLU / tanh"
    every = edit.set_layers(PLAIN.network, [layer.id for layer in PLAIN.network.layers], norm="batch")
    assert _said(_with(every)).startswith("norm none / batch norm · parameters ")


def test_what_is_several_on_both_sides_is_named_on_both():
    def stacked(*widths: int):
        return families.mlp(depth=len(widths), width=8).replaced(
            layers=[layer.replaced(op=layer.op.replaced(width=width)) for layer, width in zip(made, widths, strict=True)]
        )

    made = families.mlp(depth=3, width=8).layers
    words = {one.what: (one.left, one.right) for one in network_differences(stacked(8, 4, 8), stacked(5, 6, 8))}
    assert words["operation of 2 layers"] == ("linear 4 and linear 8", "linear 5 and linear 6")
    words = {one.what: (one.left, one.right) for one in network_differences(stacked(8, 4, 8), stacked(4, 8, 8))}
    assert words["operation of 2 layers"] == ("linear 8 first", "linear 4 first")
    words = {one.what: (one.left, one.right) for one in network_differences(stacked(8, 4, 8), stacked(6, 6, 8))}
    assert words["operation of 2 layers"] == ("mixed", "linear 6")


def test_networks_of_different_depth_say_depth_skips_and_parameters():
    deeper = families.mlp(depth=30, width=64, skip_every=2, activation="tanh")
    words = _said(_with(deeper))
    assert words.startswith("layers 24 / 30 · activation ReLU / tanh · skips 11 add / 14 add · skips that are on none / all · ")
    assert f"{PLAIN.network.parameter_count():,} / {deeper.parameter_count():,}" in words


def test_skips_that_only_one_side_has_are_named_or_counted():
    network = PLAIN.network
    assert _said(_with(edit.changed(network, skips=()))) == "skips 11 add / none"
    other = edit.changed(network, skips=(*network.skips[1:], Skip(id="new", source=1, target=7, on=False)))
    assert _said(_with(other)) == "further skips 1→3 / 1→7"


def test_two_variants_of_one_run_can_be_compared():
    both = PLAIN.replaced(variants={"plain": PLAIN.network, "residual": edit.switch_all(PLAIN.network, True)})
    assert summary(differences(both, both, ("plain", "residual"))) == "all 11 skips off / on"


@settings(max_examples=40)
@given(first=st.sampled_from(presets.names()), second=st.sampled_from(presets.names()), rate=st.sampled_from([0.001, 0.1]))
def test_differences_are_found_exactly_where_experiments_differ_and_mirror(first, second, rate):
    left = presets.get(first)
    right = presets.get(second)
    right = right.replaced(training=right.training.replaced(learning_rate=rate))
    there, back = differences(left, right), differences(right, left)
    names = [next(iter(experiment.variants)) for experiment in (left, right)]
    same = left.task == right.task and left.training == right.training and left.variants[names[0]] == right.variants[names[1]]
    assert (there == []) == same
    assert [(one.what, one.right, one.left) for one in there] == [(one.what, one.left, one.right) for one in back]


def test_hundreds_of_skips_are_counted_not_listed():
    wide = families.mlp(depth=300, width=8, skip_every=1)
    experiment = Experiment(variants={"wide": wide}, task=Task(), training=Training())
    assert summary(differences(experiment, experiment.with_network(edit.switch_all(wide, False)))) == "all 299 skips on / off"


def test_an_edge_of_a_branch_that_is_switched_weighed_or_gained_is_a_difference_in_words():
    squeezed = families.resnet(8, reduction=4, input=(1, 8, 8))
    for changes, words in (
        ({"on": False}, "edge se3.1 → se3.2 on / off"),
        ({"strength": -0.5}, "strength of edge se3.1 → se3.2 1 / -0.5"),
        ({"gain": 0.0}, "gradient gain of edge se3.1 → se3.2 1 / 0"),
    ):
        found = network_differences(squeezed, edit.set_skip(squeezed, "e2", **changes))
        assert [one.sentence() for one in found] == [words]
    found = network_differences(squeezed, edit.set_layer(squeezed, "se3.2", norm="layer", init="he"))
    assert {one.sentence() for one in found} >= {"norm of se3.2 none / layer norm", "init of se3.2 torch’s / He"}
