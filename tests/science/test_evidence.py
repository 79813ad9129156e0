"""Every claim of the evidence room falls in its band at its usual size, or at a smaller one where that is slow."""

import pytest

from skipviz.evidence.claim import as_frame
from skipviz.evidence.claims import CLAIMS
from skipviz.evidence.recording import recordings

pytestmark = pytest.mark.science
SMALLER = {
    "composite_gain": {"blocks": 12, "steps": 30},
    "degradation": {"depth": 44, "seeds": 1},
    "denseformer": {"blocks": 4, "steps": 60},
    "lazy_unet": {"release": 40},
    "shattering": {"seeds": 3},
    "warm_up": {"steps": 70},
    "without_norm": {"blocks": 10},
}
UNTRAINED = ("vanishing", "path_lengths", "unet_skips", "peri_norm", "deep_norm", "rank_collapse", "backward_bug")
"""What they measure is the same on any machine, but for rounding."""


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_claim_measures_falls_in_its_band(name):
    claim = CLAIMS[name]
    shares, rows = zip(*claim.rows(**SMALLER.get(name, {})), strict=True)
    assert list(shares) == sorted(shares)
    assert shares[-1] == 1
    rows = [row for row in rows if row]
    assert all({"x", "series", "measured"} <= row.keys() for row in rows)
    frame = as_frame(rows)
    verdict = claim.verdict(frame)
    assert verdict.holds, verdict.sentence
    if frame.measured.notna().all():
        mixed_up = frame.assign(measured=frame.measured.to_numpy()[::-1])
        assert not claim.verdict(mixed_up).holds, "the band lets other numbers pass, too"
    if name in UNTRAINED:
        assert measured(rows) == pytest.approx(measured(recordings()[name].rows), rel=0.02), "the recording is another measurement"


def measured(rows):
    return {(row["x"], row["series"]): row["measured"] for row in rows}


def test_with_torchs_own_smaller_weights_pre_ln_grows_less_than_peri_ln_and_its_claim_says_so():
    claim = CLAIMS["peri_norm"]
    verdict = claim.verdict(claim.frame(init="torch"))
    assert verdict.holds is False
    assert verdict.figure < 0.2


@pytest.mark.parametrize(
    ("name", "controls"),
    [("deep_norm", {"blocks": 6}), ("composite_gain", {"blocks": 4, "steps": 10}), ("landscape", {"depth": 8})],
)
def test_where_a_claim_says_nothing_of_so_small_a_network_its_verdict_is_left_open(name, controls):
    verdict = CLAIMS[name].verdict(CLAIMS[name].frame(**controls))
    assert verdict.holds is None, verdict.sentence
