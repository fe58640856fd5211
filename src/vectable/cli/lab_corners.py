"""Small tables of ratings for the workbooks: the dense corner of a data set, with factors fitted or trained for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from vectable.data.ratings.ratings_data import RatingsData
    from vectable.lab.factorisation import Factors
    from vectable.lab.workbooks.corner import Corner
    from vectable.ratings.collab import CollabLearner

SIZE = 15  # users and items, as in the lesson's workbook


def fitted_corner(data: "RatingsData", named: str, n_factors: int) -> "Corner":
    """The corner of some ratings with factors fitted to it alone, by the lab."""
    from vectable.lab.workbooks.corner import fit_corner

    ratings, users, items, _, names = _corner(data)
    return fit_corner(ratings, users, items, [_about(ratings, named)], n_factors=n_factors, **names)


def lesson_corner(folder: Path, n_factors: int) -> "Corner":
    """The lesson's own ratings, with factors fitted by the lab."""
    from vectable.lab.workbooks.corner import fit_corner
    from vectable.lab.workbooks.lesson_files import lesson_ratings

    ratings, user_ids, item_ids = lesson_ratings(folder)
    users, items = [f"user {one}" for one in user_ids], [f"film {one}" for one in item_ids]
    about = ["The ratings are those of the lesson's workbook, from MovieLens: not to be passed on."]
    return fit_corner(ratings, users, items, about, user_ids, item_ids, n_factors)


def trained_corner(data: "RatingsData", named: str, n_factors: int) -> "Corner":
    """The corner with the factors of two models trained on all ratings, without and with a sigmoid."""
    from vectable.lab.workbooks.corner import Corner
    from vectable.ratings.collab import collab_learner

    ratings, users, items, codes, names = _corner(data)
    trained = []
    for limits in (None, "auto"):
        learn = collab_learner(data, n_factors, y_range=limits, progress=False)
        learn.fit_one_cycle(10, 5e-3)
        trained.append(_factors(learn, codes))
    plain, limited = trained
    about = [
        _about(ratings, named),
        f"The factors are those of models trained on all {len(data.train_ratings):,} ratings: 10 epochs, one cycle.",
        "On the first three sheets the last two factors are biases: the user's times 1, and 1 times the item's.",
    ]
    return Corner(ratings, users, items, _biases_among_factors(plain), plain, limited, about, **names)


def _about(ratings: Any, named: str) -> str:
    return f"The ratings are the densest {ratings.shape[0]} x {ratings.shape[1]} of {named}."


def _corner(data: "RatingsData") -> tuple[Any, list[str], list[str], Any, dict[str, Any]]:
    """Ratings, names of users and items, their codes, and their ids where all are whole numbers."""
    from vectable.lab.dense_corner import dense_corner

    train = data.train_ratings
    ratings, users, items = dense_corner(train.user, train.item, train.rating.astype(np.float64), SIZE)
    user_ids, item_ids = (
        [vocabulary[int(code) - 1] for code in codes]
        for vocabulary, codes in ((data.user_ids.vocabulary, users), (data.item_ids.vocabulary, items))
    )
    names = {
        key: [int(one) for one in ids]
        for key, ids in (("user_ids", user_ids), ("item_ids", item_ids))
        if all(isinstance(one, int | np.integer) for one in ids)
    }
    titles = [str(name) for name in data.item_names(items)]
    return ratings, [str(one) for one in user_ids], titles, (users, items), names


def _factors(learn: "CollabLearner", codes: tuple[Any, Any]) -> "Factors":
    from vectable.lab.factorisation import Factors

    model: Any = learn.members[0]
    tables = []
    for read in (model.vectors, model.biases):
        for of_items, those in zip((False, True), codes, strict=True):
            tables.append(read(of_items).cpu().numpy()[those].astype(np.float64))
    user, item, user_bias, item_bias = tables
    return Factors(user, item, user_bias, item_bias, model.y_range)


def _biases_among_factors(plain: "Factors") -> "Factors":
    """The same sums as dot products alone: a column of ones beside each bias."""
    from vectable.lab.factorisation import Factors

    ones = [np.ones((len(bias), 1)) for bias in (plain.user_bias, plain.item_bias)]
    user = np.hstack([plain.user, plain.user_bias[:, None], ones[0]])
    item = np.hstack([plain.item, ones[1], plain.item_bias[:, None]])
    return Factors(user, item, np.zeros(len(user)), np.zeros(len(item)))
