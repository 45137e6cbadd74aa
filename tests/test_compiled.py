"""Compiled kernels belong to one state of the code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from abm import compiled


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two files in the place of the real one, and no cache chosen by the user."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "caller.py").write_text("x = 1\n")
    (folder / "called.py").write_text("y = 1\n")
    monkeypatch.setattr(compiled, "PACKAGE", folder)
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(sys, "modules", {})
    return folder


def test_an_edit_of_any_file_moves_the_cache(package):
    compiled.keep_kernels()
    before = Path(os.environ.pop("NUMBA_CACHE_DIR"))
    (package / "called.py").write_text("y = 2\n")
    compiled.keep_kernels()
    after = Path(os.environ["NUMBA_CACHE_DIR"])
    assert after != before
    assert before.is_dir()
    assert after.is_dir()


def test_kernels_long_out_of_use_are_dropped(package):
    compiled.keep_kernels()
    before = Path(os.environ.pop("NUMBA_CACHE_DIR"))
    os.utime(before, (0, 0))
    (package / "called.py").write_text("y = 2\n")
    compiled.keep_kernels()
    assert not before.exists()


def test_the_users_own_folder_is_left_alone(package, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    compiled.keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] == "elsewhere"
    assert not list(package.glob("__pycache__"))


def test_a_package_that_cannot_be_written_keeps_kernels_with_the_user(package, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert compiled.cache_folder().is_relative_to(tmp_path / "cache")


COMPILE = """
import os, sys, time
from pathlib import Path
from abm.compiled import first_compiles
kept = Path(os.environ["NUMBA_CACHE_DIR"]) / "machine_code"
print("started", flush=True)
sys.stdin.readline()
with first_compiles("part"):
    found = kept.exists()
    if not found:
        time.sleep(0.5)
        kept.touch()
print("loaded" if found else "compiled")
"""


@pytest.fixture
def together(tmp_path):
    """Starts processes that want one part of the kernels, and lets them go on when all of them have come so far."""
    started = []

    def start(count, code=COMPILE):
        command, own = [sys.executable, "-c", code], {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": own}
        processes = [subprocess.Popen(command, **pipes) for _ in range(count)]
        started.extend(processes)
        for process in processes:
            assert process.stdout.readline() == "started\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        return processes

    yield start
    for process in started:
        process.kill()
        process.communicate()


def outcomes(processes):
    return sorted(process.communicate(timeout=60)[0].strip() for process in processes)


def test_of_processes_that_start_together_one_compiles(together):
    assert outcomes(together(4)) == ["compiled", "loaded", "loaded", "loaded"]


def test_a_process_that_dies_over_its_work_leaves_it_to_others(together, tmp_path):
    stuck = COMPILE.replace("time.sleep(0.5)", 'print("holds", flush=True); time.sleep(600)')
    (holder,) = together(1, stuck)
    assert holder.stdout.readline() == "holds\n"
    others = together(2)
    holder.kill()
    assert "compiled" in outcomes(others)


def test_a_process_that_stands_still_is_not_waited_for_without_end(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "PATIENCE", 0.1)
    with compiled.first_compiles("part"), compiled.first_compiles("part"):
        assert (tmp_path / "part.lock").exists()


def test_a_folder_that_takes_no_lock_is_no_fault(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "kernels"))
    with compiled.first_compiles("part"):
        assert (tmp_path / "file").is_file()


def test_a_folder_that_is_not_there_yet_takes_locks_too(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "of" / "the user"))
    with compiled.first_compiles("part"):
        assert (tmp_path / "of" / "the user" / "part.lock").exists()


def test_what_fails_while_it_holds_a_part_frees_it(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "_wait", lambda attempt: pytest.fail("the part is still held"))
    with pytest.raises(ZeroDivisionError), compiled.first_compiles("part"):
        raise ZeroDivisionError
    with compiled.first_compiles("part"):
        pass


def test_a_later_process_compiles_nothing():
    """Two are tried: what the first keeps is lost if another test compiles the kernel in other precision meanwhile."""
    code = (
        "from abm.parameters import load_parameters\n"
        "from abm.tissue import Tissue, TissueParameters\n"
        "from abm.tissue.kernels import advance_signals\n"
        "parameters = load_parameters(TissueParameters, 'tissue')\n"
        "Tissue.draw(parameters, 10, (1.0, 1.0, 1.0), 1, size=(200.0, 200.0)).advance(0.1)\n"
        "counts = advance_signals.stats.cache_hits, advance_signals.stats.cache_misses\n"
        "print(*(sum(each.values()) for each in counts))"
    )
    command = [sys.executable, "-c", code]
    runs = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(3))
    assert any(run.stdout.split() == ["1", "0"] for run in runs)
