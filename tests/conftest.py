"""What all tests share: how hypothesis searches, where runs are kept, and one warm engine."""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Machines differ in speed, so an example's time says nothing about its correctness.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", parent=settings.get_profile("local"), derandomize=True, database=None)
settings.load_profile("repeatable" if os.environ.get("CI") else "local")

# What a test keeps of runs never lies in the working tree, nor where another test process keeps its own.
DATA = Path(tempfile.mkdtemp(prefix="skipviz-tests-"))
os.environ["SKIPVIZ_DATA_DIR"] = str(DATA / "others")
os.environ["SKIPVIZ_WATCH"] = "0"  # what a test watches starts no server
atexit.register(shutil.rmtree, DATA, ignore_errors=True)

LOOKED_FOR = 20_000
"""Objects after which garbage is looked for: a deep network is thousands that all stay, and was gone through again and again."""
gc.disable()


def pytest_collection_finish():
    """Look for garbage from here on, and never again among what the libraries and thousands of tests are made of."""
    gc.freeze()
    gc.set_threshold(LOOKED_FOR)
    gc.enable()


@pytest.fixture(scope="session")
def engine():
    """An engine with room for two runs, which is also the process's own."""
    from engines import process_engine

    with process_engine(DATA / "engine") as started:
        yield started


@pytest.fixture(scope="session")
def playwright():
    """Playwright's driver: a process has one."""
    from pages import PATIENCE
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as driver:
        yield driver
