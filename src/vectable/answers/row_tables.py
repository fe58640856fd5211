"""A tabular net with its encoders and its target, ready to predict rows as JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.answers.json_rows import check_rows
from vectable.answers.notes_as_json import notes_as_json
from vectable.data.io.frames import as_text, to_column
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.targets import ClassTarget, Target, target_from_json
from vectable.folder_schema import (
    Array,
    Default,
    PartError,
    boolean,
    list_of,
    mapping,
    number,
    optional,
    part,
    record,
    take_arrays,
    whole,
)
from vectable.models.array_net import ArrayNet
from vectable.recommending.answer import Notes

CONFIG = record(
    embeddings=list_of(list_of(whole(1), 2, 2)),
    n_numbers=whole(),
    n_outputs=whole(1),
    y_range=optional(list_of(number(), 2, 2)),
    borders=list_of(list_of(number())),
    linear=Default(False, boolean),
)

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class RowTables:
    """Predictions of a tabular net, or of the mean of several, as JSON values; made by `load_answers`.

    It never changes and may be asked from many threads at once. It computes in 64 bits: a row's prediction is the same
    to 14 digits, whichever rows stand beside it.

    Attributes:
        nets: the members of an ensemble, or one net alone.
        encoder: of raw rows.
        target: what is predicted.
        version: twelve hexadecimal digits that tell this folder from any other.
    """

    nets: Sequence[ArrayNet]
    encoder: TableEncoder
    target: Target
    version: str

    @classmethod
    def from_saved(
        cls,
        settings: Mapping[str, Any],
        arrays: Mapping[str, Arrays],
        tables: Mapping[str, Any],
        version: str,
    ) -> "RowTables":
        """From the parts of a saved folder.

        Raises:
            PartError: a part is missing or does not fit the others.
        """
        encoder = TableEncoder.from_json(part(tables, "encoder", mapping))
        target = target_from_json(part(settings, "target", mapping, "settings."))
        config = part(settings, "config", CONFIG, "settings.")
        n_models = part(settings, "n_models", whole(1), "settings.")
        codes = [len(one) for one in encoder.categories.values()]
        there = ([one[0] for one in config["embeddings"]], config["n_numbers"], config["n_outputs"])
        if there != (codes, len(encoder.numbers), target.n_outputs) or len(config["borders"]) > len(encoder.numbers):
            raise PartError("settings.config is of other columns or targets than the encoder's")
        weights = part(arrays, "weights", lambda value, _: value)
        if n_models > len(weights):
            raise PartError(f"settings.n_models is {n_models:,}, and there are {len(weights):,} weights")
        prefixes = [""] if n_models == 1 else [f"members.{at}." for at in range(n_models)]
        return cls([_net(config, weights, prefix) for prefix in prefixes], encoder, target, version)

    @property
    def classes(self) -> list[Any] | None:
        """The classes, in the order of the probabilities; None where numbers are predicted."""
        if not isinstance(self.target, ClassTarget):
            return None
        return _plain(self.target.classes)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the net says of raw rows, each a mapping from the columns' names to values.

        Unknown categories, missing values where training had none, and further columns are all right; what was new is
        counted in a note.

        Returns:
            ``{"predictions": [...], "notes": [...]}``: the likeliest class, or the number (or numbers), of each row;
            for classes "probabilities" too, a list in the order of `classes` for each row.

        Raises:
            VectableError: rows that are no mappings.
            DataError: a row lacks a column.
        """
        columns = self.encoder.raw_columns
        check_rows(rows, columns)
        if len(rows) == 1:
            codes, numbers, drift = self.encoder.encode_one(rows[0])
        else:
            given = {name: to_column([row[name] for row in rows], quiet=True).alias(name) for name in columns}
            codes, numbers, drift = self.encoder.encode(pl.DataFrame(given))
        notes = Notes()
        new = sum(drift.unknown.values()) + sum(drift.missing.values())
        notes.add("new_values", new, lambda: f"{drift}; they are predicted as unknown or missing.")
        return {**self._decoded(codes, numbers), "notes": notes_as_json(notes)}

    def _decoded(self, codes: NDArray[np.int32], numbers: NDArray[np.float32]) -> dict[str, Any]:
        outputs = [net.outputs(codes, numbers) for net in self.nets]
        if not isinstance(self.target, ClassTarget):
            return {"predictions": self.target.decode(np.mean(outputs, axis=0)).tolist()}
        probabilities = np.mean([_softmax(one) for one in outputs], axis=0)
        return {"predictions": _plain(self.target.decode(probabilities)), "probabilities": probabilities.tolist()}


def _net(config: Mapping[str, Any], weights: Arrays, prefix: str) -> ArrayNet:
    """One net from its saved weights, whose shapes are known to fit each other."""
    own = {name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)}
    schema = {
        f"embeddings.{at}.weight": Array("float32", f"{rows} {width}")
        for at, (rows, width) in enumerate(config["embeddings"])
    }
    if config["n_numbers"]:
        parts = ("weight", "bias", "running_mean", "running_var")
        schema |= {f"numbers_norm.{name}": Array("float32", f"{config['n_numbers']}") for name in parts}
    if config["linear"]:
        schema["linear.weight"] = Array("float32", f"{config['n_outputs']} {config['n_numbers']}")
        schema["linear.bias"] = Array("float32", f"{config['n_outputs']}")
    for name in own:
        layer = ".".join(name.split(".")[:2])
        if name.startswith("layers.") and not name.endswith(".num_batches_tracked"):
            several = name.endswith(".weight") and f"{layer}.running_mean" not in own
            schema[name] = Array("float32", f"of_{layer}_ into_{layer}_" if several else f"of_{layer}_")
    net = ArrayNet.of(config, take_arrays({"weights": own}, "weights", schema, {}))
    width = sum(one[1] for one in config["embeddings"])
    width += config["n_numbers"] + len(net.bins[0]) + len(net.steps[0])
    for weight, bias in net.layers:
        if weight.shape[1] != width or bias.shape != weight.shape[:1]:
            raise PartError(f"a layer of weights takes {weight.shape[1]:,} values, and the one before gives {width:,}")
        width = len(weight)
    if not net.layers or width != config["n_outputs"]:
        raise PartError(f"weights end in {width:,} outputs, and settings.config has {config['n_outputs']:,}")
    return net


def _softmax(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _plain(values: pl.Series) -> list[Any]:
    """Values as JSON knows them: numbers, booleans and texts as they are, all others as text."""
    dtype = values.dtype
    known = dtype.is_integer() or dtype.is_float() or dtype in (pl.Boolean, pl.String)
    return (values if known else as_text(values)).to_list()
