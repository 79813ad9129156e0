"""What the science tests share: torch set up as in a worker."""

import pytest
from fork_servers import warm_fork_servers  # noqa: F401  (a fixture)

from skipviz.learning.setup import as_in_a_run, keep_freed_memory


@pytest.fixture
def as_in_a_worker():
    """Denormals flushed and one thread, as a run has them; afterwards as before."""
    keep_freed_memory()
    with as_in_a_run():
        yield
