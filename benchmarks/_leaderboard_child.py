"""One library on one data set, in a process of its own: tuned on validation, then fitted and listed for each seed.

Called by `leaderboard.py` as ``python _leaderboard_child.py LIBRARY IN.npz OUT.npz``; needs the library, numpy and
scipy. The file that comes in holds user and item numbers and ratings of the training and the validation part, and the
seeds; the one that goes out the lists, (seeds, users, 10), the tries with their NDCG, and CPU seconds and memory.
"""

import json
import os
import resource
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402 - after the number of threads
import scipy.sparse as sp  # noqa: E402

N = 10
BUDGET = 8  # settings tried by each library
LONGEST = 15.0  # CPU seconds of trying; what was tried until then counts


class Rows:
    """Training rows: who met what, and how it was rated."""

    def __init__(self, users, items, ratings, shape):
        self.users, self.items, self.ratings, self.shape = users, items, ratings, shape
        self.matrix = sp.csr_matrix((np.ones(len(users), dtype=np.float32), (users, items)), shape=shape)

    def best(self, score, wanted):
        """The ten best items of each user that they have not met, from a function to scores of every item."""
        lists = np.zeros((len(wanted), N), dtype=np.int64)
        for first in range(0, len(wanted), 512):
            block = wanted[first : first + 512]
            scores = np.array(score(block), dtype=np.float64)
            met = self.matrix[block]
            scores[met.nonzero()] = -np.inf
            top = np.argpartition(-scores, N, axis=1)[:, :N]
            order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1, kind="stable")
            lists[first : first + 512] = np.take_along_axis(top, order, 1)
        return lists


# ---------------------------------------------------------------- the libraries: settings, and lists by one of them


def implicit_settings():
    settings = [
        ("als", {"factors": f, "regularization": r, "alpha": a})
        for f, r, a in ((64, 0.01, 1), (64, 1, 1), (64, 10, 1), (128, 10, 1), (128, 30, 1), (64, 30, 5))
    ]
    return [*settings, ("cosine", {"K": 100}), ("bm25", {"K": 100, "B": 0.5})]


def implicit_lists(rows, wanted, seed, model, how):
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

    if model == "als":
        fitted = AlternatingLeastSquares(**how, iterations=15, random_state=seed, num_threads=1)
    else:
        fitted = (CosineRecommender if model == "cosine" else BM25Recommender)(**how, num_threads=1)
    fitted.fit(rows.matrix, show_progress=False)
    return fitted.recommend(wanted, rows.matrix[wanted], N=N)[0]


def irspack_settings():
    als = [{"n_components": 64, "alpha0": a, "reg": r, "train_epochs": 16} for a, r in ((0.1, 0.003), (0.3, 0.003))]
    return [
        *(("DenseSLIM", {"reg": reg}) for reg in (25, 100, 500)),
        *(("IALS", how) for how in als),
        ("IALS", {"n_components": 128, "alpha0": 0.3, "reg": 0.01}),
        ("RP3beta", {"alpha": 1.0, "beta": 0.6}),
        ("CosineKNN", {"shrinkage": 20.0, "top_k": 100}),
    ]


def irspack_lists(rows, wanted, seed, model, how):
    import irspack

    how = {**how, "random_seed": seed} if model == "IALS" else how
    how = how if model == "DenseSLIM" else {**how, "n_threads": 1}
    fitted = getattr(irspack, f"{model}Recommender")(sp.csr_matrix(rows.matrix, dtype=np.float64), **how).learn()
    return rows.best(fitted.get_score, wanted)


def lenskit_settings():
    others = [("ease", {"regularization": reg}) for reg in (25, 100, 500)]
    others += [("item", {"max_nbrs": most, "feedback": "implicit"}) for most in (50, 20)]
    als = [(64, 1, 10), (64, 10, 10), (128, 10, 5)]
    return others + [("als", {"embedding_size": f, "regularization": r, "weight": w, "epochs": 15}) for f, r, w in als]


def lenskit_lists(rows, wanted, seed, model, how):
    import pandas as pd
    from lenskit.als import ImplicitMFScorer
    from lenskit.batch import recommend
    from lenskit.data import from_interactions_df
    from lenskit.knn import EASEScorer, ItemKNNScorer
    from lenskit.pipeline import topn_pipeline
    from lenskit.training import TrainingOptions

    scorer = {"als": ImplicitMFScorer, "ease": EASEScorer, "item": ItemKNNScorer}[model](**how)
    data = from_interactions_df(pd.DataFrame({"user_id": rows.users, "item_id": rows.items}))
    pipeline = topn_pipeline(scorer, n=N)
    pipeline.train(data, TrainingOptions(rng=seed))
    found = recommend(pipeline, wanted.tolist(), n=N, n_jobs=1)
    lists = np.full((len(wanted), N), -1, dtype=np.int64)
    place = {int(user): at for at, user in enumerate(wanted)}
    for key, listed in found:
        ids = listed.ids()[:N]
        lists[place[int(key.user_id)], : len(ids)] = ids
    return lists


def rectools_settings():
    als = [
        ("als", {"factors": f, "regularization": r, "alpha": a})
        for f, r, a in ((64, 0.01, 1), (64, 10, 1), (128, 10, 1), (128, 30, 1))
    ]
    return [*(("ease", {"regularization": reg}) for reg in (25, 100, 500)), *als, ("cosine", {"K": 100})]


def rectools_lists(rows, wanted, seed, model, how):
    import pandas as pd
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import EASEModel, ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel

    frame = {Columns.User: rows.users, Columns.Item: rows.items, Columns.Weight: 1.0, Columns.Datetime: "2024-01-01"}
    data = Dataset.construct(pd.DataFrame(frame))
    if model == "als":
        fitted = ImplicitALSWrapperModel(
            AlternatingLeastSquares(**how, iterations=15, random_state=seed, num_threads=1)
        )
    elif model == "ease":
        fitted = EASEModel(**how, num_threads=1)
    else:
        fitted = ImplicitItemKNNWrapperModel(CosineRecommender(**how, num_threads=1))
    fitted.fit(data)
    known = np.intersect1d(wanted, rows.users)
    found = fitted.recommend(known, data, k=N, filter_viewed=True)
    lists = np.full((len(wanted), N), -1, dtype=np.int64)
    place = np.searchsorted(wanted, found[Columns.User].to_numpy())
    lists[place, found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
    return lists


def surprise_settings():
    return [
        ("SVD", {"n_factors": f, "n_epochs": e, "reg_all": r}) for f in (20, 100) for e in (20, 40) for r in (0.02, 0.1)
    ]


def surprise_lists(rows, wanted, seed, model, how):
    import pandas as pd
    from surprise import SVD, Dataset, Reader

    frame = pd.DataFrame({"user": rows.users, "item": rows.items, "rating": rows.ratings})
    train = Dataset.load_from_df(
        frame, Reader(rating_scale=(rows.ratings.min(), rows.ratings.max()))
    ).build_full_trainset()
    fitted = SVD(**how, random_state=seed).fit(train)
    users = np.zeros(rows.shape[0], dtype=np.int64)
    users[np.unique(rows.users)] = [train.to_inner_uid(user) for user in np.unique(rows.users)]
    known = np.unique(rows.items)
    inner = np.array([train.to_inner_iid(item) for item in known])

    def score(block):
        scores = np.full((len(block), rows.shape[1]), -np.inf)
        at = users[block]
        scores[:, known] = fitted.pu[at] @ fitted.qi[inner].T + fitted.bi[inner] + fitted.bu[at][:, None]
        return scores

    return rows.best(score, wanted)


def myfm_settings():
    return [("FM", {"rank": rank, "n_iter": draws}) for draws in (40, 100) for rank in (5, 10, 20, 2)]


def myfm_lists(rows, wanted, seed, model, how):
    from myfm import MyFMRegressor

    n_users, n_items = rows.shape
    at = np.arange(len(rows.users))
    one_hot = sp.csr_matrix(
        (np.ones(2 * len(at)), (np.concatenate([at, at]), np.concatenate([rows.users, n_users + rows.items]))),
        shape=(len(at), n_users + n_items),
    )
    fitted = MyFMRegressor(rank=how["rank"], random_seed=seed)
    fitted.fit(
        one_hot, rows.ratings, group_shapes=[n_users, n_items], n_iter=how["n_iter"], n_kept_samples=how["n_iter"] - 10
    )
    draws = [(fm.w0, np.array(fm.w), np.array(fm.V)) for fm in fitted.predictor_.samples]

    def score(block):
        total = np.zeros((len(block), n_items))
        for w0, w, v in draws:
            total += w0 + w[block][:, None] + w[n_users:] + v[block] @ v[n_users:].T
        return total

    return rows.best(score, wanted)


def libmf_settings():
    return [
        ("BPR", {"k": k, "lr": lr, "iters": i})
        for k in (16, 64)
        for lr, i in ((0.1, 30), (0.05, 60), (0.02, 100), (0.1, 100))
    ]


def libmf_lists(rows, wanted, seed, model, how):
    from libmf import mf

    fitted = mf.MF(
        fun=10,
        k=how["k"],
        nr_bins=20,
        nr_threads=1,
        nr_iters=how["iters"],
        lambda_p2=0.005,
        lambda_q2=0.005,
        lambda_p1=0.0,
        lambda_q1=0.0,
        eta=how["lr"],
        do_nmf=False,
        verbose=0,
        copy_data=False,
    )
    order = np.random.default_rng(seed).permutation(len(rows.users))
    triples = np.stack([rows.users, rows.items, np.ones(len(rows.users))], axis=1)[order]
    fitted.fit(np.ascontiguousarray(triples))
    users, items = np.nan_to_num(fitted.p_factors()), np.nan_to_num(fitted.q_factors())

    def score(block):
        scores = np.full((len(block), rows.shape[1]), -np.inf)
        scores[:, : len(items)] = users[block] @ items.T
        return scores

    return rows.best(score, wanted)


def vectable_settings():
    als = [{"n_factors": 128}, {"n_factors": 64, "reg": 0.03}, {"n_factors": 64, "epochs": 25}]
    return [*((model, {}) for model in ("ease", "als", "neighbours")), *(("als", how) for how in als), ("auto", {})]


def vectable_lists(rows, wanted, seed, model, how):
    import polars as pl

    import vectable as vt

    frame = pl.DataFrame({"user": rows.users, "item": rows.items})
    inner = (
        0.1 if model == "auto" else 0.0
    )  # auto chooses on a part of what it is given, and is then fitted to all of it
    data = vt.InteractionsData.from_df(frame, "user", "item", split="random", valid_pct=inner, test_pct=0, seed=seed)
    learn = vt.implicit_learner(data, model, als={"seed": seed, **how}, progress=False).fit(refit=model == "auto")
    found = learn.recommend_many(wanted, N)
    lists = np.full((len(wanted), N), -1, dtype=np.int64)
    lists[np.searchsorted(wanted, found["user"].to_numpy()), found["rank"].to_numpy() - 1] = found["item"].to_numpy()
    return lists


# ---------------------------------------------------------------- tuning and measuring


def ndcg(lists, targets, wanted):
    """Mean NDCG at ten with binary gains."""
    gains = 1 / np.log2(np.arange(2, N + 2))
    found = np.asarray(targets[np.repeat(wanted, N), np.maximum(lists, 0).ravel()]).reshape(len(wanted), N) > 0
    found &= lists >= 0
    possible = np.minimum(np.asarray(targets[wanted].sum(axis=1)).ravel().astype(int), N)
    return float(((found * gains).sum(axis=1) / np.cumsum(gains)[possible - 1]).mean())


def main():
    library, source, target = sys.argv[1:]
    given = dict(np.load(source))
    settings, lists_of = (globals()[f"{library}_{name}"] for name in ("settings", "lists"))
    shape = tuple(given["shape"].tolist())
    train, valid = given["part"] == 0, given["part"] == 1
    rows = Rows(given["users"][train], given["items"][train], given["ratings"][train], shape)
    known = np.unique(rows.users)
    validating = np.intersect1d(np.unique(given["users"][valid]), known)
    targets = sp.csr_matrix((np.ones(valid.sum()), (given["users"][valid], given["items"][valid])), shape=shape)
    few = Rows(rows.users[:500], rows.items[:500], rows.ratings[:500], shape)
    if library == "vectable":  # kernels are compiled or loaded
        lists_of(few, np.unique(few.users), 0, "auto", {})
    tries, began = [], time.process_time()
    for model, how in settings()[:BUDGET]:
        started = time.process_time()
        found = ndcg(lists_of(rows, validating, 0, model, how), targets, validating)
        tries.append({"model": model, "how": how, "ndcg": found, "cpu": time.process_time() - started})
        if time.process_time() - began > LONGEST:
            break
    best = max(tries, key=lambda one: one["ndcg"])
    everything = Rows(given["users"], given["items"], given["ratings"], shape)
    wanted = given["wanted"]
    lists, seconds = [], []
    for seed in given["seeds"].tolist():
        started = time.process_time()
        lists.append(lists_of(everything, wanted, seed, best["model"], best["how"]))
        seconds.append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    about = {"tries": tries, "best": best, "seconds": seconds, "tuning": sum(one["cpu"] for one in tries), "peak": peak}
    np.savez(target, lists=np.stack(lists).astype(np.int64), about=json.dumps(about))


if __name__ == "__main__":
    main()
