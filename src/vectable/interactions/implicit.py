"""Who would take what: a learner for interactions whose order does not matter."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.console import Console

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.errors import require
from vectable.interactions.candidates import implicit_candidates
from vectable.interactions.learner import InteractionLearner


class ImplicitLearner(InteractionLearner):
    """Who would take what; made by `implicit_learner`.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> baskets = [(day, item) for day in range(40) for item in ("tea", "milk" if day % 3 else "lemon")]
        >>> data = vt.InteractionsData.from_df(pl.DataFrame(baskets, ["basket", "item"], orient="row"))
        >>> learn = vt.implicit_learner(data, "ease", progress=False).fit()
        >>> learn.fold_in(["lemon"]).recommend(1)["item"].to_list()
        ['tea']
        >>> learn.save("shop").name
        'shop'
    """

    kind = "implicit"
    in_order = False


def implicit_learner(
    data: InteractionsData,
    model: Literal["auto", "als", "ease", "slim", "neighbours"] = "auto",
    *,
    alpha: float | None = None,
    als: Mapping[str, Any] | None = None,
    features: str | Sequence[str] | None = "auto",
    progress: bool | Console = True,
) -> ImplicitLearner:
    """A learner of who would take what, from orders, clicks, plays or loans.

    Args:
        data: the interactions.
        model: "als" (factors by implicit alternating least squares), "ease" (weights between all items in closed form,
            up to 10,000 items), "slim" (each item regressed on its 50 nearest), "neighbours" (the strongest weights of
            each item), or "auto": EASE with the usual and with a third of the regularization (beyond 10,000 items SLIM
            and neighbors), ALS, and a blend of the first with it are fitted, and the best on the validation part is
            kept; the blend only if it is ahead by more than a standard error.
        alpha: how much counts matter: an interaction weighs ``1 + alpha log(1 + count)``, divided by what a count of 1
            gives. By default 1 where counts differ, else 0.
        als: changes to the defaults of ALS by size, fields of `ALSOptions` (n_factors, epochs, reg, unobserved, ...).
        features: columns of the side tables from which new users and items are known, and towards which the factors of
            items shrink: "auto" takes those that are likely to tell something (not ids, nor texts that few rows share),
            a list those named, None none.
        progress: whether a line per model is printed, or the console to print to.

    Examples:
        >>> import polars as pl, vectable as vt
        >>> baskets = [(day, item) for day in range(40) for item in ("tea", "milk" if day % 3 else "lemon")]
        >>> data = vt.InteractionsData.from_df(pl.DataFrame(baskets, ["basket", "item"], orient="row"))
        >>> learn = vt.implicit_learner(data, "ease", progress=False).fit()
        >>> learn.recommend(0, n=1)["item"].to_list()
        ['milk']
    """
    require(
        isinstance(data, InteractionsData),
        f"data must be InteractionsData (InteractionsData.from_df, or to_interactions of ratings); got a "
        f"{type(data).__name__}.",
    )
    return ImplicitLearner(
        data,
        implicit_candidates(model, len(data.item_ids)),
        als=als,
        alpha=alpha,
        features=features,
        progress=progress,
    )
