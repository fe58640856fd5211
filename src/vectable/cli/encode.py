"""`vectable encode`: ratings that need not fit in memory, as codes in Parquet pieces."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from vectable.cli.completing import complete_one_of
from vectable.cli.options import AsJson
from vectable.cli.output import print_json, report


def encode(
    source: Annotated[
        str, typer.Argument(help="Parquet file, folder of them, or a pattern in quotes: 'ratings/*.parquet'.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the lanes: a new one, or an unfinished one.")],
    lanes: Annotated[int, typer.Option(min=1, help="Number of lanes; the more, the less memory each needs.")] = 64,
    user: Annotated[str | None, typer.Option(help="Column with the user.")] = None,
    item: Annotated[str | None, typer.Option(help="Column with the item.")] = None,
    rating: Annotated[str | None, typer.Option(help="Column with the rating.")] = None,
    timestamp: Annotated[str | None, typer.Option(help="Column with the time of the rating.")] = None,
    interactions: Annotated[
        bool, typer.Option("--interactions", help="A row says that a user met an item; there are no ratings.")
    ] = False,
    count: Annotated[str | None, typer.Option(help="With --interactions, the column with how often.")] = None,
    missing_ids: Annotated[
        str,
        typer.Option(help="Rows without user or item: error or drop.", autocompletion=complete_one_of("error", "drop")),
    ] = "error",
    as_json: AsJson = False,
) -> None:
    """Turn ids into codes on disk, for tables larger than memory; the same command continues after a kill.

    [bold]Example:[/bold] vectable encode 'ratings/*.parquet' -o lanes --lanes 64
    """
    from vectable.data.ratings.rating_lanes import encode_lanes

    made = encode_lanes(
        source,
        out,
        lanes,
        user,
        item,
        rating,
        timestamp=timestamp,
        missing_ids=cast("Any", missing_ids),
        interactions=interactions,
        count=count,
        report=report,
    )
    counts = {"rows": made.n_rows, "users": made.n_users, "items": made.n_items, "lanes": len(made)}
    if as_json:
        print_json({"written": str(out), **counts, "repeats": made.repeats})
    else:
        print(f"{made.n_rows:,} rows of {made.n_users:,} users and {made.n_items:,} items in {len(made)} lanes: {out}")
