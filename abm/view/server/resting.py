"""Tissues at rest: each burn-in is done once, in the background, and shared by all sessions of one server."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray

from abm.config import Experiment
from abm.errors import ConfigError

Arrays = dict[str, NDArray[Any]]
MOST_KEPT = 6


class Abandoned(Exception):
    """Nobody waits for this tissue any more."""


class Rest:
    """The burn-in of one replicate's tissue, under way or done.

    taken: steps so far, of `total`. arrays: the state at time zero, once `done` is set; error: why there is none.
    users: who waits for it or uses it; abandoned: they all left before it was done.
    """

    def __init__(self, experiment: Experiment, replicate: int) -> None:
        self.experiment, self.replicate = experiment, replicate
        self.total = round(experiment.run.burn_in / experiment.run.step)
        self.taken, self.users, self.abandoned = 0, 0, False
        self.arrays: Arrays = {}
        self.error: ConfigError | None = None
        self.done = threading.Event()

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return self.taken / self.total if self.total else float(self.done.is_set())

    @property
    def text(self) -> str:
        """Such as "resting the tissue: day 3 of 30"."""
        if self.taken == 0:
            return "building the tissue"
        days = self.experiment.run.step / 24.0
        return f"resting the tissue: day {int(self.taken * days)} of {self.total * days:g}"

    def carry_out(self) -> None:
        """Do the burn-in; as `burn_in` in a study, so that the numbers are the same."""
        from abm.forcing import resting_blood
        from abm.model import burn_in

        try:
            day = resting_blood(self.experiment)
            self.arrays = burn_in(self.experiment, self.replicate, day, self._tick)
        except Abandoned:
            self.error = ConfigError("the burn-in was given up")
        except Exception as error:  # whatever it is, the page says it in a sentence
            self.error = error if isinstance(error, ConfigError) else ConfigError(f"the tissue cannot rest: {error}")
        self.done.set()

    def _tick(self, taken: int) -> None:
        self.taken = taken
        if self.abandoned:
            raise Abandoned


class RestedTissues:
    """The tissues that sessions start from; those used last are kept."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self.most, self.lock = most, threading.Lock()
        self.known: OrderedDict[str, Rest] = OrderedDict()

    def ask(self, experiment: Experiment, replicate: int) -> Rest:
        """The rest of a replicate, begun if nobody has; every `ask` needs a `leave`."""
        key = _key(experiment, replicate)
        with self.lock:
            rest = self.known.get(key)
            if rest is None or rest.error is not None:
                rest = self.known[key] = Rest(experiment, replicate)
                rest.users += 1
                threading.Thread(target=rest.carry_out, name="burn-in", daemon=True).start()
            else:
                rest.users += 1
            self.known.move_to_end(key)
            self._forget_oldest()
        return rest

    def leave(self, rest: Rest) -> None:
        """Say that a session needs a tissue no longer; a burn-in that nobody waits for is given up."""
        with self.lock:
            rest.users -= 1
            if rest.users == 0 and not rest.done.is_set():
                # From here on nobody can find it and wait for what does not come.
                rest.abandoned = True
                self.known = OrderedDict((key, known) for key, known in self.known.items() if known is not rest)

    def _forget_oldest(self) -> None:
        unused = [key for key, rest in self.known.items() if rest.users == 0]
        for key in unused[: max(len(self.known) - self.most, 0)]:
            del self.known[key]


def _key(experiment: Experiment, replicate: int) -> str:
    """What a rested tissue depends on: everything but the schedules, what is observed and how long the run is."""
    whole = experiment.resolved()
    run = {name: whole["run"][name] for name in ("burn_in", "seed", "step")}
    parts = {name: whole[name] for name in ("subject", "preparation", "tissue")}
    return json.dumps([parts, run, replicate], sort_keys=True, default=str)
