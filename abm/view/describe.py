"""The model in the ODD protocol (Grimm 2020, grimm2020), as Markdown, for one experiment.

What can be read off is read off: rules and equations from the docstrings of the code that runs, state variables from
the columns of the neuron, numbers with their grades from the parameter records, the patterns from the scoreboard: these
cannot fall behind the model. The words between them are kept by hand.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from abm.body import STATE_VARIABLES
from abm.config import Experiment
from abm.metrics import METRICS
from abm.model import HippocampusModel
from abm.neurons import Neuron
from abm.signals import SIGNALS
from abm.study.parameter_space import absent_parts
from abm.study.plan import Plan, plan_experiment
from abm.study.scoreboard import COMMITTED_BOARD, read_board
from abm.study.store import config_text
from abm.view.bibliography import read_bibliography, reference_lines
from abm.view.parameter_table import HEAD, grades_text, parameter_rows
from abm.view.text import time_text, tissue_text

PACKAGE = Path(__file__).resolve().parents[1]
EQUATION = re.compile(r" = |\^")

# In the order in which a step goes through them: title -> modules, as paths below the package.
SUBMODELS = {
    "Schedule": ("schedule", "forcing"),
    "Body": (
        *(f"body/{name}" for name in ("__init__", "lactate", "fuels", "ketones", "irisin", "cortisol", "adaptation")),
        *(f"body/{name}" for name in ("diabetes", "doses", "haemoconcentration", "hypervolaemia", "wakefulness")),
    ),
    "Blood-brain barrier": ("barrier",),
    "Tissue": tuple(f"tissue/{name}" for name in ("geometry", "placement", "medium", "kernels", "solver")),
    "Chromatin": ("epigenome",),
    "Expression of Bdnf": ("expression",),
    "Wiring": ("wiring",),
    "Synapses": ("synapses", "network"),
    "Observation": tuple(
        f"observation/{name}" for name in ("blood", "uptake", "assays", "probe", "memory", "miniature", "cohort")
    ),
}
OF_THE_BODY = ("Body", "Blood-brain barrier")  # submodels that a culture has not

LEAD = """\
The hippocampus under exercise in the ODD protocol (Overview, Design concepts, Details; Grimm 2020, grimm2020),
followed by parameters, read-outs and sources. Written by the program from its own rules and numbers."""

PURPOSE = """\
To predict what a plan of exercise, meals and doses does to the neurons of the hippocampus over days to months,
by the published routes from muscle, liver and adrenal gland to Bdnf and synapses: which plasticity emerges, how
sure it is, and on which evidence it rests. Patterns: the model is judged by published experiments, each of them
run as an arm of its own and compared with what was seen. Rows for calibration may be used to fit parameters,
rows for validation never."""

SYNAPSES = """\
A synapse holds its early and late change, its sender, its weight and its coupling; it belongs to the receiving
neuron."""

SCALES = """\
The tissue is a section or a block of dentate gyrus, CA3 and CA1. Time runs in steps; within a step the signals
are solved with error-controlled sub-steps, and events at synapses happen at random within it. Time zero is
midnight of day 0, a Monday, after the burn-in."""

CONCEPTS = {
    "Basic principles": """\
Beta-hydroxybutyrate inhibits histone deacetylases at the Bdnf promoters and raises the CREB signal and
excitability; lactate acts on CREB through NMDA receptors and through SIRT1, PGC-1a and FNDC5; irisin acts
through integrin; cortisol holds transcription back and shapes potentiation; waking raises the CREB signal and
sleep lowers it. Each route acts relative to the neuron's own set point, the mean that it meets over a resting
day.""",
    "Emergence": """\
BDNF over weeks of training, which synapses are consolidated, how unequal and how clustered they are, and what a
block of training leaves behind emerge from chromatin, stores of protein and structure. No rule of a neuron
knows of a schedule.""",
    "Adaptation": """\
Neurons and synapses answer local signals by fixed rules. The body adapts to training, and the carriers of the
barrier to what the blood brings.""",
    "Objectives, learning, prediction": """\
None. Plasticity of synapses is what the model is about, not a means by which its agents pursue an aim.""",
    "Sensing": """\
A neuron senses the five signals in its own voxel, its synaptic drive, whether the animal is awake, and its own
state.""",
    "Interaction": """\
Neurons interact through the BDNF that they release into the shared tissue, and in events in which connected
cells fire together.""",
    "Stochasticity": """\
Positions, wiring, resting rates, nucleosomes, promoters, births and deaths of transcripts, and events are
random. Draws come from counter-based streams named by seed, replicate, purpose, agent and step; all schedules
of a replicate share them, so that contrasts are paired.""",
    "Collectives": "The regions DG, CA3 and CA1, and assemblies: cells that fire together in an event.",
    "Observation": """\
The read-outs listed below, at the times that the experiment names. Probes and assays work on copies: to read
changes nothing.""",
}

INITIALISATION = """\
Capillaries and neurons are placed, the network is wired and resting rates are drawn from the seed and the
number of the replicate. Nucleosomes start in the stationary distribution of the resting chromatin, transcripts
at random about their resting mean, proteins at it, synapses unpotentiated. The set points of every neuron are
the means of its local drives over a resting day. The burn-in then lives resting days, with the usual meals and
without exercise or doses, by the hour up to its last four days. All schedules of a replicate start from the same
rested tissue; one with a fast that began before time zero lives the hours of that fast once more, fasted."""

INPUT = """\
The experiment is the only input; nothing else drives the model. The body turns its sessions, meals and doses into
plasma; slices and cultures have no body, a bath holds their concentrations."""


class Rule(NamedTuple):
    """A function of the model: its name, the names of its arguments, and its docstring."""

    name: str
    arguments: tuple[str, ...]
    text: str


def describe(experiment: Experiment) -> str:
    """The description of the model as it runs this experiment."""
    plan = plan_experiment(experiment)
    absent = OF_THE_BODY if absent_parts(experiment) else ()
    sections = {
        "Purpose and patterns": f"{PURPOSE}\n\n{_patterns()}",
        "Entities, state variables and scales": _entities(plan),
        "Process overview and scheduling": _code_text(str(HippocampusModel.__doc__).partition("Arguments:")[0]),
        "Design concepts": "\n\n".join(f"**{concept}.** {text}" for concept, text in CONCEPTS.items()),
        "Initialisation": INITIALISATION,
        "Input data": _input(plan),
        "Submodels": "\n\n".join(_submodel(*item) for item in SUBMODELS.items() if item[0] not in absent),
        "Parameters": _parameters(experiment),
        "Read-outs": _read_outs(),
    }
    sections["Sources"] = _sources(" ".join(sections.values()) + LEAD)
    numbered = [f"## {place}. {title}\n\n{text}" for place, (title, text) in enumerate(sections.items(), 1)]
    return "\n\n".join([f"# {experiment.name}: the model and its numbers", LEAD, *numbered])


def _patterns() -> str:
    """How many published observations of each part of the chain agree, of the scoreboard that comes with the model."""
    counts = read_board(COMMITTED_BOARD).counts(lambda row: (row.part, row.role, row.about))
    lines = [(*count.group, f"{count.passed} of {count.rows}") for count in counts]
    return _table(("part", "role", "kind", "agree"), sorted(lines))


def _entities(plan: Plan) -> str:
    columns = [
        (f"`{name}`", _shape(column.shape), column.unit, str(column.__doc__))
        for name, column in Neuron.declared_columns().items()
    ]
    extracellular = [METRICS[f"tissue_{signal}"] for signal in SIGNALS]
    fields = [(metric.name, metric.unit, metric.definition.partition(" at the neurons")[0]) for metric in extracellular]
    states = [(f"`{name}`", text) for name, text in STATE_VARIABLES.items()]
    body = [] if absent_parts(plan.experiment) else ["### Body", _table(("state variable", "unit and meaning"), states)]
    run = plan.experiment.run
    return "\n\n".join(
        [
            f"### Neurons\n\n{Neuron.__doc__}",
            _table(("state variable", "entries", "unit", "meaning"), columns),
            f"### Synapses\n\n{SYNAPSES}",
            "### Tissue: signals in every voxel",
            _table(("signal", "unit", "meaning"), fields),
            *body,
            f"### Scales\n\n{SCALES}",
            f"This experiment: {tissue_text(plan.experiment.tissue)}; steps of {60.0 * run.step:g} min over "
            f"{time_text(run.duration)} after a burn-in of {time_text(run.burn_in)}; {run.replicates} replicates, seed "
            f"{run.seed}.",
        ]
    )


def _input(plan: Plan) -> str:
    return f"{INPUT}\n\n```yaml\n{config_text(plan.experiment)}```"


def _submodel(title: str, modules: Sequence[str]) -> str:
    parts = [f"### {title}"]
    for module in modules:
        tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
        parts.append(f"#### {module.removesuffix('/__init__')}\n\n{_code_text(ast.get_docstring(tree) or '')}")
        parts += [f"**`{rule.name}({', '.join(rule.arguments)})`**\n\n{_code_text(rule.text)}" for rule in _rules(tree)]
    return "\n\n".join(part for part in parts if part)


def _rules(tree: ast.Module) -> Iterator[Rule]:
    """The rules of a module, and what else it offers that states an equation."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node) or ""
            if EQUATION.search(text) or any(ast.unparse(item) == "rule" for item in node.decorator_list):
                yield Rule(node.name, tuple(argument.arg for argument in node.args.args), text)


def _code_text(docstring: str) -> str:
    """A docstring as Markdown: its indented lines stay as they are, code; a list of them needs a blank line before."""
    lines: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if line.startswith("    ") and lines and lines[-1] and not lines[-1].startswith("    "):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _parameters(experiment: Experiment) -> str:
    parts = []
    for part, rows in parameter_rows(experiment).items():
        shown = [(f"`{name}`", *cells) for name, *cells in rows]
        parts.append(f"### {part}\n\n{_table(HEAD, shown)}")
    return "\n\n".join([grades_text(experiment), *parts])


def _read_outs() -> str:
    rows = [(f"`{metric.name}`", metric.unit, metric.definition) for metric in METRICS.values()]
    return _table(("read-out", "unit", "meaning"), rows)


def _sources(text: str) -> str:
    """The sources that a text names by their keys."""
    words = set(re.findall(r"\w+", text))
    lines = reference_lines(words & read_bibliography().keys())
    return "\n".join(f"- **{key}** {reference}" + (f" <{link}>" if link else "") for key, reference, link in lines)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
