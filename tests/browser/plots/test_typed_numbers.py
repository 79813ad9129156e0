"""Numbers typed into a field of the page's script are read as the sidebar reads them."""

from __future__ import annotations

import pytest
from typed_numbers import TYPED

pytestmark = pytest.mark.browser

READ = """async (texts) => {
    const { typedNumber } = await import("/js/common/typed_number.js");
    return texts.map((text) => [typedNumber(text, true), typedNumber(text, false)]);
}"""


def test_the_pages_script_reads_numbers_as_the_sidebar_does(harness):
    read = harness.evaluate(READ, [text for text, *_ in TYPED])
    assert [tuple(both) for both in read] == [(whole, other) for _, whole, other in TYPED]
