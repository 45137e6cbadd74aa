"""The package as its users meet it: import cost, public names, and a README that tells the truth."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import abm
from abm.parameters import parameter_parts, parameter_records

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PUBLIC = ["HippocampusModel", "load_experiment", "open_results", "run_experiment"]


def code_blocks(language: str) -> list[str]:
    """Fenced code blocks of the README written in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_importing_the_package_loads_no_library() -> None:
    code = "import sys; before = set(sys.modules); import abm; print(*(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    third_party = {"mesa", "numba", "numpy", "pandas", "pint", "pydantic", "scipy", "xarray", "yaml", "zarr"}
    assert {name.split(".")[0] for name in loaded.split()} & third_party == set()


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name(name: str) -> None:
    assert name in dir(abm)
    assert name in abm.__all__
    assert getattr(abm, name).__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'neuron'"):
        _ = abm.neuron


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


def test_quick_start_is_two_lines_that_stand_alone() -> None:
    after = README.split("## Quick start\n")[1]
    lines = after.split("```")[1].splitlines()[1:]
    assert len(lines) == 2
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install ") for line in lines)
    assert lines[0].endswith("run.py experiment")
    assert lines[1].endswith("-m pytest -n 2 --dist worksteal")


def test_the_readme_says_how_many_numbers_have_no_source() -> None:
    sources = [record.source for part in parameter_parts() for record in parameter_records(part).values()]
    assert "the more than a third\nthat have no source" in README
    assert 0.33 < sources.count(()) / len(sources) < 0.4


@pytest.mark.parametrize("text", code_blocks("yaml"))
def test_plans_of_the_readme_are_valid(text: str, tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text(text, encoding="utf-8")
    experiment = abm.load_experiment(path)
    assert set(experiment.schedules) == set(yaml.safe_load(text)["schedules"])
