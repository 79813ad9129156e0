"""What theory predicts of the gradient a layer, against the numbers of the papers; and where it says why it predicts nothing."""

from math import e, exp, pi, sqrt

import pytest

from skipviz import Skip, edit, families
from skipviz.evidence.theory import predicted

BRANCH = {"skip_every": 1, "order": "norm-act-op"}


def stack(depth=30, **options):
    return families.mlp(depth=depth, width=64, input=(64,), **options)


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({"init": "he"}, 1),
        ({"init": "glorot"}, sqrt(1 / 2)),
        ({}, sqrt(1 / 6)),
        ({"norm": "batch", "init": "he"}, sqrt(pi / (pi - 1))),
        ({"norm": "batch", "init": "glorot"}, sqrt(pi / (pi - 1))),
        ({**BRANCH, "init": "he"}, sqrt(2)),
        (BRANCH, sqrt(7 / 6)),
        ({"activation": "none", "init": "normal"}, 1),
    ],
)
def test_the_factor_a_layer_is_the_published_one(options, factor):
    found = predicted(stack(**options))
    assert found.reason == ""
    assert found.factor() == pytest.approx(factor, rel=1e-9)
    assert found.gradients[0] is None
    assert found.gradients[3] / found.gradients[4] == pytest.approx(factor)


def test_sigmoids_are_at_most_a_quarter_a_layer():
    assert 0.21 < predicted(stack(activation="sigmoid", init="normal")).factor() < 0.25


def test_branches_scaled_by_the_root_of_their_number_let_it_grow_by_the_root_of_e_in_all():
    assert predicted(stack(300, **BRANCH, init="he", scale="root")).gradients[1] == pytest.approx(sqrt(e), rel=0.01)


def test_batch_norm_in_branches_lets_it_grow_like_a_power_of_depth():
    ends = [predicted(stack(depth, **BRANCH, norm="batch")).gradients[1] ** 2 for depth in (100, 200, 400)]
    assert 2.5 < ends[1] / ends[0] < ends[2] / ends[1] < 2 ** (pi / (pi - 1))


def test_three_hundred_sigmoids_are_no_zero():
    assert 0 < predicted(stack(300, activation="sigmoid", init="normal")).gradients[1] < exp(-400)


def test_a_shut_valve_on_a_layer_leaves_what_the_skip_brings():
    network = edit.set_layer(stack(4, **BRANCH, init="he"), "f3", gain=0.0)
    assert predicted(network).gradients[1:] == pytest.approx((2, sqrt(2), sqrt(2), 1))


def test_a_skip_that_is_off_is_none_and_a_strength_is_a_factor():
    network = stack(3, **BRANCH, init="he")
    assert predicted(edit.switch_all(network, False)).gradients[1:] == pytest.approx((1, 1, 1))
    half = edit.set_skip(network, network.skips[-1].id, strength=0.5)
    assert predicted(half).gradients[2] == pytest.approx(sqrt(1.25))


OVERLAPPING = edit.add_skip(stack(6, order="norm-act-op"), 1, 4)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (families.unet(2, 8, input=(1, 16, 16), padded=True), "linear layers"),
        (stack(activation="tanh"), "not of tanh"),
        (stack(norm="layer"), "batch norm everywhere"),
        (stack(init="zero"), "independent weights"),
        (stack(skip_every=1), "mean that is not 0"),
        (stack(merge="concat", pattern="dense"), "is a concat"),
        (edit.changed(OVERLAPPING, skips=(*OVERLAPPING.skips, Skip(id="other", source=3, target=6))), "overlaps another"),
        (edit.set_layer(stack(**BRANCH), "f4", on=False), "it is off"),
        (stack(1), "but one layer"),
    ],
)
def test_where_it_predicts_nothing_it_says_why(network, said):
    found = predicted(network)
    assert said in found.reason
    assert found.reason.endswith(".")
    assert found.gradients == ()
