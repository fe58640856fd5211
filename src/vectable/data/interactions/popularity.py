"""How often items are met, lately."""

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.interaction_splits import TRAIN
from vectable.data.interactions.interactions_data import InteractionsData

LATEST = 0.1  # share of the training rows that counts as recent


def recent_counts(data: InteractionsData, share: float = LATEST) -> NDArray[np.int64]:
    """Interactions of each item among the latest `share` of the training rows, (items + 1,).

    Data without times have no latest rows: all count.
    """
    if data.interactions.time is None:
        return data.item_counts
    rows = np.flatnonzero(data.parts == TRAIN)
    n_latest = max(1, int(len(rows) * share))
    latest = np.argsort(data.interactions.time[rows], kind="stable")[len(rows) - n_latest :]
    return np.bincount(data.interactions.item[rows[latest]], minlength=len(data.item_ids))
