"""The signals that spread in the extracellular space, in the order of every array that has a row per signal."""

SIGNALS = ("bhb", "lactate", "irisin", "cortisol", "bdnf")
BHB, LACTATE, IRISIN, CORTISOL, BDNF = range(len(SIGNALS))
UNITS = ("mmol/L", "mmol/L", "nmol/L", "nmol/L", "nmol/L")
