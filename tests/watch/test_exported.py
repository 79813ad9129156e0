"""A module as the static graph that torch.export makes of it, and as torch.compile runs it: the same boxes, the same numbers."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from catalogue import CASES
from passes import Pass, captured, loss_of, same, trained, worst_sum
from small_models import MODELS, Block
from torch import nn

import skipviz
from skipviz.watch.capture import Capture
from skipviz.watch.errors import WatchError
from skipviz.watch.exported import Exported
from skipviz.watch.switches import Switches

pytest.importorskip("transformers")
BY_NAME = {case.name: case for case in CASES}
EQUAL = (*MODELS, "GPT-2", "BERT", "T5", "RWKV", "ViT", "Swin", "SegFormer")
"""Those that torch.export leaves as they are to the bit."""
EVERY = pytest.mark.parametrize("name", [*EQUAL, "Llama"])
DOUBLE = ("GPT-2", "BERT", "Swin", *MODELS)
"""Those that compute in double precision all through."""


def made(name: str) -> tuple[nn.Module, dict]:
    """Return a model and what it is given by name."""
    if name not in MODELS:
        return BY_NAME[name].make().train(), BY_NAME[name].inputs()
    torch.manual_seed(0)
    model = MODELS[name][0]()
    return model, {"x": torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))}


def a_capture(model: nn.Module) -> Capture:
    names = {id(one): name for name, one in model.named_parameters()}
    return Capture(model, names, {id(one): path for path, one in model.named_modules()}, Switches())


def exported_pass(model: nn.Module, exported: Exported, given: dict) -> Pass:
    capture = a_capture(model)
    with capture.running():
        fed, named = capture.feed((), given)
        output = exported.forward(capture)(*fed, **named)
        capture.returned(output)
    assert capture.broken is None
    return Pass(capture, output)


@cache
def seen(name: str) -> tuple:
    """Return loss and gradients bare and exported, and the networks of the latter, of eager mode, and of shapes."""
    model, given = made(name)
    exported, found = Exported(model, given), []
    bare = trained(model, lambda: model(**given))
    beside = trained(model, lambda: found.append(exported_pass(model, exported, given)) or found[0].output)
    exported.shapes(capture := a_capture(model))
    networks = [one.layout.network for one in (found[0], captured(model, (), given), Pass(capture, None))]
    return bare, beside, networks


@EVERY
def test_boxes_skips_and_weights_are_those_of_the_pass_in_eager_mode(name):
    *_, (network, eager, of_shapes) = seen(name)

    assert network == eager
    assert of_shapes == eager


@pytest.mark.parametrize("name", EQUAL)
def test_loss_and_gradients_are_the_modules_own_to_the_bit(name):
    bare, exported, _ = seen(name)

    assert exported[0] == bare[0]
    assert same(exported[1], bare[1])


@pytest.mark.parametrize("name", DOUBLE)
def test_in_double_precision_what_comes_back_along_the_edges_of_a_state_sums_to_twelve_digits(name):
    model, given = made(name)
    given = {name: one.double() if one.is_floating_point() else one for name, one in given.items()}
    one = exported_pass(model, Exported(model.double(), given), given)
    loss_of(one.output).backward()
    worst, count = worst_sum(one.capture)

    assert count > 5
    assert worst < 1e-12


def blocks() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), Block(), Block(), nn.Dropout(0.2), nn.Linear(8, 3))


def losses(model: nn.Module, called, watched=None, steps: int = 6) -> list[float]:
    torch.manual_seed(1)
    optimizer, found = torch.optim.SGD(model.parameters(), 0.1), []
    for step in range(steps):
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(step))
        loss = called(x).square().mean()
        loss.backward()
        if watched is not None:
            watched.step(loss)
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
    return found


def test_a_network_is_there_before_any_step_and_training_is_the_same_to_the_bit():
    bare = losses(model := blocks(), model)
    model = blocks()
    before = {name: one.clone() for name, one in model.state_dict().items()}
    state = torch.get_rng_state()
    watched = skipviz.watch(model, every=2, live=False, export=torch.randn(5, 4, generator=torch.Generator().manual_seed(0)))

    assert [(skip.source, skip.target, skip.merge) for skip in watched.network.skips] == [(1, 3, "add"), (3, 5, "add")]
    assert watched.diagram().startswith("<svg")
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], one) for name, one in model.state_dict().items())
    assert losses(model, model, watched) == bare
    assert len(watched.run.frames) == 3
    assert all(watched.frame().skip_grad)
    assert not watched.remarks


def test_a_module_without_numbers_is_drawn():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    watched = skipviz.watch(model, live=False, export=torch.empty(5, 4, device="meta"))

    assert watched.network.depth == 2
    assert watched.network.parameter_count() == 4 * 8 + 8 + 8 * 3 + 3


def test_passes_of_other_shapes_or_in_another_mode_are_the_modules_own_and_said_to_be_unrecorded():
    model = blocks()
    watched = skipviz.watch(model, every=1, live=False, export=(torch.randn(5, 4),))
    for x, mode in ((torch.randn(2, 4), True), (torch.randn(5, 4), False)):
        model.train(mode)
        loss = model(x).sum()
        loss.backward()
        assert watched.step(loss) is None
    assert len(watched.remarks) == 1
    assert "other shapes" in watched.remarks[0]
    loss = model.train()(torch.randn(5, 4)).sum()
    loss.backward()
    assert watched.step(loss) is not None


def test_what_cannot_be_exported_is_said_in_a_sentence():
    class Chooses(nn.Linear):
        def forward(self, x):
            return super().forward(x if x.sum() > 0 else -x)

    with pytest.raises(WatchError, match="no static graph of it, leave `export` out"):
        skipviz.watch(Chooses(4, 4), live=False, export=torch.randn(2, 4))


@pytest.mark.parametrize("how", ["wrapped", "in place", "a part", "wrapped later", "in place later", "exported"])
def test_a_compiled_module_is_recorded_in_eager_mode_and_compiled_in_between(how):
    torch._dynamo.reset()
    bare = losses(model := blocks(), model)
    model, runs = blocks(), set()

    def backend(graph, _):
        def run(*args):
            runs.add(watched.steps_taken)
            return graph.forward(*args)

        return run

    more = {"export": torch.randn(5, 4)} if how == "exported" else {}
    watched = skipviz.watch(model, every=2, live=False) if how.endswith("later") else None
    called = model
    if how == "a part":
        model[1].compile(backend=backend)
    elif how.startswith("in place"):
        model.compile(backend=backend)
    else:
        called = torch.compile(model, backend=backend)
    watched = watched or skipviz.watch(called, every=2, live=False, **more)

    assert losses(model, called, watched) == bare
    assert runs == {1, 3, 5}
    assert len(watched.run.frames) == 3
    assert watched.network.depth == 6
    watched.close()
    assert "forward" not in vars(model)
    torch._dynamo.reset()


def test_a_state_that_is_written_part_by_part_through_its_views_has_all_its_sources():
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x):
            whole = torch.zeros(2, *x.shape)
            whole[0].copy_(self.one(x))
            whole[1].copy_(self.two(x))
            return self.last(whole.sum(0))

    torch.manual_seed(0)
    layout = captured(model := Parts(), (torch.randn(3, 4),)).layout

    assert layout.network.parameter_count() == sum(one.numel() for one in model.parameters())
