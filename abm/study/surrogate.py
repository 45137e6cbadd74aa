"""The published experiments on the expected neuron: seconds instead of minutes, for fitting.

The signals that reach the neurons do not depend on the neurons' own parameters (but for the BDNF that they release,
of which the expected neuron keeps its own account), so blood, barrier and tissue of every arm are computed once, on a
small piece of tissue; each set of parameters then costs one pass of the expected neuron (`abm.expectation`) per arm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.epigenome import EpigenomeParameters, free_enzyme, resting_repressed_share
from abm.expectation import Expected, SetPoint, expected_neuron, set_point
from abm.expression import ExpressionParameters, glucocorticoid_occupancy, waking_drive
from abm.forcing import (
    ForcingParameters,
    bath,
    bath_agonist,
    blood_of,
    injections,
    pharmacology,
    resting_blood,
    resting_wakefulness,
)
from abm.loops import compiled
from abm.metric_names import split_metric
from abm.model import HippocampusModel
from abm.neurons import Pharmacology
from abm.parameters import load_parameters, parameter_records
from abm.schedule import resting_timeline
from abm.signals import BDNF, SIGNALS
from abm.study.bdnf_response import BdnfResponse, bdnf_response
from abm.study.plan import timeline_of, whole_voxels
from abm.study.priors import NEURAL_PARTS
from abm.synapses import SynapseParameters, next_contacts, next_scale, release_probability
from abm.well_mixed import Course as SignalCourse
from abm.well_mixed import Piece, Surroundings, well_mixed
from abm.wiring import NetworkParameters, unevenness_of_steps

if TYPE_CHECKING:
    from abm.body import Plasma
    from abm.config import Evidence, EvidenceObservation, Experiment
    from abm.schedule import Timeline

NEURONS, SIDE = 40, 200.0  # um; of the piece of tissue whose means are taken
CARRIED = ("bhb", "lactate", "irisin", "cortisol", "bdnf_iv")  # by blood, in the order of the signals
Floats = npt.NDArray[np.float64]


class Arm(NamedTuple):
    """What one schedule brings to the neurons, in steps of `step` h: movement (3, T), drugs (T or 1, 20), signals.

    ends, means (T, 5): of the signals after each step and on the mean over it; before: steps of them before time zero,
    where a fast began then. movement: step means of it, of its square and of its cube; awake (T,): share of each step.
    """

    ends: Floats
    means: Floats
    movement: Floats
    awake: Floats
    drugs: Floats
    step: float
    before: int
    base: str


class Site(NamedTuple):
    """The piece of tissue in which the expected neuron lies, settled.

    overrides: of parameters of neurons, by the subject itself; mean (5,): of its signals; share (5,): what neurons meet
    of that; induction (3,): of MCT1; bdnf: how it follows release in the experiment's whole tissue; awake (24,):
    share of each hour of a resting day; day (T, 5): signals at the neurons over it.
    """

    species: str
    overrides: tuple[tuple[str, str | float], ...]
    forcing: ForcingParameters
    piece: Piece
    mean: Floats
    share: Floats
    induction: Floats
    bdnf: BdnfResponse
    awake: Floats
    day: Floats


class Constants(NamedTuple):
    """The parameters of one neuron and of what drives it."""

    epigenome: EpigenomeParameters
    expression: ExpressionParameters
    synapses: SynapseParameters
    network: NetworkParameters


Course = tuple[Expected, Arm, Constants]


class ExposedNeuron:
    """The expected neuron under schedules of experiments, for changed parameters of neurons.

    arms: what reaches the neurons under each schedule, computed once; sites: where, by what schedules have in common.
    """

    def __init__(self) -> None:
        self.arms: dict[str, Arm] = {}
        self.sites: dict[str, Site] = {}

    def expose(self, experiment: Experiment, name: str, plasma: Plasma | None = None) -> str:
        """Key of the arm of one schedule; its signals are computed when it is first met.

        plasma: of that schedule; none: the body is solved for it. Raises ArithmeticError where that fails.
        """
        run = experiment.run
        tissue = experiment.tissue.model_dump_json()
        base = f"{experiment.subject.model_dump_json()}{tissue}{experiment.preparation}{run.step}{run.seed}"
        key = f"{base}{experiment.schedules[name].model_dump_json()}{run.duration}"
        if key not in self.arms:
            if base not in self.sites:
                self.sites[base] = _site(_shrunk(experiment), bdnf_response(experiment))
            self.arms[key] = _arm(self.sites[base], experiment, name, base, plasma)
        return key

    def courses(self, overrides: Mapping[str, float] | None = None) -> dict[str, Course]:
        """Course of the expected neuron under every arm, by key.

        overrides: `part.name` -> number in the unit its record is written in; of parts of the neuron. They come after
        those of the subject itself.
        """
        given = {base: (site.species, site.overrides) for base, site in self.sites.items()}
        of_subjects = {subject: _constants(*subject, overrides or {}) for subject in set(given.values())}
        constants = {base: of_subjects[subject] for base, subject in given.items()}
        rests = {base: _rest(site.day, constants[base]) for base, site in self.sites.items()}
        return {key: self._course(arm, constants, rests) for key, arm in self.arms.items()}

    def _course(self, arm: Arm, constants: Mapping[str, Constants], rests: Mapping[str, SetPoint]) -> Course:
        site, own = self.sites[arm.base], constants[arm.base]
        gain = own.network.movement_gain
        activity = 1.0 + gain * arm.movement[0]
        uneven = unevenness_of_steps(gain, own.expression.release_exponent, arm.movement)
        signals = np.ascontiguousarray(arm.means[:, :4])
        brought = arm.ends[:, BDNF] / site.day[:, BDNF].mean()
        course = expected_neuron(
            own.epigenome,
            own.expression,
            signals,
            activity,
            rests[arm.base],
            arm.step,
            arm.drugs,
            (site.bdnf.times, site.bdnf.weights),
            brought,
            uneven,
            waking_drive(own.expression, arm.awake, site.awake),
            waking_drive(own.expression, site.awake, site.awake),
        )
        return course, arm, own


class Surrogate(ExposedNeuron):
    """Predictions of the observations of some evidence by the expected neuron.

    observations: those that can be predicted, in the order of `predict`. An observation of the whole tissue or of a
    region is the same here; synapses other than their number and release are not followed.
    """

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        super().__init__()
        self.observations: list[tuple[Evidence, EvidenceObservation]] = []
        self.places: list[list[tuple[str, float]]] = []
        for item in evidence:
            for observation in item.observations:
                metric = split_metric(observation.metric)[0]
                alone = observation.value is not None
                if metric in READ_OUTS and observation.smd is None and not (alone and metric in ONLY_RATIOS):
                    self._add(item, observation)

    def _add(self, item: Evidence, observation: EvidenceObservation) -> None:
        self.observations.append((item, observation))
        self.places.append([(self.expose(item.protocol, arm), hour) for arm, hour in observation.readings])

    def predict(self, overrides: Mapping[str, float] | None = None) -> Floats:
        """Predicted ratio (of a contrast or a change) or value of every observation under changed parameters.

        overrides: `part.name` -> number in the unit its record is written in.
        """
        courses = self.courses(overrides)
        found = []
        for (_, observation), places in zip(self.observations, self.places, strict=True):
            read = READ_OUTS[split_metric(observation.metric)[0]]
            value, *others = (read(*courses[key], hour) for key, hour in places)
            found.append(value / others[0] if others else value)
        return np.array(found)


def _shrunk(experiment: Experiment) -> Experiment:
    """The same experiment on a small piece of tissue, from time zero."""
    side = whole_voxels(SIDE, experiment.tissue.voxel)
    tissue = experiment.tissue.model_copy(update={"neurons": NEURONS, "size": (side, side)})
    run = experiment.run.model_copy(update={"burn_in": 0.0, "replicates": 1})
    return experiment.model_copy(update={"tissue": tissue, "run": run})


def _site(experiment: Experiment, response: BdnfResponse) -> Site:
    """Where an experiment's neurons lie, from a small model of it that has settled; its neurons stay at rest.

    No blood reaches a slice or a culture.
    """
    resting, timeline = resting_blood(experiment), resting_timeline(experiment.subject)
    model = HippocampusModel(experiment, experiment.reference, plasma=resting, timeline=timeline, resting=resting)
    tissue, barrier, perfused = model.tissue, model.barrier, experiment.preparation == "in_vivo"
    secreted = float(model.secretion().sum()) / tissue.volume
    piece = Piece(tissue.mean_rates, barrier.parameters, barrier.rates, secreted, perfused)
    settled = tissue.concentration.reshape(len(SIGNALS), -1)
    mean, at_neurons = settled.mean(axis=1), settled[:, model.neurons.voxel].mean(axis=1)
    share = np.divide(at_neurons, mean, out=np.ones(len(SIGNALS)), where=mean > 0.0)
    share[BDNF] = response.contrast
    subject = experiment.subject
    own = tuple(sorted(item for item in subject.overrides.items() if item[0].partition(".")[0] in NEURAL_PARTS))
    awake, induction = resting_wakefulness(experiment), barrier.state.copy()
    site = Site(subject.species, own, model.applied, piece, mean, share, induction, response, awake, np.empty(0))
    return site._replace(day=_signals(site, timeline, resting, experiment.run.step).means)


def _arm(site: Site, experiment: Experiment, name: str, base: str, plasma: Plasma | None) -> Arm:
    """Signals, movement and drugs over one schedule."""
    timeline = timeline_of(experiment.schedules[name], experiment.subject, experiment.run.duration, name)
    plasma, step = plasma or blood_of(experiment, timeline), experiment.run.step
    course, drugs = _signals(site, timeline, plasma, step), _drugs(site, timeline, plasma, step)
    moved = np.stack([plasma.lived(name) for name in ("movement", "movement_squared", "movement_cubed")])
    return Arm(*course, moved, plasma.lived("wakefulness"), drugs, step, plasma.steps_before, base)


def _signals(site: Site, timeline: Timeline, plasma: Plasma, step: float) -> SignalCourse:
    """Signals at the neurons from the settled state on, before time zero if need be."""
    blood = np.ascontiguousarray(np.column_stack([plasma.lived(name) for name in CARRIED]))
    steps = len(blood)
    begun = np.round((np.arange(steps) - plasma.steps_before) * step, 9).tolist()
    met = Surroundings(blood, np.ones(steps), np.zeros((steps, 5)), np.full((steps, 5), np.nan))
    if timeline.blocks:
        met.carriers[:] = [timeline.remaining_activity("MCT1", hour) for hour in begun]
    if timeline.doses:
        for k, hour in enumerate(begun):
            for signal, amount in injections(site.forcing, timeline, hour, hour + step):
                met.injected[k, SIGNALS.index(signal)] += amount
    if not site.piece.perfused:
        met.held[:] = [bath(site.forcing, timeline, hour) for hour in begun]
    found = well_mixed(site.piece, met, step, site.mean.copy(), site.induction.copy())
    # Neurons meet more than the mean of the BDNF that they release; what is brought is everywhere the same.
    share, more = np.where(np.isnan(met.held), site.share, 1.0), np.zeros(len(SIGNALS))
    share[:, BDNF], more[BDNF] = 1.0, (site.share[BDNF] - 1.0) * site.mean[BDNF]
    return SignalCourse(share * found.ends + more, share * found.means + more)


def _drugs(site: Site, timeline: Timeline, plasma: Plasma, step: float) -> Floats:
    """What drugs and genetics leave of each mechanism, (steps, 20), or (1, 20) where that never changes."""
    drugs = []
    for k, systemic in enumerate(plasma.lived("dexamethasone").tolist(), -plasma.steps_before):
        hour = round(k * step, 9)
        drugs.append(pharmacology(timeline, hour, systemic + bath_agonist(site.forcing, timeline, hour)))
        if not (timeline.blocks or timeline.doses):
            break
    found = np.array(drugs, dtype=np.float64)
    return found[:1] if (found == found[0]).all() else found


def _constants(
    species: str, own: tuple[tuple[str, str | float], ...], overrides: Mapping[str, float]
) -> Constants:
    written = dict(own)
    for key, number in overrides.items():
        part, _, name = key.partition(".")
        written[key] = parameter_records(part, species)[name].text(float(number))
    return Constants(
        load_parameters(EpigenomeParameters, "epigenome", species, written),
        load_parameters(ExpressionParameters, "expression", species, written),
        load_parameters(SynapseParameters, "synapses", species, written),
        load_parameters(NetworkParameters, "network", species, written),
    )


def _rest(day: Floats, own: Constants) -> SetPoint:
    return set_point(own.epigenome, own.expression, np.ascontiguousarray(day[:, :4]))


def _index(arm: Arm, hour: float) -> int:
    """Place in a course of the step that ends at `hour`; at time zero of the first, where none came before."""
    return max(arm.before + round(hour / arm.step) - 1, 0)


def _field(name: str, course: Expected, arm: Arm, own: Constants, hour: float) -> float:
    """A field of Expected as it is."""
    return float(getattr(course, name)[_index(arm, hour)])


def _occupancy(enzyme: str, course: Expected, arm: Arm, own: Constants, hour: float) -> float:
    place = _index(arm, hour)
    drugs = Pharmacology(*arm.drugs[min(place, len(arm.drugs) - 1)])
    ic50, drug = getattr(own.epigenome, f"bhb_ic50_{enzyme}"), getattr(drugs, f"drug_{enzyme}")
    bound = free_enzyme(drugs.mct2 * arm.ends[place, 0], ic50, drug)
    repressed = course.repressed[place] / resting_repressed_share(own.epigenome)
    return float(getattr(drugs, enzyme) * getattr(course, enzyme)[place] * repressed * bound)


def _receptors(course: Expected, arm: Arm, own: Constants, hour: float) -> float:
    place = _index(arm, hour)
    drugs = Pharmacology(*arm.drugs[min(place, len(arm.drugs) - 1)])
    return float(drugs.gr * glucocorticoid_occupancy(own.expression, arm.ends[place, 3], drugs.agonist))


@compiled
def _grow(p: SynapseParameters, trkb: Floats, activity: Floats, dt: float) -> tuple[float, float, float]:
    """Contacts, scaling and release probability of a neuron whose synapses keep their mean early and late change."""
    contacts = scale = release = 1.0
    for k in range(trkb.size):
        release = release_probability(p, trkb[k])
        drive = activity[k] * contacts * scale * release
        contacts = next_contacts(p, contacts, trkb[k], dt)
        scale = next_scale(p, scale, drive, trkb[k], dt)
    return contacts, scale, release


def _grown(course: Expected, arm: Arm, own: Constants, hour: float) -> tuple[float, float, float]:
    last = _index(arm, hour) + 1
    activity = 1.0 + own.network.movement_gain * arm.movement[0, :last]
    grown: tuple[float, float, float] = _grow(own.synapses, course.trkb[:last], activity, arm.step)
    return grown


def _contacts(course: Expected, arm: Arm, own: Constants, hour: float) -> float:
    return _grown(course, arm, own, hour)[0]


def _strength(course: Expected, arm: Arm, own: Constants, hour: float) -> float:
    return math.prod(_grown(course, arm, own, hour))


# The expected neuron follows these relative to rest, while the read-out is an amount.
ONLY_RATIOS = {"bdnf_release", "brain_bdnf_release"}
READ_OUTS: dict[str, Callable[[Expected, Arm, Constants, float], float]] = {
    "hdac2": partial(_field, "hdac2"),
    "hdac3": partial(_field, "hdac3"),
    **{f"acetylation{suffix}": partial(_field, "acetylated") for suffix in ("", "_I", "_II", "_IV", "_VI")},
    "bdnf_mrna": partial(_field, "transcripts"),
    **{f"bdnf_mrna_{promoter}": partial(_field, f"transcripts_{promoter}") for promoter in ("I", "II", "IV", "VI")},
    "bdnf_pro": partial(_field, "proform"),
    "bdnf_protein": partial(_field, "bdnf"),
    "bdnf_release": partial(_field, "release"),
    "trkb_activation": partial(_field, "trkb"),
    "trkb_surface": partial(_field, "trkb_surface"),
    "fndc5": partial(_field, "fndc5"),
    "brain_bdnf_release": partial(_field, "extracellular_bdnf"),
    "hdac2_occupancy": partial(_occupancy, "hdac2"),
    "hdac3_occupancy": partial(_occupancy, "hdac3"),
    "gr_occupancy": _receptors,
    "spine_density": _contacts,
    "fepsp_slope": _strength,
}
