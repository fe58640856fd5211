"""The canonical folds u1..u5 of ml-100k, never tuned on: one model, eight models, and Surprise's SVD.

The settings are those of the lesson's run. RMSE of a seed is the mean over the folds; the spread is over seeds.
"""

import statistics

from _common import (
    BATCH,
    EPOCHS,
    LESSON,
    LR,
    Report,
    arguments,
    clock,
    installed,
    load,
    mean_sd,
    parse,
    spread,
    times,
    warm_up,
)

MOST_RMSE, MOST_RMSE_OF_8, MOST_SECONDS_OF_8 = 0.907, 0.900, 5.0


def main() -> None:
    parser = arguments(__doc__, seeds=5)
    parser.add_argument("--models", type=int, default=8, help="size of the ensemble")
    args = parse(parser)
    report = Report("folds", args, seeds=args.seeds, epochs=EPOCHS, lr=LR, batch=BATCH, **LESSON)

    found = load("ml-100k")
    names = [found.user, found.item, found.rating]
    folds = [tuple(part.select(names) for part in fold) for fold in found.folds]
    folds = folds[:2] if args.quick else folds
    contenders = {
        "vectable": lambda *fold: ours(*fold, names, 1),
        f"vectable, n_models={args.models}": lambda *fold: ours(*fold, names, args.models),
    }
    if installed("surprise"):
        contenders["Surprise SVD, defaults"] = lambda *fold: surprise(*fold, names, {})
        contenders["Surprise SVD, 40 factors"] = lambda *fold: surprise(*fold, names, {"n_factors": 40})
    else:
        report.missing("Surprise")
    warm_up()

    # Fold by fold and seed by seed, all contenders in turn: whatever else the machine does hits them alike.
    runs = {who: [[] for _ in range(args.seeds)] for who in contenders}
    for seed in range(args.seeds):
        for train, valid in folds:
            for who, run in contenders.items():
                runs[who][seed].append(run(train, valid, seed))
        line = (f"{who} {statistics.fmean(one['rmse'] for one in runs[who][seed]):.4f}" for who in contenders)
        report.say(f"seed {seed}: RMSE " + ", ".join(line))

    report.table([figures(report, who, by_seed) for who, by_seed in runs.items()])
    judge(report, list(contenders))
    report.finish()


def ours(train, valid, seed, names, n_models):
    import vectable as vt

    user, item, rating = names
    with clock() as whole:
        data = vt.RatingsData.from_splits(train, valid, user=user, item=item, rating=rating, batch_size=BATCH)
        learn = vt.collab_learner(data, **LESSON, n_models=n_models, seed=seed, progress=False)
        with clock() as fit:
            learn.fit_one_cycle(EPOCHS, LR)
    return {"rmse": learn.validate()["rmse"], "fit": fit(), "whole": whole()}


def surprise(train, valid, seed, names, settings):
    import pandas as pd
    from surprise import SVD, Dataset, Reader, accuracy

    frame = pd.DataFrame(train.to_dict(as_series=False))
    with clock() as whole:
        trainset = Dataset.load_from_df(frame[names], Reader(rating_scale=(1, 5))).build_full_trainset()
        model = SVD(random_state=seed, **settings)
        with clock() as fit:
            model.fit(trainset)
    return {
        "rmse": accuracy.rmse(model.test(valid.select(names).rows()), verbose=False),
        "fit": fit(),
        "whole": whole(),
    }


def figures(report, who, by_seed):
    """Keep a contender's figures; its row of the table. `by_seed`: the runs of each seed, a fold each."""
    every = [run for runs in by_seed for run in runs]
    found = {
        "rmse": spread(statistics.fmean(run["rmse"] for run in runs) for runs in by_seed),
        "rmse_by_fold": [statistics.fmean(runs[at]["rmse"] for runs in by_seed) for at in range(len(by_seed[0]))],
        "fit": spread(run["fit"] for run in every),
        "whole": spread(run["whole"] for run in every),
    }
    report.result(who, found)
    return {
        "": who,
        "RMSE": mean_sd(found["rmse"]),
        "u1 alone": f"{found['rmse_by_fold'][0]:.4f}",
        "fit a fold, s": times(found["fit"]),
        "data and fit, s": times(found["whole"]),
    }


def judge(report, names):
    results, (one, many) = report.found["results"], names[:2]
    report.target("mean RMSE of one model", results[one]["rmse"]["mean"], at_most=MOST_RMSE)
    report.target(f"mean RMSE, {many.split(', ')[1]}", results[many]["rmse"]["mean"], at_most=MOST_RMSE_OF_8)
    report.target(f"seconds a fold, {many.split(', ')[1]}", results[many]["fit"]["median"], at_most=MOST_SECONDS_OF_8)
    for peer in names[2:]:
        error = results[peer]["rmse"]["mean"] - results[one]["rmse"]["mean"]
        ratio = results[peer]["fit"]["median"] / results[one]["fit"]["median"]
        winner = {(True, True): "vectable wins on both", (False, False): f"{peer} wins on both"}.get(
            (error > 0, ratio > 1), "each wins on one"
        )
        report.conclude(
            f"Beside {peer}, one vectable model has an RMSE {abs(error):.4f} {'lower' if error > 0 else 'higher'} "
            f"and takes {1 / ratio:.2f} times as long to fit: {winner}."
        )


if __name__ == "__main__":
    main()
