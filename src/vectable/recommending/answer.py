"""What comes back: item codes with their scores, and notes on what the call took in its stride."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Note:
    """One kind of oddity in one call.

    Attributes:
        kind: "unknown_user", "unknown_item", "off_scale".
        count: how many names or values it concerns.
        describe: writes the sentence; only called when somebody reads it, since looking for close names takes time.
    """

    kind: str
    count: int
    describe: Callable[[], str] = field(repr=False, compare=False)

    @property
    def message(self) -> str:
        """The note as a sentence."""
        return self.describe()


class Notes:
    """The notes of one call. Every call makes its own, so that threads never see each other's."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def add(self, kind: str, count: int, describe: Callable[[], str]) -> None:
        """Note that `count` names or values are of a `kind`; nothing happens for 0."""
        if count:
            self._notes.append(Note(kind, count, describe))

    def count(self, kind: str) -> int:
        """How many names or values of a kind were noted."""
        return sum(note.count for note in self._notes if note.kind == kind)

    def __iter__(self) -> Iterator[Note]:
        return iter(self._notes)

    def __len__(self) -> int:
        return len(self._notes)

    def __repr__(self) -> str:
        return f"Notes({self._notes!r})"


@dataclass(frozen=True)
class Answer:
    """One list.

    Attributes:
        items: codes, (items,), best first.
        scores: what ranked them, (items,); not clipped to the rating scale.
        predictions: expected ratings, (items,), not clipped; the scores themselves unless something else ranked.
        std: standard deviations of the expected ratings, (items,), where `ucb_scale` was asked for; else None.
        notes: on unknown names.
        own_scores: whether the scores are worth showing beside the predictions: they are neither those nor a bound.
    """

    items: Codes
    scores: Floats
    predictions: Floats
    std: Floats | None
    notes: Notes
    own_scores: bool = False


@dataclass(frozen=True)
class Answers:
    """Lists for many users, in the order in which they were asked for.

    Attributes:
        items: codes, (users, n), best first, 0 behind the end of a list that is shorter.
        scores, predictions, std: as of `Answer`, (users, n).
        notes, own_scores: on all of them.
    """

    items: Codes
    scores: Floats
    predictions: Floats
    std: Floats | None
    notes: Notes
    own_scores: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, user: int) -> Answer:
        """The list of the user with this number."""
        listed = self.items[user] > 0
        items, scores, predictions = (table[user][listed] for table in (self.items, self.scores, self.predictions))
        std = None if self.std is None else self.std[user][listed]
        return Answer(items, scores, predictions, std, self.notes, self.own_scores)
