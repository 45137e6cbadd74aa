"""Constants of the tissue: layers, vessels, extracellular space, diffusion, consumption and clearance."""

from typing import Annotated, NamedTuple

from abm.parameters import Unit


class TissueParameters(NamedTuple):
    """Numbers of the tissue; values, ranges and sources in configs/parameters/tissue.yaml.

    Rates of consumption are per tissue volume and follow the extracellular concentration; those of clearance are per
    extracellular volume.
    """

    granule_layer: Annotated[float, Unit("um")]
    molecular_layer: Annotated[float, Unit("um")]
    ca3_oriens: Annotated[float, Unit("um")]
    ca3_pyramidale: Annotated[float, Unit("um")]
    ca3_radiatum: Annotated[float, Unit("um")]
    ca1_oriens: Annotated[float, Unit("um")]
    ca1_pyramidale: Annotated[float, Unit("um")]
    ca1_radiatum: Annotated[float, Unit("um")]
    ca1_lacunosum: Annotated[float, Unit("um")]
    capillary_spacing: Annotated[float, Unit("um")]
    neuropil_volume_fraction: Annotated[float, Unit("1")]
    neuropil_tortuosity: Annotated[float, Unit("1")]
    cell_layer_volume_fraction: Annotated[float, Unit("1")]
    cell_layer_tortuosity: Annotated[float, Unit("1")]
    other_volume_fraction: Annotated[float, Unit("1")]
    other_tortuosity: Annotated[float, Unit("1")]
    tissue_water: Annotated[float, Unit("1")]
    monocarboxylate_cell_ratio: Annotated[float, Unit("1")]
    steroid_cell_ratio: Annotated[float, Unit("1")]
    bhb_diffusivity: Annotated[float, Unit("um^2/h")]
    lactate_diffusivity: Annotated[float, Unit("um^2/h")]
    irisin_diffusivity: Annotated[float, Unit("um^2/h")]
    cortisol_diffusivity: Annotated[float, Unit("um^2/h")]
    bdnf_diffusivity: Annotated[float, Unit("um^2/h")]
    protein_tortuosity: Annotated[float, Unit("1")]
    irisin_binding: Annotated[float, Unit("1")]
    bdnf_binding: Annotated[float, Unit("1")]
    bhb_consumption_limit: Annotated[float, Unit("mmol/L/h")]
    bhb_consumption_half: Annotated[float, Unit("mmol/L")]
    lactate_consumption: Annotated[float, Unit("1/h")]
    lactate_production: Annotated[float, Unit("mmol/L/h")]
    ketone_sparing_half: Annotated[float, Unit("mmol/L")]
    irisin_clearance: Annotated[float, Unit("1/h")]
    cortisol_clearance: Annotated[float, Unit("1/h")]
    bdnf_clearance: Annotated[float, Unit("1/h")]
