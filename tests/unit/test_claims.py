"""What every claim of the evidence room says of itself, and how its controls are checked. What it measures: tests/science."""

from dataclasses import replace
from inspect import getdoc, signature

import pytest
import torch
from pydantic import Field

import skipviz
from skipviz import link
from skipviz.evidence.claim import Claim, ClaimError
from skipviz.evidence.claims import CLAIMS
from skipviz.network.base import Frozen

EVERY = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


@EVERY
def test_a_claim_says_who_when_where_and_what_is_expected(claim):
    assert claim.title.endswith(".")
    assert claim.band.rstrip(")").endswith(".")
    assert 1980 < claim.year < 2030
    assert all((claim.who, claim.paper, claim.read_next, claim.chart.x, claim.chart.y, getdoc(claim.measure)))
    assert (claim.chart.kind == "surface") == bool(claim.chart.z)


@EVERY
def test_a_claim_has_at_most_two_controls_each_with_bounds_or_choices_and_a_default(claim):
    fields = claim.controls.model_json_schema()["properties"].values()
    assert len(fields) <= 2
    for field in fields:
        assert ({"minimum", "maximum"} <= field.keys()) != ("enum" in field)
        assert field["default"] is not None
        assert field["description"]


@EVERY
def test_a_claim_is_a_public_function_with_its_controls_as_keywords(claim):
    function = getattr(skipviz.evidence, claim.name)
    defaults = {name: parameter.default for name, parameter in signature(function).parameters.items()}
    assert defaults == claim.checked()
    assert claim.title in getdoc(function)
    assert claim.name in dir(skipviz.evidence)


@EVERY
def test_what_a_claim_opens_in_the_lab_stands_in_a_link(claim):
    opened = claim.experiment(**claim.checked())
    assert link.decode(link.encode(opened)) == opened


@EVERY
def test_what_a_claim_expects_beforehand_is_no_measurement(claim):
    if claim.expected is not None:
        for row in claim.expected(**claim.checked()):
            assert {"x", "series"} <= row.keys()
            assert row.keys() & {"predicted", "low", "high"}
            assert "measured" not in row


class Controls(Frozen):
    depth: int = Field(3, ge=2, le=9, description="rows")


def counting(measured) -> Claim:
    """Return a claim whose rows `measured(depth)` yields."""
    return replace(CLAIMS["backward_bug"], controls=Controls, measure=measured)


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        ({"depth": 1}, "depth: "),
        ({"depth": 10}, "depth: "),
        ({"depth": "deep"}, "depth: "),
        ({"width": 3}, "width: there is no such"),
    ],
)
def test_controls_out_of_bounds_are_one_sentence_before_anything_is_measured(controls, said):
    def never(depth):
        raise AssertionError

    with pytest.raises(ClaimError, match=f"^{said}[^\n]+$"):
        counting(never).rows(**controls)


def test_rows_come_one_by_one_and_what_is_not_finite_is_none():
    claim = counting(
        lambda depth: ((k / depth, {"x": k, "measured": float("nan") if k == 2 else k / 2}) for k in range(1, depth + 1))
    )
    rows = claim.rows()
    assert next(rows) == (1 / 3, {"x": 1, "measured": 0.5})
    assert list(rows) == [(2 / 3, {"x": 2, "measured": None}), (1, {"x": 3, "measured": 1.5})]
    assert claim.frame(depth=2).x.tolist() == [1, 2]


def test_between_rows_torch_is_as_the_caller_has_it():
    def threads(depth):
        for k in range(depth):
            yield k / depth, {"x": k, "measured": torch.get_num_threads()}

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _, row in counting(threads).rows():
            assert row["measured"] == 1
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_there_is_no_claim_of_another_name():
    with pytest.raises(AttributeError, match="no attribute 'perpetual_motion'"):
        skipviz.evidence.perpetual_motion  # noqa: B018
