"""Ratings as codes and numbers: encoding a table of them, splitting it, joining and saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify
from vectable.data.io.frames import numbers_of

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.data.tensors import TensorSet

BLOCK = 1 << 20  # rows encoded at a time: of a long table, there are never two whole copies of a column
FIELDS = ("user", "item", "rating", "time", "weights")


@dataclass(frozen=True)
class Ratings:
    """Encoded ratings, one entry a row.

    Attributes:
        user, item: codes, (rows,) int32; 0 is unknown.
        rating: (rows,) float32.
        time: as the file gave them, (rows,) float64, or None.
        weights: of the rows in the loss, (rows,) float32, or None for all alike.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    time: NDArray[np.float64] | None = None
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.rating)

    def joined(self, more: "Ratings") -> "Ratings":
        """These rows, then `more`, which count once each where these have weights."""
        time = None if self.time is None or more.time is None else np.concatenate([self.time, more.time])
        ones = np.ones(len(more), dtype=np.float32)
        weights = None if self.weights is None else np.concatenate([self.weights, ones])
        return Ratings(
            np.concatenate([self.user, more.user]),
            np.concatenate([self.item, more.item]),
            np.concatenate([self.rating, more.rating]),
            time,
            weights,
        )

    def tensors(self) -> "TensorSet":
        """The same memory as torch tensors: inputs (user, item), target rating, and weights where there are any."""
        import torch

        from vectable.data.tensors import TensorSet

        weights = None if self.weights is None else torch.from_numpy(self.weights)
        inputs = (torch.from_numpy(self.user), torch.from_numpy(self.item))
        return TensorSet(inputs, torch.from_numpy(self.rating), weights)


def split_ratings(
    columns: dict[str, pl.Series], held_out: NDArray[np.bool_]
) -> tuple[Ratings, Ratings, Categorify, Categorify]:
    """Training and validation ratings with the vocabularies of users and items that the training rows show.

    Args:
        columns: of the table that `read_ratings` made, by name; taken out one by one, so that the memory of each can go
            before the next one needs some.
        held_out: whether a row validates, (rows,).
    """
    stars = _split_numbers(columns.pop("rating"), held_out)
    times = _split_numbers(columns.pop("time"), held_out) if "time" in columns else (None, None)
    *users, user_ids = _split_codes(columns.pop("user"), held_out)
    *items, item_ids = _split_codes(columns.pop("item"), held_out)
    train, valid = (Ratings(*each) for each in zip(users, items, stars, times, strict=True))
    return train, valid, user_ids, item_ids


def _split_numbers(values: pl.Series, held_out: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The numbers of the training and the validation rows."""
    numbers = numbers_of(values)
    return numbers[~held_out], numbers[held_out]


def _split_codes(
    values: pl.Series, held_out: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32], Categorify]:
    """Codes of the training and the validation rows, and the vocabulary of what the training rows show."""
    starts = range(0, len(values), BLOCK)
    everything = Categorify().fit(pl.concat([values.slice(first, BLOCK).unique() for first in starts] or [values]))
    n_valid = int(held_out.sum())
    train, valid = (np.empty(n_rows, dtype=np.int32) for n_rows in (len(values) - n_valid, n_valid))
    shown, done = np.zeros(len(everything), dtype=np.bool_), 0  # done: training rows
    for first in starts:
        codes, validates = everything.encode(values.slice(first, BLOCK)), held_out[first : first + BLOCK]
        ours, others = codes[~validates], codes[validates]
        train[done : done + len(ours)], valid[first - done : first - done + len(others)] = ours, others
        shown[ours] = True
        done += len(ours)
    del values
    shown[0] = False
    smaller = np.where(shown, np.cumsum(shown), 0).astype(np.int32)
    for some in (train, valid):
        for first in range(0, len(some), BLOCK):
            some[first : first + BLOCK] = smaller[some[first : first + BLOCK]]
    return train, valid, Categorify(everything.vocabulary.filter(pl.Series(shown[1:])))


def encode_ratings(ratings: pl.DataFrame, user_ids: Categorify, item_ids: Categorify) -> Ratings:
    """Codes for the rows of a table that `read_ratings` made."""
    return Ratings(
        user_ids.encode(ratings["user"]),
        item_ids.encode(ratings["item"]),
        ratings["rating"].to_numpy(writable=True),
        ratings["time"].to_numpy(writable=True) if "time" in ratings.columns else None,
    )


def ratings_to_tensors(parts: Mapping[str, Ratings]) -> dict[str, "Tensor"]:
    """The columns of ratings as tensors for a saved folder, named ``part.column``."""
    import torch

    columns = {f"{part}.{name}": getattr(ratings, name) for part, ratings in parts.items() for name in FIELDS}
    return {name: torch.from_numpy(values) for name, values in columns.items() if values is not None}
