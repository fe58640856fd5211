"""Users and items by name: the vocabularies that codes stand for, and how results are shown."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.data.io.frames import FrameKind, from_polars


class NamedColumns(Protocol):
    """Which column of the user's table holds what."""

    @property
    def user(self) -> str:
        """The users' ids."""

    @property
    def item(self) -> str:
        """The items' ids."""

    @property
    def title(self) -> str | None:
        """Names to show for items."""


class Vocabularies:
    """What data of users and items answer by name, whatever is known of the pairs.

    Attributes:
        user_ids, item_ids: vocabularies; code 0 is the unknown.
        columns: names of the columns in the user's table.
        titles: a name to show for each item, in the order of `item_ids`, or None where the ids are the names.
        item_table, user_table: side columns in the order of the vocabularies, or None.
        kind: the kind of frame the user works with.
    """

    user_ids: Categorify
    item_ids: Categorify
    columns: NamedColumns
    titles: pl.Series | None
    item_table: pl.DataFrame | None
    user_table: pl.DataFrame | None
    kind: FrameKind

    @property
    def item_counts(self) -> NDArray[np.int64]:
        """Training rows of each item, (items + 1,); entry 0 is the unknown's."""
        raise NotImplementedError

    @property
    def n_users(self) -> int:
        """Known users: those of the training rows."""
        return len(self.user_ids) - 1

    @property
    def n_items(self) -> int:
        """Known items: those of the training rows."""
        return len(self.item_ids) - 1

    @cached_property
    def codes_by_title(self) -> dict[str, int]:
        """The item that a title means; where several share it, the one with most ratings."""
        if self.titles is None:
            return {}
        most_last = np.argsort(self.item_counts[1:], kind="stable")
        titles = self.titles.to_list()
        return {titles[at]: int(at) + 1 for at in most_last if titles[at] is not None}

    def item_names(self, codes: Sequence[int] | NDArray[Any]) -> pl.Series:
        """Titles of items by code, or their ids as text where there are no titles."""
        return self._names_by_code.gather(np.asarray(codes, dtype=np.int32))

    def item_frame(self, codes: Sequence[int] | NDArray[Any], **more: Any) -> pl.DataFrame:
        """A table with the items' ids, their titles where there are any, and `more` columns.

        Where the ids' column has the name of one of those, that one gets a number behind it.
        """
        codes = np.asarray(codes, dtype=np.int32)
        columns: dict[str, Any] = {self.columns.item: self._ids_by_code.gather(codes)}
        if self.titles is not None:
            more = {"title": self.item_names(codes), **more}
        return pl.DataFrame(columns | {f"{name}_2" if name in columns else name: one for name, one in more.items()})

    def to_native(self, frame: pl.DataFrame) -> Any:
        """Hand a result back as the kind of frame the user works with."""
        return from_polars(frame, self.kind)

    def vocabularies(self) -> dict[str, Any]:
        """Both vocabularies as plain JSON values."""
        return {"user": self.user_ids.to_json(), "item": self.item_ids.to_json()}

    @cached_property
    def _ids_by_code(self) -> pl.Series:
        """The id of each item, (items + 1,); missing for the unknown."""
        ids = self.item_ids.vocabulary
        return pl.concat([pl.Series([None], dtype=ids.dtype), ids.alias("")])

    @cached_property
    def _names_by_code(self) -> pl.Series:
        """The title of each item, or its id as text where there is none, (items + 1,); missing for the unknown."""
        ids = self._ids_by_code.cast(pl.String)
        if self.titles is None:
            return ids
        titles = pl.concat([pl.Series([None], dtype=pl.String), self.titles.alias("")])
        return pl.select(pl.coalesce(titles.alias("title"), ids.alias("id"))).to_series()
