"""Interactions as parts of a saved folder, and back."""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from vectable.data.encoders.categorify import Categorify
from vectable.data.interactions.interaction_columns import InteractionColumns
from vectable.data.interactions.interaction_rows import Interactions
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.io.frames import table_from_json, table_to_json

if TYPE_CHECKING:
    from torch import Tensor


def to_saved(data: InteractionsData) -> tuple[dict[str, dict[str, "Tensor"]], dict[str, Any], dict[str, Any]]:
    """Parts of a saved folder: tensor files, JSON tables, and settings."""
    import torch

    rows = data.interactions
    tensors = {"user": rows.user, "item": rows.item, "count": rows.count, "part": data.parts}
    if rows.time is not None:
        tensors["time"] = rows.time
    side = {"items": data.item_table, "users": data.user_table}
    tables = {
        "vocabularies": data.vocabularies(),
        "titles": None if data.titles is None else data.titles.to_list(),
        "side_tables": {name: None if table is None else table_to_json(table) for name, table in side.items()},
    }
    settings = {"columns": data.columns.to_json(), "split": data.split, "kind": data.kind}
    return (
        {"interactions": {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in tensors.items()}},
        tables,
        settings,
    )


def from_saved(
    tensors: dict[str, dict[str, "Tensor"]], tables: dict[str, Any], settings: dict[str, Any]
) -> InteractionsData:
    """Take up what `to_saved` gave."""
    arrays = {name: value.numpy() for name, value in tensors["interactions"].items()}
    side = {name: None if form is None else table_from_json(form) for name, form in tables["side_tables"].items()}
    titles = tables["titles"]
    return InteractionsData(
        interactions=Interactions(arrays["user"], arrays["item"], arrays["count"], arrays.get("time")),
        parts=arrays["part"],
        user_ids=Categorify.from_json(tables["vocabularies"]["user"]),
        item_ids=Categorify.from_json(tables["vocabularies"]["item"]),
        columns=InteractionColumns(**settings["columns"]),
        split=settings["split"],
        titles=None if titles is None else pl.Series(titles, dtype=pl.String),
        item_table=side["items"],
        user_table=side["users"],
        kind=settings["kind"],
    )
