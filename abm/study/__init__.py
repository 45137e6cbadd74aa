"""Studies: an experiment's runs on any number of workers, their results, and where these come from."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abm.study.experiment import run_experiment as run_experiment
    from abm.study.results import Results as Results
    from abm.study.results import open_results as open_results

# Loaded on first use: laying out a plan must not load compiled code.
_HOMES = {
    "Results": "abm.study.results",
    "open_results": "abm.study.results",
    "run_experiment": "abm.study.experiment",
}

__all__ = ["Results", "open_results", "run_experiment"]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
