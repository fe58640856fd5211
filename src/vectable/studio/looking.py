"""A first look at a table: what its columns are, and which of its rows cannot be used. Runs beside the server."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from vectable.data.column_names import row_numbers
from vectable.data.encoders.kinds import kind_of
from vectable.data.io.files import read_table
from vectable.data.io.frames import as_text
from vectable.data.io.separated_text import SeparatedText
from vectable.errors import DataError, VectableWarning
from vectable.studio.tasks.choices import Column
from vectable.studio.tasks.plan import row_has

BINARY_SUFFIXES = {".parquet", ".pq", ".arrow", ".feather", ".ipc", ".json", ".jsonl", ".ndjson"}
LISTED = 20  # rows of a problem
LONGEST_EXAMPLE = 60  # characters


def look_at(path: Path, sep: str | None = None, has_header: bool | None = None) -> dict[str, Any]:
    """What is known of a file before anything is decided.

    Returns:
        "rows", "columns" (fields of `Column`), "separator" (None where the file has none), "header", "notes".

    Raises:
        DataError: it cannot be read as a table, or has no rows or one column alone.
    """
    with noting() as notes:
        frame = read_table(path, sep=sep, has_header=has_header)
        if len(frame) == 0:
            raise DataError("The file has a header and no rows: nothing can be learned from it.")
        if frame.width < 2:
            raise DataError(
                f"The file has one column, {frame.columns[0]!r}: nothing can be learned from that. Is another "
                "separator meant?"
            )
        numbering = set(row_numbers(frame))
        columns = [asdict(_column(frame[name], name in numbering)) for name in frame.columns]
        found = sep
        if found is None and path.suffix.lower() not in BINARY_SUFFIXES:
            found = SeparatedText(path, path.suffix.lower() == ".gz", None, has_header, None, "utf-8").sep
    return {
        "rows": len(frame),
        "columns": columns,
        "separator": found,
        "header": has_header is not False,
        "notes": list(notes),
    }


def find_problems(path: Path, reading: Mapping[str, Any], task: str, roles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows that cannot be used as the columns are taken, counted and listed.

    Returns:
        ``{"kind", "text", "count", "rows": [{"line", "text"}]}`` for each; lines are rows, counted from 1, a header not
        among them. Rows of a problem with a kind are left out of training.
    """
    with noting():
        frame = read_table(path, **reading)
    by_role: dict[str, list[str]] = {}
    for name, role in roles.items():
        by_role.setdefault(role, []).append(name)
    problems = []
    for role, needed, kind, text in CHECKS.get(task, ()):
        for name in by_role.get(role, []):
            if name in frame.columns:
                problems += _problem(frame, name, needed, kind, text)
    if task in ("ratings", "interactions") and by_role.get("user") and by_role.get("item"):
        problems += _repeats(frame, by_role["user"][0], by_role["item"][0], task)
    if task == "table":
        problems += _target_problems(frame, by_role.get("target", []))
    return problems


CHECKS = {
    "ratings": (
        ("user", "value", "ids", "rows have no user in {name}; they are left out."),
        ("item", "value", "ids", "rows have no item in {name}; they are left out."),
        ("rating", "number", "rating", "rows have no number in {name}; they are left out."),
    ),
    "interactions": (
        ("user", "value", "ids", "rows have no user in {name}; they are left out."),
        ("item", "value", "ids", "rows have no item in {name}; they are left out."),
        ("count", "number", "count", "rows have no number in {name}; they are left out."),
    ),
    "table": (("target", "value", "target", "rows have nothing in {name}, which is predicted; they are left out."),),
}
"""By task: the role, what its column must have, the kind of problem, and how it is said."""


def _problem(frame: pl.DataFrame, name: str, needed: str, kind: str, text: str) -> list[dict[str, Any]]:
    bad = frame.select((~row_has(name, needed)).alias("bad"))["bad"]
    count = int(bad.sum())
    if not count:
        return []
    rows = bad.arg_true()[:LISTED].to_list()
    told = f"{count:,} of {len(frame):,} " + text.format(name=repr(name))
    return [{"kind": kind, "text": told, "count": count, "rows": [_row(frame, at) for at in rows]}]


def _row(frame: pl.DataFrame, at: int) -> dict[str, Any]:
    values = (f"{name}={_short(value)}" for name, value in frame.row(at, named=True).items())
    return {"line": at + 1, "text": ", ".join(list(values)[:8])}


def _repeats(frame: pl.DataFrame, user: str, item: str, task: str) -> list[dict[str, Any]]:
    if user == item:
        return []
    count = len(frame) - int(frame.select(pl.struct(user, item).n_unique()).item())
    if not count:
        return []
    what = "all count" if task == "ratings" else "they are counted together"
    return [
        {"kind": None, "text": f"{count:,} rows repeat a pair of user and item; {what}.", "count": count, "rows": []}
    ]


def _target_problems(frame: pl.DataFrame, targets: list[str]) -> list[dict[str, Any]]:
    found = []
    for name in targets:
        if name in frame.columns and frame[name].drop_nulls().n_unique() < 2:
            text = f"{name!r} has one value alone, so there is nothing to predict: choose another column."
            found.append({"kind": "fatal", "text": text, "count": len(frame), "rows": []})
    return found


def _column(values: pl.Series, numbers_rows: bool) -> Column:
    kind = kind_of(values, None, "both")
    known = values.drop_nulls()
    why = "one value alone: nothing can be learned from it" if known.n_unique() == 1 else kind.why
    return Column(
        name=values.name,
        kind=kind.kind,
        why=why,
        numeric=values.dtype.is_numeric() or _mostly_numbers(known),
        is_date=kind.kind == "date",
        unique=int(known.n_unique()),
        missing=values.null_count(),
        examples=[_short(one) for one in as_text(known.head(200).unique(maintain_order=True).head(3)).to_list()],
        numbers_rows=numbers_rows,
    )


def _mostly_numbers(known: pl.Series) -> bool:
    """Whether more than half of some texts are numbers: the others are then problems to be reported."""
    if known.dtype != pl.String or not len(known):
        return False
    return int(known.cast(pl.Float64, strict=False).is_finite().fill_null(False).sum()) * 2 > len(known)


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_EXAMPLE else text[: LONGEST_EXAMPLE - 1] + "…"


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect what the library warns of, each sentence once."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VectableWarning)
        try:
            yield notes
        finally:
            told = [str(one.message) for one in caught if issubclass(one.category, VectableWarning)]
            notes += dict.fromkeys(told)
