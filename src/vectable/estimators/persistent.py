"""Saving estimators as the same folder that learners are saved as, and pickling them by the same contents."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from vectable.artifact import Contents, contents_of_model, write_folder
from vectable.data.tables.targets import ClassTarget, NumberTarget
from vectable.errors import ArtifactError
from vectable.folder_schema import PartError, any_value, list_of, mapping, one_of, part, record, text, whole, wrong
from vectable.loading import learner_of

# Which class comes back from which folder: the only names that are loaded.
ESTIMATORS = {
    "TabularClassifier": "vectable.estimators.tabular",
    "TabularRegressor": "vectable.estimators.tabular",
    "RatingRegressor": "vectable.estimators.ratings",
    "EntityEmbeddingEncoder": "vectable.estimators.entity_embedding",
}


LEARNERS = {
    "TabularClassifier": ("table",),
    "TabularRegressor": ("table",),
    "RatingRegressor": ("ratings", "posterior", "table"),
    "EntityEmbeddingEncoder": ("table",),
}
"""The kinds of folders in which each may be."""

NUMBERS = ("TabularRegressor", "RatingRegressor")
FITTED = ("classes_", "n_iter_", "n_features_in_", "feature_names_in_")
SAVED = record(**{"class": text, "parameters": mapping, "fitted": mapping})


class PersistentEstimator(BaseEstimator):
    """An estimator whose fit leaves a learner, `learner_`, and which is saved and pickled as that learner is saved."""

    learner_: Any

    def save(self, path: str | Path) -> Path:
        """Save the fitted estimator as a folder of numbers and JSON; `vectable.load_estimator` loads it.

        `vectable.load_learner` reads the same folder, as the learner alone. A `random_state` other than a number is
        kept as None.
        """
        check_is_fitted(self)
        contents = self.learner_.to_contents()
        contents.settings["estimator"] = {
            "class": type(self).__name__,
            "parameters": {name: _to_json(value) for name, value in self.get_params(deep=False).items()},
            "fitted": {
                name: _to_json(value) for name, value in vars(self).items() if name.endswith("_") and name != "learner_"
            },
        }
        return write_folder(path, contents)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "learner_" in state:
            state["learner_"] = state["learner_"].to_contents()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(dict(state))
        if "learner_" in state:
            self.learner_ = learner_of(state["learner_"], progress=False, device="cpu")

    @classmethod
    def from_contents(cls, contents: Contents) -> Self:
        """The fitted estimator back from the contents of its folder.

        Raises:
            PartError: a parameter or attribute that it does not have, or a learner of another kind.
        """
        saved = part(contents.settings, "estimator", SAVED, "settings.")
        one_of(*LEARNERS[cls.__name__])(contents.kind, "kind")
        for name in saved["parameters"]:
            one_of(*cls().get_params(deep=False))(name, "settings.estimator.parameters")
        for name in saved["fitted"]:
            one_of(*FITTED)(name, "settings.estimator.fitted")
        estimator = cls(**{name: _from_json(value) for name, value in saved["parameters"].items()})
        for name, value in saved["fitted"].items():
            setattr(estimator, name, _from_json(value))
        estimator.learner_ = learner_of(contents, progress=False, device="cpu")
        _check_fitted(estimator, cls.__name__)
        return estimator


def load_estimator(path: str | Path) -> Any:
    """The estimator that `save` wrote; it predicts bit for bit as before.

    Raises:
        ArtifactError: the folder is not there, not ours, newer, damaged, or holds a learner alone.

    Examples:
        >>> import vectable as vt
        >>> census = vt.datasets.load("adult")
        >>> few = census.train.head(300)
        >>> x, y = few.drop("salary"), few["salary"].to_numpy()
        >>> model = vt.TabularClassifier(n_epochs=1, n_models=1, random_state=0).fit(x, y)
        >>> _ = model.save("census")
        >>> again = vt.load_estimator("census")
        >>> bool((again.predict(x) == model.predict(x)).all())
        True
    """
    from importlib import import_module

    with contents_of_model(path) as contents:
        saved = contents.settings.get("estimator")
        if saved is None:
            raise ArtifactError(f"{str(path)!r} was saved by a learner, and not by an estimator: use load_learner.")
        name = saved.get("class") if isinstance(saved, dict) else saved
        if not isinstance(name, str) or name not in ESTIMATORS:
            raise ArtifactError(f"{str(path)!r} holds the estimator {name!r}; this program loads {list(ESTIMATORS)}.")
        return getattr(import_module(ESTIMATORS[name]), name).from_contents(contents)


def _check_fitted(estimator: Any, name: str) -> None:
    """Raise a `PartError` where what was learned does not fit the learner."""
    whole(1)(getattr(estimator, "n_features_in_", None), "settings.estimator.fitted.n_features_in_")
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and np.shape(names) != (estimator.n_features_in_,):
        raise PartError("settings.estimator.fitted.feature_names_in_ must have an entry for each feature")
    target = getattr(estimator.learner_.data, "target", None)
    if name == "TabularClassifier":
        n_classes = target.n_outputs if isinstance(target, ClassTarget) else None
        if np.shape(getattr(estimator, "classes_", ())) != (n_classes,):
            raise PartError("settings.estimator.fitted.classes_ must have an entry for each class of the learner")
    elif name in NUMBERS and target is not None and not isinstance(target, NumberTarget):
        raise PartError(f"settings.estimator.class is {name}, and the learner's target is classes")


def _to_json(value: Any) -> Any:
    """A parameter or fitted attribute as JSON, with its type where JSON has none; None for what no folder holds."""
    if isinstance(value, np.ndarray):
        return {"array": _plain_values(value), "dtype": value.dtype.str}
    if isinstance(value, np.generic) and value.dtype.kind in "mM":
        return {"scalar": int(value.astype(np.int64)), "dtype": value.dtype.str}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {"pairs": [[_to_json(key), _to_json(one)] for key, one in value.items()]}
    if isinstance(value, list | tuple):
        return [_to_json(one) for one in value]
    if isinstance(value, dt.date | dt.time | Decimal):
        return {"type": type(value).__name__, "text": str(value)}
    return value if isinstance(value, str | int | float | bool) else None


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from_json(one) for one in value)
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return _array(list_of(any_value)(value["array"], "array"), text(value["dtype"], "dtype"))
    if "scalar" in value:
        return np.int64(value["scalar"]).astype(value["dtype"])
    if "text" in value:
        return TYPES[value["type"]](value["text"])
    return {_from_json(key): _from_json(one) for key, one in value["pairs"]}


TYPES: dict[str, Callable[[str], Any]] = {
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "time": dt.time.fromisoformat,
    "Decimal": Decimal,
}


def _plain_values(array: NDArray[Any]) -> list[Any]:
    values: list[Any] = (array.astype(np.int64) if array.dtype.kind in "mM" else array).tolist()
    return [_to_json(one) for one in values] if array.dtype.kind == "O" else values


def _array(values: list[Any], name: str) -> NDArray[Any]:
    dtype = np.dtype(name)
    longest = max((len(one) for one in values if isinstance(one, str)), default=0)
    if dtype.kind not in "biufmMOU" or dtype.itemsize > 32 + 4 * longest:
        wrong("dtype", name, "that of an array of numbers, dates or texts")
    if dtype.kind in "mM":
        return np.array(values, dtype=np.int64).astype(dtype)
    array = np.empty(len(values), dtype=dtype)
    array[:] = [_from_json(one) for one in values] if dtype.kind == "O" else values
    return array
