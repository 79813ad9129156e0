"""Every preset takes steps at its own size, with finite numbers, and does what its two sentences say."""

import claims_of_depth  # noqa: F401
import claims_of_scale  # noqa: F401
import pytest
from claims import CLAIMS
from preset_run import MOST_STEPS

from skipviz import presets

STEPS = 20
pytestmark = pytest.mark.usefixtures("as_in_a_worker")


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_takes_twenty_steps_and_does_what_its_sentences_say(name):
    preset = presets.preset(name)
    assert name in CLAIMS, "a preset's sentences are shown by a function in one of the files claims_of_…"
    assert CLAIMS[name].sentences == f"{preset.do} {preset.see}", "look again whether what shows these sentences still does"
    CLAIMS[name].shown()
    assert MOST_STEPS[name] >= STEPS


def test_every_claim_is_of_a_preset_and_every_preset_names_its_source():
    assert set(CLAIMS) == set(presets.names())
    for name in presets.names():
        preset = presets.preset(name)
        assert preset.do.endswith(".")
        assert preset.see.endswith(".")
        assert any(year.strip(",").isdigit() for year in preset.source.split()) or "Little Book" in preset.source


def test_the_published_architectures_are_there():
    wanted = """
        figure-4-9-left figure-4-9-center figure-4-9-right vanishing-plain vanishing-residual resnet-20-cifar resnet-56-cifar
        resnet-110-cifar plain-20-cifar plain-56-cifar unet-2015 unet-shapes unet-no-skips fcn-32s fcn-16s fcn-8s
        transformer-post-ln transformer-pre-ln transformer-no-residual densenet-bc highway-50 rezero-200
    """
    assert set(wanted.split()) <= set(presets.names())
