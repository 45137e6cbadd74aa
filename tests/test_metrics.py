"""Read-outs: definitions, regional means, heterogeneity and Moran's I against independent calculations."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from abm.barrier import Barrier, BarrierParameters
from abm.epigenome import EpigenomeParameters
from abm.expression import ExpressionParameters
from abm.layout import NEIGHBOURS, Layout, coefficient_of_variation, mean, moran
from abm.metric_names import BLOOD_METRIC_NAMES, METRIC_NAMES, REGIONS, WITHOUT_RATIO
from abm.metrics import METRICS
from abm.network import Synapses
from abm.neurons import Pharmacology
from abm.parameters import load_parameters
from abm.synapses import SynapseParameters
from abm.units import convert
from abm.wiring import NetworkParameters, wire

PROBES = {"ltp_magnitude", "fepsp_slope", "paired_pulse_ratio"}


class Model:
    """A handful of neurons with random states; only what read-outs look at."""

    def __init__(self, neurons: int = 90, seed: int = 3) -> None:
        draw = np.random.default_rng(seed)
        columns: dict[str, Any] = {
            "region": draw.integers(0, 3, neurons).astype(np.int8),
            "position": np.column_stack([draw.random((neurons, 2)) * 1000.0, np.zeros(neurons)]),
            "voxel": draw.integers(0, 16, neurons).astype(np.uint32),
            "nucleosomes": draw.integers(-1, 2, (neurons, 4, 12)).astype(np.int8),
            "transcripts": draw.poisson(3.0, (neurons, 4)).astype(np.int32),
        }
        scalars = (
            "eraser hdac2 hdac3 fndc5 bdnf_pro bdnf_protein release_rate trkb_surface trkb mean_strength potentiated "
            "consolidated spine scale threshold potentiation_gain plasticity_protein rest_bdnf"
        )
        columns |= {name: draw.random(neurons) + 0.5 for name in scalars.split()}
        self.neurons = SimpleNamespace(**columns)
        fields = draw.random((5, 4, 4))
        self.tissue = SimpleNamespace(
            concentration=fields,
            outflow=lambda signal: fields[signal].mean(),
            capillary_concentration=lambda: fields[:, 0, :2].copy(),
            capillary_weight=np.array([6.0, 10.0]),
            bhb_burnt=lambda: 2.0 * float(fields[0].mean()),
            layers=np.zeros((4, 4), np.int8),
        )
        self.barrier, self.carriers = Barrier(load_parameters(BarrierParameters, "barrier", "human")), 1.0
        self.rest_outflow = 0.5
        drawn = {"bhb": 0.1, "lactate": 1.0, "irisin": 0.3, "cortisol": 300.0, "glucose": 5.0, "ffa": 0.5}
        drawn |= {"insulin": 50.0, "glycogen": 5.0}
        self.blood = {f"sampled_{name}": level for name, level in drawn.items()} | {"vo2max": 40.0}
        self.blood |= {"sampled_bdnf": 0.0, "dexamethasone": 0.2, "plasma_volume": 0.9, "plasma_gained": 0.05}
        self.blood |= {"platelets": 1.2, "platelet_count": 1.1, "exertion": 0.3}
        self.blood |= {"fitness": 0.2, "adaptation": 0.1, "platelet_adaptation": 0.05}
        self.experiment = SimpleNamespace(subject=SimpleNamespace(species="human", overrides={}))
        self.drugs = Pharmacology()
        self.expression = load_parameters(ExpressionParameters, "expression")
        self.epigenome = load_parameters(EpigenomeParameters, "epigenome")
        self.plasticity = load_parameters(SynapseParameters, "synapses")
        self.network = load_parameters(NetworkParameters, "network")._replace(synapses_per_neuron=20.0)
        self.wiring = wire(self.network, columns["region"], 1, 0)
        self.synapses = Synapses(draw.random(self.wiring.sender.size), draw.random(self.wiring.sender.size))

    def gain_at_trough(self) -> float:
        return 1.0


def test_every_name_is_a_read_out() -> None:
    assert set(METRICS) == set(METRIC_NAMES)
    assert {name for name, metric in METRICS.items() if not metric.regional} == set(BLOOD_METRIC_NAMES)


def test_the_configuration_knows_which_have_no_ratio() -> None:
    assert {name for name, metric in METRICS.items() if not metric.has_zero} == set(WITHOUT_RATIO)


@pytest.mark.parametrize("name", METRICS)
def test_definition(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    assert metric.definition.endswith(".")
    known = "1 1/h mmol/L nmol/L pmol/L mmol/kg ng/mL ng/g/min umol/g/min mL/kg/min"
    assert metric.unit in known.split()
    assert metric.unit == "1" or convert(f"2 {metric.unit}", metric.unit) == pytest.approx(2.0)


@pytest.mark.parametrize("name", METRICS)
def test_reading_gives_a_number_per_region_and_changes_nothing(name: str) -> None:
    model, twin = Model(), Model()
    values = METRICS[name].observe(model)
    assert list(values) == (list(REGIONS) if METRICS[name].regional else ["all"])
    assert all(np.isfinite(value) and isinstance(value, float) for value in values.values())
    for column, array in vars(twin.neurons).items():
        np.testing.assert_array_equal(getattr(model.neurons, column), array)
    np.testing.assert_array_equal(model.tissue.concentration, twin.tissue.concentration)
    for array, same in ((model.synapses.early, twin.synapses.early), (model.synapses.late, twin.synapses.late)):
        np.testing.assert_array_equal(array, same)
    for array, same in zip(model.wiring, twin.wiring, strict=True):
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize(
    "name", [name for name, metric in METRICS.items() if metric.sum_up is mean and metric.regional]
)
def test_whole_tissue_is_the_mean_of_its_regions_weighted_by_neurons(name: str) -> None:
    model = Model()
    values = METRICS[name].observe(model)
    counts = np.bincount(model.neurons.region, minlength=3)
    parts = np.array([values[region] for region in REGIONS[1:]])
    assert values["all"] == pytest.approx((parts * counts).sum() / counts.sum(), rel=1e-12)


@pytest.mark.parametrize("name", sorted(PROBES))
def test_the_field_of_the_whole_tissue_is_recorded_in_ca1(name: str) -> None:
    values = METRICS[name].observe(Model())
    assert values["all"] == values["CA1"] != values["CA3"]


def test_acetylation_counts_only_acetylated_nucleosomes() -> None:
    model = Model()
    model.neurons.nucleosomes[:] = -1
    model.neurons.nucleosomes[:, 0, :3] = 1
    model.neurons.nucleosomes[:, 0, 3:6] = 0
    assert METRICS["acetylation_I"].observe(model)["all"] == pytest.approx(0.25)
    assert METRICS["acetylation_IV"].observe(model)["all"] == 0.0
    assert METRICS["acetylation"].observe(model)["all"] == pytest.approx(0.25 / 4)


def test_transcripts_of_the_promoters_add_up() -> None:
    model = Model()
    parts = [METRICS[f"bdnf_mrna_{promoter}"].observe(model)["CA3"] for promoter in ("I", "II", "IV", "VI")]
    assert METRICS["bdnf_mrna"].observe(model)["CA3"] == pytest.approx(sum(parts), rel=1e-12)


def test_tissue_signal_is_what_the_neurons_meet() -> None:
    model = Model()
    model.neurons.voxel[:] = 5
    assert METRICS["tissue_lactate"].observe(model)["all"] == pytest.approx(model.tissue.concentration[1, 1, 1])


def test_an_empty_region_has_no_value() -> None:
    model = Model()
    model.neurons.region[:] = 1
    values = METRICS["bdnf_protein"].observe(model)
    assert np.isnan(values["DG"])
    assert values["CA3"] == values["all"]
    assert np.isnan(METRICS["spatial_clustering"].observe(model)["DG"])


def test_coefficient_of_variation_does_not_depend_on_the_unit() -> None:
    values = np.random.default_rng(1).lognormal(size=500)
    layout = Layout.of(Model())
    own = coefficient_of_variation(values, "all", layout)
    assert own == pytest.approx(coefficient_of_variation(7.0 * values, "all", layout))
    region = layout.members["CA1"]
    assert coefficient_of_variation(values[region], "CA1", layout) == pytest.approx(
        values[region].std() / values[region].mean()
    )


def test_a_difference_between_regions_is_no_heterogeneity() -> None:
    layout = Layout.of(Model())
    values = np.random.default_rng(1).lognormal(size=500)
    for name in REGIONS[1:]:
        values[layout.members[name]] /= values[layout.members[name]].mean()
    own = coefficient_of_variation(values, "all", layout)
    apart = values.copy()
    apart[layout.members["CA1"]] += 5.0
    assert coefficient_of_variation(apart, "all", layout) * apart.mean() == pytest.approx(own * values.mean())


def brute_force_moran(values: np.ndarray, positions: np.ndarray, region: np.ndarray) -> float:
    """Moran's I from its definition, with a full weight matrix, about the mean of each neuron's region."""
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    weights = np.zeros_like(distance)
    for row, nearest in enumerate(np.argsort(distance, axis=1)[:, :NEIGHBOURS]):
        weights[row, nearest] = 1.0 / NEIGHBOURS
    z = values - np.array([values[region == own].mean() for own in region])
    return float(len(values) / weights.sum() * (weights * np.outer(z, z)).sum() / (z**2).sum())


@pytest.mark.parametrize("region", REGIONS)
def test_moran_is_its_definition(region: str) -> None:
    model = Model()
    layout = Layout.of(model)
    members = layout.members[region]
    values = model.neurons.mean_strength[members]
    own, places = model.neurons.region[members], model.neurons.position[members]
    assert moran(values, region, layout) == pytest.approx(brute_force_moran(values, places, own))


def test_moran_of_shuffled_values_averages_minus_one_over_n_minus_one() -> None:
    layout, draw = Layout.of(Model()), np.random.default_rng(5)
    values = draw.random(layout.members["CA1"].size)
    found = [moran(draw.permutation(values), "CA1", layout) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(-1 / (values.size - 1), abs=4 * np.std(found) / np.sqrt(2000))


def test_regions_that_differ_are_no_clustering() -> None:
    model = Model()
    layout, values = Layout.of(model), model.neurons.mean_strength
    apart = values + 10.0 * model.neurons.region
    assert moran(apart, "all", layout) == pytest.approx(moran(values, "all", layout))


def test_moran_sees_a_gradient_and_not_a_constant() -> None:
    model = Model()
    layout = Layout.of(model)
    assert moran(model.neurons.position[:, 0].copy(), "all", layout) > 0.7
    assert np.isnan(moran(np.ones(90), "all", layout))


def test_too_few_neurons_have_no_clustering() -> None:
    model = Model(neurons=NEIGHBOURS)
    assert np.isnan(METRICS["spatial_clustering"].observe(model)["all"])


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("plasma_bhb", "sampled_bhb"), ("plasma_lactate", "sampled_lactate"), ("plasma_irisin", "sampled_irisin"),
        ("plasma_glucose", "sampled_glucose"), ("plasma_ffa", "sampled_ffa"), ("plasma_insulin", "sampled_insulin"),
        ("liver_glycogen", "sampled_glycogen"), ("vo2max", "vo2max"), ("plasma_volume", "plasma_volume"),
        ("platelet_count", "platelet_count"),
    ],
)  # fmt: skip
def test_a_read_out_of_blood_is_that_column(name: str, column: str) -> None:
    model = Model()
    model.blood |= {each: float(place + 2) for place, each in enumerate(model.blood)}
    assert METRICS[name].observe(model)["all"] == model.blood[column]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("bdnf_pro", "bdnf_pro"), ("bdnf_protein", "bdnf_protein"), ("bdnf_release", "release_rate"),
        ("trkb_activation", "trkb"), ("trkb_surface", "trkb_surface"), ("fndc5", "fndc5"), ("hdac2", "hdac2"),
        ("hdac3", "hdac3"), ("hdac_activity", "eraser"), ("synaptic_strength", "mean_strength"),
        ("potentiated_fraction", "potentiated"), ("consolidated_fraction", "consolidated"), ("spine_density", "spine"),
    ],
)  # fmt: skip
def test_a_read_out_of_neurons_is_that_column(name: str, column: str) -> None:
    model = Model()
    assert METRICS[name].observe(model)["all"] == pytest.approx(getattr(model.neurons, column).mean(), rel=1e-12)
