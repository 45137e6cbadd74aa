"""Substances given to the body: absorption by route, volumes of distribution, elimination of drugs."""

from typing import Annotated, NamedTuple

from abm.parameters import Unit


class DoseParameters(NamedTuple):
    """Constants of absorption and of drug kinetics; sources in configs/parameters/body_doses.yaml."""

    oral_absorption: Annotated[float, Unit("1/h")]
    intraperitoneal_absorption: Annotated[float, Unit("1/h")]
    subcutaneous_absorption: Annotated[float, Unit("1/h")]
    subcutaneous_steroid_absorption: Annotated[float, Unit("1/h")]
    dexamethasone_volume: Annotated[float, Unit("L/kg")]
    dexamethasone_half_life: Annotated[float, Unit("h")]
    dexamethasone_half_effect: Annotated[float, Unit("nmol/L")]
    dexamethasone_half_restraint: Annotated[float, Unit("nmol/L")]
    dexamethasone_brain_share: Annotated[float, Unit("1")]
    deoxyglucose_volume: Annotated[float, Unit("L/kg")]
    deoxyglucose_half_life: Annotated[float, Unit("h")]
    bdnf_volume: Annotated[float, Unit("L/kg")]
    bdnf_half_life: Annotated[float, Unit("h")]
