"""A connection that was used before answers as fast as a new one."""

import socket

from skipviz.web.http.sockets import send_at_once


def test_connections_accepted_from_now_on_send_small_parts_at_once():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        send_at_once()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_listener_itself_stays_open():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        send_at_once()
        socket.create_connection(listener.getsockname()).close()
        listener.accept()[0].close()
