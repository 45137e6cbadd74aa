"""Hands tasks to a crew and takes back what came of them: faults, workers that die, and interruptions.

What a task is, when it can start and what closes it is up to the class that inherits this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from time import sleep
from typing import Generic, TypeVar

from abm.study.crew import Crew
from abm.study.progress import Progress
from abm.study.store import ResultsFolder
from abm.study.work import Fault, fault_of

POLL = 0.5  # s
ATTEMPTS = 2  # a worker that dies takes its pool with it, so that each task in hand gets a second try, alone

Task = TypeVar("Task", bound=Hashable)
Outcome = Future[Fault | None]


class Dispatch(ABC, Generic[Task]):
    """Tasks under way: those waiting, in the order in which they should start, and those in the hands of workers."""

    folder: ResultsFolder
    crew: Crew
    progress: Progress
    waiting: list[Task]
    running: dict[Outcome, Task]
    attempts: Counter[Task]

    @abstractmethod
    def ready(self, task: Task) -> bool:
        """Whether what the task starts from is there."""

    @abstractmethod
    def submit(self, task: Task) -> Outcome:
        """Give the task to the crew."""

    @abstractmethod
    def close(self, task: Task, fault: Fault | None) -> None:
        """Take a finished task off the books."""

    @abstractmethod
    def show(self) -> None:
        """Tell how far the work is."""

    def meanwhile(self) -> None:
        """What is asked for beside the runs while the workers finish the last of them; called once."""

    def carry_out(self) -> None:
        """Do every waiting task; on KeyboardInterrupt stop the workers and pass it on."""
        try:
            helped = False
            while self.waiting or self.running:
                self._hand_out()
                if self.waiting and not self.running:
                    self._abandon()
                if not (self.waiting or helped):
                    self.meanwhile()
                    helped = True
                finished, _ = wait(self.running, timeout=POLL, return_when=FIRST_COMPLETED)
                for outcome in finished:
                    self._settle(outcome)
                self.show()
        except KeyboardInterrupt:
            self.folder.stop.touch()
            self.crew.dismiss()
            raise
        finally:
            self.progress.close()

    def _hand_out(self) -> None:
        # After a worker died, the tasks it may have died of run one by one, until it is clear which one it was.
        while task := self._next():
            self.waiting.remove(task)
            try:
                self.running[self.submit(task)] = task
            except BrokenExecutor:
                self._recover(task)

    def _abandon(self) -> None:
        """Close what nothing is left to wait for, unless it can start after all once files have been written out."""
        sleep(POLL)
        if not any(self.ready(task) for task in self.waiting):
            lost = Fault("what it starts from is not there (do the workers see the results folder?)", "")
            while self.waiting:
                self._close(self.waiting.pop(), lost)

    def _next(self) -> Task | None:
        suspects = [task for task in self.waiting if self.attempts[task]]
        alone = suspects or any(self.attempts[task] for task in self.running.values())
        if len(self.running) >= (1 if alone else self.crew.width):
            return None
        return next((task for task in suspects or self.waiting if self.ready(task)), None)

    def _settle(self, outcome: Outcome) -> None:
        if outcome not in self.running:  # lost with another task's worker, and taken care of
            return
        try:
            fault = outcome.result()
        except BrokenExecutor:
            self._recover()
            return
        except Exception as error:  # such as a task that could not be sent
            fault = fault_of(error)
        self._close(self.running.pop(outcome), fault)

    def _recover(self, *unsent: Task) -> None:
        lost = [*self.running.values(), *unsent]
        self.running.clear()
        self.crew.renew()
        for task in lost:
            self.attempts[task] += 1
            if self.attempts[task] < ATTEMPTS:
                self.waiting.append(task)
            else:
                self._close(task, Fault("the worker process died (out of memory?)", ""))

    def _close(self, task: Task, fault: Fault | None) -> None:
        self.attempts.pop(task, None)
        self.close(task, fault)
