"""Which address a visitor comes from, by which starts are counted. Imports no streamlit."""

from __future__ import annotations

import ipaddress

LOOPBACK = "127.0.0.1"


def address_of(scope, proxies: int) -> str:
    """Return the address of an ASGI request; behind `proxies` proxies, the one that the outermost of them saw."""
    client = scope.get("client")
    forwarded = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
    return address_from(client[0] if client else None, forwarded, proxies)


def address_from(connection: str | None, forwarded: str, proxies: int) -> str:
    """Return the address at the connection's other end, or the one that `X-Forwarded-For` names where it is believed.

    Every proxy appends the address that it sees, so what stands further left than there are proxies was written by
    nobody who can be trusted.
    """
    named = [part.strip() for part in forwarded.split(",") if part.strip()]
    if proxies and len(named) >= proxies and _is_address(named[-proxies]):
        return named[-proxies]
    return connection or LOOPBACK


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
