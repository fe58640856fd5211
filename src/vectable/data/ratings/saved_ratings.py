"""Ratings as the parts of a saved folder, and back: rows, vocabularies, titles and side tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vectable.data.ratings.encoded_ratings import Ratings, ratings_to_tensors
from vectable.data.ratings.rating_columns import Columns
from vectable.data.ratings.ratings_data import RatingsData
from vectable.data.saved_names import FRAME_KIND, names_from_saved, names_to_saved
from vectable.folder_schema import (
    Array,
    Default,
    PartError,
    boolean,
    optional,
    record,
    take_arrays,
    text,
    whole,
)

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.folder_schema import Numbers

Tensors = Mapping[str, Mapping[str, "Numbers"]]

COLUMNS = record(user=text, item=text, rating=text, title=optional(text), timestamp=optional(text))
SETTINGS = record(
    columns=COLUMNS,
    kind=FRAME_KIND,
    batch_size=whole(1),
    block_order=Default(None, optional(boolean)),
)


def rows_schema(rows: str, least_code: int) -> dict[str, Array]:
    """How the arrays of some rows must be: codes of known users and items, and one entry of each per row.

    Args:
        rows: "train" or "valid".
        least_code: 1 where every user and item is known, 0 where some may not be.
    """
    return {
        f"{rows}.user": Array("int32", rows, least=least_code, below="users+1"),
        f"{rows}.item": Array("int32", rows, least=least_code, below="items+1"),
        f"{rows}.rating": Array("float32", rows, finite=True),
        f"{rows}.time": Array("float64", rows, finite=True, needed=False),
        f"{rows}.weights": Array("float32", rows, least=0, finite=True, needed=False),
    }


def to_saved(data: RatingsData) -> tuple[dict[str, dict[str, "Tensor"]], dict[str, Any], dict[str, Any]]:
    """Parts of a saved folder: tensor files, JSON tables, and settings."""
    tensors = ratings_to_tensors({"train": data.train_ratings, "valid": data.valid_ratings})
    tables = names_to_saved(data, data.user_table, data.item_table)
    return {"ratings": tensors}, tables, settings_of(data)


def settings_of(data: RatingsData) -> dict[str, Any]:
    """What a folder's settings keep of ratings."""
    return {
        "columns": data.columns.to_json(),
        "kind": data.kind,
        "batch_size": data.batch_size,
        "block_order": data.block_order,
    }


def from_saved(tensors: Tensors, tables: Mapping[str, Any], settings: Any) -> RatingsData:
    """The ratings back from `to_saved`, every code known to have its user and item.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    settings = SETTINGS(settings, "settings.data")
    columns = Columns(**settings["columns"])
    names = names_from_saved(tables, columns)
    sizes = names.sizes
    arrays = take_arrays(tensors, "ratings", rows_schema("train", 1) | rows_schema("valid", 0), sizes)
    if sizes["train"] == 0:
        raise PartError("ratings.train.rating is empty; at least one rating is needed")
    train, valid = (
        Ratings(
            arrays[f"{rows}.user"],
            arrays[f"{rows}.item"],
            arrays[f"{rows}.rating"],
            arrays.get(f"{rows}.time"),
            arrays.get(f"{rows}.weights"),
        )
        for rows in ("train", "valid")
    )
    return RatingsData(
        train_ratings=train,
        valid_ratings=valid,
        columns=columns,
        **vars(names),
        kind=settings["kind"],
        batch_size=settings["batch_size"],
        block_order=settings["block_order"],
    )
