"""Ratings as codes and numbers: encoding a table of them, splitting it, joining and saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vectable.data.encoders.categorify import Categorify

if TYPE_CHECKING:
    from torch import Tensor

    from vectable.data.tensors import TensorSet

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
    ratings: pl.DataFrame, train_rows: NDArray[np.int32], valid_rows: NDArray[np.int32]
) -> tuple[Ratings, Ratings, Categorify, Categorify]:
    """Training and validation ratings with the vocabularies of users and items that the training rows show.

    A column is encoded whole and its codes are then split: of a long table, nothing but codes is ever copied.
    """
    users = _split_codes(ratings["user"], train_rows, valid_rows)
    items = _split_codes(ratings["item"], train_rows, valid_rows)
    times = ratings["time"].to_numpy() if "time" in ratings.columns else None
    train, valid = (
        Ratings(user, item, ratings["rating"].to_numpy()[rows], None if times is None else times[rows])
        for user, item, rows in zip(users[:2], items[:2], (train_rows, valid_rows), strict=True)
    )
    return train, valid, users[2], items[2]


def _split_codes(
    values: pl.Series, train_rows: NDArray[np.int32], valid_rows: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], Categorify]:
    """Codes of the training and the validation rows, and the vocabulary of what the training rows show."""
    everything = Categorify().fit(values)
    codes = everything.encode(values)
    train, valid = codes[train_rows], codes[valid_rows]
    shown = np.bincount(train, minlength=len(everything)) > 0
    shown[0] = False
    smaller = np.where(shown, np.cumsum(shown), 0).astype(np.int32)
    return smaller[train], smaller[valid], Categorify(everything.vocabulary.filter(pl.Series(shown[1:])))


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
