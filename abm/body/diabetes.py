"""Type 2 diabetes as a change of parameters: what differs from a healthy body of the same training."""

from typing import Annotated, NamedTuple

from abm.body.rates import BodyParameters
from abm.parameters import Unit


class DiabetesParameters(NamedTuple):
    """Factors that turn a healthy body into one with type 2 diabetes; sources in
    configs/parameters/body_diabetes.yaml.
    """

    diabetic_glucose_basal: Annotated[float, Unit("1")]
    diabetic_insulin_basal: Annotated[float, Unit("1")]
    diabetic_insulin_sensitivity: Annotated[float, Unit("1")]
    diabetic_glucagon_basal: Annotated[float, Unit("1")]
    diabetic_ffa_basal: Annotated[float, Unit("1")]
    diabetic_lactate_at_rest: Annotated[float, Unit("1")]


def with_diabetes(p: BodyParameters, factors: DiabetesParameters) -> BodyParameters:
    """The same body with type 2 diabetes.

    `p` has the VO2max of diabetics already, with which the use of plasma fatty acids in exercise falls (mensink2001).
    The set point of glucose rises and insulin acts less on liver, fat and muscle, so that fasting glucose, insulin,
    glucagon and fatty acids are all high; ketosis (avogaro1996) follows from these by the law of ketogenesis.
    """
    fuels, lactate = p.fuels, p.lactate
    return p._replace(
        fuels=fuels._replace(
            glucose_basal=fuels.glucose_basal * factors.diabetic_glucose_basal,
            insulin_basal=fuels.insulin_basal * factors.diabetic_insulin_basal,
            insulin_sensitivity=fuels.insulin_sensitivity * factors.diabetic_insulin_sensitivity,
            glucagon_basal=fuels.glucagon_basal * factors.diabetic_glucagon_basal,
            ffa_basal=fuels.ffa_basal * factors.diabetic_ffa_basal,
        ),
        lactate=lactate._replace(lactate_at_rest=lactate.lactate_at_rest * factors.diabetic_lactate_at_rest),
    )
