"""What is said of a run before it starts: its memory, measured in processes forked as the engine's workers are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skipviz.engine.capacity import limits
from skipviz.engine.capacity.duration import bfloat16_cost, multiplications, shape_of, step_seconds
from skipviz.network import Layer, Linear, Network, edit, families
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.presets import get
from skipviz.tasks.task import Task
from skipviz.web.content.page_data import editor_data
from skipviz.web.document.lab import Lab
from skipviz.web.session_state.editor import Editor

ROOT = Path(__file__).parents[2]
MEASURE = """
import json, sys
sys.path[:0] = [%r, %r]
from own_memory import measured, warm_up
from skipviz.tasks.experiment import experiment_from_json
warm_up()
for line in sys.stdin:
    print(json.dumps(measured(experiment_from_json(line), timed=False)), flush=True)
"""


def _digits(network, **training):
    return Experiment(variants={"network": network}, task=Task(name="digits"), training=Training(**training))


def _four() -> Experiment:
    """Return four variants in lockstep: their passes are held at once."""
    variants = {f"every-{every}": families.mlp(24, 64, every, input=(64,), head=10) for every in range(4)}
    return Experiment(variants=variants, task=Task(name="digits"), training=Training(batch_size=128))


def _dropping(depth, width):
    layer = Layer(op=Linear(width=width), activation="gelu", norm="layer", dropout=0.5)
    return Network(layers=(layer,) * depth)


def _streamed(mix: str) -> Network:
    return families.transformer(4, 64, 4, 128, "pre", streams=4, mix=mix, dynamic=True, input=(8, 8), head=10)


EXPERIMENTS = {
    "24 layers": lambda: get("vanishing-residual"),
    "300 layers": lambda: Experiment(variants={"network": families.mlp(300, 64, 2)}),
    "wide and deep": lambda: Experiment(variants={"network": families.mlp(24, 512, 2)}, training=Training(optimizer="momentum")),
    "wide and deep with dropout": lambda: Experiment(variants={"network": _dropping(24, 384)}, training=Training(batch_size=192)),
    "a U-Net of valid convolutions": lambda: get("unet-2015"),
    "a ResNet in large batches": lambda: _digits(families.resnet(20, "project", 2, input=(1, 8, 8)), batch_size=256),
    "a 3-D U-Net": lambda: Experiment(
        variants={"network": families.unet3d(2, 8, padded=True, input=(1, 16, 16, 16), head=1)},
        task=Task(name="tubes"),
        training=Training(batch_size=32),
    ),
    "a ResNet whose shortcuts pool": lambda: _digits(families.resnet(20, "pool", 2, input=(1, 8, 8)), batch_size=256),
    "a DenseNet": lambda: get("densenet-bc"),
    "a highway network": lambda: _digits(families.highway(50, 128), batch_size=256),
    "a Transformer": lambda: get("transformer-post-ln"),
    "free streams": lambda: _digits(_streamed("free"), batch_size=256),
    "doubly stochastic streams": lambda: _digits(_streamed("sinkhorn"), batch_size=256),
    "FCN-8s": lambda: get("fcn-8s"),
    "four variants": _four,
    "bfloat16": lambda: Experiment(
        variants={"network": families.mlp(12, 128, 2, activation="gelu", norm="layer")},
        training=Training(batch_size=256, precision="bfloat16"),
    ),
    "three batches a step": lambda: Experiment(
        variants={"network": families.mlp(12, 256, 2)}, training=Training(batch_size=16, accumulation=3)
    ),
    "five seeds": lambda: Experiment(variants={"network": families.mlp(12, 256, 2)}, training=Training(seeds=5)),
    "sixteen seeds": lambda: Experiment(variants={"network": families.mlp(20, 16)}, training=Training(seeds=16)),
    "five seeds one after the other": lambda: _digits(families.mlp(12, 256, 2, norm="layer", input=(64,), head=10), seeds=5),
}


@pytest.mark.skipif(sys.platform != "linux", reason="a process's own memory is read from /proc")
def test_memory_is_said_within_a_quarter_of_what_a_worker_takes():
    experiments = {name: make() for name, make in EXPERIMENTS.items()}
    lines = "".join(experiment.to_json() + "\n" for experiment in experiments.values())
    script = MEASURE % (str(ROOT), str(ROOT / "tests"))
    done = subprocess.run([sys.executable, "-c", script], input=lines, capture_output=True, text=True, check=True, cwd=ROOT)
    took = [json.loads(line)["peak_mb"] for line in done.stdout.splitlines()]
    said = {name: limits.memory_mb(experiment) for name, experiment in experiments.items()}
    ratios = {name: round(said[name] / peak, 2) for name, peak in zip(said, took, strict=True)}
    assert all(0.75 <= ratio <= 1.25 for ratio in ratios.values()), ratios


def test_multiplications_are_those_of_a_count_by_hand():
    dense = families.mlp(3, 5, input=(4,), head=2)
    assert multiplications(dense) == dense.parameter_count()
    images = families.conv(1, 6, input=(2, 8, 8), head=3)
    assert multiplications(images) == (2 * 6 * 9 + 6) * 64 + 6 * 3 + 3


def test_a_step_of_more_work_is_said_to_take_longer_and_a_long_measurement_counts_instead():
    small, deep = get("resnet-20-cifar"), get("resnet-110-cifar")
    assert 3 < step_seconds(deep) / step_seconds(small) < 8
    assert step_seconds(small, measured=0.9) == 0.9
    assert step_seconds(small, measured=0.01) == step_seconds(small)
    with_three = small.replaced(training=small.training.replaced(accumulation=3))
    assert step_seconds(with_three) == pytest.approx(3 * step_seconds(small))
    of_seeds = small.replaced(training=small.training.replaced(seeds=3))
    assert step_seconds(of_seeds) == pytest.approx(3 * step_seconds(small))
    alone = Experiment(variants={"network": families.mlp(20, 16)})
    together = alone.replaced(training=Training(seeds=16))
    assert step_seconds(alone) < step_seconds(together) < 8 * step_seconds(alone)
    reduced = small.replaced(training=small.training.replaced(precision="bfloat16"))
    assert step_seconds(reduced) == pytest.approx(bfloat16_cost() * step_seconds(small))
    shallow = get("vanishing-plain")
    assert step_seconds(shallow, measured=0.3) == step_seconds(shallow) < 0.01


def test_a_steps_time_is_of_one_shape_whatever_is_switched_or_set_live():
    one = get("vanishing-residual")
    same = {
        "switched": one.with_network(edit.switch_all(one.network, False)),
        "weakened": one.with_network(edit.set_skips(one.network, [one.network.skips[0].id], strength=0.5, gain=0.0)),
        "a valve": one.with_network(edit.set_layers(one.network, ["f2"], gain=0.0)),
        "a rate, a seed, a length": one.replaced(training=one.training.replaced(learning_rate=0.5, seed=9, steps=7)),
    }
    assert {name for name, other in same.items() if shape_of(other) != shape_of(one)} == set()
    others = {
        "wider": one.with_network(families.mlp(depth=24, width=65, skip_every=2)),
        "a larger batch": one.replaced(training=one.training.replaced(batch_size=65)),
        "another precision": one.replaced(training=one.training.replaced(precision="bfloat16")),
        "a skip less": one.with_network(edit.remove_skips(one.network, [one.network.skips[0].id])),
    }
    assert {name for name, other in others.items() if shape_of(other) == shape_of(one)} == set()


def test_what_a_step_took_is_said_of_the_next_run_of_its_shape_and_an_estimate_before_anything_was_measured():
    class Engine:
        warm, took = True, None
        step_took = lambda self, shape: self.took  # noqa: E731
        probe = lambda self, *_, **__: None  # noqa: E731
        has_data = lambda self, _: True  # noqa: E731

    editor, engine = Editor(Lab(get("vanishing-residual"))), Engine()
    said = editor_data(editor, engine, "me", page="lab", compact=False)
    assert said["pending"]
    assert said["estimate"] == {"seconds": round(step_seconds(editor.experiment), 5), "memory_mb": said["estimate"]["memory_mb"]}
    engine.took = 0.07
    assert editor_data(editor, engine, "me", page="lab", compact=False)["estimate"] == {
        **said["estimate"],
        "seconds": 0.07,
        "measured": True,
    }
