"""What ranks lists by who would take what, as the arrays of a saved folder, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from vectable.data.ratings.ratings_data import RatingsData
from vectable.folder_schema import Array, PartError, take_arrays
from vectable.recommending.list_ranker import ListRanker

if TYPE_CHECKING:
    from vectable.folder_schema import Numbers

FILE = "lists"
"""The file of a folder that holds the arrays."""


def ranker_to_arrays(ranker: ListRanker) -> dict[str, NDArray[Any]]:
    """The arrays by name."""
    return {**ranker.weights.to_arrays(), "popularity": ranker.popularity[: ranker.weights.n_items]}


def ranker_from_arrays(tensors: "Mapping[str, Mapping[str, Numbers]]", data: RatingsData) -> ListRanker:
    """The ranker back from `ranker_to_arrays`; there may be items behind those it was fitted on.

    Raises:
        PartError: an array is missing, or they do not fit each other or the items.
    """
    from vectable.factorising.saved_weights import take_weights

    sizes: dict[str, int] = {}
    form = {"popularity": Array("float32", "items", least=0)}
    popularity = take_arrays(tensors, FILE, form, sizes)["popularity"]
    if not 0 < len(popularity) <= len(data.item_ids):
        raise PartError(f"{FILE}.popularity is of {len(popularity):,} items, and there are {len(data.item_ids):,}")
    return ListRanker(take_weights(tensors, FILE, tensors[FILE], sizes), popularity, data.rating_range)
