"""Which model makes the best lists from interactions: each on the same split, with what each costs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from rich.console import Console

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.errors import require
from vectable.factorising.ease import MOST_ITEMS
from vectable.interactions.evaluate import evaluate_interactions
from vectable.interactions.implicit import implicit_learner
from vectable.interactions.learner import InteractionLearner
from vectable.interactions.next_item import next_item_learner
from vectable.recommending.evaluation import Evaluation

NEXT = "next item"


@dataclass(frozen=True)
class ListComparison:
    """How several models do on the same held-out users.

    Attributes:
        evaluation: the figures of each, popularity (and recent popularity, where there are times) among them.
        cpu_seconds: what fitting each took, by name; popularity costs nothing.
    """

    evaluation: Evaluation
    cpu_seconds: dict[str, float]

    def to_frame(self, figure: str | None = None) -> pl.DataFrame:
        """A row per model, the best by `figure` first (by default NDCG at the shortest length): all figures, and the
        CPU seconds of fitting, in "fit_seconds"."""
        figure = figure or f"ndcg@{self.evaluation.ks[0]}"
        frame = self.evaluation.to_frame().drop("seconds")
        spent = [self.cpu_seconds.get(name, 0.0) for name in frame["model"]]
        return frame.with_columns(pl.Series("fit_seconds", spent)).sort(figure, descending=True)

    def differences(self, to: str = "popularity") -> pl.DataFrame:
        """How far each model is from another on the same users, with a 95 % interval; see `Evaluation.differences`."""
        return self.evaluation.differences(to=to)

    def __repr__(self) -> str:
        return repr(self.evaluation)


def compare_interactions(
    data: InteractionsData, k: int | Sequence[int] = 10, progress: bool | Console = True
) -> ListComparison:
    """Fit every model of interactions on the training part, and measure the lists of each on the test part.

    ALS, SLIM, neighbors, EASE (up to 10,000 items), and where there are times the linear model of the next item.

    Args:
        k: lengths of the lists.
        progress: whether a line per model is printed, or the console to print to.

    Raises:
        VectableError: nothing is held out for the test.
    """
    require(len(data.test) > 0, f"There is no test part in {data!r}: make the data with test_pct above 0.")
    console = progress if isinstance(progress, Console) else Console(quiet=not progress)
    learners: dict[str, InteractionLearner] = {"als": implicit_learner(data, "als", progress=False)}
    if len(data.item_ids) <= MOST_ITEMS:
        learners["ease"] = implicit_learner(data, "ease", progress=False)
    learners["slim"] = implicit_learner(data, "slim", progress=False)
    learners["neighbours"] = implicit_learner(data, "neighbours", progress=False)
    if data.has_times:
        learners[NEXT] = next_item_learner(data, progress=False)
    spent = {}
    for name, learn in learners.items():
        started = time.process_time()
        learn.fit()
        spent[name] = time.process_time() - started
        console.print(f"{name:<12} fitted in {spent[name]:.1f} CPU s", highlight=False)
    return ListComparison(evaluate_interactions(learners, data, k), spent)
