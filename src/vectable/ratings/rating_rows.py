"""Tables that users hand to a learner of ratings, brought to codes."""

from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import nn

from vectable.data.io.frames import to_polars
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.titled_items import codes_by_id_or_title
from vectable.errors import require, require_columns
from vectable.models.rating_model import RatingModel, device_of
from vectable.models.wide import in_64_bits
from vectable.recommending.answer import Notes
from vectable.recommending.names import note_unknown_rows

PAIRS_PER_PASS = 16_384

Codes = NDArray[np.int32]


def take_ratings(data: Any) -> None:
    """Raise a sentence unless `data` is a `RatingsData`."""
    require(
        isinstance(data, RatingsData),
        f"data must be a RatingsData; got {'None' if data is None else 'a ' + type(data).__name__}. Make one "
        "with RatingsData.from_df(df), or of a file with RatingsData.from_file(path).",
    )


def codes_of(data: RatingsData, df: Any, notes: Notes) -> tuple[pl.DataFrame, Codes, Codes]:
    """A table with its user and item codes, (rows,) each; items may be ids or titles, and unknown ones are noted."""
    frame, _ = to_polars(df)
    columns = data.columns
    require_columns([columns.user, columns.item], frame.columns, "The table")
    users = data.user_ids.encode(frame[columns.user])
    items = codes_by_id_or_title(frame[columns.item], data.item_ids, data.codes_by_title)
    note_unknown_rows(notes, columns.user, users, False)
    note_unknown_rows(notes, columns.item, items, True)
    return frame, users, items


def predict_pairs(model: RatingModel, users: Codes, items: Codes) -> NDArray[np.float32]:
    """Predictions of user and item codes, (rows,), in blocks of bounded memory.

    Computed in 64 bits, so that a row's prediction does not depend on the rows beside it.
    """
    found, device = np.empty(len(users), dtype=np.float32), device_of(model)
    exact = in_64_bits(model) if isinstance(model, nn.Module) else model
    with torch.no_grad():
        for first in range(0, len(users), PAIRS_PER_PASS):
            part = slice(first, first + PAIRS_PER_PASS)
            pairs = (torch.from_numpy(codes[part]).to(device) for codes in (users, items))
            found[part] = exact(*pairs).cpu().numpy()
    return found
