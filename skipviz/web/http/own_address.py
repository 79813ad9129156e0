"""Where a browser on this machine finds the lab of this server."""

from __future__ import annotations


def lab_address() -> str:
    """Return the address of the lab's page, by the port and the path that Streamlit serves at."""
    from streamlit import config

    host, base = config.get_option("server.address"), (config.get_option("server.baseUrlPath") or "").strip("/")
    host = host if host and host not in ("0.0.0.0", "::") else "localhost"
    scheme = "https" if config.get_option("server.sslCertFile") else "http"
    return f"{scheme}://{host}:{config.get_option('server.port')}/{f'{base}/' if base else ''}lab"
