"""What all tests share: how hypothesis searches, and one warm engine."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Machines differ in speed, so an example's time says nothing about its correctness.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", parent=settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("repeatable" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def engine():
    """An engine with room for two runs, which is also the process's own."""
    from skipviz.engine import Engine
    from skipviz.engine import engine as module
    from skipviz.settings import Settings

    module._engine = started = Engine(Settings(max_running=2)).start()
    assert started.wait_until_warm(60)
    yield started
    started.close()
