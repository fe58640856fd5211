"""Lanes as interactions: a pair of user and item is within one lane, so that each lane is read by itself."""

from pathlib import Path

import numpy as np
import polars as pl

from vectable.data.encoders.categorify import Categorify
from vectable.data.interactions.interaction_columns import InteractionColumns, Repeats, read_interactions
from vectable.data.interactions.interaction_rows import Interactions
from vectable.data.lanes.lanes import open_lanes

OWN = InteractionColumns("user", "item", "count", None, "time")  # the names of a lane's columns


def interactions_of_lanes(
    folder: str | Path, repeats: Repeats | None
) -> tuple[Interactions, Categorify, Categorify, InteractionColumns]:
    """One row per pair in the order of time, both vocabularies, and what the columns were called.

    Of ratings each counts as one interaction, however high it is.

    Args:
        repeats: as of `InteractionsData.from_df`.

    Raises:
        DataError: a piece is missing or damaged.
    """
    lanes = open_lanes(folder)
    roles = lanes.columns
    counted = roles.get("count") is not None
    timed = roles.get("timestamp") is not None
    own = InteractionColumns("user", "item", OWN.count if counted else None, None, OWN.timestamp if timed else None)
    parts = []
    for lane, rows in enumerate(lanes.read("rows")):
        if len(rows):
            pairs = rows.rename({"rating": "count"}) if counted else rows.drop("rating")
            parts.append(read_interactions(pairs, own, repeats, where=f"lane {lane}", may_be_empty=True))
    pairs = pl.concat(parts)
    if timed:
        pairs = pairs.sort("time", maintain_order=True)
    columns = InteractionColumns(str(roles["user"]), str(roles["item"]), roles.get("count"), None, roles["timestamp"])
    users, items = (pairs[name].to_numpy().astype(np.int32) for name in ("user", "item"))
    times = pairs["time"].to_numpy() if timed else None
    interactions = Interactions(users, items, pairs["count"].to_numpy(), times)
    return interactions, Categorify(lanes.ids("users")), Categorify(lanes.ids("items")), columns
