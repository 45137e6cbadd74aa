"""What the brain takes from the blood, against an independent solver and the ledger of the tissue."""

from dataclasses import replace

import numpy as np
import pytest
from test_barrier import lactate_uptake

from abm.config import build_experiment
from abm.forcing import resting_blood
from abm.metrics import METRICS
from abm.model import HippocampusModel
from abm.observation import observation_parameters
from abm.signals import BHB, LACTATE

PLAN = {
    "name": "uptake",
    "tissue": {"neurons": 20, "size": ["200 um", "200 um"]},
    "schedules": {"rest": {}, "blocked": {"blocks": {"target": "MCT1", "fraction": 0.9, "start": "0 d"}}},
    "reference": "rest",
    "observe": [],
    "run": {"duration": "2 h", "burn_in": "0 h", "replicates": 1, "seed": 1, "step": "5 min"},
}


def after_two_hours(lactate: float, schedule: str = "rest") -> HippocampusModel:
    """A model under constant blood that holds so much lactate (mmol/L)."""
    experiment = build_experiment(PLAN)
    rest = resting_blood(experiment)
    held = {name: np.full(len(rest.edges) - 1, lactate) for name in ("lactate", "sampled_lactate")}
    model = HippocampusModel(experiment, schedule, plasma=replace(rest, **held))
    for _ in range(24):
        model.expose()
        model.clock = model.clock.next()
    return model


def read(name: str, model: HippocampusModel) -> float:
    return METRICS[name].observe(model)["all"]


@pytest.mark.parametrize("lactate", [0.9, 3.9, 8.0])
def test_uptake_of_lactate_is_that_of_tissue_without_space(lactate: float) -> None:
    """SciPy's solution of one well-mixed piece of typical brain under the same barrier, at a morning's BHB."""
    expected = pytest.approx(lactate_uptake(lactate), rel=0.1, abs=0.01)
    assert read("brain_lactate_uptake", after_two_hours(lactate)) == expected


def test_what_the_ledger_was_supplied_with_less_what_left_is_the_uptake() -> None:
    model = after_two_hours(3.9)
    model.tissue.reset_ledger()
    model.expose()
    account = model.tissue.ledger.table()["lactate"]
    volume, hours = model.tissue.volume, model.clock.step
    net = (account["supplied"] - account["removed"]) / (volume * hours)
    assert read("brain_lactate_uptake", model) * 60.0 * model.barrier.parameters.tissue_density == pytest.approx(
        net, rel=1e-2
    )


def test_the_difference_between_artery_and_vein_is_uptake_over_blood_flow() -> None:
    model = after_two_hours(3.9)
    flow = observation_parameters(model).cerebral_blood_flow
    assert read("arteriovenous_lactate", model) * flow == pytest.approx(read("brain_lactate_uptake", model), rel=1e-12)


def test_the_brain_gives_lactate_off_at_rest_and_takes_it_up_where_blood_has_more_of_it() -> None:
    taken = [read("brain_lactate_uptake", after_two_hours(lactate)) for lactate in (0.6, 2.0, 4.0, 8.0)]
    assert taken[0] < 0.0 < taken[2]
    assert (np.diff(taken) > 0.0).all()


def test_the_brain_gives_back_bhb_that_the_blood_has_lost() -> None:
    model = after_two_hours(0.9)
    model.blood = {**model.blood, "sampled_bhb": 0.0}
    assert read("brain_bhb_uptake", model) < 0.0


def test_without_carriers_less_is_taken_up() -> None:
    model, blocked = after_two_hours(4.0), after_two_hours(4.0, "blocked")
    assert 0.0 < read("brain_lactate_uptake", blocked) < 0.8 * read("brain_lactate_uptake", model)
    assert blocked.tissue.concentration[LACTATE].mean() < model.tissue.concentration[LACTATE].mean()
    assert 0.0 < read("brain_bhb_uptake", blocked) < read("brain_bhb_uptake", model)


def test_in_steady_blood_the_bhb_that_is_burnt_is_what_is_taken_up() -> None:
    model = after_two_hours(0.9)
    assert read("brain_bhb_oxidation", model) == pytest.approx(read("brain_bhb_uptake", model), rel=1e-2)
    model.tissue.reset_ledger()
    model.expose()
    burnt = model.tissue.ledger.table()["bhb"]["consumed"] / (model.tissue.volume * model.clock.step)
    assert model.tissue.bhb_burnt() == pytest.approx(burnt, rel=5e-3)


def test_bhb_that_is_burnt_is_michaelis_menten_in_every_voxel() -> None:
    model = after_two_hours(0.9)
    p, bhb = model.tissue.parameters, model.tissue.concentration[BHB]
    expected = (p.bhb_consumption_limit * bhb / (p.bhb_consumption_half + bhb)).mean()
    assert model.tissue.bhb_burnt() == pytest.approx(expected, rel=1e-12)
