"""The hippocampus as a Mesa model: tissue, neurons and synapses of one replicate under one schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import mesa
import numpy as np
import numpy.typing as npt

from abm.barrier import Barrier
from abm.body import Plasma, cortisol_at_rest, resting_day
from abm.clock import Clock
from abm.config import Experiment, load_experiment
from abm.elementary import LN2, power
from abm.epigenome import EpigenomeParameters, resting_rows
from abm.errors import ConfigError, listed, nearest
from abm.expression import ExpressionParameters, waking_drive
from abm.forcing import (
    ForcingParameters,
    bath,
    bath_agonist,
    blood_at,
    blood_of,
    clamp_to_rest,
    injections,
    pharmacology,
    resting_blood,
    resting_wakefulness,
)
from abm.loops import spread
from abm.metrics import METRICS
from abm.network import Synapses, advance_synapses, refresh_release, replay, weigh_synapses
from abm.neurons import (
    Drive,
    Neuron,
    NeuronColumns,
    Pharmacology,
    SetPointColumns,
    Signals,
    add_set_point,
)
from abm.parameters import CONFIG_DIRECTORY, load_parameters
from abm.population import advance_neurons, mean_drive
from abm.promoters import PromoterConstants, promoter_constants
from abm.schedule import Timeline, compile_schedule, resting_timeline
from abm.signals import BDNF, BHB, CORTISOL, IRISIN, LACTATE, SIGNALS
from abm.streams import generator, stream_key
from abm.synapses import SynapseParameters, cortisol_gain
from abm.tissue import Tissue
from abm.wiring import NetworkParameters, Wiring, input_activity, unevenness, wire

DEFAULT_EXPERIMENT = CONFIG_DIRECTORY / "experiments" / "exercise_schedules.yaml"
UNTREATED = Timeline("burn-in", 0.0)
DIMERS_PER_NANOMOLAR = 0.602214076  # in one cubic micrometre: 1 nmol/L x 1 um^3 x Avogadro
REPORTED = ("bdnf_protein", "acetylation", "trkb_activation", "synaptic_strength")


class HippocampusModel(mesa.Model):
    """One replicate of the hippocampus under one schedule.

    A step, of `experiment.run.step` hours, runs in this order:
        1. blood of the step; induction of the barrier's carriers
        2. exchange with capillaries, diffusion, consumption and BDNF secretion in the tissue
        3. neurons: signals, chromatin, transcription, BDNF, TrkB
        4. synapses between events, then the step's events
        5. the clock; once an hour the data collector

    Arguments: experiment, an Experiment or the path of one (default: the exercise schedules); schedule, the name of one
    of its schedules; replicate, which draw of tissue, wiring and luck; neurons, to override the experiment's number;
    clamped, what is held at rest of the blood ("bhb", "lactate", "irisin", "cortisol"; "bdnf": what is dosed of it) and
    of movement ("input_activity"); plasma, timeline and resting, computed if not given; rested, a checkpoint to start
    from at time zero (without it the model starts with its burn-in); rng, the seed (default: the experiment's).
    Attribute rest_outflow: BDNF outside the capillaries, mean over a resting day, nmol/L.
    """

    def __init__(
        self,
        experiment: Experiment | str | None = None,
        schedule: str = "sedentary",
        replicate: int = 0,
        neurons: int | None = None,
        clamped: Iterable[str] = (),
        plasma: Plasma | None = None,
        timeline: Timeline | None = None,
        resting: Plasma | None = None,
        rested: dict[str, npt.NDArray[Any]] | None = None,
        rng: int | None = None,
    ) -> None:
        if not isinstance(experiment, Experiment):
            experiment = load_experiment(experiment or DEFAULT_EXPERIMENT)
        seed = experiment.run.seed if rng is None else int(rng)
        super().__init__(rng=seed)
        if schedule not in experiment.schedules:
            known = experiment.schedules
            raise ConfigError(
                "there is no such schedule", value=schedule, expected=listed(known), suggestion=nearest(schedule, known)
            )
        self.experiment, self.schedule, self.replicate = experiment, schedule, replicate
        self.clock = Clock(experiment.run.step, experiment.run.burn_in)
        self.key = stream_key(seed, replicate)
        self._force(plasma, timeline, resting, tuple(clamped))
        self._load_parameters()
        if neurons is not None and neurons < 1:
            raise ConfigError("a tissue has neurons", key="neurons", value=str(neurons), expected="1 or more")
        self._build(neurons or experiment.tissue.neurons, seed)
        if rested is None:
            self._settle()
            self._fast_before()
        else:
            self.begin(rested)
        self.datacollector = mesa.DataCollector(
            model_reporters={"hour": "hour", **{name: partial(_whole_tissue, metric=name) for name in REPORTED}}
        )

    def _force(
        self, plasma: Plasma | None, timeline: Timeline | None, resting: Plasma | None, clamped: tuple[str, ...]
    ) -> None:
        """Set what the tissue will meet: the resting day of the burn-in, then the plasma and blocks of the schedule."""
        subject, run = self.experiment.subject, self.experiment.run
        self.timeline = timeline or compile_schedule(
            self.experiment.schedules[self.schedule], subject, run.duration, self.schedule
        )
        self.resting = resting or resting_blood(self.experiment)
        self.plasma = plasma or blood_of(self.experiment, self.timeline)
        if clamped:
            self.plasma = clamp_to_rest(self.plasma, self.resting, clamped)
        # Plasma means of the step that ends now, by name; before the first step those of the night before.
        self.blood = blood_at(self.resting, len(self.resting.edges) - 2)

    def _load_parameters(self) -> None:
        subject = self.experiment.subject
        species, overrides = subject.species, subject.overrides
        self.epigenome = load_parameters(EpigenomeParameters, "epigenome", species, overrides)
        self.expression = load_parameters(ExpressionParameters, "expression", species, overrides)
        self.plasticity = load_parameters(SynapseParameters, "synapses", species, overrides)
        self.network = load_parameters(NetworkParameters, "network", species, overrides)
        self.applied = load_parameters(ForcingParameters, "forcing", species, overrides)
        self.resting_wakefulness = resting_wakefulness(self.experiment)
        self.waking_at_rest = waking_drive(self.expression, self.resting_wakefulness, self.resting_wakefulness)
        self._promoters: dict[float, PromoterConstants] = {}  # by the length of a step

    def _build(self, neurons: int, seed: int) -> None:
        """Draw tissue, neurons and wiring of this replicate, every state at its resting mean."""
        p = self.network
        shares = (p.granule_cells, p.ca3_cells, p.ca1_cells)
        self.tissue = Tissue.build(self.experiment, neurons, shares, seed, self.replicate)
        self.barrier = Barrier.build(self.experiment)
        Neuron.table(self, neurons)
        Neuron.create_agents(self, neurons)
        n = self._table
        n.region[:], n.voxel[:] = self.tissue.region, self.tissue.neuron_voxel
        n.position[:, : self.tissue.positions.shape[1]] = self.tissue.positions
        draw = generator(seed, self.replicate, "neurons")
        n.nucleosomes[:] = resting_rows(self.epigenome, neurons, draw)
        x, means = self.expression, self.promoters.transcripts
        n.transcripts[:] = draw.poisson(means, (neurons, means.size))
        n.bdnf_protein[:] = x.store_at_rest
        n.bdnf_pro[:] = x.store_at_rest * x.proform_half_life / x.store_half_life
        n.release_rate[:] = x.released_share * LN2 / x.store_half_life * x.store_at_rest
        self.wiring: Wiring = wire(p, n.region, seed, self.replicate)
        n.rate[:] = self.wiring.rate[:neurons]
        size = self.wiring.sender.size
        self.synapses = Synapses(np.zeros(size, np.float32), np.zeros(size, np.float32))
        self.release_probability = np.ones(self.wiring.region.size, np.float32)
        self._weighed = True
        self.cells_per_neuron = p.neuron_density * self.tissue.volume / neurons
        self.rest_outflow = 0.0
        self._fast_lived = False

    def _settle(self) -> None:
        """Find every neuron's set points: the mean of its local drives over a resting day at resting secretion."""
        n = self._table
        for name in Neuron.declared_columns():
            if name.startswith("rest_"):
                getattr(n, name)[:] = 0.0
        steps = len(self.resting.edges) - 1
        if self.experiment.preparation == "in_vivo":
            self.barrier.settle(self.resting.bhb)
            self.tissue.settle(self.barrier, blood_at(self.resting, 0), self.secretion())
        else:
            self.tissue.settle(None, {}, self.secretion(), bath(self.applied, UNTREATED, 0.0))
        for step in range(steps):
            self._exchange(blood_at(self.resting, step), 1.0, UNTREATED, self.secretion())
            self._add_set_point(1.0 / steps)
            self.rest_outflow += self.tissue.outflow(BDNF) / steps
        self.tissue.reset_ledger()

    def _add_set_point(self, weight: float) -> None:
        own = SetPointColumns(*(self._table.columns[name] for name in SetPointColumns._fields))
        add_set_point(own, self._signals(), self.epigenome, self.expression, self.plasticity, weight)

    def _potentiation_in_the_animal(self) -> float:
        """Mean cortisol gain of potentiation over a resting day of the animal that a slice was cut from.

        A bath without steroid is not where its neurons were at home: from the cut at time zero on their gain is read
        against the free hormone of the animal's own day. Before it they live as at home, the bath their set point.
        """
        day = self.barrier.parameters.free_steroid * resting_day(self.experiment.subject, self.clock.step).cortisol
        return float(np.mean([cortisol_gain(self.plasticity, free, free, 1.0) for free in day]))

    def gain_at_trough(self) -> float:
        """Cortisol gain of potentiation where an undisturbed animal has least hormone, over that in this step.

        By the resting day of an animal as fit as it is now (`abm.body.cortisol.daily_level`); 1 outside the animal.
        What a bout or a treatment does to the hormone is not in it.
        """
        if self.experiment.preparation != "in_vivo":
            return 1.0
        middle = self.clock.hour_of_day - self.clock.step / 2.0
        levels = cortisol_at_rest(self.experiment.subject, middle, self.blood["fitness"])
        free = (self.barrier.parameters.free_steroid * level for level in levels)
        now, at_trough = (cortisol_gain(self.plasticity, steroid, steroid, 1.0) for steroid in free)
        return float(at_trough / now)

    @property
    def promoters(self) -> PromoterConstants:
        """What the promoters' rules make of the parameters for a step as long as the coming one."""
        length = self.clock.length
        if length not in self._promoters:
            self._promoters[length] = promoter_constants(self.expression, self.epigenome, length, self.waking_at_rest)
        return self._promoters[length]

    @property
    def neurons(self) -> Any:
        """The table of neurons; each column is an array, neurons first, those that sum up synapses as they are now."""
        if not self._weighed:
            self._weigh()
        return self._table

    @property
    def _table(self) -> Any:
        """The same as the last step has left it."""
        return Neuron.table(self)

    @property
    def hour(self) -> float:
        """Hours since the end of burn-in, at the start of the coming step."""
        return self.clock.hour

    @property
    def drugs(self) -> Pharmacology:
        """What drugs and genetics leave of each mechanism in the step that ends now."""
        began = round(self.hour - self.clock.step, 9)
        timeline = self.timeline if began >= 0.0 else UNTREATED
        agonist = self.blood["dexamethasone"] + bath_agonist(self.applied, timeline, began)
        return pharmacology(timeline, began, agonist)

    @property
    def carriers(self) -> float:
        """What a blocker leaves of MCT1 in the step that ends now."""
        began = round(self.hour - self.clock.step, 9)
        return self.timeline.remaining_activity("MCT1", began) if began >= 0.0 else 1.0

    def step(self) -> None:
        """Advance everything by one step, and collect data once an hour; see the class for the order."""
        self.advance()
        self._weigh()
        if self.clock.taken % max(round(1.0 / self.clock.step), 1) == 0:
            self.datacollector.collect(self)

    def advance(self) -> None:
        """Advance everything by one step: what `step` does, for those who read the model themselves.

        What sums up a neuron's synapses (mean_strength, potentiated, consolidated) follows when `neurons` is read; the
        agents have it after `step`.
        """
        if self.experiment.preparation == "slice" and self._number == 0:
            self._table.rest_potentiation[:] = self._potentiation_in_the_animal()
        self._advance_neurons(*self.expose())
        self.clock = self.clock.next()
        self._fast_before()

    def expose(self) -> tuple[Pharmacology, Drive]:
        """Advance blood, barrier and tissue by the coming step; returns what else neurons meet."""
        return self._meet(self._coming_blood())

    def _meet(self, blood: dict[str, float]) -> tuple[Pharmacology, Drive]:
        """The same for given blood."""
        before, timeline, hour = self.blood, self._doses(), self.hour
        self.blood = blood
        agonist = blood["dexamethasone"] + bath_agonist(self.applied, timeline, hour)
        now, last = self._drive(blood), self._drive(before)
        rise = power(now.activity / last.activity, self.expression.release_exponent) * now.unevenness / last.unevenness
        self._exchange(blood, timeline.remaining_activity("MCT1", hour), timeline, self._secreted(rise))
        return pharmacology(timeline, hour, agonist), now

    def _drive(self, blood: dict[str, float]) -> Drive:
        """What drives all neurons in a step of which these are the plasma means."""
        moved = (blood[name] for name in ("movement", "movement_squared", "movement_cubed"))
        return Drive(
            waking_drive(self.expression, blood["wakefulness"], self.resting_wakefulness),
            input_activity(self.network, blood["movement"]),
            unevenness(self.network.movement_gain, self.expression.release_exponent, *moved),
        )

    def _doses(self) -> Timeline:
        """What is in force now: the schedule, or nothing during burn-in."""
        return self.timeline if self.hour >= 0.0 else UNTREATED

    def _coming_blood(self) -> dict[str, float]:
        """Plasma means of the step about to be taken."""
        if self.hour < 0.0:
            return blood_at(self.resting, self._number % (len(self.resting.edges) - 1), self.clock.joined)
        return blood_at(self.plasma, self._number)

    @property
    def _number(self) -> int:
        """The coming step, counted from time zero; less than 0 during burn-in."""
        return self.clock.taken - round(self.clock.burn_in / self.clock.step)

    def _exchange(
        self, blood: dict[str, float], carriers: float, doses: Timeline, secretion: npt.NDArray[np.float64]
    ) -> None:
        """Blood, barrier and tissue over one step.

        carriers: what a blocker leaves of MCT1; doses: those in force; secretion: see `secretion`.
        """
        step, tissue = self.clock.length, self.tissue
        if self.experiment.preparation != "in_vivo":
            tissue.advance(step, secretion=secretion, bath=bath(self.applied, doses, self.hour))
            return
        self.barrier.induce(blood, step, carriers)
        for signal, amount in injections(self.applied, doses, self.hour, self.hour + step):
            tissue.inject(signal, amount)
        rates = partial(self.barrier.exchange, blood, weight=tissue.capillary_weight, remaining_activity=carriers)
        at_start = rates(brain=tissue.capillary_concentration())
        tissue.advance(step, *rates(brain=tissue.coming_concentration(*at_start, step)), secretion)

    def secretion(self) -> npt.NDArray[np.float64]:
        """BDNF that each modelled neuron, and those it stands for, secretes as it releases now.

        nmol/L um^3 per hour, shape (N,).
        """
        rate: npt.NDArray[np.float64] = self._table.release_rate
        return rate * (self.cells_per_neuron / DIMERS_PER_NANOMOLAR)

    def _secreted(self, rise: float) -> npt.NDArray[np.float64]:
        """The same over the coming step, taken from what neurons release and have not secreted yet.

        The tissue moves before the neurons, so that their release in the step is foreseen; what they release in fact
        is made up for in the next one. rise: release that the input of the step asks for, relative to that of the last
        one, whose release is known; so what a bout releases is there in time.
        """
        n, dt = self._table, self.clock.length
        dimers = np.maximum(n.release_rate * rise + n.unsecreted / dt, 0.0)
        n.unsecreted -= dimers * dt
        return dimers * (self.cells_per_neuron / DIMERS_PER_NANOMOLAR)  # type: ignore[no-any-return]

    def _signals(self) -> Signals:
        """The extracellular concentrations that neurons meet in the step, flat."""
        mean = self.tissue.mean_concentration.reshape(len(SIGNALS), -1)
        bdnf = self.tissue.concentration[BDNF].reshape(-1)
        return Signals(mean[BHB], mean[LACTATE], mean[IRISIN], mean[CORTISOL], bdnf)

    def _advance_neurons(self, drugs: Pharmacology, given: Drive) -> None:
        """Neurons, synapses between events, then the events of the step."""
        n, s, cues = NeuronColumns(**self._table.columns), self.synapses, self._cues(given.activity)
        self._advance_population(n, drugs, given)
        self._advance_synapses(n)
        replay(
            self.wiring, s.early, s.late, self.plasticity, self.network, self.clock.length, cues, self.key,
            self.clock.taken, n.spine, n.scale, self.release_probability, n.threshold, n.potentiation_gain,
            n.depression_gain, n.early_load,
        )  # fmt: skip
        self._weighed = False

    def _cues(self, activity: float) -> float:
        """Entorhinal input that sets off events, relative to rest: a slice lost it when it was cut, at time zero."""
        return 0.0 if self.experiment.preparation == "slice" and self.hour >= 0.0 else activity

    def _advance_population(self, n: NeuronColumns, drugs: Pharmacology, given: Drive) -> None:
        """Every neuron's rule over the coming step."""
        signals, dt, taken = self._signals(), self.clock.length, self.clock.taken
        e, x, s, c = self.epigenome, self.expression, self.plasticity, self.promoters
        mean = mean_drive(n.region, n.drive)

        def advance(first: int, last: int) -> None:
            advance_neurons(n, signals, drugs, e, x, s, c, given, mean, dt, self.key, taken, first, last)

        spread(advance, n.region.size)

    def _advance_synapses(self, n: NeuronColumns) -> None:
        """All synapses between events over the coming step."""
        w, s, p, dt = self.wiring, self.synapses, self.plasticity, self.clock.length
        release = self.release_probability
        refresh_release(p, n.trkb, release)

        def advance(first: int, last: int) -> None:
            advance_synapses(
                w, s.early, s.late, p, dt, n.trkb, n.spine, n.scale, n.mean_protein, release, n.drive, n.early_load,
                first, last,
            )  # fmt: skip

        spread(advance, n.region.size)

    def _weigh(self) -> None:
        """Bring the columns that sum up each neuron's synapses up to date; see `_check_numbers` for what it raises."""
        w, s, n, release = self.wiring, self.synapses, self._table, self.release_probability

        def weigh(first: int, last: int) -> None:
            weigh_synapses(
                w, s.early, s.late, n.spine, n.scale, release, n.mean_strength, n.potentiated, n.consolidated, first,
                last,
            )  # fmt: skip

        spread(weigh, n.region.size)
        self._weighed = True
        _check_numbers(n.columns)

    def rest(self, tick: Callable[[int], None] | None = None) -> None:
        """Run what is left of the burn-in, collecting no data, then open a new account of amounts and errors.

        Most of it goes by the hour, see `Clock.in_burn_in`. tick: called with the number of steps taken after each.
        """
        while self.hour < 0.0:
            self.clock = self.clock.in_burn_in()
            self.advance()
            if tick is not None:
                tick(self.clock.taken)
        self.tissue.reset_ledger()

    def begin(self, rested: dict[str, npt.NDArray[Any]]) -> None:
        """Go to time zero of the schedule, from a checkpoint after the burn-in (or to a later one)."""
        self.restore(rested)
        self._fast_before()

    def _fast_before(self) -> None:
        """At time zero, live the hours in which a fast had begun already, anew and fasted.

        They meet the luck of the same hours of burn-in, so that arms with such a fast and without stay paired.
        """
        before, steps = self.plasma.before, self.plasma.steps_before
        if before is None or self._fast_lived or self._number != 0:
            return
        self._fast_lived = True
        self.clock = Clock(self.clock.step, self.clock.burn_in, self.clock.taken - steps)
        for step in range(steps):
            self._advance_neurons(*self._meet(blood_at(before, step)))
            self.clock = self.clock.next()
        self.tissue.reset_ledger()

    @property
    def steps_total(self) -> int:
        """Steps from time zero to the end of the experiment."""
        return round(self.experiment.run.duration / self.clock.step)

    def observe(self, metric: str) -> dict[str, float]:
        """A read-out for the whole tissue ("all") and, but for the blood, for DG, CA3 and CA1."""
        return METRICS[metric].observe(self)

    def checkpoint(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of everything that changes; `restore` goes on from them bit by bit."""
        return {
            "taken": np.array(self.clock.taken),
            "rest_outflow": np.array(self.rest_outflow),
            "fast_lived": np.array(self._fast_lived),
            "blood": np.array([self.blood[name] for name in sorted(self.blood)]),
            "early": self.synapses.early.copy(),
            "late": self.synapses.late.copy(),
            **{f"neuron.{name}": column.copy() for name, column in self.neurons.columns.items()},
            **{f"tissue.{name}": array for name, array in self.tissue.checkpoint().items()},
            **{f"barrier.{name}": array for name, array in self.barrier.checkpoint().items()},
        }

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go to a checkpoint of a model of the same experiment and replicate."""
        self.clock = Clock(self.clock.step, self.clock.burn_in, int(state["taken"]))
        self.rest_outflow = float(state["rest_outflow"])
        self._fast_lived = bool(state["fast_lived"])
        self.blood = dict(zip(sorted(self.blood), state["blood"].tolist(), strict=True))
        self.synapses.early[:], self.synapses.late[:] = state["early"], state["late"]
        for name, column in self._table.columns.items():
            column[:] = state[f"neuron.{name}"]
        self._weighed = True
        self.tissue.restore(_part(state, "tissue."))
        self.barrier.restore(_part(state, "barrier."))


def _check_numbers(columns: dict[str, npt.NDArray[Any]]) -> None:
    """FloatingPointError where the state of a neuron is not a number, as parameters far outside their range leave it.

    Nothing else would notice: tables show a mean that is not a number as one that is not there.
    """
    for name, column in columns.items():
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            raise FloatingPointError(f"{name} of a neuron is not a number")


def _part(state: dict[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def _whole_tissue(model: HippocampusModel, metric: str) -> float:
    """A read-out of the whole tissue, for the data collector."""
    return METRICS[metric].whole(model)


def burn_in(
    experiment: Experiment, replicate: int, resting: Plasma, tick: Callable[[int], None] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """The state of one replicate after its burn-in, from which every schedule starts; tick as in `rest`."""
    name = experiment.reference
    model = HippocampusModel(
        experiment, name, replicate, plasma=resting, timeline=resting_timeline(experiment.subject), resting=resting
    )
    model.rest(tick)
    return model.checkpoint()


def start(
    experiment: Experiment,
    schedule: str,
    timeline: Timeline,
    replicate: int,
    plasma: Plasma,
    rested: dict[str, npt.NDArray[Any]],
) -> HippocampusModel:
    """One replicate at time zero of a schedule, from its state after burn-in."""
    # The resting day is over: its place is taken by what is at hand, instead of solving the body once more.
    return HippocampusModel(
        experiment, schedule, replicate, plasma=plasma, timeline=timeline, resting=plasma, rested=rested
    )
