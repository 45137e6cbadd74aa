"""The Mesa server: a page on which a tissue is watched while a plan plays. Loaded by `run.py serve` only."""
