"""Published architectures as the sidebar offers them."""

import pytest

from skipviz.network import edit
from skipviz.tasks.forms import FORMS
from skipviz.tasks.forms.form_values import built, size_words, structure, usual_values
from skipviz.tasks.task import Task


@pytest.mark.parametrize("family", FORMS)
def test_a_familys_usual_settings_fit_every_task_it_is_offered_for(family):
    for name in FORMS[family].tasks:
        task = Task(name=name)
        assert task.mismatch(built(usual_values(family, task), task)) is None


@pytest.mark.parametrize("family", FORMS)
def test_switches_and_strengths_leave_the_structure_and_an_edit_changes_it(family):
    network = built(usual_values(family), Task(name=FORMS[family].tasks[0]))
    switched = edit.set_skip(edit.switch_all(network, False), network.skips[0].id, strength=0.5)
    assert structure(switched) == structure(network)
    assert structure(edit.remove_skip(network, network.skips[0].id)) != structure(network)


@pytest.mark.parametrize(
    ("family", "count"),
    [
        ("resnet", "269,722"),
        ("unet", "31,030,658"),
        ("densenet", "7,978,856"),
        ("transformer", "18,915,328"),
        ("fcn", "134,489,759"),
        ("highway", "289,660"),
        ("mobilenet", "3,504,872"),
        ("convnext", "28,589,128"),
        ("tabular_resnet", "299,137"),
    ],
)
def test_the_papers_own_count_is_said(family, count):
    network = built(usual_values(family), Task(name=FORMS[family].tasks[0]))
    words = size_words(usual_values(family), network)
    assert words.startswith("Drawn here for ")
    assert f"{network.parameter_count():,}" in words
    assert count in words


def test_a_transformer_of_both_halves_is_compared_with_both():
    form = usual_values("transformer").changed(encoder=2)
    words = size_words(form, built(form, Task(name="digits")))
    assert words.endswith("At the paper's size (both halves of 6 × 512, without embedding and head): 44,140,544 parameters.")
