"""Tissue: layers of DG, CA3 and CA1, capillaries, where neurons lie, and signals that diffuse and are used up."""

from abm.tissue.fields import Tissue
from abm.tissue.geometry import Layer, Region
from abm.tissue.ledger import Ledger
from abm.tissue.parameters import TissueParameters

__all__ = ["Layer", "Ledger", "Region", "Tissue", "TissueParameters"]
