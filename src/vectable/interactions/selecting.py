"""Choosing among candidates: each is fitted on the training part and measured on the validation part."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.held_out import HeldOut
from vectable.data.interactions.interactions_data import InteractionsData
from vectable.factorising.history_models import HistoryModel
from vectable.interactions.candidates import Candidate, Fitter, to_rows
from vectable.recommending.evaluation import figures_of

MOST_USERS = 6_000  # that validate; more cost time and change nothing


@dataclass(frozen=True)
class Trial:
    """One candidate tried.

    Attributes:
        per_user: what was measured of each user of the validation part, by name; empty where there is none.
        seconds: that fitting and measuring took.
    """

    candidate: Candidate
    model: HistoryModel
    per_user: Mapping[str, NDArray[np.float64]]
    seconds: float

    @property
    def figures(self) -> dict[str, float]:
        """Means over users."""
        return {name: float(values.mean()) for name, values in self.per_user.items()}


def choose(
    candidates: Sequence[Candidate], fitter: Fitter, data: InteractionsData, figure: str, seen: Callable[[Trial], None]
) -> list[Trial]:
    """Fit and measure every candidate; the one to keep comes first, the others follow by `figure`.

    That is the best, but where order does not matter a single model is kept before a blend that is ahead of it by no
    more than a standard error of their difference: the gain may be chance, and a blend costs twice as much.

    An interrupt ends the trials; those that are done count.

    Args:
        figure: "ndcg@10", say.
        seen: called after each trial.
    """
    trials: list[Trial] = []
    some = some_users(data.valid)
    name, _, k = figure.partition("@")
    for candidate in candidates:
        started = time.perf_counter()
        try:
            model = fitter.fit(candidate)
            measured = measure(model, some, data, int(k)) if len(some) else {}
        except KeyboardInterrupt:
            if not trials:
                raise
            break
        trials.append(Trial(candidate, model, measured, time.perf_counter() - started))
        seen(trials[-1])
    if not len(some):
        return trials[-1:]  # nothing to choose by: the last, which is a blend where there are several
    ranked = sorted(trials, key=lambda trial: -trial.figures[f"{name}@{k}"])
    kept = ranked[0] if fitter.in_order else _simplest(ranked, f"{name}@{k}")
    return [kept, *(trial for trial in ranked if trial is not kept)]


def _simplest(ranked: Sequence[Trial], figure: str) -> Trial:
    """The best, or of a blend the best single model that is within a standard error of it."""
    best = ranked[0]
    for trial in ranked[1:] if len(best.candidate.parts) > 1 else ():
        gap = best.per_user[figure] - trial.per_user[figure]
        if len(trial.candidate.parts) == 1:
            return trial if gap.mean() <= gap.std() / np.sqrt(len(gap)) else best
    return best


def measure(
    model: HistoryModel, held_out: HeldOut, data: InteractionsData, k: int
) -> Mapping[str, NDArray[np.float64]]:
    """What is measured of a model's lists of length `k`, of each user."""
    rows = model.user_rows(to_rows(held_out.inputs, model.n_items))
    found = figures_of(
        lambda first, last: model.score_rows(rows.part(first, last)), held_out, [k], data.item_counts, data.n_users
    )
    return found.per_user


def some_users(held_out: HeldOut) -> HeldOut:
    """The users that validate: all, or as many of them as are enough."""
    if len(held_out) <= MOST_USERS:
        return held_out
    return held_out.take(np.sort(np.random.default_rng(0).permutation(len(held_out))[:MOST_USERS]))
