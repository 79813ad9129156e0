"""Dropout: torch's own rule, with masks that depend on seed, layer and step only, so that a run stays repeatable bit for bit."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skipviz import Experiment, Head, Layer, Linear, LinkError, Network, NetworkError, Task, Training, edit, families, link
from skipviz.description import network_described
from skipviz.drawing.diagram import draw
from skipviz.engine.capacity.duration import dropped
from skipviz.engine.capacity.footprint import footprint
from skipviz.learning.build import build
from skipviz.learning.dropout import Masks
from skipviz.learning.recording import Recording
from skipviz.learning.seeding import stable_hash
from skipviz.learning.trainer import Trainer
from skipviz.tasks.event import SkipEvent

torch.set_num_threads(1)  # as a worker does


def with_dropout(network: Network, rate: float = 0.3) -> Network:
    return edit.set_layers(network, [layer.id for layer in network.layers], dropout=rate)


RESIDUAL = with_dropout(families.mlp(depth=4, width=16, skip_every=2, activation="none"))


def experiment(steps: int = 6, seed: int = 0, **variants: Network) -> Experiment:
    training = Training(steps=steps, batch_size=16, learning_rate=0.01, seed=seed)
    return Experiment(variants=variants or {"network": RESIDUAL}, task=Task(samples=100), training=training)


def masks_at(step: int | None, seed: int = 0) -> Masks:
    masks = Masks(seed)
    masks.step = step
    return masks


def dropped_elements(trainer: Trainer, variant: str = "network") -> torch.Tensor:
    """Return which elements of the first state are zero in a pass of the present step."""
    x, _ = trainer._batch()
    recording = Recording()
    model = trainer._variants[variant].model
    model.masks.step = trainer.step
    model(x, recording=recording)
    return recording.states[1] == 0


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_mask_keeps_its_share_and_scales_it_to_the_same_mean(rate):
    mask = masks_at(3).mask(torch.empty(400, 500), rate, "f1")
    count, kept = mask.numel(), torch.count_nonzero(mask).item()
    assert abs(kept - count * (1 - rate)) < 5 * math.sqrt(count * rate * (1 - rate))
    assert torch.allclose(mask.unique(), torch.tensor([0.0, 1 / (1 - rate)]))
    assert mask.mean().item() == pytest.approx(1, abs=5 * math.sqrt(rate / (1 - rate) / count))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_a_mask_is_the_one_torchs_dropout_draws_from_the_same_seed(kind):
    y = torch.randn(7, 5, dtype=kind)
    torch.manual_seed(stable_hash(4, "dropout", "f2", 9))
    assert torch.equal(masks_at(9, seed=4).dropped(y, 0.3, "f2"), F.dropout(y, 0.3))


def test_a_mask_depends_on_seed_layer_and_step_and_on_nothing_that_was_drawn_before():
    like = torch.empty(8, 8)
    mask = masks_at(2).mask(like, 0.5, "f1")
    before = torch.get_rng_state()
    for masks, layer in ((masks_at(2, seed=1), "f1"), (masks_at(3), "f1"), (masks_at(2), "f2")):
        assert not torch.equal(masks.mask(like, 0.5, layer), mask)
    assert torch.equal(masks_at(2).mask(like, 0.5, "f1"), mask)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_built_module_trains_with_torchs_own_dropout_and_evaluates_without():
    layers = [Layer(op=Linear(width=6), activation="relu", dropout=0.4, scale=0.5), Layer(op=Linear(width=3), dropout=0.2)]
    model = build(Network(input=(5,), layers=layers, head=Head(kind="state", outputs=3)))
    first, second = nn.Linear(5, 6), nn.Linear(6, 3)
    for mine, theirs in zip(model.layers, (first, second), strict=True):
        theirs.load_state_dict(mine.operation.state_dict())
    reference, x = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.4)), torch.randn(9, 5)
    for training in (True, False):
        torch.manual_seed(7)
        expected = nn.Dropout(0.2).train(training)(second(reference.train(training)(x) * 0.5))
        torch.manual_seed(7)
        assert torch.equal(model.train(training)(x), expected)


def test_without_dropout_a_training_step_has_no_operation_of_it(monkeypatch):
    def operations(network: Network) -> list[str]:
        waiting, names = [build(network)(torch.randn(3, 2)).grad_fn], []
        while waiting:
            node = waiting.pop()
            names.append(type(node).__name__)
            waiting += [parent for parent, _ in node.next_functions if parent is not None]
        return names

    bare = families.mlp(depth=3, width=4, activation="none")
    assert "MulBackward0" not in operations(bare)
    assert operations(with_dropout(bare)).count("MulBackward0") == 3
    monkeypatch.setattr(Masks, "dropped", lambda *_: pytest.fail("a mask was asked for"))
    Trainer(experiment(network=bare)).advance(record=True, baseline=True, picture=True)


def test_the_measurement_before_a_run_is_its_first_frame_bit_for_bit():
    case = experiment()
    probed, taken = Trainer(case).measure(picture=False), Trainer(case).advance(record=True, baseline=True)
    mine, theirs = (frame.to_data()["variants"]["network"] for frame in (probed, taken))
    del mine["update_ratio"], theirs["update_ratio"], theirs["learning_rate"]  # of an update, which a measurement has not
    assert mine == theirs
    assert mine["weight_grad"] != Trainer(experiment(seed=1)).measure().to_data()["variants"]["network"]["weight_grad"]


def test_watching_a_run_changes_no_bit_of_it():
    watched, alone = Trainer(experiment()), Trainer(experiment())
    while not alone.finished:
        alone.advance(record=False)
        watched.advance(record=True, baseline=True, picture=True)
        watched.finished or watched.measure()
        mine, theirs = (trainer._variants["network"].flat.values for trainer in (watched, alone))
        assert torch.equal(mine, theirs)


def test_the_baseline_has_the_masks_of_its_step():
    baseline = Trainer(experiment()).measure(picture=False).variants["network"]
    bare = Trainer(experiment(network=edit.switch_all(RESIDUAL, False))).measure(picture=False).variants["network"]
    assert (baseline.ghost, baseline.ghost_state) == (bare.weight_grad, bare.state_grad)


def test_variants_and_toggles_share_the_masks_of_a_layer():
    case = experiment(plain=edit.switch_all(RESIDUAL, False), residual=RESIDUAL, same=RESIDUAL.replaced(skips=()))
    trainer, alone = Trainer(case), Trainer(case)
    steps = []
    for _ in range(3):
        found = [dropped_elements(trainer, name) for name in case.variants]
        assert 0.2 < found[0].float().mean() < 0.4
        assert all(torch.equal(part, found[0]) for part in found)
        assert torch.equal(dropped_elements(alone, "plain"), found[0])
        steps.append(found[0])
        trainer.apply(SkipEvent(ids=["s1-3"], on=trainer.step == 0, variant="residual"))
        trainer.advance(record=True, baseline=True)
        alone.advance(record=False)
    assert not torch.equal(steps[0], steps[1])


def test_a_resumed_run_repeats_the_uninterrupted_one_bit_for_bit():
    trainer, resumed = Trainer(experiment()), Trainer(experiment())
    for _ in range(3):
        trainer.advance(record=True, baseline=True)
    resumed.load_state(trainer.state_bytes())
    while not trainer.finished:
        mine, theirs = (one.advance(record=True).variants["network"].loss for one in (resumed, trainer))
        assert mine == theirs


def test_evaluation_has_no_dropout():
    trainer, bare = Trainer(experiment()), Trainer(experiment(network=with_dropout(RESIDUAL, 0.0)))
    mine, theirs = (one.measure().to_data()["variants"]["network"] for one in (trainer, bare))
    assert mine["loss"] != theirs["loss"]
    assert (mine["held_out"], mine["picture"]) == (theirs["held_out"], theirs["picture"])


def test_a_batch_without_samples_passes():
    model = build(RESIDUAL)
    for step in (None, 0):
        model.masks.step = step
        assert model(torch.empty(0, 2)).shape == (0, 2)


def test_a_layers_dropout_stays_within_bounds_and_is_refused_in_a_sentence():
    with pytest.raises(NetworkError, match=r"dropout: input should be less than or equal to 0\.9"):
        edit.set_layer(RESIDUAL, "f2", dropout=0.95)
    with pytest.raises(NetworkError, match="greater than or equal to 0"):
        edit.set_layer(RESIDUAL, "f2", dropout=-0.1)
    with pytest.raises(NetworkError, match=r"less than or equal to 0\.9"):
        families.transformer(1, dropout=1.0)


def test_a_link_carries_dropout_and_one_out_of_bounds_is_refused():
    case = experiment()
    assert link.decode(link.encode(case)) == case
    wild = case.with_network(
        RESIDUAL.model_copy(update={"layers": tuple(layer.model_copy(update={"dropout": 2.0}) for layer in RESIDUAL.layers)})
    )
    with pytest.raises(LinkError, match="dropout"):
        link.decode(link.encode(wild))


def test_dropout_changes_the_run_and_is_counted_said_and_drawn():
    bare = with_dropout(RESIDUAL, 0.0)
    with pytest.raises(NetworkError, match="run of its own"):
        build(bare).set_network(RESIDUAL)
    assert footprint(RESIDUAL).forward - footprint(bare).forward == dropped(RESIDUAL) == 4 * 16
    assert "linear 16, dropout 0.3" in network_described("network", RESIDUAL)
    wide, narrow = (draw(RESIDUAL, compact=compact).svg for compact in (False, True))
    assert wide.count(">p .3</text>") == narrow.count(">.3</text>") == 4
    assert 'aria-label="Layer f(2): linear 16, dropout 0.3"' in wide
    assert 'class="rate"' not in draw(bare).svg


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_a_transformer_drops_where_the_paper_does(norm):
    """Vaswani et al. 2017, §5.4: each sub-layer's output before it is added, and the sums of embeddings and positions."""
    network = families.transformer(2, 8, 2, norm=norm, vocabulary=7, dropout=0.1)
    dropping = [k for k, layer in enumerate(network.layers, start=1) if layer.dropout]
    joining = [skip.target for skip in network.skips]
    assert dropping == [2, *joining]
    assert {layer.dropout for layer in network.layers} == {0.0, 0.1}
    assert network.parameter_count() == families.transformer(2, 8, 2, norm=norm, vocabulary=7).parameter_count()
    bare = families.transformer(1, 8, 2, norm=norm, positions="none", input=(5, 6), dropout=0.1)
    assert bare.layers[0].dropout == 0.1


def test_a_u_net_drops_at_the_end_of_its_contracting_path():
    network = families.unet(depth=3, width=2, padded=True, input=(1, 16, 16), dropout=0.5)
    found = [network.shapes.states[k] for k, layer in enumerate(network.layers, start=1) if layer.dropout]
    assert found == [(8, 4, 4), (16, 2, 2)]
    assert network.skips[0].source == 1 + next(k for k, layer in enumerate(network.layers) if layer.dropout)
