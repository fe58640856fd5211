"""`vectable datasets`: which data sets there are, and taking one out as files."""

from pathlib import Path
from typing import Annotated

import typer

from vectable.cli.output import make_folder, print_json, print_table


def datasets(
    name: Annotated[str | None, typer.Argument(help="Show this one; without a name, list them all.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write its tables as CSV files into this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """The data sets that ship with vectable, and those it knows where to find.

    [bold]Example:[/bold] vectable datasets        vectable datasets goodbooks -o books
    """
    import polars as pl

    from vectable.data import catalogue
    from vectable.data.writing import write_table

    if name is None:
        table = pl.DataFrame([{"name": one, "about": catalogue.info(one)} for one in catalogue.names()])
        if as_json:
            print_json(table.to_dicts())
        else:
            print_table(table)
        return
    chosen = catalogue.load(name)
    if out is not None:
        make_folder(out)
        for part in ("ratings", "items", "users"):
            frame = getattr(chosen, part)
            if frame is not None:
                write_table(frame, out / f"{part}.csv")
                print(out / f"{part}.csv")
    elif as_json:
        print_json({"name": name, "ratings": len(chosen.ratings), "licence": chosen.licence})
    else:
        print(chosen)
        print_table(chosen.ratings.head(5), "First ratings")
