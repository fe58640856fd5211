"""New users from demographics alone: ml-100k, a fifth of the users with every rating held out, five times over.

Beside the mean rating plus the item's bias, which is what there is to say of an item without a user. The interval is
of the difference in squared error, from the users' own means (a user's ratings are not independent of each other).
Folding in, from ratings and from features, is timed on the same model.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings

from _common import Report, arguments, load, parse, spread, timed, times

FACTORS, DRAWS, BURN_IN, PARTS = 16, 200, 20, 5
MOST_MILLISECONDS = 5.0


def main() -> None:
    args = parse(arguments(__doc__, seeds=1))
    report = Report("bayes_cold", args, seeds=args.seeds, factors=FACTORS, draws=DRAWS, burn_in=BURN_IN)
    found = load("ml-100k")
    parts = 1 if args.quick else PARTS
    gains, errors, clocks = [], {"item bias": [], "demographics": [], "nothing": []}, {}
    for seed in range(args.seeds):
        for part in range(parts):
            learn = one_part(found, part, seed, args.quick, gains, errors)
    clocks["fold-in, 50 ratings"] = folding(learn, 50)
    clocks["fold-in, features"] = spread(timed(lambda: learn.cold_start({"age": 30, "gender": "F"}), 50))
    conclude(report, gains, errors, clocks)
    report.finish()


def one_part(found, part, seed, quick, gains, errors):
    import numpy as np
    import polars as pl

    import vectable as vt

    users = np.random.default_rng(0).permutation(found.users["user"].to_numpy())
    cold = pl.Series(np.array_split(users, PARTS)[part])
    known = found.ratings.filter(~pl.col("user").is_in(cold.implode()))
    seen = pl.col("item").is_in(known["item"].implode())
    held_out = found.ratings.filter(pl.col("user").is_in(cold.implode()) & seen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        data = vt.RatingsData.from_df(
            known, found.user, found.item, found.rating, title=found.title, items=found.items, users=found.users,
            valid_pct=0,
        )  # fmt: skip
        learn = vt.bayes_collab_learner(
            data, FACTORS, 30 if quick else DRAWS, BURN_IN, history=False, seed=seed, progress=False
        )
        learn.fit()
    baseline = learn.recommender.baseline
    about = {row["user"]: row for row in found.users.drop("zip_code").iter_rows(named=True)}
    nobody = learn.fold_in({})
    for (user,), theirs in held_out.group_by("user", maintain_order=True):
        features = {name: value for name, value in about[user].items() if name != "user"}
        truth = theirs["rating"].to_numpy()
        codes = data.item_ids.encode(theirs["item"])
        guesses = {
            "item bias": np.clip(baseline.mean + baseline.item_bias[codes], 1, 5),
            "demographics": learn.cold_start(features).predict(theirs["item"]),
            "nothing": nobody.predict(theirs["item"]),
        }
        squares = {name: (guess - truth) ** 2 for name, guess in guesses.items()}
        for name, one in squares.items():
            errors[name].extend(one.tolist())
        gains.append((float((squares["item bias"] - squares["demographics"]).sum()), len(truth)))
    return learn


def folding(learn, n):
    given = dict.fromkeys(learn.data.item_ids.vocabulary.head(n).to_list(), 4.0)
    return spread(timed(lambda: learn.fold_in(given, {"age": 30, "gender": "F"}), 50))


def conclude(report, gains, errors, clocks):
    import numpy as np

    rows = {name: float(np.sqrt(np.mean(one))) for name, one in errors.items()}
    report.result("rmse", rows)
    report.table([{"": name, "RMSE of new users": f"{value:.4f}"} for name, value in rows.items()])
    sums, counts = np.array(gains).T
    gain = sums.sum() / counts.sum()
    half = 1.96 * np.sqrt(np.sum((sums - gain * counts) ** 2)) / counts.sum()
    report.result("gain", {"mean": float(gain), "low": float(gain - half), "high": float(gain + half)})
    report.conclude(
        f"Demographics lower the squared error of new users by {gain:.4f} ({gain - half:.4f} to {gain + half:.4f}, "
        f"95 % over {len(gains)} users) beside the item's bias."
    )
    report.target("lower end of the gain over the item's bias", float(gain - half), at_least=0.0)
    for name, one in clocks.items():
        report.result(name, one)
        report.say(f"{name}: {times(one, 1000)} ms")
        report.target(f"milliseconds, {name}", one["median"] * 1000, at_most=MOST_MILLISECONDS)


if __name__ == "__main__":
    main()
