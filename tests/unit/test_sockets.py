"""How the server's connections send: one that was used before answers as fast as a new one, and a slow line holds little."""

import socket

import pytest

from skipviz.web.http.sockets import UNSENT, send_at_once


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def test_connections_accepted_from_now_on_send_small_parts_at_once(listener):
    send_at_once()
    with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def _taken(listener) -> int:
    """Return how many bytes a connection takes, in messages of 2 kB, whose reader reads nothing."""
    taken = 0
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(listener.getsockname())
        with listener.accept()[0] as accepted:
            accepted.setblocking(False)
            try:
                while True:
                    taken += accepted.send(bytes(2048))
            except BlockingIOError:
                return taken


def test_a_line_that_takes_nothing_holds_little(listener):
    before = _taken(listener)
    send_at_once()
    after = _taken(listener)
    assert after <= UNSENT + 16_384  # what the line holds, and the reader's own window
    assert after < before / 4


def test_the_listener_itself_stays_open(listener):
    send_at_once()
    socket.create_connection(listener.getsockname()).close()
    listener.accept()[0].close()
