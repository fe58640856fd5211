"""What a saved folder holds of a learner for tables: its encoders, its target, its encoded rows; and back."""

from typing import Any

import polars as pl
import torch
from torch import nn

from vectable.artifact import Contents
from vectable.data.encoders.kinds import Kind
from vectable.data.tables.table_data import TableData
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.table_rows import TableRows
from vectable.data.tables.targets import ClassTarget, target_from_json
from vectable.models.ensemble import Ensemble
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.tabular import TabularModel

MODELS: dict[str, type[TabularModel] | type[FactorisationMachine]] = {
    one.__name__: one for one in (TabularModel, FactorisationMachine)
}
"""The nets that a folder may name."""
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
    """The table of a folder's contents; of its raw rows there are none."""
    settings = contents.settings
    arrays = {name: value.numpy() for name, value in contents.tensors["rows"].items()}

    def rows(part: str) -> TableRows:
        codes, numbers, target = (arrays[f"{part}.{name}"] for name in ARRAYS[:3])
        return TableRows(codes, numbers, target, arrays.get(f"{part}.weights"))

    encoder, target = TableEncoder.from_json(contents.tables["encoder"]), target_from_json(settings["target"])
    kinds = {name: Kind(*one) for name, one in settings["kinds"].items()}
    return TableData(rows("train"), rows("valid"), encoder, target, kinds, pl.DataFrame(), **settings["data"])


def net_of(contents: Contents, data: TableData) -> nn.Module:
    """The net, or the ensemble, of a folder's contents, not yet with its weights."""
    settings = contents.settings
    members = [MODELS[settings["model"]](**settings["config"]) for _ in range(settings["n_models"])]
    return members[0] if len(members) == 1 else Ensemble(members, logits=isinstance(data.target, ClassTarget))
