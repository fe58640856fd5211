"""What grows where nobody expects it, in processor seconds, on made-up data.

A first reason among a million users, lists from a hundred thousand items, a table of thousands of columns, a column of
a million categories.
"""

import resource

import numpy as np
import polars as pl

from _common import Report, arguments, cpu_clock, parse, warm_up

MOST_SECONDS = {
    "first explain": 2.0,
    "first similar": 5.0,
    "lists": 10.0,
    "wide table": 6.3,
    "category": 5.0,
}


def main() -> None:
    parser = arguments(__doc__, data=False)
    args = parse(parser)
    report = Report("large", args)
    import torch

    torch.set_num_threads(1)  # waiting threads would be counted too
    warm_up()
    share = 20 if args.quick else 1
    rng = np.random.default_rng(0)
    rows = []
    for name, measure in {
        "first explain": lambda: reasons(rng, 1_000_000 // share),
        "lists": lambda: lists(rng, 10_000 // share, 100_000 // share),
        "wide table": lambda: wide_table(rng, 8_000 // share),
        "category": lambda: large_category(rng, 1_000_000 // share),
    }.items():
        for what, seconds, about in measure():
            report.result(what, {"cpu_seconds": seconds, "about": about})
            rows.append({"what": what, "of": about, "CPU s": f"{seconds:.2f}"})
            if what in MOST_SECONDS:
                report.target(f"CPU seconds, {what}", seconds, at_most=MOST_SECONDS[what])
        report.say(f"{name} done; most memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")
    report.table(rows)
    report.finish()


def ratings_learner(rng, n_users, n_items, n_rows):
    """An untrained learner of made-up ratings in which every user and item occurs."""
    import vectable as vt

    users = np.concatenate([np.arange(n_users), rng.integers(0, n_users, n_rows)])
    items = np.concatenate([rng.integers(0, n_items, n_users), np.arange(n_items), rng.integers(0, n_items, n_rows)])
    users = np.concatenate([users, rng.integers(0, n_users, n_items)])
    frame = pl.DataFrame({"user": users, "item": items[: len(users)], "rating": rng.integers(1, 6, len(users)) * 1.0})
    frame = frame.unique(["user", "item"], keep="first", maintain_order=True)
    return vt.collab_learner(vt.RatingsData.from_df(frame, valid_pct=0), progress=False, seed=0)


def timed_once(call):
    with cpu_clock() as spent:
        call()
    return spent()


def reasons(rng, n_users):
    learn = ratings_learner(rng, n_users, 20_000, n_users)
    user, item = int(learn.data.user_ids.vocabulary[5]), int(learn.data.item_ids.vocabulary[5])
    about = f"{n_users:,} users"
    yield "first explain", timed_once(lambda: learn.explain(user, item)), about
    yield "explain again", timed_once(lambda: learn.explain(user, item)), about
    yield "first similar", timed_once(lambda: learn.similar(item)), about


def lists(rng, n_users, n_items):
    learn = ratings_learner(rng, n_users, n_items, 4 * n_items)
    yield "lists", timed_once(lambda: learn.recommend_many(n=10)), f"{n_users:,} users, {n_items:,} items"


def wide_table(rng, n_columns):
    import vectable as vt

    columns = {f"x{at}": rng.normal(size=200) for at in range(n_columns - 1)}
    frame = pl.DataFrame({**columns, "y": rng.integers(0, 2, 200)})
    yield "wide table", timed_once(lambda: vt.TableData.from_df(frame, "y")), f"{n_columns:,} columns, 200 rows"


def large_category(rng, n_values):
    import vectable as vt

    frame = pl.DataFrame(
        {"id": rng.permutation(n_values).astype(str), "x": rng.normal(size=n_values), "y": rng.normal(size=n_values)}
    )
    data = vt.TableData.from_df(frame, "y", cat_names=["id"], cont_names=["x"], valid_pct=0.0, batch_size=4096)
    learn = vt.tabular_learner(data, layers=[16], progress=False)
    width = learn.model.embeddings[0].embedding_dim
    learn.fit(1, 1e-4)  # compiled, where it was not
    yield "category", timed_once(lambda: learn.fit(1, 1e-3)), f"an epoch of {n_values:,} categories, width {width}"


if __name__ == "__main__":
    main()
