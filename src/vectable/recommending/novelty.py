"""Lists that lift what few have met: scores are divided by a power of the number of ratings or interactions."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def lift_rare(scores: Floats, item_counts: NDArray[np.int64], novelty: float) -> Floats:
    """``place of the score between the user's lowest and highest, 0 to 1, * count^-novelty``, (users, items).

    Args:
        scores: finite, (users, items + 1).
        item_counts: training rows of each item, (items + 1,).
        novelty: the power; 0 leaves the scores as they are.
    """
    if not novelty:
        return scores
    lowest = scores.min(axis=1, keepdims=True)
    places = (scores - lowest) / np.maximum(np.ptp(scores, axis=1, keepdims=True), 1e-12)
    rarity = np.maximum(item_counts, 1).astype(np.float32) ** np.float32(-novelty)
    return np.asarray(places * rarity, dtype=np.float32)
