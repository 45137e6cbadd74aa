"""The state of the body and its equations of motion: which subsystem drives which.

Exercise demand -> oxygen uptake -> lactate, glucose uptake, hepatic output, sympathetic state, irisin, cortisol drive,
fitness. Meals -> gut -> glucose -> insulin, glucagon -> liver glycogen, free fatty acids -> BHB.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body.adaptation import (
    AdaptationParameters,
    MaximalUptake,
    fitness_rate,
    oxygen_demand,
    reserve_in_use,
    resting_uptake,
    threshold_shift,
    training_rate,
    work_done,
)
from abm.body.cortisol import CortisolParameters, cortisol_rates
from abm.body.doses import DoseParameters
from abm.body.fuels import FuelParameters, ffa_rate, fuel_fluxes, insulin_rate
from abm.body.irisin import IrisinParameters, irisin_rate
from abm.body.ketones import (
    KetoneParameters,
    butanediol_conversion,
    fasting_rate,
    ketogenesis,
    ketogenic_capacity,
    ketone_absorption,
    ketone_clearance,
)
from abm.body.lactate import LactateParameters, deficit_glycolysis, lactate_rates
from abm.elementary import LN2
from abm.loops import compiled, loop

STATE_VARIABLES = {
    "oxygen_uptake": "above rest, fraction of VO2max, follows demand",
    "muscle_lactate": "mmol per litre of lactate space",
    "lactate": "mmol/L",
    "gut_carbohydrate": "mmol glucose per kg body mass",
    "glycogen": "liver, mmol glucose per kg body mass",
    "glucose": "mmol/L",
    "insulin": "pmol/L",
    "sympathetic": "effort remembered over hours, share of the uptake reserve",
    "ffa": "mmol/L",
    "gut_ketone": "BHB, mmol per kg body mass",
    "butanediol": "mmol per kg body mass",
    "fasting": "how far days of low insulin have turned the body to a fast, 0 fed",
    "bhb": "mmol/L",
    "irisin": "nmol/L",
    "cortisol_drive": "effort above the threshold, fraction of VO2max",
    "cortisol": "nmol/L",
    "training_signal": "hours at VO2max that training of the last days amounts to",
    "fitness": "0 untrained, 1 trained",
    "dexamethasone": "nmol/L",
    "deoxyglucose": "mmol/L",
    "bdnf": "nmol/L, dosed",
}
STATES = tuple(STATE_VARIABLES)
(
    UPTAKE, MUSCLE_LACTATE, LACTATE, GUT_CARBOHYDRATE, GLYCOGEN, GLUCOSE, INSULIN, SYMPATHETIC, FFA,
    GUT_KETONE, BUTANEDIOL, FASTING, BHB, IRISIN, CORTISOL_DRIVE, CORTISOL,
    TRAINING_SIGNAL, FITNESS, DEXAMETHASONE, DEOXYGLUCOSE, BDNF,
) = range(len(STATES))  # fmt: skip

# Columns of the inputs that hold over one interval; infusions into each state, in its unit per hour, follow them.
DEMAND, LOAD, MEAL, KETOGENESIS, IRISIN_RELEASE, ADAPTING, FIRST_INFUSION = range(7)

Vector = NDArray[np.float64]


class BodyParameters(NamedTuple):
    """All constants of one subject's body."""

    lactate: LactateParameters
    fuels: FuelParameters
    ketones: KetoneParameters
    irisin: IrisinParameters
    cortisol: CortisolParameters
    adaptation: AdaptationParameters
    maximal_uptake: MaximalUptake
    doses: DoseParameters
    glucose_molar_mass: float  # g/mol


@loop
def fuel_rates(p: BodyParameters, state: Vector, meal: float, ketogenesis_activity: float, rate: Vector) -> None:
    """Rates of gut, glycogen, glucose, insulin, sympathetic state, fatty acids and BHB, written into `rate`.

    gut' = meal - absorption;  glycogen' = portal uptake - glycogenolysis;
    V G' = absorption - portal uptake + glycogenolysis + gluconeogenesis - uptake;  s' = (e - s) / tau_s, e the share of
    the oxygen-uptake reserve in use;  B' = activity x ketogenesis + (absorption + yield x butanediol conversion) / V -
    clearance.
    """
    reserve = reserve_in_use(p.maximal_uptake, state[UPTAKE], state[FITNESS])
    work = work_done(p.maximal_uptake, state[UPTAKE], state[FITNESS])
    flux = fuel_fluxes(
        p.fuels, state[GUT_CARBOHYDRATE], state[GLYCOGEN], state[GLUCOSE], state[INSULIN], state[SYMPATHETIC], work
    )
    absorbed = ketone_absorption(p.ketones, state[GUT_KETONE], state[GUT_CARBOHYDRATE])
    converted = butanediol_conversion(p.ketones, state[BUTANEDIOL])
    output = flux.glycogenolysis + flux.gluconeogenesis
    supply = flux.gut_glucose - flux.portal_uptake + output
    capacity = ketogenic_capacity(p.ketones, state[FASTING])
    made = ketogenesis(p.ketones, capacity, state[FFA], flux.insulin_action, flux.glucagon, state[GLYCOGEN])
    rate[GUT_CARBOHYDRATE] = meal - flux.gut_glucose
    rate[GLYCOGEN] = flux.portal_uptake - flux.glycogenolysis
    rate[GLUCOSE] = (supply - flux.glucose_uptake) / p.fuels.glucose_volume
    rate[INSULIN] = insulin_rate(p.fuels, state[GLUCOSE], state[INSULIN], flux.gut_glucose, reserve)
    rate[SYMPATHETIC] = (reserve - state[SYMPATHETIC]) / p.fuels.sympathetic_time
    rate[FFA] = ffa_rate(
        p.fuels, state[FFA], flux.insulin_action, state[SYMPATHETIC], work, state[BHB], state[FASTING]
    )
    rate[GUT_KETONE] = -absorbed
    rate[BUTANEDIOL] = -converted
    rate[FASTING] = fasting_rate(p.ketones, state[FASTING], flux.insulin_action)
    rate[BHB] = (
        ketogenesis_activity * made
        + (absorbed + p.ketones.ester_bhb_yield * converted) / p.ketones.ketone_volume
        - ketone_clearance(p.ketones, state[BHB], reserve, state[SYMPATHETIC], state[FITNESS])
    )


@loop
def drug_rates(p: DoseParameters, state: Vector, rate: Vector) -> None:
    """First-order elimination of dexamethasone, 2-deoxyglucose and infused BDNF, written into `rate`."""
    rate[DEXAMETHASONE] = -LN2 / p.dexamethasone_half_life * state[DEXAMETHASONE]
    rate[DEOXYGLUCOSE] = -LN2 / p.deoxyglucose_half_life * state[DEOXYGLUCOSE]
    rate[BDNF] = -LN2 / p.bdnf_half_life * state[BDNF]


@compiled
def body_rates(
    p: BodyParameters,
    time: float,
    state: Vector,
    inputs: Vector,
    depot_absorption: Vector,
    depot_target: NDArray[np.int64],
    depot_scale: Vector,
    rate: Vector,
) -> None:
    """Right-hand side of the whole body at `time` (h from midnight), written into `rate` (units of the state per hour).

    inputs: what holds over the interval (see DEMAND and following). Each dose that is absorbed has a depot, an extra
    state after STATES: d' = -k d, target' += k d x scale.
    """
    y, fitness = state[UPTAKE], state[FITNESS]  # y is 0 at rest exactly, so that the stiffest equation rests there
    rest, reserve = resting_uptake(p.maximal_uptake, fitness), reserve_in_use(p.maximal_uptake, y, fitness)
    shift = threshold_shift(p.adaptation, fitness)
    demand = oxygen_demand(p.maximal_uptake, inputs[DEMAND], inputs[LOAD], fitness)
    rate[UPTAKE], rate[MUSCLE_LACTATE], rate[LACTATE] = lactate_rates(
        p.lactate, demand, rest, y, state[MUSCLE_LACTATE], state[LACTATE], shift
    )
    fuel_rates(p, state, inputs[MEAL], inputs[KETOGENESIS], rate)
    rate[IRISIN] = irisin_rate(p.irisin, state[IRISIN], inputs[IRISIN_RELEASE], reserve, fitness)
    agonist = state[DEXAMETHASONE] / p.doses.dexamethasone_half_restraint
    rate[CORTISOL_DRIVE], rate[CORTISOL] = cortisol_rates(
        p.cortisol, time, rest, y, state[CORTISOL_DRIVE], state[CORTISOL], agonist, fitness
    )
    glycolysis = deficit_glycolysis(p.lactate, demand, rest + y, state[MUSCLE_LACTATE] + state[LACTATE])
    rate[TRAINING_SIGNAL] = training_rate(p.adaptation, state[TRAINING_SIGNAL], reserve, glycolysis)
    rate[FITNESS] = inputs[ADAPTING] * fitness_rate(p.adaptation, fitness, state[TRAINING_SIGNAL])
    drug_rates(p.doses, state, rate)
    first_depot = len(rate) - len(depot_absorption)
    for j in range(len(depot_absorption)):
        absorbed = depot_absorption[j] * state[first_depot + j]
        rate[first_depot + j] = -absorbed
        rate[depot_target[j]] += absorbed * depot_scale[j]
    for i in range(len(rate)):
        rate[i] += inputs[FIRST_INFUSION + i]
