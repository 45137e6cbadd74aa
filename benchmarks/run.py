"""All benchmarks of the simulation, ours and the peers side by side: prints the table, writes it with a figure.

    python benchmarks/run.py [--quick] [--only W1 W2 W3 start bits] [--out DIR]

See benchmarks/README.md. --quick takes some minutes on small cases; all of it takes about an hour.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import diffusion, neurons, start, study
from benchmarks.measure import FOLDER
from benchmarks.table import Row, markdown, write_csv

PARTS = {
    "W1": diffusion.rows,
    "W2": neurons.rows,
    "W3": study.rows,
    "start": start.start_rows,
    "bits": start.bit_rows,
}


def main() -> None:
    """Run what was asked for; what is done is on disk after each part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small cases, in some minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run (default: all)")
    parser.add_argument("--out", type=Path, default=FOLDER / "results", help="folder of the table and the figure")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    begun, table = time.monotonic(), list[Row]()
    for part in given.only:
        print(f"{part} ...", file=sys.stderr, flush=True)
        table.extend(PARTS[part](given.quick))
        write_csv(table, given.out / "table.csv")
        (given.out / "table.md").write_text(markdown(table), encoding="utf-8")
        print(f"{part} done after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    from benchmarks.figure import draw

    draw(table, given.out / "figure.png")
    print(markdown(table))


if __name__ == "__main__":
    main()
