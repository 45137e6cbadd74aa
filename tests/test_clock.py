"""Simulated time."""

import pytest

from abm.clock import Clock


def test_time_zero_is_midnight_of_a_monday_after_burn_in():
    clock = Clock(step=0.1, burn_in=48.0)
    assert clock.hour == -48.0
    for _ in range(480):
        clock = clock.next()
    assert clock.hour == 0.0
    assert clock.weekday == "mon"
    assert clock.label == "day 0 (mon) 00:00"


@pytest.mark.parametrize(("taken", "weekday", "hour"), [(75, "mon", 7.5), (240, "tue", 0.0), (1755, "mon", 7.5)])
def test_calendar(taken, weekday, hour):
    clock = Clock(step=0.1, burn_in=0.0, taken=taken)
    assert (clock.weekday, clock.hour_of_day) == (weekday, hour)


def test_hours_are_exact_after_many_steps():
    assert Clock(step=0.1, burn_in=720.0, taken=7200 + 6720).hour == 672.0
