"""Errors a user can cause, each with what was wrong, where, what was expected and the nearest valid spelling."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

Key = str | int


class Fault(ValueError):
    """A value that cannot be accepted, before it is known in which file and line it stands.

    problem: what is wrong; expected: what would be right; suggestion: the nearest valid spelling; at: keys below the
    place where it was raised.
    """

    def __init__(
        self, problem: str, *, expected: str = "", suggestion: str | None = None, at: tuple[Key, ...] = ()
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.expected = expected
        self.suggestion = suggestion
        self.at = at


class ConfigError(Exception):
    """A description that cannot be run: one message with place, value, what was expected and nearest spelling."""

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        line: int | None = None,
        key: str | None = None,
        value: str | None = None,
        expected: str = "",
        suggestion: str | None = None,
    ) -> None:
        self.problem, self.file, self.line, self.key = " ".join(problem.split()), file, line, key
        self.value, self.expected, self.suggestion = value, expected, suggestion
        super().__init__(self._message())

    @property
    def reason(self) -> str:
        """What is wrong and what was expected, for whoever sees the value and its place."""
        return f"{self.problem}; expected {self.expected}" if self.expected else self.problem

    def _message(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        subject = self.key if self.value is None or not self.key else f"{self.key} = {self.value}"
        message = ": ".join(part for part in (place, subject, self.reason) if part)
        if self.suggestion:
            message += f"; did you mean '{self.suggestion}'?"
        return message


class ParameterError(ConfigError):
    """A parameter file, or an override of a parameter, that breaks the rules for parameter records."""


def nearest(word: object, options: Iterable[str]) -> str | None:
    """The valid spelling nearest to what was written: the only one that has it as a part, or one spelled much alike.

    None where nothing is near, or where several have it as a part.
    """
    by_lower = {option.lower(): option for option in options}
    written = str(word).strip().lower()
    found = [option for option in by_lower if written in re.split(r"[_.]", option)]
    if written in by_lower or not found:
        found = difflib.get_close_matches(written, list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if len(found) == 1 else None


def listed(options: Iterable[str], limit: int = 30) -> str:
    """Options as text for a message: `a, b or c`."""
    names = list(options)
    if len(names) > limit:
        return ", ".join(names[:limit]) + ", ..."
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
