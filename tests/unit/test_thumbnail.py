"""The drawing on a card: boxes, trunk and red lines of any network."""

from xml.etree import ElementTree

import pytest

from skipviz.drawing.thumbnail import thumbnail
from skipviz.tasks import presets


@pytest.mark.parametrize("name", presets.names())
def test_a_network_with_skips_shows_some_within_the_picture(name):
    network = presets.get(name).network
    root = ElementTree.fromstring(thumbnail(network))
    lines = [path.get("d") for path in root.iter("{http://www.w3.org/2000/svg}path") if "skip" in path.get("class").split()]
    assert bool(lines) == bool(network.skips)
    width, height = (float(root.get(side)) for side in ("width", "height"))
    for line in lines:
        numbers = [float(part) for part in line.replace("M", " ").replace("L", " ").replace("H", " ").replace("V", " ").split()]
        assert min(numbers) >= 0
        assert max(numbers) <= max(width, height)
