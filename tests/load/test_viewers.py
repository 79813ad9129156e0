"""Viewers of one run, the short form: `viewers.py` is run by hand with two hundred for ten minutes."""

from servers import Server
from viewers import RATE, measured

VIEWERS, SECONDS = 60, 6


def test_many_viewers_of_one_run_get_every_frame_once_at_little_cost(tmp_path):
    server = Server(tmp_path / "log.txt")
    try:
        server.wait_until_warm()
        seen = measured(server, VIEWERS, SECONDS)
    finally:
        server.close()
    assert seen.faults == []
    assert seen.frames > 0.8 * VIEWERS * RATE * SECONDS
    assert seen.server_cores < 0.6
    assert seen.growth_mb < 10
