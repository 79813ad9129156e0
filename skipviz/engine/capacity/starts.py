"""How often runs may be started: a bucket of tokens for each address, and one for each browser. Imports no torch."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 20_000
"""Addresses and browsers remembered; those unused for longest are forgotten first, which is in their favour."""


class _Buckets:
    """Each name may act `a_minute` times at once, and then as often as time refills its bucket."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def seconds_short(self, name: str, a_minute: int) -> float:
        """Return how long `name` has to wait for its next turn; 0: it may act now."""
        now = self._clock()
        tokens, at = self._buckets.get(name, (float(a_minute), now))
        tokens = min(float(a_minute), tokens + (now - at) * a_minute / 60)
        self._buckets[name] = (tokens, now)
        self._buckets.move_to_end(name)
        while len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if tokens >= 1 - 1e-9 else (1 - tokens) * 60 / a_minute

    def take(self, name: str) -> None:
        tokens, at = self._buckets[name]
        self._buckets[name] = (tokens - 1, at)


class Starts:
    """Counts starts. The engine's lock guards it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses, self._browsers = _Buckets(clock), _Buckets(clock)

    def refusal(self, address: str | None, browser: str | None, a_minute: int, browser_a_minute: int) -> str | None:
        """Count one start, or return one sentence that says why it may not be, and when."""
        address = None if address is None else network_of(address)
        waits = (
            self._addresses.seconds_short(address, a_minute) if address else 0.0,
            self._browsers.seconds_short(browser, browser_a_minute) if browser else 0.0,
        )
        if max(waits) > 0:
            whose, limit = ("this address", a_minute) if waits[0] >= waits[1] else ("this browser", browser_a_minute)
            many = "one run" if limit == 1 else f"{limit} runs"
            return f"{whose} may start {many} a minute on this server: try again in {math.ceil(max(waits))} s"
        if address:
            self._addresses.take(address)
        if browser:
            self._browsers.take(browser)
        return None


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv6 host has a whole /64 to choose from."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
