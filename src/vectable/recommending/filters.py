"""Which items may be in a list at all."""

import numpy as np
from numpy.typing import NDArray

from vectable.data.vocabularies import Vocabularies
from vectable.recommending.answer import Notes
from vectable.recommending.names import find_codes
from vectable.recommending.request import ListRequest


def allowed_items(data: Vocabularies, request: ListRequest, notes: Notes) -> NDArray[np.bool_] | None:
    """Whether each item satisfies the conditions that are the same for every user, (items + 1,); None where all do."""
    if request.candidates is None and request.exclude is None and request.min_ratings <= 0:
        return None
    allowed = data.item_counts >= request.min_ratings
    if request.candidates is not None:
        wanted = np.zeros_like(allowed)
        wanted[find_codes(data, request.candidates, True, notes, "left out")] = True
        allowed &= wanted
    if request.exclude is not None:
        allowed[find_codes(data, request.exclude, True, notes, "there is nothing to leave out")] = False
    return allowed
