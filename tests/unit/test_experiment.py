"""An experiment is checked as a whole, goes through JSON unchanged, and says which field of a file is wrong."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import experiments
from pydantic import ValidationError

from skipviz import (
    Experiment,
    ExperimentError,
    Head,
    Identity,
    Layer,
    Network,
    NetworkError,
    Task,
    Training,
    experiment_from_json,
    families,
    presets,
)
from skipviz.tasks.experiment import MAX_JSON
from skipviz.tasks.task import KINDS

GOOD = json.loads(presets.get("figure-4-9-left").to_json())


def with_change(path: str, value) -> str:
    data = json.loads(json.dumps(GOOD))
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = data
    for part in way:
        place = place[part]
    place[last] = value
    return json.dumps(data)


@given(experiments())
def test_json_gives_an_equal_experiment_back(experiment):
    opened = experiment_from_json(experiment.to_json())
    assert opened == experiment
    assert list(opened.variants) == list(experiment.variants)


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_goes_through_json(name):
    assert experiment_from_json(presets.get(name).to_json()) == presets.get(name)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("variants.left.layers.0.op.width", 0, "variants.left.layers.0.op.linear.width"),
        ("variants.left.layers.0.op.width", "wide", "variants.left.layers.0.op.linear.width"),
        ("variants.left.layers.0.op.kind", "magic", "variants.left.layers.0.op"),
        ("variants.left.layers.3.activation", "swish", "variants.left.layers.3.activation"),
        ("variants.left.layers.3.colour", "red", "variants.left.layers.3.colour"),
        ("variants.left.layers.3.id", ["f"], "variants.left.layers.3.id"),
        ("variants.left.layers.3.id", "<b>", "variants.left.layers.3.id"),
        ("variants.left.layers", 7, "variants.left.layers"),
        ("variants.left.layers", [], "variants.left.layers"),
        ("variants.left.layers", [None], "variants.left.layers.0"),
        ("variants.left.skips.0.strength", 4.5, "variants.left.skips.0.strength"),
        ("variants.left.skips.0.adapter", "wide", "variants.left.skips.0.adapter"),
        ("variants.left.head.outputs", -1, "variants.left.head.outputs"),
        ("variants", {}, "variants"),
        ("variants", [], "variants"),
        ("variants", None, "variants"),
        ("task.name", "imagenet", "task.name"),
        ("task.image_size", 33, "task.image_size"),
        ("training.learning_rate", -1, "training.learning_rate"),
        ("training.steps", 0, "training.steps"),
        ("training.seed", 2**31, "training.seed"),
        ("training.device", "tpu", "training.device"),
        ("training.epochs", 3, "training.epochs"),
    ],
)
def test_a_wrong_field_of_a_file_is_named(path, value, field):
    with pytest.raises(ExperimentError) as caught:
        experiment_from_json(with_change(path, value))
    assert str(caught.value).startswith(f"{field}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "3", '"text"', "{}", b"\xff\xfe", "[" * 10_000, '{"variants": NaN}', "\x00", '{"variants":1e999}'],
)
def test_a_file_that_is_no_experiment_gets_one_sentence(text):
    with pytest.raises(ExperimentError) as caught:
        experiment_from_json(text)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("id", "op", "kind", "layers", "x")), inner),
    max_leaves=8,
)


@given(st.data())
def test_an_experiment_with_any_part_replaced_is_valid_or_refused(data):
    place = changed = json.loads(json.dumps(GOOD))
    key = "variants"
    while isinstance(place[key], list | dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
    place[key] = data.draw(JSON)
    try:
        experiment = experiment_from_json(json.dumps(changed))
    except ExperimentError:
        return
    assert experiment_from_json(experiment.to_json()) == experiment


def test_a_file_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(ExperimentError, match="at most 4,000,000 characters"):
        experiment_from_json(" " * (MAX_JSON + 1))


def test_nan_and_infinity_are_no_numbers_of_an_experiment():
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            Training(learning_rate=value)


@pytest.mark.parametrize(
    ("task", "network", "words"),
    [
        (Task(), families.mlp(depth=2, input=(3,)), "Two spirals gives 2 inputs and the network takes 3"),
        (Task(), families.mlp(depth=2, head=3), "Two spirals needs 2 outputs and the network gives 3"),
        (Task(name="digits"), families.mlp(depth=2, input=(2,), head=10), "Digits gives 1×8×8 inputs and the network takes 2"),
        (Task(name="shapes"), families.conv(depth=2, input=(1, 32, 32)), "Shapes needs 1×32×32 outputs and the network gives 10"),
        (Task(name="sequences"), families.mlp(depth=2, input=(8,)), "Sequences gives tokens and the network has no embedding"),
        (
            Task(name="sequences"),
            families.transformer(1, 8, vocabulary=9, input=(8,)),
            "Sequences has 10 different tokens and the network knows 9",
        ),
        (
            Task(name="sequences"),
            families.transformer(1, 8, vocabulary=10, input=(8,)),
            "Sequences needs 8×10 outputs and the network gives 10",
        ),
        (
            Task(name="text"),
            families.transformer(1, 8, vocabulary=59, input=(64,), head=Task(name="text").head()),
            "every attention has to be causal",
        ),
        (Task(), families.transformer(1, 8, vocabulary=10, input=(2,)), "Two spirals gives no tokens and the network reads some"),
    ],
)
def test_a_network_that_does_not_fit_the_task_is_refused_with_its_variants_name(task, network, words):
    with pytest.raises(ValidationError, match=words):
        Experiment(variants={"mine": network}, task=task)
    assert f"{words}" in task.mismatch(network)


def test_networks_without_any_parameter_are_refused():
    network = Network(layers=[Layer(op=Identity())], head=Head(kind="state", outputs=2))
    with pytest.raises(ValidationError, match="mine: no layer, skip or head has a parameter, so there is nothing to learn"):
        Experiment(variants={"mine": network})


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("images", [False, True])
def test_every_task_names_an_input_and_a_head_that_fit_it(name, images):
    task = Task(name=name)
    shape = task.input_for(images)
    if task.gives_tokens:
        source = {"encoder": 1, "source": task.tokens()} if task.further() else {}
        reads = {"vocabulary": task.token_count(), "input": shape, "head": task.head()}
        network = families.transformer(1, 8, causal=True, **reads, **source)
    elif len(shape) >= 3:
        network = families.conv(depth=2, input=shape, head=task.head())
    else:
        network = families.mlp(depth=2, input=shape, head=1 if task.finds_masks else task.head())
    if task.finds_masks and not images:
        assert task.mismatch(network) is not None
    else:
        assert Experiment(variants={"a": network}, task=task).network == network


def test_digits_takes_an_image_or_its_64_pixels():
    for network in (families.mlp(depth=2, input=(64,), head=10), families.conv(depth=2)):
        assert Task(name="digits").mismatch(network) is None


def test_one_to_four_variants_are_allowed():
    network = families.mlp(depth=2)
    assert len(Experiment(variants=dict.fromkeys("abcd", network)).variants) == 4
    for names in ("", "abcde"):
        with pytest.raises(ValidationError):
            Experiment(variants=dict.fromkeys(names, network))


def test_replacing_a_network_leaves_the_rest():
    experiment = presets.get("vanishing-plain")
    network = families.mlp(depth=3)
    changed = experiment.with_network(network)
    assert changed.network == network
    assert (changed.task, changed.training) == (experiment.task, experiment.training)
    with pytest.raises(NetworkError, match="outputs"):
        experiment.with_network(families.mlp(depth=3, head=7))


@pytest.mark.parametrize(("steps", "every", "interval"), [(10, None, 1), (2000, None, 5), (1_000_000, None, 2500), (2000, 7, 7)])
def test_frames_are_recorded_about_four_hundred_times_a_run(steps, every, interval):
    assert Training(steps=steps, record_every=every).record_interval() == interval


def test_a_tasks_samples_and_noise_are_its_own_unless_set():
    assert (Task().sample_count(), Task().noise_level()) == (1000, 0.1)
    assert (Task(samples=100, noise=0.0).sample_count(), Task(noise=0.0).noise_level()) == (100, 0.0)
    assert Task(name="digits", samples=5000).sample_count() == 1797
