"""The body: from a schedule of exercise, meals and doses to plasma lactate, BHB, irisin, cortisol and fuels.

Ordinary differential equations in hours, one file per subsystem; the brain does not feed back on them, so that plasma
is computed once per subject and schedule.
"""

from abm.body.plasma import PLASMA_COLUMNS, Plasma
from abm.body.rates import STATE_VARIABLES, STATES, BodyParameters
from abm.body.simulate import Trajectory, exercised_body, resting_day, resting_state, simulate_body, solve_body
from abm.body.subject import body_parameters, cortisol_at_rest, initial_fitness
from abm.body.wakefulness import share_awake, wakefulness_parameters

__all__ = [
    "PLASMA_COLUMNS",
    "STATES",
    "STATE_VARIABLES",
    "BodyParameters",
    "Plasma",
    "Trajectory",
    "body_parameters",
    "cortisol_at_rest",
    "exercised_body",
    "initial_fitness",
    "resting_day",
    "resting_state",
    "share_awake",
    "simulate_body",
    "solve_body",
    "wakefulness_parameters",
]
