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
