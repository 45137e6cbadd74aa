"""All benchmarks of the simulation, ours and the peers side by side: prints the table, writes it with a figure.

    python benchmarks/run.py [--quick] [--only [W1 W2 W3 start bits]] [--out DIR] [--readme]

See benchmarks/README.md. --quick takes some minutes on small cases; all of it takes about an hour.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import diffusion, neurons, start, study
from benchmarks.measure import FOLDER, ROOT
from benchmarks.table import headline, markdown, put_between_marks, read_csv, write_csv

PARTS = {
    "W1": (diffusion.NAME, diffusion.rows),
    "W2": (neurons.NAME, neurons.rows),
    "W3": (study.NAME, study.rows),
    "start": (start.START, start.start_rows),
    "bits": (start.BITS, start.bit_rows),
}


def main() -> None:
    """Run what was asked for, and put it in the place of what an earlier table says of the same workloads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small cases, in some minutes")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS), help="parts to run (default: all)")
    parser.add_argument("--out", type=Path, help="folder of table and figure (default: benchmarks/results[/quick])")
    parser.add_argument("--readme", action="store_true", help="put the short table into README.md, between its marks")
    given = parser.parse_args()
    out = given.out or FOLDER / "results" / ("quick" if given.quick else ".")
    out.mkdir(parents=True, exist_ok=True)
    begun, table = time.monotonic(), read_csv(out / "table.csv")
    order = [name for name, _ in PARTS.values()]
    for part in given.only:
        print(f"{part} ...", file=sys.stderr, flush=True)
        name, rows = PARTS[part]
        table = [row for row in table if row.workload != name]
        for row in rows(given.quick):
            table.append(row)
            table.sort(key=lambda row: order.index(row.workload))
            write_csv(table, out / "table.csv")  # at once: the next may take long
        (out / "table.md").write_text(markdown(table), encoding="utf-8")
        print(f"{part} done after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    from benchmarks.figure import draw

    draw(table, out / "figure.png")
    if given.readme:
        page = ROOT / "README.md"
        page.write_text(put_between_marks(page.read_text(encoding="utf-8"), headline(table)), encoding="utf-8")
    print(markdown(table))


if __name__ == "__main__":
    main()
