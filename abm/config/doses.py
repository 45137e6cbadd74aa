"""What can be given, by which routes, and the amount in the units the model works in.

    oral, iv, ip, sc    mmol/kg for metabolites, nmol/kg for steroids and proteins; mg/kg is divided by the molar mass
    icv                 nmol into the lateral ventricle, not per kg
    bath                mmol/L for metabolites, nmol/L for the rest: the concentration the preparation is held at

A rate ("10 mg/kg/h") needs a duration and is multiplied by it; the duration then is that of an infusion.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from abm.clock import DAY
from abm.errors import Fault, listed
from abm.parameters import Unit, load_parameters
from abm.units import convert, same_dimension, split_quantity

METABOLITES = ("ketone_ester", "bhb", "lactate", "glucose", "2-deoxyglucose")
PROTEINS = ("irisin", "bdnf")
SYSTEMIC = ("oral", "iv", "ip", "sc")
ROUTES = (*SYSTEMIC, "icv", "bath")
# More than anybody gives (assumed): of metabolites, steroids and proteins g per kg and day, or per litre of a bath; of
# anything into the ventricle g a day.
MOST_METABOLITE, MOST_STEROID, MOST_PROTEIN, MOST_ICV = 50.0, 1.0, 0.1, 0.01
_ROUNDING = 1e-9
# Proteins are digested; the ester is cleaved by gut and liver and is given by mouth only.
_IMPOSSIBLE = {("irisin", "oral"): "a protein is digested", ("bdnf", "oral"): "a protein is digested"}
_IMPOSSIBLE |= {
    (what, "icv"): "what it does in the brain after that is not in the model"
    for what in ("glucose", "2-deoxyglucose", "dexamethasone")
}
# A preparation lives on a medium with glucose that the model does not follow.
_IMPOSSIBLE |= {
    (what, "bath"): "nothing in a slice or a culture answers to it in the model"
    for what in ("glucose", "2-deoxyglucose")
}
_IMPOSSIBLE |= {("ketone_ester", route): "the ester is taken by mouth" for route in ROUTES if route != "oral"}


class MolarMasses(NamedTuple):
    """Molar masses of what can be given (configs/parameters/substances.yaml)."""

    ketone_ester: Annotated[float, Unit("g/mol")]
    bhb: Annotated[float, Unit("g/mol")]
    lactate: Annotated[float, Unit("g/mol")]
    glucose: Annotated[float, Unit("g/mol")]
    deoxyglucose: Annotated[float, Unit("g/mol")]
    irisin: Annotated[float, Unit("g/mol")]
    corticosterone: Annotated[float, Unit("g/mol")]
    dexamethasone: Annotated[float, Unit("g/mol")]
    bdnf: Annotated[float, Unit("g/mol")]


def dose_unit(what: str, route: str) -> str:
    """The unit a dose's amount has inside the model."""
    if route == "icv":
        return "nmol"
    scale = "mmol" if what in METABOLITES else "nmol"
    return f"{scale}/L" if route == "bath" else f"{scale}/kg"


def check_route(what: str, route: str) -> None:
    """Fault where a substance cannot be given by a route."""
    if (what, route) in _IMPOSSIBLE:
        routes = [other for other in ROUTES if (what, other) not in _IMPOSSIBLE]
        raise Fault(f"{what} cannot be given {route}: {_IMPOSSIBLE[what, route]}", expected=listed(routes))


def dose_amount(
    what: str, route: str, amount: str, duration: float = 0.0, overrides: dict[str, str | float] | None = None
) -> float:
    """Amount of a dose in `dose_unit(what, route)`; duration of an infusion in h.

    Raises Fault where the unit does not fit the route, a rate has no duration, or the amount is not positive.
    """
    unit = dose_unit(what, route)
    expected = _expected(unit)
    try:
        number, written = split_quantity(amount)
        same_dimension(written or unit, unit)  # a fault where it is no unit at all
    except Fault as fault:
        raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion) from fault
    if not written:
        raise Fault("a bare number where a unit belongs", expected=expected)
    if number <= 0:
        raise Fault("must be more than 0", expected=expected)
    mass = {"nmol": "ng", "mmol/kg": "mg/kg", "nmol/kg": "ng/kg", "mmol/L": "mg/L", "nmol/L": "ng/L"}[unit]
    for core, molar in ((unit, False), (mass, True)):
        for rate in (False, True):
            form = f"{core}/h" if rate else core
            if not same_dimension(written, form) or (rate and route == "bath"):
                continue
            if rate and duration == 0.0:
                raise Fault("a rate needs the duration of the infusion", expected=expected)
            value = convert(amount, form) * (duration if rate else 1.0)
            per_mole = molar_mass(what, overrides) if molar else 1.0
            return value / per_mole
    raise Fault(f"'{written}' is not a unit of a dose given {route}", expected=expected)


def check_most(what: str, route: str, amount: str, duration: float = 0.0, every: float | None = None) -> None:
    """Fault where a body is given more in a day, or a bath holds more, than anybody gives.

    duration of an infusion in h, of which over days a day's share counts; every: h after which it is given again.
    """
    unit = dose_unit(what, route)
    grams = dose_amount(what, route, amount, duration) * molar_mass(what, None)
    grams *= 1e-9 if unit.startswith("nmol") else 1e-3
    if route != "bath":
        grams *= DAY / min(max(duration, DAY), every or math.inf)
    most, of = _most(what, route)
    if grams > most * (1.0 + _ROUNDING):
        raise Fault(f"{grams:.3g} {of}, more than anybody gives", expected=f"at most {most:g} {of}")


def _most(what: str, route: str) -> tuple[float, str]:
    """The most that is given, in g of what."""
    if route == "icv":
        return MOST_ICV, "g a day"
    most = MOST_METABOLITE if what in METABOLITES else MOST_PROTEIN if what in PROTEINS else MOST_STEROID
    return most, "g/L" if route == "bath" else "g/kg a day"


def molar_mass(what: str, overrides: dict[str, str | float] | None) -> float:
    """Molar mass of what can be given, g/mol."""
    masses = load_parameters(MolarMasses, "substances", overrides=overrides)
    mass: float = getattr(masses, what.removeprefix("2-"))
    if mass < 1.0:
        raise Fault(f"{what} has a molar mass of {mass:g} g/mol", expected="at least that of hydrogen, 1 g/mol")
    return mass


def _expected(unit: str) -> str:
    return {
        "nmol": 'an amount such as "10 nmol" or "1 ug"',
        "mmol/kg": 'an amount per body mass such as "500 mg/kg", or a rate with a duration such as "2 mmol/kg/h"',
        "nmol/kg": 'an amount per body mass such as "0.1 mg/kg", or a rate with a duration such as "1 mg/kg/h"',
        "mmol/L": 'a concentration such as "5 mmol/L"',
        "nmol/L": 'a concentration such as "10 nmol/L"',
    }[unit]
