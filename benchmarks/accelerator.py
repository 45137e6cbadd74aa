"""What a graphics card would gain: the population loop of W2 and the diffusion of W1.

    python benchmarks/accelerator.py [--neurons N ...] [--voxels N ...]

Needs numba-cuda and CuPy. The card runs the model's own loops, one thread for each neuron, compiled from the same
source with products and sums left apart as in the model, and what comes out is compared bit for bit. Diffusion takes
the exact step on cosine modes that `UniformField` takes, with CuPy's transforms. Every time stands beside that of this
machine's processor in the same run.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cupy
import numpy as np
from cupyx.scipy import fft
from numba import cuda, float64, int8, int32
from numba.cuda.cudadrv import nvvm

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from abm.loops import threads
from abm.model import HippocampusModel
from abm.population import Index, Scratch, advance_tile, mean_drive
from benchmarks.diffusion_case import DIFFUSIVITY, EDGE, LOSS, STRENGTH, WINDOW, source_field
from benchmarks.neurons_case import SCHEDULE, STEPS, experiment
from benchmarks.peers.ours_diffusion import solve

BLOCK = 128  # threads
REPEATS = 5
# What synapses and tissue change between two steps of the neurons, and what they read after one.
GIVEN = ("drive", "early_load", "unsecreted")
OF_SYNAPSES = ("drive", "early_load", "mean_strength", "potentiated", "consolidated")
TAKEN = (
    "release_rate", "unsecreted", "trkb", "spine", "scale", "mean_protein", "threshold", "potentiation_gain",
    "depression_gain",
)  # fmt: skip


def keep_products_apart() -> None:
    """Have the card's compiler round products before they are added, as processors do for the model."""
    compile_ir = nvvm.compile_ir

    def apart(ir: Any, **options: Any) -> Any:
        return compile_ir(ir, **{**options, "fma": 0})

    nvvm.compile_ir = apart


def one_neuron(
    n: Any, signals: Any, d: Any, e: Any, x: Any, s: Any, c: Any, given: Any, mean: Any, dt: float, key: Any,
    step: int,
) -> None:  # fmt: skip
    """A step of the neuron of this thread."""
    i = cuda.grid(1)
    if i >= n.voxel.size:
        return
    w = Scratch(
        cuda.local.array(1, float64), cuda.local.array(1, float64), cuda.local.array(1, float64),
        cuda.local.array(1, float64), cuda.local.array(1, float64), cuda.local.array(1, float64),
        cuda.local.array(1, float64), cuda.local.array(1, float64), cuda.local.array(1, float64),
        cuda.local.array(1, float64), cuda.local.array(1, float64), cuda.local.array((4, 1), float64),
        cuda.local.array(1, int32), cuda.local.array(1, int32), cuda.local.array(1, int32),
        cuda.local.array(1, int32), cuda.local.array(1, int32), cuda.local.array((4, 1), int32),
        cuda.local.array(1, int8),
    )  # fmt: skip
    advance_tile(n, signals, d, e, x, s, c, given, mean, dt, key, step, Index(i), Index(i + 1), w)


def bundle_on_card(bundle: Any) -> Any:
    """A named tuple with its arrays on the card."""
    return type(bundle)(*(cuda.to_device(entry) if isinstance(entry, np.ndarray) else entry for entry in bundle))


class Shadow:
    """Takes every step of a model's neurons on the card as well, and notes how long each took."""

    def __init__(self, model: HippocampusModel) -> None:
        self.model, self.advance = model, model._advance_population
        # Optimised once more while it is linked, the code would add products before they are rounded.
        self.kernel = cuda.jit(one_neuron, lto=False)
        self.columns: Any = None
        self.spent = 0.0  # s of the last step that the model itself does not take
        self.processor: list[float] = []
        self.card: list[float] = []
        self.with_transfers: list[float] = []
        model._advance_population = self  # type: ignore[assignment,method-assign]

    def __call__(self, n: Any, drugs: Any, given: Any) -> None:
        """One step, on the processor and on the card."""
        entered, model = time.perf_counter(), self.model
        mean = mean_drive(n.region, n.drive)
        if self.columns is None:
            self.columns = bundle_on_card(n)
            self.promoters = bundle_on_card(model.promoters)
            self.host = {name: cuda.pinned_array_like(getattr(n, name)) for name in GIVEN + TAKEN}
        for name in GIVEN:
            self.host[name][:] = getattr(n, name)
        signals, begun = model._signals(), time.perf_counter()
        for name in GIVEN:
            getattr(self.columns, name).copy_to_device(self.host[name])
        around, middle = bundle_on_card(signals), cuda.to_device(mean)
        cuda.synchronize()
        start = time.perf_counter()
        grid = -(-n.region.size // BLOCK)
        self.kernel[grid, BLOCK](
            self.columns, around, drugs, model.epigenome, model.expression, model.plasticity, self.promoters, given,
            middle, model.clock.step, model.key, model.clock.taken,
        )  # fmt: skip
        cuda.synchronize()
        end = time.perf_counter()
        for name in TAKEN:
            getattr(self.columns, name).copy_to_host(self.host[name])
        cuda.synchronize()
        done = time.perf_counter()
        self.spent = done - entered
        self.advance(n, drugs, given)
        self.processor.append(time.perf_counter() - done)
        self.card.append(end - start)
        self.with_transfers.append(done - begun)

    def differences(self) -> dict[str, float]:
        """Largest relative difference of each column that is not the same bit for bit."""
        found = {}
        for name, ours in self.model.neurons.columns.items():
            theirs = getattr(self.columns, name).copy_to_host()
            if not np.array_equal(ours, theirs) and name not in OF_SYNAPSES:
                scale = np.maximum(np.abs(ours), 1e-300)
                found[name] = float(np.max(np.abs(theirs.astype(float) - ours) / scale))
        return found


def neurons_report(neurons: int) -> Iterator[str]:
    """A day of W2 on the processor and, from the same signals, on the card."""
    model = HippocampusModel(experiment(neurons), SCHEDULE)
    shadow = Shadow(model)
    whole = []
    for _ in range(STEPS):
        start = time.perf_counter()
        model.advance()
        whole.append(time.perf_counter() - start - shadow.spent)
    times = (shadow.processor, shadow.card, shadow.with_transfers, whole)
    ours, card, moved, step = (float(np.median(each[2:])) for each in times)
    yield (
        f"W2 {neurons:,} neurons, a step: {threads()} threads {1e3 * ours:.2f} ms, card {1e3 * card:.3f} ms "
        f"({ours / card:.2g} x), with what synapses and tissue need to and fro {1e3 * moved:.2f} ms "
        f"({ours / moved:.2g} x); whole step {1e3 * step:.2f} ms, {1e3 * (step - ours + moved):.2f} ms with the card"
    )
    unlike = shadow.differences()
    yield f"   columns that differ after a day: {unlike or 'none, bit for bit'}"


def on_card(n: int, single: bool) -> tuple[Any, float]:
    """The fields of W1 at the end and the seconds that they took on the card."""
    precision = cupy.float32 if single else cupy.float64
    patterns = [cupy.asarray(source_field((n, n, n), k)).astype(precision) for k in range(len(DIFFUSIVITY))]
    fields = cupy.empty((len(DIFFUSIVITY), n, n, n), precision)
    cupy.cuda.Device().synchronize()
    start = time.perf_counter()
    along = 2.0 - 2.0 * cupy.cos(math.pi * cupy.arange(n) / n)
    spread = along[:, None, None] + along[None, :, None] + along[None, None, :]
    for k, pattern in enumerate(patterns):
        rate = LOSS[k] + DIFFUSIVITY[k] / EDGE**2 * spread
        kept = cupy.exp(-rate * WINDOW).astype(precision)
        response = fft.dctn(pattern, norm="ortho") * (-cupy.expm1(-rate * WINDOW) / rate).astype(precision)
        modes = cupy.zeros_like(response)
        for strength in STRENGTH:
            modes = modes * kept + precision(strength) * response
            fields[k] = fft.idctn(modes, norm="ortho")  # needed in real space after each window
    cupy.cuda.Device().synchronize()
    return fields, time.perf_counter() - start


def diffusion_report(n: int) -> Iterator[str]:
    """W1 on n^3 voxels on the processor and on the card, in both precisions."""
    for single in (True, False):
        ours, theirs = partial(solve, (n, n, n), False, single), partial(on_card, n, single)
        fields, reference = theirs()[0].get(), ours()[0]
        apart = np.linalg.norm(fields - reference) / np.linalg.norm(reference)
        del fields, reference
        times = []
        for _ in range(REPEATS):
            times.append((ours()[1], theirs()[1]))
            cupy.get_default_memory_pool().free_all_blocks()
        one, other = np.median(times, axis=0)
        kind = "single" if single else "double"
        yield (
            f"W1 {n}^3 voxels, {kind} precision: {threads()} threads {one:.3f} s, card {other:.4f} s "
            f"({one / other:.2g} x); fields within {apart:.1g}"
        )


def main() -> None:
    """Print both reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, nargs="*", default=[20_000, 1_000_000])
    parser.add_argument("--voxels", type=int, nargs="*", default=[128, 256])
    chosen = parser.parse_args()
    keep_products_apart()
    print(cuda.get_current_device().name, "with", threads(), "threads of the processor", flush=True)
    for size in chosen.neurons:
        for line in neurons_report(size):
            print(line, flush=True)
    for n in chosen.voxels:
        for line in diffusion_report(n):
            print(line, flush=True)


if __name__ == "__main__":
    main()
