"""Finished results as they are browsed: tissue states, traces and summary, read from the results folder alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from abm.config import Experiment, build_experiment
from abm.metrics import METRICS
from abm.schedule import compile_schedule
from abm.study.results import Results
from abm.view.page import table
from abm.view.server.courses import COMPARED, OWN, Line, Row, stack, thinned
from abm.view.server.painting import Picture, on_one_scale, paint
from abm.view.server.printing import print_pictures, write_movie, write_video
from abm.view.server.scene import NO_FIELD, Scene, View, middle_plane, title
from abm.view.text import day_text, mean_text, p_text, ratio_text, told_values

if TYPE_CHECKING:
    from PIL.Image import Image

FOLLOWED = ("acetylation", "bdnf_mrna", "bdnf_protein", "trkb_activation", "synaptic_strength")
SECONDS = 1.0  # that each state of a movie is shown


class Browser:
    """The results in one folder, ready to be painted."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.schedules, self.reference = results.schedules, results.reference

    @cached_property
    def experiment(self) -> Experiment:
        """What was run."""
        text = (self.results.path / "config.yaml").read_text(encoding="utf-8")
        return build_experiment(yaml.safe_load(text))

    @cached_property
    def hours(self) -> list[float]:
        """When the state of every neuron was stored."""
        return [float(hour) for hour in self.results.states.time.to_numpy()]

    def scene(self, schedule: str, replicate: int, moment: int, view: View) -> Scene:
        """One tissue at the `moment`-th stored time; its field is that of the one time at which fields were stored."""
        own = self.results.states.sel(schedule=schedule).isel(replicate=replicate)
        then = _Columns(own.isel(time=moment))
        size, voxel = self.experiment.tissue.size, self.experiment.tissue.voxel
        field = None
        if view.field != NO_FIELD:
            field = middle_plane(own.concentration.sel(signal=view.field).to_numpy())
        observed: Any = SimpleNamespace(neurons=then)
        return Scene(
            (round(size[0] / voxel) * voxel, round(size[1] / voxel) * voxel),
            field,
            np.asarray(then.position)[:, :2],
            METRICS[view.colour].values(observed),
            np.asarray(then.region),
            np.empty((0, 2)),
            np.empty((0, 2), np.intp),
            (title(f"tissue_{view.field}") if field is not None else "", title(view.colour)),
        )

    def field_hour(self, schedule: str) -> float:
        """When the fields of a schedule were stored."""
        return float(self.results.states.map_time.sel(schedule=schedule))

    def finished(self, schedule: str, replicate: int = 0) -> bool:
        """Whether this run came to its end."""
        return bool(self.results.states.finished.sel(schedule=schedule).isel(replicate=replicate))

    def courses(self, schedules: Sequence[str], signal: str, region: str, span: tuple[float, float]) -> str:
        """Means over replicates of one or two schedules, on one axis of time."""
        rows = [self._row(f"tissue_{signal}", schedules, region, span)]
        if f"plasma_{signal}" in self.results.traces:
            rows.insert(0, self._row(f"plasma_{signal}", schedules, region, span))
        rows += [self._row(metric, schedules, region, span) for metric in FOLLOWED]
        subject, duration = self.experiment.subject, self.experiment.run.duration
        plans = [compile_schedule(self.experiment.schedules[name], subject, duration, name) for name in schedules]
        sessions = [part for plan in plans for part in plan.sessions]
        return stack(rows, span, sessions, schedules, region)

    def _row(self, metric: str, schedules: Sequence[str], region: str, span: tuple[float, float]) -> Row:
        found = []
        for name, (colour, dashed) in zip(schedules, ((OWN, False), (COMPARED, True)), strict=False):
            hours, values = self._trace(metric, name, region)
            seen = (hours >= span[0]) & (hours <= span[1])
            found.append(Line(*thinned(hours[seen], values[seen]), colour, dashed))
        return Row(title(metric), tuple(found))

    def _trace(self, metric: str, schedule: str, region: str) -> tuple[NDArray[Any], NDArray[Any]]:
        own = self.results.traces[metric].sel(schedule=schedule)
        if "region" in own.dims:
            own = own.sel(region=region).mean("replicate")
        return own[own.dims[-1]].to_numpy(), own.to_numpy()

    def span(self, window: float) -> tuple[float, float]:
        """The last hours of the run, or all of it."""
        end = self.experiment.run.duration
        return max(0.0, end - window), end

    def summary(self) -> str:
        """The summary as an HTML table: every read-out at its last time."""
        rows: list[tuple[str, ...]] = []
        for heading, part in told_values(self.results.summary_rows):
            rows.append((heading,))
            rows += [(row.schedule, str(row.n), mean_text(row), ratio_text(row), p_text(row.p_value)) for row in part]
        head = ("schedule", "n", "mean [95 % interval]", f"ratio to {self.reference} [95 % interval]", "p")
        return table(head, rows, (1,))

    def frames(self, view: View) -> Iterator[Image]:
        """Every schedule's tissue of replicate 0 at each stored time, on one colour scale."""
        names = [name for name in self.schedules if self.finished(name)]
        scenes = [[self.scene(name, 0, k, view) for name in names] for k in range(len(self.hours))]
        fixed = on_one_scale([scene for row in scenes for scene in row], view)
        for hour, row in zip(self.hours, scenes, strict=True):
            when = day_text(hour)
            yield print_pictures([paint(s, fixed, f"{name}, {when}") for name, s in zip(names, row, strict=True)])

    def pictures(self, schedules: Sequence[str], replicate: int, moment: int, view: View) -> list[Picture]:
        """The tissues under these schedules on one colour scale; captions say when, and when the field was stored."""
        found = [
            (name, self.scene(name, replicate, moment, view)) for name in schedules if self.finished(name, replicate)
        ]
        common = on_one_scale([scene for _, scene in found], view)
        painted = []
        for name, scene in found:
            when = "" if scene.field is None else f"; field of {day_text(self.field_hour(name))}"
            painted.append(paint(scene, common, f"{name}, {day_text(self.hours[moment])}{when}"))
        return painted


class _Columns:
    """Neuron columns of a stored state; each is read when it is asked for."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def __getattr__(self, name: str) -> NDArray[Any]:
        return np.asarray(self._state[name].to_numpy())


def write_tissue_movie(results: Results, colour: str = "synaptic_strength") -> list[Path]:
    """figures/tissue.gif, and .mp4 where ffmpeg is installed, from the stored states; the fields are not in it."""
    folder = results.path / "figures"
    folder.mkdir(exist_ok=True)
    gif = write_movie(Browser(results).frames(View(field=NO_FIELD, colour=colour)), folder / "tissue.gif", SECONDS)
    video = write_video(gif)
    return [gif, *([video] if video else [])]
