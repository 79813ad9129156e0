"""The twin of a network: what it shares with it and what it lacks, and that it trains beside it on the same batches."""

import pytest

from skipviz import edit, families, link, train
from skipviz.tasks import presets
from skipviz.tasks.presets import MOST_REPEATS
from skipviz.tasks.twin import TWIN, twin_of, with_twin
from skipviz.web.content.file_names import stem

PANELS = tuple(MOST_REPEATS)


def quick(panel: str, steps: int = 2):
    experiment = presets.figure(panel)
    return experiment.replaced(training=experiment.training.replaced(steps=steps, record_every=1))


@pytest.mark.parametrize("panel", PANELS)
def test_a_twin_has_every_skip_off_and_else_what_its_network_has(panel):
    network = presets.figure(panel).network
    twin = twin_of(network)
    assert [skip.on for skip in twin.skips] == [False] * len(network.skips)
    assert [layer.id for layer in twin.layers] == [layer.id for layer in network.layers]
    assert twin.parameter_count() == network.parameter_count()
    assert twin_of(twin) == twin


def test_a_fixed_branch_scale_goes_with_the_skips_and_a_learned_one_stays():
    fixed, learned = (families.mlp(depth=4, width=8, skip_every=2, scale=scale) for scale in ("root", "skipinit"))
    assert {layer.scale for layer in twin_of(fixed).layers} == {None}
    assert [layer.scale for layer in twin_of(learned).layers] == [layer.scale for layer in learned.layers]


def test_what_is_shut_or_off_in_a_network_is_so_in_its_twin():
    network = edit.set_layers(presets.figure("left").network, ["f5"], gain=0.0)
    assert twin_of(network).layer("f5").gain == 0


@pytest.mark.parametrize("panel", PANELS)
def test_a_twin_trains_beside_its_network_on_the_same_batches_and_changes_nothing_of_it(panel):
    alone, both = (list(train(experiment)) for experiment in (quick(panel), with_twin(quick(panel))))
    without = list(train(quick(panel).replaced(variants={TWIN: twin_of(presets.figure(panel).network)})))
    for one, pair, other in zip(alone, both, without, strict=True):
        assert list(pair.variants) == [panel, TWIN]
        assert pair.variants[panel] == one.variants[panel]
        assert pair.variants[TWIN] == other.variants[TWIN]
        assert pair.variants[TWIN].skip_grad == [0.0] * len(pair.variants[TWIN].skip_grad)


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_with_its_twin_goes_into_a_link_and_its_files_are_called_as_the_panel(panel):
    most = with_twin(presets.figure(panel, MOST_REPEATS[panel]))
    assert link.decode(link.encode(most)) == most
    opening = presets.get(f"figure-4-9-{panel}")
    assert stem(with_twin(opening)) == stem(opening) == f"skipviz-figure-4-9-{panel}"
    assert with_twin(with_twin(opening)) == with_twin(opening)
