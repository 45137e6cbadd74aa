"""The piece of hippocampus: where everything lies, and the five signals that spread through it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from abm.parameters import load_parameters
from abm.signals import BDNF, BHB, LACTATE, SIGNALS
from abm.streams import generator
from abm.sums import inner, inner_rows
from abm.tissue.geometry import cell_layers, layer_map
from abm.tissue.kernels import Account, Coefficients, MeanRates, Metabolism, Rates, consumption, foresee
from abm.tissue.ledger import HELD, INJECTED, TERMS, Ledger
from abm.tissue.medium import Structure, bdnf_memory, build_structure, extracellular_space, mean_conductance
from abm.tissue.parameters import TissueParameters
from abm.tissue.placement import Capillaries, Neurons, place_capillaries, place_neurons
from abm.tissue.solver import precision_for, working_space
from abm.tissue.threads import advance_on, threads_for
from abm.tissue.transform import cosines

if TYPE_CHECKING:
    from abm.config import Experiment

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-3  # relative local error of a sub-step
NO_SIGNAL, NOT_HELD = np.zeros(len(SIGNALS)), np.full(len(SIGNALS), np.nan)
SETTLING_STEP, SETTLED, MOST_SETTLING_STEPS = 2.0, 1e-5, 2000  # h, relative change of the content in a step, steps
UNSTEADY = 50  # steps over which the change is averaged where the error of the solver, in a single step, exceeds it


class Exchange(Protocol):
    """A blood-brain barrier: see `abm.barrier.Barrier.exchange`."""

    def exchange(
        self, blood: Mapping[str, float], brain: Floats, weight: Floats, remaining_activity: float = 1.0
    ) -> tuple[Floats, Floats]: ...


class Tissue:
    """A lamella (two lengths) or block (three) of hippocampus with five signals in its extracellular space.

    In each voxel of storage phi, extracellular fraction alpha and tortuosity lambda, per tissue volume,

        phi dc/dt = div(alpha D/lambda^2 grad c) + influx - efflux c - consumption(c) - clearance alpha c + secretion

    c: extracellular concentration, mmol/L (bhb, lactate) or nmol/L (irisin, cortisol, bdnf), free where a carrier binds
    it. Solved by `abm.tissue.solver` with sub-steps chosen so that the relative local error stays below `tolerance`;
    where a signal's coefficients are uniform the step is exact. `ledger` keeps the balance.

    Attributes (n neurons, m capillary voxels; shape is (y, x) or (z, y, x)):
        concentration, mean_concentration (5, *shape); layers (*shape) int8, see `Layer`
        volume_fraction, tortuosity (*shape)
        positions (n, 2 or 3) um; region (n,) int8, see `Region`; transverse (n,) 0..1; neuron_voxel (n,) uint32
        capillary_voxel (m,) uint32; capillary_weight (m,), of mean 1 over all voxels of the tissue
        volume, voxel_volume um^3; a lamella is one voxel deep
        step_error (5,) largest relative local error so far; substeps, iterations (5,) how many so far
    """

    def __init__(
        self,
        parameters: TissueParameters,
        structure: Structure,
        voxel: float,
        neurons: Neurons,
        capillaries: Capillaries,
        layers: npt.NDArray[np.int8] | None = None,
        flat: bool = True,
        tolerance: float = TOLERANCE,
    ) -> None:
        if not 0.0 < tolerance <= 0.1:
            raise ValueError(f"tolerance {tolerance} is not between 0 and 0.1")
        self.parameters, self.structure, self.voxel, self.tolerance = parameters, structure, voxel, tolerance
        grid = structure.volume_fraction.shape
        self.shape: tuple[int, ...] = grid[1:] if flat else grid
        self.layers = np.zeros(self.shape, np.int8) if layers is None else layers.reshape(self.shape)
        self.volume_fraction = structure.volume_fraction.reshape(self.shape)
        self.tortuosity = structure.tortuosity.reshape(self.shape)
        self.positions, self.region, self.transverse, self.neuron_voxel = neurons
        self.capillary_voxel, self.capillary_weight = capillaries
        self.voxel_volume = voxel**3
        self.volume = self.voxel_volume * structure.volume_fraction.size
        self._fields = np.zeros((len(SIGNALS), structure.volume_fraction.size))
        self._means = self._fields.copy()
        self._bathed = 0.0  # BDNF that is there of baths
        self._next_step = np.full(len(SIGNALS), np.inf)
        self.step_error = np.zeros(len(SIGNALS))
        self.substeps = np.zeros(len(SIGNALS), np.int64)
        self.iterations = np.zeros(len(SIGNALS), np.int64)
        self._coefficients, self._work = self._flatten(), working_space(grid, precision_for(tolerance))
        self._workers = threads_for(structure.volume_fraction.size)
        self._metabolism = Metabolism(*(getattr(parameters, name) for name in Metabolism._fields))
        self.ledger = Ledger(self.stored())

    def _flatten(self) -> Coefficients:
        """The constant coefficients as the solver takes them."""
        s = self.structure
        storage = s.storage.reshape(len(SIGNALS), -1)
        production = np.zeros(len(SIGNALS))
        production[LACTATE] = self.parameters.lactate_production
        return Coefficients(
            s.volume_fraction.shape,
            storage,
            s.faces.reshape(3, -1).astype(precision_for(self.tolerance)),
            s.volume_fraction.reshape(-1),
            s.washout.reshape(-1),
            math.fsum(s.washout.reshape(-1)),
            s.eigenvalues,
            s.diffusivity,
            s.clearance,
            production,
            np.array([math.fsum(phi) / phi.size for phi in storage]),
            mean_conductance(s.faces),
            self.capillary_voxel,
            self.neuron_voxel,
            cosines(s.volume_fraction.shape, precision_for(self.tolerance)),
        )

    @classmethod
    def draw(
        cls,
        parameters: TissueParameters,
        neurons: int,
        proportions: tuple[float, float, float],
        seed: int,
        replicate: int = 0,
        size: tuple[float, ...] = (1600.0, 1600.0),
        voxel: float = 25.0,
        boundaries: Mapping[str, str] | None = None,
        spacing: float | None = None,
        tolerance: float = TOLERANCE,
    ) -> Tissue:
        """Draw a tissue: the layers are given by its size, neurons and capillaries by (seed, replicate).

        proportions: of DG, CA3 and CA1 neurons; size: (x, y) or (x, y, z), um, whole numbers of voxels of edge `voxel`;
        boundaries: side -> no_flux (default) or washout; spacing: of capillaries, um (default: the parameters').
        Raises ValueError where the size is not a whole number of voxels or a boundary has another name.
        """
        cells = [round(length / voxel) for length in size]
        if any(n < 1 or abs(n * voxel - length) > 1e-6 * voxel for n, length in zip(cells, size, strict=True)):
            raise ValueError(f"size {size} um is not a whole number of voxels of {voxel} um")
        shape = (cells[2] if len(size) == 3 else 1, cells[1], cells[0])
        curves = cell_layers(size, parameters)
        plane = layer_map(size, voxel, curves, parameters)
        layers = np.broadcast_to(plane, shape)
        fraction, tortuosity = extracellular_space(layers, parameters)
        structure = build_structure(fraction, tortuosity, voxel, boundaries or {}, parameters)
        placed = place_neurons(
            generator(seed, replicate, "positions"), neurons, proportions, curves, size, shape, voxel
        )
        vessels = place_capillaries(
            generator(seed, replicate, "capillaries"), spacing or parameters.capillary_spacing, size, shape, voxel
        )
        return cls(parameters, structure, voxel, placed, vessels, layers.copy(), len(size) == 2, tolerance)

    @classmethod
    def build(
        cls, experiment: Experiment, neurons: int, proportions: tuple[float, float, float], seed: int, replicate: int
    ) -> Tissue:
        """The tissue of an experiment: `draw` with its species' parameters, size, voxels, sides and capillaries."""
        subject, config = experiment.subject, experiment.tissue
        parameters = load_parameters(TissueParameters, "tissue", subject.species, subject.overrides)
        # A section is a slice of what goes on in front of it and behind it: nothing leaves it there.
        names = ("left", "right", "bottom", "top", "front", "back")[: 2 * len(config.size)]
        sides = {side: getattr(config.boundaries, side) for side in names}
        spacing = config.capillaries.spacing
        return cls.draw(
            parameters, neurons, proportions, seed, replicate, tuple(config.size), config.voxel, sides, spacing
        )

    @property
    def concentration(self) -> Floats:
        """The fields, (5, *shape); a view, so that a copied tissue shows its own."""
        return self._fields.reshape(len(SIGNALS), *self.shape)

    @property
    def mean_concentration(self) -> Floats:
        """The fields on the mean over the last advance, (5, *shape): what cells have met in it."""
        return self._means.reshape(len(SIGNALS), *self.shape)

    def capillary_concentration(self) -> Floats:
        """Concentration of each signal outside each capillary, (5, m)."""
        return np.take(self._fields, self.capillary_voxel, axis=1)

    def coming_concentration(self, influx: Floats, efflux: Floats, duration: float) -> Floats:
        """The same on the mean over the coming `duration` (h), at the given exchange; see `foresee`."""
        outside = self.capillary_concentration()
        foresee(self.mean_rates, self._fields, influx, efflux, duration, outside)
        return outside

    def outflow(self, signal: int) -> float:
        """Concentration of a signal outside the capillaries, mean over their surface: what drives it into blood."""
        outside = self._fields[signal, self.capillary_voxel]
        whole = inner_rows(self.capillary_weight[None], outside[None])[0]
        return float(whole / self.structure.volume_fraction.size)  # the weights' mean over all voxels is 1

    def stored(self) -> Floats:
        """Amount of each signal in the tissue, (5,), concentration x um^3."""
        return self.voxel_volume * inner_rows(self._coefficients.storage, self._fields)

    def content(self) -> Floats:
        """Mean amount of each signal per tissue volume, (5,), mmol or nmol per litre: what spectroscopy sees."""
        return np.asarray(self.stored() / self.volume)

    def bhb_burnt(self) -> float:
        """BHB that the tissue burns, mean per tissue volume, mmol/L/h: `bhb_consumption` times the concentration."""
        rates = np.empty_like(self._fields)
        consumption(self._metabolism, self._fields[BHB], 0.0, rates)
        return float(inner(rates[BHB], self._fields[BHB]) / rates.shape[1])

    @cached_property
    def mean_rates(self) -> MeanRates:
        """Means over the tissue of what its signals hang on, for a piece of it without space."""
        k = self._coefficients
        lost = k.clearance * k.fraction.mean() + k.diffusivity * k.washout.mean()
        return MeanRates(self._metabolism, k.storage.mean(axis=1), lost, k.production.copy())

    def advance(
        self,
        duration: float,
        influx: Floats | None = None,
        efflux: Floats | None = None,
        secretion: Floats | None = None,
        bath: Floats | None = None,
        outside: Floats | None = None,
    ) -> None:
        """Advance all signals by `duration` (h); every rate stays as it is at the start.

        influx (5, m) concentration/h and efflux (5, m) 1/h, per volume of the capillary voxels (none: 0); secretion
        (n,) of BDNF by each neuron into its voxel, nmol/L um^3/h; bath (5,) concentrations at which signals are held
        during this step, NaN where they are free (of BDNF what the bath adds to the tissue's own, which goes on as it
        would without: its equation is linear); outside (5,) concentrations beyond washout sides (default 0).
        Raises FloatingPointError where a rate or a concentration is not a number.
        """
        vessels = (len(SIGNALS), self.capillary_voxel.size)
        held = np.array(NOT_HELD if bath is None else bath, np.float64)
        added, held[BDNF] = float(np.nan_to_num(held[BDNF])), math.nan
        rates = Rates(
            np.zeros(vessels) if influx is None else np.ascontiguousarray(influx, np.float64),
            np.zeros(vessels) if efflux is None else np.ascontiguousarray(efflux, np.float64),
            np.zeros(self.neuron_voxel.size) if secretion is None else secretion / self.voxel_volume,
            NO_SIGNAL if outside is None else np.ascontiguousarray(outside, np.float64),
            held,
        )
        account = Account(self._next_step, self.step_error, self.substeps, self.iterations)
        amounts, stored = np.zeros((len(SIGNALS), len(TERMS))), np.empty(len(SIGNALS))
        # What a bath that goes leaves behind is cleared like the tissue's own; one that comes takes its place.
        kept = min(self._bathed, added, float(self._fields[BDNF].min()))
        self._fields[BDNF] -= kept
        advance_on(self._workers)(
            self._metabolism, self._coefficients, rates, duration, self.tolerance, self._fields, account, self._work,
            self._means, amounts, stored,
        )  # fmt: skip
        self._fields[BDNF] += added
        self._means[BDNF] += added
        self._bathed = added + (self._bathed - kept) * math.exp(-duration / bdnf_memory(self.parameters))
        space = self._coefficients.mean_storage[BDNF] * self._fields.shape[1]
        amounts[BDNF, HELD], stored[BDNF] = (added - kept) * space, stored[BDNF] + added * space
        amounts *= self.voxel_volume
        self._close(amounts, self.voxel_volume * stored, HELD, None if bath is None else ~np.isnan(held))

    def _close(self, amounts: Floats, stored: Floats, term: int, rows: npt.NDArray[np.bool_] | None) -> None:
        """Hand amounts (concentration x um^3) to the ledger; what `rows` gained otherwise counts under `term`."""
        if rows is not None:
            amounts[rows, term] += stored[rows] - self.ledger.stored[rows]
        if not self.ledger.close(amounts, stored):
            sound = np.isfinite(stored) & np.isfinite(amounts).all(axis=1)
            broken = ", ".join(signal for signal, good in zip(SIGNALS, sound, strict=True) if not good)
            raise FloatingPointError(f"a rate or the concentration of {broken} is not a number")

    def inject(self, signal: str, amount: float) -> None:
        """Put an amount per tissue volume (mmol/L or nmol/L of tissue) evenly into the tissue, at once."""
        row = SIGNALS.index(signal)
        self._fields[row] += amount / self._coefficients.storage[row]
        self._close(np.zeros((len(SIGNALS), len(TERMS))), self.stored(), INJECTED, np.arange(len(SIGNALS)) == row)

    def settle(
        self,
        barrier: Exchange | None,
        blood: Mapping[str, float],
        secretion: Floats | None = None,
        bath: Floats | None = None,
    ) -> None:
        """Bring all signals to their steady state under constant blood, or in a bath without any, and secretion.

        They have come to it where the content changes by at most 1e-5 in a step, or on the mean over the last 50: the
        error that a step may make is larger, and in a tissue with open sides need never fall below. barrier: none
        where there is no blood; bath: as in `advance`. Raises ArithmeticError where they do not come to rest.
        """
        influx = efflux = None
        contents = [self.content()]
        for _ in range(MOST_SETTLING_STEPS):
            if barrier is not None:
                influx, efflux = barrier.exchange(blood, self.capillary_concentration(), self.capillary_weight)
            self.advance(SETTLING_STEP, influx, efflux, secretion, bath)
            contents.append(self.content())
            if any(
                len(contents) > steps
                and np.all(np.abs(contents[-1] - contents[-1 - steps]) <= steps * SETTLED * contents[-1])
                for steps in (1, UNSTEADY)
            ):
                break
        else:
            raise ArithmeticError("the signals of the tissue do not come to a steady state")
        self._next_step[:] = np.inf

    def reset_ledger(self) -> None:
        """Start a new account of amounts, errors and sub-steps from the present state."""
        self.ledger.reset()
        self.step_error[:], self.substeps[:], self.iterations[:] = 0.0, 0, 0

    def checkpoint(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of every array that changes; `restore` continues from them bit by bit."""
        return {
            "concentration": self._fields.reshape(len(SIGNALS), *self.structure.volume_fraction.shape).copy(),
            "bathed": np.array(self._bathed),
            "next_step": self._next_step.copy(),
            "step_error": self.step_error.copy(),
            "substeps": self.substeps.copy(),
            "iterations": self.iterations.copy(),
            **self.ledger.checkpoint(),
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a checkpoint of a tissue of the same size."""
        self._fields[:] = arrays["concentration"].reshape(self._fields.shape)
        self._bathed = float(arrays["bathed"])
        self._next_step[:] = arrays["next_step"]
        self.step_error[:], self.substeps[:] = arrays["step_error"], arrays["substeps"]
        self.iterations[:] = arrays["iterations"]
        self.ledger.restore(arrays)
