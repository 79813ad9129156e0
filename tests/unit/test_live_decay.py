"""Weight decay that is changed while a run trains: the same numbers as torch's own optimizer, a script's and a resumed run's."""

import pytest
import torch
from scripts import check, short
from torch import nn

from skipviz import Experiment, NetworkError, Task, Training, families
from skipviz.drawing import modules
from skipviz.learning.build import build
from skipviz.learning.trainer import Trainer
from skipviz.tasks.change import CHANGES
from skipviz.tasks.change.decay import DecayEvent
from skipviz.tasks.event import message_from
from skipviz.web.document.edits import events_between

OPTIMIZERS = {
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.01, weight_decay=0.0),
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.01, weight_decay=0.0),
    "adamw": lambda weights: torch.optim.AdamW(weights, lr=0.01, weight_decay=0.0),
}


def experiment(optimizer: str = "adamw", activation: str = "prelu") -> Experiment:
    net = families.mlp(depth=3, width=6, skip_every=2, activation=activation)
    training = Training(optimizer=optimizer, learning_rate=0.01, batch_size=16)
    return short(Experiment(variants={"net": net}, task=Task(name="moons", samples=60), training=training))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weights_shrink_from_the_events_step_on_as_in_torchs_own_optimizer(optimizer):
    trainer = Trainer(experiment(optimizer, "tanh"))
    theirs = build(trainer.experiment.variants["net"])
    updater = OPTIMIZERS[optimizer](theirs.parameters())
    for step in range(6):
        if step == 3:
            trainer.apply(message_from({"kind": "decay", "weight_decay": 0.5}))
            updater.param_groups[0]["weight_decay"] = 0.5
        chosen = trainer.batches.indices(step)
        updater.zero_grad()
        nn.functional.cross_entropy(theirs(trainer._x[chosen]), trainer._y[chosen]).backward()
        updater.step()
        trainer.advance(record=False)
    for name, mine in trainer.weights("net").items():
        torch.testing.assert_close(mine, theirs.state_dict()[name], msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_script_follows(optimizer):
    events = [DecayEvent(weight_decay=0.3, step=2), DecayEvent(weight_decay=0.0, step=5)]
    assert '["weight_decay"] = 0.3' in check(experiment(optimizer), events)


def test_a_resumed_run_goes_on_with_it():
    trainer, resumed = Trainer(experiment()), Trainer(experiment())
    trainer.advance(record=False)
    trainer.apply(DecayEvent(weight_decay=0.4))
    trainer.advance(record=False)
    resumed.load_state(trainer.state_bytes())
    frames = [one.advance(record=True).to_data()["variants"] for one in (trainer, resumed)]
    assert frames[0] == frames[1]


def test_a_forms_change_is_the_event_and_an_impossible_one_says_so():
    before = experiment()
    after = before.replaced(training=before.training.replaced(weight_decay=0.2))
    assert events_between(before, after) == [DecayEvent(weight_decay=0.2)]
    with pytest.raises(NetworkError, match="weight_decay"):
        message_from({"kind": "decay", "weight_decay": 2})


def test_numbers_of_changes_stay_and_each_has_words_and_a_sign_in_the_browser():
    assert [kind.name for kind in CHANGES.values() if kind.number <= 4] == ["rate", "clip", "steps", "decay"]
    assert [one[0] for one in modules.kinds()["event"]] == list(CHANGES)
    assert all(sign for _, _, sign in modules.kinds()["event"])
