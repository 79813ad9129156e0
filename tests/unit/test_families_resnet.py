"""ResNets have the published layers and parameters, and refuse what is none."""

import time
from functools import cache

import pytest
import torch
from pace import slowness

from skipviz import NetworkError, edit, families, link
from skipviz.learning.build import build
from skipviz.network.network import Head
from skipviz.sharing import packing
from skipviz.tasks.experiment import Experiment
from skipviz.tasks.task import Task

PUBLISHED = [
    ({"depth": 20}, 269_722),
    ({"depth": 32}, 464_154),
    ({"depth": 44}, 658_586),
    ({"depth": 56}, 853_018),
    ({"depth": 110}, 1_727_962),
    ({"depth": 1202}, 19_421_274),
    ({"depth": 20, "shortcut": "project"}, 272_474),
    ({"depth": 164, "version": 2}, 1_703_258),
    ({"depth": 1001, "version": 2}, 10_327_706),
    ({"depth": 18}, 11_689_512),
    ({"depth": 34}, 21_797_672),
    ({"depth": 50}, 25_557_032),
    ({"depth": 101}, 44_549_160),
    ({"depth": 152}, 60_192_808),
    ({"depth": 50, "groups": 32}, 25_028_904),
    ({"depth": 18, "layout": "small"}, 11_173_962),
    ({"depth": 101, "groups": 32, "group_width": 8}, 88_791_336),
]
NAMES = ["-".join(map(str, options.values())) for options, _ in PUBLISHED]


resnet = cache(families.resnet)


@pytest.mark.parametrize(("options", "count"), PUBLISHED, ids=NAMES)
def test_a_resnet_has_the_published_number_of_parameters_and_torch_builds_as_many(options, count):
    network = resnet(**options)
    assert (network.parameter_count(), torchs_count(network)) == (count, count)


def torchs_count(network) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(network).parameters())


def projection(inputs: int, outputs: int) -> int:
    """Return the parameters of a shortcut that projects: a 1×1 convolution without bias, and its batch norm."""
    return inputs * outputs + 2 * outputs


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110, 1202])
def test_shortcuts_b_and_c_add_their_projections_to_a_cifar_resnet(depth):
    """He et al. 2015, section 4.1: B projects where widths change, C everywhere."""
    a, b, c = (resnet(depth, shortcut) for shortcut in ("pad", "project", "project-all"))
    blocks = (depth - 2) // 6
    wider = projection(16, 32) + projection(32, 64)
    equal = blocks * projection(16, 16) + (blocks - 1) * (projection(32, 32) + projection(64, 64))
    assert b.parameter_count() - a.parameter_count() == wider == 2_752
    assert c.parameter_count() - b.parameter_count() == equal
    if depth <= 110:
        assert [torchs_count(network) for network in (b, c)] == [b.parameter_count(), c.parameter_count()]


BASIC, BOTTLENECK = (64, 128, 256, 512), (256, 512, 1024, 2048)
"""Channels of the four stages of ImageNet's networks."""


@pytest.mark.parametrize(
    ("depth", "blocks", "widths"),
    [(18, (2, 2, 2, 2), BASIC), (34, (3, 4, 6, 3), BASIC), (50, (3, 4, 6, 3), BOTTLENECK), (152, (3, 8, 36, 3), BOTTLENECK)],
)
def test_shortcuts_a_and_c_of_an_imagenet_resnet_differ_from_b_by_their_projections(depth, blocks, widths):
    a, b, c = (resnet(depth, shortcut) for shortcut in ("pad", "project", "project-all"))
    wider = sum(projection(before, after) for before, after in zip((64, *widths), widths, strict=False) if before != after)
    equal = sum((count - 1) * projection(width, width) for count, width in zip(blocks, widths, strict=True))
    equal += projection(64, 64) if widths == BASIC else 0  # there the first block of the first stage widens nothing
    assert b.parameter_count() - a.parameter_count() == wider
    assert c.parameter_count() - b.parameter_count() == equal
    assert [torchs_count(network) for network in (a, c)] == [a.parameter_count(), c.parameter_count()]


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_an_imagenet_resnet_takes_a_step_on_small_images(depth):
    model = build(families.resnet(depth, layout="imagenet", input=(3, 32, 32)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.nn.functional.cross_entropy(model(x), torch.tensor([1, 2])).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    before = next(model.parameters()).clone()
    optimizer.step()
    assert not torch.equal(before, next(model.parameters()))
    assert model(x).isfinite().all()


@pytest.mark.parametrize(("options", "count"), PUBLISHED, ids=NAMES)
def test_the_plain_twin_of_every_published_resnet_has_the_same_layers_and_no_skip(options, count):
    """He et al. 2015, section 3.3: the twin of option A has as many parameters; of B it lacks the projections."""
    residual, plain = resnet(**options), families.resnet(**options, plain=True)
    assert plain.skips == ()
    assert plain.layers == residual.layers
    projected = [part for part in residual.shapes.skips if part.adapter.channels == "project"]
    assert plain.parameter_count() == count - sum(part.parameters for part in projected) == torchs_count(plain)
    assert (len(projected) == 0) == (options["depth"] in (20, 32, 44, 56, 110, 1202) and "shortcut" not in options)


@pytest.mark.parametrize(
    ("options", "layers"),
    [({"depth": 20}, 20), ({"depth": 110}, 110), ({"depth": 18}, 18), ({"depth": 152}, 152), ({"depth": 1001, "version": 2}, 1001)],
)
def test_the_depth_counts_the_layers_with_weights(options, layers):
    network = resnet(**options)
    assert sum(layer.op.kind == "conv" for layer in network.layers) + 1 == layers


def test_a_cifar_resnet_halves_the_image_twice_and_an_imagenet_one_five_times():
    assert [families.resnet(20).shapes.states[k] for k in (1, 10, 19, 28)] == [(16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8)]
    assert families.resnet(50).shapes.states[-1] == (2048, 7, 7)


def test_shortcuts_project_where_the_option_says():
    def projections(shortcut):
        return sum(shape.adapter.channels == "project" for shape in families.resnet(20, shortcut).shapes.skips)

    assert [projections(shortcut) for shortcut in ("pad", "project", "project-all")] == [0, 2, 9]
    assert [shape.adapter.label() for shape in families.resnet(20).shapes.skips].count("stride · pad") == 2


def test_resnet_1202_is_inferred_in_half_a_second():
    def seconds() -> float:
        began = time.process_time()
        assert families.resnet(1202).depth == 1 + 600 * 3
        return time.process_time() - began

    assert min(seconds() for _ in range(3)) < 0.5 * slowness()


def test_branches_are_scaled_where_the_skips_land():
    network = families.resnet(20, scale="rezero", norm="none")
    ends = {skip.target for skip in network.skips}
    assert {k for k, layer in enumerate(network.layers, start=1) if layer.scale_learned} == ends
    assert {network.layers[k - 1].scale for k in ends} == {0.0}
    assert {families.resnet(20, scale="root").layers[k - 1].scale for k in ends} == {round(1 / 3, 6)}
    assert not families.resnet(20, scale="root").layers[2].scale_learned
    assert families.resnet(20, scale="skipinit").layers[2].scale_learned


def test_a_stack_is_scaled_where_its_adds_land():
    network = families.mlp(depth=8, width=4, skip_every=2, scale=0.5, input=(4,))
    assert [layer.scale for layer in network.layers] == [None, 0.5] * 4


def test_resnet_110_on_digits_travels_in_a_short_link():
    network = families.resnet(110, input=(1, 8, 8))
    for skip in network.skips[::5]:
        network = edit.set_skip(network, skip.id, on=False)
    experiment = Experiment(variants={"resnet": network}, task=Task(name="digits"))
    text = link.encode(experiment)
    assert link.decode(text) == experiment
    assert len(text) < 2000


def test_resnet_1202_packs_and_unpacks():
    network = resnet(depth=1202)
    data = {"variants": {"a": network.model_dump(mode="json", exclude_defaults=True)}}
    assert packing.unpacked(packing.packed(data)) == data


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"depth": 21}, "6n + 2 layers, not 21"),
        ({"depth": 2}, "6n + 2 layers, not 2"),
        ({"depth": 165, "version": 2}, "9n + 2 layers"),
        ({"version": 3}, "version is one of 1, 2, not 3"),
        ({"shortcut": "teleport"}, "shortcut is one of pad, project, project-all"),
        ({"depth": 19, "layout": "imagenet"}, "one of 18, 34, 50, 101, 152, 200"),
        ({"depth": 6002}, "at most 2,500 layers"),
        ({"widths": (16, 32)}, "3 stages and 2 widths"),
        ({"widths": (32, 16, 8), "shortcut": "pad"}, "padding only adds channels"),
        ({"input": (64,)}, "the input is an image"),
        ({"init": "fixup"}, "Fixup takes the place of norms"),
        ({"init": "lucky"}, "initialisation is one of he, fixup"),
        ({"scale": "magic"}, "branch scale is one of root, skipinit, rezero"),
        ({"head": Head(kind="positions")}, "needs a sequence"),
    ],
)
def test_what_is_no_resnet_is_refused_in_words(options, words):
    with pytest.raises(NetworkError, match=r"^[^\n]+$") as caught:
        families.resnet(**options)
    assert words in str(caught.value)
