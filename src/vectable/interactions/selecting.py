"""Choosing among candidates: each is fitted on the training part and measured on the validation part."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

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
        figures: on the validation part, by name; empty where there is none.
        seconds: that fitting and measuring took.
    """

    candidate: Candidate
    model: HistoryModel
    figures: dict[str, float]
    seconds: float


def choose(
    candidates: Sequence[Candidate], fitter: Fitter, data: InteractionsData, figure: str, seen: Callable[[Trial], None]
) -> list[Trial]:
    """Fit and measure every candidate; the best by `figure` comes first.

    An interrupt ends the trials; those that are done count.

    Args:
        figure: "ndcg@10", say.
        seen: called after each trial.
    """
    trials: list[Trial] = []
    some = _some_users(data.valid)
    name, _, k = figure.partition("@")
    for candidate in candidates:
        started = time.perf_counter()
        try:
            model = fitter.fit(candidate)
            figures = measure(model, some, data, int(k)) if len(some) else {}
        except KeyboardInterrupt:
            if not trials:
                raise
            break
        trials.append(Trial(candidate, model, figures, time.perf_counter() - started))
        seen(trials[-1])
    if not len(some):
        return trials[-1:]  # nothing to choose by: the last, which is a blend where there are several
    return sorted(trials, key=lambda trial: -trial.figures[f"{name}@{k}"])


def measure(model: HistoryModel, held_out: HeldOut, data: InteractionsData, k: int) -> dict[str, float]:
    """Means over users of what is measured of a model's lists of length `k`."""
    rows = model.user_rows(to_rows(held_out.inputs, model.n_items))
    found = figures_of(
        lambda first, last: model.score_rows(rows.part(first, last)), held_out, [k], data.item_counts, data.n_users
    )
    return {name: float(values.mean()) for name, values in found.per_user.items()}


def _some_users(held_out: HeldOut) -> HeldOut:
    if len(held_out) <= MOST_USERS:
        return held_out
    return held_out.take(np.sort(np.random.default_rng(0).permutation(len(held_out))[:MOST_USERS]))
