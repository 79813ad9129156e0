"""What a frame says of numbers that mislead: the first layer that breaks, zeros that are none, sums that are rounding."""

import io

import pandas
import pytest
import torch

from skipviz import Experiment, Layer, Linear, Network, Task, Training, build, edit, families
from skipviz.learning.frame import Frame, VariantFrame
from skipviz.learning.frame_text import decode_frame, encode_frame
from skipviz.learning.marks import MARKS
from skipviz.learning.parameters import FlatParameters
from skipviz.learning.probe import Gradients, mean_magnitudes
from skipviz.learning.recording import Recording
from skipviz.learning.setup import as_in_a_run
from skipviz.learning.trainer import Trainer
from skipviz.sharing.table import table, to_csv

torch.set_num_threads(1)


def experiment(network: Network, batch_size: int = 16, **fields) -> Experiment:
    training = Training(batch_size=batch_size, steps=5, **fields)
    return Experiment(variants={"net": network}, task=Task(samples=100), training=training)


def randn_layers(depth: int, factor: float, **fields) -> Network:
    """Return layers of 64 whose weights are N(0, factor²/64): at factor 8 those of a plain `randn`."""
    return Network(layers=[Layer(op=Linear(width=64), init="normal", init_factor=factor, **fields)] * depth)


BREAKING = {
    "linear": randn_layers(100, 8.0),
    "relu": randn_layers(100, 8.0, activation="relu"),
    "largest factor": randn_layers(30, 100.0),
    "residual": edit.add_skip(randn_layers(60, 8.0), 1, 50),
}


def states_by_hand(network: Network, x: torch.Tensor) -> list[torch.Tensor]:
    model, states = build(network), [x]
    for k, layer in enumerate(network.layers, start=1):
        operation = model.layers[k - 1].operation
        h = states[-1] @ operation.weight.T + operation.bias
        h = h.relu() if layer.activation == "relu" else h
        states.append(h + sum(states[skip.source] for skip in network.skips if skip.target == k))
    return states


@pytest.mark.parametrize("name", BREAKING)
def test_the_first_layer_whose_output_is_not_finite_is_the_same_before_the_start_and_where_the_run_ends(name):
    network = BREAKING[name]
    trainer = Trainer(experiment(network))
    before = trainer.measure(baseline=False, picture=False).variants["net"]
    with torch.no_grad():
        states = states_by_hand(network, trainer._batch()[0])
    first = next(k for k, state in enumerate(states) if not state.isfinite().all())
    frame = trainer.advance(record=False)
    assert network.place(before.first_broken) == f"f({first})"
    assert frame.variants["net"].first_broken == before.first_broken == trainer.diverged["net"]["layer"]


def test_a_state_of_float32s_largest_numbers_breaks_nothing_before_it_is_infinite():
    network = randn_layers(1, 1.0)
    trainer = Trainer(experiment(network))
    trainer._x.fill_(3e38)
    trainer._variants["net"].flat.values.fill_(0.5)
    frame = trainer.measure(baseline=False, picture=False).variants["net"]
    assert frame.state_rms[1] == pytest.approx(3e38, rel=1e-5)
    assert frame.first_broken == "head"


def test_a_network_that_is_finite_names_no_layer():
    assert Trainer(experiment(families.mlp(depth=3))).measure().variants["net"].first_broken is None


def marks(frame: VariantFrame) -> dict[str, dict[str, list[int]]]:
    return {mark: getattr(frame, mark) for mark in MARKS if getattr(frame, mark)}


def measured(network: Network, set_weights=None, batch_size: int = 16) -> tuple[VariantFrame, list[float]]:
    """Return a frame at initialisation, and ‖∂L/∂h_k‖ of the same network and batch in float64 by plain torch."""
    trainer = Trainer(experiment(network, batch_size))
    model = trainer._variants["net"].model
    if set_weights:
        with torch.no_grad():
            set_weights(model)
    frame = trainer.measure(baseline=False, picture=False).variants["net"]
    x, y = trainer._batch()
    recording = Recording()
    loss = torch.nn.functional.cross_entropy(model.double()(x.double().requires_grad_(), recording=recording), y)
    exact = torch.autograd.grad(loss, recording.states, allow_unused=True)
    largest = [0.0 if gradient is None else gradient.abs().max().item() for gradient in exact]
    return frame, [most and most * (gradient / most).norm().item() for gradient, most in zip(exact, largest, strict=True)]


def dead_in_the_middle(model) -> None:
    model.layers[3].operation.bias.fill_(-1e4)


def no_weights_in_the_middle(model) -> None:
    model.layers[3].operation.weight.zero_()


def opposite(model) -> None:
    """Make the branch of two layers minus the identity, but for rounding."""
    weight = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(0)))[0]
    model.layers[1].operation.weight.copy_(weight)
    model.layers[2].operation.weight.copy_(-weight.T)


FIVE = families.mlp(depth=5, width=8)
CANCELLING = edit.add_skip(families.mlp(depth=4, width=64, activation="none"), 1, 3)
ZEROS = {
    "300 sigmoids": (families.mlp(depth=300, width=16, activation="sigmoid"), None, "underflow", range(245)),
    "units that are all off": (FIVE, dead_in_the_middle, "blocked", range(4)),
    "weights of zero": (FIVE, no_weights_in_the_middle, "blocked", range(4)),
    "a skip past units that are off": (edit.add_skip(FIVE, 2, 5), dead_in_the_middle, "blocked", [3]),
    "a gradient gain of 0": (edit.set_layer(FIVE, "f4", gain=0), None, None, range(4)),
    "a branch scale of 0": (edit.set_layer(FIVE, "f4", scale=0.0), None, None, range(4)),
    "a layer that is off under a skip of strength 0": (
        edit.set_layer(edit.add_skip(FIVE, 3, 4), "f4", on=False),
        None,
        None,
        [],
    ),
}


@pytest.mark.parametrize("name", ZEROS)
def test_a_zero_says_whether_it_is_too_small_stopped_on_its_way_or_without_one(name):
    network, set_weights, mark, places = ZEROS[name]
    frame, exact = measured(network, set_weights)
    zeros = [k for k, value in enumerate(frame.state_grad) if value == 0]
    assert set(places) <= set(zeros)
    assert [k for found in marks(frame) for k in getattr(frame, found).get("state_grad", [])] == (zeros if mark else [])
    assert set(marks(frame)) == ({mark} if mark else set())
    for k in zeros:
        assert (exact[k] > 0) == (mark == "underflow")


def test_what_is_off_has_no_mark_and_what_it_passes_by_has():
    network = edit.add_skip(edit.set_layer(edit.add_skip(FIVE, 1, 3), "f4", gain=0), 1, 4)
    frame, _ = measured(edit.set_skip(network, "s1-3", on=False), dead_in_the_middle)
    assert frame.skip_grad[0] == 0
    assert not marks(frame)


@pytest.mark.parametrize(
    ("network", "set_weights", "noisy"),
    [
        (CANCELLING, opposite, [0, 1]),
        (families.mlp(depth=4, width=8, norm="group"), None, [0, 1, 2, 3]),
        (families.mlp(depth=4, width=8, norm="group", order="norm-act-op"), None, [0, 1, 2, 3]),
    ],
)
def test_a_gradient_that_is_the_rounding_of_its_parts_is_marked(network, set_weights, noisy):
    frame, exact = measured(network, set_weights)
    assert frame.rounding["state_grad"] == noisy
    assert set(marks(frame)) == {"rounding"}
    for k, value in enumerate(frame.state_grad):
        assert (value == pytest.approx(exact[k], rel=1e-3, abs=0)) == (k not in noisy)


def test_gradients_that_only_shrink_or_nearly_cancel_are_not_marked():
    def nearly(model) -> None:
        opposite(model)
        model.layers[2].operation.weight.mul_(1 + 1e-5)

    frame, exact = measured(CANCELLING, nearly)
    assert not marks(frame)
    assert frame.state_grad == pytest.approx(exact, rel=0.05, abs=0)
    assert not marks(measured(families.mlp(depth=60, width=16))[0])


def test_marks_survive_the_frames_text():
    frame, _ = measured(FIVE, dead_in_the_middle)
    text = encode_frame(Frame(0, {"net": frame}))
    again = decode_frame(text)
    assert marks(again.variants["net"]) == marks(frame)
    assert encode_frame(again) == text
    assert b"underflow" not in text


def test_the_table_says_in_words_what_a_zero_or_an_empty_field_is():
    network = families.mlp(depth=100, width=16, activation="sigmoid")
    frame = Frame(0, {"net": measured(network)[0]})
    rows = pandas.read_csv(io.BytesIO(to_csv(table(experiment(network), [frame]))))
    layers = rows[(rows.part == "layer") & (rows.weight_grad == 0)]
    assert len(layers) > 10
    assert all("weight_grad:underflow" in words and "trunk_grad:underflow" in words for words in layers.marks)
    assert rows[rows.weight_grad > 1e-30].marks.isna().all()
    broken = table(experiment(BREAKING["relu"]), [Frame(0, {"net": measured(BREAKING["relu"])[0]})])
    where = broken[broken.part == "network"].marks.iloc[0].split()[-1].removeprefix("first_broken:")
    assert broken[broken.id == where].marks.iloc[0].split() == ["weight_grad:nonfinite", "trunk_grad:nonfinite"]
    first = broken[(broken.part == "state") & broken.marks.str.contains("state_rms:nonfinite")]
    assert f"f{first['index'].iloc[0]}" == where


MEANS = {
    "norms and biases": families.mlp(depth=5, width=8, norm="batch"),
    "sizes that differ": Network(layers=[Layer(op=Linear(width=width, bias=width > 4)) for width in (4, 6, 6, 3)]),
    "an attention's maps": families.transformer(depth=1, width=8, heads=2),
    "layers without weights": families.densenet(),
}


@pytest.mark.parametrize("name", MEANS)
def test_the_mean_of_weights_is_what_a_loop_over_torchs_parameters_prints(name):
    network = MEANS[name]
    flat = FlatParameters(build(network))
    generator = torch.Generator().manual_seed(1)
    gradient = torch.randn(len(flat.values), generator=generator)
    for p, part in zip(flat.parameters, gradient.split([p.numel() for p in flat.parameters]), strict=True):
        p.grad = part.view(p.shape)
    model_layers = [[p for p in flat.parameters if start <= p.storage_offset() < end] for start, end in flat.layers]
    printed = []
    for parameters in model_layers:
        weights = [p.grad.abs().flatten() for p in parameters if p.dim() > 1]
        printed.append(torch.cat(weights).mean().item() if weights else None)
    states = [torch.full((4, 3), -2.0), None]
    found = Gradients((), [*states, *[None] * (network.depth - 1)], [], [], {}, {})
    means = mean_magnitudes(network, flat, found, gradient)
    assert means["weight_grad_mean"] == [value and pytest.approx(value, rel=1e-4) for value in printed]
    assert means["state_grad_mean"][1] == 0
    assert means["state_grad_mean"][0] == (None if network.takes_tokens else 2)


def test_frames_hold_the_means_of_weights_and_states():
    frame, exact = measured(FIVE)
    count = 16 * 8
    assert len(frame.weight_grad_mean) == 5
    for k in range(1, 6):
        assert 0 < frame.state_grad_mean[k] <= exact[k] / count**0.5
    deep = measured(families.mlp(depth=80, width=16))[0]
    assert 0 < deep.weight_grad_mean[0] < deep.weight_grad[0] < 1e-30
    with as_in_a_run():
        deeper = measured(families.mlp(depth=100, width=16))[0]
    assert deeper.weight_grad_mean[0] == deeper.weight_grad[0] == 0
    assert 0 in deeper.underflow["weight_grad"]
