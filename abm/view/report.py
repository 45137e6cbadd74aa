"""One self-contained page: summary, predictive intervals, figures, numerics, parameters, sources, provenance, plan."""

from __future__ import annotations

import html
import json
from pathlib import Path

import xarray as xr
import yaml

from abm.config import Experiment, build_experiment
from abm.metrics import METRICS
from abm.signals import SIGNALS
from abm.study.plan import plan_experiment
from abm.study.provenance import code_hash
from abm.study.results import Results
from abm.study.step_error import step_errors
from abm.study.store import write_text
from abm.view.bibliography import reference_lines
from abm.view.drawing import Figures, draw, drawers
from abm.view.figures import FIGURES
from abm.view.page import details, image, note, page, table
from abm.view.parameter_table import HEAD, experiment_records, grades_text, parameter_rows
from abm.view.predictive import report_section as parameters_section
from abm.view.sensitivity import report_section
from abm.view.style import WORDS
from abm.view.text import counted, mean_text, number, p_text, plan_text, ratio_text, told_values

CHANGED = (
    "The program or its parameter files have changed since this study was run: summary, figures, ledger and provenance "
    "are of the study; plan, parameters, sources and the step error of neurons are those of the program as it is now."
)


def write_report(results: Results, figures: Figures | None = None) -> Path:
    """Write report.html, which needs no other file and no network; returns its path.

    figures: those being drawn (default: all are drawn now).
    """
    experiment = _experiment(results)
    with drawers() as pool:
        figures = draw(pool, results.path) if figures is None else figures
        finished = bool(results.states.finished.any())
        numerics = _numerics(results) + _neuron_steps(results, experiment) if finished else ""
        sections = {
            "Summary": _summary(results),
            "What the result depends on": report_section(results.path),
            "What the parameters leave open": parameters_section(results),
            "Figures": _figures({name: path.result() for name, path in figures.items()}),
            "Mass ledger and step error": numerics,
            "Plan": _plan(results, experiment),
            "Parameters": _parameters(experiment),
            "Sources": _sources(experiment),
            "Provenance": _provenance(results),
        }
    sections = {title: content for title, content in sections.items() if content}
    path = results.path / "report.html"
    write_text(path, page(experiment.name, _lead(results), sections))
    return path


def _experiment(results: Results) -> Experiment:
    return build_experiment(yaml.safe_load((results.path / "config.yaml").read_text(encoding="utf-8")))


def _lead(results: Results) -> str:
    record = results.manifest
    size = f"{counted(len(results.schedules), 'schedule')} on {counted(record['replicates'], 'replicate')}"
    text = html.escape(f"{size}, seed {record['seed']}, {record['started'][:10]}.")
    failed = len(record.get("failures", []))
    warning = f' <span class="failed">Runs that failed and are left out: {failed}.</span>' if failed else ""
    if record.get("code_hash") != code_hash():
        warning += f' <span class="failed">{CHANGED}</span>'
    return f'<p class="lead">{text}{warning}</p>'


def _summary(results: Results) -> str:
    rows: list[tuple[str, ...]] = []
    for title, part in told_values(results.summary_rows):
        rows.append((f"{title}. {METRICS[part[0].metric].definition}",))
        rows += [(row.schedule, str(row.n), mean_text(row), ratio_text(row), p_text(row.p_value)) for row in part]
    head = ("schedule", "n", "mean [95 % interval]", f"ratio to {results.reference} [95 % interval]", "p")
    text = (
        "Intervals over replicates (pieces of tissue). Ratios are paired: both schedules ran on the same tissues with "
        "the same random draws; the mean is geometric, and may differ from the ratio of the means beside it where "
        "replicates differ much. What moves within hours, in blood and tissue, stands at the time of its largest ratio "
        "and at its last. p: two-sided paired t test of log ratios, not corrected for the number of "
        "comparisons. The spread between replicates is that of the model, not that between animals or people. "
        "Every time and region is in summary.csv."
    )
    return note(text) + table(head, rows, (1,))


def _figures(paths: dict[str, Path]) -> str:
    return "".join(image(path, name, " ".join((FIGURES[name].__doc__ or "").split())) for name, path in paths.items())


def _provenance(results: Results) -> str:
    record = {key: value for key, value in results.manifest.items() if key != "failures"}
    failures = results.manifest.get("failures", [])
    rows = [(f["schedule"], str(f["replicate"]), f["stage"], f["error"]) for f in failures]
    failed = f"<h3>Runs that failed</h3>{table(('schedule', 'replicate', 'stage', 'error'), rows)}" if rows else ""
    return f"{failed}<pre>{html.escape(json.dumps(record, indent=2, ensure_ascii=False))}</pre>"


def _plan(results: Results, experiment: Experiment) -> str:
    config = (results.path / "config.yaml").read_text(encoding="utf-8")
    text = plan_text(plan_experiment(experiment))
    return f"<pre>{html.escape(text)}</pre>" + details("config.yaml", f"<pre>{html.escape(config)}</pre>")


def _numerics(results: Results) -> str:
    traces, runs = results.traces, ("schedule", "replicate")
    ledger, error, substeps = traces.ledger.load(), traces.step_error.max(runs), traces.substeps.mean(runs)
    worst = ledger.max(runs)
    rows = [
        (
            WORDS.get(signal, signal),
            *(f"{float(worst.sel(signal=signal, term=term)):.1e}" for term in ("residual", "worst_residual")),
            f"{float(error.sel(signal=signal)):.1e}",
            f"{float(substeps.sel(signal=signal)):.0f}",
        )
        for signal in SIGNALS
    ]
    head = ("signal", "ledger of a run", "worst hand-over", "largest step error", "sub-steps per run")
    text = (
        "Ledger: what came into the tissue less what went out less what is stored, relative to all that was ever "
        "there; the largest of all runs, over a whole run and at a single hand-over. Step error: the solver's own "
        "estimate of the relative error of one step of a signal's field; the largest of all steps of all runs."
    )
    return note(text) + table(head, rows, range(1, 5)) + _ledger_table(results, ledger)


def _neuron_steps(results: Results, experiment: Experiment) -> str:
    rows = [
        (error.schedule, *(f"{100.0 * value:.2f} %" for value in error[1:]))
        for error in step_errors(results, experiment)
    ]
    text = (
        "Neurons: largest difference, over the whole run, between steps as long as this run's and steps half as long, "
        "for the expected neuron (every random draw replaced by its probability) under the tissue signals of this run. "
        "The error of this run's steps is at most about twice as large, of extracellular BDNF and TrkB two and a half "
        "times."
    )
    head = ("schedule", "CREB signal", "Bdnf transcripts", "mature BDNF", "extracellular BDNF", "TrkB signalling")
    return note(text) + table(head, rows, range(1, 6))


def _ledger_table(results: Results, ledger: xr.DataArray) -> str:
    terms = [str(term) for term in ledger.term.values if "residual" not in str(term)]
    rows: list[tuple[str, ...]] = []
    for signal in SIGNALS:
        unit = "pmol" if METRICS[f"tissue_{signal}"].unit == "mmol/L" else "amol"
        rows.append((f"{WORDS.get(signal, signal)} ({unit})",))
        for schedule in results.schedules:
            # A concentration unit times um^3, in millions: pmol where the unit is mmol/L, amol where it is nmol/L.
            amounts = 1e-6 * ledger.sel(signal=signal, schedule=schedule).mean("replicate")
            rows.append((schedule, *(number(float(amounts.sel(term=term))) for term in terms)))
    content = table(("schedule", *(term.replace("_", " ") for term in terms)), rows, range(1, len(terms) + 1))
    return details("Amounts, mean over replicates", content)


def _parameters(experiment: Experiment) -> str:
    parts = []
    for part, rows in parameter_rows(experiment).items():
        shown = [(name.replace("_", " "), *cells) for name, *cells in rows]
        parts.append(details(f"{part} ({len(rows)})", table(HEAD, shown)))
    return note(grades_text(experiment)) + "".join(parts)


def _sources(experiment: Experiment) -> str:
    records = [record for part in experiment_records(experiment).values() for record in part.values()]
    lines = []
    for key, text, link in reference_lines(source for record in records for source in record.source):
        shown = html.escape(text)
        lines.append(f"<li><b>{key}</b> " + (f'<a href="{html.escape(link)}">{shown}</a>' if link else shown) + "</li>")
    return f"<ul>{''.join(lines)}</ul>"
