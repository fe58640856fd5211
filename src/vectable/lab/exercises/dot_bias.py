"""Exercise: the model of collaborative filtering as a module that beats biases alone."""

import importlib.resources
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vectable.lab.exercises.exercise import Check, Exercise, Mistake

RATINGS, HELD_OUT = 60_000, 6_000
EPOCHS, BATCH = 6, 512
SOURCE = '''import torch
from torch import nn


class DotBias(nn.Module):
    """A rating is the product of two vectors plus two biases, within y_range."""

    def __init__(self, n_users, n_items, n_factors, y_range):
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, n_factors), nn.Embedding(n_items, n_factors)
        self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        self.y_range = y_range
        for table in (self.users, self.items, self.user_bias, self.item_bias):
            nn.init.normal_(table.weight, 0, 0.01)

    def forward(self, x):
        """x is (rows, 2): codes of user and item. Returns (rows,), from y_range[0] to y_range[1] by a sigmoid."""
        users, items = x[:, 0], x[:, 1]
        total = (self.users(users) * self.items(items)).sum(dim=1)  #!
        total = total + self.user_bias(users).squeeze(1) + self.item_bias(items).squeeze(1)  #!
        low, high = self.y_range  #!
        return low + (high - low) * torch.sigmoid(total)  #!
'''


def _forward(answer: Any) -> dict[str, Any]:
    import torch

    torch.manual_seed(0)
    model = answer.DotBias(5, 7, 3, (0.0, 5.5))
    with torch.no_grad():
        for one in model.parameters():
            one.mul_(60)
        return {"forward(x)": model(torch.tensor([[0, 0], [4, 6], [2, 3]]))}


def _beats(answer: Any) -> dict[str, Any]:
    """Train on a share of the shipped ratings, and compare with biases on those held out."""
    import torch

    users, items, ratings = _shipped()
    torch.manual_seed(0)
    model = answer.DotBias(users.max() + 1, items.max() + 1, 20, (0.0, 5.5))
    x, y = torch.from_numpy(np.stack([users, items], axis=1)), torch.from_numpy(ratings)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.3)
    for _ in range(EPOCHS):
        order = torch.randperm(RATINGS) + HELD_OUT
        for first in range(0, RATINGS, BATCH):
            rows = order[first : first + BATCH]
            optimizer.zero_grad()
            loss: Any = torch.nn.functional.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        error = float(((model(x[:HELD_OUT]) - y[:HELD_OUT]) ** 2).mean())
    return {"it beats biases alone on held-out ratings": error < _error_of_biases(users, items, ratings)}


@cache
def _shipped() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Users, items and ratings of a random share of goodbooks, (rows,) each; the first are held out."""
    import polars as pl

    file = importlib.resources.files("vectable.data.sets") / "shipped" / "goodbooks" / "ratings.parquet"
    with file.open("rb") as opened:
        table = pl.read_parquet(opened).sample(RATINGS + HELD_OUT, seed=0, shuffle=True)
    users, items = (table[name].rank("dense").to_numpy().astype(np.int64) for name in ("user", "item"))
    return users, items, table["rating"].to_numpy().astype(np.float32)


def _error_of_biases(users: NDArray[np.int64], items: NDArray[np.int64], ratings: NDArray[np.float32]) -> float:
    """Squared error on the held-out ratings of the mean plus shrunk biases, found in turns."""
    u, i, y = users[HELD_OUT:], items[HELD_OUT:], ratings[HELD_OUT:].astype(np.float64)
    mean = y.mean()
    of_user, of_item = np.zeros(users.max() + 1), np.zeros(items.max() + 1)
    for _ in range(10):
        of_item = np.bincount(i, y - mean - of_user[u], len(of_item)) / (np.bincount(i, minlength=len(of_item)) + 5)
        of_user = np.bincount(u, y - mean - of_item[i], len(of_user)) / (np.bincount(u, minlength=len(of_user)) + 5)
    predicted = mean + of_user[users[:HELD_OUT]] + of_item[items[:HELD_OUT]]
    return float(((predicted - ratings[:HELD_OUT]) ** 2).mean())


EXERCISE = Exercise(
    name="dot-bias",
    title="Collaborative filtering as a module",
    task="Fill in the forward of the model: vectors of user and item, their biases, and a sigmoid within y_range.",
    page="lesson/factors",
    source=SOURCE,
    checks=(
        Check(
            "forward", _forward, "Multiply number by number and sum over the factors; the biases are (rows, 1).", 1e-5
        ),
        Check("trained on 60,000 ratings of books", _beats, "Vectors and biases both have to take part."),
    ),
    mistakes=(
        Mistake(
            "The biases are left out.", {" + self.user_bias(users).squeeze(1) + self.item_bias(items).squeeze(1)": ""}
        ),
        Mistake(
            "The range is left out: predictions are not bounded.",
            {"low + (high - low) * torch.sigmoid(total)": "total"},
        ),
        Mistake(
            "The sigmoid goes from 0 to 1 and has to be stretched to y_range.",
            {"low + (high - low) * torch.sigmoid(total)": "torch.sigmoid(total)"},
        ),
    ),
    seconds=120,
)
