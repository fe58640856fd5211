"""By what the lists of a learner of ratings are ranked: the expected rating, or who would take what."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vectable.data.ratings.ratings_data import RatingsData
from vectable.errors import UnknownNameError, did_you_mean
from vectable.folder_schema import one_of
from vectable.recommending.list_ranker import ListRanker
from vectable.recommending.saved_ranker import FILE, ranker_from_arrays, ranker_to_arrays

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.data.ratings.encoded_ratings import Ratings
    from vectable.folder_schema import Numbers

By = Literal["ratings", "interactions"]
BYS: tuple[By, ...] = ("ratings", "interactions")


class ListRanking:
    """What ranks the lists of one learner, fitted when it is first needed and again when there are new ratings.

    Args:
        by: "ratings" ranks by the expected rating, "interactions" by who would take what.

    Raises:
        UnknownNameError: it is neither.
    """

    def __init__(self, by: By = "ratings") -> None:
        if by not in BYS:
            raise UnknownNameError(f"There are no lists {by!r}.{did_you_mean(str(by), BYS)} There are {list(BYS)}.")
        self.by = by
        self._fitted: tuple[Ratings, ListRanker] | None = None

    def ranker(self, data: RatingsData) -> ListRanker | None:
        """What ranks the lists of these ratings; None where the expected rating does."""
        if self.by == "ratings":
            return None
        sizes = len(data.user_ids), len(data.item_ids)
        if self._fitted is None or self._fitted[0] is not data.train_ratings:
            self._fitted = data.train_ratings, ListRanker.fit(data.train_ratings, *sizes, data.rating_range)
        return self._fitted[1].of_items(sizes[1])

    def to_saved(self, data: RatingsData) -> tuple[dict[str, Any], dict[str, "dict[str, Tensor]"]]:
        """Settings and tensor files of a saved folder."""
        import torch

        self.ranker(data)
        if self._fitted is None:
            return {}, {}
        arrays = ranker_to_arrays(self._fitted[1])
        return {"lists": self.by}, {
            FILE: {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in arrays.items()}
        }

    @classmethod
    def from_saved(
        cls, settings: Mapping[str, Any], tensors: "Mapping[str, Mapping[str, Numbers]]", data: RatingsData
    ) -> "ListRanking":
        """What a saved folder says; of an older one the expected rating.

        Raises:
            PartError: the weights are missing or do not fit the items.
        """
        ranking = cls(one_of(*BYS)(settings.get("lists", "ratings"), "settings.lists"))
        if ranking.by == "interactions":
            ranking._fitted = data.train_ratings, ranker_from_arrays(tensors, data)
        return ranking
