"""What is to be seen of a tissue, as plain arrays: of a playing model, of the change between two, or of results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.metric_names import PROMOTERS, REGIONS
from abm.metrics import METRICS
from abm.signals import SIGNALS
from abm.view.style import label

if TYPE_CHECKING:
    from abm.model import HippocampusModel

Floats = NDArray[np.float64]

NO_FIELD = "none"
FIELDS = (*SIGNALS, NO_FIELD)
COLOURED = (
    "acetylation", *(f"acetylation_{name}" for name in PROMOTERS),
    "bdnf_mrna", *(f"bdnf_mrna_{name}" for name in PROMOTERS),
    "bdnf_protein", "bdnf_release", "trkb_activation", "synaptic_strength", "consolidated_fraction",
)  # fmt: skip
STRONGEST = 80  # synapses drawn


class View(NamedTuple):
    """How a tissue is looked at.

    field: a signal or "none". colour: the read-out that colours the neurons. region: "all" or one. field_range,
    neuron_range: ends of the colour scales; None is automatic. chosen: the neuron that is ringed, or None.
    """

    field: str = "lactate"
    colour: str = "synaptic_strength"
    region: str = "all"
    field_range: tuple[float, float] | None = None
    neuron_range: tuple[float, float] | None = None
    capillaries: bool = False
    synapses: bool = False
    chosen: int | None = None


@dataclass(frozen=True)
class Scene:
    """A tissue to be painted.

    size: (x, y) um. field: (ny, nx) or None. positions: (n, 2) um. values: (n,) what colours the neurons. region: (n,).
    vessels: (m, 2) um. synapses: (k, 2) places of sender and receiver among the neurons. change: whether field and
    values are differences. titles: of field and values, with units. typical: size of field and of values, against which
    a difference is small or large.
    """

    size: tuple[float, float]
    field: Floats | None
    positions: Floats
    values: Floats
    region: NDArray[np.int8]
    vessels: Floats
    synapses: NDArray[np.intp]
    titles: tuple[str, str]
    change: bool = False
    typical: tuple[float, float] = (0.0, 0.0)

    def shown(self, region: str) -> NDArray[np.intp]:
        """The neurons of a region ("all": every one)."""
        if region == "all":
            return np.arange(len(self.region))
        return np.flatnonzero(self.region == REGIONS.index(region) - 1)


def title(metric: str) -> str:
    """Name and unit on one line."""
    return label(metric).replace("\n", " ")


def middle_plane(field: Floats) -> Floats:
    """A field itself, or the middle plane of a volume."""
    return field[field.shape[0] // 2] if field.ndim == 3 else field


def scene_of(model: HippocampusModel, view: View) -> Scene:
    """What is to be seen of a model now."""
    tissue, voxel = model.tissue, model.tissue.voxel
    rows, columns = tissue.shape[-2:]
    field = None if view.field == NO_FIELD else middle_plane(tissue.concentration[SIGNALS.index(view.field)]).copy()
    vessels: NDArray[Any] = np.empty((0, 2))
    if view.capillaries:
        within = np.asarray(tissue.capillary_voxel, np.intp) % (rows * columns)
        vessels = (np.stack([within % columns, within // columns], axis=1) + 0.5) * voxel
    return Scene(
        (columns * voxel, rows * voxel),
        field,
        np.array(model.neurons.position[:, :2]),
        METRICS[view.colour].values(model).copy(),
        np.array(model.neurons.region),
        vessels,
        strongest(model, view.region) if view.synapses else np.empty((0, 2), np.intp),
        (title(f"tissue_{view.field}") if field is not None else "", title(view.colour)),
    )


def strongest(model: Any, region: str = "all", count: int = STRONGEST) -> NDArray[np.intp]:
    """Sender and receiver of the most potentiated synapses between neurons of a region, or of all, (k, 2)."""
    wiring, change = model.wiring, model.synapses.early + model.synapses.late
    neurons = len(wiring.start) - 1
    between = np.flatnonzero(wiring.sender < neurons)
    if region != "all":
        own = np.asarray(model.neurons.region) == REGIONS.index(region) - 1
        received = np.repeat(own, np.diff(wiring.start))
        between = between[own[wiring.sender[between]] & received[between]]
    # A part is sorted, since there are millions of synapses, and a picture is drawn many times a second.
    most = between[np.argpartition(change[between], -min(count, len(between)))[-count:]] if len(between) else between
    order = most[np.argsort(-change[most], kind="stable")]
    receiver = np.searchsorted(wiring.start, order, side="right") - 1
    return np.stack([wiring.sender[order].astype(np.intp), receiver], axis=1)


def difference(own: Scene, other: Scene) -> Scene:
    """The change from `other` to `own`, of field and neurons; both are the same tissue."""
    field = None if own.field is None or other.field is None else own.field - other.field
    titles = tuple(f"Δ {name}" if name else "" for name in own.titles)
    typical = tuple(0.0 if whole is None else float(np.abs(whole).mean()) for whole in (other.field, other.values))
    return replace(
        own, field=field, values=own.values - other.values, titles=(titles[0], titles[1]), change=True,
        typical=(typical[0], typical[1]),
    )  # fmt: skip
