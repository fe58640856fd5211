"""`vectable publish`: the vectors and lists of a model as tables of a database."""

from typing import Annotated

import typer

from vectable.cli.models import open_lists
from vectable.cli.options import AsJson, Model
from vectable.cli.output import print_json


def publish(
    model: Model,
    address: Annotated[
        str, typer.Argument(help="postgresql://user@host:port/database or sqlite:///file.db; password in PGPASSWORD.")
    ],
    schema: Annotated[str, typer.Option(help="Schema of the tables; in SQLite the beginning of their names.")] = (
        "vectable"
    ),
    n: Annotated[int, typer.Option("-n", min=1, help="Length of the lists, and number of neighbours.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Write item and user vectors, everybody's list and each item's neighbours into a database, all at once.

    [bold]Example:[/bold] vectable publish model postgresql://shop@localhost/shop --schema recs
    """
    import vectable as vt

    written = vt.publish(open_lists(model), address, schema, n)
    if as_json:
        print_json({"written": written})
        return
    for table, rows in written.items():
        print(f"{table}: {rows:,} rows")
