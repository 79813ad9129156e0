"""A PostgreSQL server that tests share, one that a test may kill, and engines that keep their runs there; a Ray cluster."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fork_servers import warm_fork_servers  # noqa: F401  (a fixture)
from machines import Machine
from postgres import Postgres, make_cluster, program
from ray_cluster import RayCluster

from skipviz.engine import Engine
from skipviz.settings import Settings

sys.path.append(str(Path(__file__).resolve().parents[1] / "browser"))  # nginx and pages
_numbers = itertools.count()


def pytest_collection_modifyitems(config, items):
    """Leave the long forms out, unless they are asked for by their mark."""
    if "cluster_long" not in config.getoption("-m"):
        for item in items:
            if item.get_closest_marker("cluster_long"):
                item.add_marker(pytest.mark.skip(reason="a long form: -m cluster_long"))


@pytest.fixture(scope="session")
def clusters():
    """A folder that PostgreSQL's user may enter, with the files of a fresh server in `fresh`."""
    if program("initdb") is None:
        pytest.skip("PostgreSQL is missing; on Debian: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="skipviz-postgres-"))
    folder.chmod(0o755)
    make_cluster(folder / "fresh")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _started(clusters, **settings):
    folder = clusters / f"cluster-{os.getpid()}-{next(_numbers)}"
    subprocess.run(["cp", "-a", clusters / "fresh", folder], check=True)
    return Postgres(folder, **settings).start()


@pytest.fixture(scope="session")
def postgres(clusters):
    """A database server that tests share: none stops it."""
    server = _started(clusters)
    yield server
    server.stop()


@pytest.fixture
def own_postgres(clusters):
    """A database server that the test may stop, kill and start again; what it has acknowledged is on the disk."""
    server = _started(clusters, fsync=True)
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def database_url(postgres):
    """The URL of an empty database."""
    return postgres.make(f"test_{next(_numbers)}")


@pytest.fixture
def start(tmp_path):
    """Starts engines that keep their runs in a database and have one folder for the rest, and closes what is left of them."""
    engines = []

    def start(url, **settings):
        given = {"max_running": 4, "data_dir": tmp_path, "checkpoint_seconds": 0.3, **settings}
        engines.append(Engine(Settings(database_url=url, **given)).start())
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


@pytest.fixture
def frozen():
    """Stops a process where it is and returns the way to let it go on, which is gone in the end."""
    pids = []

    def freeze(pid):
        os.kill(pid, signal.SIGSTOP)
        pids.append(pid)
        return lambda: os.kill(pids.pop(pids.index(pid)), signal.SIGCONT)

    yield freeze
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def nodes():
    """A Ray cluster of two nodes with two cores and, as they say, a GPU each; a test that ends the second one adds another. Idle,
    it takes a part of a core, so that it ends with the tests that need it."""
    cluster = RayCluster(2, 2, gpus=1)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def spread(nodes, postgres, tmp_path_factory):
    """A warm engine whose runs compute on the nodes, which have nothing in common with it but a URL; its database may be shared."""
    place = tmp_path_factory.mktemp("server")
    given = {"ray": nodes.address, "blobs": f"local://{place}/blobs", "database_url": postgres.make(f"spread_{next(_numbers)}")}
    engine = Engine(Settings(data_dir=place / "data", checkpoint_seconds=0.05, **given)).start()
    assert engine.wait_until_warm(300)
    yield engine
    engine.close()


@pytest.fixture
def machines(tmp_path, database_url):
    """Two servers on one database."""
    both = [Machine(tmp_path, forked=True), Machine(tmp_path, forked=True)]
    for machine in both:
        machine.environment["SKIPVIZ_DATABASE_URL"] = database_url
    with ThreadPoolExecutor() as starting:
        list(starting.map(Machine.start, both))
    yield both
    for machine in both:
        machine.end(signal.SIGKILL)


@pytest.fixture
def labs(start, database_url, monkeypatch):
    """The labs of a third server, this process, whose pages the others take commands for."""
    from skipviz.engine import process_engine as module
    from skipviz.web.document import lab as lab_module
    from skipviz.web.document import labs as labs_module
    from skipviz.web.document.shared_labs import SharedLabs

    engine = start(database_url)
    monkeypatch.setattr(module, "_engine", engine)
    for user in (lab_module, labs_module):
        monkeypatch.setattr(user, "get_engine", lambda: engine)
    labs = labs_module.Labs()
    engine.shared.on_labs = labs.heard
    labs.share(SharedLabs(engine.shared))
    leave = engine.subscribe(labs.run_changed)
    yield labs
    leave()
