"""Ratings made up at the size and shape of a large public set, with a structure that a model can find.

A rating is ``3.5 + user bias + item bias + <p_u, q_i> + noise``, rounded to half stars from 0.5 to 5. Items have
a long-tailed popularity and users a long-tailed activity of at least 20 ratings or so; no pair occurs twice.
Since the planted score is known, so is the error that no model can go below.

Run as a script in a process of its own, so that the memory used here is not counted anywhere:
    python _synthetic.py FOLDER --rows 20000000 --users 138000 --items 27000
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl

RANK = 8
USER_SD, ITEM_SD, TASTE_SD, NOISE_SD = 0.40, 0.45, 0.45, 0.75  # of the four parts of a rating
BLOCK = 2_000_000  # rows made at a time


def pairs_of(users, activity, popularity, rows, rng):
    """About `rows` distinct (user, item) pairs of a block of users, in the order of the users."""
    n_items = len(popularity)
    tries = rng.multinomial(int(rows * 1.3) + 1, activity / activity.sum())
    drawn = np.searchsorted(np.cumsum(popularity), rng.random(int(tries.sum())) * popularity.sum())
    pairs = np.unique(np.repeat(users, tries) * n_items + np.minimum(drawn, n_items - 1))
    kept = np.sort(rng.permutation(len(pairs))[:rows])
    return np.divmod(pairs[kept], n_items)


def make(folder: Path, rows: int, n_users: int, n_items: int, valid_pct: float, seed: int) -> dict:
    """Write train.parquet and valid.parquet, sorted by user as such files are; returns what is in them."""
    rng = np.random.default_rng(seed)
    user_bias, item_bias = rng.normal(0, USER_SD, n_users), rng.normal(0, ITEM_SD, n_items)
    taste = (TASTE_SD / RANK**0.5) ** 0.5
    p = rng.normal(0, taste, (n_users, RANK)).astype(np.float32)
    q = rng.normal(0, taste, (n_items, RANK)).astype(np.float32)
    activity = 20 + np.exp(rng.normal(np.log(48), 1.38, n_users))
    popularity = rng.permutation(1 / (np.arange(n_items) + 60.0))

    blocks, squared = [], 0.0
    n_blocks = -(-rows // BLOCK)
    share = activity / activity.sum() * rows
    for users in np.array_split(np.arange(n_users), n_blocks):
        user, item = pairs_of(users, activity[users], popularity, round(share[users].sum()), rng)
        score = 3.5 + user_bias[user] + item_bias[item] + np.einsum("rk,rk->r", p[user], q[item])
        rating = np.clip(np.round((score + rng.normal(0, NOISE_SD, len(user))) * 2) / 2, 0.5, 5)
        squared += float(((np.clip(score, 0.5, 5) - rating) ** 2).sum())
        columns = {"user": user + 1, "item": item + 1}
        frame = pl.DataFrame({name: codes.astype(np.int32) for name, codes in columns.items()})
        blocks.append(frame.with_columns(rating=rating.astype(np.float32)))
    table = pl.concat(blocks)
    held_out = pl.Series(rng.random(len(table)) < valid_pct)
    train, valid = table.filter(~held_out), table.filter(held_out)
    train.write_parquet(folder / "train.parquet")
    valid.write_parquet(folder / "valid.parquet")
    return {
        "training rows": len(train),
        "validation rows": len(valid),
        "users": train["user"].n_unique(),
        "items": train["item"].n_unique(),
        "mean": float(table["rating"].mean()),
        "sd": float(table["rating"].std()),
        "largest item's share": float(table["item"].value_counts()["count"].max() / len(table)),
        "largest user's rows": int(table["user"].value_counts()["count"].max()),
        "RMSE of the planted score": (squared / len(table)) ** 0.5,
    }


def inner_split(train: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Nine tenths of the training rows and the rest, always the same: to choose settings by."""
    held_out = pl.Series(np.random.default_rng(0).random(len(train)) < 0.1)
    return train.filter(~held_out), train.filter(held_out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=138_000)
    parser.add_argument("--items", type=int, default=27_000)
    parser.add_argument("--valid", type=float, default=0.05, help="share of the rows held out")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    started = time.perf_counter()
    made = make(args.folder, args.rows, args.users, args.items, args.valid, args.seed)
    print(json.dumps(made | {"seconds to make": time.perf_counter() - started}))
