"""What separates the fields of a text file, and whether its first line names the columns, by its first lines."""

import csv
import io
import math
import re
from collections.abc import Iterator
from itertools import chain, islice

SEPARATORS = {"::": "'::'", "\t": "a tab", ";": "';'", "|": "'|'", ",": "','", " ": "spaces"}
"""What is looked for when no separator is given, the rarer in ordinary text first, and how to name it."""

LOOKED_AT = 20  # rows


def find_separator(head: str, spaces: bool) -> str | None:
    """The separator by which the first rows have more than one field, and all the same number.

    Args:
        head: the beginning of the text.
        spaces: whether spaces may separate, whatever stands between them. They always may where they separate nothing
            but numbers, below a first line of any names.

    Returns:
        A key of `SEPARATORS`, or None.
    """
    best, most = None, 1
    for sep in SEPARATORS:
        rows = first_rows(head, sep)
        widths = {len(row) for row in rows}
        if len(widths) != 1 or (width := widths.pop()) <= most:
            continue
        if sep == " " and (best or len(rows) < 2 or not (spaces or all(map(is_number, chain(*rows[1:]))))):
            continue
        best, most = sep, width
    return best


def first_rows(head: str, sep: str) -> list[list[str]]:
    """The first rows that are not blank, as `sep` would have them; none where the text cannot be read so."""
    try:
        return list(islice(_rows(head, sep), LOOKED_AT))
    except csv.Error:  # a field beyond all bounds, or a quotation mark that never closes
        return []


def first_line_is_header(head: str, sep: str) -> bool | None:
    """Whether the first line names the columns: where it holds a text, a column of numbers may stand below.

    Returns:
        True where one does, False where the first line holds numbers and none does, None where nothing tells.
    """
    first, *others = first_rows(head, sep) or [[]]
    below = [[row[at] for row in others if at < len(row) and row[at]] for at in range(len(first))]
    columns = zip(first, below, strict=True)
    if any(values and not is_number(name) and all(map(is_number, values)) for name, values in columns):
        return True
    return False if any(map(is_number, first)) else None


def squeezed(text: str) -> str:
    """The text with a single space wherever there are several, and none at the ends of lines."""
    return re.sub(r"^ +| +$", "", re.sub(" {2,}", " ", text), flags=re.M)


def is_number(text: str) -> bool:
    """Whether a text is written as a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _rows(head: str, sep: str) -> Iterator[list[str]]:
    if len(sep) > 1:
        return (line.split(sep) for line in head.splitlines() if line)
    if sep == " " and '"' not in head:
        head = squeezed(head)
    return (row for row in csv.reader(io.StringIO(head, newline=""), delimiter=sep) if row)
