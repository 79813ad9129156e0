"""What several unit tests begin with."""

import pytest
from engines import process_engine
from fork_servers import warm_fork_servers  # noqa: F401  (a fixture)

from skipviz.engine import Engine
from skipviz.settings import Settings


@pytest.fixture(scope="package")
def engine(warm_fork_servers, tmp_path_factory):  # noqa: F811
    """The engine of all tests, whose helpers are forked from warm ones here."""
    with process_engine(tmp_path_factory.mktemp("engine")) as started:
        yield started


@pytest.fixture
def start(tmp_path):
    """Starts engines that keep their runs in this test's folder, and closes what is left of them."""
    engines = []

    def start(**settings):
        engines.append(Engine(Settings(max_running=2, data_dir=tmp_path, **settings)).start())
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()
