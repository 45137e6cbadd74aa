"""How extracellular BDNF follows release: the expected neuron against the tissue whose neurons it stands for."""

import numpy as np
import pytest

from abm.config import build_experiment
from abm.model import HippocampusModel
from abm.signals import BDNF
from abm.study.bdnf_response import bdnf_response, step_response
from abm.study.surrogate import ExposedNeuron

PLAN = {
    "name": "response",
    "tissue": {"neurons": 60, "size": ["400 um", "400 um"]},
    "schedules": {"rest": {}},
    "reference": "rest",
    "run": {"duration": "6 h", "burn_in": "0 h", "replicates": 1, "seed": 1, "step": "15 min"},
}


@pytest.mark.parametrize("preparation", ["in_vivo", "slice", "culture"])
@pytest.mark.parametrize("side", [200, 800])
def test_a_sum_of_decays_is_the_response_of_the_tissue(preparation, side):
    size = [f"{side} um"] * 2
    experiment = build_experiment({**PLAN, "preparation": preparation, "tissue": {"neurons": 60, "size": size}})
    times, response, contrast = step_response(experiment)
    found = bdnf_response(experiment)
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert (found.weights > 0.0).all()
    assert found.contrast == contrast > 1.0
    assert (np.diff(response) > -1e-5).all()  # the error of the steps
    assert 1.0 - np.exp(-times[:, None] / found.times) @ found.weights == pytest.approx(response, abs=6e-3)


def test_slow_tissue_is_waited_for():
    """A hundred times as much bound as free, cleared within four days."""
    slow = {"tissue.bdnf_binding": 100, "tissue.bdnf_clearance": "1 1/h"}
    times, response, _ = step_response(build_experiment({**PLAN, "subject": {"overrides": slow}}))
    assert times[-1] > 1000.0
    assert response[-2] == pytest.approx(1.0, abs=1e-4)


def test_the_thinner_the_layer_against_its_tissue_the_faster_its_bdnf():
    """A cell layer passes on to the tissue around it what the tissue as a whole keeps for hours."""
    early = []
    for side in (200, 400, 800):
        times, response, _ = step_response(
            build_experiment({**PLAN, "tissue": {"neurons": 300, "size": [f"{side} um"] * 2}})
        )
        early.append(np.interp(0.25, times, response))
    assert early[0] < early[1] < early[2]


def test_bdnf_at_the_expected_neuron_is_that_of_the_tissue_when_release_doubles():
    experiment = build_experiment(PLAN)
    model = HippocampusModel(experiment, "rest")
    exposed = ExposedNeuron()
    exposed.expose(experiment, "rest")
    (site,) = exposed.sites.values()
    around = model.tissue.concentration.reshape(5, -1)[BDNF]
    before = around[model.neurons.voxel].mean()
    release = 2.0 * model.secretion()
    own = np.ones(site.bdnf.times.size)
    for _ in range(12):
        model._exchange(model.blood, 1.0, model.timeline, release)
        own = 2.0 + (own - 2.0) * np.exp(-0.25 / site.bdnf.times)
        assert around[model.neurons.voxel].mean() / before == pytest.approx(own @ site.bdnf.weights, rel=5e-3)


def test_what_a_bath_brings_counts_as_in_the_tissue():
    """Relative to what neurons meet of their own release, which is more than the tissue's mean."""
    low = {"what": "bdnf", "route": "bath", "amount": "0.002 nmol/L", "at": "0 h"}
    experiment = build_experiment({
        **PLAN, "preparation": "slice", "schedules": {"rest": {}, "bdnf": {"doses": low}},
        "tissue": {"neurons": 60, "size": ["800 um", "800 um"]},
    })  # fmt: skip
    exposed = ExposedNeuron()
    key = exposed.expose(experiment, "bdnf")
    course, *_ = exposed.courses()[key]
    model = HippocampusModel(experiment, "bdnf")
    model.advance()
    met = model.tissue.concentration.reshape(5, -1)[BDNF, model.neurons.voxel] / model.neurons.rest_bdnf
    assert course.extracellular_bdnf[0] == pytest.approx(met.mean(), rel=0.1)
    assert course.extracellular_bdnf[0] > 1.1
