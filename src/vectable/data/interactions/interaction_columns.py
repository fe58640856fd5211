"""From a user's table to clean pairs of user and item: which column is which, repeats, and what cannot be used."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from vectable.data.column_names import TIMES, Role, is_named_as, named_for, row_numbers
from vectable.data.pair_columns import (
    as_floats,
    count_repeats,
    first_free,
    read_ids,
    shown_value,
    to_times,
    without_missing_ids,
)
from vectable.data.side_tables import read_side_table
from vectable.errors import DataError, quote_some, require, require_columns, warn

Repeats = Literal["count", "sum", "last", "any"]
POLICIES = ("count", "sum", "last", "any")


@dataclass(frozen=True)
class InteractionColumns:
    """Names of the columns in the user's table."""

    user: str
    item: str
    count: str | None = None
    title: str | None = None
    timestamp: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Plain JSON values."""
        return asdict(self)


def find_interaction_columns(
    frame: pl.DataFrame,
    given: InteractionColumns | dict[str, str | None],
    items: Any = None,
    needs_time: str | None = None,
) -> InteractionColumns:
    """Decide which column is which.

    Users and items: those that the caller names; else those whose name says so; else the first that are left. Counts
    are only what the caller names, and so are times unless something needs them.

    Args:
        given: the names that the caller gave, None for the others.
        items: the side table of items, which may hold the titles.
        needs_time: what needs times, for the sentence, or None.

    Raises:
        DataError: a named column is missing (with the closest name), none is left, or times are needed and missing.
    """
    names, wanted = frame.columns, dict(given if isinstance(given, dict) else given.to_json())
    require_columns([name for role, name in wanted.items() if name and role != "title"], names, "The table")
    title = wanted["title"]
    if title is not None and title not in names:
        side = read_side_table(items, "items").columns if items is not None else []
        require_columns([title], [*names, *side], "The table" + (" together with the items table" if side else ""))
    numbering = [name for name in row_numbers(frame) if name not in wanted.values()]
    usable = [name for name in names if name not in numbering]
    usable = usable if len(usable) >= 2 else names
    taken = {name for name in wanted.values() if name is not None} | {None}
    roles: tuple[Role, ...] = ("user", "item")
    for role in roles:
        wanted[role] = wanted[role] or named_for(role, usable, taken)
        taken.add(wanted[role])
    for place, role in enumerate(roles):
        wanted[role] = wanted[role] or first_free(usable, place, taken)
        if wanted[role] is None:
            raise DataError(
                f"No column is left for the {role}s: the table's columns are {quote_some(names, 20) or 'none'}; "
                "a table of interactions has a column of users and one of items."
            )
    if needs_time and wanted["timestamp"] is None:
        wanted["timestamp"] = next((name for name in usable if name not in taken and is_named_as(name, TIMES)), None)
        if wanted["timestamp"] is None:
            raise DataError(
                f"{needs_time} needs the time of each interaction: name its column with timestamp=; "
                f"the table's columns are {quote_some(names, 20)}."
            )
    found = InteractionColumns(**wanted)  # type: ignore[arg-type]  # user and item are names by now
    both = [found.user, found.item, *([found.count] if found.count else [])]
    require(len(set(both)) == len(both), f"user, item and count must be different columns; got {both}.")
    return found


def read_interactions(
    frame: pl.DataFrame,
    columns: InteractionColumns,
    repeats: Repeats | None = None,
    missing_ids: Literal["error", "drop"] = "error",
    where: str = "the table",
    may_be_empty: bool = False,
) -> pl.DataFrame:
    """One row per pair of user and item, in the order of time; of equal times in the order of the table.

    A pair that occurs in several rows stands where its last one does.

    Args:
        repeats: "count" (how many rows a pair has), "sum" (of the counts), "last" (the count of its last row) or "any"
            (1). By default "sum" where there is a column of counts, and "count" where there is none.
        missing_ids: rows without user or item: "error" or "drop".

    Returns:
        The columns `user` and `item` (whole numbers or text), `count` (Float32) and, where named, `time` (Float64).

    Raises:
        DataError: for the first row (counted from 1, a header not among them) that cannot be used.

    Warns:
        VectableWarning: rows without ids or with counts of 0 or less are left out.
    """
    policy = repeats or ("count" if columns.count is None else "sum")
    require(policy in POLICIES, f"repeats must be one of {list(POLICIES)}; got {policy!r}.")
    has_counts = columns.count is not None and columns.count in frame.columns
    require(policy != "sum" or has_counts, "repeats='sum' needs count=: the column with the counts to sum.")
    taken = {"user": read_ids(frame[columns.user]), "item": read_ids(frame[columns.item])}
    if has_counts and columns.count is not None:
        taken["count"] = _counts(frame[columns.count], str(columns.count), where)
    if columns.timestamp is not None and columns.timestamp in frame.columns:
        taken["time"] = to_times(frame[columns.timestamp], columns.timestamp, where)
    rows = pl.DataFrame([values.alias(name) for name, values in taken.items()])
    rows = without_missing_ids(rows, columns, missing_ids, where)
    if "time" in rows.columns:
        rows = rows.sort("time", maintain_order=True)
    pairs = _one_row_per_pair(rows, policy, where).with_columns(pl.col("count").cast(pl.Float32))
    if len(pairs) == 0 and not may_be_empty:
        raise DataError(f"There are no rows in {where}: at least one interaction is needed.")
    return pairs


def _counts(values: pl.Series, name: str, where: str) -> pl.Series:
    """Counts as Float64, all finite."""
    numbers = as_floats(values, pl.Float64)
    usable = numbers.is_finite().fill_null(False) & (numbers.abs() < float(2**100)).fill_null(False)
    if not bool(usable.all()):
        row = int((~usable).arg_true()[0])
        raise DataError(
            f"The count in row {row + 1:,} of {where} (column {name!r}) is {shown_value(values, row)}; "
            f"{int((~usable).sum()):,} of {len(values):,} rows are like that. "
            "Correct or drop them, or name the right column with count=."
        )
    return numbers


def _one_row_per_pair(rows: pl.DataFrame, policy: Repeats, where: str) -> pl.DataFrame:
    """Repeated pairs brought together where their last row stands; `count` as the policy has it."""
    if "count" in rows.columns and policy != "sum":
        rows = _with_something(rows, f"rows of {where} have a count of 0 or less")
    if "count" not in rows.columns or policy in ("count", "any"):
        rows = rows.with_columns(count=pl.lit(1.0))
    if count_repeats(rows) > 0:
        counted = {"count": pl.len().cast(pl.Float64), "sum": pl.col("count").sum(), "last": pl.col("count").last()}
        times = [pl.col(name).last() for name in rows.columns if name == "time"]
        rows = (
            rows.with_row_index("place")
            .group_by(["user", "item"])
            .agg(counted.get(policy, pl.lit(1.0)).alias("count"), *times, pl.col("place").last())
            .sort("place")
            .drop("place")
        )
    return _with_something(rows, f"pairs of user and item in {where} have counts that sum to 0 or less")


def _with_something(rows: pl.DataFrame, what: str) -> pl.DataFrame:
    """The rows whose count is more than 0; what was taken back (returned goods, say) is left out with a warning."""
    something = rows["count"] > 0
    gone = int((~something).sum())
    if not gone:
        return rows
    warn(f"{gone:,} of {len(rows):,} {what} and are left out.")
    return rows.filter(something)
