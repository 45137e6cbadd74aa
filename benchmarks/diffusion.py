"""W1: diffusion. Ours against py-pde and NEURON, uniform against layered tissue, growth with the number of voxels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.diffusion_case import DIFFUSIVITY, TARGET
from benchmarks.measure import Measurement, Worker, exponent, installed, interleave
from benchmarks.peers import DIFFUSION, Peer
from benchmarks.table import Row, compare, missing, timing

NAME = "W1 diffusion"
LIMIT = 900.0  # s for setting up, and for each run
CUBES, PLANES = (32, 64, 128), (64, 128, 256, 512, 1024)
QUICK_CUBES, QUICK_PLANES = (16, 32, 64), (64, 128, 256, 512)
LAYERED_GOAL, EXPONENT_GOAL = 8.0, 1.1


def rows(quick: bool) -> Iterator[Row]:
    """All rows of the workload. quick: smaller grids, fewer runs."""
    repeats, largest = (3, 32) if quick else (5, 128)
    yield from comparison(largest, 16 if quick else 32, repeats, 1.0 if quick else 5.0, quick)
    yield from layered(largest, 16 if quick else 32, repeats)
    yield from growth("cube", QUICK_CUBES if quick else CUBES, False, repeats)
    yield from growth("plane", QUICK_PLANES if quick else PLANES, True, repeats)


def comparison(n: int, n_error: int, repeats: int, budget: float, quick: bool) -> list[Row]:
    """Every peer on n^3 voxels, and its error on n_error^3, where it can be run to the end."""
    case = f"{n}^3 voxels, 60 s, to {TARGET:.0%}"
    # Each compilation of py-pde takes half a minute.
    wanted = [peer for peer in DIFFUSION if not (quick and peer.options)]
    peers = [peer for peer in wanted if installed(peer.needs)]
    found = interleave([_worker(peer, {"n": n, "budget": budget}) for peer in peers], repeats)
    checked = [peer for peer in peers if not (quick and peer.module == "py_pde")]
    errors = {peer.label: _error(peer, {"n": n_error, "error": True, "budget": 0.0}) for peer in checked}
    table = [
        timing(NAME, case, peer.label, measured, 5.0 * n**3, peer.remark)
        for peer, measured in zip(peers, found, strict=True)
    ]
    for row in table:
        row.error = _said(errors[row.peer], n_error) if row.peer in errors else "not checked with --quick"
    table += [missing(NAME, case, peer.label, peer.needs) for peer in wanted if peer not in peers]
    compare(table)
    return table


def layered(n: int, n_error: int, repeats: int) -> list[Row]:
    """Ours in tissue whose diffusion coefficient alternates by a factor of two, beside uniform tissue."""
    ours, case = DIFFUSION[0], f"{n}^3 voxels, 60 s, layered (contrast 2)"
    ways = [("ours", {"layered": True}), ("ours, any coefficients", {"layered": True, "implicit": True})]
    workers = [_worker(ours, {"n": n, **options}) for options in ({}, *(way for _, way in ways))]
    uniform, *found = interleave(workers, repeats)
    table = []
    for (label, way), contrast, goal in zip(ways, found, (f"at most {LAYERED_GOAL:g}", ""), strict=True):
        row = timing(NAME, case, label, contrast, 5.0 * n**3, "peers not run on this case")
        row.error = _said(_error(ours, {"n": n_error, "error": True, **way}), n_error)
        ratio = contrast.seconds / uniform.seconds
        table += [row, Row(NAME, case, label, "layered over uniform", ratio, "1", goal=goal, runs=repeats)]
    return table


def growth(name: str, sizes: Sequence[int], flat: bool, repeats: int) -> list[Row]:
    """Ours on grids of growing size, and the exponent."""
    power = 2 if flat else 3
    found = interleave([_worker(DIFFUSION[0], {"n": n, "flat": flat}) for n in sizes], repeats)
    voxels = [float(n**power) for n in sizes]
    table = [
        timing(NAME, f"{n}^{power} voxels, 60 s", "ours, growth", one, size)
        for n, size, one in zip(sizes, voxels, found, strict=True)
    ]
    value = exponent(voxels, [one.seconds for one in found])
    case = f"{name}, {sizes[0]}^{power} to {sizes[-1]}^{power} voxels"
    goal = f"at most {EXPONENT_GOAL:g}"
    return [*table, Row(NAME, case, "ours", "growth exponent in voxels", value, "1", goal=goal, runs=repeats)]


def _worker(peer: Peer, case: dict[str, object]) -> Worker:
    return Worker(peer.module, {**case, **peer.options}, peer.environment, LIMIT)


def _error(peer: Peer, case: dict[str, object]) -> Measurement:
    return interleave([_worker(peer, case)], 1)[0]


def _said(found: Measurement, n: int) -> str:
    if not found.runs:
        return found.failure
    return f"{found.median('error'):.1e} at {n}^3, largest of {len(DIFFUSIVITY)} substances"
