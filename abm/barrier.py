"""The blood-brain barrier: what crosses between the plasma and the tissue around each capillary.

Lactate and BHB share one carrier, MCT1: two substrates compete for one site that works in both directions. Beside it
both leak passively. Free steroid crosses fast, irisin and BDNF slowly. The number of carriers follows what the blood
brings: ketones over a day or two, lactate of hard exercise over hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import exponential
from abm.loops import compiled, rule
from abm.parameters import Unit, load_parameters
from abm.signals import BDNF, BHB, CORTISOL, IRISIN, LACTATE

if TYPE_CHECKING:
    from abm.config import Experiment

Floats = npt.NDArray[np.float64]

MINUTES = 60.0  # per hour


class BarrierParameters(NamedTuple):
    """Constants of the barrier per gram of brain; values, ranges and sources in configs/parameters/barrier.yaml."""

    lactate_limit: Annotated[float, Unit("umol/g/min")]
    lactate_half: Annotated[float, Unit("mmol/L")]
    bhb_limit: Annotated[float, Unit("umol/g/min")]
    bhb_half: Annotated[float, Unit("mmol/L")]
    trans_inhibition: Annotated[float, Unit("1")]
    lactate_permeability: Annotated[float, Unit("mL/g/min")]
    bhb_permeability: Annotated[float, Unit("mL/g/min")]
    irisin_permeability: Annotated[float, Unit("mL/g/min")]
    steroid_permeability: Annotated[float, Unit("mL/g/min")]
    bdnf_permeability: Annotated[float, Unit("mL/g/min")]
    free_steroid: Annotated[float, Unit("1")]
    tissue_density: Annotated[float, Unit("g/mL")]
    induction_limit: Annotated[float, Unit("1")]
    ketone_threshold: Annotated[float, Unit("mmol/L")]
    ketone_half: Annotated[float, Unit("mmol/L")]
    ketone_time: Annotated[float, Unit("h")]
    lactate_threshold: Annotated[float, Unit("mmol/L")]
    lactate_drive_half: Annotated[float, Unit("mmol/L")]
    message_time: Annotated[float, Unit("h")]
    carrier_time: Annotated[float, Unit("h")]


class Rates(NamedTuple):
    """The constants of exchange per tissue volume: limits in mmol/L/h, halves in mmol/L, permeabilities in 1/h."""

    lactate_limit: float
    lactate_half: float
    bhb_limit: float
    bhb_half: float
    trans_inhibition: float
    lactate_permeability: float
    bhb_permeability: float
    irisin_permeability: float
    steroid_permeability: float
    bdnf_permeability: float
    free_steroid: float


class Crossing(NamedTuple):
    """Exchange of both substrates of MCT1 per tissue volume: influx, mmol/L/h; efflux per brain concentration, 1/h."""

    bhb_influx: float
    bhb_efflux: float
    lactate_influx: float
    lactate_efflux: float


def rates_per_volume(p: BarrierParameters) -> Rates:
    """Turn the published rates per gram and minute into rates per tissue volume and hour."""
    per_volume = p.tissue_density * MINUTES
    return Rates(
        p.lactate_limit * per_volume,
        p.lactate_half,
        p.bhb_limit * per_volume,
        p.bhb_half,
        p.trans_inhibition,
        p.lactate_permeability * per_volume,
        p.bhb_permeability * per_volume,
        p.irisin_permeability * per_volume,
        p.steroid_permeability * per_volume,
        p.bdnf_permeability * per_volume,
        p.free_steroid,
    )


@rule
def cross(
    k: Rates, plasma_bhb: float, plasma_lactate: float, brain_bhb: float, brain_lactate: float, carriers: float
) -> Crossing:
    """Exchange of BHB and lactate across MCT1 and by leak, for a mean piece of tissue.

    With p = sum over both substrates of plasma/half, b the same for the brain side, for substrate s

        influx = V_s p_s (1 + (1 - a) b)/N + PS_s plasma,    efflux = V_s b_s (1 + (1 - a) p)/N + PS_s brain,
        N = (1 + p)(1 + b) - a^2 p b.

    This is the symmetric carrier that crosses loaded at the rate l and empty at the rate m, a = (m - l) / (m + l), with
    binding at equilibrium. a = 1 is the reversible Michaelis-Menten law: the empty carrier is back at once, and what is
    on the other side only takes places. With a = 0 the sides do not feel each other; below 0 what waits on the other
    side speeds the carrier's return (trans-acceleration). Concentrations in mmol/L; carriers: active MCT1 relative to
    rest. Source of a = 1 and of V, half for lactate: boumezbeur2010.
    """
    p = plasma_bhb / k.bhb_half + plasma_lactate / k.lactate_half
    b = brain_bhb / k.bhb_half + brain_lactate / k.lactate_half
    own = 1.0 - k.trans_inhibition
    empty = carriers / ((1.0 + p) * (1.0 + b) - k.trans_inhibition * k.trans_inhibition * p * b)
    inward, outward = empty * (1.0 + own * b), empty * (1.0 + own * p)
    bhb, lactate = k.bhb_limit / k.bhb_half, k.lactate_limit / k.lactate_half
    return Crossing(
        (bhb * inward + k.bhb_permeability) * plasma_bhb,
        bhb * outward + k.bhb_permeability,
        (lactate * inward + k.lactate_permeability) * plasma_lactate,
        lactate * outward + k.lactate_permeability,
    )


@compiled
def cross_all(
    k: Rates, plasma: Floats, brain: Floats, weight: Floats, carriers: float, influx: Floats, efflux: Floats
) -> None:
    """Apply `cross` and the slower passages to every capillary voxel.

    plasma (5,); brain (5, m) at the capillaries; weight (m,) surface relative to the mean of the tissue; influx (5, m)
    concentration/h and efflux (5, m) 1/h are written.
    """
    free = k.steroid_permeability * k.free_steroid * plasma[CORTISOL]
    for i in range(weight.size):
        w = weight[i]
        crossing = cross(k, plasma[BHB], plasma[LACTATE], brain[BHB, i], brain[LACTATE, i], carriers)
        influx[BHB, i], efflux[BHB, i] = w * crossing.bhb_influx, w * crossing.bhb_efflux
        influx[LACTATE, i], efflux[LACTATE, i] = w * crossing.lactate_influx, w * crossing.lactate_efflux
        influx[IRISIN, i], efflux[IRISIN, i] = w * k.irisin_permeability * plasma[IRISIN], w * k.irisin_permeability
        influx[CORTISOL, i], efflux[CORTISOL, i] = w * free, w * k.steroid_permeability
        influx[BDNF, i], efflux[BDNF, i] = w * k.bdnf_permeability * plasma[BDNF], w * k.bdnf_permeability


@rule
def excess_saturation(concentration: float, threshold: float, half: float) -> float:
    """x^2/(x^2 + half^2) of the excess x of a concentration over a threshold; 0 below it."""
    x = max(concentration - threshold, 0.0) / half
    return x * x / (1.0 + x * x)


@rule
def induced_carriers(p: BarrierParameters, ketone: float, exercise: float) -> float:
    """MCT1 relative to rest: 1 + (limit - 1)(K + X - K X), from 1 to induction_limit."""
    return 1.0 + (p.induction_limit - 1.0) * (ketone + exercise - ketone * exercise)


@compiled
def induce(p: BarrierParameters, state: Floats, bhb: float, lactate: float, duration: float) -> None:
    """Advance the induction state (3,) = (ketone part K, message m, exercise part X), each 0 to 1, exactly in time.

    K' = (S(bhb) - K)/ketone_time;  m' = (S(lactate) - m)/message_time;  X' = (m - X)/carrier_time,
    S the `excess_saturation`.
    Plasma concentrations in mmol/L stay constant over `duration` (h). K rises over a day or two of ketosis (pan2001,
    gjedde1975), X some hours after hard exercise (takimoto2014).
    """
    ketone = excess_saturation(bhb, p.ketone_threshold, p.ketone_half)
    state[0] = ketone + (state[0] - ketone) * exponential(-duration / p.ketone_time)
    drive = excess_saturation(lactate, p.lactate_threshold, p.lactate_drive_half)
    fast, slow = exponential(-duration / p.message_time), exponential(-duration / p.carrier_time)
    gap = 1.0 - p.carrier_time / p.message_time
    even = abs(gap) < 1e-6  # then the two exponentials merge
    passed = duration / p.carrier_time * fast if even else (fast - slow) / gap
    state[2] = drive + (state[2] - drive) * slow + (state[1] - drive) * passed
    state[1] = drive + (state[1] - drive) * fast


class Barrier:
    """The barrier of one tissue: its constants and how far MCT1 is induced.

    state: (3,) see `induce`; at rest 0 but for what the ketones of a resting day do (in type 2 diabetes).
    """

    def __init__(self, parameters: BarrierParameters) -> None:
        self.parameters, self.rates = parameters, rates_per_volume(parameters)
        self.state = np.zeros(3)

    @classmethod
    def build(cls, experiment: Experiment) -> Barrier:
        """The barrier of an experiment's subject."""
        subject = experiment.subject
        return cls(load_parameters(BarrierParameters, "barrier", subject.species, subject.overrides))

    @property
    def induction(self) -> float:
        """MCT1 relative to rest, from 1 to induction_limit; see `induced_carriers`."""
        return float(induced_carriers(self.parameters, float(self.state[0]), float(self.state[2])))

    def settle(self, bhb: Floats) -> None:
        """Bring the carriers to where days of a resting day's BHB (mmol/L, of equal steps) leave them, on the mean.

        Lactate at rest hardly acts on them and is left out.
        """
        p = self.parameters
        self.state[0] = np.mean([excess_saturation(value, p.ketone_threshold, p.ketone_half) for value in bhb])

    def induce(self, blood: Mapping[str, float], duration: float, remaining_activity: float = 1.0) -> None:
        """Let the carriers follow `duration` hours of the blood's bhb and lactate (mmol/L).

        Lactate acts once it has entered the endothelium through MCT1, so a block takes its part away (park2021).
        """
        induce(self.parameters, self.state, blood["bhb"], remaining_activity * blood["lactate"], duration)

    def exchange(
        self, blood: Mapping[str, float], brain: Floats, weight: Floats, remaining_activity: float = 1.0
    ) -> tuple[Floats, Floats]:
        """Influx (5, m), concentration/h, and efflux per concentration (5, m), 1/h, of every capillary voxel.

        blood: plasma means of bhb, lactate (mmol/L), irisin, cortisol (total) and, if any, bdnf_iv (nmol/L).
        brain: (5, m) extracellular concentrations at the capillaries; weight: (m,) their surface relative to the mean
        of the tissue; remaining_activity: of MCT1 under a blocker, 0 to 1.
        """
        plasma = np.array(
            [blood["bhb"], blood["lactate"], blood["irisin"], blood["cortisol"], blood.get("bdnf_iv", 0.0)]
        )
        influx, efflux = np.empty(brain.shape), np.empty(brain.shape)
        cross_all(self.rates, plasma, brain, weight, self.induction * remaining_activity, influx, efflux)
        return influx, efflux

    def checkpoint(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of the arrays that `restore` takes."""
        return {"induction": self.state.copy()}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a checkpoint."""
        self.state[:] = arrays["induction"]
