"""Progress of a study on stderr, with the time to go, from what the workers say in their progress files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

BAR = "{desc} {percentage:3.0f}% |{bar}| {elapsed} so far, {remaining} to go"


def refresh_interval() -> float:
    """Seconds between two states of a bar: often on a terminal, rarely in a log."""
    return 0.2 if sys.stderr.isatty() else 30.0


class Progress:
    """A bar over all simulated steps of a study."""

    def __init__(self, steps: int, *, shown: bool) -> None:
        self.finished = 0
        interval = refresh_interval()
        self.bar = tqdm(
            total=steps, desc="compiling", file=sys.stderr, disable=not shown, bar_format=BAR, smoothing=0.0,
            mininterval=interval, maxinterval=interval, dynamic_ncols=True,
        )  # fmt: skip

    def complete(self, steps: int) -> None:
        """Count a task of so many steps as done."""
        self.finished += steps

    def expect(self, steps: int) -> None:
        """Count so many more steps as to be done."""
        self.bar.total = (self.bar.total or 0) + steps

    def show(self, text: str, running: Iterable[Path]) -> None:
        """Move the bar to what is finished plus what the running tasks have written down."""
        steps = self.finished + sum(map(_steps_in, running))
        if steps and not self.bar.n:
            # The time to go follows the speed from here on: kernels are compiled, and what was resumed took no time.
            self.bar.n = self.bar.initial = self.bar.last_print_n = steps
            self.bar.start_t = self.bar.last_print_t = time.time()
        if self.bar.n:
            self.bar.set_description_str(text, refresh=False)
        self.bar.update(steps - self.bar.n)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self.bar.close()


def _steps_in(path: Path) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="utf-8"))
    return 0
