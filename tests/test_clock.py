"""Simulated time."""

import pytest

from abm.clock import OWN_STEPS, Clock, burn_in_steps


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


@pytest.mark.parametrize(
    ("step", "burn_in", "steps"),
    [
        (0.25, 720.0, 624 + 384),  # by the hour up to the last four days
        (1.0 / 60.0, 720.0, 624 + 5760),
        (0.1, OWN_STEPS, 960),  # nothing to gain
        (0.25, 120.5, 2 + 24 + 384),  # the first half hour in steps of its own
        (0.4, 240.0, 600),  # which do not make up an hour
        (2.0, 240.0, 120),
        (1.0, 0.0, 0),
    ],
)
def test_most_of_a_burn_in_goes_by_the_hour(step, burn_in, steps):
    clock, lengths = Clock(step, burn_in), []
    while clock.hour < 0.0:
        clock = clock.in_burn_in()
        assert clock.joined == 1 or (clock.hour < -OWN_STEPS and clock.hour.is_integer())
        lengths.append(clock.length)
        clock = clock.next()
    assert clock.hour == 0.0
    assert len(lengths) == burn_in_steps(step, burn_in) == steps
    assert sum(lengths) == pytest.approx(burn_in)
