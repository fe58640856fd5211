"""What an exercise is: a file with a gap, its solution, checks that compare the two, and mistakes that are known."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MARK = re.compile(r" *#!$")
GAP = "...  # your turn"


@dataclass(frozen=True)
class Check:
    """One thing that is compared between a file and the solution.

    Attributes:
        about: what is compared, as a clause.
        compute: from the names that a file defines to values by name: numbers, arrays, tensors, booleans or texts.
        hint: what to think of where the values differ.
        tolerance: largest difference that does not count, relative to the size of the value or 1.
    """

    about: str
    compute: Callable[[Any], Mapping[str, Any]]
    hint: str
    tolerance: float = 1e-9


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that many give.

    Attributes:
        says: what is wrong with it, as a sentence.
        changes: what it has in place of lines of the solution, old to new.
    """

    says: str
    changes: Mapping[str, str]


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes:
        name: by which it is asked for, and that of its file.
        title: a few words.
        task: what to do, a few sentences.
        page: page of the book that explains it.
        source: the solution; lines that end in ``#!`` are the gap.
        checks: what is compared with the solution.
        mistakes: wrong answers that are known.
        seconds: how long the checks may take.
    """

    name: str
    title: str
    task: str
    page: str
    source: str
    checks: tuple[Check, ...]
    mistakes: tuple[Mistake, ...] = ()
    seconds: float = 20.0

    @property
    def start(self) -> str:
        """The file to begin with: the task, and the source with a gap."""
        return "\n".join([self._head(), *_with_gap(self.source), ""])

    @property
    def start_code(self) -> str:
        """The source with a gap, without the task."""
        return "\n".join(_with_gap(self.source))

    @property
    def solution(self) -> str:
        """The same file, filled in."""
        lines = [MARK.sub("", line) for line in self.source.splitlines()]
        return "\n".join([self._head(), *lines, ""])

    def mistaken(self, mistake: Mistake) -> str:
        """The file of somebody who made a mistake.

        Raises:
            ValueError: the solution does not hold what the mistake changes.
        """
        text = self.solution
        for old, new in mistake.changes.items():
            if old not in text:
                raise ValueError(f"The solution of {self.name} does not hold {old!r}.")
            text = text.replace(old, new)
        return text

    def _head(self) -> str:
        return f'"""{self.title}.\n\n{self.task}\n\nCheck it: vectable lab check {self.name}.py\n"""\n'


def _with_gap(source: str) -> Iterator[str]:
    """The lines of a source, each run of marked lines replaced by one gap."""
    in_gap = False
    for line in source.splitlines():
        marked = MARK.search(line) is not None
        if not marked:
            yield line
        elif not in_gap:
            yield line[: len(line) - len(line.lstrip())] + GAP
        in_gap = marked
