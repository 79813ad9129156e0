"""Every claim of the evidence room falls in its band at its usual size, or at a smaller one where that is slow."""

import pytest

from skipviz.evidence.claim import as_frame
from skipviz.evidence.claims import CLAIMS

pytestmark = pytest.mark.science
SMALLER = {
    "composite_gain": {"steps": 30},
    "degradation": {"seeds": 1},
    "denseformer": {"steps": 80},
    "lazy_unet": {"release": 40},
    "shattering": {"seeds": 3},
    "warm_up": {"steps": 70},
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_claim_measures_falls_in_its_band(name):
    claim = CLAIMS[name]
    shares, rows = zip(*claim.rows(**SMALLER.get(name, {})), strict=True)
    assert list(shares) == sorted(shares)
    assert shares[-1] == 1
    rows = [row for row in rows if row]
    assert all({"x", "series", "measured"} <= row.keys() for row in rows)
    verdict = claim.verdict(as_frame(rows))
    assert verdict.holds, verdict.sentence
