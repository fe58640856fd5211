"""What comes next: a learner for interactions in the order of time."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Console

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.errors import require
from vectable.interactions.candidates import next_candidates
from vectable.interactions.learner import InteractionLearner


class NextItemLearner(InteractionLearner):
    """What comes next; made by `next_item_learner`.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> rows = [(who, step, f"page {(who + step) % 5}") for who in range(30) for step in range(6)]
        >>> visits = pl.DataFrame(rows, ["visitor", "second", "page"], orient="row")
        >>> data = vt.InteractionsData.from_df(visits, user="visitor", item="page", timestamp="second")
        >>> learn = vt.next_item_learner(data, "linear", progress=False).fit()
        >>> learn.recommend(0, n=2)["page"].to_list()
        ['page 4', 'page 0']
    """

    kind = "next_item"
    in_order = True


def next_item_learner(
    data: InteractionsData,
    model: Literal["auto", "linear", "sasrec"] = "auto",
    *,
    features: str | Sequence[str] | None = "auto",
    sasrec: Mapping[str, Any] | None = None,
    progress: bool | Console = True,
) -> NextItemLearner:
    """A learner of what a user takes next, from interactions with times.

    Weighted counts of what came after what, alone and blended with EASE (or with neighbors beyond 10,000 items) on
    histories whose older entries weigh less; the best on the validation part is kept. Every score is a sum over the
    user's history, which `explain` shows.

    Args:
        data: the interactions, with times.
        model: "auto" and "linear" are the same. "sasrec" trains a net with self-attention instead, early stopping on
            the validation part; that takes hours without a GPU, and it explains no score.
        features: columns of the side tables from which new users and items are known; see `implicit_learner`.
        sasrec: changes to its defaults, fields of `SASRecOptions` (width, epochs, patience, loss, device, checkpoint,
            ...). With a folder as `checkpoint` a fit that was interrupted continues from its last epoch.
        progress: whether a line per model is printed, or the console to print to.

    Raises:
        VectableError: the data have no times, or an option of `sasrec` is none.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> rows = [(who, step, f"page {(who + step) % 5}") for who in range(30) for step in range(6)]
        >>> visits = pl.DataFrame(rows, ["visitor", "second", "page"], orient="row")
        >>> data = vt.InteractionsData.from_df(visits, user="visitor", item="page", timestamp="second")
        >>> learn = vt.next_item_learner(data, "linear", progress=False).fit()
        >>> learn.fold_in(["page 1", "page 2"]).recommend(1)["page"].to_list()
        ['page 3']
    """
    require(
        isinstance(data, InteractionsData),
        f"data must be InteractionsData (InteractionsData.from_df with timestamp=); got a {type(data).__name__}.",
    )
    require(data.has_times, "What comes next needs the time of each interaction: name its column with timestamp=.")
    if model == "sasrec":
        from vectable.interactions.sasrec_training import SASRecOptions

        SASRecOptions.of(sasrec or {})
    return NextItemLearner(
        data, next_candidates(model, len(data.item_ids)), features=features, sasrec=sasrec, progress=progress
    )
