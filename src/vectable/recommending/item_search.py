"""The likely best items of a user among very many, found without scoring all of them; faiss keeps the index.

Items are grouped by their vectors, and a user's question looks into the groups that lie nearest. Of each list what was
found is scored exactly; an item in a group that was not looked into is missed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.errors import VectableError
from vectable.folder_schema import Array, fraction, record, take_arrays, whole
from vectable.recommending.inner_products import RankedItems

Codes = NDArray[np.int32]
Floats = NDArray[np.float32]

GROUPS = 4.0  # times the root of the number of items
ROWS_A_GROUP = 40  # from which the groups are found
RECALL, AT = 0.97, 10  # share of the exact ten that is to be found ...
ASKED = 200  # ... for so many users, evenly spread over all


SETTINGS = record(looked_into=whole(1), recall=fraction)
ARRAYS = {
    "centres": Array("float32", "groups width", finite=True),
    "group": Array("int32", "items", least=0, below="groups"),
}
"""The form of a search in a saved folder."""


def need_faiss() -> Any:
    """The library.

    Raises:
        VectableError: it is not installed.
    """
    try:
        import faiss
    except ImportError:
        raise VectableError(
            "Approximate search needs the package 'faiss', which is not installed: pip install 'vectable[search]'."
        ) from None
    return faiss


@dataclass(frozen=True)
class ItemSearch:
    """An index of item vectors and biases. Safe to ask from several threads.

    Attributes:
        index: of faiss, its number of groups to look into set.
        groups: the group of each item but the unknown, (items,).
        recall: share of the exact ten best items that it finds, mean over some users.
    """

    index: Any
    groups: Codes
    recall: float

    @classmethod
    def of(cls, items: Floats, biases: Floats, users: Floats) -> "ItemSearch":
        """Group the items, and look into as many groups as it takes to find nearly all of the best.

        Args:
            items, biases: (items + 1, factors) and (items + 1,); the first, the unknown, is left out.
            users: vectors to measure with, (users, factors).

        Raises:
            VectableError: the extra `search` is not installed.
        """
        faiss = need_faiss()
        points = _of_one_length(items[1:], biases[1:])
        n_groups = max(1, min(int(GROUPS * len(points) ** 0.5), len(points) // ROWS_A_GROUP))
        index: Any = faiss.index_factory(points.shape[1], f"IVF{n_groups},Flat", faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).permutation(len(points))[: ROWS_A_GROUP * n_groups]
        index.train(points[np.sort(sample)])
        groups = index.quantizer.assign(points, 1)[:, 0].astype(np.int32)
        _fill(index, points, groups)
        asked = users[:: max(1, len(users) // ASKED)][:ASKED]
        exact, _ = RankedItems.of(items, biases).best(asked, None, AT)
        index.nprobe = max(1, n_groups // 32)
        while True:
            found = index.search(_queries(asked), 4 * AT)[1] + 1
            recall = float(np.mean([np.isin(one, other).mean() for one, other in zip(exact, found, strict=True)]))
            if recall >= RECALL or index.nprobe >= n_groups:
                return cls(index, groups, recall)
            index.nprobe = min(2 * index.nprobe, n_groups)

    def to_saved(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and arrays of a saved folder: the groups alone, since the folder has the vectors."""
        centres = self.index.quantizer.reconstruct_n(0, self.index.nlist)
        return {"looked_into": self.index.nprobe, "recall": self.recall}, {"centres": centres, "group": self.groups}

    @classmethod
    def from_saved(
        cls, settings: Any, arrays: Mapping[str, Mapping[str, NDArray[Any]]], items: Floats, biases: Floats
    ) -> "ItemSearch":
        """The search back from what `to_saved` gave, in a fraction of the time.

        Args:
            arrays: of the folder's files, by file and name; those of "search" are taken.
            items, biases: as of `of`.

        Raises:
            PartError: a part is not as it must be.
            VectableError: the extra `search` is not installed.
        """
        faiss = need_faiss()
        form = SETTINGS(settings, "settings.search")
        points = _of_one_length(items[1:], biases[1:])
        found = take_arrays(arrays, "search", ARRAYS, {"items": len(points), "width": points.shape[1]})
        centres = found["centres"]
        quantizer = faiss.IndexFlatIP(points.shape[1])
        quantizer.add(np.ascontiguousarray(centres))
        index = faiss.IndexIVFFlat(quantizer, points.shape[1], len(centres), faiss.METRIC_INNER_PRODUCT)
        index.is_trained = True
        _fill(index, points, found["group"])
        index.nprobe = min(form["looked_into"], len(centres))
        return cls(index, found["group"], form["recall"])

    def find(self, user: Floats, n: int) -> Codes:
        """Codes of up to `n` items that are likely to be the best for a user's vector, (factors,), rising."""
        found = self.index.search(_queries(user[None]), n)[1][0]
        return np.sort(found[found >= 0] + 1).astype(np.int32)


def _fill(index: Any, points: Floats, groups: Codes) -> None:
    """Put points whose groups are known into an index, which would look for them otherwise."""
    to = need_faiss().swig_ptr
    places, groups = np.arange(len(points), dtype=np.int64), groups.astype(np.int64)
    index.add_core(len(points), to(points), to(places), to(groups))


def _of_one_length(items: Floats, biases: Floats) -> Floats:
    """Items as points of one length, so that the nearest are those with the largest sums (Bachrach et al. 2014)."""
    points = np.concatenate([items, biases[:, None]], axis=1)
    squares = (points**2).sum(axis=1, keepdims=True)
    return np.ascontiguousarray(np.concatenate([points, np.sqrt(squares.max() - squares)], axis=1), dtype=np.float32)


def _queries(users: Floats) -> Floats:
    """Users as points of length 1: the bias counts once, the last coordinate not at all."""
    rows = np.pad(users, ((0, 0), (0, 2)))
    rows[:, -2] = 1.0
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
