"""Random splits: ml-100k, 10 % held out over 10 split seeds; ml-1m, goodbooks, movietweetings 90/10; and coverage.

Histories and all side features, no offsets of days. Coverage is the share of held-out ratings inside their 90 %
intervals, without features and histories too, so that it is not one model's luck.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings

from _common import Report, arguments, clock, load, mean_sd, parse, spread, times

FACTORS, BURN_IN = 16, 20
SETS = ("ml-100k", "ml-1m", "goodbooks", "movietweetings")
DRAWS = {"ml-100k": 600, "ml-1m": 200, "goodbooks": 200, "movietweetings": 200}
MOST_MSE, MOST_RMSE, COVERED = 0.755, 0.823, (0.88, 0.92)


def main() -> None:
    parser = arguments(__doc__, seeds=10)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    args = parse(parser)
    report = Report("bayes_random", args, split_seeds=args.seeds, factors=FACTORS, burn_in=BURN_IN, draws=DRAWS)
    warm_up()
    rows = []
    for name in args.sets:
        found = load(name)
        seeds = args.seeds if name == "ml-100k" else 1
        draws = 30 if args.quick else DRAWS[name]
        runs = [run(found, seed, draws, {}) for seed in range(seeds)]
        plain = run(found, 0, min(draws, 100), {"features": None, "history": False})
        rows.append(figures(report, name, runs, plain))
    report.table(rows)
    judge(report, args.sets)
    report.finish()


def run(found, seed, draws, settings):
    import vectable as vt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        with clock() as whole:
            data = found.to_data(valid_pct=0.1, seed=seed)
            learn = vt.bayes_collab_learner(data, FACTORS, draws, BURN_IN, seed=seed, progress=False, **settings)
            with clock() as fit:
                learn.fit()
    measured = learn.validate()
    return {
        "mse": measured["valid_loss"],
        "rmse": measured["rmse"],
        "covered": learn.coverage([0.9]).table["covered"][0],
        "fit": fit(),
        "whole": whole(),
    }


def warm_up():
    import vectable as vt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        few = vt.datasets.load("goodbooks").ratings.head(300)
        vt.bayes_collab_learner(vt.RatingsData.from_df(few), 2, 3, 0, progress=False).fit()


def figures(report, name, runs, plain):
    found = {key: spread(one[key] for one in runs) for key in ("mse", "rmse", "covered", "fit", "whole")}
    report.result(name, {**found, "ids alone": plain})
    return {
        "": name,
        "splits": str(len(runs)),
        "MSE": mean_sd(found["mse"]),
        "RMSE": mean_sd(found["rmse"]),
        "inside 90 %": f"{found['covered']['mean']:.3f}",
        "fit, s": times(found["fit"]),
        "ids alone: RMSE": f"{plain['rmse']:.4f}",
        "inside 90 % ": f"{plain['covered']:.3f}",
    }


def judge(report, sets):
    results = report.found["results"]
    if "ml-100k" in sets:
        report.target("mean validation MSE, ml-100k", results["ml-100k"]["mse"]["mean"], at_most=MOST_MSE)
    if "ml-1m" in sets:
        report.target("RMSE, ml-1m", results["ml-1m"]["rmse"]["mean"], at_most=MOST_RMSE)
    for name in sets:
        for model, share in (
            ("with features", results[name]["covered"]["mean"]),
            ("ids alone", results[name]["ids alone"]["covered"]),
        ):
            report.target(f"share inside 90 % intervals, {name} {model}", share, at_least=COVERED[0])
            report.target(f"share inside 90 % intervals, {name} {model}", share, at_most=COVERED[1])


if __name__ == "__main__":
    main()
