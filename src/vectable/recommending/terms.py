"""The terms that a prediction is the sum of, and what each means; NumPy alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEANINGS = {
    "prediction": "the predicted rating: the sum of the terms below",
    "mean": "what the average user gives the average item",
    "user": "how far this user's ratings are above that",
    "item": "how far this item's ratings are above that",
    "end of scale": "what lies beyond the rating scale",
    "taste": "how well this user and this item suit each other",
    "because": "part of taste: what this rating contributes",
    "everything else": "part of taste: all other ratings",
}
BEYOND_SCALE = 1e-6  # rating points that rounding may add


@dataclass(frozen=True)
class Term:
    """A part of a prediction.

    Attributes:
        name: "prediction", "mean", "user", "item", "taste", "because", "everything else", "end of scale"; or "score".
        points: in rating points, but for those of a score.
        item: code of the seen item of a "because"; else 0.
        rating: what the user gave it.
        about: what the term is, in a few words, where it is not what its name says of a prediction.
    """

    name: str
    points: float
    item: int = 0
    rating: float | None = None
    about: str = ""

    @property
    def meaning(self) -> str:
        """What the term is, in a few words."""
        return self.about or MEANINGS[self.name]


def terms_of(
    corners: Sequence[float],
    seen: NDArray[np.int32],
    ratings: NDArray[np.float32],
    points: NDArray[np.float64],
    item: int,
    n: int,
    scale: tuple[float, float] | None = None,
) -> list[Term]:
    """Terms of the prediction f(u, i) for a user and an item, in rating points.

    With 0 the average: mean = f(0, 0), user = f(u, 0) - mean, item = f(0, i) - mean, and taste is the rest. Of the
    taste, the seen items that contribute most follow. The item itself is never among them: what the user gave it is the
    thing to be explained.

    Args:
        corners: f(0, 0), f(u, 0), f(0, i) and f(u, i).
        seen, ratings: item codes and ratings of the user.
        points: what each of them contributes; see `user_row.rating_contributions`.
        n: number of seen items to name.
        scale: to which the prediction is clipped; what that takes away is the term "end of scale".

    Returns:
        "prediction", which is the sum of "mean", "user", "item", "taste" and, if there is one, "end of scale"; the
        terms "because" and "everything else" sum to "taste".
    """
    average, of_user, of_item, prediction = corners
    taste = prediction - of_user - of_item + average
    shown = prediction if scale is None else min(max(prediction, scale[0]), scale[1])
    terms = [
        Term("prediction", shown),
        Term("mean", average),
        Term("user", of_user - average),
        Term("item", of_item - average),
    ]
    if abs(shown - prediction) > BEYOND_SCALE:
        terms.append(Term("end of scale", shown - prediction))
    terms.append(Term("taste", taste))
    if len(seen):
        strongest = _strongest(np.where(seen == item, 0.0, points) * np.sign(taste or 1), n)
        terms += [Term("because", float(points[at]), int(seen[at]), float(ratings[at])) for at in strongest]
        terms.append(Term("everything else", taste - float(points[strongest].sum())))
    return terms


def _strongest(points: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Places of the up to `n` largest points above 0, the largest first."""
    best = np.argsort(-points, kind="stable")[:n]
    return best[points[best] > 0]
