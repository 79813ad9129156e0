"""What the science tests share: torch set up as in a worker."""

import pytest
import torch

from skipviz.learning.setup import prepare


@pytest.fixture
def as_in_a_worker():
    """Denormals flushed and one thread, as a run has them; afterwards as before."""
    threads = torch.get_num_threads()
    prepare()
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)
