"""What side tables tell of users and items of interactions, as numbers."""

from collections.abc import Sequence
from typing import Any

from scipy import sparse

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.ratings.rating_features import RatingFeatures
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
        found = RatingFeatures.of(data, names, False)
        shown = (data.train.lengths[1:] > 0, data.item_counts[1:] > 0)
        users, items = (
            None if columns is None or table is None else CrossedFeatures.fit(columns, table.filter(rows))
            for columns, table, rows in zip(found.columns, (data.user_table, data.item_table), shown, strict=True)
        )
        return cls(users, items, found.describe())

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
