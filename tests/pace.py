"""How fast this machine is now: what a bound in seconds of computing holds for is the machine on which it was set."""

from time import process_time

USUAL = 0.045
"""Seconds that the work below took there."""


def slowness() -> float:
    """Return how many times as long as usual a fixed piece of work takes, which is 1 where it takes less."""
    began = process_time()
    for number in range(150_000):
        float(f"{number / 7:.4f}")
    return max(1.0, (process_time() - began) / USUAL)
