"""What a person holds out of their own module's training: measured as by hand, and the training goes on as if it were not."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from skipviz.command import main
from skipviz.learning.frame_text import decode_frame, encode_frame
from skipviz.sharing.table import table
from skipviz.tasks.event import LayerEvent, SkipEvent
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task
from skipviz.tasks.variants import compared
from skipviz.watch.errors import WatchError
from skipviz.watch.opened.__main__ import experiment_of
from skipviz.watch.opened.files import named
from skipviz.watch.opened.objective import Batch, classes_ahead, told_right
from skipviz.watch.opened.spec import MOST_HELD_OUT, Opened
from skipviz.watch.opened.trainer import OpenedTrainer

OWN = Path(__file__).resolve().parents[1] / "own" / "train.py"
UNET = Opened(f"{OWN}:make_unet", f"{OWN}:masks", held_out=f"{OWN}:masks_held_out")
GPT = Opened(f"{OWN}:make_gpt", f"{OWN}:text", held_out=f"{OWN}:text_held_out")

FILE = """
import random
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.norm, self.drop = nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.5)
    def forward(self, x):
        return x + self.drop(torch.relu(self.norm(self.inner(x))))

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(6, 6), Block(), Block(), nn.Linear(6, 3))

class Frozen(Net):
    def train(self, mode=True):
        super().train(mode)
        self[1].norm.eval()
        return self

class Noisy(Block):
    def forward(self, x):
        if self.training:
            x = x + 0.1 * torch.randn_like(x)
        return x + self.inner(x)

class Unlike(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(6, 6), Noisy(), nn.Linear(6, 3))

class Refuses(Net):
    def forward(self, x):
        if not self.training:
            raise RuntimeError("trains only")
        return super().forward(x)

generator = torch.Generator().manual_seed(0)

def samples(count, seed=0):
    chance = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 6, generator=chance)
    return [*zip(x, x[:, :3].argmax(1))]

def train():
    return DataLoader(samples(40), batch_size=8, shuffle=True, generator=generator)

def held_out():
    random.random(), np.random.rand(), torch.rand(3)
    return DataLoader(samples(20, 1), batch_size=8, shuffle=True, generator=generator)

def long():
    for place in range(10**9):
        yield torch.full((100, 6), float(place)), torch.zeros(100, dtype=torch.long)

def small():
    while True:
        yield torch.randn(2, 6), torch.zeros(2, dtype=torch.long)

def values():
    return [(torch.ones(5, 6), torch.zeros(5, 3)), (torch.ones(1, 6), torch.ones(1, 3))]

def halves():
    return [(torch.ones(5, 6), torch.zeros(5, 2))]

def wide():
    return [(torch.randn(4, 6), torch.zeros(4, dtype=torch.long)), (torch.randn(4, 7), torch.zeros(4, dtype=torch.long))]

def nothing():
    return []

number = 5
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("held") / "held_nets.py"
    path.write_text(FILE)
    return str(path)


def opened(file: str, model: str = "Net", data: str = "train", held_out: str | None = "held_out") -> Opened:
    return Opened(f"{file}:{model}", f"{file}:{data}", held_out=held_out and f"{file}:{held_out}")


def experiment(what: Opened, **training) -> Experiment:
    found = experiment_of(what)
    return found.replaced(training=found.training.replaced(**training))


def by_hand(model: nn.Module, batches) -> tuple[float, float]:
    """Return the mean loss of the samples and the share that is right, as a script has them."""
    model.eval()
    losses, right, samples = 0.0, 0, 0
    with torch.no_grad():
        for x, y in batches:
            scores = model(x)
            losses += functional.cross_entropy(scores, y, reduction="sum").item() / y[0].numel()
            right += (scores.argmax(1) == y).sum().item() / y[0].numel()
            samples += len(y)
    model.train()
    return losses / samples, right / samples


def test_loss_and_accuracy_on_what_is_held_out_are_a_scripts_own():
    chosen = experiment(UNET, optimizer="sgd", learning_rate=0.1, steps=3)
    assert chosen.task == Task(name="watched", metric="accuracy")
    trainer = OpenedTrainer(UNET, chosen)
    assert trainer.header()["metric"] == "accuracy"
    assert trainer.header()["held_out_samples"] == 12
    model = named(UNET.model)()
    for _ in range(3):
        model.load_state_dict(trainer.weights("model"))
        loss, right = by_hand(model, named(UNET.held_out)())
        x, y = trainer.batches_of_step()[0].args[0], trainer.batches_of_step()[0].targets[0]
        batch = (model.train()(x).argmax(1) == y).float().mean().item()
        resting = trainer.measure().variants["model"]
        frame = trainer.advance(record=True)
        found = decode_frame(encode_frame(frame)).variants["model"]
        assert found.held_out_loss == pytest.approx(loss, rel=1e-5)
        assert found.held_out == pytest.approx(right, rel=1e-6)
        assert found.metric == pytest.approx(batch, rel=1e-6)
        assert (resting.held_out_loss, resting.held_out) == pytest.approx((found.held_out_loss, found.held_out))
    rows = table(chosen, [frame]).query("part == 'network'")
    assert (rows.held_out_loss.item(), rows.held_out.item()) == pytest.approx((found.held_out_loss, found.held_out))


@pytest.mark.parametrize("model", ["Net", "Frozen"])
def test_what_is_held_out_moves_no_bit_of_the_training(file, model):
    """Norm statistics, dropout, each module's own mode, all generators, and the one that both loaders draw from."""
    runs = []
    for held_out in (None, "held_out"):
        named(f"{file}:generator").manual_seed(0)
        what = opened(file, model, held_out=held_out)
        chosen = experiment_of(opened(file, model, held_out=None))
        named(f"{file}:generator").manual_seed(0)
        torch.manual_seed(3), np.random.seed(3), random.seed(3)
        trainer = OpenedTrainer(what, chosen.replaced(training=chosen.training.replaced(steps=12, seed=4)))
        frames = [trainer.advance(record=step % 2 == 0) for step in range(12)]
        assert all(module.training == (module is not getattr(trainer._variants["model"].model[1], "norm", None) or model == "Net")
                   for module in trainer._variants["model"].model.modules())  # fmt: skip
        drawn = torch.rand(2).tolist(), np.random.rand(), random.random()
        runs.append(([frame.variants["model"] for frame in frames if frame], dict(trainer.weights("model")), drawn))
    (plain, weights, drawn), (held, other, again) = runs
    assert drawn == again
    for name, tensor in weights.items():
        assert torch.equal(tensor, other[name]), name
    assert all(one.held_out_loss is None for one in plain)
    assert all(one.held_out_loss > 0 for one in held)
    assert [replace(one, held_out_loss=None) for one in held] == plain


def test_it_is_measured_as_often_as_in_other_runs_and_a_run_goes_on_with_its_schedule(file):
    what = opened(file)
    chosen = experiment(what, steps=90)
    trainer, other = OpenedTrainer(what, chosen), OpenedTrainer(what, chosen)
    frames = [trainer.advance(record=True) for _ in range(8)]
    assert trainer.advance(record=True, passing=True).variants["model"].held_out_loss is None
    other.load_state(trainer.state_bytes())
    frames += [other.advance(record=True) for _ in range(81)]
    taken = [frame.step for frame in frames if frame.variants["model"].held_out_loss is not None]
    assert taken == [*range(0, 90, 3), 89]


def test_a_measurement_takes_a_few_batches_always_the_same(file):
    assert OpenedTrainer(what := opened(file, held_out="long"), experiment_of(what)).header()["held_out_samples"] == 600
    trainer = OpenedTrainer(what := opened(file, held_out="small"), experiment(what, steps=4))
    assert trainer.header()["held_out_samples"] == 2 * MOST_HELD_OUT
    first, second = (trainer.measure().variants["model"].held_out_loss for _ in range(2))
    assert first == second


def test_every_variant_is_measured_as_it_is_switched():
    chosen = compared(experiment(UNET, steps=4), "model", "off")
    trainer = OpenedTrainer(UNET, chosen)
    lower = max(chosen.network.skips, key=lambda skip: skip.source)
    trainer.apply(SkipEvent(ids=(lower.id,), strength=-2, variant="model"))
    trainer.advance(record=False)
    model = named(UNET.model)()

    def scaled(strengths):
        def forward(x):
            a = model.down1(x)
            b = model.down2(functional.max_pool2d(a, 2))
            c = model.bottom(functional.max_pool2d(b, 2))
            d = model.join2(torch.cat([model.up2(c), strengths[0] * b], 1))
            return model.head(model.join1(torch.cat([model.up1(d), strengths[1] * a], 1)))

        return forward

    wanted = {}
    for name, strengths in (("model", (-2, 1)), ("without-skips", (0, 0))):
        model.load_state_dict(trainer.weights(name))
        model.forward = scaled(strengths)
        wanted[name] = by_hand(model, named(UNET.held_out)())
    frame = trainer.advance(record=True)
    for name, numbers in wanted.items():
        found = frame.variants[name]
        assert (found.held_out_loss, found.held_out) == pytest.approx(numbers, rel=1e-5)


def test_a_layer_that_is_off_is_off_in_eval_mode_too_where_its_dropout_hands_on(file):
    what = opened(file)
    chosen = experiment(what, steps=3)
    trainer = OpenedTrainer(what, chosen)
    layer = next(layer.id for layer in chosen.network.layers if layer.id.startswith("1."))
    trainer.apply(LayerEvent(ids=(layer,), on=False))
    model = named(what.model)()
    model.load_state_dict(trainer.weights("model"))
    model[1].forward = lambda x: x
    batches = [(batch.args[0], batch.targets[0]) for batch in trainer._held_out._batches]
    found = trainer.measure().variants["model"]
    assert (found.held_out_loss, found.held_out) == pytest.approx(by_hand(model, batches), rel=1e-5)


def test_a_gpt_that_gives_its_own_loss_is_measured_with_its_dropout_off():
    trainer = OpenedTrainer(GPT, experiment(GPT, steps=3))
    model = named(GPT.model)()
    model.load_state_dict(trainer.weights("model"))
    model.eval()
    data = torch.stack([torch.cat([x, y[-1:]]) for x, y in named(GPT.held_out)().dataset])
    with torch.no_grad():
        logits, loss = model(data[:, :-1], data[:, 1:])
    found = trainer.measure().variants["model"]
    assert found.held_out_loss == pytest.approx(loss.item(), rel=1e-5)
    assert found.held_out == pytest.approx((logits.argmax(-1) == data[:, 1:]).float().mean().item())


def test_targets_that_are_no_classes_have_a_loss_and_no_accuracy(file):
    what = opened(file, data="values", held_out="values")
    chosen = experiment(what, steps=3)
    assert chosen.task.metric is None
    found = OpenedTrainer(what, chosen).advance(record=True).variants["model"]
    assert found.held_out_loss > 0
    assert (found.held_out, found.metric) == (None, None)


def test_in_eval_mode_other_operations_are_said_and_nothing_is_measured_while_they_are_switched(file, capfd):
    what = opened(file, "Unlike")
    chosen = experiment(what, steps=5)
    assert "in eval mode held_nets.py:Unlike runs other operations where skips are read" in capfd.readouterr().err
    trainer = OpenedTrainer(what, chosen)
    assert trainer.measure().variants["model"].held_out > 0
    trainer.apply(SkipEvent(ids=(chosen.network.skips[0].id,), on=False))
    found = trainer.advance(record=True).variants["model"]
    assert (found.held_out_loss, found.held_out) == (None, None)
    assert found.loss > 0


def sequence() -> tuple[torch.Tensor, Batch]:
    chance = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 7, 5, generator=chance, requires_grad=True)
    return logits, Batch(targets=(torch.randint(5, (3, 7), generator=chance),))


@pytest.mark.parametrize(
    ("loss", "ahead"),
    [
        (lambda s, y: functional.cross_entropy(s.movedim(2, 1), y), 0),
        (lambda s, y: functional.cross_entropy(s[:, :-1].flatten(0, 1), y[:, 1:].flatten(), label_smoothing=0.1), 1),
        (lambda s, y: functional.cross_entropy(s.movedim(2, 1), y, weight=torch.tensor([1.0, 0, 3, 4, 5])), 0),
        (lambda s, y: functional.multi_margin_loss(s.flatten(0, 1), y.flatten()), 0),
        (lambda s, y: (s.mean((1, 2)) - y.float().mean(1)).square().mean(), None),
        (lambda s, y: torch.zeros(()), None),
    ],
    ids=["tokens", "shifted, as in transformers", "weighted", "margin", "no classes", "none"],
)
def test_a_loss_of_class_indices_is_known_by_what_it_pulls_up(loss, ahead):
    logits, batch = sequence()
    assert classes_ahead(logits, batch, loss(logits, batch.targets[0])) == ahead


def test_places_that_do_not_count_count_in_no_accuracy():
    scores, truth = torch.eye(4), torch.tensor([0, 1, 3, -100])
    assert told_right(scores, Batch(targets=(truth,)), 0) == (2, 3)
    assert told_right(scores[None], Batch(targets=(torch.tensor([[9, 0, 1, 255]]),)), 1) == (2, 2)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"held_out": "nothing"}, "held_nets.py:nothing gives no batch"),
        ({"held_out": "missing"}, "there is no missing in held_nets.py"),
        ({"held_out": "number"}, "held_nets.py:number is a int, and a function without arguments is wanted"),
        (
            {"held_out": "halves"},
            r"batch 1 of held_nets.py:halves, held out, in eval mode: the module gives 5×3 and the target is 5×2",
        ),
        ({"held_out": "wide"}, r"batch 2 of held_nets.py:wide, held out, in eval mode: the forward pass fails: RuntimeError: mat1"),
        ({"model": "Refuses"}, r"batch 1 of .*: the forward pass fails: RuntimeError: trains only \(line \d+ of held_nets.py\)"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_held_out_data_that_cannot_be_measured_says_why(file, fields, sentence):
    with pytest.raises(WatchError, match=sentence):
        experiment_of(opened(file, **fields))


def test_random_data_has_nothing_to_hold_out(capsys):
    assert main(["open", f"{OWN}:make_gpt", "--input", "12", "--tokens", "17", "--held-out", f"{OWN}:text_held_out"]) == 2
    assert capsys.readouterr().err.startswith("skipviz: --held-out goes with --data")
    assert main(["open", f"{OWN}:make_gpt", "--data", f"{OWN}:text", "--held-out", "text_held_out"]) == 2
    assert capsys.readouterr().err.startswith("skipviz: --held-out text_held_out does not name a file and what is in it")


def test_a_metric_is_chosen_of_ones_own_module_alone():
    with pytest.raises(ValueError, match="has a metric of its own"):
        Task(name="spiral", metric="accuracy")
