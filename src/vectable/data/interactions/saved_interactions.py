"""Interactions as parts of a saved folder, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vectable.data.interactions.interaction_columns import InteractionColumns
from vectable.data.interactions.interaction_rows import Interactions
from vectable.data.interactions.interaction_splits import SPLITS, TEST_KNOWN
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.data.saved_names import FRAME_KIND, names_from_saved, names_to_saved
from vectable.folder_schema import Array, one_of, optional, record, take_arrays, text

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.folder_schema import Numbers

COLUMNS = record(user=text, item=text, count=optional(text), title=optional(text), timestamp=optional(text))
SETTINGS = record(columns=COLUMNS, split=one_of(*SPLITS), kind=FRAME_KIND)
ROWS = {
    "user": Array("int32", "rows", least=1, below="users+1"),
    "item": Array("int32", "rows", least=1, below="items+1"),
    "count": Array("float32", "rows", least=0, finite=True),
    "part": Array("int8", "rows", least=0, below=TEST_KNOWN + 1),
    "time": Array("float64", "rows", finite=True, needed=False),
}


def to_saved(data: InteractionsData) -> tuple[dict[str, dict[str, "Tensor"]], dict[str, Any], dict[str, Any]]:
    """Parts of a saved folder: tensor files, JSON tables, and settings."""
    import torch

    rows = data.interactions
    tensors = {"user": rows.user, "item": rows.item, "count": rows.count, "part": data.parts}
    if rows.time is not None:
        tensors["time"] = rows.time
    tables = names_to_saved(data, data.user_table, data.item_table)
    settings = {"columns": data.columns.to_json(), "split": data.split, "kind": data.kind}
    return (
        {"interactions": {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in tensors.items()}},
        tables,
        settings,
    )


def from_saved(
    tensors: Mapping[str, Mapping[str, "Numbers"]], tables: Mapping[str, Any], settings: Any
) -> InteractionsData:
    """The interactions back from `to_saved`.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    settings = SETTINGS(settings, "settings.data")
    columns = InteractionColumns(**settings["columns"])
    names = names_from_saved(tables, columns)
    arrays = take_arrays(tensors, "interactions", ROWS, names.sizes)
    return InteractionsData(
        interactions=Interactions(arrays["user"], arrays["item"], arrays["count"], arrays.get("time")),
        parts=arrays["part"],
        columns=columns,
        split=settings["split"],
        **vars(names),
        kind=settings["kind"],
    )
