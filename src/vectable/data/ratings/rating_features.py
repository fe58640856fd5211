"""What is known of users and items besides the ratings, for a model of ratings: side columns and histories."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.ratings.side_features import SideFeatures, history, history_of, side_columns
from vectable.data.vocabularies import Vocabularies
from vectable.errors import DataError, did_you_mean, quote_some, require

SIDES = ("user", "item")


class RatingFeatures:
    """Encoders of both side tables, and whether histories are taken; groups stand in the order columns, history.

    Attributes:
        columns: of users and of items, None where no column is taken.
        history: whether whom a row was rated with is a feature.
    """

    def __init__(self, columns: Sequence[SideFeatures | None], with_history: bool) -> None:
        self.columns, self.history = list(columns), with_history

    @classmethod
    def of(cls, data: Vocabularies, names: str | Sequence[str] | None, with_history: bool) -> "RatingFeatures":
        """Fit the encoders on the side tables of `data`.

        Args:
            names: columns of the side tables, "auto" for all that are likely to tell something, or None.

        Raises:
            DataError: a column that neither table has, or that cannot be used.
        """
        require(
            names is None
            or (isinstance(names, str) and names == "auto")
            or (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)),
            f"features must be 'auto', None, or a list of columns of the side tables; got {names!r}.",
        )
        tables = (data.user_table, data.item_table)
        present = [name for table in tables if table is not None for name in table.columns]
        if names is not None and not isinstance(names, str):
            for name in names:
                if name not in present:
                    has = (
                        f"they have {quote_some(present, 20)}"
                        if present
                        else "there are none: hand in users= or items="
                    )
                    raise DataError(
                        f"No side table has a column {name!r}.{did_you_mean(name, present)} As to columns, {has}."
                    )
        never = {data.columns.user, data.columns.item, data.columns.title}
        found: list[SideFeatures | None] = []
        for table in tables:
            taken = side_columns(names, table, {name for name in never if name})
            one = SideFeatures().fit(table, taken, choose=names == "auto") if table is not None and taken else None
            found.append(one if one is not None and one.kept.any() else None)
            if names != "auto" and one is not None and not one.kept.any():
                raise DataError(f"Of the features {quote_some(taken)}, none can be used: {one.left_out}.")
        return cls(found, with_history)

    def __repr__(self) -> str:
        return self.describe() or "Features: none."

    def describe(self) -> str:
        """What is taken, in a sentence."""
        parts = []
        for side, one in zip(SIDES, self.columns, strict=True):
            if one is not None:
                left = (
                    f" (not {', '.join(f'{name}: {why}' for name, why in one.left_out.items())})"
                    if one.left_out
                    else ""
                )
                parts.append(f"of {side}s {', '.join(name for name in one.columns if name not in one.left_out)}{left}")
        if self.history:
            parts.append("histories of both")
        return f"Features: {'; '.join(parts)}." if parts else ""

    def matrices(self, data: RatingsData) -> tuple[list[Any], list[Any]]:
        """The groups of users and of items, each sparse, (rows, features)."""
        ratings = data.train_ratings
        pairs = ((ratings.user, ratings.item, data.n_users, data.n_items),
                 (ratings.item, ratings.user, data.n_items, data.n_users))  # fmt: skip
        groups: tuple[list[Any], list[Any]] = ([], [])
        for listed, one, table, pair in zip(
            groups, self.columns, (data.user_table, data.item_table), pairs, strict=True
        ):
            if one is not None and table is not None:
                listed.append(one.encode(table))
            if self.history:
                listed.append(history(*pair))
        return groups

    def of_new(
        self, is_item: bool, rated: NDArray[np.int32], n_others: int, given: Mapping[str, Any] | None
    ) -> list[NDArray[np.float64] | None]:
        """The groups of a new row, (features,) each, None where nothing is known of it.

        Args:
            rated: codes of those that it was rated with.
            n_others: how many of those training knew.
            given: values of side columns.
        """
        one = self.columns[is_item]
        if given and one is None:
            side = SIDES[is_item]
            raise DataError(
                f"The model was trained without features of {side}s, and can do nothing with {list(given)}."
            )
        found: list[NDArray[np.float64] | None] = []
        if one is not None:
            found.append(one.encode_one(given, SIDES[is_item]) if given else None)
        if self.history:
            found.append(history_of(rated, n_others) if len(rated) else None)
        return found

    def to_json(self) -> dict[str, Any]:
        """The encoders as plain JSON values."""
        return {
            "columns": [None if one is None else one.to_json() for one in self.columns],
            "history": self.history,
        }

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> "RatingFeatures":
        """The encoders back from `to_json`."""
        columns = [None if one is None else SideFeatures.from_json(one) for one in form["columns"]]
        return cls(columns, form["history"])
