"""The same settings on several folds and seeds: mean and spread instead of one lucky number."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from vectable.data.io.frames import FrameKind, from_polars, to_polars
from vectable.data.ratings.ratings_data import RatingsData
from vectable.deprecation import renamed_arguments
from vectable.errors import VectableError, require
from vectable.ratings.collab import collab_learner

COLUMNS = (
    "user",
    "item",
    "rating",
    "title",
    "timestamp",
    "items",
    "users",
    "duplicates",
    "missing_ids",
    "batch_size",
)


@dataclass(frozen=True)
class CrossValidation:
    """Scores of every fold and seed.

    Attributes:
        table: a row per fold and seed: fold, seed, valid_loss, rmse, mae, fit_seconds (polars).
        mean: of each figure over the folds, each fold the mean over its seeds.
        spread: standard deviation of that mean from seed to seed; not a number for one seed.
        folds: mean and standard deviation over the seeds by fold (polars).
    """

    table: pl.DataFrame
    kind: FrameKind

    @property
    def figures(self) -> list[str]:
        """Names of what was measured."""
        return [name for name in self.table.columns if name not in ("fold", "seed")]

    @property
    def mean(self) -> dict[str, float]:
        """Means over folds and seeds."""
        return {name: float(np.mean(self.table[name].to_numpy())) for name in self.figures}

    @property
    def spread(self) -> dict[str, float]:
        """Standard deviations, over the seeds, of the mean over the folds."""
        by_seed = self.table.group_by("seed").agg(pl.col(self.figures).mean())
        n = len(by_seed)
        return {name: float(np.std(by_seed[name].to_numpy(), ddof=1)) if n > 1 else np.nan for name in self.figures}

    @property
    def folds(self) -> pl.DataFrame:
        """Mean and standard deviation over the seeds, a row per fold."""
        names = self.figures
        spreads = [pl.col(name).std().alias(f"{name}_spread") for name in names]
        return self.table.group_by("fold", maintain_order=True).agg(pl.col(names).mean(), *spreads)

    def to_frame(self) -> Any:
        """A row per fold and seed, in the kind of frame that came in."""
        return from_polars(self.table, self.kind)

    def __repr__(self) -> str:
        folds, seeds = self.table["fold"].n_unique(), self.table["seed"].n_unique()
        figures = ", ".join(f"{name} {self.mean[name]:.4f} ± {self.spread[name]:.4f}" for name in self.figures)
        return f"CrossValidation over {folds} folds and {seeds} seeds (± over seeds): {figures}"


@renamed_arguments(n_epoch="n_epochs")
def cross_validate(
    df_or_folds: Any,
    n_factors: int = 40,
    *,
    k: int = 5,
    seeds: Sequence[int] | int = 1,
    split_seed: int = 42,
    n_epochs: int = 5,
    lr: float = 5e-3,
    progress: bool = False,
    **options: Any,
) -> CrossValidation:
    """Train and measure on every fold with every seed.

    Args:
        df_or_folds: a table, cut into `k` random folds by `split_seed`; or (training, validation) pairs of tables.
        n_factors: and any other argument of `collab_learner` (y_range, wd, n_models, preset, ...) or of
            `RatingsData.from_df` (user, item, rating, title, timestamp, items, users, duplicates, batch_size).
        seeds: training seeds, or how many of them (0, 1, ...).
        n_epochs, lr: of one cycle of training.

    Raises:
        VectableError: fewer rows than folds, or no folds.

    Examples:
        >>> import vectable as vt
        >>> ratings = vt.datasets.load("goodbooks").ratings.head(20_000)
        >>> found = vt.cross_validate(ratings, n_factors=5, k=2, n_epochs=1)
        >>> found.mean["rmse"] < 1.5
        True
    """
    folds, kind = _folds(df_or_folds, k, split_seed)
    seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    require(len(seeds) >= 1, "seeds is empty; give at least one.")
    columns = {name: options.pop(name) for name in COLUMNS if name in options}
    rows = []
    for fold, (train, valid) in enumerate(folds, start=1):
        data = RatingsData.from_splits(train, valid, **columns)
        for seed in seeds:
            learn = collab_learner(data, n_factors=n_factors, seed=seed, progress=progress, **options)
            started = time.perf_counter()
            learn.fit_one_cycle(n_epochs, lr)
            seconds = time.perf_counter() - started
            rows.append({"fold": fold, "seed": seed, **learn.session.measure(learn.model), "fit_seconds": seconds})
    return CrossValidation(pl.DataFrame(rows), kind)


def _folds(df_or_folds: Any, k: int, seed: int) -> tuple[list[tuple[Any, Any]], FrameKind]:
    if isinstance(df_or_folds, list | tuple) or (
        isinstance(df_or_folds, Iterable) and not hasattr(df_or_folds, "columns")
    ):
        pairs = [tuple(pair) for pair in df_or_folds]
        if not pairs or any(len(pair) != 2 for pair in pairs):
            raise VectableError("Folds are pairs of tables, [(training, validation), ...]; at least one.")
        return [(train, valid) for train, valid in pairs], to_polars(pairs[0][0])[1]
    frame, kind = to_polars(df_or_folds)
    require(2 <= k <= len(frame), f"k is {k}; {len(frame):,} rows can be cut into 2 to {len(frame):,} folds.")
    parts = np.array_split(np.random.default_rng(seed).permutation(len(frame)), k)
    everything = np.arange(len(frame))
    return [(frame[np.setdiff1d(everything, part)], frame[np.sort(part)]) for part in parts], kind
