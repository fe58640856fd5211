"""Ratings as interactions: what was rated high enough was met, the rest was not."""

import numpy as np
import polars as pl

from vectable.data.interactions.interaction_columns import InteractionColumns
from vectable.data.interactions.interaction_rows import Interactions, one_row_per_pair
from vectable.data.interactions.interaction_splits import Parts
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.vocabularies import Vocabularies


def liked_interactions(
    rows: Interactions,
    parts: Parts,
    names: Vocabularies,
    timestamp: str | None,
    item_table: pl.DataFrame | None,
    user_table: pl.DataFrame | None,
) -> InteractionsData:
    """Interactions with the codes and the split of ratings.

    Args:
        rows: of the ratings that count; rows of unknown users or items are left out.
        parts: which of them train and which validate.
        names: the vocabularies, titles and kind of frame of the ratings.
        timestamp: name of their column of times.
        item_table, user_table: their side tables.
    """
    known = (rows.user > 0) & (rows.item > 0)
    kept, parts = one_row_per_pair(rows.take(known), parts[known])
    once = Interactions(kept.user, kept.item, np.ones(len(kept), dtype=np.float32), kept.time)
    columns = InteractionColumns(names.columns.user, names.columns.item, None, names.columns.title, timestamp)
    return InteractionsData(
        interactions=once,
        parts=parts,
        user_ids=names.user_ids,
        item_ids=names.item_ids,
        columns=columns,
        split="random",
        titles=names.titles,
        item_table=item_table,
        user_table=user_table,
        kind=names.kind,
    )
