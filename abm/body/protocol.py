"""From a timeline of exercise, meals, doses and blocks to the inputs of the body's equations."""

from collections.abc import Callable

import numpy as np

from abm.body.rates import (
    ADAPTING,
    BDNF,
    BHB,
    BUTANEDIOL,
    CORTISOL,
    DEMAND,
    DEOXYGLUCOSE,
    DEXAMETHASONE,
    FIRST_INFUSION,
    GLUCOSE,
    GUT_CARBOHYDRATE,
    GUT_KETONE,
    IRISIN,
    IRISIN_RELEASE,
    KETOGENESIS,
    LACTATE,
    LOAD,
    MEAL,
    STATES,
    BodyParameters,
    Vector,
)
from abm.body.solve import Protocol
from abm.schedule import Block, Dose, Timeline

TIME_DIGITS = 9  # times closer than a nanohour are one
# Applied to the tissue itself, so they do not pass through the body.
LOCAL_ROUTES = {"icv", "bath"}
# Substance -> state it is measured in, and its volume of distribution, L/kg.
DESTINATIONS: dict[str, tuple[int, Callable[[BodyParameters], float]]] = {
    "bhb": (BHB, lambda p: p.ketones.ketone_volume),
    "bdnf": (BDNF, lambda p: p.doses.bdnf_volume),
    "corticosterone": (CORTISOL, lambda p: p.cortisol.cortisol_volume),
    "2-deoxyglucose": (DEOXYGLUCOSE, lambda p: p.doses.deoxyglucose_volume),
    "dexamethasone": (DEXAMETHASONE, lambda p: p.doses.dexamethasone_volume),
    "glucose": (GLUCOSE, lambda p: p.fuels.glucose_volume),
    "irisin": (IRISIN, lambda p: p.irisin.irisin_volume),
    "lactate": (LACTATE, lambda p: p.lactate.lactate_volume),
}
STEROIDS = {"corticosterone", "dexamethasone"}
# Drinks that enter through compartments of their own: states, and mmol there per mmol drunk.
DRINKS: dict[str, tuple[tuple[int, Callable[[BodyParameters], float]], ...]] = {
    "bhb": ((GUT_KETONE, lambda p: 1.0),),
    "glucose": ((GUT_CARBOHYDRATE, lambda p: 1.0),),
    "ketone_ester": ((GUT_KETONE, lambda p: p.ketones.ester_bhb_yield), (BUTANEDIOL, lambda p: 1.0)),
}


class _Inputs:
    """Inputs under construction: intervals between breakpoints, boluses and depots."""

    def __init__(self, p: BodyParameters, breakpoints: list[float]) -> None:
        self.p = p
        self.times = np.unique(np.round(breakpoints, TIME_DIGITS))
        self.columns = np.zeros((len(self.times) - 1, FIRST_INFUSION + len(STATES)))
        self.columns[:, [KETOGENESIS, IRISIN_RELEASE]] = 1.0
        self.jumps: list[tuple[int, int, float]] = []
        self.depots: dict[tuple[str, str], int] = {}
        self.absorption: list[float] = []
        self.target: list[int] = []
        self.scale: list[float] = []

    def index(self, time: float) -> int:
        """Number of the first interval that begins at or after `time`."""
        return int(np.searchsorted(self.times, round(time, TIME_DIGITS)))

    def span(self, start: float, end: float) -> slice:
        """The intervals between two breakpoints; what lies before or after the protocol is cut off."""
        return slice(self.index(start), self.index(end))

    def give(self, state: int, amount: float, start: float, duration: float) -> None:
        """Add `amount` (unit of the state) at once, or evenly over `duration`."""
        if duration > 0.0:
            self.columns[self.span(start, start + duration), FIRST_INFUSION + state] += amount / duration
        elif self.times[0] <= start < self.times[-1]:
            self.jumps.append((self.index(start), state, amount))

    def depot(self, what: str, route: str, target: int, scale: float) -> int:
        """State of the depot from which a substance given by a route is absorbed."""
        if (what, route) not in self.depots:
            self.depots[what, route] = len(STATES) + len(self.depots)
            self.absorption.append(absorption_rate(self.p, what, route))
            self.target.append(target)
            self.scale.append(scale)
            self.columns = np.column_stack([self.columns, np.zeros(len(self.columns))])
        return self.depots[what, route]

    def dose(self, dose: Dose) -> None:
        """Route one dose to the blood, to the gut or to a depot."""
        if dose.route == "oral" and dose.what in DRINKS:
            for state, share in DRINKS[dose.what]:
                self.give(state, dose.amount * share(self.p), dose.at, dose.duration)
            return
        if dose.what not in DESTINATIONS:
            raise ValueError(
                f"the body does not know {dose.what!r} given {dose.route}; it knows {', '.join(DESTINATIONS)}"
            )
        target, volume = DESTINATIONS[dose.what]
        if dose.route == "iv":
            self.give(target, dose.amount / volume(self.p), dose.at, dose.duration)
        else:
            state = self.depot(dose.what, dose.route, target, 1.0 / volume(self.p))
            self.give(state, dose.amount, dose.at, dose.duration)

    def finished(self) -> Protocol:
        self.jumps.sort()
        return Protocol(
            self.times,
            self.columns,
            np.array([jump[0] for jump in self.jumps], np.int64),
            np.array([jump[1] for jump in self.jumps], np.int64),
            np.array([jump[2] for jump in self.jumps], np.float64),
            np.array(self.absorption, np.float64),
            np.array(self.target, np.int64),
            np.array(self.scale, np.float64),
        )


def absorption_rate(p: BodyParameters, what: str, route: str) -> float:
    """First-order absorption of a substance from where it was put, 1/h."""
    if route == "sc" and what in STEROIDS:
        return p.doses.subcutaneous_steroid_absorption
    rates = {
        "oral": p.doses.oral_absorption,
        "ip": p.doses.intraperitoneal_absorption,
        "sc": p.doses.subcutaneous_absorption,
    }
    if route not in rates:
        raise ValueError(f"the body does not know the route {route!r}; it knows iv, {', '.join(rates)}")
    return rates[route]


def blocked_input(block: Block) -> int | None:
    """The input of the body that a block lowers; None where it acts in the tissue alone.

    An animal that has lost FNDC5 has lost it in muscle too, which then releases no irisin; a drug acts in the brain.
    """
    if block.target == "FNDC5" and block.loss:
        return IRISIN_RELEASE
    return KETOGENESIS if block.target == "ketogenesis" else None


def build_protocol(p: BodyParameters, timeline: Timeline, edges: Vector, adapting: bool) -> Protocol:
    """Cut a timeline at its own changes and at `edges` (h, increasing), within the first and last edge.

    adapting: whether training changes fitness from time zero on; off in resting days, and in those before.
    Raises ValueError for a substance or a route the body does not know.
    """
    doses = [dose for dose in timeline.doses if dose.route not in LOCAL_ROUTES]
    blocks = [(block, column) for block in timeline.blocks for column in [blocked_input(block)] if column is not None]
    changes = [time for bout in timeline.bouts for time in (bout.start, bout.end)]
    changes += [time for meal in timeline.meals for time in (meal.start, meal.end)]
    changes += [time for block, _ in blocks for time in (block.start, block.end)]
    changes += [time for dose in doses for time in (dose.at, dose.at + dose.duration)]
    inputs = _Inputs(p, [*edges.tolist(), *(time for time in changes if edges[0] < time < edges[-1])])
    inputs.columns[:, ADAPTING] = np.where(inputs.times[:-1] < 0.0, 0.0, float(adapting))
    for bout in timeline.bouts:
        inputs.columns[inputs.span(bout.start, bout.end), LOAD if bout.fixed else DEMAND] = bout.intensity
    for block, column in blocks:
        inputs.columns[inputs.span(block.start, block.end), column] *= 1.0 - block.fraction
    for meal in timeline.meals:
        carbohydrate = 1000.0 * meal.carbohydrate / p.glucose_molar_mass
        if meal.end > meal.start:
            inputs.columns[inputs.span(meal.start, meal.end), MEAL] += carbohydrate / (meal.end - meal.start)
        else:
            inputs.give(GUT_CARBOHYDRATE, carbohydrate, meal.start, 0.0)
    for dose in doses:
        inputs.dose(dose)
    return inputs.finished()
