"""What one browser tab sees and does: a session, how it is looked at, and the loop that plays it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import solara

from abm.config import Experiment
from abm.errors import ConfigError
from abm.view.server.painting import Picture, neuron_at, on_one_scale, paint, svg
from abm.view.server.plans import Recipe, experiment_text
from abm.view.server.printing import movie_file, png_file, print_pictures
from abm.view.server.scene import Scene, View, difference, scene_of
from abm.view.server.session import Session

FRAME = 0.06  # s between frames, at least
LONGEST_FRAME = 0.5  # s between frames, at most, however many steps a frame should have
LONGEST_REEL, FRAME_OF_MOVIE = 150, 0.15  # frames kept, s each is shown
PATIENCE = 1.0  # s to wait for a browser that does not say that it has drawn a frame
SPEEDS = {"1 step": 0.0, "1 hour": 1.0, "3 hours": 3.0, "6 hours": 6.0, "12 hours": 12.0, "1 day": 24.0}
OTHER_PLAN, CHANGE = "the compared plan", "the difference"


class Visit:
    """The state behind one tab. Reactive values redraw what reads them; `tick` counts frames."""

    def __init__(self, experiment: Experiment) -> None:
        self.tick, self.drawn = solara.reactive(0), threading.Event()
        self.view, self.second = solara.reactive(View()), solara.reactive(OTHER_PLAN)
        self.window, self.speed = solara.reactive("so far"), solara.reactive("1 step")
        self.playing, self.message = solara.reactive(False), solara.reactive("")
        self.recipe: solara.Reactive[Recipe] = solara.reactive(Recipe())
        self.recording = solara.reactive(False)
        self.reel: deque[list[Picture]] = deque(maxlen=LONGEST_REEL)
        self.closed, self.run, self.asked = threading.Event(), 0, 0
        self.session = Session(experiment, on_ready=self.refresh)
        threading.Thread(target=self._watch_rest, name="rest", daemon=True).start()

    def close(self) -> None:
        """The tab is gone: stop, and free the models."""
        self.run += 1
        self.closed.set()
        self.session.close()

    def refresh(self) -> None:
        """Draw the next frame."""
        if not self.closed.is_set():
            self.tick.value += 1

    def attempt(self, work: Callable[[], Any], wipe: bool = True) -> bool:
        """Do something; what the visitor got wrong becomes a sentence on the page. Whether it was done.

        wipe: whether success takes the last sentence away, as it should when the visitor has done something else.
        """
        try:
            work()
        except ConfigError as error:
            self.message.value = str(error)
            return False
        if wipe:
            self.message.value = ""
        self.refresh()
        return True

    def _watch_rest(self) -> None:
        while not self.closed.wait(0.3) and self.session.status.stage == "resting":
            self.refresh()

    def play(self) -> None:
        """Play until paused, or until the end."""
        self._run_to(lambda: self.session.steps, lambda: self.frame_steps)

    def to_next_session(self) -> None:
        """On to the beginning of the next session."""
        if self._is_ready():
            self.attempt(lambda: self._jump(self.session.next_session()))

    def _jump(self, target: int) -> None:
        self._run_to(lambda: target, lambda: self.session.steps)

    def _run_to(self, target: Callable[[], int], frame: Callable[[], int]) -> None:
        self.run += 1
        self.playing.value = True
        threading.Thread(target=self._play, args=(self.run, target, frame), name="play", daemon=True).start()

    def pause(self) -> None:
        """Stop playing after the steps in hand."""
        self.run += 1
        self.playing.value = False

    def _play(self, run: int, target: Callable[[], int], frame: Callable[[], int]) -> None:
        """Frame by frame to the target, unless another run, or a pause, has come."""
        while run == self.run and self.session.status.stage == "resting":
            self.closed.wait(0.1)
        while run == self.run and not self.closed.is_set():
            began, goal = time.perf_counter(), target()
            self.drawn.clear()
            end = min(self.session.taken + frame(), goal)
            if not self._advance(end, lambda: run == self.run, longest=LONGEST_FRAME) or self.session.taken >= goal:
                break
            self.drawn.wait(PATIENCE)  # a slow browser gets fewer frames, not a queue of old ones
            self.closed.wait(max(FRAME - (time.perf_counter() - began), 0.001))
        if run == self.run:
            self.playing.value = False

    @property
    def frame_steps(self) -> int:
        """Steps in a frame at the chosen speed."""
        return max(1, round(SPEEDS[self.speed.value] / self.session.experiment.run.step))

    def _advance(self, target: int, going: Callable[[], bool] = lambda: True, longest: float = 3600.0) -> bool:
        """Step towards `target` one by one, so that the page is heard between steps, and draw; False after an error.

        longest: s after which a frame is drawn although its steps are not all taken.
        """
        end = time.perf_counter() + longest

        def work() -> None:
            while going() and self.session.taken < target and self.session.step() and time.perf_counter() < end:
                time.sleep(0)
            if self.recording.value:
                self.reel.append(self.pictures())

        return self.attempt(work, wipe=False)

    def step(self) -> None:
        """One frame onward."""
        self.pause()
        self.message.value = ""
        if self._is_ready():
            self._advance(self.session.taken + self.frame_steps)

    def reset(self) -> None:
        """Back to time zero."""
        self.pause()
        self.attempt(self.session.reset)

    def _is_ready(self) -> bool:
        status = self.session.status
        if status.stage == "resting":
            self.message.value = f"Not yet: {status.text}."
        return status.stage == "ready"

    def choose(self, own: str | None = None, compared: str | None = None, alone: bool = False) -> None:
        """Another plan, another compared plan, or none to compare with; the play begins anew."""
        self.pause()
        now = self.session.chosen
        self.attempt(lambda: self.session.choose(own or now[0], None if alone else (compared or now[1])))

    def resize(self, neurons: int) -> None:
        """A tissue of another size; ConfigError, and nothing changes, where there is none."""
        self.pause()
        self.session.resize(neurons)
        self.message.value = ""
        self.view.value = self.view.value._replace(chosen=None)
        threading.Thread(target=self._watch_rest, name="rest", daemon=True).start()
        self.refresh()

    def add_plan(self) -> None:
        """Take the plan of the builder and play it."""
        recipe = self.recipe.value
        self.asked += 1
        asked = self.asked

        def work() -> None:
            # A body takes time, and a later plan may have been asked for meanwhile.
            if self.session.add_plan(recipe.name, recipe.schedule(), lambda: asked == self.asked):
                self.session.choose(recipe.name, self.session.chosen[1])

        self.pause()
        self.attempt(work)

    def plan_text(self) -> str:
        """The experiment with the builder's plan, as YAML; ConfigError where the plan is wrong."""
        return experiment_text(self.session.experiment, self.recipe.value)

    def scenes(self) -> list[tuple[str, Scene]]:
        """What is seen now, with captions: one tissue, or two."""
        with self.session.lock:
            arms, view = self.session.arms, self.view.value
            found = [(arm.plan.name, scene_of(arm.model, view)) for arm in arms]
        if len(found) == 2 and self.second.value == CHANGE:
            (own, first), (other, second) = found
            found[1] = (f"{own} − {other}", difference(first, second))
        return found

    def pictures(self) -> list[Picture]:
        """The tissues as they are looked at. A range that was fixed is not that of a difference."""
        scenes, clock = self.scenes(), self.session.clock
        common = on_one_scale([scene for _, scene in scenes if not scene.change], self.view.value)
        changed = common._replace(field_range=None, neuron_range=None)
        return [paint(scene, changed if scene.change else common, f"{name}, {clock}") for name, scene in scenes]

    def fix_ranges(self, fixed: bool) -> None:
        """Keep the colour scales as they are now, or let them follow."""
        ranges: dict[str, tuple[float, float] | None] = {"field_range": None, "neuron_range": None}
        pictures = self.pictures() if fixed else []
        for bar in pictures[0].bars if pictures else ():
            ranges["neuron_range" if bar.first else "field_range"] = bar.ends
        self.view.value = self.view.value._replace(**ranges)

    def pick(self, right: float, down: float) -> None:
        """Choose the neuron at a place in the picture."""
        scenes = self.scenes()
        if scenes:
            self.view.value = self.view.value._replace(chosen=neuron_at(scenes[0][1], self.view.value, right, down))

    def choose_neuron(self, neuron: int | None) -> None:
        """Choose a neuron by its number, or none; ConfigError where there is no such neuron."""
        count = self.session.experiment.tissue.neurons
        if neuron is not None and not 0 <= neuron < count:
            raise ConfigError("no such neuron", key="neuron", value=str(neuron), expected=f"0 to {count - 1}")
        self.view.value = self.view.value._replace(chosen=neuron)

    def png(self) -> bytes:
        """The pictures as one PNG file; ConfigError where there are none."""
        return png_file(self.pictures())

    def record(self, on: bool) -> None:
        """Keep the frames from now on for a movie, or stop keeping them."""
        self.reel.clear()
        self.recording.value = on

    def movie(self) -> bytes:
        """The frames played since recording was switched on, as a GIF file; ConfigError where there are none."""
        frames = list(self.reel)
        if not frames:
            raise ConfigError('nothing has been recorded: switch "Record a movie" on, then play')
        return movie_file((print_pictures(frame) for frame in frames), FRAME_OF_MOVIE)

    def svg(self) -> str:
        """The pictures side by side as one SVG file; ConfigError where there are none."""
        pictures = self.pictures()
        if not pictures:
            raise ConfigError("there is no tissue to show yet")
        return svg(*pictures)
