"""A mistake in a configuration file that is otherwise right."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """What is written in place of a part of a right text, the key the message names, and what else it says."""

    right: str
    wrong: str
    key: str
    says: tuple[str, ...]

    def made_in(self, text: str) -> str:
        """The text with the mistake, at the first place where it can be made."""
        assert self.right in text
        return text.replace(self.right, self.wrong, 1)

    def line_in(self, text: str) -> int:
        """The line, from 1, on which the right and the wrong text part."""
        same = next((i for i, (a, b) in enumerate(zip(self.right, self.wrong, strict=False)) if a != b), 0)
        return text[: text.index(self.right) + same].count("\n") + 1
