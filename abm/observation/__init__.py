"""What a laboratory sees of the model: blood samples, assays of tissue, field recordings and effect sizes.

Between a concentration in the tissue and a published number lies a measurement: serum holds what platelets carried, a
bout of exercise thickens the blood, a field electrode sums over many cells, a meta-analysis divides by the spread
between people. Each of these is a function of the model's state here. Reading never changes a model.

The modules with compiled loops (`assays`, `probe`) are imported where they are needed, so that an experiment can be
checked without them.
"""

from abm.observation.cohort import StandardisedDifference, effect_size, standardised_difference
from abm.observation.parameters import ObservationParameters, between_subject_cv, observation_parameters, pooled_cv

__all__ = [
    "ObservationParameters",
    "StandardisedDifference",
    "between_subject_cv",
    "effect_size",
    "observation_parameters",
    "pooled_cv",
    "standardised_difference",
]
