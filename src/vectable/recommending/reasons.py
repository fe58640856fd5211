"""Why a prediction is what it is: terms that add up to it, and the seen items behind the last of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.ratings.ratings_data import RatingsData
from vectable.recommending.fold_in import UserPrior, contributions

Member = tuple[Any, UserPrior, Tensor]  # a model, what it knows of users, the user's row in it


def explain_row(
    data: RatingsData,
    members: Sequence[Member],
    seen: NDArray[np.int32],
    ratings: NDArray[np.float32],
    item: int,
    n: int,
) -> pl.DataFrame:
    """Terms of the prediction for one user row and one item, in rating points, means over an ensemble's members.

    With f(u, i) the prediction and 0 the average: mean = f(0, 0), user = f(u, 0) - mean, item = f(0, i) - mean, and
    taste is the rest. Of the taste, the seen items that contribute most follow; see `fold_in.contributions`.

    Args:
        seen, ratings: item codes and ratings of the user's training rows.

    Returns:
        Columns term, item, title (where there are titles), your_rating, points; the terms "mean", "user", "item" and
        "taste" sum to the term "prediction", the terms "because" and "everything else" to "taste".
    """
    corners = np.mean([_corners(model, row, item) for model, _, row in members], axis=0)
    average, user, other, prediction = corners.tolist()
    taste = prediction - user - other + average
    terms = [
        ("prediction", prediction),
        ("mean", average),
        ("user", user - average),
        ("item", other - average),
    ]
    terms.append(("taste", taste))
    codes = [0] * len(terms)
    gave: list[float | None] = [None] * len(terms)
    if len(seen):
        points = np.mean([contributions(m, prior, row, seen, ratings, item) for m, prior, row in members], axis=0)
        strongest = np.argsort(-points * np.sign(taste or 1), kind="stable")[:n]
        strongest = strongest[points[strongest] * np.sign(taste or 1) > 0]
        terms += [("because", float(points[at])) for at in strongest]
        codes += seen[strongest].tolist()
        gave += ratings[strongest].tolist()
        terms.append(("everything else", taste - float(points[strongest].sum())))
        codes.append(0)
        gave.append(None)
    shown = data.item_frame(codes, your_rating=gave, points=[value for _, value in terms])
    if "title" in shown.columns:
        shown = shown.with_columns(pl.when(pl.Series(codes) > 0).then(pl.col("title")).alias("title"))
    shown = shown.with_columns(pl.col("your_rating").cast(pl.Float64))
    return shown.insert_column(0, pl.Series("term", [name for name, _ in terms]))


def _corners(model: Any, row: Tensor, item: int) -> list[float]:
    """f(0, 0), f(u, 0), f(0, i) and f(u, i)."""
    with torch.no_grad():
        codes = torch.tensor([0, item], device=next(model.parameters()).device)
        average = model.user_rows(codes[:1])[0]
        both = [model.predict_with_jacobian(one, codes)[0] for one in (average, row.to(codes.device))]
    return [float(both[0][0]), float(both[1][0]), float(both[0][1]), float(both[1][1])]
