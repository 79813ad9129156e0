"""The lab says how large an output is that is not as large as its image, and which next sizes halve without a pixel left over."""

import pytest

from skipviz import families
from skipviz.tasks.forms.output_size import output_words

FIT = {
    "crop": ({"padded": True, "uneven": "crop", "input": (1, 37, 50)}, "32×48", "; next sizes that fit: 32×48 and 40×56."),
    "one side fits": ({"padded": True, "uneven": "crop", "input": (1, 40, 50)}, "40×48", "; next sizes that fit: 40×48 and 40×56."),
    "valid": ({"input": (1, 101, 101)}, "12×12", "; next sizes that fit: 100×100 and 108×108."),
    "the smallest valid": ({"input": (1, 93, 100)}, "4×12", "; next sizes that fit: 92×100 and 100×100."),
    "valid and fitting": ({"input": (1, 100, 100)}, "12×12", "."),
}


@pytest.mark.parametrize("kind", FIT)
def test_an_outputs_size_is_said_where_it_is_not_the_images_with_sizes_that_fit(kind):
    fields, output, more = FIT[kind]
    network = families.unet(depth=3, width=2, **fields)
    image = "×".join(map(str, fields["input"][1:]))
    assert output_words(network) == f"The output has {output} pixels and the image {image}{more}"


@pytest.mark.parametrize("side", [32, 40])
def test_a_size_that_fits_is_kept_by_padded_convolutions(side):
    network = families.unet(depth=3, width=2, padded=True, uneven="crop", input=(1, side, side))
    assert network.shapes.output[1:] == (side, side)
    assert output_words(network) == ""


@pytest.mark.parametrize(
    "network",
    [families.unet(depth=3, width=2, padded=True, input=(1, 37, 50)), families.resnet(8), families.mlp(3, 4)],
    ids=["padded up", "classes", "features"],
)
def test_nothing_is_said_of_outputs_that_are_as_large_or_no_image(network):
    assert output_words(network) == ""
