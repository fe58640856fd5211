"""Items and users that training never showed, known by their columns: MovieLens 1M, ratings of at least 4.

Items: a tenth of the films is hidden with all its ratings, and ranked among itself for every user who likes any of
them, by genres, year and the words of the title; five different tenths. What decides the map was chosen on the five
other tenths, which `--choose` measures and the tested ones do not touch. Users: a tenth is hidden with all their
ratings, and gets lists from gender, age and occupation alone, beside popularity; the interval is a paired bootstrap
over these users.
"""

import os
import sys
from pathlib import Path

from _common import Report, arguments, cpu_clock, parse, spread

PARTS, SHARE = 5, 10
COLUMNS = ("genres", "year", "title")
DISCOUNTS = 10


def read(quick: bool):
    """The liked ratings, the films with year and genres, and the users."""
    import polars as pl

    folder = Path(os.environ.get("VECTABLE_DATA", "")) / "ml-1m"
    if not (folder / "movies.dat").is_file():
        sys.exit(f"This benchmark needs {folder}, which may not be shipped; --data names the folder that holds ml-1m.")
    liked = pl.read_parquet(folder / "time_order.parquet").filter(pl.col("rating") >= 4).select("user", "item")
    liked = liked.filter(pl.col("user") % 10 == 0) if quick else liked

    def table(name, columns):
        lines = (folder / name).read_text("latin-1").splitlines()
        frame = pl.DataFrame([line.split("::") for line in lines], schema=columns, orient="row")
        return frame.with_columns(pl.col(columns[0]).cast(liked[columns[0]].dtype))

    films = table("movies.dat", ["item", "title", "genres"])
    films = films.with_columns(year=pl.col("title").str.extract(r"\((\d{4})\)$").cast(pl.Int64))
    users = table("users.dat", ["user", "gender", "age", "occupation", "zip"]).drop("zip")
    return liked, films, users.with_columns(pl.col("age", "occupation").cast(pl.String))


def ndcg(lists, wanted) -> "list[float]":
    """NDCG@10 with binary gains of lists of items, (users, 10), and the items to be found, a set per user."""
    import numpy as np

    discounts = 1 / np.log2(np.arange(2, DISCOUNTS + 2))
    found = []
    for listed, mine in zip(lists, wanted, strict=True):
        hits = np.array([item in mine for item in listed], dtype=float)
        found.append(float((hits * discounts[: len(hits)]).sum() / discounts[: min(len(mine), DISCOUNTS)].sum()))
    return found


def cold_items(liked, films, part, seed, columns=COLUMNS):
    import numpy as np
    import polars as pl

    import vectable as vt

    order = np.random.default_rng(seed).permutation(liked["item"].unique().sort().to_numpy())
    cold = pl.Series(np.array_split(order, SHARE)[part])
    hidden = liked.filter(pl.col("item").is_in(cold.implode()))
    known = liked.filter(~pl.col("item").is_in(cold.implode()))
    new = films.filter(pl.col("item").is_in(cold.implode()))
    wanted = {user: set(items) for user, items in hidden.group_by("user").agg("item").iter_rows()}
    figures = {}
    data = vt.InteractionsData.from_df(known, "user", "item", split="random", valid_pct=0, test_pct=0, items=films)
    asked = [user for user in data.user_ids.vocabulary.to_list() if user in wanted]
    with cpu_clock() as seconds:
        learn = vt.implicit_learner(data, "als", features=list(columns), progress=False).fit()
    lists = learn.recommend_new(new, asked, 10)
    mine = lists.group_by("user", maintain_order=True).agg("item")
    figures["columns"] = ndcg(mine["item"].to_list(), [wanted[user] for user in mine["user"].to_list()])
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(new["item"].to_numpy())[:10].tolist() for _ in asked]
    figures["random"] = ndcg(drawn, [wanted[user] for user in asked])
    return {name: float(np.mean(one)) for name, one in figures.items()}, seconds()


def cold_users(liked, users, seed):
    import numpy as np
    import polars as pl

    import vectable as vt

    order = np.random.default_rng(seed).permutation(liked["user"].unique().sort().to_numpy())
    cold = pl.Series(np.array_split(order, SHARE)[0])
    known = liked.filter(~pl.col("user").is_in(cold.implode()))
    hidden = liked.filter(pl.col("user").is_in(cold.implode()) & pl.col("item").is_in(known["item"].implode()))
    data = vt.InteractionsData.from_df(known, "user", "item", split="random", valid_pct=0, test_pct=0, users=users)
    learn = vt.implicit_learner(data, "als", progress=False).fit()
    about = {row["user"]: row for row in users.iter_rows(named=True)}
    best = known["item"].value_counts(sort=True)["item"][:10].to_list()
    gains, figures = [], {"demographics": [], "popularity": []}
    lists: dict = {}
    for user, items in hidden.group_by("user", maintain_order=True).agg("item").iter_rows():
        given = {name: value for name, value in about[user].items() if name != "user"}
        key = tuple(given.values())
        if key not in lists:
            lists[key] = learn.fold_in(features=given).recommend(10)["item"].to_list()
        figures["demographics"] += ndcg([lists[key]], [set(items)])
        figures["popularity"] += ndcg([best], [set(items)])
        gains.append(figures["demographics"][-1] - figures["popularity"][-1])
    return figures, gains


def choose(report, liked, films) -> None:
    """What was tried, on the tenths that do not test."""
    from vectable.factorising import als

    rows = []
    for columns in (COLUMNS[:2], COLUMNS):
        for expected in (0.0, als.EXPECTED, 1.0):
            before, als.EXPECTED = als.EXPECTED, expected
            found = [cold_items(liked, films, part, 0, columns)[0]["columns"] for part in range(PARTS, SHARE)]
            als.EXPECTED = before
            rows.append({"columns": ", ".join(columns), "rows shrink towards": f"{expected:g} of what is expected",
                         "validation NDCG@10": f"{sum(found) / len(found):.4f}"})  # fmt: skip
    report.result("choices", rows)
    report.table(rows)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--choose", action="store_true", help="measure what was tried, on the tenths that do not test")
    args = parse(parser)
    import numpy as np

    from vectable.recommending.evaluation import bootstrap_interval

    liked, films, users = read(args.quick)
    report = Report("cold items and users", args, data="MovieLens 1M >= 4")
    if args.choose:
        choose(report, liked, films)
        report.finish()
        return
    parts = [cold_items(liked, films, part, seed=0) for part in range(1 if args.quick else PARTS)]
    rows = {name: spread([figures[name] for figures, _ in parts]) for name in ("columns", "random")}
    report.result("items", rows)
    report.result("items, CPU seconds of a fit", spread([seconds for _, seconds in parts]))
    report.table(
        [
            {
                "cold films": name,
                "NDCG@10": f"{one['mean']:.4f}",
                "least and most": f"{one['min']:.4f} {one['max']:.4f}",
            }
            for name, one in rows.items()
        ]
    )
    report.target("NDCG@10 of cold films among themselves", rows["columns"]["mean"], at_least=0.235)
    figures, gains = {"demographics": [], "popularity": []}, []
    for seed in range(1 if args.quick else 3):
        more, gained = cold_users(liked, users, seed)
        gains += gained
        for name, one in more.items():
            figures[name] += one
    low, high = bootstrap_interval(np.array(gains), 0)
    report.result("users", {name: float(np.mean(one)) for name, one in figures.items()})
    report.result("gain of users", {"mean": float(np.mean(gains)), "low": low, "high": high})
    report.table([{"cold users": name, "NDCG@10": f"{np.mean(one):.4f}"} for name, one in figures.items()])
    report.conclude(
        f"Demographics add {np.mean(gains):.4f} ({low:.4f} to {high:.4f}, 95 % over {len(gains)} cold users) to "
        "popularity's NDCG@10."
    )
    report.target("lower end of what demographics add to popularity", low, at_least=0.0)
    report.finish()


if __name__ == "__main__":
    main()
