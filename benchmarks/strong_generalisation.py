"""Lists for users that training never showed: MovieLens 1M, ratings of at least 4 as interactions.

Users with at least 5 such ratings; 600 of them validate, 600 test, the rest train (Liang et al. 2018, doi
10.1145/3178876.3186150). Four fifths of a held-out user's films are known, the rest is to be found among all films.
What is kept is chosen on the validation users alone; the test users are looked at once, at the end.
"""

import os
import sys
from pathlib import Path

from _common import Report, arguments, clock, cpu_clock, parse

HELD_OUT = 600
LEAST = 5  # liked films that a user has


def load_liked(quick: bool):
    """The ratings of at least 4 in each user's order, of users with enough of them."""
    import polars as pl

    path = Path(os.environ.get("VECTABLE_DATA", "")) / "ml-1m" / "time_order.parquet"
    if not path.is_file():
        sys.exit(f"This benchmark needs {path}, which may not be shipped; --data names the folder that holds ml-1m.")
    liked = pl.read_parquet(path).filter(pl.col("rating") >= 4)
    liked = liked.filter(pl.len().over("user") >= LEAST)
    return liked.filter(pl.col("user") % 10 == 0) if quick else liked


def main() -> None:
    args = parse(arguments(__doc__))
    import vectable as vt

    liked = load_liked(args.quick)
    n_users = liked["user"].n_unique()
    share = HELD_OUT / n_users if not args.quick else 0.1
    data = vt.InteractionsData.from_df(
        liked, "user", "item", timestamp="position", split="users", valid_pct=share, test_pct=share, seed=0
    )
    report = Report("strong generalisation", args, data="MovieLens 1M >= 4", fingerprint=data.fingerprint)
    report.say(repr(data))
    learners = {}
    for model in ("als", "ease", "auto"):
        vt.implicit_learner(data, model, progress=False, als={"epochs": 1}).fit()  # kernels are compiled or loaded
        learn = vt.implicit_learner(data, model, progress=False)
        with clock() as wall, cpu_clock() as cpu:
            learn.fit()
        learners[model] = learn
        report.result(f"{model} seconds", {"cpu": cpu(), "wall": wall()})
        report.say(f"{model}: {cpu():.2f} CPU s, kept {learn.chosen.name}")
        report.say(str(learn.tried.select("model", "ndcg@10", "seconds")))
    found = vt.evaluate(learners, k=(10, 100))
    frame = found.to_frame()
    report.result("test", frame.to_dicts())
    report.table(
        [
            {
                "model": row["model"],
                "NDCG@10": f"{row['ndcg@10']:.4f}",
                "NDCG@100": f"{row['ndcg@100']:.4f}",
                "recall@10": f"{row['recall@10']:.4f}",
            }
            for row in frame.to_dicts()
        ]
    )
    report.result("differences", found.differences("ndcg@100").to_dicts())
    report.target("NDCG@100 of the defaults", found.mean("auto", "ndcg@100"), at_least=0.420)
    report.target("NDCG@10 of the defaults", found.mean("auto", "ndcg@10"), at_least=0.335)
    report.target("CPU seconds, choosing included", report.found["results"]["auto seconds"]["cpu"], at_most=6)
    report.finish()


if __name__ == "__main__":
    main()
