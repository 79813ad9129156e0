"""A residual stream that grows from sum to sum with no norm to hold it."""

from __future__ import annotations

from collections.abc import Iterator

from ..checked_pass import CheckedPass
from ..finding import Finding
from ..words import NORMS, is_norm_class

GROWS = 30.0
"""Times by which states may grow from the first sum to the last: √n over n sums of equal branches is 17 at 300 of them."""
FEWEST = 4


def find(checked: CheckedPass) -> Iterator[Finding]:
    """Yield a finding where the last sum gives more than `GROWS` times what the first gives, and no branch has a norm."""
    sums = [number for number, _ in checked.merges("add")]
    if len(sums) < FEWEST:
        return
    first, last = checked.rms(sums[0]), checked.rms(sums[-1])
    if first and (last is None or last > GROWS * first):
        operations, calls = checked.trace.operations, checked.trace.calls
        between = [operations[number] for number in checked.boxes.flow.alive if sums[0] < number < sums[-1]]
        if not any(one.name in NORMS or is_norm_class(calls[one.call].kind) for one in between):
            grown = "not finite" if last is None else f"{last / first:,.0f} times as large"
            sentence = f"behind {len(sums)} sums without a norm the state at {checked.place(sums[-1])} is {grown} as at the first"
            yield Finding("growth", checked.path(operations[sums[-1]]), sentence)
