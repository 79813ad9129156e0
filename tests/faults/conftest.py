"""A server that a test may kill."""

import signal

import pytest
from fork_servers import forked  # noqa: F401  (a fixture)
from machines import Machine


@pytest.fixture
def machine(tmp_path):
    """A machine whose server keeps its runs in this test's folder."""
    machine = Machine(tmp_path / "data")
    yield machine
    if machine.process is not None and machine.process.poll() is None:
        machine.end(signal.SIGKILL)
