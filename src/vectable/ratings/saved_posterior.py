"""What the folder of draws from the posterior must hold: every array in the sizes that ratings and features give."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.ratings.rating_features import SIDES, RatingFeatures
from vectable.data.ratings.ratings_data import RatingsData
from vectable.folder_schema import (
    Array,
    Default,
    Maybe,
    PartError,
    any_number,
    boolean,
    list_of,
    map_of,
    mapping,
    number,
    one_of,
    optional,
    part,
    record,
    take_arrays,
    whole,
)

if TYPE_CHECKING:
    from vectable.folder_schema import Numbers

Files = Mapping[str, Mapping[str, "Numbers"]]
Arrays = dict[str, NDArray[Any]]

MOST_THREADS, MOST_CHAINS, MOST_FACTORS = 1024, 1024, 10_000
WATCHED = 5  # figures of a trace: the noise and four predictions

SETTINGS = record(
    config=record(
        n_factors=whole(1, MOST_FACTORS),
        n_draws=whole(1),
        burn_in=whole(0),
        likelihood=one_of("normal", "ordinal"),
        user_day=Maybe(boolean),  # its former name
        user_day_bias=Maybe(boolean),
        n_chains=whole(1, MOST_CHAINS),
        draw_dtype=one_of("float16", "float32"),
        draw_memory=whole(1),
        seed=whole(0, 2**63),
        threads=whole(1, MOST_THREADS),
    ),
    data=mapping,
    every=list_of(whole(1), 1, MOST_CHAINS),
    summed=whole(0),
    serving=Default(False, boolean),
    noise=Default(None, optional(number(0))),
    units=Default(None, optional(record(centre=number(), scale=number(1e-300)))),
)
HISTORY = list_of(map_of(any_number))


def checked_settings(saved: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a folder of draws.

    Raises:
        PartError: they have another form.
    """
    settings: dict[str, Any] = SETTINGS(saved, "settings")
    if len(settings["every"]) != settings["config"]["n_chains"]:
        raise PartError("settings.every must have an entry for each chain")
    return settings


def checked_history(tables: Mapping[str, Any]) -> list[dict[str, float]]:
    """The rows of figures that the sampling reported."""
    rows: list[dict[str, float]] = part(tables, "epochs", HISTORY)
    return rows


def checked_arrays(
    tensors: Files, features: RatingFeatures, data: RatingsData, settings: Mapping[str, Any]
) -> dict[str, Arrays]:
    """The arrays of a folder of draws by file and name.

    Args:
        tensors: of the folder's files, by file and name.
        features: of the model, which say how many groups there are.
        data: what the draws are of, items added since among its items.
        settings: those of the folder, checked.

    Raises:
        PartError: one is missing, or of another size, type or range than the others ask for.
    """
    config = settings["config"]
    added = tensors.get("added", {})
    sizes = {"users": data.n_users, "items": data.n_items - len(added), "valid": len(data.valid_ratings)}
    sizes["depth"] = config["n_factors"] + 1
    if config["likelihood"] == "ordinal":
        sizes["levels"] = len(np.unique(data.train_ratings.rating))
    groups = group_sizes(features, sizes)
    found = {"directions": take_arrays(tensors, "directions", _directions(groups), sizes)}
    draws: dict[str, Array] = {}
    for chain in range(config["n_chains"]):
        if any(name.startswith(f"{chain}.") for name in tensors.get("draws", {})):
            draws |= _draws(chain, groups, config, "levels" in sizes)
    found["draws"] = take_arrays(tensors, "draws", draws, sizes)
    if not draws:
        raise PartError("draws holds no draw")
    for name, one in found["draws"].items():
        if name.endswith(".precision"):
            _check_positive_definite(one, f"draws.{name}")
    n_draws = sum(length for name, length in sizes.items() if name.startswith("kept_of_"))
    sizes["row"] = n_draws * sizes["depth"]
    row = Array(config["draw_dtype"], "row", finite=True)
    found["added"] = take_arrays(tensors, "added", {str(at): row for at in range(len(added))}, sizes)
    found["sums"] = take_arrays(tensors, "sums", _sums(), sizes)
    found["traces"] = take_arrays(tensors, "traces", _traces(tensors, config["n_chains"]), sizes)
    chains = {} if added or settings["serving"] else _chains(config["n_chains"], groups, "levels" in sizes)
    found["chains"] = take_arrays(tensors, "chains", chains, sizes)
    return found


def group_sizes(features: RatingFeatures, sizes: dict[str, int]) -> dict[str, list[str]]:
    """The groups of features of each side, each by the name of its number of features, which joins `sizes`."""
    found: dict[str, list[str]] = {}
    for side, others, columns in zip(SIDES, ("items", "users"), features.columns, strict=True):
        found[side] = []
        if columns is not None:
            sizes[f"{side}_columns"] = int(columns.kept.sum())
            found[side].append(f"{side}_columns")
        if features.history:
            found[side].append(others)
    return found


def _directions(groups: Mapping[str, list[str]]) -> dict[str, Array]:
    schema: dict[str, Array] = {}
    for side, of_side in groups.items():
        for at, n_features in enumerate(of_side):
            count = f"directions_of_{side}_{at}_"
            schema |= {
                f"{side}.{at}.rows": Array("float32", f"{side}s {count}", finite=True),
                f"{side}.{at}.sizes": Array("float32 float64", count, least=0, finite=True),
                f"{side}.{at}.to_direction": Array("float32", f"{n_features} {count}", finite=True),
                f"{side}.{at}.average": Array("float32 float64", count, finite=True),
            }
    return schema


def _draws(chain: int, groups: Mapping[str, list[str]], config: Mapping[str, Any], ordinal: bool) -> dict[str, Array]:
    kept, dtype = f"kept_of_{chain}_", config["draw_dtype"]
    schema = {
        "users": Array(dtype, f"{kept} users+1 depth", finite=True),
        "items": Array(dtype, f"{kept} items+1 depth", finite=True),
        "offsets": Array(dtype, f"{kept} offsets", finite=True),
        "precisions": Array("float64", f"{kept} 2", least=1e-300, finite=True),
    }
    for side, of_side in groups.items():
        schema[f"{side}.centre"] = Array("float64", f"{kept} depth", finite=True)
        schema[f"{side}.precision"] = Array("float64", f"{kept} depth depth", finite=True)
        for at in range(len(of_side)):
            schema[f"{side}.{at}"] = Array(dtype, f"{kept} directions_of_{side}_{at}_ depth", finite=True)
    if ordinal:
        schema["cuts"] = Array("float64", f"{kept} levels+1")
    return {f"{chain}.{name}": one for name, one in schema.items()}


def _chains(n_chains: int, groups: Mapping[str, list[str]], ordinal: bool) -> dict[str, Array]:
    schema = {
        "users": Array("float32", "users+1 depth", finite=True),
        "items": Array("float32", "items+1 depth", finite=True),
        "offsets": Array("float32", "offsets", finite=True),
        "precisions": Array("float64", "2", least=1e-300, finite=True),
        "done": Array("int64", "1", least=0),
    }
    for side, of_side in groups.items():
        schema[f"{side}s.centre"] = Array("float64", "depth", finite=True)
        schema[f"{side}s.precision"] = Array("float64", "depth depth", finite=True)
        schema[f"{side}s.strengths"] = Array("float64", str(len(of_side)), least=0, finite=True)
        for at in range(len(of_side)):
            schema[f"{side}s.coefficients.{at}"] = Array("float64", f"directions_of_{side}_{at}_ depth", finite=True)
    if ordinal:
        schema |= {
            "cuts": Array("float64", "levels+1"),
            "cuts.root": Array("float64", "walked walked", finite=True),
            "cuts.reach": Array("float64", "1", finite=True),
        }
    return {f"{chain}.{name}": one for chain in range(n_chains) for name, one in schema.items()}


def _sums() -> dict[str, Array]:
    return {
        "valid": Array("float64", "valid", finite=True),
        "user_bias": Array("float64", "users+1", finite=True),
        "item_bias": Array("float64", "items+1", finite=True),
    }


def _traces(tensors: Files, n_chains: int) -> dict[str, Array]:
    """A row of figures for each draw; of a chain without draws an empty array."""
    saved = tensors.get("traces", {})
    empty = {name for name, one in saved.items() if tuple(one.shape) == (0,)}
    rows = {str(at): f"draws_of_{at}_ {WATCHED}" for at in range(n_chains)}
    return {name: Array("float64", "0" if name in empty else shape) for name, shape in rows.items()}


def _check_positive_definite(matrices: NDArray[np.float64], where: str) -> None:
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError as problem:
        raise PartError(f"{where} must be positive definite") from problem
