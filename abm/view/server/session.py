"""One visitor's simulation: a tissue under one plan, or under two plans with the same luck; knows nothing of pages.

The numbers are those of `run.py experiment` for the same experiment, seed and replicate, bit for bit: burn-in, start
and steps are the same calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from abm.config import Experiment, build_experiment
from abm.errors import ConfigError
from abm.study.estimate import estimate, lacking_memory
from abm.study.plan import plan_experiment
from abm.view.server.arm import Arm, Plan, ready_plan
from abm.view.server.plans import with_plan
from abm.view.server.resting import Rest, RestedTissues

RESTED = RestedTissues()


class Status(NamedTuple):
    """Where a session stands: "resting", "ready" or "failed", in words, and how much of the rest is done (0 to 1)."""

    stage: str
    text: str
    share: float = 1.0


class Session:
    """An experiment in the hands of one visitor.

    own, compared: the arms that play, side by side in time; compared is None where one plan plays alone. All methods
    may be called from any thread; `lock` is held while the models move, and whoever reads several things that belong
    together holds it too.
    """

    def __init__(
        self, experiment: Experiment, replicate: int = 0, rested: RestedTissues = RESTED,
        on_ready: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.experiment, self.replicate, self.rested = experiment, replicate, rested
        self.lock = threading.RLock()
        self.own: Arm | None = None
        self.compared: Arm | None = None
        self.error, self.closed = "", False
        self.on_ready = on_ready or (lambda: None)
        names = list(experiment.schedules)
        self.chosen: tuple[str, str | None] = (next((n for n in names if n != experiment.reference), names[0]), None)
        self._plans: dict[str, Plan] = {}
        self._rest: Rest | None = None
        self._prepare()

    @property
    def plans(self) -> list[str]:
        """Names of the schedules that can be chosen."""
        return list(self.experiment.schedules)

    @property
    def status(self) -> Status:
        """Whether it can be played, and if not, why not."""
        if self.error:
            return Status("failed", self.error)
        if self.own is not None:
            return Status("ready", "ready")
        return Status("resting", self._rest.text, self._rest.share) if self._rest else Status("resting", "", 0.0)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it can be played; ConfigError where it cannot."""
        self._thread.join(timeout)
        if self.error:
            raise ConfigError(self.error)

    def _prepare(self) -> None:
        """Ask for a rested tissue and start from it, in the background."""
        self._rest = self.rested.ask(self.experiment, self.replicate)
        self._thread = threading.Thread(target=self._start, args=(self._rest,), name="session", daemon=True)
        self._thread.start()

    def _start(self, rest: Rest) -> None:
        while not rest.done.wait(0.1):
            if self.closed or rest is not self._rest:
                return
        with self.lock:
            if self.closed or rest is not self._rest:
                return
            try:
                if rest.error is not None:
                    raise rest.error
                self._arrange()
            except Exception as error:  # the page says it in a sentence, and goes on
                self.error = str(error)
        self.on_ready()

    def _plan(self, name: str) -> Plan:
        if name not in self.experiment.schedules:
            raise ConfigError("no such plan", key="schedules", value=name, expected=", ".join(self.plans))
        if name not in self._plans:
            self._plans[name] = ready_plan(self.experiment, name)
        return self._plans[name]

    def _arrange(self) -> None:
        """Put the chosen plans on the models, both at time zero."""
        if self._rest is None or not self._rest.done.is_set():
            return
        plans = [self._plan(name) if name else None for name in self.chosen]
        arms = [self._arm(arm, plan) for arm, plan in zip((self.own, self.compared), plans, strict=True)]
        self.own, self.compared = arms

    def _arm(self, arm: Arm | None, plan: Plan | None) -> Arm | None:
        if plan is None:
            return None
        if arm is not None:
            arm.begin(plan)
            return arm
        assert self._rest is not None
        return Arm(self.experiment, self.replicate, plan, self._rest.arrays)

    def choose(self, own: str, compared: str | None = None) -> None:
        """Play another plan, or two, from time zero; ConfigError, and nothing changes, where one cannot be played."""
        with self.lock:
            for name in filter(None, (own, compared)):
                self._plan(name)
            self.chosen = (own, compared)
            self._arrange()

    def add_plan(
        self, name: str, schedule: Mapping[str, Any], wanted: Callable[[], bool] = lambda: True
    ) -> bool:
        """Add a schedule, or replace the one of that name; ConfigError, and nothing changes, where it is wrong.

        wanted: asked once its body is solved; where it says no, nothing changes either. Returns what it said.
        """
        changed = with_plan(self.experiment, name, dict(schedule))
        ready = ready_plan(changed, name)
        with self.lock:
            if not wanted():
                return False
            self.experiment = changed
            self._plans[name] = ready
            return True

    def resize(self, neurons: int) -> None:
        """Take a tissue of another number of neurons, which first has to rest; ConfigError where there is none."""
        content = self.experiment.resolved()
        changed = build_experiment({**content, "tissue": {**content["tissue"], "neurons": neurons}})
        if lacking := lacking_memory(estimate(plan_experiment(changed), 1)):
            raise ConfigError(lacking, key="tissue.neurons", value=str(neurons), expected="fewer")
        with self.lock:
            self._leave()
            self.experiment, self.error = changed, ""
            self._prepare()

    @property
    def taken(self) -> int:
        """Steps since time zero."""
        return self.own.taken if self.own else 0

    @property
    def steps(self) -> int:
        """Steps from time zero to the end of the experiment."""
        return round(self.experiment.run.duration / self.experiment.run.step)

    @property
    def hour(self) -> float:
        """Hours since time zero."""
        return round(self.taken * self.experiment.run.step, 9)

    @property
    def clock(self) -> str:
        """Such as "day 3 (thu) 07:30"."""
        return self.own.model.clock.label if self.own else "day 0 (mon) 00:00"

    @property
    def arms(self) -> list[Arm]:
        """The arms that play."""
        return [arm for arm in (self.own, self.compared) if arm is not None]

    def step(self, count: int = 1) -> int:
        """Advance by up to `count` steps; returns how many were taken before the end came.

        ConfigError where the models cannot go on.
        """
        with self.lock:
            count = min(count, self.steps - self.taken) if self.own else 0
            try:
                for _ in range(count):
                    for arm in self.arms:
                        arm.step()
            except ArithmeticError as error:
                raise ConfigError(f"the simulation cannot go on: {error}") from None
            return count

    def reset(self) -> None:
        """Back to time zero."""
        with self.lock:
            self._arrange()

    def next_session(self) -> int:
        """Step at which the next session, or else the next dose, of any plan begins; ConfigError where none is left."""
        step, spans = self.experiment.run.step, [span for arm in self.arms for span in arm.plan.sessions]
        doses = [dose.at for arm in self.arms for dose in arm.plan.timeline.doses]
        begins = sorted(int(hour / step + 1e-6) for hour in [start for start, _ in spans] or doses)
        for begin in begins:
            if begin > self.taken:
                return begin
        raise ConfigError("no further session in this plan")

    def _leave(self) -> None:
        self.own = self.compared = None
        if self._rest is not None:
            self.rested.leave(self._rest)
            self._rest = None

    def close(self) -> None:
        """Let everything be freed; a closed session does nothing any more."""
        with self.lock:
            self.closed = True
            self.on_ready = lambda: None
            self._leave()
