"""A network that does not fit a task is made to fit by its input and head alone, or a sentence says why that is not enough."""

import json

import pytest

from skipviz import ExperimentError, LinkError, NetworkError, experiment_from_json, families, link
from skipviz.network import Adapter, edit
from skipviz.sharing.packing import packed
from skipviz.tasks import presets
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.suggested_fix import fitted, fix_words
from skipviz.tasks.task import KINDS, Task

NETWORKS = {
    "mlp": families.mlp(depth=4, width=8, skip_every=2),
    "conv": families.conv(depth=3, width=4, skip_every=1),
    "unet": families.unet(depth=1, width=4, padded=True, input=(1, 32, 32), head=1),
    "transformer": families.transformer(1, 8, 2, vocabulary=10, input=(8,), head=Task(name="sequences").head()),
    "rows": families.transformer(1, 8, 2, input=(8, 8)),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("name", KINDS)
def test_every_network_fits_every_task_after_mending_or_says_in_a_sentence_why_not(name, network):
    task = Task(name=name)
    if not _fits(network, task):
        with pytest.raises(NetworkError, match=r"\w+ .{10,}"):
            fitted(network, task)
        return
    after = fitted(network, task)
    assert task.mismatch(after) is None
    assert [layer.id for layer in after.layers] == [layer.id for layer in network.layers]
    assert after.skips == network.skips


def test_what_can_be_mended_is():
    names = {key: {name for name in KINDS if _fits(network, Task(name=name))} for key, network in NETWORKS.items()}
    points = {"spiral", "moons", "circles", "xor", "gaussians", "regression", "line"}
    assert names["mlp"] == points | {"digits"}
    assert names["conv"] == names["unet"] == {"digits", "shapes", "membranes", "tubes"}
    assert names["transformer"] == {"memory", "sequences", "text"}
    assert names["rows"] == {"digits"}


def _fits(network, task) -> bool:
    try:
        return task.mismatch(fitted(network, task)) is None
    except NetworkError:
        return False


@pytest.mark.parametrize("size", [16, 28, 32, 44, 100])
@pytest.mark.parametrize("more", [{}, {"gates": True}, {"up": "bilinear", "merge": "add"}], ids=str)
def test_a_unet_that_pads_up_and_was_changed_by_hand_pads_up_for_another_size_of_images(size, more):
    network = families.unet(depth=3, width=2, padded=True, input=(1, 36, 36), head=1, **more)
    changed = edit.set_layer(network, network.layers[4].id, activation="gelu")
    made = fitted(changed, Task(name="shapes", image_size=size))
    wanted = families.unet(depth=3, width=2, padded=True, input=(1, size, size), head=1, **more)
    assert made == edit.set_layer(wanted, wanted.layers[4].id, activation="gelu")


def test_a_fitting_network_stays_as_it_is():
    for name in presets.names():
        experiment = presets.get(name)
        assert experiment.on(experiment.task) == experiment


def test_a_network_of_tokens_follows_another_length_and_vocabulary_with_its_layers_kept():
    other = Task(name="sequences", length=12, vocabulary=30)
    network = NETWORKS["transformer"]
    after = fitted(network, other)
    assert other.mismatch(network) is not None
    assert other.mismatch(after) is None
    assert after.layers[1:] == network.layers[1:]
    assert after.skips == network.skips


def test_an_adapter_that_no_longer_fits_the_input_is_chosen_anew():
    network = edit.add_skip(families.mlp(depth=3, width=8), 0, 2, adapter=Adapter(channels="pad"))
    after = fitted(network, Task(name="digits"))
    assert after.shapes.skips[0].adapter.channels == "project"


def test_a_variant_keeps_its_name_when_all_of_them_follow_another_task():
    experiment = Experiment(variants={"a": NETWORKS["mlp"], "b": families.mlp(depth=2, width=3)})
    after = experiment.on(Task(name="digits"))
    assert {name: (network.input, network.head.outputs) for name, network in after.variants.items()} == {
        "a": ((64,), 10),
        "b": ((64,), 10),
    }


def test_the_button_says_what_it_does():
    assert fix_words(Task()) == "Give the network 2 inputs and 2 outputs"
    assert fix_words(Task(name="regression"), 2) == "Give the 2 networks 1 input and 1 output"
    assert fix_words(Task(name="digits")) == "Give the network 1×8×8 inputs and 10 outputs"


def _misfit() -> dict:
    data = Experiment(variants={"mine": NETWORKS["mlp"]}).model_dump(mode="json", exclude_defaults=True)
    return {**data, "task": {"name": "digits"}}


def test_json_that_only_mismatches_its_task_brings_along_how_to_mend_it():
    with pytest.raises(ExperimentError, match="gives 1×8×8 inputs and the network takes 2") as caught:
        experiment_from_json(json.dumps(_misfit()))
    after = caught.value.mismatch.mended()
    assert (after.network.input, after.network.head.outputs, after.task.name) == ((64,), 10, "digits")
    assert after.network.layers == NETWORKS["mlp"].layers


def test_a_link_that_only_mismatches_its_task_brings_along_how_to_mend_it():
    import zlib
    from base64 import urlsafe_b64encode

    content = json.dumps(packed(_misfit()), separators=(",", ":")).encode()
    body = link._sealed(zlib.compress(content, 9, -zlib.MAX_WBITS))
    with pytest.raises(LinkError, match="gives 1×8×8 inputs") as caught:
        link.decode(link.VERSION + urlsafe_b64encode(body).decode().rstrip("="))
    assert caught.value.mismatch.mended().network.input == (64,)


def test_other_faults_have_no_mend():
    for text in ('{"variants": {}}', "nonsense"):
        with pytest.raises(ExperimentError) as caught:
            experiment_from_json(text)
        assert caught.value.mismatch is None
