"""`vectable datasets`: which data sets there are, and taking one out as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vectable.cli.output import make_folder, print_json, print_table

if TYPE_CHECKING:
    import polars as pl


def datasets(
    name: Annotated[str | None, typer.Argument(help="Show this one; without a name, list them all.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write its tables as CSV files, its pictures as PNG, into this folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """The data sets that ship with vectable, and those it knows where to find.

    [bold]Example:[/bold] vectable datasets        vectable datasets goodbooks -o books
    """
    import polars as pl

    from vectable.data.io.writing import write_table
    from vectable.data.sets import catalogue
    from vectable.data.sets.picture_sets import PictureSet

    if name is None:
        table = pl.DataFrame([{"name": one, "about": catalogue.info(one)} for one in catalogue.names()])
        if as_json:
            print_json(table.to_dicts())
        else:
            print_table(table)
        return
    chosen = catalogue.load(name)
    if out is not None and isinstance(chosen, PictureSet):
        print(chosen.to_folder(out))
    elif out is not None:
        make_folder(out)
        for part, table in chosen.tables.items():
            write_table(table, out / f"{part}.csv")
            print(out / f"{part}.csv")
    elif as_json:
        counts = {part: len(table) for part, table in chosen.tables.items()}
        print_json({"name": chosen.name, **counts, "licence": chosen.licence, "source": chosen.source})
    else:
        print(chosen)
        for part, table in chosen.tables.items():
            print_table(_columns(table), f"{part}: {len(table):,} rows")


def _columns(table: "pl.DataFrame") -> "pl.DataFrame":
    """The columns of a table with their types and first values, a row a column."""
    import polars as pl

    rows = [
        {"column": one.name, "type": str(one.dtype).split("(")[0], "first values": ", ".join(map(str, one.head(4)))}
        for one in table
    ]
    return pl.DataFrame(rows)
