"""A person's own module in the lab: trained to the bit as by their loop, switched as if they had written the switches."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch import nn
from torch.nn import functional

from skipviz.command import main
from skipviz.engine.errors import EngineError
from skipviz.engine.submission_checks import SubmissionChecks
from skipviz.network.base import NetworkError
from skipviz.settings import Settings
from skipviz.sharing.weights import from_checkpoint
from skipviz.tasks.event import LayerEvent, RateEvent, SkipEvent
from skipviz.tasks.experiment import Experiment, Training
from skipviz.tasks.variants import compared
from skipviz.watch.errors import WatchError
from skipviz.watch.opened.__main__ import experiment_of
from skipviz.watch.opened.files import named
from skipviz.watch.opened.spec import Opened, read, refusal, write
from skipviz.watch.opened.trainer import OpenedTrainer

OWN = Path(__file__).resolve().parents[1] / "own" / "train.py"
UNET = Opened(f"{OWN}:make_unet", f"{OWN}:masks")
GPT = Opened(f"{OWN}:make_gpt", f"{OWN}:text")


def experiment(opened: Opened, **training) -> Experiment:
    found = experiment_of(opened)
    return found.replaced(training=found.training.replaced(**training))


def written_by_hand(opened: Opened, training: Training, steps: int, forward=None) -> tuple[list[float], nn.Module]:
    """Train as a script does, without skipviz; `forward` stands in for the module's own."""
    torch.manual_seed(training.seed)
    model = named(opened.model)()
    if forward is not None:
        model.forward = partial(forward, model)
    kind = {"adam": partial(torch.optim.Adam, fused=True), "momentum": partial(torch.optim.SGD, momentum=0.9, fused=True)}
    optimizer = kind.get(training.optimizer, partial(torch.optim.SGD, fused=True))(
        model.parameters(), training.learning_rate, weight_decay=training.weight_decay
    )
    state = torch.get_rng_state()
    torch.manual_seed(training.seed)
    batches, losses = [*itertools.islice(_endless(named(opened.data)), steps)], []
    torch.set_rng_state(state)
    for x, y in batches:
        if opened is GPT:
            _, loss = model(x, y)
        else:
            loss = functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model


def _endless(make):
    """Go through a loader's batches again and again; a generator is begun anew."""
    made = make()
    while True:
        yield from made
        made = make() if isinstance(made, Iterator) else made


def same(trainer: OpenedTrainer, model: nn.Module, variant: str = "model", exact: bool = True) -> None:
    ours, theirs = trainer.weights(variant), model.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        if exact:
            assert torch.equal(ours[name], tensor), name
        else:
            torch.testing.assert_close(ours[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize(
    ("opened", "training"),
    [
        (UNET, Training(optimizer="momentum", learning_rate=0.05, weight_decay=0.01, steps=20, seed=3)),
        (GPT, Training(optimizer="adam", learning_rate=0.003, steps=20, seed=5)),
    ],
    ids=["unet", "gpt"],
)
def test_a_run_without_a_switch_is_the_persons_own_loop_to_the_bit(opened, training):
    trainer = OpenedTrainer(opened, experiment_of(opened).replaced(training=training))
    losses, model = written_by_hand(opened, training, 20)
    mine = []
    for step in range(20):
        trainer.measure(baseline=True)
        kept = trainer.advance(record=True, baseline=step % 4 == 0)
        mine.append(kept.variants["model"].loss)
    assert mine == losses
    same(trainer, model)
    assert trainer.finished


def test_steps_that_are_not_recorded_change_no_bit():
    chosen = experiment(GPT, steps=6)
    one, other = OpenedTrainer(GPT, chosen), OpenedTrainer(GPT, chosen)
    for step in range(6):
        one.advance(record=False)
        other.advance(record=step % 2 == 0, baseline=True)
    for name, tensor in one.weights("model").items():
        assert torch.equal(tensor, other.weights("model")[name])


class _Gain(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain):
        ctx.gain = gain
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.gain, None


def unet_with(strength, gain=1.0):
    """The U-Net's forward with the lower of its long skips scaled by hand."""

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(functional.max_pool2d(a, 2))
        c = self.bottom(functional.max_pool2d(b, 2))
        carried = torch.zeros_like(b) if strength == 0 else strength * _Gain.apply(b, gain)
        d = self.join2(torch.cat([self.up2(c), carried], 1))
        return self.head(self.join1(torch.cat([self.up1(d), a], 1)))

    return forward


@pytest.mark.parametrize(
    ("event", "by_hand"),
    [({"on": False}, unet_with(0)), ({"strength": -2.5}, unet_with(-2.5)), ({"gain": 0.25}, unet_with(1, 0.25))],
    ids=["off", "strength", "gain"],
)
@pytest.mark.parametrize("record", [True, False])
def test_a_switched_skip_is_as_if_it_were_written_so(event, by_hand, record):
    chosen = experiment(UNET, optimizer="sgd", learning_rate=0.1, steps=5)
    lower = next(skip for skip in chosen.network.skips if skip.source == max(one.source for one in chosen.network.skips))
    trainer = OpenedTrainer(UNET, chosen)
    trainer.apply(SkipEvent(ids=(lower.id,), **event))
    for _ in range(5):
        trainer.advance(record=record)
    same(trainer, written_by_hand(UNET, chosen.training, 5, by_hand)[1], exact=False)


def test_without_skips_a_gpt_is_its_branches_alone():
    chosen = compared(experiment(GPT, optimizer="sgd", learning_rate=0.1, steps=5), "model", "off")

    def bare(self, idx, targets=None):
        x = self.tokens(idx) + self.places(torch.arange(idx.shape[1]))
        for block in self.blocks:
            x = block.drop(block.attention(block.ln1(x)))
            x = block.mlp(block.ln2(x))
        logits = self.head(self.norm(x))
        return logits, functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    trainer = OpenedTrainer(GPT, chosen)
    frames = [trainer.advance(record=True, baseline=True) for _ in range(5)]
    losses, model = written_by_hand(GPT, chosen.training, 5, bare)
    assert [frame.variants["without-skips"].loss for frame in frames] == pytest.approx(losses, rel=1e-5)
    same(trainer, model, "without-skips", exact=False)
    plain, whole = written_by_hand(GPT, chosen.training, 5)
    assert [frame.variants["model"].loss for frame in frames] == plain
    same(trainer, whole)
    first = frames[0].variants
    assert first["model"].ghost == pytest.approx(first["without-skips"].weight_grad, rel=1e-4)
    assert first["without-skips"].skip_grad == [0.0] * len(first["model"].skip_grad)
    assert all(value > 0 for value in first["model"].skip_grad)


GATED = """
import torch
from safetensors.torch import load
from skipviz.sharing.weights import from_checkpoint
from torch import nn

class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.gate, self.around, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
    def forward(self, x):
        h = torch.relu(self.first(x))
        f = torch.tanh(self.around(h))
        return self.last(f * torch.sigmoid(self.gate(x)))

class Multiplied(Gated):
    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.last(torch.tanh(self.around(h)) * h)

class Branch(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.shortcut, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(6, 8), nn.Linear(8, 3)
    def forward(self, x):
        y = self.second(torch.relu(self.first(x)))
        y += self.shortcut(x)
        return self.last(torch.relu(y))

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1, self.relu = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.conv2, self.norm2 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
    def forward(self, x):
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        y += x
        return self.relu(y)

class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.blocks, self.head = nn.Conv2d(1, 4, 3, padding=1), nn.Sequential(Block(), Block()), nn.Linear(4, 3)
    def forward(self, x):
        return self.head(self.blocks(torch.relu_(self.stem(x))).mean((2, 3)))

def pictures():
    chance = torch.Generator().manual_seed(0)
    return [(torch.randn(5, 1, 6, 6, generator=chance), torch.randint(3, (5,), generator=chance)) for _ in range(4)]

def hf():
    from transformers import GPT2Config, GPT2LMHeadModel
    return GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=50, n_positions=16))

def hf_text():
    chance = torch.Generator().manual_seed(0)
    batches = torch.randint(50, (3, 4, 12), generator=chance)
    return [{"input_ids": batch, "labels": batch} for batch in batches]

class Bad(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(7, 3))
    def forward(self, x):
        return self.body(x)

class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 4)
    def forward(self, x):
        return x + self.layer(x)

bare = lambda: torch.zeros(3)
number = 5
frozen = lambda: nn.Linear(6, 3).requires_grad_(False)
module = nn.Linear(6, 3)

class Halved(nn.Module):
    def forward(self, x):
        return x.bfloat16()

halves = lambda: nn.Sequential(Halved(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).bfloat16()

def breaks():
    raise RuntimeError("no weights here")

def data():
    chance = torch.Generator().manual_seed(0)
    return [(torch.randn(5, 6, generator=chance), torch.randint(3, (5,), generator=chance)) for _ in range(4)]

def values():
    return [(torch.randn(5, 6), torch.randn(5, 2))]

def images():
    return [(torch.randn(5, 6), torch.randint(3, (5, 4)))]

def nothing():
    return []

def words():
    return ["ab"]

def told():
    return [{"input": torch.randn(5, 6), "labels": torch.randint(3, (5,))}]

def own_loss(output, target):
    return output.square().mean() * 0 + 7
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("own") / "nets.py"
    path.write_text(GATED)
    return str(path)


@pytest.mark.parametrize(("module", "merge"), [("Gated", "reads"), ("Multiplied", "multiply")])
def test_a_product_that_is_off_has_ones_in_its_place(file, module, merge):
    opened = Opened(f"{file}:{module}", f"{file}:data")
    chosen = experiment(opened, optimizer="sgd", learning_rate=0.1, steps=3)
    edges = [*chosen.network.skips]
    assert [edge.merge for edge in edges] == [merge]
    trainer = OpenedTrainer(opened, chosen)
    trainer.apply(SkipEvent(ids=(edges[0].id,), on=False))

    def by_hand(self, x):
        return self.last(torch.tanh(self.around(torch.relu(self.first(x)))))

    trainer.advance(record=False)
    trainer.advance(record=True)
    trainer.advance(record=False)
    same(trainer, written_by_hand(opened, chosen.training, 3, by_hand)[1], exact=False)


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_a_skip_into_an_operation_in_place_is_switched_as_any(file, strength):
    opened = Opened(f"{file}:InPlace", f"{file}:pictures")
    chosen = experiment(opened, optimizer="sgd", learning_rate=0.1, steps=4)
    assert len(chosen.network.skips) == 2
    trainer = OpenedTrainer(opened, chosen)
    trainer.apply(SkipEvent(ids=tuple(skip.id for skip in chosen.network.skips), strength=strength))

    def by_hand(self, x):
        x = torch.relu(self.stem(x))
        for block in self.blocks:
            y = block.norm2(block.conv2(torch.relu(block.norm1(block.conv1(x)))))
            x = torch.relu(y + strength * x)
        return self.head(x.mean((2, 3)))

    for step in range(4):
        trainer.advance(record=step % 2 == 0, baseline=True)
    same(trainer, written_by_hand(opened, chosen.training, 4, by_hand)[1], exact=False)


def test_every_skip_of_a_model_that_takes_a_dict_and_gives_its_loss_is_switched(file):
    pytest.importorskip("transformers")
    opened = Opened(f"{file}:hf", f"{file}:hf_text")
    chosen = experiment(opened)
    assert len(chosen.network.skips) == 4
    trainer = OpenedTrainer(opened, chosen)
    whole = trainer.measure().variants["model"]
    for place, skip in enumerate(chosen.network.skips):
        trainer.apply(SkipEvent(ids=(skip.id,), on=False))
        off = trainer.measure().variants["model"]
        assert off.skip_grad[place] == 0
        assert all(value > 0 for other, value in enumerate(off.skip_grad) if other != place)
        assert off.loss != whole.loss
        trainer.apply(SkipEvent(ids=(skip.id,), on=True))
    again = trainer.measure().variants["model"]
    assert (again.loss, again.weight_grad) == (whole.loss, whole.weight_grad)


def test_what_only_a_switched_off_edge_leads_to_rests_with_its_momenta(file):
    opened = Opened(f"{file}:Branch", f"{file}:data")
    chosen = experiment(opened, optimizer="momentum", learning_rate=0.1, weight_decay=0.1, steps=9)
    trainer = OpenedTrainer(opened, chosen)
    trainer.advance(record=True)
    trainer.apply(SkipEvent(ids=tuple(skip.id for skip in chosen.network.skips), on=False))
    before = {name: tensor.clone() for name, tensor in trainer.weights("model").items()}
    for record in (True, False):
        trainer.advance(record=record)
    after = trainer.weights("model")
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert {name.partition(".")[0] for name in moved} == {"first", "second", "last"}


def test_a_layers_gain_dampens_what_goes_back_into_it():
    chosen = experiment(GPT, optimizer="sgd", learning_rate=0.1, steps=2)
    trainer = OpenedTrainer(GPT, chosen)
    whole = trainer.measure().variants["model"]
    names = [layer.id for layer in chosen.network.layers]
    place = next(index for index, name in enumerate(names) if "mlp" in name)
    trainer.apply(LayerEvent(ids=(names[place],), gain=0.5))
    half = trainer.measure().variants["model"]
    assert half.loss == whole.loss
    assert half.weight_grad[place] == pytest.approx(whole.weight_grad[place] / 2, rel=1e-5)
    assert half.weight_grad[place + 1 :] == pytest.approx(whole.weight_grad[place + 1 :], rel=1e-5)


def test_a_run_goes_on_from_its_checkpoint_to_the_same_bits():
    chosen = compared(experiment(GPT, steps=12), "model", "off")
    trainer, other = OpenedTrainer(GPT, chosen), OpenedTrainer(GPT, chosen)
    trainer.apply(SkipEvent(ids=(chosen.network.skips[0].id,), strength=2, variant="model"))
    for _ in range(7):
        trainer.advance(record=False)
    other.load_state(trainer.state_bytes())
    assert (other.step, other.applied) == (7, 1)
    for _ in range(5):
        frames = [one.advance(record=True).variants for one in (trainer, other)]
        assert [frames[0][name].loss for name in chosen.variants] == [frames[1][name].loss for name in chosen.variants]
    for name, tensor in trainer.weights("model").items():
        assert torch.equal(tensor, other.weights("model")[name])


def test_weights_of_a_checkpoint_load_into_the_persons_own_module():
    trainer = OpenedTrainer(GPT, compared(experiment(GPT, steps=3), "model", "off"))
    trainer.advance(record=False)
    file = from_checkpoint(trainer.state_bytes(), "without-skips", "without skips")
    fresh = named(GPT.model)()
    fresh.load_state_dict(load(file))
    for name, tensor in trainer.weights("without-skips").items():
        assert torch.equal(fresh.state_dict()[name], tensor), name


def test_a_module_of_halves_goes_on_from_its_checkpoint(file):
    opened = Opened(f"{file}:halves", f"{file}:data")
    chosen = experiment(opened, steps=5)
    trainer, other = OpenedTrainer(opened, chosen), OpenedTrainer(opened, chosen)
    trainer.advance(record=True)
    other.load_state(trainer.state_bytes())
    one, two = (each.advance(record=True).variants["model"].loss for each in (trainer, other))
    assert one == two
    for name, tensor in trainer.weights("model").items():
        assert tensor.dtype == torch.bfloat16
        assert torch.equal(tensor, other.weights("model")[name])
    assert load(from_checkpoint(trainer.state_bytes(), "model", "model"))["1.weight"].dtype == torch.float32


def test_a_learning_rate_acts_from_its_step_on(file):
    opened = Opened(f"{file}:Branch", f"{file}:data")
    trainer = OpenedTrainer(opened, experiment(opened, optimizer="sgd", steps=5))
    trainer.apply(RateEvent(learning_rate=0.0))
    before = {name: tensor.clone() for name, tensor in trainer.weights("model").items()}
    assert trainer.advance(record=True).variants["model"].learning_rate == 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.weights("model").items())


def test_a_variant_that_diverges_leaves_the_other_to_go_on():
    chosen = compared(experiment(UNET, optimizer="sgd", learning_rate=1.0, steps=9), "model", "off")
    trainer = OpenedTrainer(UNET, chosen)
    trainer.apply(SkipEvent(ids=tuple(skip.id for skip in chosen.network.skips), strength=4, variant="model"))
    broken = trainer._variants["model"].model
    with torch.no_grad():
        broken.head.weight.fill_(float("inf"))
    frame = trainer.advance(record=False)
    assert frame.variants["model"].loss is None
    assert frame.variants["model"].first_broken == chosen.network.layers[-1].id
    assert trainer.diverged == {"model": {"step": 0, "layer": chosen.network.layers[-1].id}}
    assert [*trainer.advance(record=True).variants] == ["without-skips"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "missing"}, "there is no missing in nets.py"),
        ({"model": "number"}, "nets.py:number is a int, and a function without arguments is wanted"),
        ({"model": "bare"}, "nets.py:bare gives a Tensor, and a torch module is wanted"),
        ({"model": "breaks"}, r"nets.py:breaks fails: RuntimeError: no weights here \(line \d+ of nets.py\)"),
        ({"model": "frozen"}, "the module has no parameter to train"),
        ({"model": "Bad"}, r"the forward pass fails in body.2: at linear of 5×8 and 3×7 and 3, .*cannot be multiplied"),
        ({"model": "Sum"}, r"the forward pass fails in Sum itself: at add of 5×6 and 5×4, .* \(line \d+ of nets.py\)"),
        ({"data": "values"}, "the module gives 5×3 and the target is 5×2 real numbers"),
        ({"data": "images"}, "the module gives 5×3 and the target is 5×4 whole numbers: no axis is one of classes"),
        ({"data": "nothing"}, "nets.py:nothing gives no batch"),
        ({"data": "words"}, "a batch is .* and the loader gave a str"),
        ({"data": "number"}, "nets.py:number is a int, and a function"),
        ({"loss": "own_loss"}, ""),
        ({"loss": "number"}, "nets.py:number is a int, and a function of output and target is wanted"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_what_cannot_be_opened_says_the_true_reason(file, fields, sentence):
    named_ = {"model": "Branch", "data": "data", **fields}
    opened = Opened(**{name: f"{file}:{value}" for name, value in named_.items()})
    if not sentence:
        assert experiment_of(opened).network.depth > 1
        assert OpenedTrainer(opened, experiment_of(opened)).measure().variants["model"].loss == 7
        return
    with pytest.raises(WatchError, match=sentence):
        experiment_of(opened)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train.py:make",), "there is no file train.py"),
        (("make_model", "--input", "3"), "make_model does not name a file and what is in it, as train.py:make_model"),
        ((f"{OWN}:make_unet",), "say what the module is trained on: --data FILE.py:NAME, or --input 3x224x224"),
        ((f"{OWN}:make_unet", "--input", "1x0"), "--input is a sample's shape as 3x224x224, not '1x0'"),
        ((f"{OWN}:make_unet", "--data", "masks"), "--data masks does not name a file and what is in it"),
        ((f"{OWN}:make_unet", "--data", f"{OWN}:masks", "--tokens", "9"), "--tokens is how many different ones there are"),
        ((f"{OWN}:make_unet", "--input", "2x16x16"), r"the forward pass fails in down1.first: at conv2d of 16×2×16×16 and 4×1×3×3"),
    ],
    ids=["no file", "no name", "no data", "no shape", "no data's name", "tokens", "forward fails"],
)
def test_the_command_says_in_one_sentence_what_is_wrong(arguments, sentence, capsys):
    given = arguments if "train.py:make" not in arguments else (*arguments, "--input", "3")
    assert main(["open", *given]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert re.search(sentence if "forward" in sentence else re.escape(sentence), said[0]), said


def test_a_file_that_is_not_there_or_no_python_says_so(tmp_path):
    with pytest.raises(WatchError, match="there is no file"):
        experiment_of(Opened(f"{tmp_path}/none.py:make", f"{tmp_path}/none.py:data"))
    (tmp_path / "broken.py").write_text("def make(:\n")
    with pytest.raises(WatchError, match=r"broken.py cannot be imported: SyntaxError: .* \(line 1 of broken.py\)"):
        experiment_of(Opened(f"{tmp_path}/broken.py:make", f"{tmp_path}/broken.py:data"))


def test_a_module_itself_and_batches_by_name_are_taken(file):
    opened = Opened(f"{file}:module", f"{file}:told")
    assert experiment_of(opened).training.batch_size == 5
    before = named(opened.model).weight.clone()
    trainer = OpenedTrainer(opened, experiment(opened, steps=2))
    trainer.advance(record=True)
    assert torch.equal(named(opened.model).weight, before)


def test_random_data_comes_again_and_is_said(file):
    opened = Opened(f"{OWN}:make_gpt", shape=(12,), tokens=17)
    assert opened.title == "train.py:make_gpt, on random data"
    trainer = OpenedTrainer(opened, experiment(opened, batch_size=3, steps=9))
    assert trainer.header()["batch_size"] == 3
    first = trainer.batches_of_step()[0].args[0]
    for _ in range(4):
        trainer.advance(record=False)
    assert torch.equal(trainer.batches_of_step()[0].args[0], first)


def test_a_server_trains_what_it_was_opened_on_and_nothing_else(tmp_path, file):
    chosen = experiment(UNET)
    write(tmp_path / "opened.json", UNET, chosen)
    opened, known = read(tmp_path / "opened.json")
    assert (opened, known) == (UNET, chosen)
    switched = compared(chosen, "model", "off")
    assert refusal(switched, known) is None
    other = experiment_of(Opened(f"{file}:Branch", f"{file}:data"))
    assert "is not the module that this lab was opened on" in refusal(other, known)
    assert "only its own script can train it" in refusal(chosen, None)
    assert "one seed" in refusal(chosen.replaced(training=chosen.training.replaced(seeds=2)), known)
    with pytest.raises(WatchError, match="no longer what it was"):
        OpenedTrainer(Opened(f"{file}:Branch", f"{file}:data"), chosen)


def test_a_layer_in_a_residual_branch_that_is_off_contributes_nothing_and_learns_nothing():
    trainer = OpenedTrainer(GPT, chosen := experiment(GPT, optimizer="momentum", learning_rate=0.1, steps=4))
    attention = next(layer.id for layer in chosen.network.layers if "attention" in layer.id)

    def forward(self, idx, targets=None):
        block = self.blocks[0]
        block.attention.forward = lambda x: torch.zeros_like(x)
        return type(self).forward(self, idx, targets)

    losses = written_by_hand(GPT, chosen.training, 4, forward)[0]
    trainer.apply(LayerEvent(ids=(attention,), on=False))
    frames = [trainer.advance(record=True).variants["model"] for _ in range(4)]
    place = [layer.id for layer in chosen.network.layers].index(attention)

    assert [frame.loss for frame in frames] == pytest.approx(losses, rel=1e-6)
    assert frames[0].weight_grad[place] == 0
    assert frames[0].state_grad[place] > 0
    ours, first = trainer.weights("model"), named(GPT.model)
    torch.manual_seed(chosen.training.seed)
    untouched = first().state_dict()
    assert all(torch.equal(ours[name], untouched[name]) for name in ours if name.startswith("blocks.0.attention"))
    trainer.apply(LayerEvent(ids=(attention,), on=True))
    assert OpenedTrainer(GPT, chosen).measure().variants["model"].weight_grad[place] > 0


CONVOLUTIONS = """
import torch
from torch import nn
class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 2, 1)
        self.act = nn.ReLU(inplace=True)
    def forward(self, x):
        return self.last(self.act(self.two(self.act(self.one(x)))))
class Forgets(Plain):
    def forward(self, x):
        x = self.two(self.act(self.one(x)))
        x.relu_()
        return self.last(x)
"""


@pytest.fixture
def convolutions(tmp_path):
    (tmp_path / "convolutions.py").write_text(CONVOLUTIONS)
    return lambda name: Opened(f"{tmp_path / 'convolutions.py'}:{name}", f"{OWN}:masks")


def test_a_plain_layer_that_is_off_becomes_the_identity(convolutions):
    opened = convolutions("Plain")
    trainer = OpenedTrainer(opened, chosen := experiment(opened, optimizer="sgd", learning_rate=0.1, steps=4))
    losses, model = written_by_hand(opened, chosen.training, 4, lambda self, x: self.last(self.act(self.one(x))))
    trainer.apply(LayerEvent(ids=("two",), on=False))
    frames = [trainer.advance(record=step % 2 == 0) for step in range(4)]
    found = [frame.variants["model"] for frame in frames if frame is not None]

    assert [frame.loss for frame in found] == pytest.approx(losses[::2], rel=1e-6)
    same(trainer, model, exact=False)
    assert found[0].trunk_grad[1] == pytest.approx(found[0].state_grad[1], rel=1e-6)
    assert found[0].state_grad[2] == pytest.approx(found[0].state_grad[1], rel=1e-6)
    with pytest.raises(NetworkError, match="changes the shape"):
        trainer.apply(LayerEvent(ids=("one",), on=False))


def test_a_layer_whose_state_is_changed_where_it_lies_says_that_it_cannot_be_off(convolutions):
    trainer = OpenedTrainer(opened := convolutions("Forgets"), experiment(opened, steps=4))
    trainer.apply(LayerEvent(ids=("two",), on=False))
    with pytest.raises(WatchError, match="changes in place"):
        trainer.advance(record=False)


def test_a_server_trains_it_for_who_sits_at_its_machine_and_never_in_public(tmp_path):
    chosen = experiment(UNET)
    checks = SubmissionChecks(Settings, uploads=None, scheduler=None, opened=chosen)
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", None):
        checks.check_trainable(chosen, address)
    for address in ("192.168.1.7", "unknown", ""):
        with pytest.raises(EngineError, match="who sits at this machine"):
            checks.check_trainable(chosen, address)
    with pytest.raises(ValueError, match="a public server runs nobody's own code"):
        Settings(public=True, open=str(tmp_path / "opened.json"))
    assert not Settings(open="x", start="fork").forks()
