"""The sidebar's few numbers: read off a network, and turned back into one that keeps what it can."""

import pytest

from skipviz.drawing.network_data import note
from skipviz.network import edit, families
from skipviz.network.base import NetworkError
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.forms.architecture import with_task, with_values
from skipviz.tasks.forms.family_detection import recognised
from skipviz.tasks.task import Task


def _experiment(network, task="spiral") -> Experiment:
    return Experiment(variants={"net": network}, task=Task(name=task))


def setup_of(network, task="spiral"):
    return recognised(_experiment(network, task)).form


def rebuilt(experiment, form, task=None) -> Experiment:
    return with_values(experiment, form, task or experiment.task, keep=True)


def pattern_of(network) -> tuple:
    return tuple(setup_of(network).settings()[name] for name in ("pattern", "every", "merge"))


def test_the_settings_of_a_family_are_read_back():
    network = families.mlp(depth=9, width=12, skip_every=3, activation="tanh", norm="layer", order="norm-act-op", init="orthogonal")
    setup = setup_of(network)
    assert setup.family == "mlp"
    assert setup.settings() == {
        "depth": 9, "width": 12, "activation": "tanh", "norm": "layer", "order": "norm-act-op",
        "init": "orthogonal", "init_factor": 1.0, "pattern": "residual", "every": 3, "merge": "add", "scale": "none",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["vanishing-plain", "vanishing-residual", "digits-conv", "residual-300"])
def test_rebuilding_with_unchanged_settings_gives_the_same_network(name):
    experiment = presets.get(name)
    assert rebuilt(experiment, setup_of(experiment.network, experiment.task.name)) == experiment


def test_the_factor_on_initial_weights_is_read_named_and_kept():
    network = families.mlp(depth=6, width=64, init="normal")
    wide = network.replaced(layers=[layer.replaced(init_factor=8.0) for layer in network.layers])
    assert rebuilt(_experiment(network), setup_of(wide)).network == wide
    assert {layer.init_factor for layer in rebuilt(_experiment(wide), setup_of(wide).changed(depth=9)).network.layers} == {8.0}
    assert note(network) == "N(0, 1/n) init, no norm"
    assert note(wide) == "N(0, 1/n) init ×8, no norm"
    assert note(edit.set_layer(wide, "f2", init_factor=100)) == "N(0, 1/n) init × mixed factors, no norm"


@pytest.mark.parametrize(("pattern", "every"), [("residual", 2), ("residual", 4), ("nested", 1), ("nested", 2), ("dense", 4)])
def test_a_pattern_is_recognised_by_its_skips(pattern, every):
    merge = "add" if pattern == "residual" else "concat"
    network = families.mlp(depth=12, width=8, skip_every=every, pattern=pattern, merge=merge)
    assert pattern_of(network) == (pattern, every, merge)


def test_skips_of_no_pattern_are_custom_and_a_network_without_has_none():
    network = families.mlp(depth=12, width=8)
    assert pattern_of(network)[0] == "none"
    assert pattern_of(edit.add_skip(edit.add_skip(network, 1, 4), 2, 9, merge="concat"))[0] == "custom"


def test_skips_that_stay_keep_whether_they_are_on_and_how_strong():
    network = families.mlp(depth=8, width=8, skip_every=2)
    network = edit.set_skip(edit.set_skip(network, "s1-3", on=False), "s3-5", strength=0.5, gain=0.25)
    experiment = _experiment(network)
    after = rebuilt(experiment, setup_of(network).changed(depth=12)).network
    kept = {(skip.source, skip.target): skip for skip in after.skips}
    assert not kept[1, 3].on
    assert (kept[3, 5].strength, kept[3, 5].gain) == (0.5, 0.25)
    assert kept[9, 11].on


def test_a_network_whose_skips_are_all_off_grows_with_its_new_skips_off():
    experiment = presets.get("vanishing-plain")
    after = rebuilt(experiment, setup_of(experiment.network).changed(depth=40)).network
    assert len(after.skips) > 11
    assert not any(skip.on for skip in after.skips)


def test_skips_drawn_by_hand_stay_where_they_still_fit():
    network = edit.add_skip(edit.add_skip(families.mlp(depth=9, width=8), 2, 4), 1, 8, merge="concat")
    experiment = _experiment(network)
    after = rebuilt(experiment, setup_of(network).changed(depth=6)).network
    assert [(skip.source, skip.target) for skip in after.skips] == [(2, 4)]


def test_dropout_set_by_hand_stays_with_its_layer_and_a_familys_goes_with_the_family():
    stack = edit.set_layer(families.mlp(depth=4, width=8), "f3", dropout=0.2)
    deeper = rebuilt(_experiment(stack), setup_of(stack).changed(depth=6)).network
    assert [layer.dropout for layer in deeper.layers] == [0, 0, 0.2, 0, 0, 0]
    encoder = families.transformer(2, 8, 2, input=(8, 8), dropout=0.1)
    mlp = rebuilt(_experiment(encoder, "digits"), setup_of(stack)).network
    assert not any(layer.dropout for layer in mlp.layers)


def test_a_task_of_points_makes_a_convolutional_network_an_mlp_and_shapes_the_reverse():
    conv = _experiment(families.conv(depth=4, width=6, input=(1, 8, 8)), "digits")
    points = with_task(conv, recognised(conv), Task(name="moons"))
    assert {layer.op.kind for layer in points.network.layers} == {"linear"}
    shapes = with_task(points, recognised(points), Task(name="shapes"))
    assert {layer.op.kind for layer in shapes.network.layers} == {"conv"}
    curve = with_task(shapes, recognised(shapes), Task(name="regression"))
    assert (curve.network.input, curve.network.shapes.output) == ((1,), (1,))


@pytest.mark.parametrize("change", [{"depth": 0}, {"depth": 2501}, {"width": 4097}])
def test_settings_out_of_bounds_are_refused(change):
    experiment = presets.get("vanishing-plain")
    with pytest.raises(NetworkError):
        rebuilt(experiment, setup_of(experiment.network).changed(**change))
