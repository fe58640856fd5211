"""What side tables tell of users and items of interactions, as numbers."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from scipy import sparse

from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.words import is_prose
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.ratings.rating_features import SIDES, RatingFeatures
from vectable.data.ratings.side_features import SHARED, SideFeatures, holds_several
from vectable.folder_schema import optional, record
from vectable.interactions.crossed_features import CrossedFeatures

FORM = record(
    users=optional(lambda value, where: CrossedFeatures.from_json(value, where)),
    items=optional(lambda value, where: CrossedFeatures.from_json(value, where)),
)
"""The form of the encoders in a saved folder."""


class InteractionFeatures:
    """Encoders of both side tables.

    Args:
        users, items: None where no column is taken.
        said: which columns are taken and which not, in a sentence.
    """

    def __init__(self, users: CrossedFeatures | None, items: CrossedFeatures | None, said: str = "") -> None:
        self.users, self.items, self.said = users, items, said

    @classmethod
    def of(cls, data: InteractionsData, names: str | Sequence[str] | None) -> "InteractionFeatures":
        """Fit the encoders on the side tables of `data`, whose rows training shows.

        Args:
            names: columns of the side tables, "auto" for all that are likely to tell something, or None.

        Raises:
            DataError: a column that neither table has, or that cannot be used.
        """
        tables, ids = (data.user_table, data.item_table), (data.columns.user, data.columns.item)
        asked = names if isinstance(names, list | tuple) else None
        texts = [
            [] if names is None or table is None else texts_of(table, table.columns if asked is None else asked, own)
            for table, own in zip(tables, ids, strict=True)
        ]
        others = names if asked is None else [name for name in asked if name not in texts[0] + texts[1]]
        found = RatingFeatures.of(data, others, False)
        shown = (data.train.lengths[1:] > 0, data.item_counts[1:] > 0)
        users, items = (
            None if table is None else _crossed(columns, table.filter(rows), own)
            for columns, table, rows, own in zip(found.columns, tables, shown, texts, strict=True)
        )
        said = [found.describe()] if found.describe() else []
        said += [
            f"Words: of {side}s {', '.join(one.words.columns)}."
            for side, one in zip(SIDES, (users, items), strict=True)
            if one is not None and one.words.columns
        ]
        return cls(users, items, " ".join(said))

    def matrices(self, data: InteractionsData) -> tuple[Any, Any]:
        """Features of users and of items, sparse, a row per code (that of code 0 is empty); None for a side without."""
        sides = ((self.users, data.user_table), (self.items, data.item_table))
        users, items = (
            None
            if one is None or table is None
            else sparse.vstack([sparse.csr_matrix((1, one.n_features)), one.encode(table)], format="csr")
            for one, table in sides
        )
        return users, items

    def __bool__(self) -> bool:
        """Whether any column is taken."""
        return self.users is not None or self.items is not None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "users": None if self.users is None else self.users.to_json(),
            "items": None if self.items is None else self.items.to_json(),
        }

    @classmethod
    def from_json(cls, form: Any, where: str) -> "InteractionFeatures":
        """The encoders back from `to_json`.

        Raises:
            PartError: they have another form.
        """
        return cls(**FORM(form, where))


def _crossed(columns: SideFeatures | None, table: pl.DataFrame, texts: Sequence[str]) -> CrossedFeatures | None:
    """The features of a side table; None where there are none."""
    if columns is None and not texts:
        return None
    columns = columns or SideFeatures()
    for name in texts:  # their words are taken
        columns.left_out.pop(name, None)
    found = CrossedFeatures.fit(columns, table, texts)
    return found if found.n_features else None


def texts_of(table: pl.DataFrame, names: Sequence[str], own: str) -> list[str]:
    """Those columns of a side table whose words are features: texts of several words that few rows have in common.

    Args:
        names: columns to look at.
        own: the column of the ids, which is never one.
    """
    found = []
    for name in names:
        if name not in table.columns or name == own or not is_prose(table[name]) or holds_several(table[name]):
            continue
        known = table[name].drop_nulls()
        if len(known) < SHARED * known.n_unique() and kind_of(known).kind not in ("number", "date"):
            found.append(name)
    return found
