"""The plan builder: a few choices become a schedule, and the schedule an experiment file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from abm.config import Experiment, build_experiment
from abm.errors import ConfigError

KINDS = ("none", "cycling", "running", "walking", "rowing", "treadmill", "wheel")
BLOCKED = (
    "none", "MCT1", "MCT2", "class_I_HDAC", "SIRT1", "PGC1A", "FNDC5", "integrin_aV", "CREB", "NMDAR", "GR", "TrkB",
    "BDNF_synthesis",
)  # fmt: skip
WEEK = {
    1: ["mon"], 2: ["mon", "thu"], 3: ["mon", "wed", "fri"], 4: ["mon", "tue", "thu", "fri"],
    5: ["mon", "tue", "wed", "thu", "fri"], 6: ["mon", "tue", "wed", "thu", "fri", "sat"],
}  # fmt: skip

PARTS = {".meals": "fast", ".doses": "ketone_ester"}  # of a schedule, which one field of a recipe makes up


@dataclass(frozen=True)
class Recipe:
    """What the builder asks for; quantities are written as in an experiment file, with their unit.

    repeats: of intervals of `work` and `rest`; 0 is a continuous session of `intensity` and `duration`. fast: without
    food before each session ("12 h"; empty for none). ketone_ester: by mouth at the start of each session's day, half
    an hour before it. blocked: a mechanism held down to a twentieth over the whole run.
    """

    name: str = "my_plan"
    kind: str = "cycling"
    intensity: str = "65 %VO2max"
    duration: str = "45 min"
    start: str = "07:30"
    per_week: int = 3
    repeats: int = 0
    work: str = "60 s at 95 %VO2max"
    rest: str = "60 s at 30 %VO2max"
    fast: str = ""
    ketone_ester: str = ""
    blocked: str = "none"

    def schedule(self) -> dict[str, Any]:
        """The schedule in the words of an experiment file."""
        if not 1 <= self.per_week <= 7:
            raise ConfigError("no such number of sessions", key="per week", value=str(self.per_week), expected="1 to 7")
        plan: dict[str, Any] = {}
        days = {} if self.per_week == 7 else {"days": WEEK[self.per_week]}
        if self.kind != "none":
            effort: dict[str, Any] = {"intensity": self.intensity, "duration": self.duration}
            if self.repeats:
                effort = {"intervals": {"repeats": self.repeats, "work": self.work, "rest": self.rest}}
            plan["sessions"] = [{"kind": self.kind, **effort, "start": self.start, **days}]
        if self.fast.strip():
            fast = {"before_sessions": self.fast} if self.kind != "none" else {"start": "0 h", "duration": self.fast}
            plan["meals"] = [{"fast": fast}]
        if self.ketone_ester.strip():
            dose = {"what": "ketone_ester", "route": "oral", "amount": self.ketone_ester, "at": _before(self.start)}
            plan["doses"] = [{**dose, **days}]
        if self.blocked != "none":
            plan["blocks"] = [{"target": self.blocked, "fraction": 0.95}]
        return plan


def _before(clock: str) -> str:
    """Half an hour before a clock time; what is no clock time is left for the checks of the schedule."""
    hours, colon, minutes = clock.strip().partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal()):
        return clock
    total = int(hours) * 60 + int(minutes) - 30
    if total < 0:
        problem = "half an hour before it, when the ketone ester is taken, is the day before"
        raise ConfigError(problem, key="start", value=clock, expected="00:30 or later")
    return f"{total // 60:02d}:{total % 60:02d}"


def with_plan(experiment: Experiment, name: str, schedule: dict[str, Any]) -> Experiment:
    """The experiment with a schedule more, or with another one of that name; ConfigError where it is wrong."""
    content = experiment.resolved()
    content["schedules"] = {**content["schedules"], name: schedule}
    return build_experiment(content)


def fault(experiment: Experiment, recipe: Recipe) -> tuple[str, str]:
    """The field of a recipe in which its first fault lies, and the reason; both empty where there is none."""
    try:
        with_plan(experiment, recipe.name, recipe.schedule())
    except ConfigError as error:
        place = (error.key or "").removeprefix(f"schedules.{recipe.name}")
        part = next((field for start, field in PARTS.items() if place.startswith(start)), "")
        part = "start" if place.startswith(".doses") and place.endswith(".at") else part
        return part or place.rpartition(".")[2].replace(" ", "_") or "name", error.reason
    return "", ""


def experiment_text(experiment: Experiment, recipe: Recipe) -> str:
    """An experiment file that holds the recipe's plan beside the others, for `run.py experiment`."""
    content = with_plan(experiment, recipe.name, recipe.schedule()).resolved()
    head = f"# {recipe.name}: made with the plan builder of `run.py serve`.\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
