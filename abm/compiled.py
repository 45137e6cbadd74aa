"""Where compiled kernels are kept: one folder per state of the code.

Numba's cache looks at the file a kernel stands in, not at the files of the functions it calls, so that an edit or an
update elsewhere would leave old machine code in use. Keeping each state of the code in a folder of its own rules
that out; it also lets kernels be kept where the package's own folder cannot be written.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FOLDER = "kernels-"
OLD = 7 * 24 * 3600.0  # s; younger kernels may be in use by a study that still runs the code they belong to
PATIENCE = 120.0  # s to wait for what another process compiles, which may have been stopped meanwhile


def code_digest() -> str:
    """Digest of every source file of the package; 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(str(path.relative_to(PACKAGE)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where this state of the code keeps its kernels: beside the package, else in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hippocampus-exercise"
    parent = PACKAGE / "__pycache__" if os.access(PACKAGE, os.W_OK) else home
    return parent / f"{FOLDER}{code_digest()}"


def keep_kernels() -> None:
    """Tell Numba where to keep compiled kernels, unless the user has (NUMBA_CACHE_DIR), and drop old ones."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    folder = cache_folder()
    if not folder.exists():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            _drop_old(folder)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:  # imported before this package, it has read the variable already
        sys.modules["numba"].config.CACHE_DIR = str(folder)


@contextmanager
def first_compiles(part: str) -> Iterator[None]:
    """Let one process compile a part of the kernels while others wait; these then load what it has kept.

    Only the first keeps the others out: they go on all together. Where the system or a shared disk has no such locks,
    or the folder cannot be written, each compiles for itself.
    """
    lock = _lock(Path(os.environ["NUMBA_CACHE_DIR"]) / f"{part}.lock")
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _lock(path: Path) -> int | None:
    """A file that keeps others out until it is closed; None, once they have let go of it, where others were first."""
    with suppress(ImportError, OSError):
        import fcntl

        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait(lambda: fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB))
        except OSError:
            pass
        else:
            return file
        os.close(file)
    return None


def _wait(attempt: Callable[[], None]) -> None:
    """Try until nothing blocks it, or until patience ends."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(BlockingIOError):
            return attempt()
        time.sleep(0.02)


def _drop_old(folder: Path) -> None:
    import shutil

    for other in folder.parent.glob(f"{FOLDER}*"):
        if time.time() - other.stat().st_mtime > OLD:
            shutil.rmtree(other, ignore_errors=True)
