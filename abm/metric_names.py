"""The names of the read-outs, and the regions they are reported for.

A name stands in `observe` of an experiment, in the results and in the scoreboard. Each read-out is defined in
`abm.metrics`; the names alone live here so that the configuration can check them without importing the model.
"""

PROMOTERS = ("I", "II", "IV", "VI")
REGIONS = ("all", "DG", "CA3", "CA1")

# Read-outs of the blood: they need a body, so they exist only in vivo.
BLOOD_METRIC_NAMES = (
    "plasma_bhb",
    "plasma_lactate",
    "plasma_irisin",
    "plasma_cortisol",
    "plasma_glucose",
    "plasma_ffa",
    "plasma_insulin",
    "liver_glycogen",
    "vo2max",
    "plasma_volume",
    "platelet_count",
    "serum_bdnf",
    "plasma_bdnf",
    "brain_bdnf_release",
    "brain_bhb_uptake",
    "brain_bhb_oxidation",
    "brain_lactate_uptake",
    "arteriovenous_lactate",
)

TISSUE_METRIC_NAMES = (
    "tissue_bhb",
    "tissue_lactate",
    "tissue_irisin",
    "tissue_cortisol",
    "tissue_bdnf",
    "hdac_activity",
    "hdac2",
    "hdac3",
    "hdac2_occupancy",
    "hdac3_occupancy",
    "acetylation",
    *(f"acetylation_{promoter}" for promoter in PROMOTERS),
    "fndc5",
    "gr_occupancy",
    "bdnf_mrna",
    *(f"bdnf_mrna_{promoter}" for promoter in PROMOTERS),
    "bdnf_pro",
    "bdnf_protein",
    "bdnf_release",
    "trkb_surface",
    "trkb_activation",
    "synaptic_strength",
    "potentiated_fraction",
    "consolidated_fraction",
    "spine_density",
    "strength_heterogeneity",
    "spatial_clustering",
    "ltp_magnitude",
    "fepsp_slope",
    "paired_pulse_ratio",
    "mepsc_amplitude",
    "mepsc_frequency",
    "object_location_preference",
)

# Read-outs of a living animal: they exist only in vivo.
OF_ANIMALS = (*BLOOD_METRIC_NAMES, "object_location_preference")
# Zero does not mean "nothing of it": the brain also gives lactate and BHB off.
WITHOUT_RATIO = ("spatial_clustering", "brain_bhb_uptake", "brain_lactate_uptake", "arteriovenous_lactate")
METRIC_NAMES = BLOOD_METRIC_NAMES + TISSUE_METRIC_NAMES


def split_metric(name: str) -> tuple[str, str]:
    """`bdnf_protein.CA1` -> (`bdnf_protein`, `CA1`); without a suffix the region is `all`.

    Raises ValueError for an unknown read-out or region.
    """
    metric, dot, region = name.partition(".")
    region = region if dot else "all"
    if metric not in METRIC_NAMES or region not in REGIONS:
        raise ValueError(f"unknown read-out {name!r}")
    return metric, region
