"""The protocol of neural collaborative filtering (He and others 2017) on MovieLens 1M, against what is published.

Every user's latest rating tests; it is ranked among 99 sampled films that NCF published with its code, by hit rate and
NDCG at 10. Sampled candidates say little about lists, and 156 of them were rated by their user: vectable's own figures
rank all items. The blend of EASE and 192 factors is measured; how strongly these are regularized was chosen on the
rating before the last of every user, among 99 films that the user did not rate.
"""

import gzip
import os
import sys
from pathlib import Path

import numpy as np

from _common import Report, arguments, cpu_clock, parse

K = 10
FACTORS = 192
CHOICES = ((1.0, 0.012), (2.0, 0.006), (2.0, 0.012), (4.0, 0.004), (4.0, 0.006), (4.0, 0.012), (8.0, 0.006))
"""Weight of what was not observed, as a multiple of the density, and regularization."""


def read(folder: Path):
    """Training pairs of user and item as NCF numbers them, the tested pairs, 99 candidates of each, and the training
    pair of each user that is the last but for the tested one."""
    import polars as pl

    ratings, tests, sampled = (
        folder / name
        for name in ("ml-1m/ratings_no_timestamp.dat", "ncf/ml-1m.test.rating", "ncf/ml-1m.test.negative.gz")
    )
    if not (ratings.is_file() and tests.is_file() and sampled.is_file()):
        sys.exit(f"This benchmark needs ml-1m and ncf in {folder}; they may not be shipped. --data names the folder.")
    numbers: dict[str, int] = {}  # NCF numbers films as they come up in the file
    rows = [line.split("::") for line in ratings.read_text(encoding="latin-1").splitlines()]
    pairs = np.array([(int(user) - 1, numbers.setdefault(film, len(numbers))) for user, film, _ in rows])
    tested = np.array([line.split()[:2] for line in tests.read_text().splitlines()], dtype=np.int64)
    with gzip.open(sampled, "rt") as lines:
        others = np.array([line.split("\t")[1:] for line in lines], dtype=np.int64)
    width = len(numbers)
    train = pairs[~np.isin(pairs[:, 0] * width + pairs[:, 1], tested[:, 0] * width + tested[:, 1])]
    order = pl.read_parquet(folder / "ml-1m" / "time_order.parquet", columns=["user", "item", "position"])
    order = order.with_columns(pl.col("user") - 1, pl.col("item").cast(pl.String).replace_strict(numbers).alias("item"))
    order = order.filter(~(pl.col("user") * width + pl.col("item")).is_in((tested @ [width, 1]).tolist()))
    latest = order.sort("position").group_by("user", maintain_order=True).last().select("user", "item").to_numpy()
    return pl.DataFrame(train, schema=["user", "item"], orient="row"), tested, others, latest


def fit(train, weight: float, reg: float, seed: int = 42):
    """A blend of EASE and factors."""
    import vectable as vt

    data = vt.InteractionsData.from_df(train, "user", "item", split="random", valid_pct=0, test_pct=0)
    unobserved = weight * len(train) / (data.n_users * data.n_items)
    als = {"n_factors": FACTORS, "reg": reg, "unobserved": unobserved, "epochs": 14, "seed": seed}
    learn = vt.implicit_learner(data, als=als, progress=False)
    learn.candidates = [one for one in learn.candidates if len(one.parts) > 1]
    return learn.fit()


def measure(learn, tested, others) -> tuple[float, float]:
    """Hit rate and NDCG of the tested items among their candidates; of equal scores the candidates come first."""
    data, answers = learn.data, learn.recommender()
    users = data.user_ids.encode(tested[:, 0].tolist())
    candidates = np.concatenate([tested[:, 1:], others], axis=1)
    codes = data.item_ids.encode(candidates.ravel().tolist()).reshape(candidates.shape)
    hits, gains = 0.0, 0.0
    for first in range(0, len(users), 1000):
        part = users[first : first + 1000]
        histories = data.train.take(part)
        from vectable.interactions.candidates import to_rows

        rows = answers.model.user_rows(to_rows(histories, answers.model.n_items))
        scores = np.take_along_axis(answers.scores(rows, histories.lengths), codes[first : first + 1000], axis=1)
        rank = (scores[:, 1:] >= scores[:, :1]).sum(axis=1)
        hits += float((rank < K).sum())
        gains += float((1 / np.log2(rank[rank < K] + 2)).sum())
    return hits / len(users), gains / len(users)


def unrated(train, users, n: int = 99) -> np.ndarray:
    """Films that each of some users did not rate, drawn evenly, (users, n)."""
    rng, width = np.random.default_rng(0), int(train["item"].max()) + 1
    rated = (train["user"].cast(int) * width + train["item"]).to_numpy()
    found = rng.integers(0, width, (len(users), n))
    while (taken := np.isin(users[:, None] * width + found, rated)).any():
        found[taken] = rng.integers(0, width, int(taken.sum()))
    return found


def choose(train, latest) -> tuple[float, float]:
    """The weight and regularization that find best what every user rated last in training."""
    import polars as pl

    others = unrated(train, latest[:, 0])
    less = train.join(pl.DataFrame(latest, schema=train.schema, orient="row"), on=["user", "item"], how="anti")
    return max(CHOICES, key=lambda choice: measure(fit(less, *choice), latest, others)[1])


def main() -> None:
    args = parse(arguments(__doc__, seeds=3))
    report = Report("NCF's protocol", args, seeds=args.seeds, factors=FACTORS)
    train, tested, others, latest = read(Path(os.environ.get("VECTABLE_DATA", "")))
    if args.quick:
        kept = tested[:, 0] % 20 == 0
        train, tested, others = train.filter(train["user"] % 20 == 0), tested[kept], others[kept]
    chosen = CHOICES[1] if args.quick else choose(train, latest)
    report.say(f"weight of what was not observed and regularization, chosen: {chosen}")
    found = []
    for seed in range(42, 42 + args.seeds):
        with cpu_clock() as cpu:
            learn = fit(train, *chosen, seed)
        found.append((*measure(learn, tested, others), cpu()))
        report.say(f"seed {seed}: HR@10 {found[-1][0]:.4f}, NDCG@10 {found[-1][1]:.4f}, {found[-1][2]:.1f} CPU s")
    hit, ndcg, seconds = np.mean(found, axis=0).tolist()
    report.result("seeds", found)
    report.result("means", {"hit rate": hit, "ndcg": ndcg, "cpu": seconds, "chosen": chosen})
    report.target("HR@10", hit, at_least=0.730)
    report.target("NDCG@10", ndcg, at_least=0.452)
    report.finish()


if __name__ == "__main__":
    main()
