"""Where a result comes from: versions, platform, commit, seed, and hashes of the configuration and of the code."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from abm.config import Experiment
from abm.parameters import CONFIG_DIRECTORY

PACKAGE = Path(__file__).resolve().parent.parent
LIBRARIES = (
    "hippocampus-exercise", "mesa", "numpy", "numba", "llvmlite", "scipy", "pydantic", "pint", "xarray", "zarr",
    "pandas", "matplotlib",
)  # fmt: skip


def provenance(experiment: Experiment) -> dict[str, Any]:
    """The record that goes into manifest.json when a study starts."""
    return {
        "name": experiment.name,
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "started": now(),
        "seed": experiment.run.seed,
        "replicates": experiment.run.replicates,
        "schedules": list(experiment.schedules),
        "reference": experiment.reference,
        "config_hash": config_hash(experiment),
        "code_hash": code_hash(),
        "commit": commit(),
        "versions": {"python": platform.python_version(), **versions(LIBRARIES)},
        "platform": {"system": platform.platform(), "machine": platform.machine(), "cores": os.cpu_count()},
    }


def now() -> str:
    """The present time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def config_hash(experiment: Experiment) -> str:
    """SHA-256 of the resolved experiment; equal for two files that mean the same."""
    text = json.dumps(experiment.resolved(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def code_hash() -> str:
    """SHA-256 over the package's Python files, the parameter files and their posteriors, names and contents."""
    digest = hashlib.sha256()
    parameters = CONFIG_DIRECTORY / "parameters"
    for root, pattern in ((PACKAGE, "*.py"), (parameters, "*.yaml"), (parameters, "*.csv")):
        for path in sorted(root.rglob(pattern)):
            name, content = path.relative_to(root).as_posix().encode(), path.read_bytes()
            digest.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    return digest.hexdigest()


def versions(names: Iterable[str]) -> dict[str, str]:
    """Installed versions of the named distributions; those that are not installed are left out."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The git commit of the code, with "+changes" if the checkout differs from it; None outside a checkout."""
    if not (PACKAGE.parent / ".git").exists():
        return None
    try:
        head = _git("rev-parse", "HEAD")
        return head + (
            "+changes" if _git("--no-optional-locks", "status", "--porcelain", "--", "abm", "configs") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PACKAGE.parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
