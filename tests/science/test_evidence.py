"""Every claim of the evidence room falls in its band at its usual size."""

import pytest

from skipviz.evidence.claim import as_frame
from skipviz.evidence.claims import CLAIMS

pytestmark = pytest.mark.science


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claims_usual_run_falls_in_its_band(name):
    claim = CLAIMS[name]
    found = list(claim.rows())
    shares = [done for done, _ in found]
    assert shares == sorted(shares)
    assert (shares[0] > 0, shares[-1]) == (True, 1)
    assert all({"x", "series", "measured"} <= row.keys() for _, row in found)
    verdict = claim.verdict(as_frame(row for _, row in found))
    assert verdict.holds, verdict.sentence
