"""`vectable train ratings --method auto`: every method that the data allow, with small budgets; the best is kept."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from vectable.cli.output import print_table, report
from vectable.cli.ratings_methods import Methods
from vectable.cli.ratings_report import errors_of
from vectable.cli.training import was_interrupted
from vectable.errors import VectableError, require

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

ENSEMBLE = 4  # models whose mean is tried
MOST_DRAWS = 100
MOST_DRAWN_FROM = 5_000_000  # ratings: with more a draw takes seconds


@dataclass(frozen=True)
class Tried:
    """One method and what came of it.

    Attributes:
        method: gradient, ensemble or bayes.
        rmse, mae: on the held-out ratings; None where it was not trained.
        seconds: that training took.
        kept: whether this is the model that is saved.
        note: why it was not trained.
    """

    method: str
    rmse: float | None = None
    mae: float | None = None
    seconds: float | None = None
    kept: bool = False
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Its figures by name."""
        return asdict(self)


def try_methods(data: "RatingsData", methods: Methods) -> "tuple[CollabLearner | BayesLearner, list[Tried]]":
    """Train each method that the data allow, and keep the one with the lowest error on the held-out ratings.

    Returns:
        The best model, and what each method did, in the order in which they were tried.

    Raises:
        VectableError: no ratings are held out, or no method can be trained.
    """
    require(len(data.valid_ratings) > 0, "--method auto compares on held-out rows: give --valid-pct above 0.")
    best: CollabLearner | BayesLearner | None = None
    lowest = math.inf
    tried: list[Tried] = []
    for name, train in _trainers(methods).items():
        reason = _why_not(name, data)
        if reason:
            tried.append(Tried(name, note=reason))
            continue
        report(f"Training with method {name}.")
        started = time.perf_counter()
        try:
            learn = train(data)
            measured = errors_of(learn)
        except VectableError as problem:
            tried.append(Tried(name, note=str(problem)))
            continue
        tried.append(Tried(name, measured["rmse"], measured["mae"], time.perf_counter() - started))
        if measured["rmse"] < lowest:
            best, lowest = learn, measured["rmse"]
            tried = [replace(one, kept=one.method == name) for one in tried]
        if was_interrupted(learn):
            break
    if best is None:
        raise VectableError(f"No method could be trained. {tried[0].method}: {tried[0].note}")
    return best, tried


def print_tried(tried: list[Tried], baselines: dict[str, dict[str, float]]) -> None:
    """All methods and the baselines as a table, the best first."""
    import polars as pl

    rows: list[dict[str, Any]] = [
        {"": one.method + (" (kept)" if one.kept else ""), "rmse": one.rmse, "mae": one.mae, "seconds": one.seconds}
        for one in tried
    ]
    rows += [{"": name, "rmse": one["rmse"], "mae": one["mae"], "seconds": None} for name, one in baselines.items()]
    print_table(pl.DataFrame(rows).sort("rmse", nulls_last=True), "All methods on the held-out ratings")
    for one in tried:
        if one.note:
            report(f"note: {one.method} is left out: {one.note}")


def _trainers(methods: Methods) -> "dict[str, Callable[[RatingsData], CollabLearner | BayesLearner]]":
    """What trains each method, the quickest first."""
    many = max(methods.gradient.n_models, ENSEMBLE)
    single = replace(methods, gradient=replace(methods.gradient, n_models=1))
    ensemble = replace(methods, gradient=replace(methods.gradient, n_models=many))
    sampler = replace(methods, bayes=replace(methods.bayes, draws=min(methods.bayes.draws, MOST_DRAWS)))
    return {
        "gradient": lambda data: single.train(data, "gradient"),
        "ensemble": lambda data: ensemble.train(data, "ensemble"),
        "bayes": sampler.draw,
    }


def _why_not(name: str, data: "RatingsData") -> str:
    """Why a method is not tried on these ratings; empty where it is."""
    if name == "bayes" and len(data.train_ratings) > MOST_DRAWN_FROM:
        return f"draws from more than {MOST_DRAWN_FROM:,} ratings take long; --method bayes makes them."
    return ""
