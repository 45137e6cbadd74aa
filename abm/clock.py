"""Simulated time: hours since the end of burn-in, in equal steps, with calendar and clock time.

Time zero is midnight of day 0, a Monday; burn-in has negative hours. A step is counted from the start of burn-in,
so that random draws keyed by the step never repeat. Where nothing happens several steps may be taken as one.
"""

from dataclasses import dataclass
from functools import cached_property

from abm.units import quantity_text

OWN_STEPS = 96.0  # h at the end of burn-in that are taken in the run's own steps; what the hours before leave is fading
DAY = 24.0  # h
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Clock:
    """Where a model stands in time.

    step: length of one step, h. burn_in: before time zero, h. taken: steps taken so far. joined: how many of them the
    coming one is.
    """

    step: float
    burn_in: float
    taken: int = 0
    joined: int = 1

    @cached_property  # asked for several times in every step
    def hour(self) -> float:
        """Hours since the end of burn-in, at the start of the coming step."""
        # The product is rounded so that 0.1-h steps land on the hour exactly.
        return round(self.taken * self.step - self.burn_in, 9)

    @property
    def length(self) -> float:
        """Hours that the coming step lasts."""
        return self.step * self.joined

    @property
    def hour_of_day(self) -> float:
        """Clock time in hours, 0 to 24."""
        return self.hour % DAY

    @property
    def label(self) -> str:
        """Readable time, such as "day 3 (thu) 07:30"."""
        days, minutes = divmod(round(self.hour * 60.0), 24 * 60)
        return f"day {days} ({WEEKDAYS[days % 7]}) {minutes // 60:02d}:{minutes % 60:02d}"

    def next(self) -> "Clock":
        """The clock after the coming step; the one after that is a single one."""
        return Clock(self.step, self.burn_in, self.taken + self.joined)

    def joining(self, steps: int) -> "Clock":
        """The clock with so many steps taken as one."""
        return Clock(self.step, self.burn_in, self.taken, steps)

    def in_burn_in(self) -> "Clock":
        """The clock with the coming step as burn-in takes it: up to its last days a whole hour, if steps make up one.

        At rest signals move little within one. Transcripts, stores and enzymes end where the run's own steps lead, and
        their spread within a few percent. The late change of a single synapse may be off by a half where it
        just reaches its tag; over a neuron's synapses that is within chance.
        """
        hourly = round(1.0 / self.step)
        on_the_hour = abs(hourly * self.step - 1.0) < 1e-9 and self.hour.is_integer()
        return self.joining(hourly if on_the_hour and self.hour < -OWN_STEPS else 1)


def burn_in_steps(step: float, burn_in: float) -> int:
    """Steps that a burn-in of so many hours takes, those that are taken as one counted once."""
    clock, count = Clock(step, burn_in), 0
    while clock.hour < 0.0:
        clock, count = clock.in_burn_in().next(), count + 1
    return count


def hours_text(hours: float) -> str:
    """A time in days, hours and minutes: "21 d 9 h"."""
    minutes = round(60.0 * hours)
    if abs(minutes / 60.0 - hours) > 1e-9:
        return quantity_text(hours, "h")
    parts = ((minutes // 1440, "d"), (minutes % 1440 // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 h"
