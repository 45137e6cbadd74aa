"""Simulated time: hours since the end of burn-in, in equal steps, with calendar and clock time.

Time zero is midnight of day 0, a Monday; burn-in has negative hours. A step is counted from the start of burn-in,
so that random draws keyed by the step never repeat.
"""

from dataclasses import dataclass

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Clock:
    """Where a model stands in time.

    step: length of one step, h. burn_in: before time zero, h. taken: steps taken so far.
    """

    step: float
    burn_in: float
    taken: int = 0

    @property
    def hour(self) -> float:
        """Hours since the end of burn-in, at the start of the coming step."""
        # The product is rounded so that 0.1-h steps land on the hour exactly.
        return round(self.taken * self.step - self.burn_in, 9)

    @property
    def hour_of_day(self) -> float:
        """Clock time in hours, 0 to 24."""
        return self.hour % 24.0

    @property
    def label(self) -> str:
        """Readable time, such as "day 3 (thu) 07:30"."""
        days, minutes = divmod(round(self.hour * 60.0), 24 * 60)
        return f"day {days} ({WEEKDAYS[days % 7]}) {minutes // 60:02d}:{minutes % 60:02d}"

    def next(self) -> "Clock":
        """The clock one step later."""
        return Clock(self.step, self.burn_in, self.taken + 1)
