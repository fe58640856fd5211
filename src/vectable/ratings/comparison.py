"""Which model to use: baselines, gradient model, ensemble and sampler on the same rows, with paired intervals."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.ratings.ratings_data import RatingsData
from vectable.deprecation import renamed_arguments
from vectable.errors import did_you_mean, is_whole, quote_some, require
from vectable.ratings.bayes import bayes_collab_learner
from vectable.ratings.collab import collab_learner
from vectable.ratings.rating_rows import take_ratings
from vectable.recommending.baselines import BiasBaseline
from vectable.training.metrics import mae, rmse

KNOWN = ("global mean", "biases", "gradient", "ensemble", "bayes")
GIVEN = ("data", "seed", "n_models")  # arguments of the learners that `compare` sets
Z = 1.96  # standard deviations of a 95 % interval


@dataclass(frozen=True)
class Comparison:
    """How several models do on the same held-out ratings.

    Attributes:
        table: a row per model, the best first: model, rmse, mae (means over the seeds), spread (standard deviation of
            rmse over the seeds, missing for one), worse_by (mean squared error above the best model's, on the same
            rows), low and high (95 % interval of that difference, from the rows' own differences), seconds (of
            training), and numbers (kept in the model).
        fingerprint: of the split; equal ones are about the same rows.
        n_seeds: of each model.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data()
        >>> found = vt.compare(data, ["global mean", "biases"])
        >>> found.best
        'biases'
        >>> print(found.conclusion)
        biases is best, by more than chance: ahead of global mean by 0.2285 in squared error.
    """

    table: pl.DataFrame
    fingerprint: str
    n_seeds: int

    @property
    def best(self) -> str:
        """The model with the lowest error."""
        return str(self.table["model"][0])

    def __repr__(self) -> str:
        with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_rows=20, tbl_cols=20):
            shown = self.table.with_columns(pl.selectors.float().round(4))
            return f"{shown}\nsplit {self.fingerprint}, {self.n_seeds} seeds; {self.conclusion}"

    @property
    def conclusion(self) -> str:
        """Who wins, and whether by more than chance, in a sentence."""
        if len(self.table) < 2:
            return f"{self.best} stands alone."
        second = self.table.row(1, named=True)
        sure = "by more than chance" if second["low"] > 0 else "though not by more than chance"
        return f"{self.best} is best, {sure}: ahead of {second['model']} by {second['worse_by']:.4f} in squared error."


@renamed_arguments(n_epoch="n_epochs")
def compare(
    data: RatingsData,
    models: Sequence[str] | str = KNOWN,
    *,
    seeds: Sequence[int] | int = 1,
    n_epochs: int = 5,
    lr: float = 5e-3,
    n_models: int = 8,
    gradient: dict[str, Any] | None = None,
    bayes: dict[str, Any] | None = None,
) -> Comparison:
    """Train each model on the training ratings and measure all on the same validation ratings.

    Args:
        models: one or more of "global mean", "biases", "gradient" (`collab_learner`), "ensemble" (`n_models` of them)
            and "bayes".
        seeds: of training, or how many of them (0, 1, ...).
        n_epochs, lr: of the gradient models' cycle.
        gradient, bayes: arguments of `collab_learner` and of `bayes_collab_learner`.

    Raises:
        VectableError: no validation rows, a model or an argument that there is not, no seeds.
    """
    take_ratings(data)
    models = [models] if isinstance(models, str) else list(models)
    require(len(models) > 0, f"models is empty; there are {quote_some(KNOWN)}.")
    for name in models:
        require(name in KNOWN, f"There is no model {name!r}.{did_you_mean(name, KNOWN)} There are {quote_some(KNOWN)}.")
    for what, maker, options in (("gradient", collab_learner, gradient), ("bayes", bayes_collab_learner, bayes)):
        _check_options(what, maker, options)
    held_out = data.valid_ratings
    require(len(held_out) > 0, "Models are compared on validation rows, and there are none: give valid_pct above 0.")
    listed: Any = list(range(seeds)) if isinstance(seeds, int) and is_whole(seeds, 1) else seeds
    require(
        isinstance(listed, Sequence) and len(listed) > 0 and all(is_whole(seed, 0) for seed in listed),
        f"seeds must be a positive integer or a list of integers; got {seeds!r}.",
    )

    def trained(name: str, seed: int) -> tuple[NDArray[np.floating[Any]], int]:
        if name == "global mean":
            return np.full(len(held_out), data.mean_rating), 1
        if name == "biases":
            found = BiasBaseline.fit(data.train_ratings, len(data.user_ids), len(data.item_ids))
            return found.predict(held_out.user, held_out.item), len(found.user_bias) + len(found.item_bias)
        if name == "bayes":
            learner = bayes_collab_learner(data, seed=seed, **{"progress": False, **(bayes or {})}).fit()
            return learner.get_preds()[0].numpy(), learner.model.users.numel() + learner.model.items.numel()
        members = n_models if name == "ensemble" else 1
        trainer = collab_learner(data, seed=seed, n_models=members, **{"progress": False, **(gradient or {})})
        trainer.fit_one_cycle(n_epochs, lr)
        return trainer.get_preds()[0].numpy(), sum(one.numel() for one in trainer.model.parameters())

    rows, losses = [], {}
    for name in models:
        runs = [_timed(partial(trained, name, seed)) for seed in listed]
        errors = [rmse(guess, held_out.rating) for (guess, _), _ in runs]
        losses[name] = np.mean([(guess - held_out.rating) ** 2 for (guess, _), _ in runs], axis=0)
        rows.append(
            {
                "model": name,
                "rmse": float(np.mean(errors)),
                "mae": float(np.mean([mae(guess, held_out.rating) for (guess, _), _ in runs])),
                "spread": float(np.std(errors, ddof=1)) if len(errors) > 1 else None,
                "seconds": float(np.mean([seconds for _, seconds in runs])),
                "numbers": runs[0][0][1],
            }
        )
    best = losses[min(losses, key=lambda name: float(losses[name].mean()))]
    worse = {name: _paired(one - best) for name, one in losses.items()}
    columns = {key: [worse[row["model"]][at] for row in rows] for at, key in enumerate(("worse_by", "low", "high"))}
    table = pl.DataFrame(rows).with_columns([pl.Series(key, values) for key, values in columns.items()])
    order = ["model", "rmse", "mae", "spread", "worse_by", "low", "high", "seconds", "numbers"]
    return Comparison(table.select(order).sort("worse_by"), data.fingerprint, len(listed))


def _check_options(what: str, maker: Callable[..., Any], options: Any) -> None:
    """Raise a sentence for an argument that `maker` does not have, or that `compare` itself gives."""
    require(options is None or isinstance(options, dict), f"{what} must be a mapping of arguments; got {options!r}.")
    known = [name for name in signature(maker).parameters if name not in GIVEN]
    for name in options or {}:
        require(name not in GIVEN, f"{what} has {name!r}, which compare gives itself; see its own arguments.")
        require(
            name in known,
            f"{maker.__name__} has no argument {name!r}.{did_you_mean(name, known)} It has {quote_some(known, 20)}.",
        )


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return run(), time.perf_counter() - started


def _paired(differences: NDArray[np.floating[Any]]) -> tuple[float, float, float]:
    """Mean of the rows' differences and its 95 % interval."""
    middle = float(differences.mean())
    half = Z * float(differences.std(ddof=1)) / np.sqrt(len(differences)) if len(differences) > 1 else float("nan")
    return middle, middle - half, middle + half
