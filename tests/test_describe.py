"""The description of the model: complete, true to the code, and the same on every machine."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from abm.cli import main
from abm.config import build_experiment, load_experiment
from abm.metrics import METRICS
from abm.neurons import Neuron
from abm.parameters import CONFIG_DIRECTORY, parameter_parts, parameter_records
from abm.study.validate import choose
from abm.view.bibliography import read_bibliography
from abm.view.describe import PACKAGE, SUBMODELS, describe

EXPERIMENTS = CONFIG_DIRECTORY / "experiments"
ELEMENTS = (  # of ODD
    "Purpose and patterns", "Entities, state variables and scales", "Process overview and scheduling",
    "Design concepts", "Initialisation", "Input data", "Submodels",
)  # fmt: skip


@pytest.fixture(scope="module")
def text() -> str:
    return describe(load_experiment(EXPERIMENTS / "exercise_schedules.yaml"))


def test_it_has_the_elements_of_the_protocol_in_their_order(text: str) -> None:
    heads = re.findall(r"^## \d+\. (.*)$", text, re.MULTILINE)
    assert tuple(heads[: len(ELEMENTS)]) == ELEMENTS


def test_every_rule_of_the_chain_is_there(text: str) -> None:
    """Rules are what is compiled into the model by `rule`; those of plain arithmetic and of random streams apart."""
    described = {f"{module}.py" for modules in SUBMODELS.values() for module in modules}
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE).as_posix()
        rules = [
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and "rule" in [ast.unparse(item) for item in node.decorator_list]
        ]
        if rules and module not in ("elementary.py", "streams.py"):
            assert module in described
            assert all(f"**`{name}(" in text for name in rules if not name.startswith("_"))


def test_every_state_variable_parameter_and_read_out_is_there(text: str) -> None:
    assert all(f"| `{name}` |" in text for name in [*Neuron.declared_columns(), *METRICS])
    for part in parameter_parts():
        for name, record in parameter_records(part, "human").items():
            assert f"| `{name}` | {record.value} " in text


def test_every_source_that_it_names_is_in_its_list(text: str) -> None:
    body, _, sources = text.rpartition("Sources\n\n")
    listed = set(re.findall(r"^- \*\*(\w+)\*\*", sources, re.MULTILINE))
    assert listed == set(re.findall(r"\w+", body)) & read_bibliography().keys()
    assert len(listed) > 100


def test_its_input_is_the_experiment(text: str) -> None:
    written = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert written is not None
    experiment = load_experiment(EXPERIMENTS / "exercise_schedules.yaml")
    assert build_experiment(yaml.safe_load(written[1])) == experiment


def test_numbers_are_those_of_the_species_and_of_the_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    wheel = str(EXPERIMENTS / "mouse_wheel.yaml")
    assert main(["describe", wheel, "--set", "subject.overrides={expression.store_half_life: 20 h}"]) == 0
    text = capsys.readouterr().out
    for name, record in parameter_records("body_lactate", "mouse").items():
        assert f"| `{name}` | {record.value} " in text
    usual = parameter_records("expression")["store_half_life"].value
    assert f"| `store_half_life` | 20 h (in place of {usual}) |" in text


def test_a_culture_has_no_body() -> None:
    (evidence,) = choose(("sleiman2016_culture",))
    text = describe(evidence.protocol)
    assert "### Chromatin" in text
    assert "### Body" not in text
    assert "### Blood-brain barrier" not in text
    assert "### epigenome" in text
    assert "### body_" not in text


def test_no_machine_is_in_it(text: str) -> None:
    assert str(Path.cwd()) not in text
    assert str(Path.home()) not in text


def test_a_wrong_key_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--set", "run.replicats=2"]) == 2
    assert "did you mean 'replicates'" in capsys.readouterr().err
