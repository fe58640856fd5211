"""The lesson, recomputed: every number it prints next to ours, and the settings it asks the listener to try.

found = recompute("~/data")
for row in found.rows: print(row.what, row.lesson, row.ours, row.command)
"""

import os
from collections.abc import Callable, Sequence

from vectable.deprecation import renamed_arguments
from vectable.errors import UnknownNameError, did_you_mean, is_whole, quote_some, require
from vectable.lesson.recomputed import Recomputed as Recomputed
from vectable.lesson.rows import Row as Row
from vectable.lesson.rows import Trial as Trial

TOPICS = ("ratings", "workbooks", "digits", "decay", "paper", "experiments")


@renamed_arguments(tell="report")
def recompute(
    data_dir: str | os.PathLike[str] | None = None,
    only: Sequence[str] = TOPICS,
    seeds: int = 5,
    report: Callable[[str], None] = lambda _: None,
) -> Recomputed:
    """Compute the lesson's numbers again.

    Args:
        data_dir: folder that holds ml-100k/, mnist/ and lesson_xl/; by default what VECTABLE_DATA names. What is not
            there is left out and listed in `missing`; ratings come from the shipped books instead.
        only: of `TOPICS`.
        seeds: number of random splits (or initializations) behind each measured number.
        report: called with a line before each part.

    Raises:
        UnknownNameError: a topic that does not exist.
        VectableError: seeds out of range.
    """
    for topic in only:
        if topic not in TOPICS:
            raise UnknownNameError(
                f"There is no topic {topic!r}.{did_you_mean(topic, TOPICS)} There are {quote_some(TOPICS)}."
            )
    require(is_whole(seeds, 1), f"seeds must be a positive integer; got {seeds!r}.")
    from vectable.lesson.parts import Parts

    found = Recomputed()
    parts = Parts(found, data_dir, seeds, report)
    for topic in TOPICS:
        if topic in only:
            parts.compute(topic)
    return found
