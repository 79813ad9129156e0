"""Ports for servers of tests."""

import socket


def free_port() -> int:
    """Return a port of this machine that only who names it is given for a while: its last connection has just ended."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            came, _ = door.accept()
            came.close()
    return port
