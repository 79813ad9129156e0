"""A lesson's link names groups of controls that its pages leave out; a QR code carries an address."""

import re

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from skipviz.sharing.code import MOST_BYTES, matrix
from skipviz.sharing.lesson import GROUPS, MAX_CHARACTERS, hidden_groups
from skipviz.web.content import bundle


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("", ()),
        ("picture,setup", ("setup", "picture")),
        (" Setup , ,setup,nosuch,<b>", ("setup",)),
        (["loss", "heatmap", 3], ("heatmap", "loss")),
        (None, ()),
        (7, ()),
    ],
)
def test_known_groups_are_read_in_their_own_order_and_others_left_out(text, groups):
    assert hidden_groups(text) == groups


@given(st.text(max_size=400) | st.lists(st.text(max_size=10)) | st.integers() | st.none())
def test_whatever_stands_there_names_known_groups_once_or_none(value):
    groups = hidden_groups(value)
    assert set(groups) <= set(GROUPS)
    assert len(set(groups)) == len(groups)


def test_all_groups_fit_into_what_is_read():
    text = ",".join(GROUPS)
    assert len(text) <= MAX_CHARACTERS
    assert hidden_groups(text) == tuple(GROUPS)


def test_every_group_has_a_rule_in_the_style_sheets():
    ruled = set(re.findall(r'data-sv-hide~="(\w+)"', bundle.style()))
    assert ruled == set(GROUPS)


def test_a_code_is_what_segno_makes_of_the_same_address():
    address = "https://lab.example/lab?follow=abc&hide=setup,picture"
    rows = matrix(address)
    again = segno.make(address, error="m", micro=False, boost_error=False)
    assert [[int(module) for module in row] for row in rows] == [[int(bool(module)) for module in row] for row in again.matrix]
    assert len({len(row) for row in rows} | {len(rows)}) == 1


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", "lab?x=1", "https://lab.example/?x=" + "a" * MOST_BYTES])
def test_what_is_no_address_or_too_long_has_no_code(address):
    assert matrix(address) is None
