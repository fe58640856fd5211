"""How good are the lists: held-out favourites among all items, compared with popularity and with biases alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import VectableError, require
from vectable.recommending.top_n import top_items


def rank_all_items(
    data: RatingsData,
    scorers: dict[str, Callable[[NDArray[np.int32]], Tensor]],
    k: int,
    relevant: float | None = None,
) -> dict[str, Any]:
    """NDCG, recall and hit rate at `k` for each way of scoring, over all items that the user has not rated in training.

    Args:
        scorers: from user codes to scores of every item, (users, items).
        k: length of the lists.
        relevant: a held-out rating of at least this much counts as a favourite; by default one above the training mean.

    Returns:
        By scorer: ndcg, recall, hit_rate, 0 to 1, means over users; and k, relevant, users (with a favourite held out).

    Raises:
        VectableError: no held-out favourites, or k below 1.
    """
    require(k >= 1, f"k is {k}; a list has at least 1 item.")
    held_out = data.valid_ratings
    threshold = data.mean_rating if relevant is None else relevant
    liked = (held_out.rating >= threshold) & (held_out.user > 0) & (held_out.item > 0)
    users = np.unique(held_out.user[liked])
    if len(users) == 0:
        raise VectableError(
            f"No held-out rating of a known user is at least {threshold:.2f}: there is nothing to rank for."
        )
    order = np.argsort(held_out.user[liked], kind="stable")
    favourites = np.split(held_out.item[liked][order], np.searchsorted(held_out.user[liked][order], users[1:]))
    result: dict[str, Any] = {"k": k, "relevant": float(threshold), "users": len(users)}
    for name, score in scorers.items():
        lists, _ = top_items(
            lambda part, score=score: score(users[part]).cpu().numpy(),  # type: ignore[misc]  # mypy does not infer a default's type
            len(users),
            len(data.item_ids),
            k,
            seen=lambda at: data.train_ratings.item[data.rows_of(int(users[at]))],
        )
        result[name] = measure_lists(lists, favourites, k)
    return result


def measure_lists(lists: NDArray[np.int32], favourites: list[NDArray[np.int32]], k: int) -> dict[str, float]:
    """NDCG (binary gains, logarithm of base 2), recall (of at most k) and hit rate, means over users.

    Args:
        lists: recommended item codes, (users, up to k), best first, 0 for none.
        favourites: item codes that were held out, one array per user.
    """
    gains = 1 / np.log2(np.arange(2, k + 2))
    ndcg, recall, hit = [], [], []
    for listed, liked in zip(lists, favourites, strict=True):
        liked = np.unique(liked)
        found = np.isin(listed, liked) & (listed > 0)
        possible = min(len(liked), k)
        ndcg.append(gains[: len(found)][found].sum() / gains[:possible].sum())
        recall.append(found.sum() / possible)
        hit.append(bool(found.any()))
    return {"ndcg": float(np.mean(ndcg)), "recall": float(np.mean(recall)), "hit_rate": float(np.mean(hit))}


def same_for_all(scores: NDArray[Any]) -> Callable[[NDArray[np.int32]], Tensor]:
    """A scorer that gives every user the same scores, (items,): popularity, biases."""
    row = torch.from_numpy(np.asarray(scores, dtype=np.float32))
    return lambda users: row.repeat(len(users), 1)
