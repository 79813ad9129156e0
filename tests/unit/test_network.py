"""Shapes and parameter counts follow from the description alone, and an impossible network is refused with a sentence."""

import pytest
from hypothesis import given
from networks import networks
from pydantic import ValidationError

from skipviz import Adapter, Convolution, Head, Identity, Layer, Linear, Network, NetworkError, Pool, Skip, Upsampling
from skipviz.network.base import is_image, sentence
from skipviz.network.norm.group import group_count
from skipviz.network.positions import stride_between
from skipviz.network.shapes import landing_shape


def network(*ops, input=(2,), skips=(), head=None) -> Network:
    try:
        return Network(input=input, layers=[Layer(op=op) for op in ops], skips=skips, head=head or Head())
    except ValidationError as error:
        raise NetworkError(sentence(error)) from None


def basic_block(width: int, inputs: int, shortcut: str) -> tuple[list[Layer], list[Skip]]:
    """He et al. 2015: two 3×3 convolutions without bias, batch norm after each, ReLU after the sum."""
    stride = 1 if inputs == width else 2
    first = Layer(op=Convolution(width=width, stride=stride, bias=False), norm="batch", activation="relu")
    second = Layer(op=Convolution(width=width, bias=False), norm="batch")
    adapter = Adapter(channels=shortcut, bias=False, norm="batch") if stride == 2 else Adapter()
    return [first, second, Layer(op=Identity(), activation="relu")], [Skip(source=0, target=2, adapter=adapter)]


def resnet(depth: int, shortcut: str) -> Network:
    layers = [Layer(op=Convolution(width=16, bias=False), norm="batch", activation="relu")]
    skips, inputs = [], 16
    for width in (16, 32, 64):
        for _ in range((depth - 2) // 6):
            block, over = basic_block(width, inputs, shortcut)
            skips += [skip.replaced(source=len(layers), target=len(layers) + skip.target) for skip in over]
            layers += block
            inputs = width
    return Network(input=(3, 32, 32), layers=layers, skips=skips, head=Head(outputs=10))


@pytest.mark.parametrize(
    ("depth", "shortcut", "count"),
    [(20, "pad", 269_722), (32, "pad", 464_154), (56, "pad", 853_018), (110, "pad", 1_727_962), (20, "project", 272_474)],
)
def test_a_cifar_resnet_has_the_published_number_of_parameters(depth, shortcut, count):
    assert resnet(depth, shortcut).parameter_count() == count


def test_unet_has_the_published_number_of_parameters_and_output():
    """Ronneberger et al. 2015, figure 1: valid convolutions, crops, 572² in and 388² out."""
    layers, skips, ends = [], [], []
    for width in (64, 128, 256, 512):
        layers += [Layer(op=Convolution(width=width, padding=0), activation="relu")] * 2
        ends.append(len(layers))
        layers.append(Layer(op=Pool()))
    layers += [Layer(op=Convolution(width=1024, padding=0), activation="relu")] * 2
    for width, end in zip((512, 256, 128, 64), reversed(ends), strict=True):
        layers.append(Layer(op=Upsampling(width=width, mode="transposed", kernel=2)))
        skips.append(Skip(source=end, target=len(layers), merge="concat"))
        layers += [Layer(op=Convolution(width=width, padding=0), activation="relu")] * 2
    unet = Network(input=(1, 572, 572), layers=layers, skips=skips, head=Head(kind="pixels", outputs=2))
    assert unet.parameter_count() == 31_030_658
    assert unet.shapes.output == (2, 388, 388)
    assert {skip.adapter.spatial for skip in unet.shapes.skips} == {"crop"}


@pytest.mark.parametrize(
    ("op", "before", "after", "parameters"),
    [
        (Linear(width=64), (2,), (64,), 192),
        (Linear(width=64, bias=False), (2,), (64,), 128),
        (Linear(width=10), (3, 4, 4), (10,), 490),
        (Linear(width=10), (5, 8), (5, 10), 90),
        (Convolution(width=16), (1, 8, 8), (16, 8, 8), 160),
        (Convolution(width=16, stride=2), (3, 7, 8), (16, 4, 4), 448),
        (Convolution(width=4, kernel=5, padding=0, bias=False), (2, 9, 9), (4, 5, 5), 200),
        (Convolution(width=6, groups=2), (4, 9, 9), (6, 9, 9), 2 * 6 * 9 + 6),
        (Convolution(width=8, groups=4, stride=2, bias=False), (4, 8, 8), (8, 4, 4), 8 * 9),
        (Convolution(width=4, dilation=3), (2, 9, 9), (4, 9, 9), 76),
        (Convolution(width=4, dilation=3, padding=0), (2, 9, 9), (4, 3, 3), 76),
        (Upsampling(width=3), (2, 4, 5), (3, 8, 10), 57),
        (Upsampling(width=3, mode="transposed", kernel=4), (2, 4, 5), (3, 8, 10), 99),
        (Upsampling(width=3, mode="bilinear", kernel=1, factor=16), (2, 4, 5), (3, 64, 80), 9),
        (Pool(), (6, 8, 9), (6, 4, 4), 0),
        (Pool(kernel=3, stride=2, padding=1), (64, 112, 112), (64, 56, 56), 0),
        (Identity(), (7,), (7,), 0),
    ],
    ids=lambda value: value.label() if hasattr(value, "label") else None,
)
def test_an_operation_gives_the_known_shape_and_count(op, before, after, parameters):
    assert op.output_shape(before) == after
    assert op.parameter_count(before) == parameters


def test_a_norm_after_the_operation_is_as_wide_as_its_output_and_before_it_as_its_input():
    after = Layer(op=Linear(width=64), norm="batch")
    before = after.replaced(order="norm-act-op")
    assert after.parameter_count((2,)) == 192 + 128
    assert before.parameter_count((2,)) == 192 + 4


def test_a_learned_branch_scale_is_one_parameter():
    assert Layer(op=Identity(), scale=0.0, scale_learned=True).parameter_count((5,)) == 1
    assert Layer(op=Identity(), scale=0.5).parameter_count((5,)) == 0
    each = Layer(op=Identity(), scale=0.1, scale_learned=True, scale_per="channel")
    assert [each.parameter_count(shape) for shape in ((5,), (3, 4, 4), (7, 6))] == [5, 3, 6]
    with pytest.raises(ValueError, match="only a learned branch scale has a number for each channel"):
        Layer(op=Identity(), scale=0.5, scale_per="channel")


def test_a_concat_widens_what_the_next_layer_reads_and_not_the_state():
    made = network(*[Linear(width=8)] * 3, skips=[Skip(source=1, target=2, merge="concat")])
    assert made.shapes.states == ((2,), (8,), (8,), (8,))
    assert [layer.input for layer in made.shapes.layers] == [(2,), (8,), (16,)]
    assert made.shapes.layers[2].parameters == 16 * 8 + 8


def test_a_concat_at_the_last_state_is_read_by_the_head():
    made = network(*[Linear(width=8)] * 2, skips=[Skip(source=0, target=2, merge="concat")])
    assert made.shapes.head_input == (10,)
    assert made.shapes.head_parameters == 10 * 2 + 2


def test_a_concat_may_project_to_a_width():
    skip = Skip(source=1, target=2, merge="concat", adapter=Adapter(width=3))
    made = network(*[Linear(width=8)] * 3, skips=[skip])
    assert made.shapes.skips[0].carried == (3,)
    assert made.shapes.skips[0].parameters == 8 * 3 + 3
    assert made.shapes.layers[2].input == (11,)


def test_a_gate_has_a_weight_and_a_bias_for_every_channel():
    made = network(*[Linear(width=8)] * 3, skips=[Skip(source=1, target=3, merge="gate")])
    assert made.shapes.skips[0].parameters == 8 * 8 + 8


def test_switching_a_skip_off_changes_no_shape_and_no_count():
    on = network(*[Linear(width=8)] * 3, skips=[Skip(source=1, target=2, merge="concat"), Skip(source=0, target=3)])
    off = on.replaced(skips=tuple(skip.replaced(on=False) for skip in on.skips))
    assert off.shapes == on.shapes


@pytest.mark.parametrize(
    ("source", "target", "spatial", "channels"),
    [
        ((16,), (16,), "none", "none"),
        ((2,), (16,), "none", "project"),
        ((16, 32, 32), (32, 16, 16), "stride", "project"),
        ((16, 7, 7), (16, 4, 4), "stride", "none"),
        ((16, 8, 4), (16, 4, 4), "crop", "none"),
        ((16, 64, 64), (16, 56, 56), "crop", "none"),
        ((16, 8, 8), (16, 32, 32), "resize", "none"),
        ((5, 8), (5, 8), "none", "none"),
    ],
)
def test_the_adapter_of_an_add_is_chosen_from_the_shapes(source, target, spatial, channels):
    shape = landing_shape(Skip(source=0, target=1), source, target, beside=False)
    assert (shape.adapter.spatial, shape.adapter.channels) == (spatial, channels)
    assert shape.carried == target


@pytest.mark.parametrize(
    ("source", "target", "stride"), [((8, 8), (4, 4), 2), ((7, 7), (4, 4), 2), ((5, 5), (3, 3), 2), ((8, 4), (4, 4), None)]
)
def test_a_stride_keeps_every_so_manieth_position(source, target, stride):
    assert stride_between(source, target) == stride
    if stride:
        assert tuple(len(range(0, side, stride)) for side in source) == target


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: network(), "layers: "),
        (lambda: network(*[Linear(width=8)] * 3, skips=[Skip(source=3, target=1)]), "would go back; start from h(1)"),
        (lambda: network(*[Linear(width=8)] * 3, skips=[Skip(source=2, target=2)]), "h(2) → h(2) would go nowhere"),
        (lambda: network(Linear(width=8), skips=[Skip(source=0, target=2)]), "there is no state h(2): the last is h(1)"),
        (
            lambda: network(*[Linear(width=8)] * 3, skips=[Skip(source=1, target=3), Skip(source=1, target=3, merge="concat")]),
            "there is a skip h(1) → h(3) already",
        ),
        (
            lambda: network(
                *[Linear(width=8)] * 3, skips=[Skip(source=1, target=3, merge="gate"), Skip(source=2, target=3, merge="gate")]
            ),
            "h(3) has a gate already",
        ),
        (
            lambda: network(*[Linear(width=8)] * 3, skips=[Skip(source=1, target=3, merge="gate"), Skip(source=2, target=3)]),
            "a gate and an add cannot both land at h(3)",
        ),
        (
            lambda: network(Convolution(width=8), Linear(width=8), input=(1, 8, 8), skips=[Skip(source=1, target=2)]),
            "h(1) has shape 8×8×8 and h(2) 8: no adapter joins them",
        ),
        (
            lambda: network(Linear(width=8), skips=[Skip(source=0, target=1, adapter=Adapter(channels="none"))]),
            "add needs equal channels: h(0) has 2, h(1) 8; choose pad or project",
        ),
        (
            lambda: network(Linear(width=1), skips=[Skip(source=0, target=1, adapter=Adapter(channels="pad"))]),
            "padding only adds channels: h(0) has 2, h(1) 1",
        ),
        (
            lambda: network(Pool(), input=(1, 8, 8), skips=[Skip(source=0, target=1, adapter=Adapter(spatial="none"))]),
            "h(0) has 8×8 and h(1) 4×4 positions: choose stride, crop, pad, a pool or resize",
        ),
        (
            lambda: network(
                Convolution(width=1, padding=0),
                input=(1, 8, 8),
                skips=[Skip(source=0, target=1, adapter=Adapter(spatial="stride"))],
            ),
            "no stride takes one to the other: h(0) has 8×8 and h(1) 6×6 positions",
        ),
        (
            lambda: network(
                Upsampling(width=1), input=(1, 8, 8), skips=[Skip(source=0, target=1, adapter=Adapter(spatial="crop"))]
            ),
            "nothing can be cropped",
        ),
        (lambda: network(Convolution(width=8)), "f(1): a conv layer needs an image or a volume, not 2 features"),
        (lambda: network(Linear(width=4), Pool()), "f(2): a pool layer needs an image or a volume, not 4 features"),
        (
            lambda: network(Convolution(width=8, kernel=5, padding=0), input=(1, 4, 4)),
            "f(1): a 5×5 convolution does not fit into 4×4 pixels",
        ),
        (
            lambda: network(Convolution(width=8, dilation=3, padding=0), input=(1, 6, 6)),
            "f(1): a 3×3 convolution, dilated by 3, does not fit into 6×6 pixels",
        ),
        (
            lambda: network(Convolution(width=8, groups=4), input=(6, 4, 4)),
            "f(1): 4 groups need channels that they divide, not 6 in and 8 out",
        ),
        (lambda: network(Pool(kernel=4), input=(1, 3, 3)), "f(1): a 4×4 pool does not fit into 3×3 pixels"),
        (lambda: network(Pool(padding=2), input=(1, 8, 8)), "a pool's padding is at most half its kernel"),
        (
            lambda: network(Upsampling(width=2, mode="transposed", factor=4), input=(1, 8, 8)),
            "a transposed convolution by 4 needs a kernel of at least 4",
        ),
        (
            lambda: network(Upsampling(width=2, kernel=64, padding=0), input=(1, 8, 8)),
            "up-scaling leaves nothing of 8×8 pixels",
        ),
        (lambda: network(Linear(width=8), head=Head(kind="pixels")), "head: a head for pixels needs an image"),
        (lambda: network(Linear(width=8), head=Head(kind="positions")), "head: a head for positions needs a sequence"),
        (lambda: network(*[Linear(width=4096)] * 30), "parameters are over the limit of 400,000,000"),
        (
            lambda: network(*[Upsampling(width=8, factor=32)] * 3, input=(1, 8, 8)),
            "elements a sample are over the limit of 120,000,000",
        ),
        (lambda: network(Linear(width=8), input=(0,)), "every input size is between 1 and 65,536"),
        (lambda: network(*[Linear(width=1)] * 2501), "layers: "),
    ],
)
def test_an_impossible_network_is_refused_with_its_sentence(make, words):
    with pytest.raises(NetworkError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_parts_with_one_id_are_refused():
    with pytest.raises(ValidationError, match="two layers have the same id"):
        Network(layers=[Layer(id="a", op=Linear(width=2))] * 2)
    with pytest.raises(ValidationError, match="two skips have the same id"):
        Network(layers=[Layer(op=Linear(width=2))] * 2, skips=[Skip(id="a", source=0, target=1), Skip(id="a", source=0, target=2)])


def test_an_id_that_grew_too_long_is_refused():
    layer = Layer(op=Linear(width=2)).model_copy(update={"id": "f" * 33})
    with pytest.raises(ValidationError, match="at most 32 characters"):
        Network(layers=[layer])


def test_a_learned_scale_without_a_start_is_refused():
    with pytest.raises(ValueError, match="a learned branch scale needs its starting value"):
        Layer(op=Identity(), scale_learned=True)


def test_parts_without_an_id_take_the_first_free_one():
    layers = [Layer(op=Identity()), Layer(id="f1", op=Identity()), Layer(op=Identity())]
    assert [layer.id for layer in Network(layers=layers).layers] == ["f2", "f1", "f3"]


def test_a_part_that_is_not_there_is_named():
    made = network(Linear(width=8))
    with pytest.raises(NetworkError, match="there is no layer f9"):
        made.layer("f9")
    with pytest.raises(NetworkError, match="there is no skip s9"):
        made.skip("s9")


def test_a_network_cannot_be_changed_in_place():
    with pytest.raises(ValidationError):
        network(Linear(width=8)).head = Head(outputs=3)


@pytest.mark.parametrize(("features", "groups"), [(64, 8), (12, 6), (7, 7), (13, 1), (1, 1)])
def test_groups_divide_the_channels(features, groups):
    assert group_count(features) == groups


@given(networks())
def test_every_part_of_a_random_network_has_a_shape_and_the_counts_add_up(made):
    shapes = made.shapes
    assert len(shapes.states) == made.depth + 1
    assert [layer.output for layer in shapes.layers] == list(shapes.states[1:])
    total = sum(part.parameters for part in (*shapes.layers, *shapes.skips)) + shapes.head_parameters
    assert made.parameter_count() == total
    assert not any(is_image(state) for state in shapes.states)
    for skip, shape in zip(made.skips, shapes.skips, strict=True):
        assert "auto" not in (shape.adapter.spatial, shape.adapter.channels)
        if skip.merge != "concat":
            assert shape.carried == shapes.states[skip.target]


def test_a_fifth_dimension_is_refused_in_plain_words():
    with pytest.raises(ValidationError) as refused:
        Network.model_validate({"input": (2, 3, 4, 5, 6), "layers": [{"op": {"kind": "linear"}}]})
    assert sentence(refused.value) == "input: 5 values, and it takes at most 4"
