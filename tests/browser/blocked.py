"""Addresses that a page does not reach, blocked as a host or a network would.

Playwright's own routes take the page's cache away as well, and each load of Streamlit's and plotly's scripts costs seconds more.
"""

from __future__ import annotations

import base64

from skipviz.web.content import bundle

PLOTLY = "https://cdn.plot.ly/*"


def block(page, *addresses: str):
    """Let the page reach none of these addresses, in which `*` stands for anything; returns what it is blocked by."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setBlockedURLs", {"urls": list(addresses)})
    return session


def cut_off(page):
    """Block our routes, and return the page; plotly.js comes from its public address, here out of the installed package."""
    give_plotly(block(page, "*/skipviz/*"))
    return page


def give_plotly(session) -> None:
    """Answer a page that asks for plotly.js at its public address."""
    headers = {"access-control-allow-origin": "*", "content-type": "text/javascript", "cache-control": "max-age=86400"}
    answer = {
        "responseCode": 200,
        "responseHeaders": [{"name": name, "value": value} for name, value in headers.items()],
        "body": base64.b64encode(bundle.plotly_file().read_bytes()).decode(),
    }
    session.on(
        "Fetch.requestPaused", lambda asked: session.send("Fetch.fulfillRequest", {"requestId": asked["requestId"], **answer})
    )
    session.send("Fetch.enable", {"patterns": [{"urlPattern": PLOTLY}]})
