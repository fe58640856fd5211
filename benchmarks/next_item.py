"""What comes next: the last interaction of every user, ranked among all items, on MovieLens 1M and Amazon Beauty.

The last interaction of each user tests and the one before it validates: of every user on Beauty, of the 512 users of
gSASRec's split on MovieLens. The input is everything before, in order. What is kept is chosen on the validation part
alone. Published, with the same protocol: on MovieLens SASRec .126, SASRec with sampled softmax .168, gSASRec .173,
eSASRec .177; on Beauty SASRec .032, HSTU .044, eSASRec .052, SASRec with sampled softmax .053 (NDCG@10).
"""

import os
import sys
from pathlib import Path

from _common import Report, arguments, clock, cpu_clock, parse


def folder() -> Path:
    path = Path(os.environ.get("VECTABLE_DATA", ""))
    if not (path / "sequences" / "beauty.txt").is_file():
        sys.exit(
            f"This benchmark needs ml-1m and sequences in {path}; they may not be shipped. --data names the folder."
        )
    return path


def movielens(quick: bool):
    import polars as pl

    import vectable as vt

    rows = pl.read_parquet(folder() / "ml-1m" / "time_order.parquet")
    rows = rows.filter(pl.col("user") % 10 == 0) if quick else rows
    validates = rows.filter("validation_user")["user"].unique().to_list()
    return vt.InteractionsData.from_df(rows, "user", "item", timestamp="position", split="last", valid_users=validates)


def beauty(quick: bool):
    import polars as pl

    import vectable as vt

    rows = []
    for line in (folder() / "sequences" / "beauty.txt").read_text().splitlines()[: 2000 if quick else None]:
        user, *items = line.split()
        rows += [(int(user), int(item), place) for place, item in enumerate(items)]
    table = pl.DataFrame(rows, schema=["user", "item", "place"], orient="row")
    return vt.InteractionsData.from_df(table, "user", "item", timestamp="place", split="last")


SETS = {"MovieLens 1M": (movielens, 0.165, 4.0), "Amazon Beauty": (beauty, 0.049, 1.5)}


def main() -> None:
    args = parse(arguments(__doc__))
    import vectable as vt

    report = Report("next item", args)
    for name, (read, ndcg, seconds) in SETS.items():
        data = read(args.quick)
        report.say(f"{name}: {data!r}")
        vt.next_item_learner(data, progress=False).fit()  # kernels are compiled or loaded
        learn = vt.next_item_learner(data, progress=False)
        with clock() as wall, cpu_clock() as cpu:
            learn.fit()
        fitted = {"cpu": cpu(), "wall": wall()}
        report.say(str(learn.tried.select("model", "ndcg@10", "seconds")))
        with cpu_clock() as measured:
            found = vt.evaluate({"next item": learn}, k=(10, 20))
        report.result(name, {"fit": fitted, "evaluation cpu": measured(), "test": found.to_frame().to_dicts(),
                             "fingerprint": data.fingerprint, "kept": learn.chosen.name})  # fmt: skip
        shown = ("ndcg@10", "recall@10", "recall@20")
        rows = found.to_frame().to_dicts()
        report.table([{"model": row["model"], **{figure: f"{row[figure]:.4f}" for figure in shown}} for row in rows])
        everybody = len(data.test) / (len(data.test) + data.test.unseen)  # published figures count these as missed
        report.say(f"{name}: {data.test.unseen:,} users whose last item training does not show count as missed.")
        report.target(f"{name}: NDCG@10", everybody * found.mean("next item", "ndcg@10"), at_least=ndcg)
        report.target(f"{name}: CPU seconds of the fit", fitted["cpu"], at_most=seconds)
        report.say(f"{name}: kept {learn.chosen.name}; measuring three rankings took {measured():.2f} CPU s")
    report.finish()


if __name__ == "__main__":
    main()
