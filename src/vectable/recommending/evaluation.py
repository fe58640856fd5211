"""How good lists are: measured for every user over all items, compared in pairs, with nothing sampled.

Recall is hits divided by ``min(k, number held out)``, so that 1 can be reached; NDCG has binary gains. Popularity, and
recent popularity where times are known, are always compared with the models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.interactions.held_out import HeldOut
from vectable.errors import VectableError, did_you_mean, is_whole, quote_some, require
from vectable.recommending.lists import Scorer, best_lists, kernels

Floats = NDArray[np.float64]

PER_USER = ("ndcg", "recall", "mrr", "map", "hit_rate")
DRAWS = 2000  # of users, for an interval
LEVEL = 0.95


@dataclass(frozen=True)
class ListFigures:
    """What is measured of one model's lists.

    Attributes:
        per_user: NDCG, recall, reciprocal rank, average precision and hit of each user, by ``"ndcg@10"`` and the like.
        overall: coverage (share of the items in any list), novelty (mean of -log2 of the share of users who met a
            listed item in training) and Gini index of how often items are listed (0 even, 1 all lists the same).
        seconds: that scoring and measuring took.
    """

    per_user: Mapping[str, Floats]
    overall: Mapping[str, float]
    seconds: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """Several models on the same held-out users.

    Attributes:
        figures: of each model by name.
        ks: lengths of the lists.
        groups: name of the group of each user, (users,), and what the groups are made by; or None.
        about: the data and its split.
    """

    figures: Mapping[str, ListFigures]
    ks: Sequence[int]
    groups: NDArray[np.str_] | None = None
    about: str = ""
    seed: int = field(default=0, repr=False)

    @cached_property
    def n_users(self) -> int:
        """Number of users measured."""
        first = next(iter(self.figures.values()))
        return len(next(iter(first.per_user.values())))

    def mean(self, model: str, figure: str) -> float:
        """The mean over users of one figure (``"ndcg@10"``), or an overall figure (``"coverage@10"``).

        Raises:
            VectableError: no such model or figure, with the closest.
        """
        require(model in self.figures, f"There is no model {model!r}.{did_you_mean(model, self.figures)}")
        found = self.figures[model]
        names = [*found.per_user, *found.overall]
        require(figure in names, f"There is no figure {figure!r}.{did_you_mean(figure, names)}")
        return float(found.per_user[figure].mean()) if figure in found.per_user else found.overall[figure]

    def to_frame(self) -> pl.DataFrame:
        """A row per model: every figure, means over users."""
        rows = []
        for name, one in self.figures.items():
            means = {figure: float(values.mean()) for figure, values in one.per_user.items()}
            rows.append({"model": name, **means, **one.overall, "seconds": one.seconds})
        return pl.DataFrame(rows)

    def differences(self, figure: str | None = None, to: str | None = None) -> pl.DataFrame:
        """How far each model is from another on the same users, with an interval of 95 % by a paired bootstrap.

        Args:
            figure: by default NDCG at the shortest length.
            to: the model compared with; by default the best by that figure.
        """
        figure = figure or f"ndcg@{self.ks[0]}"
        best = to or max(self.figures, key=lambda name: self.mean(name, figure))
        self.mean(best, figure)  # raises for what there is not
        require(
            figure.partition("@")[0] in PER_USER, f"{figure!r} is a figure of all lists together, not of each user."
        )
        base = self.figures[best].per_user[figure]
        rows = []
        for name, one in self.figures.items():
            gap = one.per_user[figure] - base
            low, high = bootstrap_interval(gap, self.seed)
            rows.append({"model": name, figure: float(one.per_user[figure].mean()), f"minus {best}": float(gap.mean()),
                         "low": low, "high": high})  # fmt: skip
        return pl.DataFrame(rows)

    def by_group(self, figure: str | None = None) -> pl.DataFrame:
        """A row per group of users: how many there are, and the figure of each model.

        Raises:
            VectableError: no groups were asked for.
        """
        if self.groups is None:
            raise VectableError("There are no groups: ask for them with by='activity'.")
        figure = figure or f"ndcg@{self.ks[0]}"
        rows = []
        for group in dict.fromkeys(self.groups.tolist()):
            members = self.groups == group
            means = {name: float(one.per_user[figure][members].mean()) for name, one in self.figures.items()}
            rows.append({"group": group, "users": int(members.sum()), **means})
        return pl.DataFrame(rows)

    def __repr__(self) -> str:
        figure = f"ndcg@{self.ks[0]}"
        best = sorted(self.figures, key=lambda name: -self.mean(name, figure))
        shown = ", ".join(f"{name} {self.mean(name, figure):.3f}" for name in best)
        return f"Evaluation of {self.n_users:,} users{f' ({self.about})' if self.about else ''}: {figure} {shown}"


def check_ks(k: int | Sequence[int]) -> list[int]:
    """The lengths of the lists, in order."""
    ks = [k] if isinstance(k, int) else list(k)
    usable = bool(ks) and all(is_whole(one, 1) for one in ks)
    require(usable, f"k must be a positive integer or several; got {k!r}.")
    return sorted({int(one) for one in ks})


def figures_of(
    score: Scorer, held_out: HeldOut, ks: Sequence[int], item_counts: NDArray[np.int64], n_users: int
) -> ListFigures:
    """Measure one model: scores, lists and figures, block by block.

    Args:
        score: from a range of the held-out users to scores of every item.
        item_counts: training interactions of each item, (items,); an item without any is in no list.
        n_users: users of the training part, for the novelty.
    """
    import time

    started = time.perf_counter()
    allowed = item_counts > 0
    lists, _ = best_lists(score, held_out.inputs, ks[-1], allowed)
    per_user: dict[str, Floats] = {}
    overall: dict[str, float] = {}
    marked = np.zeros(len(item_counts), dtype=np.uint8)
    surprise = np.log2(float(max(n_users, 1))) - np.log2(np.maximum(item_counts, 1))
    for k in ks:
        figures, shown = np.zeros((len(held_out), len(PER_USER))), np.zeros(len(item_counts), dtype=np.int64)
        length = min(k, lists.shape[1])
        padded = lists if length == k else np.pad(lists, ((0, 0), (0, k - length)))
        targets = held_out.targets
        kernels()["measure_lists"](padded, targets.starts, targets.items, k, marked, figures, shown)
        per_user |= {f"{name}@{k}": figures[:, at].copy() for at, name in enumerate(PER_USER)}
        overall[f"coverage@{k}"] = float(np.count_nonzero(shown)) / max(int(np.count_nonzero(allowed)), 1)
        overall[f"novelty@{k}"] = float((shown * surprise).sum()) / max(int(shown.sum()), 1)
        overall[f"gini@{k}"] = gini(shown[allowed])
    return ListFigures(per_user, overall, time.perf_counter() - started)


def gini(counts: NDArray[np.int64]) -> float:
    """The Gini index of counts: 0 where all are the same, near 1 where one has everything."""
    total = counts.sum()
    if len(counts) == 0 or total == 0:
        return 0.0
    ordered = np.sort(counts)
    ranks = np.arange(1, len(counts) + 1)
    return float((2 * ranks - len(counts) - 1) @ ordered / (len(counts) * total))


def bootstrap_interval(values: Floats, seed: int, level: float = LEVEL) -> tuple[float, float]:
    """Where the mean of `values`, (users,), lies when the users are drawn again and again."""
    if len(values) == 0 or not values.any():
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(DRAWS)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def activity_groups(lengths: NDArray[np.int64], parts: int = 4) -> NDArray[np.str_]:
    """Groups of about as many users each by how much is known of them, (users,)."""
    if len(lengths) == 0:
        return np.array([], dtype=np.str_)
    edges = np.unique(np.quantile(lengths, np.arange(1, parts) / parts).astype(np.int64))
    group = np.searchsorted(edges, lengths, side="left")
    names = []
    for number in range(len(edges) + 1):
        inside = lengths[group == number]
        names.append(f"{inside.min()} to {inside.max()} items" if len(inside) else "")
    return np.array(names)[group]


def check_named(names: Sequence[str]) -> None:
    """Raise a sentence where two models have the same name."""
    twice = {name for name in names if list(names).count(name) > 1}
    require(not twice, f"Several models are called {quote_some(sorted(twice))}; give them names with a dict.")
