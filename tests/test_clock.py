"""Simulated time."""

import pytest

from abm.clock import Clock


def test_time_zero_is_midnight_of_a_monday_after_burn_in():
    clock = Clock(step=0.1, burn_in=48.0)
    assert clock.hour == -48.0
    for _ in range(480):
        clock = clock.next()
    assert clock.hour == 0.0
    assert clock.label == "day 0 (mon) 00:00"


@pytest.mark.parametrize(
    ("taken", "label", "hour"),
    [(75, "day 0 (mon) 07:30", 7.5), (240, "day 1 (tue) 00:00", 0.0), (1755, "day 7 (mon) 07:30", 7.5)],
)
def test_calendar(taken, label, hour):
    clock = Clock(step=0.1, burn_in=0.0, taken=taken)
    assert (clock.label, clock.hour_of_day) == (label, hour)


def test_hours_are_exact_after_many_steps():
    assert Clock(step=0.1, burn_in=720.0, taken=7200 + 6720).hour == 672.0


def test_the_last_half_minute_of_a_day_reads_as_the_next() -> None:
    seconds = 20.0
    clock = Clock(step=seconds / 3600.0, burn_in=24.0, taken=2 * 24 * 180 - 1)
    assert clock.label == "day 1 (tue) 00:00"
