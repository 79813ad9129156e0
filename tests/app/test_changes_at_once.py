"""Several fields of the sidebar that change before the page is drawn again: each change counts, none takes another back."""

from __future__ import annotations

from skipviz.sharing import link


def changed(lab, *changes):
    """Make the changes within one run of the script, and return the experiment then."""
    for kind, label, value in changes:
        lab.widget(kind, label).set_value(value)
    data = lab.run()
    assert data["message"] is None
    return link.decode(data["link"])


def test_settings_of_training_do_not_take_each_other_back(lab):
    experiment = changed(lab, ("selectbox", "Optimizer", "sgd"), ("text_input", "Batch size", "16"), ("text_input", "Seed", "7"))
    training = experiment.training
    assert (training.optimizer, training.batch_size, training.seed) == ("sgd", 16, 7)


def test_settings_of_a_stack_do_not_take_each_other_back(lab):
    network = changed(lab, ("slider", "Depth", 9), ("slider", "Width", 20), ("selectbox", "Activation", "gelu")).network
    assert (network.depth, network.layers[0].activation, network.layers[0].op.width) == (9, "gelu", 20)


def test_settings_of_a_task_do_not_take_each_other_back(lab):
    task = changed(lab, ("slider", "Noise", 0.4), ("slider", "Size", 400)).task
    assert (task.noise_level(), task.sample_count()) == (0.4, 400)


def test_settings_of_an_architecture_do_not_take_each_other_back(lab):
    lab.choose("selectbox", "Family", "transformer")
    experiment = changed(lab, ("text_input", "Blocks", "3"), ("text_input", "Feed-forward", "24"))
    assert len(experiment.network.skips) == 6
    assert {layer.op.width for layer in experiment.network.layers if layer.op.kind == "linear"} >= {24}


def test_a_setting_of_a_family_that_is_no_more_changes_nothing(lab):
    lab.choose("slider", "Depth", 2)  # so that measuring it on images takes little time
    lab.choose("selectbox", "Task", "shapes")
    alone = changed(lab, ("selectbox", "Family", "unet"))
    lab.send("undo")
    assert changed(lab, ("selectbox", "Family", "unet"), ("slider", "Depth", 20)) == alone


def test_a_setting_of_a_task_that_is_no_more_changes_nothing(lab):
    alone = changed(lab, ("selectbox", "Task", "moons"))
    lab.send("undo")
    assert changed(lab, ("selectbox", "Task", "moons"), ("slider", "Size", 300)) == alone
