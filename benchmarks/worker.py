"""One peer in a process of its own: set up for a case, then one run for every line that comes in.

    python benchmarks/worker.py PEER CASE

Results go out as lines of JSON. Whatever the peer itself prints goes to the error stream.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    """Answer `{"setup": seconds}` when ready, then a result for every line of input."""
    start = time.perf_counter()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from importlib import import_module

    from benchmarks.measure import peak_memory

    peer = import_module(f"benchmarks.peers.{sys.argv[1]}")
    run = peer.prepare(json.loads(sys.argv[2]))
    print(json.dumps({"setup": time.perf_counter() - start}), file=answers, flush=True)
    for _ in sys.stdin:
        result = run()
        print(json.dumps({**result, "memory": peak_memory()}), file=answers, flush=True)


if __name__ == "__main__":
    main()
