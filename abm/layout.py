"""How the neurons' values become one number: which neurons form a region, who lies next to whom, and the sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from abm.metric_names import REGIONS

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

NEIGHBOURS = 8


@dataclass
class Layout:
    """Which neurons belong to each region and which lie next to each other; neither changes while a model runs."""

    positions: Floats
    members: dict[str, Indices]
    nearest: dict[str, Indices] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Any) -> Layout:
        """The layout of `model`, worked out once."""
        if model not in _layouts:
            region = np.asarray(model.neurons.region)
            members = {name: np.flatnonzero(region == code) for code, name in enumerate(REGIONS[1:])}
            _layouts[model] = cls(np.array(model.neurons.position), {"all": np.arange(len(region)), **members})
        return _layouts[model]

    def neighbours(self, region: str) -> Indices:
        """For each neuron of the region the places, within the region, of its nearest fellows: shape (8, n).

        Empty where a region has too few neurons.
        """
        if region not in self.nearest:
            self.nearest[region] = _nearest(self.positions[self.members[region]])
        return self.nearest[region]


_layouts: WeakKeyDictionary[Any, Layout] = WeakKeyDictionary()


def _nearest(positions: Floats) -> Indices:
    if len(positions) <= NEIGHBOURS:
        return np.empty((NEIGHBOURS, 0), dtype=np.intp)
    from scipy.spatial import KDTree

    nearest = np.asarray(KDTree(positions).query(positions, NEIGHBOURS + 1)[1], dtype=np.intp)
    return np.ascontiguousarray(nearest[:, 1:].T)


SumUp = Callable[[Floats, str, Layout], float]


def mean(values: Floats, region: str, layout: Layout) -> float:
    """Arithmetic mean; NaN for an empty region."""
    return float(values.mean()) if len(values) else float("nan")


def within_regions(values: Floats, region: str, layout: Layout) -> Floats:
    """What each neuron's value lies above the mean of its own region, in the whole tissue too.

    Regions differ, most of all in exercise, and that is no spread between neurons.
    """
    deviation = values.copy()
    for members in [layout.members[name] for name in REGIONS[1:]] if region == "all" else [slice(None)]:
        deviation[members] -= mean(values[members], region, layout)
    return deviation


def coefficient_of_variation(values: Floats, region: str, layout: Layout) -> float:
    """Standard deviation within regions over mean; NaN for an empty region or a mean of zero."""
    centre = mean(values, region, layout)
    if not (len(values) and centre):
        return float("nan")
    deviation = within_regions(values, region, layout)
    return float(np.sqrt((deviation * deviation).mean())) / centre


def moran(values: Floats, region: str, layout: Layout) -> float:
    """Moran's I among the neurons of a region, each giving equal weight to its 8 nearest fellows N(i).

        I = sum_i z_i (mean of z_j over j in N(i)) / sum_i z_i^2,    z = x - mean(x of the neuron's own region)

    Near 1: like lies next to like; -1/(n-1) on average without spatial order. In the whole tissue too a neuron is
    compared with its own region (`within_regions`). NaN without spread or neighbours.
    """
    neighbours, deviation = layout.neighbours(region), within_regions(values, region, layout)
    square = float((deviation * deviation).sum())
    if not neighbours.size or square == 0.0:
        return float("nan")
    around = np.add.reduce(np.take(deviation, neighbours), axis=0) / NEIGHBOURS
    return float((deviation * around).sum()) / square


def recorded_field(values: Floats, region: str, layout: Layout) -> float:
    """Arithmetic mean of a field recording; the whole tissue's is that of CA1, where the electrode stands."""
    return mean(values[layout.members["CA1"]] if region == "all" else values, region, layout)
