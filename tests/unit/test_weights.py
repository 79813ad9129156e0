"""A training's weights come out of it: as a module, and as a file that says how it is loaded."""

import math

import pytest
import safetensors
import torch
from safetensors.torch import load_file

import skipviz
from skipviz import Adapter, Experiment, ExperimentError, Head, Layer, Linear, Network, Skip, Task, Training, families
from skipviz.command import main
from skipviz.learning.metric import METRICS
from skipviz.learning.trainer import Trainer
from skipviz.tasks.data import dataset
from skipviz.tasks.event import LayerEvent, SkipEvent

torch.set_num_threads(1)

STEPS = 12
X = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
SKIPPING = Network(
    layers=[
        Layer(op=Linear(width=4), norm="batch", activation="relu", scale=0.5, scale_learned=True),
        Layer(op=Linear(width=4), activation="relu", id="a.b"),
        Layer(op=Linear(width=5), activation="relu"),
    ],
    skips=[Skip(source=0, target=2, adapter=Adapter(norm="batch")), Skip(source=1, target=3, merge="gate")],
    head=Head(outputs=2),
)


def experiment(**variants: Network) -> Experiment:
    training = Training(steps=STEPS, learning_rate=0.01, batch_size=16, record_every=5)
    return Experiment(variants=variants, task=Task(samples=100), training=training)


def held_out(model: torch.nn.Module, case: Experiment) -> float:
    data = dataset(case.task)
    with torch.no_grad():
        outputs = model.eval()(torch.from_numpy(data.held_out_x))
    return METRICS[case.task.kind.metric](outputs, torch.from_numpy(data.held_out_y))


def trained(case: Experiment, events=()) -> Trainer:
    """Return a trainer after the last step, to compare with: its variants evaluate under the switches of the end."""
    trainer, waiting = Trainer(case), list(events)
    while not trainer.finished:
        while waiting and waiting[0].step <= trainer.step:
            trainer.apply(waiting.pop(0))
        trainer.advance(record=False)
    return trainer


def last_metric(trainer: Trainer, name: str) -> float:
    metric, truth = METRICS[trainer.experiment.task.kind.metric], torch.from_numpy(dataset(trainer.experiment.task).held_out_y)
    return metric(trainer._variants[name].evaluate(trainer.held_out_x), truth)


def outputs(trainer: Trainer, name: str) -> torch.Tensor:
    return trainer._variants[name].evaluate(X)


def test_the_model_gives_the_outputs_of_the_last_step_under_the_switches_of_the_end():
    case = experiment(plain=families.mlp(depth=3, width=6), skipping=SKIPPING)
    events = [SkipEvent(ids=["s1"], on=False, step=3, variant="skipping"), LayerEvent(ids=["f2"], gain=0.5, step=4)]
    run, last = skipviz.train(case, events), trained(case, events)
    assert [frame.step for frame in run] == [0, 3, 4, 5, 10, 11]
    for name in case.variants:
        model = run.model(name)
        assert model.network == last.experiment.variants[name]
        assert model.training
        assert torch.equal(model.eval()(X), outputs(last, name))
    assert not run.model("skipping").network.skips[0].on
    assert torch.equal(run.model().eval()(X), run.model("plain").eval()(X))


def test_each_model_is_a_new_one():
    run = skipviz.train(experiment(a=SKIPPING))
    list(run)
    first = run.model()
    with torch.no_grad():
        first.head.weight.zero_()
    assert run.model().head.weight.abs().sum() > 0


def test_there_is_no_model_before_the_end():
    run = skipviz.train(experiment(a=SKIPPING))
    with pytest.raises(ExperimentError, match="has not come to its end: take all its frames"):
        run.model()
    assert next(run).step == 0
    with pytest.raises(ExperimentError, match="has not come to its end"):
        run.model("a")
    run.close()
    assert list(run) == []
    with pytest.raises(ExperimentError, match="has not come to its end"):
        run.model()


def test_a_variant_that_is_not_there_is_refused_by_its_name():
    run = skipviz.train(experiment(a=SKIPPING, b=SKIPPING))
    list(run)
    with pytest.raises(ExperimentError, match="there is no variant 'c'; there is a, b"):
        run.model("c")


def test_a_training_that_an_event_ended_goes_no_further():
    run = skipviz.train(experiment(a=SKIPPING), [LayerEvent(ids=["nobody"], on=False, step=2)])
    next(run)
    with pytest.raises(skipviz.NetworkError):
        next(run)
    assert list(run) == []


def test_a_variant_that_diverged_has_the_weights_before_it_did(tmp_path):
    wild = families.mlp(depth=20, skip_every=2, init="he")
    case = Experiment(variants={"wild": wild}, training=Training(optimizer="sgd", learning_rate=10, steps=50))
    run = skipviz.train(case)
    last = list(run)[-1].step
    assert last < 49
    assert all(weight.isfinite().all() for weight in run.model().parameters())
    file, out = tmp_path / "wild.json", tmp_path / "wild.safetensors"
    file.write_text(case.to_json())
    assert main(["train", str(file), "--weights", str(out)]) == 0
    with safetensors.safe_open(out, "pt") as opened:
        assert opened.metadata()["step"] == str(last)


def test_the_command_writes_weights_that_give_the_runs_last_outputs(tmp_path, capsys):
    case = experiment(plain=families.mlp(depth=3, width=6), skipping=SKIPPING)
    file, out, table = tmp_path / "case.json", tmp_path / "out.safetensors", tmp_path / "run.csv"
    file.write_text(case.to_json())
    assert main(["train", str(file), "--weights", str(out), "--variant", "skipping", "--out", str(table)]) == 0
    assert capsys.readouterr().out.endswith(f"\n4 frames in {table}\nweights of skipping in {out}\n")
    model, last = skipviz.build(SKIPPING, seed=5), trained(case)
    model.load_state_dict(load_file(out))
    assert torch.equal(model.eval()(X), outputs(last, "skipping"))
    with safetensors.safe_open(out, "pt") as opened:
        about = opened.metadata()
    assert (about["variant"], about["step"], about["skipviz"]) == ("skipping", str(STEPS), skipviz.__version__)
    space = {"path": out}
    exec(about["load"], space)
    assert space["network"] == SKIPPING
    assert not space["model"].training
    assert torch.equal(space["model"](X), outputs(last, "skipping"))
    assert held_out(space["model"], case) == last_metric(last, "skipping")


def test_the_first_network_is_taken_and_nothing_else_written(tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    assert main(["train", "figure-4-9-right", "--steps", "1", "--weights", str(out)]) == 0
    assert capsys.readouterr().out.endswith(f"\nweights of right in {out}\n")
    assert list(tmp_path.iterdir()) == [out]
    assert sum(math.prod(tensor.shape) for tensor in load_file(out).values() if tensor.is_floating_point()) > 1000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--weights", "net.pt"], "--weights names a .safetensors file, not net.pt"),
        (["--weights", "nowhere/net.safetensors"], "there is no folder "),
        (["--weights", "net.safetensors", "--variant", "b"], "there is no network 'b' in it; there is right"),
    ],
)
def test_weights_that_cannot_be_written_are_refused_before_training(arguments, words, capsys):
    assert main(["train", "figure-4-9-right", *arguments]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.err.count("\n") == 1
