"""U-Net has the published layers, sizes and parameters, and every part of it can be chosen."""

import pytest
import torch
from torch import nn

from skipviz import Experiment, Network, NetworkError, Task, Training, edit, families, link, train
from skipviz.learning.build import build
from skipviz.learning.loss.mask import mask_loss
from skipviz.learning.recording import Recording


def pairs(network) -> list[tuple[int, int]]:
    return [(skip.source, skip.target) for skip in network.skips]


def test_the_default_is_the_network_of_2015():
    """Ronneberger et al. 2015, figure 1: 572² in, 388² out, 28² at the bottom, crops at every scale."""
    network = families.unet()
    assert network.parameter_count() == 31_030_658
    assert network.shapes.output == (2, 388, 388)
    assert min(state[1] for state in network.shapes.states) == 28
    assert [shape.carried for shape in network.shapes.skips] == [(512, 56, 56), (256, 104, 104), (128, 200, 200), (64, 392, 392)]
    assert {shape.adapter.spatial for shape in network.shapes.skips} == {"crop"}
    assert (
        sum(layer.op.kind == "conv" for layer in network.layers) + sum(layer.op.kind == "up" for layer in network.layers) + 1 == 23
    )


def test_torch_builds_as_many_parameters():
    with torch.device("meta"):
        assert sum(p.numel() for p in build(families.unet()).parameters()) == 31_030_658


def test_the_loss_of_the_published_sizes_is_that_of_the_targets_central_388_pixels():
    model, source = build(families.unet(width=1, head=1)), torch.Generator().manual_seed(0)
    image, target = (torch.rand(1, 1, 572, 572, generator=source) for _ in range(2))
    with torch.no_grad():
        outputs = model(image)
    assert outputs.shape == (1, 1, 388, 388)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(outputs, target[:, :, 92:480, 92:480])
    assert torch.equal(mask_loss(outputs, target), expected)


def test_the_padded_one_keeps_the_images_size_and_the_parameters():
    network = families.unet(padded=True)
    assert network.shapes.output == (2, 256, 256)
    assert network.parameter_count() == 31_030_658
    assert {shape.adapter.spatial for shape in network.shapes.skips} == {"none"}


@pytest.mark.parametrize("more", [{}, {"up": "bilinear"}, {"long": False}, {"merge": "add"}, {"gates": True}, {"nested": True}])
def test_the_padded_one_keeps_sizes_that_do_not_divide_unless_its_skips_are_cropped(more):
    fields = {"depth": 3, "width": 2, "padded": True, "input": (1, 37, 50), **more}
    assert families.unet(**fields).shapes.output == (2, 37, 50)
    if not more.keys() & {"gates", "nested", "long"}:
        cropped = families.unet(**fields, uneven="crop")
        assert cropped.shapes.output == (2, 32, 48)
        assert {shape.adapter.spatial for shape in cropped.shapes.skips} == {"crop"}


@pytest.mark.parametrize("uneven", ["pad", "crop"])
def test_a_link_and_json_carry_what_is_done_where_sizes_do_not_divide(uneven):
    network = families.unet(depth=3, width=2, padded=True, uneven=uneven, input=(1, 36, 36), head=1)
    made = Experiment(variants={"net": network}, task=Task(name="shapes", image_size=36))
    assert link.decode(link.encode(made)) == made
    assert Network.kept(network.model_dump_json()) == network
    (frame,) = train(made.replaced(training=Training(steps=1, record_every=1, batch_size=4)))
    assert frame.variants["net"].loss > 0


def test_sizes_that_divide_give_the_same_network_padded_up_or_cropped():
    up, cropped = (families.unet(depth=3, width=2, padded=True, input=(1, 32, 40), uneven=way) for way in ("pad", "crop"))
    assert up == cropped


def test_long_skips_join_equal_scales_the_innermost_first():
    network = families.unet(depth=2, width=4, padded=True, input=(1, 16, 16))
    assert pairs(network) == [(5, 9), (2, 12)]
    assert all(network.shapes.states[i] == network.shapes.states[j] for i, j in pairs(network))
    assert {skip.merge for skip in network.skips} == {"concat"}


def test_long_skips_may_add_and_then_the_readers_are_as_narrow_as_without_them():
    adding = families.unet(depth=2, width=4, merge="add", padded=True, input=(1, 16, 16))
    bare = families.unet(depth=2, width=4, long=False, padded=True, input=(1, 16, 16))
    assert pairs(adding) == [(5, 9), (2, 12)]
    assert bare.skips == ()
    assert adding.parameter_count() == bare.parameter_count()
    assert adding.shapes.layers == bare.shapes.layers


def test_short_skips_pass_as_many_convolutions_as_asked_and_project_where_widths_differ():
    network = families.unet(depth=1, width=4, convolutions=6, short_every=3, padded=True, input=(1, 16, 16), long=False)
    assert pairs(network) == [(0, 3), (3, 6), (7, 10), (10, 13), (14, 17), (17, 20)]
    projected = [shape.adapter.channels == "project" for shape in network.shapes.skips]
    assert projected == [True, False, True, False, False, False]


def test_short_skips_of_the_valid_network_are_cropped():
    network = families.unet(depth=1, width=4, short_every=2, input=(1, 20, 20))
    assert network.shapes.output == (2, 4, 4)
    assert {shape.adapter.spatial for shape in network.shapes.skips} == {"crop"}


@pytest.mark.parametrize("up", ["transposed", "bilinear"])
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_every_choice_of_norm_and_up_sampling_runs(up, norm):
    network = families.unet(depth=2, width=4, up=up, norm=norm, short_every=1, padded=True, input=(1, 18, 22), head=3)
    outputs = build(network)(torch.randn(2, 1, 18, 22))
    assert outputs.shape == (2, 3, 18, 22)
    outputs.sum().backward()


def test_each_scales_skip_toggles_alone():
    network = families.unet(depth=3, width=2, padded=True, input=(1, 16, 16))
    for skip in network.skips:
        toggled = edit.set_skip(network, skip.id, on=False)
        assert toggled.shapes == network.shapes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"depth": 0}, "depth is between 1 and 8, not 0"),
        ({"width": 4096}, "widest scale's number of channels"),
        ({"up": "magic"}, "up-sampling is one of transposed, bilinear"),
        ({"merge": "gate"}, "merge of long skips is one of concat, add"),
        ({"uneven": "magic"}, "what is done where sizes do not divide is one of pad, crop"),
        ({"short_every": 3}, "under a short skip is between 0 and 2"),
        ({"input": (1, 100, 100)}, "does not fit into"),
        ({"input": (64,)}, "the input is an image"),
    ],
)
def test_what_is_no_unet_is_refused_in_words(options, words):
    with pytest.raises(NetworkError) as caught:
        families.unet(**options)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["shapes", "membranes"])
def test_a_u_net_takes_a_step_on_pictures_of_256_pixels(name):
    network = families.unet(4, 4, padded=True, norm="batch", input=(1, 256, 256), head=1)
    task = Task(name=name, image_size=256, samples=40)
    training = Training(batch_size=4, steps=1, record_every=1)
    (frame,) = train(Experiment(variants={"net": network}, task=task, training=training))
    measured = frame.variants["net"]
    assert not measured.nonfinite
    assert 0 < measured.loss < 2
    assert all(value is None or value > 0 for value in (*measured.weight_grad, *measured.update_ratio))


def test_a_unet_on_a_resnet_34_has_the_parameters_of_the_usual_one_and_its_equations():
    """24,436,369: segmentation_models_pytorch's Unet("resnet34") of one class."""
    assert families.resnet_unet().parameter_count() == 24_436_369
    small = families.resnet_unet(18, 4, (8, 6, 5, 4, 3), input=(2, 32, 64), classes=2)
    assert small.shapes.output == (2, 32, 64)
    assert sum(skip.joins for skip in small.skips) == 4
    model = build(small).eval()
    x = torch.randn(2, 2, 32, 64)
    encoder = families.resnet(18, layout="imagenet", widths=(4, 8, 16, 32), input=(2, 32, 64), head=2)
    model(x, recording=(recording := Recording()))
    ends = {tuple(shape[1:]): k for k, shape in enumerate(encoder.shapes.states) if k}
    h = recording.states[encoder.depth]
    layers = list(model.layers)[encoder.depth :]
    while len(layers) > 1:
        _, one, two, *layers = layers
        h = nn.functional.interpolate(h, scale_factor=2)
        joined = ends.get(tuple(h.shape[2:]))
        h = two(one(h if joined is None else torch.cat([h, recording.states[joined]], 1)))
    assert torch.allclose(layers[0](h), model(x), atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"decoder": (1, 2)}, "this decoder has 5 widths, and 2 are given"),
        ({"input": (3, 30, 32)}, "divide by 32, and 30×32 do not"),
    ],
)
def test_a_unet_on_a_resnet_that_cannot_be_is_refused(fields, said):
    with pytest.raises(NetworkError, match=said):
        families.resnet_unet(**fields)
