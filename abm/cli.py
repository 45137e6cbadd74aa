"""The command line: one verb per task. Heavy imports wait until a verb needs them, so that --help answers at once."""

from __future__ import annotations

import argparse
import os
import select
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
        "validate": validate,
        "calibrate": calibrate,
        "attribute": attribute,
        "sensitivity": sensitivity,
        "serve": serve,
        "describe": describe,
    }
    # A cluster's scheduler ends a job with SIGTERM: what is finished is kept, as after Ctrl-C. Where a shell has its
    # background jobs ignore Ctrl-C, that stays so.
    heard = [one for one in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _interrupt) for one in heard}
    try:
        done = verbs[given.verb](given)
        sys.stdout.flush()  # here, where a reader that has gone away is no fault
        return done
    except KeyboardInterrupt:
        kept = "; what is finished is kept, and --resume goes on" if hasattr(given, "resume") else ""
        print(f"interrupted{kept}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        return DONE
    except Exception as error:
        code = _code_of(error)
        if code is None:
            raise
        kept = "; what is finished is kept, and --resume goes on" if code == SOME_RUN_FAILED else ""
        print(f"error: {error}{kept}", file=sys.stderr)
        return code
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


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
    page.add_argument("--movie", action="store_true", help="also a movie of the tissue, figures/tissue.gif")

    watch = verbs.add_parser("serve", help="a page in the browser: an experiment plays, or results are browsed")
    _add_config(watch, "experiment file, or folder of finished results")
    watch.add_argument("--port", metavar="P", type=_port, default=8765, help="of the page (default: %(default)s)")
    watch.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="to listen on (default: %(default)s, this machine only)"
    )
    watch.add_argument("--no-browser", action="store_true", help="do not open the browser")

    text = verbs.add_parser("describe", help="ODD protocol, equations, parameters and sources, as Markdown")
    _add_config(text)

    board = verbs.add_parser("validate", help="published experiments: predicted against observed")
    board.add_argument("ids", metavar="ID", nargs="*", help="of the library, or a file of your own (default: all)")
    board.add_argument("--only", metavar="ID", action="append", default=[], help="the same as ID; repeatable")
    board.add_argument("--out", metavar="DIR", type=Path, help="results folder (default: results/validation)")
    board.add_argument("--workers", metavar="N", type=_count, help="processes on this machine (default: one per core)")
    again = board.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="reuse the runs that the results folder holds")
    again.add_argument("--overwrite", action="store_true", help="replace what the results folder holds")
    board.add_argument("--quiet", action="store_true", help="show no progress")

    fit = verbs.add_parser("calibrate", help="fit parameters to the published experiments kept for calibration")
    fit.add_argument("config", metavar="CONFIG", help="calibration file, such as configs/calibration/body.yaml")
    fit.add_argument("--out", metavar="DIR", type=Path, help="results folder (default: results/calibration/<its name>)")
    fit.add_argument("--seed", metavar="S", type=_not_negative, default=1, help="seed of all random draws (default: 1)")
    fit.add_argument("--workers", metavar="N", type=_count, default=1, help="processes (default: 1)")
    fit.add_argument(
        "--write", action="store_true", help="write values, intervals and posterior draws into configs/parameters"
    )
    fit.add_argument("--overwrite", action="store_true", help="replace an earlier fit in the results folder")
    fit.add_argument("--quiet", action="store_true", help="show no progress")

    shares = verbs.add_parser("attribute", help="which signal does it: each schedule's effect shared out among signals")
    _add_study(shares, "results/<name of the experiment>_attribution")

    spread = verbs.add_parser("sensitivity", help="which parameters a result depends on, and how well these are known")
    _add_study(spread, "results/<name of the experiment>_sensitivity")
    spread.add_argument(
        "--samples", metavar="N", type=_count, default=900,
        help="places at which all parameters are varied at once; twice their number at least (default: %(default)s)",
    )  # fmt: skip
    spread.add_argument(
        "--trajectories", metavar="R", type=_not_negative, default=0,
        help="of Morris' elementary effects, which are had besides (default: none)",
    )  # fmt: skip
    spread.add_argument(
        "--parameters", metavar="PART.NAME", nargs="+", default=[], help="vary only these (default: all in use)"
    )
    return parser


def _add_study(parser: argparse.ArgumentParser, folder: str) -> None:
    _add_config(parser)
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"results folder (default: {folder})")
    parser.add_argument("--workers", metavar="N", type=_count, help="processes on this machine (default: one per core)")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="do what the results folder lacks")
    existing.add_argument("--overwrite", action="store_true", help="replace what the results folder holds")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _add_config(parser: argparse.ArgumentParser, what: str = "experiment file") -> None:
    parser.add_argument("config", metavar="CONFIG", nargs="?", help=f"{what} (default: {DEFAULT_CONFIG})")
    parser.add_argument("--replicates", metavar="N", type=_count, help="number of replicates, in place of the file's")
    parser.add_argument("--seed", metavar="S", type=_not_negative, help="seed, in place of the file's")
    parser.add_argument(
        "--set",
        metavar="KEY.PATH=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one value; repeatable",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _count(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _port(text: str) -> int:
    number = _whole(text)
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError("must be 0 (any free one) to 65535")
    return number


def _not_negative(text: str) -> int:
    number = _whole(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _interrupt(*_: object) -> NoReturn:
    # What ends a group of processes often signals twice. While workers are being sent home, which takes seconds at
    # most, a second signal would leave some of them waiting for ever, and this process for them.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def _nobody_reads() -> bool:
    """Whether who read the output, such as `head`, has gone; what is left to be written then goes nowhere."""
    output = select.poll()
    output.register(sys.stdout, select.POLLOUT)
    gone = any(event & select.POLLERR for _, event in output.poll(0))
    if gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return gone


def _code_of(error: Exception) -> int | None:
    """The exit status of an error that is told in a sentence; none of one that is a fault of the program."""
    from abm.errors import ConfigError
    from abm.study.store import ResultsError
    from abm.study.work import Lost

    if isinstance(error, ConfigError | ResultsError):
        return WRONG_INPUT
    return SOME_RUN_FAILED if isinstance(error, Lost) else None


def _config(given: argparse.Namespace) -> Path:
    from abm.parameters import CONFIG_DIRECTORY

    # The default is found beside the package, whatever the working directory.
    return Path(given.config) if given.config else CONFIG_DIRECTORY.parent / DEFAULT_CONFIG


def _load(given: argparse.Namespace, *fixed: str) -> Experiment:
    from abm.config import load_experiment

    overrides = list(given.overrides)
    overrides += [f"run.replicates={given.replicates}"] if given.replicates is not None else []
    overrides += [f"run.seed={given.seed}"] if given.seed is not None else []
    return load_experiment(_config(given), [*overrides, *fixed])


def experiment(given: argparse.Namespace) -> int:
    """Run an experiment, print its summary, write its figures and report."""
    from abm.study import run_experiment
    from abm.view.drawing import draw, drawers, summon

    chosen = _load(given)
    if not given.scheduler:
        _warn_of_memory(chosen, given.workers)
    with drawers() as pool:
        results = run_experiment(
            chosen,
            given.out,
            workers=given.workers,
            scheduler=given.scheduler,
            resume=given.resume,
            overwrite=given.overwrite,
            progress=not given.quiet,
            ended=lambda: summon(pool),
        )
        figures = draw(pool, results.path)
        # Reading what the report takes a second, in which figures are drawn.
        from abm.view.report import write_report
        from abm.view.text import summary_text

        page = write_report(results, figures)
    print(summary_text(results))
    print(f"\nresults in {results.path}, report in {page}")
    return _tell_failures(results.manifest["failures"])


def _warn_of_memory(experiment: Experiment, workers: int | None) -> None:
    from abm.study.estimate import estimate, lacking_memory
    from abm.study.plan import plan_experiment

    if lacking := lacking_memory(estimate(plan_experiment(experiment), workers or os.cpu_count() or 1)):
        print(f"warning: {lacking}: the system may stop it; choose fewer neurons or --workers 1", file=sys.stderr)


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

    results = open_results(given.results)
    print(write_report(results))
    if given.movie:
        from abm.view.server.browsing import write_tissue_movie

        print(*write_tissue_movie(results), sep="\n")
    return DONE


def _from_checkout(path: Path) -> Path:
    """A path as it is written from the folder of run.py, so that a recorded command names no machine."""
    from abm.parameters import CONFIG_DIRECTORY

    root, whole = CONFIG_DIRECTORY.parent, path.resolve()
    return whole.relative_to(root) if whole.is_relative_to(root) else path


def calibrate(given: argparse.Namespace) -> int:
    """Fit parameters to calibration evidence and print what was found."""
    from abm.study.calibrate import calibrate as carry_out
    from abm.view.fit import fit_text

    out = given.out or Path("results") / "calibration" / Path(given.config).stem
    command = f"python run.py calibrate {_from_checkout(Path(given.config))} --seed {given.seed}"
    fit = carry_out(
        given.config,
        out,
        seed=given.seed,
        workers=given.workers,
        write=given.write,
        overwrite=given.overwrite,
        command=command,
        progress=not given.quiet,
    )
    print(fit_text(fit))
    print(f"\nresults in {out}" + (", and in configs/parameters" if given.write else ""))
    return DONE


def validate(given: argparse.Namespace) -> int:
    """Predict published experiments, print the scoreboard and write it with its page."""
    from abm.study.validate import DEFAULT_OUT, BoardFolder, choose, validate
    from abm.view.scoreboard import board_text, write_page

    folder = BoardFolder(given.out or DEFAULT_OUT)
    board = validate(
        choose([*given.ids, *given.only]),
        folder.path,
        workers=given.workers,
        resume=given.resume,
        overwrite=given.overwrite,
        progress=not given.quiet,
    )
    print(board_text(board))
    page = write_page(board, folder.path / "scoreboard.html", folder.manifest())
    print(f"\nscoreboard in {folder.path}, page in {page}")
    return _tell_failures(list(board.failures))


def attribute(given: argparse.Namespace) -> int:
    """Share out the effects of an experiment among signals, print the shares, write figure and page."""
    from abm.study.attribute import attribute as carry_out
    from abm.study.clamping import clamped_study
    from abm.view.attribution import attribution_text, design_text, write_attribution_page

    study = clamped_study(_load(given, "observe=[]"))  # its read-outs are fixed, whatever the experiment observes
    found = carry_out(
        study,
        given.out,
        workers=given.workers,
        resume=given.resume,
        overwrite=given.overwrite,
        progress=not given.quiet,
        announce=_announce(given, lambda workers: design_text(study, workers)),
    )
    print(attribution_text(found))
    page = write_attribution_page(found)
    print(f"\nresults in {found.path}, page in {page}")
    return _tell_failures(found.failures)


def sensitivity(given: argparse.Namespace) -> int:
    """Vary the parameters of an experiment, divide its variance among them and their grades, print what is found."""
    from abm.study.sensitivity import analyse_sensitivity, design_sensitivity, small_experiment
    from abm.view.sensitivity import design_text, sensitivity_text, write_sensitivity_page

    overrides = [*given.overrides, *([f"run.seed={given.seed}"] if given.seed is not None else [])]
    experiment = small_experiment(_config(given), overrides, given.replicates)
    design = design_sensitivity(experiment, given.parameters, given.trajectories, given.samples)
    found = analyse_sensitivity(
        design,
        given.out,
        workers=given.workers,
        resume=given.resume,
        overwrite=given.overwrite,
        progress=not given.quiet,
        announce=_announce(given, lambda workers: design_text(design, workers)),
    )
    print(sensitivity_text(found))
    page = write_sensitivity_page(found)
    print(f"\nresults in {found.path}, page in {page}")
    return DONE


def serve(given: argparse.Namespace) -> int:
    """Serve the page of an experiment, or of finished results, until interrupted."""
    from abm.view.server.serving import serve_experiment, serve_results

    how = (given.host, given.port, not given.no_browser, lambda text: print(text, flush=True))
    if given.config and Path(given.config).is_dir():
        from abm.study import open_results

        serve_results(open_results(given.config), *how)
    else:
        serve_experiment(_load(given), *how)
    return DONE


def describe(given: argparse.Namespace) -> int:
    """Print the description of the model as it runs an experiment."""
    from abm.view.describe import describe as description

    print(description(_load(given)))
    return DONE


def _announce(given: argparse.Namespace, text: Callable[[int], str]) -> Callable[[int], None] | None:
    """What to say, of so many workers, before the first run; nothing where no progress is wanted."""
    return None if given.quiet else lambda workers: print(text(workers), file=sys.stderr)
