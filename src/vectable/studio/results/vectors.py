"""The vectors that a model learned, with the names, counts and columns that belong to them, as files for the map."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from vectable.studio.json_files import read_json_file, write_json

FOLDER = "vectors"
INDEX = "index.json"
VECTORS = "vectors"  # the array in its file
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Vectors:
    """Vectors of things of one kind.

    Attributes:
        of: "items", "users", or a column of a table.
        label: to show.
        ids: as answers are asked for.
        names: to show, as text.
        vectors: (things, width).
        counts: training rows of each, (things,).
        columns: further values by name, each as long as the names, to colour by.
    """

    of: str
    label: str
    ids: list[Any]
    names: list[str]
    vectors: Floats
    counts: NDArray[np.int64]
    columns: dict[str, list[Any]]


def vectors_of(task: str, learn: Any) -> list[Vectors]:
    """All that a model of a task learned of things with names."""
    if task == "ratings":
        return [_of_rated(learn, True), _of_rated(learn, False)]
    if task == "interactions":
        return [_of_taken(learn)]
    return _of_categories(learn) if task == "table" else []


def write_vectors(folder: Path, found: list[Vectors]) -> None:
    """Write them into a folder of results: an array file each, and the names beside."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for at, one in enumerate(found):
        vectors = np.ascontiguousarray(one.vectors, dtype=np.float32)
        save_file({VECTORS: vectors}, folder / FOLDER / f"{at}.safetensors")
        named = {name: getattr(one, name) for name in ("of", "label", "ids", "names", "columns")}
        write_json(folder / FOLDER / f"{at}.json", {**named, "counts": one.counts.tolist()})
    listed = [
        {"of": one.of, "label": one.label, "count": len(one.names), "width": one.vectors.shape[1]} for one in found
    ]
    write_json(folder / FOLDER / INDEX, listed)


def listed_vectors(folder: Path) -> list[dict[str, Any]]:
    """``{"of", "label", "count", "width"}`` of what a folder of results holds."""
    found: list[dict[str, Any]] = read_json_file(folder / FOLDER / INDEX, [])
    return found


def read_vectors(folder: Path, at: int) -> Vectors:
    """Those at a place of the list."""
    named = read_json_file(folder / FOLDER / f"{at}.json")
    counts = np.array(named.pop("counts"), dtype=np.int64)
    return Vectors(vectors=load_file(folder / FOLDER / f"{at}.safetensors")[VECTORS], counts=counts, **named)


def _of_rated(learn: Any, items: bool) -> Vectors:
    data = learn.data
    ids = (data.item_ids if items else data.user_ids).vocabulary
    codes = np.arange(1, len(ids) + 1, dtype=np.int32)
    counts = data.item_counts[1:] if items else np.diff(data.by_user[0])[1:]
    columns: dict[str, list[Any]] = {"ratings": counts.tolist()}
    if items:
        columns["mean rating"] = _rounded(data.item_means[1:])
    if learn.recommender.model.has_biases:
        columns["bias"] = _rounded(learn.bias(ids, items))
    side = data.item_table if items else data.user_table
    columns |= _side(side)
    names = data.item_names(codes).to_list() if items else ids.cast(pl.String).to_list()
    label = "Items" if items else "Users"
    return Vectors(
        "items" if items else "users", label, ids.to_list(), names, learn.weight(ids, items), counts, columns
    )


def _of_taken(learn: Any) -> Vectors:
    data = learn.data
    ids = data.item_ids.vocabulary
    codes = np.arange(1, len(ids) + 1, dtype=np.int32)
    counts = data.item_counts[1:]
    columns = {"interactions": counts.tolist(), **_side(data.item_table)}
    directions = learn.recommender().directions[1:]
    return Vectors("items", "Items", ids.to_list(), data.item_names(codes).to_list(), directions, counts, columns)


def _of_categories(learn: Any) -> list[Vectors]:
    found = []
    names = list(learn.data.encoder.categories)
    codes = learn.data.train_rows.codes if hasattr(learn.data.train_rows, "codes") else None
    for at, name in enumerate(names):
        values = learn.categories(name)
        vectors = learn.weight(name)
        if len(values) < 3 or vectors.shape[1] < 2:
            continue
        counts = np.zeros(len(values), dtype=np.int64)
        if codes is not None:
            counts = np.bincount(np.asarray(codes)[:, at], minlength=len(values) + 1)[1 : len(values) + 1]
        columns = {"rows": counts.tolist()} if counts.any() else {}
        found.append(Vectors(name, name, values, [str(one) for one in values], vectors, counts, columns))
    return found


def _side(table: pl.DataFrame | None) -> dict[str, list[Any]]:
    """Columns of a side table that a colour can stand for."""
    if table is None:
        return {}
    return {one.name: one.to_list() for one in table if one.dtype == pl.String or one.dtype.is_numeric()}


def _rounded(values: Any) -> list[float | None]:
    return [None if not np.isfinite(one) else round(float(one), 4) for one in values]
