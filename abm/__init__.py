"""Agent-based simulation of the hippocampus under exercise.

A training plan moves signals in the blood; they cross the blood-brain barrier, diffuse through the tissue and change
chromatin, BDNF and synapses of many single neurons. The public names are loaded when they are first used, so that
importing the package costs nothing.

    from abm import load_experiment, run_experiment, open_results
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from abm.compiled import keep_kernels

if TYPE_CHECKING:
    from abm.config import load_experiment as load_experiment
    from abm.model import HippocampusModel as HippocampusModel
    from abm.study import open_results as open_results
    from abm.study import run_experiment as run_experiment

try:
    __version__ = version("hippocampus-exercise")
except PackageNotFoundError:  # a checkout that was not installed
    __version__ = "0+unknown"

keep_kernels()

# Public name -> the module that defines it.
_HOMES = {
    "HippocampusModel": "abm.model",
    "load_experiment": "abm.config",
    "open_results": "abm.study",
    "run_experiment": "abm.study",
}

__all__ = ["HippocampusModel", "__version__", "load_experiment", "open_results", "run_experiment"]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
