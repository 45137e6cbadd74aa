"""Loads the compiled loops, or compiles them where this state of the code has never run.

Processes that start together begin at different ends and wait for what another is compiling, so that each loop is
compiled by one of them and loaded by the others.
"""

from abm.clock import DAY
from abm.compiled import first_compiles
from abm.config import build_experiment
from abm.forcing import blood_at, no_blood, step_edges
from abm.model import HippocampusModel
from abm.neurons import Drive, Pharmacology
from abm.schedule import resting_timeline

PLAN = {
    "name": "warm_up",
    "tissue": {"neurons": 20, "size": ["100 um", "100 um"]},
    "schedules": {"sedentary": {}},
    "reference": "sedentary",
    "run": {"duration": "1 h", "burn_in": "0 h", "replicates": 1, "seed": 1, "step": "15 min"},
}


class Unsettled(HippocampusModel):
    """A model that has not looked for its set points."""

    def _settle(self) -> None:
        pass

    def load_tissue(self) -> None:
        """Take blood, barrier and tissue one step on."""
        self._exchange(blood_at(self.resting, 0), 1.0, self.timeline, self.secretion())

    def load_neurons(self) -> None:
        """Take neurons and synapses one step on."""
        self._add_set_point(1.0)
        self._advance_neurons(Pharmacology(), Drive())
        self._weigh()


def load_kernels(order: int) -> None:
    """Load or compile every loop of a step; processes of even and odd order begin at different ends."""
    experiment = build_experiment(PLAN)
    blood = no_blood(step_edges(DAY, experiment.run.step))
    timeline = resting_timeline(experiment.subject)
    with first_compiles("creation"):
        model = Unsettled(experiment, plasma=blood, resting=blood, timeline=timeline)
    parts = {"tissue": model.load_tissue, "neurons": model.load_neurons}
    for part in parts if order % 2 == 0 else reversed(parts):
        with first_compiles(part):
            parts[part]()
