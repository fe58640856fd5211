"""Users and items by name as parts of a saved folder, and back: vocabularies, titles and side tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from vectable.data.encoders.categorify import Categorify
from vectable.data.io.saved_columns import column_from_json, table_from_json, table_to_json
from vectable.data.vocabularies import NamedColumns, Vocabularies
from vectable.folder_schema import PartError, mapping, one_of, optional, part, record

FRAME_KIND = one_of("pandas", "polars", "pyarrow")
VOCABULARIES = record(user=mapping, item=mapping)
SIDE_TABLES = record(users=optional(mapping), items=optional(mapping))


@dataclass(frozen=True)
class SavedNames:
    """What a folder holds of users and items, whatever is known of the pairs.

    Attributes:
        user_ids, item_ids: the vocabularies.
        titles: a name to show for each item, or None.
        item_table, user_table: side columns with a row for each id, or None.
    """

    user_ids: Categorify
    item_ids: Categorify
    titles: pl.Series | None
    item_table: pl.DataFrame | None
    user_table: pl.DataFrame | None

    @property
    def sizes(self) -> dict[str, int]:
        """How many there are, for `folder_schema.take_arrays`."""
        return {"users": len(self.user_ids) - 1, "items": len(self.item_ids) - 1}


def names_to_saved(
    data: Vocabularies, user_table: pl.DataFrame | None, item_table: pl.DataFrame | None
) -> dict[str, Any]:
    """The JSON tables of a folder."""
    side = {"items": item_table, "users": user_table}
    return {
        "vocabularies": data.vocabularies(),
        "titles": None if data.titles is None else data.titles.to_list(),
        "side_tables": {name: None if table is None else table_to_json(table) for name, table in side.items()},
    }


def names_from_saved(tables: Mapping[str, Any], columns: NamedColumns) -> SavedNames:
    """The names back from `names_to_saved`.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    vocabularies = part(tables, "vocabularies", VOCABULARIES)
    user_ids, item_ids = (Categorify.from_json(vocabularies[side]) for side in ("user", "item"))
    titles = part(tables, "titles", optional(lambda value, where: column_from_json(value, pl.String, where)))
    if titles is not None and len(titles) != len(item_ids) - 1:
        raise PartError(f"titles has {len(titles):,} entries for {len(item_ids) - 1:,} items")
    side = part(tables, "side_tables", SIDE_TABLES)
    item_table = _side_table(side["items"], "items", columns.item, len(item_ids) - 1)
    user_table = _side_table(side["users"], "users", columns.user, len(user_ids) - 1)
    return SavedNames(user_ids, item_ids, titles, item_table, user_table)


def _side_table(form: Any, name: str, id_column: str, n_rows: int) -> pl.DataFrame | None:
    """A side table back, known to have a row for each id and a column of them."""
    if form is None:
        return None
    table = table_from_json(form, f"side_tables.{name}", n_rows)
    if id_column not in table.columns:
        raise PartError(f"side_tables.{name} has no column {id_column!r} of ids")
    return table
