"""`vectable plan`: what training on lanes will take, before it starts."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vectable.cli.options import AsJson
from vectable.cli.output import print_json


def plan(
    lanes: Annotated[Path, typer.Argument(help="Folder that vectable encode has made.")],
    factors: Annotated[int, typer.Option(min=1, help="Number of factors of each user and item.")] = 64,
    epochs: Annotated[int, typer.Option(min=1, help="Number of passes over the training rows.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Estimate memory and time of training, and say whether one machine is enough.

    [bold]Example:[/bold] vectable plan lanes --factors 64
    """
    from vectable.data.lanes.lanes import open_lanes
    from vectable.training.planning import estimate_training

    found = open_lanes(lanes)
    made = estimate_training(found.n_rows, found.n_users, found.n_items, factors)
    if as_json:
        counts = {"rows": found.n_rows, "users": found.n_users, "items": found.n_items}
        print_json({**counts, "factors": factors, **asdict(made), "fits": made.fits, "verdict": made.verdict})
        return
    print(f"{found.n_rows:,} rows of {found.n_users:,} users and {found.n_items:,} items, {factors} factors")
    print(f"Ratings {made.ratings_bytes / 1e9:,.2f} GB, tables with the optimizer {made.tables_bytes / 1e9:,.2f} GB")
    print(
        f"{epochs} epochs of the {made.engine} engine: about {epochs * made.epoch_cpu_seconds:,.0f} processor seconds, "
        "half as long on the clock with two threads"
    )
    print(made.verdict)
