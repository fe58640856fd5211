"""What a saved folder holds of a learner for tables: its encoders, its target, its encoded rows; and back."""

from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from vectable.artifact import Contents
from vectable.data.encoders.kinds import Kind
from vectable.data.saved_names import FRAME_KIND
from vectable.data.tables.table_data import TableData
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.table_rows import TableRows
from vectable.data.tables.targets import ClassTarget, Target, target_from_json
from vectable.folder_schema import (
    Array,
    Default,
    PartError,
    list_of,
    map_of,
    mapping,
    one_of,
    part,
    record,
    take_arrays,
    text,
    whole,
)
from vectable.models.ensemble import Ensemble
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.saved_model import model_from_saved
from vectable.models.tabular import TabularModel
from vectable.training.saved_state import weights_in

MODELS: dict[str, type[TabularModel] | type[FactorisationMachine]] = {
    one.__name__: one for one in (TabularModel, FactorisationMachine)
}
"""The nets that a folder may name."""
SETTINGS = record(
    data=record(kind=FRAME_KIND, batch_size=whole(1)),
    kinds=Default({}, map_of(list_of(text, 2, 2))),
    target=mapping,
)
ARRAYS = ("categories", "numbers", "target", "weights")


def add_table(contents: Contents, data: TableData, members: list[Any]) -> None:
    """Add a table and the arguments of its nets to the contents of a folder."""
    contents.kind = "table"
    contents.settings |= {
        "config": members[0].config(),
        "n_models": len(members),
        "data": {"kind": data.kind, "batch_size": data.batch_size},
        "about": repr(data),
        "kinds": {name: [one.kind, one.why] for name, one in data.kinds.items()},
        "target": data.target.to_json(),
    }
    contents.tables["encoder"] = data.encoder.to_json()
    contents.tensors["rows"] = {
        f"{part}.{name}": torch.from_numpy(getattr(rows, name))
        for part, rows in (("train", data.train_rows.to_keep()), ("valid", data.valid_rows))
        for name in ARRAYS
        if getattr(rows, name) is not None
    }


def table_of(contents: Contents) -> TableData:
    """The table of a folder's contents, every code known to have its category; of its raw rows there are none.

    Raises:
        PartError: a part is missing or does not fit the others.
    """
    settings = SETTINGS(contents.settings, "settings")
    encoder = TableEncoder.from_json(part(contents.tables, "encoder", mapping))
    target = target_from_json(settings["target"])
    sizes = {"categories": len(encoder.categories), "numbers": len(encoder.numbers), "outputs": target.n_outputs}
    schema = _rows_schema("train", target) | _rows_schema("valid", target)
    arrays = take_arrays(contents.tensors, "rows", schema, sizes)
    n_codes = np.array([len(one) for one in encoder.categories.values()])

    def rows(which: str) -> TableRows:
        codes, numbers, values = (arrays[f"{which}.{name}"] for name in ARRAYS[:3])
        if (codes >= n_codes).any():
            raise PartError(f"rows.{which}.categories holds a code that its column does not have")
        return TableRows(codes, numbers, values, arrays.get(f"{which}.weights"))

    kinds = {name: Kind(*one) for name, one in settings["kinds"].items()}
    return TableData(rows("train"), rows("valid"), encoder, target, kinds, pl.DataFrame(), **settings["data"])


def net_of(contents: Contents, data: TableData) -> nn.Module:
    """The net, or the ensemble, of a folder's contents, not yet with its weights, known to take the table's columns.

    Raises:
        PartError: it takes others, or its weights are of another shape.
    """
    settings = contents.settings
    make = MODELS[part(settings, "model", one_of(*MODELS), "settings.")]
    config = part(settings, "config", make.CONFIG, "settings.")
    n_models = part(settings, "n_models", whole(1), "settings.")
    codes = [one if isinstance(one, int) else one[0] for one in config["embeddings"]]
    there = (codes, config["n_numbers"], config.get("n_outputs", 1))
    here = ([len(one) for one in data.encoder.categories.values()], len(data.encoder.numbers), data.target.n_outputs)
    if there != here or len(config["borders"]) > here[1]:
        raise PartError("settings.config is of other columns or targets than the encoder's")

    def build() -> nn.Module:
        members = [make(**config) for _ in range(n_models)]
        return members[0] if n_models == 1 else Ensemble(members, logits=isinstance(data.target, ClassTarget))

    n_parts = n_models * (len(codes) + len(config.get("layers", ())))
    return model_from_saved(build, weights_in(contents), n_parts)


def _rows_schema(which: str, target: Target) -> dict[str, Array]:
    """How the arrays of the "train" or the "valid" rows must be."""
    if isinstance(target, ClassTarget):
        of_target = Array("int64", which, least=0, below="outputs")
    else:
        of_target = Array("float32", which if target.n_outputs == 1 else f"{which} outputs", finite=True)
    return {
        f"{which}.categories": Array("int32", f"{which} categories", least=0),
        f"{which}.numbers": Array("float32", f"{which} numbers"),
        f"{which}.target": of_target,
        f"{which}.weights": Array("float32", which, least=0, finite=True, needed=False),
    }
