"""What commands report of a model of a table: its columns, its errors, and whether it beats the simplest guess."""

from typing import TYPE_CHECKING, Any

from vectable.cli.output import print_table, report

if TYPE_CHECKING:
    from vectable.data.tables.table_data import TableData


def columns_taken(data: "TableData") -> str:
    """A line that names the columns of each kind, and the target."""
    by_kind: dict[str, list[str]] = {}
    for name, found in data.kinds.items():
        by_kind.setdefault(found.kind, []).append(name)
    plural = {"category": "categories", "ordinal": "ordinals", "number": "numbers", "date": "dates"}
    listed = [f"{plural.get(kind, kind)} {', '.join(map(repr, names))}" for kind, names in by_kind.items()]
    return f"Columns: {'; '.join(listed)}; the target is {data.target.name!r} ({data.target.kind})."


def print_measured(measured: list[dict[str, Any]]) -> None:
    """The errors as a table."""
    import polars as pl

    if measured:
        print_table(pl.DataFrame(measured), "On the held-out rows")
    else:
        print("No rows were held out to measure on.")


def report_verdict(measured: list[dict[str, Any]]) -> None:
    """A line for each target that is predicted no better than by the simplest guess."""
    from vectable.tables.beside_guess import not_better

    for row in measured:
        verdict = not_better(row)
        if verdict is not None:
            report(f"note: {verdict}")
