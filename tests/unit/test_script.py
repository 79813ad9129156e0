"""An experiment's stand-alone script trains to skipviz' own losses, and can be read."""

from __future__ import annotations

import ast
import re

import pytest
from scripts import PRINTED, assert_same, check, losses_of_one_process, short, trained

import skipviz
from skipviz import Experiment, Task, Training, families, presets
from skipviz.sharing.script.experiment import script
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent

HERE = (
    "figure-4-9-left", "figure-4-9-center", "residual-300", "curve-plain", "resnet-20-cifar", "resnet-56-cifar", "unet-shapes",
    "unet-membranes", "fcn-8s", "transformer-post-ln", "transformer-pre-ln", "highway-50", "rezero-200",
)  # fmt: skip
SIX_STEPS = ("densenet-bc", "transformer-text")
OPTIMIZERS = (
    {"optimizer": "sgd", "learning_rate": 0.05},
    {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.01},
    {"optimizer": "momentum", "learning_rate": 0.02},
    {"optimizer": "adam", "weight_decay": 0.01},
    {"optimizer": "adamw", "weight_decay": 0.1},
)


def _two_variants(**training) -> Experiment:
    nets = {
        "plain": families.mlp(depth=6, width=9, skip_every=0, norm="batch"),
        "with-gates": families.mlp(depth=6, width=9, skip_every=2, merge="gate"),
        "dense": families.mlp(depth=6, width=9, skip_every=2, merge="concat", norm="layer"),
    }
    return short(Experiment(variants=nets, task=Task(name="moons", samples=90), training=Training(batch_size=50, **training)))


@pytest.mark.parametrize("name", HERE)
def test_a_preset_trains_to_the_same_losses(name):
    check(short(presets.get(name), steps=4))


@pytest.mark.parametrize("name", SIX_STEPS)
def test_a_slow_preset_trains_to_the_same_losses(name):
    check(short(presets.get(name), steps=3))


def test_a_valid_u_net_is_held_to_the_centre_of_the_masks():
    preset = presets.get("unet-2015")
    training = Training(batch_size=2, learning_rate=1e-4)
    experiment = Experiment(variants=preset.variants, task=preset.task.replaced(samples=40), training=training)
    source = check(short(experiment, steps=2))
    assert "centre(truth, outputs)" in source


@pytest.mark.parametrize("training", OPTIMIZERS, ids=lambda training: "-".join(map(str, training.values())))
def test_every_optimizer_makes_the_same_steps_with_several_variants(training):
    check(_two_variants(**training))


@pytest.mark.parametrize("name", ["circles", "xor", "gaussians", "line"])
def test_every_other_task_gives_the_same_data(name):
    width = 1 if name == "line" else 2
    net = families.mlp(depth=2, width=4, input=(width,), head=1 if name == "line" else 2)
    check(short(Experiment(variants={"a": net}, task=Task(name=name, seed=3, samples=50, noise=0.3)), steps=3))


@pytest.mark.parametrize("task", [{"rule": "add"}, {"rule": "sort", "length": 3, "vocabulary": 5}, {"rule": "copy", "length": 4}])
def test_sequences_follow_the_same_rule_whether_listed_or_drawn(task):
    task = Task(name="sequences", samples=60, **task)
    tokens = task.token_count()
    net = families.transformer(
        depth=1, width=8, heads=2, vocabulary=tokens, positions="learned", input=task.sample_shape(), head=task.head()
    )
    check(short(Experiment(variants={"a": net}, task=task), steps=2))


@pytest.mark.parametrize("task", [{}, {"length": 5, "vocabulary": 4, "samples": 40}])
def test_copy_memory_is_the_same_whether_listed_or_drawn(task):
    task = Task(name="memory", **task)
    net = families.transformer(1, 8, 2, vocabulary=task.token_count(), input=task.sample_shape(), head=task.head())
    check(short(Experiment(variants={"a": net}, task=task), steps=2))


def test_shapes_that_lie_apart_are_the_same_pictures():
    task = Task(name="shapes", samples=40, image_size=16, overlap=False)
    net = families.conv(depth=2, width=3, input=task.sample_shape(), head=task.head())
    check(short(Experiment(variants={"a": net}, task=task), steps=2))


def test_a_3d_unet_on_volumes_with_a_skip_switched_on_the_way_is_the_same():
    network = families.unet3d(1, 2, padded=True, input=(1, 16, 16, 16), head=1)
    experiment = Experiment(variants={"a": network}, task=Task(name="tubes", samples=40))
    check(short(experiment, steps=4), [SkipEvent(ids=(network.skips[0].id,), on=False, step=2)])


def test_a_process_without_skipviz_prints_the_same_losses(tmp_path):
    experiments = [short(presets.get(name)) for name in ("vanishing-residual", "resnet-20-cifar", "transformer-pre-ln")]
    sources = [script(experiment) for experiment in experiments]
    assert not any(re.search(r"^\s*(?:import|from) skipviz", source, re.M) for source in sources)
    for printed, experiment in zip(losses_of_one_process(sources, tmp_path), experiments, strict=True):
        assert_same(printed, trained(experiment)[0], PRINTED)


def test_dropout_has_the_runs_own_masks():
    task = Task(name="sequences")
    reads = {"vocabulary": task.token_count(), "input": task.sample_shape(), "head": task.head()}
    nets = {
        "pre": families.transformer(2, 8, 2, 12, "pre", dropout=0.1, **reads),
        "post": families.transformer(8, 8, 2, 12, "post", dropout=0.2, **reads),
    }
    events = [SkipEvent(ids=(nets["pre"].skips[0].id,), on=False, step=2), LayerEvent(ids=("f4",), gain=0.0, step=3)]
    source = check(short(Experiment(variants=nets, task=task), steps=5), events)
    assert source.count("Dropout(0.2, f") == 2  # one loop over the blocks
    assert "Dropout.step = step" in source
    assert "Dropout" not in script(presets.get("transformer-pre-ln"))


def test_events_of_a_run_act_at_their_steps():
    experiment = short(presets.get("vanishing-plain"), steps=12)
    ids = tuple(skip.id for skip in experiment.network.skips)
    events = [
        SkipEvent(ids=ids, on=True, step=3),
        RateEvent(learning_rate=0.01, step=5),
        LayerEvent(ids=("f4", "f7"), on=False, step=6),
        LayerEvent(ids=("f5",), gain=0.0, step=7),
        SkipEvent(ids=ids[:2], strength=0.5, step=8),
        LayerEvent(ids=("f4",), on=True, step=9),
        SkipEvent(ids=ids[:1], on=False, step=10),
    ]
    source = check(experiment, events)
    assert "if step == 3:" in source


def test_skips_with_parameters_rest_while_they_are_off():
    nets = {"h": presets.get("highway-50").network, "d": families.densenet(depth=10, input=(1, 8, 8), head=10)}
    experiment = Experiment(
        variants=nets, task=Task(name="digits"), training=Training(optimizer="momentum", learning_rate=0.02, batch_size=8)
    )
    h, d = (tuple(skip.id for skip in net.skips) for net in nets.values())
    events = [
        SkipEvent(ids=h[3:9], on=False, step=1, variant="h"),
        SkipEvent(ids=d, on=False, step=1, variant="d"),
        SkipEvent(ids=d[:1], on=True, step=3, variant="d"),
        SkipEvent(ids=h[3:9], on=True, step=4, variant="h"),
        SkipEvent(ids=h[9:11], gain=0.3, strength=1.7, step=4, variant="h"),
    ]
    check(short(experiment, steps=7), events)


def test_a_variant_that_diverges_leaves_the_others_going():
    wild = families.mlp(depth=12, width=64, init="he", activation="none")
    calm = families.mlp(depth=2, width=8, activation="tanh")
    task, training = Task(name="regression"), Training(optimizer="sgd", learning_rate=0.5, batch_size=32)
    nets = {name: net.replaced(input=(1,), head=skipviz.Head(outputs=1)) for name, net in (("wild", wild), ("calm", calm))}
    experiment = short(Experiment(variants=nets, task=task, training=training), steps=20)
    assert any(losses.get("wild", 0.0) is None for losses in trained(experiment)[0])
    check(experiment)
    late = [LayerEvent(ids=("f2",), on=False, step=18), RateEvent(learning_rate=0.1, step=19)]
    assert 'models["wild"]' in check(experiment, late)


@pytest.mark.parametrize("merge", ["add", "gate"])
@pytest.mark.parametrize("width", [5, 6])
def test_a_skip_with_parameters_to_one_pixel_trains_to_the_same_losses(width, merge):
    ops = [skipviz.Convolution(width=width), skipviz.Crop(size=(1, 1)), skipviz.Convolution(width=width + 1, kernel=1)]
    adapter = skipviz.Adapter(spatial="resize", channels="project")
    net = skipviz.Network(
        input=(1, 8, 8),
        layers=[skipviz.Layer(op=op, activation="tanh") for op in ops],
        skips=[skipviz.Skip(source=1, target=3, merge=merge, adapter=adapter)],
        head=skipviz.Head(outputs=10),
    )
    check(short(Experiment(variants={"a": net}, task=Task(name="digits", samples=60), training=Training(batch_size=7)), steps=3))


@pytest.mark.parametrize("per", ["layer", "channel"])
def test_what_an_optimizer_steps_on_lies_in_memory_as_the_library_lays_it(per):
    """Of an update of one vector the last bits hang on where in it a number lies; Adam's first steps make them large."""
    first = {"norm": "layer", "order": "norm-act-op", "scale": 1.0, "scale_learned": True, "scale_per": per}
    op = skipviz.Linear(width=8, bias=False)
    names = ("u1.f1", "u1.f2", "u2.f1", "u2.f2")
    layers = [skipviz.Layer(id=name, op=op, **(first if k % 2 else {"on": False})) for k, name in enumerate(names, 1)]
    skips = [skipviz.Skip(source=k - 1, target=k, merge="add" if k % 2 else "concat", on=False) for k in (1, 2, 3, 4)]
    net = skipviz.Network(input=(2,), layers=layers, skips=skips, head=skipviz.Head(outputs=2))
    training = Training(optimizer="adam", learning_rate=1.0, batch_size=1)
    check(short(Experiment(variants={"a": net}, task=Task(name="spiral", samples=60), training=training), steps=3))


@pytest.mark.parametrize("names", [("none", "None"), ("f", "SEED", "path", "steps"), ("true", "BATCH", "0", "-.-")])
def test_networks_may_be_called_as_python_or_the_script_call_things(names):
    check(short(Experiment(variants=dict.fromkeys(names, families.mlp(depth=2, width=4)), task=Task(name="moons")), steps=2))


def test_every_preset_gives_a_script_that_parses_and_a_person_can_read():
    for name in presets.names():
        source = script(presets.get(name))
        ast.parse(source)
        lines = source.partition('TEXT = r"""')[0].splitlines()
        assert len(lines) < 500, (name, len(lines))
        assert max(map(len, lines)) <= 132, (name, max(lines, key=len))


def test_a_deep_network_is_loops_over_its_blocks():
    source = script(presets.get("resnet-110-cifar"))
    assert len(source.splitlines()) < 320
    assert "h[k + 1] = f[k + 1](h[k]) + h[k - 1]" in source


def test_a_short_network_reads_as_its_equations():
    source = script(presets.get("vanishing-residual"))
    assert "h3 = self.f3(h2) + h1\n" in source
    off = script(presets.get("vanishing-plain"))
    assert "h3 = self.f3(h2)  # off: + h1\n" in off
