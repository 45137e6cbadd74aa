"""The body against published measurements: one row per quantity, the published spread as tolerance.

Grades: measured (read in the source), recalled (from general knowledge, wide tolerance). Where a source gives a
standard error it is turned into a standard deviation with its n; where it gives no spread 20 % is assumed, and said so.
Where it does not state the diet, subjects fast overnight. KNOWN_MISSES holds the rows the body does not meet, each with
the size of the miss: they fail when a miss grows, and when it disappears.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from body_laboratory import MINUTE, Samples, bout, ester, experiment, intervals, person

from abm.body import STATES, body_parameters, resting_day, resting_state, simulate_body, solve_body
from abm.body.adaptation import relative_maximal_uptake, reserve_in_use, resting_uptake, threshold_shift
from abm.body.ketones import ketone_clearance
from abm.body.lactate import glycolysis_left, muscle_lactate_production
from abm.schedule import Bout, Dose, Meal, Timeline, resting_timeline

UNTRAINED, RECREATIONAL, TRAINED = person("untrained"), person("recreational"), person("trained")
DIABETIC, MOUSE = person(condition="type_2_diabetes"), person(species="mouse")
MORNING = 8.0  # start of morning experiments, 13 h after the end of dinner
DINNER_ENDS = 19.0


class Row(NamedTuple):
    source: str
    protocol: str
    expected: float
    tolerance: float
    grade: str
    model: Callable[[], float]


def fasted(*bouts: Bout, subject=RECREATIONAL, duration=14.0, **options) -> Samples:
    """A morning without breakfast."""
    return experiment(subject, duration, bouts, fast_from=0.0, **options)


def incremental_test() -> Samples:
    """Power up by 20 W/min from 40 W; demand extrapolated from oxygen uptake at 130 and 241 W, 340 W at the end."""
    levels = np.interp(np.arange(1, 16), [0.0, 4.5, 10.0, 15.0], [0.2, 0.53, 0.83, 1.1])
    minutes = [bout(MORNING + minute * MINUTE, 1, level) for minute, level in enumerate(levels.tolist())]
    return fasted(*minutes, duration=9.0)


# 28 min at one mean power: 213 W; 340 W for 20 s and 125 W for 27 s; 279 W for 4 min and 128 W for 3 min.
CONTINUOUS = [bout(MORNING, 28, 0.77)]
SHORT = intervals(MORNING, 36, (20 / 60, 1.1), (26.7 / 60, 0.515))
LONG = intervals(MORNING, 4, (4, 0.93), (3, 0.525))


def mean_lactate(bouts: list[Bout]) -> float:
    return float(fasted(*bouts, duration=9.0).between("lactate", MORNING + 3 * MINUTE, MORNING + 28 * MINUTE).mean())


def peak_lactate(bouts: list[Bout], duration: float = 10.0) -> float:
    return fasted(*bouts, duration=duration).peak("lactate")


def lactate_after(minutes: float, intensity: float) -> float:
    return fasted(bout(MORNING, minutes, intensity), duration=9.0).at("lactate", MORNING + minutes * MINUTE)


def halving_after_maximum() -> float:
    return 60 * fasted(bout(MORNING, 8, 1.0), duration=11.0).time_to_halve("lactate", MORNING)


WINGATES = intervals(MORNING, 4, (0.5, 2.0), (4, 0.0))


def glycolysis_of_sprints(seconds: float, rest: float, count: int) -> float:
    """Lactate that muscle makes in the last of some sprints over that in the first."""
    p, sprints = body_parameters(RECREATIONAL), intervals(MORNING, count, (seconds / 60, 2.0), (rest / 60, 0.0))
    within = [np.arange(one.start, one.end, MINUTE / 60) for one in (sprints[0], sprints[-1])]
    timeline = replace(resting_timeline(RECREATIONAL, 10.0), bouts=tuple(sprints))
    times = np.concatenate([[0.0], *within])
    course = solve_body(p, timeline, times, resting_state(RECREATIONAL))
    names, made = ("oxygen_uptake", "muscle_lactate", "lactate", "fitness"), []
    columns = [course.at(times[1:], STATES.index(name)) for name in names]
    for uptake, muscle, blood, fitness in zip(*columns, strict=True):
        at_rest, shift = resting_uptake(p.maximal_uptake, fitness), threshold_shift(p.adaptation, fitness)
        unhindered = muscle_lactate_production(p.lactate, 2.0, at_rest, uptake, shift)
        made.append(glycolysis_left(p.lactate, muscle + blood) * unhindered)
    return float(sum(made[len(within[0]) :]) / sum(made[: len(within[0])]))


LACTATE = [
    Row("vanhall2009", "rest", 0.89, 0.08, "measured", lambda: fasted().at("lactate", MORNING)),
    Row("tschakert2015", "incremental test, end", 12.17, 2.50, "measured", lambda: incremental_test().peak("lactate")),
    Row("tschakert2015", "continuous 28 min, mean", 4.14, 1.84, "measured", lambda: mean_lactate(CONTINUOUS)),
    Row("tschakert2015", "continuous 28 min, peak", 5.54, 3.45, "measured", lambda: peak_lactate(CONTINUOUS)),
    Row("tschakert2015", "20-s intervals, mean", 5.22, 1.41, "measured", lambda: mean_lactate(SHORT)),
    Row("tschakert2015", "20-s intervals, peak", 7.14, 2.48, "measured", lambda: peak_lactate(SHORT)),
    Row("tschakert2015", "4 x 4 min, mean", 9.83, 2.78, "measured", lambda: mean_lactate(LONG)),
    Row("tschakert2015", "4 x 4 min, peak", 12.37, 4.17, "measured", lambda: peak_lactate(LONG)),
    Row("menzies2010", "5 min at 90 %", 3.9, 0.3, "measured", lambda: lactate_after(5, 0.9)),
    Row("devlin2014", "three 1-min all-out bouts (number and pace not stated)", 11.5, 2.3, "measured",
        lambda: peak_lactate(intervals(MORNING, 3, (1, 1.4), (1, 0.0)))),
    Row("recalled", "four 30-s all-out bouts, peak", 17.5, 2.5, "recalled", lambda: peak_lactate(WINGATES)),
    Row("bogdanis1996", "glycolysis of the second 30-s sprint over the first, 4 min apart (spread 20 %)", 0.55, 0.11,
        "measured", lambda: glycolysis_of_sprints(30, 240, 2)),
    Row("recalled", "passive halving after maximal exercise, min", 20, 5, "recalled", halving_after_maximum),
    Row("interpolated", "30 min at 30 %", 1.0, 0.3, "recalled", lambda: lactate_after(30, 0.3)),
    Row("interpolated", "30 min at 40 %", 1.2, 0.4, "recalled", lambda: lactate_after(30, 0.4)),
    Row("interpolated", "30 min at 50 %", 1.6, 0.6, "recalled", lambda: lactate_after(30, 0.5)),
    Row("interpolated", "30 min at 60 %", 2.2, 0.8, "recalled", lambda: lactate_after(30, 0.6)),
    Row("interpolated", "30 min at 70 %", 3.0, 1.2, "recalled", lambda: lactate_after(30, 0.7)),
    Row("interpolated", "30 min at 80 %", 4.2, 1.7, "recalled", lambda: lactate_after(30, 0.8)),
    Row("interpolated", "10 min at 90 %", 6.5, 2.5, "recalled", lambda: lactate_after(10, 0.9)),
    Row("interpolated", "5.5 min at 100 %", 11.0, 3.0, "recalled", lambda: lactate_after(5.5, 1.0)),
]


def fast(subject=UNTRAINED) -> Samples:
    """Nothing after dinner of the first day."""
    return experiment(subject, 96.0, fast_from=DINNER_ENDS)


def after_fasting(name: str, hours: float, subject=UNTRAINED) -> float:
    return fast(subject).at(name, DINNER_ENDS + hours)


def time_trial(subject=TRAINED) -> Samples:
    """85 min steady and a 30-min time trial, three hours after the usual breakfast."""
    return experiment(subject, 14.0, [bout(9.5, 85, 0.65), bout(9.5 + 85 * MINUTE, 30, 0.8)], fast_from=10.0)


def depletion() -> float:
    """Highest BHB after glycogen-depleting intervals without food (20 x 2 min at 90 and 50 % assumed)."""
    bouts = intervals(MORNING, 20, (2, 0.9), (2, 0.5))
    return fasted(*bouts, subject=TRAINED).peak("bhb", MORNING, MORNING + 80 * MINUTE + 2)


def long_moderate(subject=UNTRAINED, **options) -> Samples:
    return fasted(bout(MORNING, 120, 0.5), subject=subject, duration=15.0, **options)


MEAL_BEFORE_DRINK = Meal(8.25, 8.75, 1.2)
DRINK = 9.0


def drink(milligram: float, *bouts: Bout, subject=RECREATIONAL, meals=()) -> Samples:
    return fasted(*bouts, subject=subject, duration=20.0, doses=[ester(milligram, DRINK)], meals=meals)


def shake(milligram: float) -> Samples:
    """Ester in a meal-replacement drink of 11.5 kcal/kg, a bit more than half of it carbohydrate."""
    return drink(milligram, meals=[Meal(DRINK - 0.1, DRINK + 0.1, 1.2 if milligram > 700 else 1.6)])


def drink_then_cycle(milligram: float) -> float:
    """Highest BHB up to the end of 20 min each at 25, 50 and 75 % of maximal power, from 45 min after the drink."""
    start = DRINK + 0.75
    stages = [bout(start + k * 20 * MINUTE, 20, y) for k, y in enumerate((0.35, 0.55, 0.78))]
    return drink(milligram, *stages, subject=TRAINED).peak("bhb", DRINK, start + 1)


def tolerance_test() -> float:
    """BHB 120 min into an oral glucose tolerance test begun 30 min after 0.48 g/kg of ester, relative to baseline."""
    test = drink(480, meals=[Meal(DRINK + 0.5, DRINK + 0.6, 75 / 70)])
    return test.at("bhb", DRINK + 2.5) / test.at("bhb", DRINK)


def peak_after(subject) -> float:
    return long_moderate(subject).peak("bhb", MORNING + 2, MORNING + 5)


def exercise_effect_on_clearance(bhb: float) -> float:
    """Ratio of BHB clearance at 50 % VO2max to that at rest."""
    p = body_parameters(UNTRAINED)
    effort = reserve_in_use(p.maximal_uptake, 0.5 - resting_uptake(p.maximal_uptake, 0.0), 0.0)
    return ketone_clearance(p.ketones, bhb, effort, effort, 0.0) / ketone_clearance(p.ketones, bhb, 0.0, 0.0, 0.0)


def later_liver_output(test: Samples) -> float:
    """Mean liver output from one hour of exercise on, over that at rest."""
    later = np.mean([test.liver_output(MORNING + hour) for hour in (1, 2, 3, 3.8)])
    return float(later / test.liver_output(MORNING - 0.1))


KETONES = [
    Row("pan2001", "overnight fast", 0.20, 0.10, "measured", lambda: after_fasting("bhb", 13)),
    Row("avogaro1996", "overnight fast, type 2 diabetes over controls", 2.21, 0.6, "measured",
        lambda: after_fasting("bhb", 13, DIABETIC) / after_fasting("bhb", 13)),
    Row("recalled", "fed, three hours after breakfast", 0.06, 0.06, "recalled",
        lambda: experiment(UNTRAINED, 12.0).at("bhb", 10.0)),
    Row("pan2000", "48 h fast (no spread, 20 %)", 1.7, 0.34, "measured", lambda: after_fasting("bhb", 48)),
    Row("pan2000", "72 h fast (no spread, 20 %)", 3.0, 0.6, "measured", lambda: after_fasting("bhb", 72)),
    Row("shaw2019", "start of steady cycling (no spread; 0.1 is the resolution of a meter)", 0.11, 0.1, "measured",
        lambda: time_trial().at("bhb", 9.5)),
    Row("shaw2019", "end of 85 min of steady cycling (as above)", 0.16, 0.1, "measured",
        lambda: time_trial().at("bhb", 9.5 + 85 * MINUTE)),
    Row("holdsworth2017", "after depleting intervals, peak (no spread; that of the row above)", 0.7, 0.24, "measured",
        depletion),
    Row("johnson1969", "peak after 2 h at 50 %, untrained", 1.5, 1.0, "recalled",
        lambda: long_moderate().peak("bhb", MORNING + 2, MORNING + 6)),
    Row("clarke2012", "halving after 714 mg/kg in a shake, h", 1.95, 1.15, "measured",
        lambda: shake(714).time_to_halve("bhb", DRINK)),
    Row("clarke2012", "peak after 714 mg/kg in a shake (no spread, 20 %)", 3.30, 0.66, "measured",
        lambda: shake(714).peak("bhb")),
    Row("stubbs2017", "peak after 24 g of BHB, 282 mg/kg (no spread, 20 %)", 2.8, 0.56, "measured",
        lambda: drink(282).peak("bhb")),
    Row("stubbs2017", "4 h after it, back to baseline", 0.2, 0.2, "measured", lambda: drink(282).at("bhb", DRINK + 4)),
    Row("stubbs2017", "peak after 395 mg/kg, fasted (no spread, 20 %)", 3.3, 0.66, "measured",
        lambda: drink(395).peak("bhb")),
    Row("stubbs2017", "peak after 395 mg/kg, fed (no spread, 20 %)", 2.2, 0.44, "measured",
        lambda: drink(395, meals=[MEAL_BEFORE_DRINK]).peak("bhb")),
    Row("stubbs2017", "fed over fasted peak", 0.67, 0.1, "measured",
        lambda: drink(395, meals=[MEAL_BEFORE_DRINK]).peak("bhb") / drink(395).peak("bhb")),
    Row("dearlove2021", "252 mg/kg, exercise (no spread, 20 %)", 2.0, 0.4, "measured", lambda: drink_then_cycle(252)),
    Row("dearlove2021", "752 mg/kg, exercise (no spread, 20 %)", 4.4, 0.88, "measured", lambda: drink_then_cycle(752)),
    Row("dearlove2021b", "573 mg/kg (no spread, 20 %)", 4.5, 0.9, "measured", lambda: drink(573).peak("bhb")),
    Row("walsh2020", "0.48 g/kg, 120 min of a glucose tolerance test, over baseline", 9.0, 4.54, "measured",
        tolerance_test),
    Row("fery1988", "exercise on clearance at 6 mmol/L, at its start (no spread, 20 %)", 1.25, 0.25, "measured",
        lambda: exercise_effect_on_clearance(6.0)),
    Row("fery1983", "end of 2 h at 50 %, untrained", 0.45, 0.25, "recalled",
        lambda: long_moderate().at("bhb", MORNING + 2)),
]


def leg_uptake(intensity: float) -> float:
    """Glucose uptake of working legs after 40 min over rest, when legs take 30 % of what muscle takes (assumed)."""
    test, p = fasted(bout(MORNING, 41, intensity)), body_parameters(RECREATIONAL).fuels
    at_rest = 0.3 * (p.liver_output_basal - p.obligatory_uptake)
    extra = test.fluxes(MORNING + 40 * MINUTE).glucose_uptake - test.fluxes(MORNING - 0.1).glucose_uptake
    return 1.0 + extra / at_rest


def ratio_over(test: Samples, name: str, start: float, end: float) -> float:
    return test.at(name, end) / test.at(name, start)


def exhausting(*meals: Meal) -> Samples:
    return fasted(bout(MORNING, 240, 0.71), subject=TRAINED, meals=meals)


def two_hours(*meals: Meal) -> Samples:
    return fasted(bout(MORNING, 121, 0.5), subject=TRAINED, meals=meals)


def to_fatigue() -> Samples:
    """232 min at 68 % with 80 g/h of glucose."""
    return fasted(bout(MORNING, 232, 0.68), subject=TRAINED, meals=[Meal(MORNING, MORNING + 3.87, 4.42)])


def light_work() -> Samples:
    return fasted(bout(MORNING, 240, 0.3))


BIG_DRINKS = (Meal(MORNING, MORNING + 0.1, 1.76), Meal(MORNING + 0.1, MORNING + 2, 3.5))
SUGAR = (Meal(MORNING, MORNING + 0.2, 1.0), Meal(MORNING + 0.2, MORNING + 3.5, 4.0))


def exercise_liver_output(test: Samples, minutes: float) -> float:
    """Highest hepatic output from 15 min on over that before exercise."""
    times = MORNING + np.arange(15, minutes, 10) * MINUTE
    return max(test.liver_output(time) for time in times.tolist()) / test.liver_output(MORNING - 0.1)


FUELS = [
    Row("coyle1986", "glucose before 3 h at 71 %", 5.0, 0.3, "recalled", lambda: exhausting().at("glucose", MORNING)),
    Row("coyle1986", "glucose after 3 h at 71 %", 2.5, 0.6, "recalled",
        lambda: exhausting().at("glucose", MORNING + 3)),
    Row("coyle1986", "glucose at 3 h with carbohydrate", 4.7, 0.5, "recalled",
        lambda: exhausting(*SUGAR).at("glucose", MORNING + 3)),
    Row("jeukendrup1999", "glucose appearance after 2 h at 50 % (no spread, 20 %), umol/kg/min", 51.5, 10.3, "measured",
        lambda: two_hours().liver_output(MORNING + 2)),
    Row("jeukendrup1999", "the same with large drinks (no spread, 20 %)", 118, 24, "measured",
        lambda: two_hours(*BIG_DRINKS).fluxes(MORNING + 2).glucose_uptake / 0.06),
    Row("jeukendrup1999", "liver output with large drinks, none", 0.0, 5.0, "measured",
        lambda: two_hours(*BIG_DRINKS).liver_output(MORNING + 2)),
    Row("angus2002", "glucose disposal at fatigue, SD from SE 7 and n = 9", 118, 21, "measured",
        lambda: to_fatigue().fluxes(MORNING + 3.8).glucose_uptake / 0.06),
    Row("wahren1971", "leg uptake over rest, 40 min of light work (30 %, 20 % tolerance)", 7, 1.4, "measured",
        lambda: leg_uptake(0.3)),
    Row("wahren1971", "the same, moderate work (55 %)", 15, 5, "measured", lambda: leg_uptake(0.55)),
    Row("wahren1971", "insulin after 40 min of moderate work, a small fall", 0.8, 0.2, "measured",
        lambda: ratio_over(fasted(bout(MORNING, 41, 0.55)), "insulin", MORNING, MORNING + 40 * MINUTE)),
    Row("wahren1971", "splanchnic output at rest, mmol/min at 70 kg", 1.1, 0.3, "measured",
        lambda: fasted().liver_output(MORNING) * 70 / 1000),
    Row("ahlborg1974", "glucose after 4 h at 30 %, over rest", 0.7, 0.2, "recalled",
        lambda: ratio_over(light_work(), "glucose", MORNING, MORNING + 4)),
    Row("ahlborg1974", "insulin after 4 h at 30 %, over rest", 0.5, 0.2, "recalled",
        lambda: ratio_over(light_work(), "insulin", MORNING, MORNING + 4)),
    Row("ahlborg1974", "glucagon after 4 h at 30 %, over rest", 3.5, 1.5, "recalled",
        lambda: light_work().fluxes(MORNING + 3.99).glucagon / light_work().fluxes(MORNING - 0.1).glucagon),
    Row("ahlborg1974", "fatty acids after 4 h at 30 %", 1.8, 0.6, "recalled",
        lambda: light_work().at("ffa", MORNING + 4)),
    Row("recalled", "liver glycogen when fed, g at 70 kg", 95, 15, "recalled",
        lambda: experiment(UNTRAINED, 24.0).peak("glycogen") * 70 * 0.162),
    Row("recalled", "liver glycogen overnight, over fed", 0.55, 0.1, "recalled",
        lambda: after_fasting("glycogen", 12) / after_fasting("glycogen", 1.7)),
    Row("recalled", "liver glycogen after 90 min at 68 %, over before", 0.5, 0.15, "recalled",
        lambda: ratio_over(experiment(RECREATIONAL, 12.0, [bout(10, 90, 0.68)], 8.0), "glycogen", 10.0, 11.5)),
    Row("boden2001", "fatty acids 16 h after a meal (no spread, 20 %)", 0.462, 0.092, "measured",
        lambda: after_fasting("ffa", 16)),
    Row("boden2001", "fatty acids 24 h after a meal (no spread, 20 %)", 0.573, 0.115, "measured",
        lambda: after_fasting("ffa", 24)),
    Row("boden2001", "the same, type 2 diabetes, 16 h (no spread, 20 %)", 0.636, 0.127, "measured",
        lambda: after_fasting("ffa", 16, DIABETIC)),
    Row("boden2001", "the same, type 2 diabetes, 24 h (no spread, 20 %)", 0.711, 0.142, "measured",
        lambda: after_fasting("ffa", 24, DIABETIC)),
    Row("avogaro1996", "basal insulin, controls (no spread, 20 %)", 49, 10, "measured",
        lambda: after_fasting("insulin", 13)),
    Row("avogaro1996", "basal insulin, type 2 diabetes (no spread, 20 %)", 77, 15, "measured",
        lambda: after_fasting("insulin", 13, DIABETIC)),
    Row("recalled", "fasting glucose, type 2 diabetes", 8.0, 1.5, "recalled",
        lambda: after_fasting("glucose", 13, DIABETIC)),
]


def cortisol_change(minutes: float, intensity: float, start: float = 10.0, after: float = 0.0) -> float:
    """Cortisol at the end of a bout (or `after` hours later) over that at its start."""
    bouts = [bout(start, minutes, intensity)] if intensity else []
    test = experiment(TRAINED, 20.0, bouts)
    return ratio_over(test, "cortisol", start, start + minutes * MINUTE + after)


def cortisol_over_rest(minutes: float, intensity: float, at: float) -> float:
    test, rest = experiment(TRAINED, 14.0, [bout(10.0, minutes, intensity)]), experiment(TRAINED, 14.0)
    return test.at("cortisol", 10.0 + at * MINUTE) / rest.at("cortisol", 10.0 + at * MINUTE)


def cortisol_rise(start: float) -> float:
    return experiment(RECREATIONAL, 20.0, [bout(start, 90, 0.55)]).rise("cortisol", start)


def cortisol_elimination() -> float:
    """Half-life of an injection while dexamethasone silences the body's own, min."""
    doses = [Dose("dexamethasone", "iv", 1e6, 0.0, 0.0), Dose("corticosterone", "iv", 1000.0, 20.0, 0.0)]
    test = experiment(UNTRAINED, 24.0, doses=doses)
    return 60 * np.log(2) / np.log(test.at("cortisol", 20.0) / test.at("cortisol", 21.0))


def dexamethasone_at_eight() -> float:
    """Of total plasma, nmol/L, after 1 mg by mouth and 70 kg."""
    dose = 1e6 / 392.46 / 70.0  # nmol/kg
    return experiment(UNTRAINED, 33.0, doses=[Dose("dexamethasone", "oral", dose, 23.0, 0.0)]).at("dexamethasone", 32.0)


CORTISOL = [
    Row("debono2009", "peak", 428, 100, "measured", lambda: experiment(UNTRAINED, 24.0).peak("cortisol")),
    Row("debono2009", "time of the peak, h", 8.53, 0.1, "measured",
        lambda: experiment(UNTRAINED, 24.0).time_of_peak("cortisol")),
    Row("debono2009", "nadir", 55, 14, "measured", lambda: float(experiment(UNTRAINED, 24.0)["cortisol"].min())),
    Row("debono2009", "time of the nadir, h", 0.3, 0.1, "measured",
        lambda: float(np.argmin(experiment(UNTRAINED, 24.0)["cortisol"]) * MINUTE / 2)),
    # Change of concentration corrected for the change of plasma volume, the tolerance likewise.
    Row("hill2008", "30 min of rest", 0.955, 0.036, "measured", lambda: cortisol_change(30, 0.0)),
    Row("hill2008", "30 min at 40 %", 0.952, 0.099, "measured", lambda: cortisol_change(30, 0.4)),
    Row("hill2008", "30 min at 80 %", 1.516, 0.153, "measured", lambda: cortisol_change(30, 0.8)),
    Row("hill2008", "30 min at 60 %", 1.181, 0.100, "measured", lambda: cortisol_change(30, 0.6)),
    Row("jstrengthcondres2002", "1 h at 44 %, over rest, no difference", 1.0, 0.1, "measured",
        lambda: cortisol_over_rest(60, 0.44, 59)),
    # 94 % of 53 subjects had more than 5 nmol/L; as a tolerance, a factor of two above that.
    Row("asvold2012", "dexamethasone at 08:00 after 1 mg at 23:00", 7.5, 2.5, "measured", dexamethasone_at_eight),
    Row("weitzman1971", "half-life, min (no spread, 20 %)", 66, 13, "measured", cortisol_elimination),
]
IRISIN = [
    Row("jedrychowski2015", "sedentary (no spread, 20 %)", 0.30, 0.06, "measured",
        lambda: experiment(UNTRAINED, 1.0).at("irisin", 0.5)),
    Row("jedrychowski2015", "trained over sedentary (no spread, 20 % of the difference)", 1.19, 0.04, "measured",
        lambda: experiment(TRAINED, 0.1).at("irisin", 0.0) / experiment(UNTRAINED, 0.1).at("irisin", 0.0)),
    Row("winn2017", "50 min at 55 % in the afternoon, over its start", 1.119, 0.076, "measured",
        lambda: experiment(UNTRAINED, 17.5, [bout(16.0, 50, 0.55)]).peak("irisin", 16.0)
        / experiment(UNTRAINED, 17.5, [bout(16.0, 50, 0.55)]).at("irisin", 16.0)),
]


def wheel_night() -> Samples:
    """Twelve hours of six-minute bouts at 56 % VO2max, running 42 % of the time."""
    bouts = [bout(19 + k * 0.24, 6, 0.56) for k in range(50)]
    return experiment(MOUSE, 32.0, bouts)


def mouse_fast(name: str, hours: float) -> float:
    return experiment(MOUSE, 34.0, fast_from=9.0).at(name, 9.0 + hours)


def mouse_treadmill(minutes: float, intensity: float) -> Samples:
    return experiment(MOUSE, 13.0, [bout(10.0, minutes, intensity)])


def mouse_mean(name: str, start: float, end: float) -> float:
    return float(experiment(MOUSE, 24.0).between(name, start, end).mean())


RODENT = [
    Row("recalled", "lactate at rest", 2.25, 0.75, "recalled", lambda: experiment(MOUSE, 1.0).at("lactate", 0.5)),
    Row("compexercphysiol2009", "steady lactate at 72 %, maximal steady states of 4.40-6.67", 5.54, 1.14, "measured",
        lambda: mouse_treadmill(25, 0.72).at("lactate", 10.4)),
    Row("jjh1986", "exhausting run of 38 min at 78 % (rat), peak", 6.85, 0.65, "measured",
        lambda: mouse_treadmill(38, 0.78).peak("lactate")),
    Row("recalled", "maximal running, peak", 10, 2, "recalled", lambda: mouse_treadmill(12, 0.95).peak("lactate")),
    Row("assumed", "wheel, mean over the night", 3, 1, "recalled",
        lambda: float(wheel_night().between("lactate", 19, 31).mean())),
    Row("recalled", "BHB fed, light phase (0.1-0.3)", 0.2, 0.1, "recalled", lambda: mouse_mean("bhb", 7, 19)),
    Row("recalled", "BHB after 24 h without food (1-2)", 1.5, 0.5, "recalled", lambda: mouse_fast("bhb", 24)),
    Row("holcomb2021", "BHB after 8 h without food, over fed: raised", 6, 5, "recalled",
        lambda: mouse_fast("bhb", 8) / mouse_fast("bhb", 0)),
    Row("pmc7825708", "time of that peak, h (no spread; sampling interval)", 0.5, 0.25, "measured",
        lambda: experiment(MOUSE, 16.0, doses=[ester(3000, 9.0)]).time_of_peak("bhb", 9.0) - 9.0),
    Row("recalled", "glucose fed (7-9)", 8, 1, "recalled", lambda: mouse_mean("glucose", 0, 24)),
    Row("recalled", "glucose after 24 h without food (4-5, 20 %)", 4.5, 0.9, "recalled",
        lambda: mouse_fast("glucose", 24)),
    Row("recalled", "liver glycogen after 14 h without food, over fed: near zero", 0.0, 0.1, "recalled",
        lambda: mouse_fast("glycogen", 14) / mouse_fast("glycogen", 0)),
    Row("reul1987", "corticosterone in the morning (rat)", 43, 10, "measured",
        lambda: experiment(MOUSE, 24.0).at("cortisol", 9.0)),
    Row("pmc5508056", "rise at the maximal lactate steady state (rat, 30 min at 65 %)", 128, 65, "measured",
        lambda: mouse_treadmill(30, 0.65).rise("cortisol", 10.0)),
    Row("recalled", "corticosterone in the evening, 80-150 ng/ml", 332, 101, "recalled",
        lambda: experiment(MOUSE, 24.0).peak("cortisol")),
    Row("recalled", "wheel, BHB at lights-on (0.2-0.6)", 0.4, 0.2, "recalled", lambda: wheel_night().at("bhb", 31.0)),
]

ROWS = [*LACTATE, *KETONES, *FUELS, *CORTISOL, *IRISIN, *RODENT]


def label(row: Row) -> str:
    return f"{row.source}: {row.protocol}"


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_row(row: Row) -> None:
    assert row.model() == pytest.approx(row.expected, abs=row.tolerance)


class Miss(NamedTuple):
    """A row the body does not meet: model minus expected lies between `least` and `most`, outside the tolerance."""

    row: Row
    least: float
    most: float
    reason: str


KNOWN_MISSES = [
    Miss(
        Row("gaitanos1993", "glycolysis of the tenth 6-s sprint over the first: none (to 0.1)", 0.0, 0.1, "measured",
            lambda: glycolysis_of_sprints(6, 30, 10)),
        0.2, 0.35,
        "what is made in six seconds may leave muscle within them; the paper compared muscle before and after",
    ),
    Miss(
        Row("tschakert2015", "incremental test, first turn point", 1.73, 0.63, "measured",
            lambda: incremental_test().at("lactate", MORNING + 4.5 * MINUTE)),
        -0.72, -0.63,
        "as the second turn point, below; a deficit of a tenth asks for little since sprints gave the power of it",
    ),
    Miss(
        Row("tschakert2015", "incremental test, second turn point", 4.17, 1.33, "measured",
            lambda: incremental_test().at("lactate", MORNING + 10 * MINUTE)),
        -2.2, -1.8,
        "stage length is not stated; with one-minute stages lactate lags behind its steady state, which is 5.3",
    ),
    Miss(
        Row("shaw2019", "1 h after the time trial", 0.34, 0.24, "measured",
            lambda: time_trial().at("bhb", 9.5 + 175 * MINUTE)),
        0.24, 0.27,
        "0.7 mmol/L was found after depleting intervals (holdsworth2017); the fit lies nearer to that",
    ),
    Miss(
        Row("pmc7825708", "peak after 3 mg/g of ester, fed", 6.83, 0.19, "measured",
            lambda: experiment(MOUSE, 16.0, doses=[ester(3000, 9.0)]).peak("bhb", 9.0)),
        0.19, 0.22,
        "met at the half hour at which the paper has its peak; the model's is six minutes earlier",
    ),
    Miss(
        Row("clarke2012", "time of the peak after 714 mg/kg in a shake, h", 1.5, 0.5, "measured",
            lambda: shake(714).time_of_peak("bhb", DRINK) - DRINK),
        0.6, 0.9,
        "food slows absorption in the model; in the source it lowers the peak without delaying it",
    ),
    Miss(
        Row("clarke2012", "halving after 140 mg/kg in a shake, h", 1.95, 1.15, "measured",
            lambda: shake(140).time_to_halve("bhb", DRINK)),
        -1.6, -1.4,
        "clearance is fast at low concentration; the slow tail of acetoacetate turned back is left out",
    ),
    Miss(
        Row("clarke2012", "halving after 357 mg/kg in a shake, h", 1.95, 1.15, "measured",
            lambda: shake(357).time_to_halve("bhb", DRINK)),
        -1.3, -1.2,
        "as above",
    ),
    Miss(
        Row("wahren1971", "leg uptake over rest, heavy work (70 %)", 15, 7, "measured", lambda: leg_uptake(0.7)),
        8.5, 10.0,
        "the levels that are fitted ask for it, more of it since fatty acids have a limit; lighter work is met",
    ),
    Miss(
        Row("angus2002", "highest liver output in exercise with drinks, over rest: never above", 0.9, 0.2, "measured",
            lambda: exercise_liver_output(to_fatigue(), 230)),
        1.4, 1.8,
        "in the first half hour, before the drink has been absorbed",
    ),
    Miss(
        Row("angus2002", "mean liver output in exercise with drinks, from one hour on, over rest: not above", 0.8, 0.2,
            "measured", lambda: later_liver_output(to_fatigue())),
        0.25, 0.4,
        "from two hours on it is below rest; ketones after exercise ask for a liver that empties",
    ),
    Miss(
        Row("brandenberger1975", "rise in 90 min at 55 % from 10:00, SD from SE 1.2 ug/dl, n = 9", 328, 99, "measured",
            lambda: cortisol_rise(10.0)),
        -185, -155,
        "the source sees the same rise at 25 %, hill2008 none at 40 %: a response to the laboratory, not to effort",
    ),
    Miss(
        Row("jstrengthcondres2002", "76 %, before 40 min, over rest, no difference (saliva)", 1.0, 0.2, "measured",
            lambda: cortisol_over_rest(60, 0.76, 38)),
        0.8, 0.95,
        "hill2008 finds plasma cortisol up by half after 30 min at 80 %; saliva follows plasma late",
    ),
    Miss(
        Row("recalled", "four 30-s all-out bouts, minutes to the peak", 5.5, 3.5, "recalled",
            lambda: 60 * (fasted(*WINGATES).time_of_peak("lactate", MORNING) - MORNING) - 14),
        -4.2, -3.8,
        "lactate leaves muscle with one time constant, which the levels after sprints and intervals make short",
    ),
    Miss(
        Row("fery1988", "exercise on clearance at 5 mmol/L: negligible, as the source estimates", 1.125, 0.125,
            "measured", lambda: exercise_effect_on_clearance(5.0)),
        0.2, 0.3,
        "its levels, which fell from 6 to 4 mmol/L in two hours of exercise (fitted), ask for as much",
    ),
    Miss(
        Row("evans2017", "ketosis after 2 h at 50 %, trained over untrained: less", 0.5, 0.5, "recalled",
            lambda: peak_after(TRAINED) / peak_after(UNTRAINED)),
        0.65, 0.8,
        "at the same share of VO2max trained people burn more and empty their livers further",
    ),
    Miss(
        Row("jstrengthcondres2002", "rise of 1 h at 62 % (n.s.) over that at 76 % (significant)", 0.25, 0.25,
            "measured",
            lambda: (cortisol_over_rest(60, 0.62, 59) - 1) / (cortisol_over_rest(60, 0.76, 59) - 1)),
        0.28, 0.36,
        "saliva; in the plasma of hill2008 cortisol is up by half after 30 min at 60 %",
    ),
    Miss(
        Row("brandenberger1975", "rise in 90 min at 55 % from 13:00, SD from SE 0.3 ug/dl and n = 9", 36, 25,
            "measured", lambda: cortisol_rise(13.0)),
        145, 175,
        "a threshold below half of VO2max, which hill2008 asks for, lets 55 % through",
    ),
]


@pytest.mark.parametrize("miss", KNOWN_MISSES, ids=lambda miss: label(miss.row))
def test_known_miss_has_not_changed(miss: Miss) -> None:
    difference = miss.row.model() - miss.row.expected
    assert abs(difference) > miss.row.tolerance, "the row is met: move it to the rows"
    assert miss.least <= difference <= miss.most


# Directions.


def test_active_recovery_is_fastest_near_the_lactate_threshold() -> None:
    """Devlin 2014 and Menzies 2010: 60-100 % of the threshold clears faster than 40 %, that faster than rest."""

    def left(share: float) -> float:
        recovery = [bout(MORNING + 8 * MINUTE, 30, share * 0.53)] if share else []
        return fasted(bout(MORNING, 8, 1.0), *recovery).at("lactate", MORNING + 30 * MINUTE)

    assert left(0.8) < left(0.4) < left(0.0)
    assert left(0.8) < left(1.5)


def test_carbohydrate_during_exercise_prevents_ketosis() -> None:
    sugar = long_moderate(meals=[Meal(MORNING, MORNING + 2, 1.5)])
    assert sugar.peak("bhb", MORNING + 0.5, MORNING + 3) < 0.5 * long_moderate().peak("bhb", MORNING + 0.5, MORNING + 3)


def test_carbohydrate_after_exercise_ends_ketosis() -> None:
    sugar = long_moderate(meals=[Meal(MORNING + 2, MORNING + 2.3, 1.0)])
    assert sugar.at("bhb", MORNING + 4) < 0.25 * long_moderate().at("bhb", MORNING + 4)


def test_clearance_per_concentration_falls_as_bhb_rises_and_exercise_counts_at_low_levels() -> None:
    p = body_parameters(UNTRAINED).ketones
    rates = [ketone_clearance(p, bhb, 0.0, 0.0, 0.0) / bhb for bhb in (0.1, 1.0, 4.0, 6.0)]
    assert rates == sorted(rates, reverse=True)
    assert exercise_effect_on_clearance(0.2) > 1.4 > exercise_effect_on_clearance(5.0)


def test_training_raises_thresholds_and_resting_irisin_and_rest_loses_them() -> None:
    """Eight weeks of three sessions make about half a trained subject; eight weeks of rest undo most of it."""
    days = [day for day in range(56) if day % 7 in (0, 2, 4)]
    duration, bouts = 112 * 24.0, tuple(bout(24 * day + 9, 45, 0.65) for day in days)
    timeline = Timeline("plan", duration, bouts, resting_timeline(UNTRAINED, duration).meals)
    plasma = simulate_body(UNTRAINED, timeline, np.arange(0.0, duration + 1, 24.0))
    trained, rested = plasma.fitness[55], plasma.fitness[-1]
    assert 0.3 < trained < 0.6
    assert rested < 0.45 * trained
    assert plasma.irisin[60] > 1.04 * plasma.irisin[0]


def test_rodent_corticosterone_follows_the_lights() -> None:
    early = person(species="mouse").model_copy(update={"light": None})
    shifted = type(early).model_validate({"species": "mouse", "light": {"on": "05:00", "off": "17:00"}})
    usual, moved = (resting_day(subject, 0.5).cortisol for subject in (early, shifted))
    np.testing.assert_allclose(np.roll(usual, -4), moved, rtol=1e-5)


def test_twenty_weeks_of_training_raise_the_vo2max_as_much_as_published() -> None:
    """bouchard1999: about 400 mL/min in sedentary adults, 5.7 mL/kg/min at 70 kg; here 45 min at 70 % thrice a week."""
    days = [day for day in range(140) if day % 7 in (0, 2, 4)]
    duration, bouts = 140 * 24.0, tuple(bout(24 * day + 9, 45, 0.7) for day in days)
    plasma = simulate_body(UNTRAINED, Timeline("plan", duration, bouts), np.arange(0.0, duration + 1, 24.0))
    own = body_parameters(UNTRAINED).maximal_uptake
    gained = relative_maximal_uptake(own, float(plasma.fitness[-1])) - own.at_start
    assert 63.9 * gained == pytest.approx(5.7, abs=1.5), "63.9 mL/kg/min is the unit, a trained subject's"
