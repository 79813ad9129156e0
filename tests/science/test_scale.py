"""The deepest networks: they build, draw and train, and a live run of them answers."""

import pytest
from engines import frames_of, wait_for

from skipviz.drawing.diagram import draw
from skipviz.engine import Engine
from skipviz.learning.trainer import Trainer
from skipviz.network import families
from skipviz.settings import Settings
from skipviz.tasks.event import SkipEvent
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.presets import get
from skipviz.tasks.task import Task


def test_resnet_1202_has_its_parameters_draws_folded_and_takes_steps():
    network = families.resnet(1202, input=(1, 8, 8))
    published = families.resnet(1202)
    assert published.parameter_count() == 19_421_274
    assert published.parameter_count() - network.parameter_count() == 2 * 16 * 9  # of two more colours
    diagram = draw(network)
    assert diagram.collapsed
    assert diagram.height < 900
    training = Training(batch_size=2, steps=2, learning_rate=1e-4)
    trainer = Trainer(Experiment(variants={"deep": network}, task=Task(name="digits"), training=training), device="cpu")
    assert sum(p.numel() for p in trainer._variants["deep"].model.parameters()) == network.parameter_count()
    frames = [trainer.advance(record=True).variants["deep"] for _ in range(2)]
    for frame in frames:
        assert not frame.nonfinite
        assert all(value is None or value > 0 for value in frame.weight_grad)
    assert all(ratio is None or ratio > 0 for ratio in frames[0].update_ratio)


EXPERIMENTS = {
    "ResNet-110": lambda: get("resnet-110-cifar"),
    "200 layers": lambda: Experiment(variants={"network": families.mlp(200, 64, 2)}, training=Training(steps=400)),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    started = Engine(Settings(max_running=2, data_dir=tmp_path_factory.mktemp("scale"))).start()
    yield started
    started.close()


SPEED = 6.0
"""Steps a second: as fast as they go, as many pass between two words of the worker as the machine has time for."""


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_deep_network_trains_live_and_a_toggle_shows_within_a_few_steps(engine, name):
    experiment = EXPERIMENTS[name]()
    run = engine.run(engine.submit(experiment, "me", speed=SPEED))
    wait_for(engine, lambda: run.step >= 3)
    skip = experiment.network.skips[len(experiment.network.skips) // 2].id
    before = engine.post(run.id, "me", SkipEvent(ids=(skip,), on=False))["step"]
    wait_for(engine, lambda: any(frame["events"] for frame in frames_of(run) if "events" in frame))
    frame = next(frame for frame in frames_of(run) if frame.get("events"))
    assert frame["events"][0]["ids"] == [skip]
    assert frame["step"] - before <= 12
    losses = [next(iter(one["variants"].values()))["loss"] for one in frames_of(run)]
    assert all(loss == loss for loss in losses)
    engine.post(run.id, "me", {"kind": "stop"})
    wait_for(engine, lambda: run.ended)
