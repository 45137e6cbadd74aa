"""The signals that spread in the extracellular space, in the order of every array that has a row per signal.

BHB and lactate in mmol/L, the others in nmol/L.
"""

SIGNALS = ("bhb", "lactate", "irisin", "cortisol", "bdnf")
BHB, LACTATE, IRISIN, CORTISOL, BDNF = range(len(SIGNALS))
