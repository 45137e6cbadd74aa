"""Distance as people write it: of a session ("5 km") or of a day ("5 km/d")."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from abm.clock import DAY
from abm.errors import Fault, nearest
from abm.units import FromText, convert, quantity_text, same_dimension, split_quantity

_PER_DAY = re.compile(r".*/\s*(d|days?)")


class Distance(NamedTuple):
    """Kilometres: of a session, or `daily`, of a session of up to a day and of each day of a longer one."""

    kilometres: float
    daily: bool

    def text(self) -> str:
        """As it is written."""
        return quantity_text(self.kilometres, "km/d" if self.daily else "km")

    def over(self, hours: float) -> float:
        """Kilometres in a session of some length."""
        return self.kilometres * max(hours / DAY, 1.0) if self.daily else self.kilometres


def parse_distance(value: object) -> Distance:
    """Distance from text such as "5 km/d" or "5 km"; Fault where it is none."""
    expected = 'a distance such as "5 km/d" or "5 km"'
    if not isinstance(value, str):
        bare = isinstance(value, int | float) and not isinstance(value, bool)
        raise Fault("a bare number where a unit belongs" if bare else "no distance", expected=expected)
    unit = ""
    try:
        number, unit = split_quantity(value)
        daily = bool(unit) and same_dimension(unit, "km/d")
        distance = Distance(convert(value, "km/d" if daily else "km"), daily)
    except Fault as fault:
        raise Fault(fault.problem, expected=expected, suggestion=nearest(unit, ("km", "m", "km/d"))) from fault
    if daily and not _PER_DAY.fullmatch(unit):
        raise Fault(f"'{unit}' is a speed, not a distance", expected=f"{expected}, or the speed as intensity")
    if number <= 0:
        raise Fault("must be more than 0", expected=expected)
    return distance


DistanceText = Annotated[Distance, FromText(parse_distance, Distance.text, "distance of a session or a day", "5 km/d")]
