"""The record: draws from the posterior on the canonical folds u1..u5 of ml-100k, beside myFM, one thread each.

RMSE of a seed is the mean over the folds; the spread is over the sampler's seeds. With features and histories and the
normal likelihood more draws are made, since those rows move slowly: their number was chosen on a split of u1's training
rows. There, too, stars as ordered categories had a lower error after 200 draws than the normal likelihood after 600.
Coverage is the share of held-out ratings inside their 90 % intervals; intervals of whole stars hold more.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import warnings

from _common import Report, arguments, clock, installed, load, mean_sd, parse, spread, times

FACTORS, BURN_IN = 16, 20
MODELS = {
    "ids alone": {"features": None, "history": False, "n_draws": 200},
    "histories": {"features": None, "n_draws": 600},
    "everything": {"user_day_bias": True, "n_draws": 600},
    "histories, ordinal": {"features": None, "likelihood": "ordinal", "n_draws": 200},
    "everything, ordinal": {"user_day_bias": True, "likelihood": "ordinal", "n_draws": 200},
}
MOST = {
    "ids alone": 0.897, "histories": 0.880, "everything": 0.874,
    "histories, ordinal": 0.879, "everything, ordinal": 0.872,
}  # fmt: skip
MOST_SECONDS, COVERED = 3.0, (0.88, 0.92)
PEER_RANK, PEER_DRAWS = 10, 200


def main() -> None:
    parser = arguments(__doc__, seeds=5)
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--peer-seeds", type=int, default=1, help="seeds of myFM, minutes each; 0 for none")
    args = parse(parser)
    report = Report("bayes_folds", args, seeds=args.seeds, factors=FACTORS, burn_in=BURN_IN, models=args.models)
    found = load("ml-100k")
    folds = found.folds[:1] if args.quick else found.folds
    warm_up(found)

    runs = {name: [[] for _ in range(args.seeds)] for name in args.models}
    peers = {"myFM, ids alone": ("ids alone", peer), "myFM, histories": ("histories", peer)}
    peers = {who: one for who, one in peers.items() if one[0] in args.models and args.peer_seeds and not args.quick}
    if not installed("myfm"):
        report.missing("myFM")
        peers = {}
    runs |= {who: [[] for _ in range(args.peer_seeds)] for who in peers}
    for seed in range(args.seeds):
        for train, valid in folds:
            for name in args.models:
                runs[name][seed].append(ours(found, train, valid, seed, MODELS[name], args.quick))
            if seed < args.peer_seeds:
                for who, (name, run) in peers.items():
                    runs[who][seed].append(run(train, valid, seed, name == "histories"))
        line = (
            f"{who} {statistics.fmean(one['rmse'] for one in of[seed]):.4f}"
            for who, of in runs.items()
            if seed < len(of)
        )
        report.say(f"seed {seed}: RMSE " + ", ".join(line))

    report.table([figures(report, who, by_seed) for who, by_seed in runs.items()])
    judge(report, args.models, peers)
    report.finish()


def ours(found, train, valid, seed, settings, quick):
    import vectable as vt

    settings = {**settings, "n_draws": 40} if quick else settings
    with clock() as whole:
        data = vt.RatingsData.from_splits(
            train, valid, found.user, found.item, found.rating, timestamp=found.timestamp, items=found.items,
            users=found.users, title=found.title,
        )  # fmt: skip
        learn = vt.bayes_collab_learner(data, FACTORS, burn_in=BURN_IN, seed=seed, progress=False, **settings)
        with clock() as fit, warnings.catch_warnings():
            warnings.simplefilter("ignore", vt.VectableWarning)
            learn.fit()
    measured = learn.validate()
    return {
        "rmse": measured["rmse"],
        "covered": learn.coverage([0.9]).table["covered"][0],
        "fit": fit(),
        "whole": whole(),
    }


def peer(train, valid, seed, with_history):
    """myFM's Bayesian factorisation machine, in relation blocks, its quick way; with histories its "SVD++ flipped"."""
    import numpy as np
    from myfm import MyFMRegressor, RelationBlock
    from scipy import sparse

    with clock() as whole:
        users, items = (np.unique(train[name]) for name in ("user", "item"))
        pairs = one_hot(train["user"].to_numpy(), users).T @ one_hot(train["item"].to_numpy(), items)
        blocks = []
        for own in (pairs, pairs.T):
            parts = [sparse.identity(own.shape[0]), *([shared(own)] if with_history else [])]
            block = sparse.hstack(parts, format="csr")
            blocks.append(sparse.vstack([block, sparse.csr_matrix((1, block.shape[1]))], format="csr"))

        def relations(frame):
            places = (place(frame[name].to_numpy(), known) for name, known in (("user", users), ("item", items)))
            return [RelationBlock(at.tolist(), block) for at, block in zip(places, blocks, strict=True)]

        nothing = [sparse.csr_matrix((len(frame), 0)) for frame in (train, valid)]
        widths = [
            len(users),
            *([len(items)] if with_history else []),
            len(items),
            *([len(users)] if with_history else []),
        ]
        model = MyFMRegressor(rank=PEER_RANK, random_seed=seed)
        with clock() as fit:
            model.fit(
                nothing[0], train["rating"].to_numpy().astype(float), X_rel=relations(train),
                n_iter=PEER_DRAWS + BURN_IN, n_kept_samples=PEER_DRAWS, group_shapes=widths,
            )  # fmt: skip
    error = model.predict(nothing[1], relations(valid)).clip(1, 5) - valid["rating"].to_numpy()
    return {"rmse": float(np.sqrt((error**2).mean())), "covered": float("nan"), "fit": fit(), "whole": whole()}


def place(values, known):
    """Where each value stands among the known ones; past the last where it does not."""
    import numpy as np

    at = np.searchsorted(known, values).clip(max=len(known) - 1)
    return np.where(known[at] == values, at, len(known))


def one_hot(values, known):
    import numpy as np
    from scipy import sparse

    at = np.searchsorted(known, values).clip(max=len(known) - 1)
    there = np.flatnonzero(known[at] == values)
    return sparse.csr_matrix((np.ones(len(there)), (there, at[there])), shape=(len(values), len(known)))


def shared(pairs):
    import numpy as np
    from scipy import sparse

    counts = np.asarray(pairs.sum(axis=1)).ravel()
    return sparse.diags(1 / np.sqrt(np.maximum(counts, 1))) @ pairs.tocsr()


def warm_up(found):
    import vectable as vt

    data = vt.RatingsData.from_df(found.ratings.head(300), found.user, found.item, found.rating)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        vt.bayes_collab_learner(data, 2, 3, 0, progress=False).fit()


def figures(report, who, by_seed):
    """Keep a contender's figures; its row of the table. `by_seed`: the runs of each seed, a fold each."""
    every = [run for runs in by_seed for run in runs]
    found = {
        "rmse": spread(statistics.fmean(run["rmse"] for run in runs) for runs in by_seed),
        "rmse_by_fold": [statistics.fmean(runs[at]["rmse"] for runs in by_seed) for at in range(len(by_seed[0]))],
        "covered": statistics.fmean(run["covered"] for run in every),
        "fit": spread(run["fit"] for run in every),
        "whole": spread(run["whole"] for run in every),
    }
    report.result(who, found)
    return {
        "": who,
        "RMSE": mean_sd(found["rmse"]),
        "u1 alone": f"{found['rmse_by_fold'][0]:.4f}",
        "inside 90 %": f"{found['covered']:.3f}",
        "fit a fold, s": times(found["fit"]),
        "data and fit, s": times(found["whole"]),
    }


def judge(report, models, peers):
    results = report.found["results"]
    for name in models:
        report.target(f"mean RMSE, {name}", results[name]["rmse"]["mean"], at_most=MOST[name])
        report.target(f"share inside 90 % intervals, {name}", results[name]["covered"], at_least=COVERED[0])
        if MODELS[name].get("likelihood") != "ordinal":
            report.target(f"share inside 90 % intervals, {name}", results[name]["covered"], at_most=COVERED[1])
    if "ids alone" in models:
        report.target("seconds a fold, ids alone", results["ids alone"]["fit"]["median"], at_most=MOST_SECONDS)
    for who, (name, _) in peers.items():
        gain = results[who]["rmse"]["mean"] - results[name]["rmse"]["mean"]
        ratio = results[who]["fit"]["median"] / results[name]["fit"]["median"]
        report.conclude(
            f"Beside {who} ({PEER_DRAWS} draws, rank {PEER_RANK}), ours has an RMSE {abs(gain):.4f} "
            f"{'lower' if gain > 0 else 'higher'} in {1 / ratio:.2f} times the time."
        )


if __name__ == "__main__":
    main()
