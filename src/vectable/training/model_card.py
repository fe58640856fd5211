"""A model card in Markdown, from what a learner knows of itself: data, split, errors beside baselines, limits, use."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from vectable._version import __version__
from vectable.data.sets import catalogue
from vectable.data.tables.table_data import TableData
from vectable.data.tables.targets import ClassTarget
from vectable.errors import VectableWarning
from vectable.training.metrics import METRICS

NO_ROWS = "No rows were held out, so nothing is known of its errors."
NOT_MEASURED = "Measure it on held-out data before you rely on it."


@dataclass(frozen=True)
class _Kind:
    """What the card says of a kind of learner.

    Attributes:
        does: what it is for.
        limits: what it cannot do, a sentence each.
        asks: a line of Python that asks it.
    """

    does: str
    limits: tuple[str, ...]
    asks: str


_LISTS = (
    "Users and items that training never showed get averages, or popular items, with a warning.",
    "What it recommends follows past behaviour, and repeats the preferences that lie in it.",
)
_KINDS = {
    "CollabLearner": _Kind("predicts ratings and recommends items", _LISTS, "learn.recommend(user, n=10)"),
    "BayesLearner": _Kind(
        "predicts ratings with their uncertainty and recommends items", _LISTS, "learn.recommend(user, n=10)"
    ),
    "ImplicitLearner": _Kind("recommends items from interactions", _LISTS, "learn.recommend(user, n=10)"),
    "NextItemLearner": _Kind("recommends what a user takes next", _LISTS, "learn.recommend(user, n=10)"),
    "TabularLearner": _Kind(
        "predicts columns of a table from the others",
        (
            "Rows unlike the training rows are predicted all the same; unknown categories are only warned of.",
            "It finds what goes together, not what causes what.",
        ),
        "learn.predict(rows)",
    ),
    "VisionLearner": _Kind(
        "tells which class a photograph belongs to",
        ("Every photograph gets one of the classes, also one that shows none of them.",),
        "learn.predict(image)",
    ),
}
_OTHER = _Kind("a custom module", ("Its code is not in the folder.",), "learn.predict(rows)")


def model_card(learn: Any, title: str, data_set: str | None, licence: str | None) -> str:
    """The card of a learner, in Markdown; the arguments are those of `SavedAsFolder.card`."""
    name = type(learn).__name__
    kind = _KINDS.get(name, _OTHER)
    figures, notes = _measured(learn)
    custom = ", model=module" if kind is _OTHER else ""
    return "\n".join(
        [
            f"# {title}",
            "",
            f"A `{name}` of vectable {__version__}: {kind.does}.",
            "",
            "## Data",
            "",
            *_about_data(learn.data, data_set, licence),
            "",
            "## Errors on the held-out rows",
            "",
            *figures,
            "",
            "## Limits",
            "",
            *(f"- {one}" for one in (*notes, *kind.limits)),
            "",
            "## Use",
            "",
            "```python",
            "import vectable as vt",
            "",
            f'learn = vt.load_learner("FOLDER"{custom})',
            kind.asks,
            "```",
            "",
        ]
    )


def _about_data(data: Any, data_set: str | None, licence: str | None) -> list[str]:
    """Lines on what it was trained on; of a set of the catalogue also its licence and source."""
    known = catalogue.info(data_set) if data_set and data_set in catalogue.names() else None
    licence = licence or (known.licence if known else "not stated")
    lines = [f"- Trained on: {data_set}"] if data_set else []
    lines.append(f"- `{data!r}`")
    fingerprint = getattr(data, "fingerprint", None)
    if fingerprint is not None:
        lines.append(f"- Fingerprint of the split: `{fingerprint}`")
    return [*lines, f"- Licence: {licence}", *([f"- Source: {known.source}"] if known else [])]


def _measured(learn: Any) -> tuple[list[str], list[str]]:
    """The lines of figures, and what must be said of them."""
    if learn.serving:
        return [f"It was loaded from a serving folder, which holds no rows to measure on. {NOT_MEASURED}"], []
    tried = getattr(learn, "tried", None)
    if tried is not None:
        return _tried(learn, tried)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        measured = learn.validate()
    baselines = {**measured.pop("baselines", {}), **_guesses(learn)}
    if not any(np.isfinite(value) for value in measured.values()):
        return [NO_ROWS], [NOT_MEASURED]
    lines = _table(list(measured), {"model": measured, **baselines})
    return lines, [str(one.message) for one in caught if issubclass(one.category, VectableWarning)]


def _tried(learn: Any, tried: Any) -> tuple[list[str], list[str]]:
    """What a learner of interactions measured of its candidates, of which it kept one."""
    rows = {str(row.pop("model")): row for row in tried.to_dicts()}
    names = [name for name in next(iter(rows.values()), {}) if name != "seconds"]
    if not names:
        return [NO_ROWS], [NOT_MEASURED]
    kept = f"Kept: {learn.chosen.name}, the best on the validation part, whose figures are a little too good for it."
    return [*_table(names, rows), "", kept], []


def _guesses(learn: Any) -> dict[str, dict[str, float]]:
    """Errors of the simplest guess for a table: the training mean, or the commonest class of the training rows."""
    data = learn.data
    if not isinstance(data, TableData) or len(data.valid_rows) == 0 or len(data.train_rows) == 0:
        return {}
    target, truth = data.target, data.valid_rows.target
    if isinstance(target, ClassTarget):
        commonest = np.bincount(data.train_rows.target, minlength=target.n_outputs).argmax()
        return {"the commonest class": {"accuracy": float((truth == commonest).mean())}}
    right = target.decode(truth)
    mean = np.broadcast_to(target.decode(np.zeros((1, len(target.names)))).reshape(-1), (len(truth), len(target.names)))
    guess = mean.reshape(right.shape)
    return {"the mean": {name: float(METRICS[name](guess, right)) for name in ("rmse", "mae")}}


def _table(names: list[str], rows: dict[str, dict[str, Any]]) -> list[str]:
    """A row per model and a column per figure, in four digits behind the point."""
    return [
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
        *(f"| {name} | {' | '.join(_figure(row.get(one)) for one in names)} |" for name, row in rows.items()),
    ]


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float | int | np.number) else ""
