"""How long runs in line will wait, learned from what ended: finished, stopped by hand, or at the end of its time."""

import pytest
from engines import small

from skipviz.engine.capacity.admission import Room, Waiting
from skipviz.engine.forecast import Forecast
from skipviz.engine.live import Live
from skipviz.settings import Settings
from skipviz.storage import Run

RECKONED = 0.001
FULL = Room(cores=0, memory_mb=1e6)


def live(name, steps, step=0, seconds=0.0, computing=False, pace=None, speed=None):
    """Return a run that has taken `step` of its steps within `seconds`."""
    run = Run(name, name, small(steps=steps), speed=speed, step=step)
    steady = (0, 0.0) if computing else None
    return Live(run, 10.0, RECKONED, working=computing, computing=computing, changed=-seconds, pace=pace, steady=steady)


def waits(forecast, going, waiting, **settings):
    lives = {one.run.id: one for one in (*going, *waiting)}
    order = [Waiting(one.run.id, one.run.owner, 10.0) for one in waiting]
    return forecast.waits(order, lives, FULL, Settings(**settings), 0.0)


def ended(forecast, steps, step, seconds, **options):
    one = live("ended", steps, step, **options)
    one.computed = seconds
    forecast.ended(one, Settings(), 0.0)


def test_nothing_is_said_before_anything_was_measured():
    assert waits(Forecast(), [live("a", 500, computing=True)], [live("x", 500)]) == {}


def test_short_runs_that_finished_tell_how_long_the_next_ones_take():
    forecast = Forecast()
    ended(forecast, 500, 500, 2.0)
    going = [live("a", 500, step=250, seconds=1.0, computing=True), live("b", 500, computing=True)]
    told = waits(forecast, going, [live(name, 500) for name in "wxyz"])
    assert told == pytest.approx({"w": 1.0, "x": 2.0, "y": 3.0, "z": 4.0})


def test_a_larger_network_is_reckoned_with_longer_steps():
    forecast = Forecast()
    ended(forecast, 500, 500, 2.0)
    large = live("a", 500, computing=True)
    large.step_seconds = 10 * RECKONED
    assert waits(forecast, [large], [live("x", 500)]) == pytest.approx({"x": 20.0})


def test_runs_that_are_stopped_by_hand_shorten_what_is_expected_of_others_asked_for_as_long():
    forecast = Forecast()
    going = [live("a", 1_000_000, step=10_000, seconds=10.0, computing=True)]
    assert waits(forecast, going, [live("x", 500)]) == pytest.approx({"x": 990.0})
    for seconds in (40.0, 60.0, 80.0):
        ended(forecast, 1_000_000, int(1000 * seconds), seconds)
    ended(forecast, 500, 500, 0.5)
    assert waits(forecast, going, [live("x", 500)]) == pytest.approx({"x": 50.0})
    outlasting = [live("a", 1_000_000, step=200_000, seconds=200.0, computing=True)]
    assert waits(forecast, outlasting, [live("x", 500)]) == pytest.approx({"x": 200.0})


def test_a_run_is_expected_to_end_with_its_time_and_one_held_to_a_speed_tells_nothing_of_others():
    forecast = Forecast()
    going = [live("a", 1_000_000, step=5000, seconds=5.0, computing=True)]
    assert waits(forecast, going, [live("x", 500)], run_minutes=1) == pytest.approx({"x": 55.0})
    ended(Forecast(), 300, 300, 15.0, speed=20.0, pace=20.0)
    slow = [live("a", 300, step=100, seconds=5.0, computing=True, pace=20.0, speed=20.0)]
    told = waits(forecast, slow, [live("x", 500), live("y", 500)])
    assert told == pytest.approx({"x": 10.0}), "how long x will take is not known"
