"""`vectable datasets`: which data sets there are, and writing one as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.options import AsJson
from vectable.cli.output import make_folder, print_json, print_lines, print_paths, print_table, print_text

if TYPE_CHECKING:
    import polars as pl


def _complete_name(incomplete: str) -> list[str]:
    from vectable.data.sets import catalogue

    return complete_one_of(*catalogue.names())(incomplete)


def datasets(
    name: Annotated[
        str | None,
        typer.Argument(help="Show this one; without a name, list them all.", autocompletion=_complete_name),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write its tables as CSV files, its images as PNG, into this folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The data sets that ship with vectable, and those it knows where to find.

    [bold]Example:[/bold] vectable datasets        vectable datasets goodbooks -o books
    """
    from vectable.data.sets import catalogue

    if name is None:
        _list_all([catalogue.info(one) for one in catalogue.names()], as_json)
        return
    chosen = catalogue.load(name)
    if out is not None:
        print_paths(_write(chosen, out), as_json)
    elif as_json:
        counts = {part: len(table) for part, table in chosen.tables.items()}
        print_json({"name": chosen.name, **counts, "licence": chosen.licence, "source": chosen.source})
    else:
        print_text(str(catalogue.info(name)))
        for part, table in chosen.tables.items():
            print_table(_columns(table), f"{part}: {len(table):,} rows")


def _list_all(known: list[Any], as_json: bool) -> None:
    """A line for each data set; as JSON all that is known of it."""
    import polars as pl

    if as_json:
        print_json([vars(one) | {"about": str(one)} for one in known])
        return
    rows = [{"name": one.name, "size": _size(one), "from": _where(one), "about": one.about} for one in known]
    print_lines(pl.DataFrame(rows))
    print("\nvectable datasets NAME shows its columns; with -o FOLDER it writes the files.")


def _size(known: Any) -> str:
    """How much there is, in a few words."""
    if hasattr(known, "ratings"):
        return f"{_short(known.ratings)} ratings"
    return f"{_short(known.rows)} rows" if hasattr(known, "rows") else f"{_short(known.pictures)} images"


def _short(number: int) -> str:
    """A number with its thousands or millions as a letter."""
    return f"{number / 1e6:.1f}M" if number >= 1e6 else f"{number / 1e3:.0f}k"


def _where(known: Any) -> str:
    """Where a data set comes from, in a few words."""
    if known.shipped:
        return "package"
    return f"web, {known.bytes / 1e6:.0f} MB" if known.url and known.sha256 and known.bytes else "your folder"


def _write(chosen: Any, out: Path) -> list[Path]:
    """The tables of a data set as CSV files, or its images as PNG files; the files or the folder written."""
    from vectable.data.io.writing import write_table
    from vectable.data.sets.picture_sets import PictureSet

    if isinstance(chosen, PictureSet):
        return [chosen.to_folder(out)]
    make_folder(out)
    written = []
    for part, table in chosen.tables.items():
        write_table(table, out / f"{part}.csv")
        written.append(out / f"{part}.csv")
    return written


def _columns(table: "pl.DataFrame") -> "pl.DataFrame":
    """The columns of a table with their types and first values, one row per column."""
    import polars as pl

    rows = [
        {"column": one.name, "type": str(one.dtype).split("(")[0], "first values": ", ".join(map(str, one.head(4)))}
        for one in table
    ]
    return pl.DataFrame(rows)
