"""How long does publishing a model into a database take? Vectors, lists and neighbours, as `vectable publish` writes.

The model is not trained: its vectors are random, its ratings too. Give the address of a database that may be written,
e.g. postgresql://user@127.0.0.1/scratch or sqlite:////tmp/scratch.db.

    python benchmarks/publish.py ADDRESS [--items 5000] [--users 20000] [--width 64] [-n 10]
"""

import argparse
import time

import numpy as np
import polars as pl

import vectable as vt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    for option, size in (("items", 5_000), ("users", 20_000), ("width", 64)):
        parser.add_argument(f"--{option}", type=int, default=size)
    parser.add_argument("-n", type=int, default=10)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    n_ratings = 10 * max(asked.items, asked.users)
    users = np.concatenate([np.arange(asked.users), rng.integers(0, asked.users, n_ratings)])
    items = np.concatenate([rng.integers(0, asked.items, asked.users), rng.integers(0, asked.items, n_ratings)])
    items[: asked.items] = np.arange(asked.items)[: len(items)]
    ratings = rng.integers(1, 6, len(users)).astype(float)
    frame = pl.DataFrame({"user": users, "item": items, "rating": ratings}).unique(["user", "item"], keep="first")
    data = vt.RatingsData.from_df(frame, valid_pct=0.0)
    learn = vt.collab_learner(data, n_factors=asked.width, progress=False)
    start, before = time.perf_counter(), time.process_time()
    written = vt.publish(learn, asked.address, "benchmark", asked.n)
    wall, cpu = time.perf_counter() - start, time.process_time() - before
    sizes = f"{data.n_items:,} items x {asked.width}, {data.n_users:,} users x top {asked.n}"
    print(f"{sizes}: {wall:.1f} s, {cpu:.1f} s CPU")
    for table, rows in written.items():
        print(f"  {table}: {rows:,} rows")


if __name__ == "__main__":
    main()
