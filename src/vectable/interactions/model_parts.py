"""Models of histories as arrays and plain values, for saved folders, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import ArtifactError
from vectable.factorising.als import ALSOptions, ImplicitALS
from vectable.factorising.history_models import Blend, FactorModel, HistoryModel, LinearModel
from vectable.factorising.history_weights import HistoryWeights
from vectable.factorising.item_weights import weights_from_arrays

Arrays = dict[str, NDArray[Any]]


def model_to_parts(model: HistoryModel, prefix: str = "") -> tuple[dict[str, Any], Arrays]:
    """The form of a model as JSON values, and its arrays by name."""
    if isinstance(model, Blend):
        forms: list[dict[str, Any]] = []
        arrays: Arrays = {}
        for at, one in enumerate(model.models):
            form, more = model_to_parts(one, f"{prefix}{at}.")
            forms.append(form)
            arrays |= more
        return {"kind": "blend", "models": forms, "shares": list(model.shares)}, arrays
    if isinstance(model, FactorModel):
        form = {"kind": "factors", "options": asdict(model.als.options), "n_users": model.als.n_users}
        return {**form, "weighing": model.weighing.to_json()}, {f"{prefix}items": model.als.items}
    if isinstance(model, LinearModel):
        held = {f"{prefix}{name}": one for name, one in model.weights.to_arrays().items()}
        return {"kind": "linear", "weighing": model.weighing.to_json(), "arrays": list(held)}, held
    raise TypeError(f"a {type(model).__name__} cannot be saved")


def model_from_parts(form: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], n_items: int) -> HistoryModel:
    """The model back from `model_to_parts`.

    Args:
        n_items: items of the vocabulary, the unknown among them, which every array must fit.

    Raises:
        ArtifactError: the arrays do not fit each other or the vocabulary.
    """
    if form["kind"] == "blend":
        models = [_from(one, arrays, f"{at}.", n_items) for at, one in enumerate(form["models"])]
        return Blend(models, [float(share) for share in form["shares"]])
    return _from(form, arrays, "", n_items)


def _from(
    form: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], prefix: str, n_items: int
) -> FactorModel | LinearModel:
    weighing = HistoryWeights(**form["weighing"])
    if form["kind"] == "factors":
        items = arrays[f"{prefix}items"]
        _check(items.ndim == 2 and items.dtype == np.float32 and len(items) == n_items and items.shape[1] % 16 == 0)
        options = ALSOptions(**form["options"])
        return FactorModel(ImplicitALS(options, np.ascontiguousarray(items), int(form["n_users"])), weighing)
    held = {name.removeprefix(prefix): arrays[name] for name in form["arrays"]}
    _check_weights(held, n_items)
    return LinearModel(weights_from_arrays(held), weighing)


def _check_weights(held: Mapping[str, NDArray[Any]], n_items: int) -> None:
    if "matrix" in held:
        _check(held["matrix"].shape == (n_items, n_items) and held["matrix"].dtype == np.float32)
        return
    starts, columns, values = held["starts"], held["columns"], held["values"]
    _check(starts.dtype == np.int64 and columns.dtype == np.int32 and values.dtype == np.float32)
    _check(starts.shape == (n_items + 1,) and columns.shape == values.shape and columns.ndim == 1)
    _check(starts[0] == 0 and starts[-1] == len(columns) and bool((np.diff(starts) >= 0).all()))
    _check(len(columns) == 0 or (int(columns.min()) >= 0 and int(columns.max()) < n_items))


def _check(fits: bool) -> None:
    if not fits:
        raise ArtifactError("The saved model is damaged: its arrays do not fit its items. Restore it or train again.")
