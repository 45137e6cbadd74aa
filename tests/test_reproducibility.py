"""The same seed gives the same bits: on every machine, with Mesa 3.3 and with Mesa 3.5."""

import hashlib

import numpy as np

from abm.config import build_experiment
from abm.forcing import resting_blood
from abm.model import HippocampusModel, burn_in

# Digest of the state below. It changes with every change of a rule or a parameter, which is then a RESULTS CHANGE in
# CHANGELOG.md; it must not change with the machine, the Mesa version, NumPy or Numba.
STATE = "28e72a24240e1fa33db40f8411f5e74580c2f3dacc3b219c348813665319dea9"

EXPERIMENT = {
    "name": "bits",
    "subject": {"species": "mouse"},
    "tissue": {"neurons": 120, "size": ["0.4 mm", "0.4 mm"]},
    "schedules": {
        "sedentary": {},
        "wheel": {
            "sessions": {"kind": "wheel", "distance": "5 km/d", "start": "03:00", "duration": "5 h"},
            "doses": [{"what": "ketone_ester", "route": "oral", "amount": "1000 mg/kg", "at": "2 h"}],
            "blocks": [{"target": "HDAC3", "fraction": 0.5, "start": "4 h", "duration": "6 h"}],
        },
    },
    "run": {"duration": "1 d", "burn_in": "1 d", "replicates": 1, "seed": 11, "step": "0.2 h"},
}


def test_a_run_has_the_recorded_bits():
    experiment = build_experiment(EXPERIMENT)
    resting = resting_blood(experiment)
    model = HippocampusModel(experiment, "wheel", resting=resting, rested=burn_in(experiment, 0, resting))
    for _ in range(model.steps_total):
        model.step()
    state = model.checkpoint()
    numbers = [np.ascontiguousarray(state[name]).tobytes() for name in sorted(state)]
    assert hashlib.sha256(b"".join(numbers)).hexdigest() == STATE
