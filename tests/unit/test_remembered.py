"""What is worked out of an experiment is worked out once, and forgotten with it."""

from __future__ import annotations

import gc
import weakref

from engines import small

from skipviz.network.remembered import remembered


def test_a_value_is_kept_for_that_experiment_alone_and_as_long_as_it_is_held():
    made = []

    @remembered
    def depth(experiment):
        made.append(experiment.network.depth)
        return experiment.network.depth

    one, equal, other = small(), small(), small(depth=9)
    assert [depth(one), depth(one), depth(other), depth(equal), depth(one)] == [6, 6, 9, 6, 6]
    assert made == [6, 9, 6]
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
