"""Keeps the server's memory flat while tabs open and close.

Models are freed when their tab closes. glibc, however, keeps what each thread has freed for that thread, and every tab
has threads of its own: 2.5 MB more stayed with the process after each visit. One common heap, large arrays outside it,
and giving back what is free from time to time keep it small. Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time

ARENA_MAX, MMAP_THRESHOLD = -8, -3  # of mallopt
LARGE = 256 * 1024  # bytes from which an array is given back at once
EVERY = 20.0  # s


def keep_flat() -> None:
    """To be called once, before the first tab opens."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt") or not hasattr(library, "malloc_trim"):
        return
    library.mallopt(ARENA_MAX, 1)
    library.mallopt(MMAP_THRESHOLD, LARGE)
    threading.Thread(target=_give_back, args=(library,), name="memory", daemon=True).start()


def _give_back(library: ctypes.CDLL) -> None:
    while True:
        time.sleep(EVERY)
        gc.collect()
        library.malloc_trim(0)
