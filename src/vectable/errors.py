"""The errors a user may meet, and the sentence-building they share.

Every message says what was wrong, where (file, row, column, value) and what to do about it. The command
line prints the message and nothing else; in Python the classes below can be caught one by one.
"""

import difflib
import math
import os
import sys
import warnings
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import TypeGuard

PACKAGE = str(Path(__file__).parent) + os.sep


class VectableError(ValueError):
    """Something the caller handed in cannot be used; the message says what, where and what to do.

    Examples:
        >>> import vectable as vt
        >>> try:
        ...     vt.FillMissing("middle")
        ... except vt.VectableError as problem:
        ...     print(problem)
        strategy must be one of ['median', 'most_common', 'constant']; got 'middle'.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class DataError(VectableError):
    """A file or frame cannot be read as the kind of file it should be.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> try:
        ...     vt.RatingsData.from_df(pl.DataFrame({"user": [1], "item": [2]}), rating="stars")
        ... except vt.DataError as problem:
        ...     print(problem)
        The table has no column 'stars'; its columns are 'user', 'item'. ...
    """


class ArtifactError(VectableError):
    """A saved model is damaged, incomplete, newer than this program, or not ours.

    Examples:
        >>> import vectable as vt
        >>> open("not-a-model", "w").close()
        >>> try:
        ...     vt.load_learner("not-a-model")
        ... except vt.ArtifactError as problem:
        ...     print(problem)
        'not-a-model' is not a saved model: it holds no vectable.json.
    """


class UnknownNameError(VectableError):
    """A name (user, item, option, data set) that does not exist where it was looked for.

    Examples:
        >>> import vectable as vt
        >>> try:
        ...     vt.datasets.load("godbooks")
        ... except vt.UnknownNameError as problem:
        ...     print(problem)
        There is no data set named 'godbooks'. Did you mean 'goodbooks'? ...
    """


class NonFiniteLossError(VectableError):
    """Training met a loss that is not a finite number; the weights are those from before this fit.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> try:
        ...     vt.collab_learner(data, y_range=None, opt="sgd", progress=False).fit(1, 50.0)
        ... except vt.NonFiniteLossError as problem:
        ...     print(problem)
        The training loss was not a finite number at step ... Try a learning rate ten times lower ...
    """


class VectableWarning(UserWarning):
    """Something odd that was handled: counted and reported, never raised.

    Examples:
        >>> import warnings, vectable as vt
        >>> warnings.simplefilter("ignore", vt.VectableWarning)  # or "error", to stop at the first
    """


def printable(message: str) -> str:
    """A message that can be written anywhere: bytes of a file's name that are not UTF-8 become ``\\udcff``."""
    return message.encode("utf-8", "backslashreplace").decode()


def quote_some(values: Iterable[object], most: int = 8) -> str:
    """The first `most` values in quotes, with how many more there are: ``'a', 'b' and 3 more``; long ones cut short."""
    listed = list(values)
    shown = ", ".join(_shortened(repr(v)) for v in listed[:most])
    more = len(listed) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def _shortened(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 4]}...{text[-1]}"


def closest(name: object, known: Iterable[object], most: int = 3) -> list[str]:
    """Up to `most` of the `known` names that look like `name`, the likeliest first, case ignored."""
    by_folded = {str(k).casefold(): str(k) for k in known}
    hits = difflib.get_close_matches(str(name).casefold(), by_folded, n=most, cutoff=0.6)
    return [by_folded[h] for h in hits]


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """`` Did you mean 'x' or 'y'?`` with a leading space, or an empty string when nothing is close."""
    hits = closest(name, known)
    return f" Did you mean {' or '.join(repr(h) for h in hits)}?" if hits else ""


def require_columns(wanted: Iterable[str], present: Iterable[str], where: str) -> None:
    """Raise a `DataError` naming the first wanted column that `where` does not have, and the closest one it has."""
    present = list(present)
    known = set(present)
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, present)
            raise DataError(f"{where} has no column {name!r}.{hint} Its columns are {quote_some(present, 20)}.")


def is_whole(value: object, least: int) -> TypeGuard[int]:
    """Whether `value` is a whole number (a Python or NumPy integer, not a boolean) of at least `least`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def is_finite(value: object) -> bool:
    """Whether `value` is a finite number and neither a boolean nor text."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def require(condition: bool, message: str) -> None:
    """Raise a `VectableError` with `message` unless `condition` holds: for arguments out of range."""
    if not condition:
        raise VectableError(message)


def warn(message: str, category: type[Warning] = VectableWarning) -> None:
    """Warn at the line of the caller's own program: the first frame outside this package, however deep we are."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(printable(message), category, stacklevel=level)
