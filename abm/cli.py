"""The command line: one verb per task. Heavy imports wait until a verb needs them, so that --help answers at once."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from abm.config import Experiment

DONE, SOME_RUN_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
DEFAULT_CONFIG = "configs/experiments/exercise_schedules.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0 done, 1 some run failed, 2 wrong input, 130 interrupted."""
    parser = build_parser()
    given = parser.parse_args(arguments)
    if given.verb is None:
        parser.print_help()
        return DONE
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "experiment": experiment,
        "check": check,
        "report": report,
    }
    # A cluster's scheduler ends a job with SIGTERM: what is finished is kept, as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return verbs[given.verb](given)
    except KeyboardInterrupt:
        print("interrupted; what is finished is kept, and --resume goes on", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if not _caused_by_user(error):
            raise
        print(f"error: {error}", file=sys.stderr)
        return WRONG_INPUT
    finally:
        signal.signal(signal.SIGTERM, before)


def build_parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    parser = argparse.ArgumentParser(
        prog="abm", description="What training plans do to hippocampal neurons: an agent-based simulation."
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    run = verbs.add_parser("experiment", help="run an experiment and report on it")
    _add_config(run)
    run.add_argument(
        "--out", metavar="DIR", type=Path, help="results folder (default: results/<name of the experiment>)"
    )
    where = run.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=_count, help="processes on this machine (default: one per core)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="run on the Dask cluster behind this scheduler")
    existing = run.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="do what the results folder lacks")
    existing.add_argument("--overwrite", action="store_true", help="replace what the results folder holds")
    run.add_argument("--quiet", action="store_true", help="show no progress")

    plan = verbs.add_parser("check", help="validate an experiment and show what it would do; runs nothing")
    _add_config(plan)

    page = verbs.add_parser("report", help="figures and one self-contained HTML page from results")
    page.add_argument("results", metavar="DIR", type=Path, help="results folder")
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="CONFIG", nargs="?", help=f"experiment file (default: {DEFAULT_CONFIG})")
    parser.add_argument("--replicates", metavar="N", type=_count, help="number of replicates, in place of the file's")
    parser.add_argument("--seed", metavar="S", type=int, help="seed, in place of the file's")
    parser.add_argument(
        "--set",
        metavar="KEY.PATH=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one value; repeatable",
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _caused_by_user(error: Exception) -> bool:
    from abm.errors import ConfigError
    from abm.study.store import ResultsError

    return isinstance(error, ConfigError | ResultsError)


def _load(given: argparse.Namespace) -> Experiment:
    from abm.config import load_experiment
    from abm.parameters import CONFIG_DIRECTORY

    # The default is found beside the package, whatever the working directory.
    path = given.config or CONFIG_DIRECTORY.parent / DEFAULT_CONFIG
    overrides = list(given.overrides)
    overrides += [f"run.replicates={given.replicates}"] if given.replicates is not None else []
    overrides += [f"run.seed={given.seed}"] if given.seed is not None else []
    return load_experiment(path, overrides)


def experiment(given: argparse.Namespace) -> int:
    """Run an experiment, print its summary, write its figures and report."""
    from abm.study import run_experiment
    from abm.view.report import write_report
    from abm.view.text import summary_text

    results = run_experiment(
        _load(given),
        given.out,
        workers=given.workers,
        scheduler=given.scheduler,
        resume=given.resume,
        overwrite=given.overwrite,
        progress=not given.quiet,
    )
    print(summary_text(results))
    page = write_report(results)
    print(f"\nresults in {results.path}, report in {page}")
    return _tell_failures(results.manifest["failures"])


def _tell_failures(failures: list[dict[str, object]]) -> int:
    for failure in failures:
        print("failed: {schedule}, replicate {replicate}, {stage}: {error}".format(**failure), file=sys.stderr)
    return SOME_RUN_FAILED if failures else DONE


def check(given: argparse.Namespace) -> int:
    """Validate an experiment and print its plan."""
    from abm.study.plan import plan_experiment
    from abm.view.text import plan_text

    print(plan_text(plan_experiment(_load(given))))
    return DONE


def report(given: argparse.Namespace) -> int:
    """Write figures and report from results."""
    from abm.study import open_results
    from abm.view.report import write_report

    print(write_report(open_results(given.results)))
    return DONE
