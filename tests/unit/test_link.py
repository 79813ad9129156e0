"""A link carries an experiment and nothing else, and any other text is refused with a sentence."""

import base64
import json
import random
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import experiments

import skipviz
from skipviz import Experiment, LinkError, edit, families, link, presets
from skipviz.network.edge import Edge
from skipviz.network.layer import Layer
from skipviz.network.network import Head, Network
from skipviz.network.node import Join
from skipviz.network.operation import CLASSES, Linear
from skipviz.network.skip import Adapter, Skip
from skipviz.sharing import packing
from skipviz.tasks.experiment import Training
from skipviz.tasks.own import Own
from skipviz.tasks.presets import figure
from skipviz.tasks.task import Task

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
OPENING = link.encode(presets.get("vanishing-plain"))


def link_of(content: bytes, version: str = link.VERSION) -> str:
    return sealed(zlib.compress(content, 9, -15), version)


def sealed(deflated: bytes, version: str = link.VERSION) -> str:
    content = zlib.crc32(deflated).to_bytes(4, "big") + deflated
    return version + base64.urlsafe_b64encode(content).decode().rstrip("=")


def body_of(text: str) -> bytes:
    body = text.removeprefix(link.VERSION)
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))[4:]


def short_of(text: str) -> dict:
    return json.loads(zlib.decompress(body_of(text), -15))


@given(experiments())
def test_a_link_gives_the_same_experiment_back_with_ids_and_seed(experiment):
    text = link.encode(experiment)
    opened = link.decode(text)
    assert opened == experiment
    assert list(opened.variants) == list(experiment.variants)
    assert link.encode(opened) == text


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_travels_in_less_than_400_characters_and_one_of_two_halves_in_700(name):
    text = link.encode(presets.get(name))
    assert link.decode(text) == presets.get(name)
    assert len(text) < (700 if presets.get(name).network.further else 400)


@pytest.mark.parametrize(
    ("network", "limit"),
    [
        (families.mlp(depth=300, skip_every=2), 200),
        (families.mlp(depth=300, pattern="dense"), 400),
        (families.mlp(depth=2500, width=16, skip_every=1), 200),
        (edit.repeated(families.mlp(depth=4, skip_every=2, input=(64,)), 75), 500),
        (families.conv(depth=110, skip_every=2, input=(1, 8, 8), head=2), 500),
    ],
    ids=["300 residual layers", "dense", "2,500 layers", "a unit 75 times", "110 convolutions"],
)
def test_a_deep_regular_network_makes_a_short_link(network, limit):
    task = Task(name="digits") if network.input != (2,) else Task()
    network = network.replaced(head=task.head())
    experiment = Experiment(variants={"network": network}, task=task)
    text = link.encode(experiment)
    assert link.decode(text) == experiment
    assert len(text) < limit


def test_an_edited_deep_network_stays_below_two_thousand_characters():
    network = families.conv(depth=110, skip_every=2, head=10)
    for position in (5, 40, 41, 99):
        network = edit.insert_layer(network, position)
    for skip in network.skips[::7]:
        network = edit.set_skip(network, skip.id, on=False)
    network = edit.set_layer(network, "f50", gain=0.0)
    experiment = Experiment(variants={"network": network}, task=Task(name="digits"))
    text = link.encode(experiment)
    assert link.decode(text) == experiment
    assert len(text) < 2000


def test_resnet_110_travels_in_far_less_than_two_thousand_characters():
    digits = Task(name="digits")
    network = families.resnet(depth=110, input=(1, 8, 8), head=digits.head())
    experiment = Experiment(variants={"network": network}, task=digits)
    text = link.encode(experiment)
    assert link.decode(text) == experiment
    assert len(text) < 1000


def test_default_ids_cost_nothing():
    short = short_of(OPENING)["v"][0][1]
    assert "n" not in short
    assert "m" not in short


def test_equal_experiments_have_equal_links():
    toggled = edit.switch_all(edit.switch_all(presets.get("figure-4-9-left").network, False), True)
    experiment = presets.get("figure-4-9-left").with_network(toggled)
    assert link.encode(experiment) == link.encode(presets.get("figure-4-9-left"))


def test_a_link_written_by_the_first_version_still_means_the_same():
    """Its defaults are written out here: whoever changes one has to make a new version of links."""
    text = link_of(
        b'{"v":[["a",{"i":[3],"l":[[{"o":{"k":"linear","w":3}}],[0,2]],"s":[[{}],[0,1],[0,1],[2,1]],"h":{"o":10}}]],'
        b'"t":{"n":"digits"}}'.replace(b"[3]", b"[64]"),
        link.FIRST,
    )
    layer = {
        "activation": "none",
        "norm": "none",
        "order": "op-norm-act",
        "init": "torch",
        "init_factor": 1.0,
        "dropout": 0.0,
        "drop_path": 0.0,
        "zero_gamma": False,
        "scale": None,
        "scale_learned": False,
        "scale_per": "layer",
        "shares": "",
    }
    layer |= {"op": {"kind": "linear", "width": 3, "bias": True}, "on": True, "gain": 1.0}
    adapter = {"spatial": "auto", "channels": "auto", "width": None, "bias": True, "norm": "none", "init": "torch"}
    adapter |= {"kernel": 1, "offset": None}
    skip = {"id": "s0-2", "source": 0, "target": 2, "merge": "add", "on": True, "strength": 1.0, "gain": 1.0, "adapter": adapter}
    assert link.decode(text).model_dump(mode="json") == {
        "variants": {
            "a": {
                "input": [64],
                "layers": [{"id": "f1", **layer}, {"id": "f2", **layer}],
                "skips": [
                    {
                        **skip,
                        "gate_bias": -2.0,
                        "via": "",
                        "before": False,
                        "learned": False,
                        "rate": 1.0,
                        "softmax": False,
                        "heads": 4,
                        "causal": False,
                        "streams": 4,
                        "mixing": "free",
                        "dynamic": False,
                    }
                ],
                "head": {"kind": "classes", "outputs": 10, "bias": True, "flatten": False, "init": "torch"},
                "branches": [],
                "edges": [],
                "further": {},
                "groups": [],
                "tied": "",
                "origin": None,
            }
        },
        "task": {"name": "digits", "noise": None, "samples": None, "image_size": 32, "overlap": True, "seed": 0}
        | {"rule": "reverse", "length": None, "vocabulary": 10, "own": None, "metric": None},
        "training": {
            "optimizer": "adam",
            "learning_rate": 0.001,
            "momentum": 0.0,
            "batch_size": 64,
            "weight_decay": 0.0,
            "steps": 500,
            "seed": 0,
            "record_every": None,
            "device": "auto",
            "schedule": "constant",
            "warmup_steps": 0,
            "clip_norm": None,
            "clip_value": None,
            "accumulation": 1,
            "precision": "float32",
            "loss": "auto",
            "class_weights": "none",
            "label_smoothing": 0.0,
            "seeds": 1,
        },
        "labels": {},
    }


@pytest.mark.parametrize("name", presets.names())
def test_links_of_the_first_version_with_either_frame_open_and_become_links_of_this_one(name):
    experiment = presets.get(name)
    short = short_of(link.encode(experiment))
    del short[link.MADE_WITH]
    content = json.dumps(short, separators=(",", ":")).encode()
    framed = link.FIRST + base64.urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")
    for old in (link_of(content, link.FIRST), framed):
        assert link.opened(old) == (experiment, None)
        assert link.encode(link.decode(old)) == link.encode(experiment)
        with pytest.raises(LinkError):
            link.decode(old[:-4])


def test_a_link_says_which_torch_it_was_made_with():
    short = short_of(OPENING)
    assert link.opened(OPENING).torch == short[link.MADE_WITH] == "2.13.0"
    elsewhere = json.dumps({**short, link.MADE_WITH: "2.10.1"}, separators=(",", ":")).encode()
    assert link.opened(link_of(elsewhere)) == (presets.get("vanishing-plain"), "2.10.1")


def test_a_link_of_a_version_to_come_is_refused_as_newer():
    with pytest.raises(LinkError, match="newer skipviz"):
        link.decode("3." + OPENING.removeprefix(link.VERSION))


@pytest.mark.parametrize(
    ("table", "classes", "elsewhere"),
    [
        (packing.NETWORK, (Network,), {"layers", "skips", "branches", "edges", "groups", "origin"}),
        (packing.HEAD, (Head,), set()),
        (packing.LAYER, (Layer,), {"id"}),
        (packing.OPERATION, (*CLASSES.values(), Join), set()),
        (packing.SKIP, (Skip,), {"id", "source", "target", "via"}),
        (packing.EDGE, (Edge,), {"id", "source", "target"}),
        (packing.ADAPTER, (Adapter,), set()),
        (packing.TASK, (Task,), {"metric"}),
        (packing.OWN, (Own,), set()),
        (packing.TRAINING, (Training,), set()),
    ],
    ids=["network", "head", "layer", "operation", "skip", "edge", "adapter", "task", "own", "training"],
)
def test_the_tables_of_a_link_name_every_field_once(table, classes, elsewhere):
    fields = {name for kind in classes if not getattr(kind, "recorded_only", False) for name in kind.model_fields}
    assert sorted(table.values()) == sorted(fields - elsewhere)


@given(st.text(max_size=60) | st.text(ALPHABET, max_size=200).map(lambda body: link.VERSION + body))
@example("")
@example(link.VERSION)
@example("1.\N{ARABIC-INDIC DIGIT ONE}")
@example("\x00")
def test_garbage_is_refused_with_one_sentence(text):
    with pytest.raises(LinkError) as caught:
        link.decode(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@given(st.integers(0, len(OPENING) - 1), st.sampled_from(ALPHABET))
def test_a_link_with_one_wrong_character_is_refused(place, character):
    mutated = OPENING[:place] + character + OPENING[place + 1 :]
    if mutated == OPENING:
        return
    with pytest.raises(LinkError):
        link.decode(mutated)


@given(st.integers(0, len(OPENING) - 1))
def test_a_link_that_is_cut_short_is_refused(length):
    with pytest.raises(LinkError):
        link.decode(OPENING[:length])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("vtrlnsmihokwabe"), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_other_json_in_a_link_is_refused(value):
    with pytest.raises(LinkError):
        link.decode(link_of(json.dumps(value).encode()))


@given(st.data())
def test_a_link_whose_parts_were_swapped_for_others_is_refused_or_a_valid_experiment(data):
    short = short_of(link.encode(presets.get("figure-4-9-right")))
    place, key = short, "v"
    while isinstance(place[key], list | dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
    place[key] = data.draw(JSON)
    text = link_of(json.dumps(short).encode())
    try:
        experiment = link.decode(text)
    except LinkError:
        return
    assert link.decode(link.encode(experiment)) == experiment


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b" " * 5_000_000, "unpacks to more than 2,000,000 bytes"),
        (b"[" * 100_000, "does not hold an experiment"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1000000000]]}]]}', "more than 2,500 entries"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":1e999}}],[0,1]]}]]}', "width"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":NaN}}],[0,1]]}]]}', "NaN"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":4096}}],[0,2500]]}]]}', "over the limit of 400,000,000"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1]]}]],"t":{"n":"mars"}}', "task.name"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[1,1]]}]]}', "a part that it does not have"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1]]}]],"v":[]}', "something twice"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1]],"z":1}]]}', "unknown field 'z'"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1]],"n":[["{0}"],[0,1],[[]]]}]]}', "strange character"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3},"e":true}],[0,1]]}]]}', "not written as links are"),
        (b"9" * 10_000, "does not hold an experiment"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1]]}]],"w":"<b>"}', "made with is not known"),
        (b'{"v":[["a",{"l":[[{"o":{"k":"linear","w":3}}],[0,1]]}]],"w":2}', "made with is not known"),
    ],
)
def test_a_hostile_link_is_refused_for_what_it_does(content, words):
    with pytest.raises(LinkError, match=words):
        link.decode(link_of(content))


def test_a_link_with_something_behind_its_end_is_refused():
    with pytest.raises(LinkError, match="behind its end"):
        link.decode(sealed(body_of(OPENING) + b"more"))


def test_a_text_over_eight_thousand_characters_is_refused_before_it_is_read():
    with pytest.raises(LinkError, match="at most 8,000"):
        link.decode(link.VERSION + "A" * 8_000)


@pytest.mark.parametrize("value", [None, 3, b"1.abc", ["1.abc"]])
def test_what_is_not_text_is_refused(value):
    with pytest.raises(LinkError, match="a link is text"):
        link.decode(value)


def test_an_experiment_too_irregular_for_a_link_is_told_to_be_a_file():
    chance = random.Random(0)
    layers = [Layer(id=f"{chance.getrandbits(64):x}", op=Linear(width=chance.randint(1, 64))) for _ in range(1000)]
    with pytest.raises(LinkError, match="share it as a JSON file"):
        link.encode(Experiment(variants={"a": Network(input=(2,), layers=layers)}))


@pytest.mark.parametrize("frame", ["{}", "https://lab.example/?x={}", "http://localhost:8501/Lab?theme=dark&x={}#top", " {}\n"])
def test_a_link_is_found_in_an_address(frame):
    assert link.text_of(frame.format(OPENING)) == OPENING


def test_the_right_panel_keeps_its_units_ids():
    opened = link.decode(link.encode(figure("right", 3)))
    assert [layer.id for layer in opened.network.layers][:5] == ["u1.f1", "u1.f2", "u1.f3", "u1.f4", "u2.f1"]
    assert skipviz.LinkError is LinkError
    assert issubclass(LinkError, ValueError)


@pytest.mark.parametrize("change", ["{}.", "({})", " {} ", "<{}>,", "“{}”", "{}\n", "{}!"])
def test_a_link_opens_with_what_a_sentence_put_around_it(change):
    experiment = presets.get("figure-4-9-right")
    assert link.decode(change.format(link.encode(experiment))) == experiment


def test_a_link_that_a_mail_broke_over_lines_opens():
    experiment = presets.get("figure-4-9-right")
    text = link.encode(experiment)
    assert link.decode("\r\n  ".join(text[start : start + 60] for start in range(0, len(text), 60))) == experiment
