"""Columns of items that hold titles where ids are expected."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify, as_ids
from vectable.data.io.frames import to_column
from vectable.errors import DataError, quote_some


def codes_by_id_or_title(items: Any, item_ids: Categorify, codes_by_title: Mapping[str, int]) -> NDArray[np.int32]:
    """Codes of a column of items, (rows,); 0 for the unknown.

    A text is looked for among the ids and then among the titles: columns hold ids as a rule, as they did in training.
    """
    values = to_column(items)
    codes = item_ids.encode(values)
    if not codes_by_title or values.dtype.is_numeric() or codes.all():
        return codes
    texts = as_ids(values)
    for row in np.flatnonzero(codes == 0):
        codes[row] = codes_by_title.get(texts[int(row)], 0)
    return codes


def ids_for_titles(items: pl.Series, item_ids: Categorify, codes_by_title: Mapping[str, int]) -> pl.Series:
    """A column of items in which known titles are replaced by the items' ids; new ids stay as they are.

    Raises:
        DataError: where there are titles, a text that is neither one of them nor like the ids, which are whole numbers.
    """
    values = as_ids(items)
    if not codes_by_title or values.dtype != pl.String:
        return items
    codes = codes_by_id_or_title(values, item_ids, codes_by_title)
    known = item_ids.decode(codes)
    new = values if known.dtype == pl.String else values.cast(pl.Int64, strict=False)
    strange = values.filter(known.is_null() & new.is_null() & values.is_not_null())
    if len(strange):
        raise DataError(
            f"{len(strange):,} of {len(values):,} rows have an item that is neither a known title nor an integer like "
            f"the ids: {quote_some(strange.unique(maintain_order=True), 3)}. Give new items an id."
        )
    return pl.DataFrame({"known": known, "new": new}).select(pl.coalesce("known", "new")).to_series()
