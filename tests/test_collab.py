"""The ratings learner: training by both engines, what it learned, recommending, growing."""

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

import vectable as vt
from vectable.recommending.ranking import measure_lists
from vectable.recommending.top_n import top_items


def planted(n_users: int = 120, n_items: int = 80, share: float = 0.4, seed: int = 0) -> pl.DataFrame:
    """Ratings 1 to 5 from planted biases and two factors: some items are good, and tastes differ."""
    rng = np.random.default_rng(seed)
    taste, kind = rng.normal(size=(n_users, 2)), rng.normal(size=(n_items, 2))
    truth = 3 + 0.4 * rng.normal(size=(n_users, 1)) + 0.6 * rng.normal(size=n_items) + 0.7 * taste @ kind.T
    user, item = np.nonzero(rng.random((n_users, n_items)) < share)
    rating = np.clip(np.round(truth[user, item] + 0.3 * rng.normal(size=len(user))), 1, 5)
    titles = np.array([f"Film {at:02d}" for at in range(n_items)])
    return pl.DataFrame({"user": user + 100, "item": item * 10, "rating": rating, "title": titles[item]})


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return planted()


@pytest.fixture(scope="module")
def learn(frame: pl.DataFrame) -> vt.CollabLearner:
    data = vt.RatingsData.from_df(frame, title="title")
    learner = vt.collab_learner(data, n_factors=5, wd=0.05, progress=False)
    learner.fit_one_cycle(15, 0.02)
    return learner


def fitted(
    frame: pl.DataFrame, epochs: int = 3, block_order: bool | None = None, lr: float = 0.02, **options: Any
) -> vt.CollabLearner:
    data = vt.RatingsData.from_df(frame, batch_size=32)
    data.block_order = block_order
    learner = vt.collab_learner(data, **{"n_factors": 5, "progress": False, **options})
    learner.fit_one_cycle(epochs, lr)
    return learner


# ---------------------------------------------------------------- training


def test_it_beats_the_baselines_on_planted_tastes(learn: vt.CollabLearner) -> None:
    measured = learn.validate()
    assert set(measured) == {"valid_loss", "rmse", "mae", "baselines"}
    assert measured["rmse"] < 0.85 * measured["baselines"]["biases"]["rmse"]
    assert measured["baselines"]["biases"]["rmse"] < measured["baselines"]["global mean"]["rmse"]
    assert measured["valid_loss"] == pytest.approx(measured["rmse"] ** 2, rel=1e-5)


@pytest.mark.parametrize("block_order", [False, True])
@pytest.mark.parametrize("preset", ["modern", "lesson"])
def test_both_engines_agree_over_a_whole_run(frame: pl.DataFrame, block_order: bool, preset: str) -> None:
    """The same start and batches, the lesson's settings, the epsilon in use: what lazy catching-up leaves out is small.

    Measured: losses differ by 6e-5, predictions by .0023 at most.
    """
    settings = {"n_factors": 40, "wd": 0.1, "preset": preset, "block_order": block_order}
    compiled, torched = (fitted(frame, 5, lr=5e-3, engine=engine, **settings) for engine in ("compiled", "torch"))
    assert [one.session.engines[0].name for one in (compiled, torched)] == ["compiled", "torch"]
    assert compiled.validate()["valid_loss"] == pytest.approx(torched.validate()["valid_loss"], abs=1e-4)
    assert np.abs(compiled.predict(frame) - torched.predict(frame)).max() < 0.005
    assert np.allclose(compiled.recorder.lrs, torched.recorder.lrs)


def test_at_a_vanishing_epsilon_the_engines_weights_agree(frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from vectable.training import presets

    monkeypatch.setitem(presets.PRESETS, "modern", replace(presets.PRESETS["modern"], eps=1e-16))
    for block_order in (False, True):
        pair = [fitted(frame, block_order=block_order, engine=engine) for engine in ("compiled", "torch")]
        for one, other in zip(pair[0].model.parameters(), pair[1].model.parameters(), strict=True):
            assert torch.allclose(one[1:], other[1:], atol=2e-4), float((one[1:] - other[1:]).abs().max())


@pytest.mark.parametrize("engine", ["compiled", "sgd", "torch"])
def test_the_same_seed_gives_the_same_bits_with_one_thread_or_two(frame: pl.DataFrame, engine: str) -> None:
    runs = [fitted(frame, block_order=True, engine=engine, threads=threads) for threads in (1, 2, 2)]
    first = runs[0].predict(frame)
    assert all(np.array_equal(first, run.predict(frame)) for run in runs[1:])
    assert not np.array_equal(first, fitted(frame, block_order=True, engine=engine, seed=1).predict(frame))


def test_without_the_compiler_it_trains_with_torch_and_says_so(
    frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vectable.compiling import EngineUnavailable

    def broken(**_: object) -> None:
        raise EngineUnavailable("numba is broken here")

    monkeypatch.setattr("vectable.training.engines.compiled_engine.warm_up", broken)
    with pytest.warns(vt.VectableWarning, match="numba is broken here"):
        assert fitted(frame, epochs=1).session.engines[0].name == "torch"
    with pytest.raises(vt.VectableError, match="cannot train this: numba is broken here"):
        fitted(frame, epochs=1, engine="compiled")


def test_the_multi_layer_net_learns_too(frame: pl.DataFrame) -> None:
    learner = fitted(frame, epochs=10, use_nn=True, layers=[50], wd=0.01)
    measured = learner.validate()
    assert measured["rmse"] < measured["baselines"]["global mean"]["rmse"]
    assert len(learner.recommend(100, n=3)) == 3
    assert len(learner.fold_in({0: 5, 10: 1}).recommend(3)) == 3
    with pytest.raises(vt.VectableError, match="no biases"):
        learner.bias([0])


def test_an_ensemble_predicts_the_mean_and_spread_of_its_members(frame: pl.DataFrame) -> None:
    learner = fitted(frame, epochs=5, n_models=3)
    each = np.stack([learner.session.outputs(m, learner.data.valid).numpy() for m in learner.model.members])
    predicted, _ = learner.get_preds()
    assert np.allclose(predicted.numpy(), each.mean(axis=0), atol=1e-6)
    assert each.std(axis=0).min() > 0
    mean, spread = learner.predict(frame, return_std=True)
    assert np.array_equal(mean, learner.predict(frame))
    assert spread.shape == mean.shape
    assert spread.mean() > 0
    losses = [float(((one - learner.data.valid.target.numpy()) ** 2).mean()) for one in each]
    assert learner.validate()["valid_loss"] < np.mean(losses)
    assert learner.weight([0]).shape == (1, 15)
    terms = dict(learner.explain(100, 0).select("term", "points").rows())
    assert terms["prediction"] == pytest.approx(float(learner.predict({"user": [100], "item": [0]})[0]), abs=1e-5)
    assert len(learner.fold_in({0: 5}).recommend(3)) == 3


# ---------------------------------------------------------------- what it learned


def test_bias_and_weight_are_the_models_rows(learn: vt.CollabLearner) -> None:
    model, code = learn.model, learn.data.item_ids.encode([30])[0]
    assert learn.bias([30]) == pytest.approx(model.item_bias.weight[code].detach().numpy())
    assert np.array_equal(learn.bias(["Film 03"]), learn.bias([30]))
    assert np.array_equal(learn.weight([30])[0], model.item_factors.weight[code].detach().numpy())
    assert learn.weight([100, 101], is_item=False).shape == (2, 5)
    assert learn.bias([100], is_item=False).shape == (1,)


def test_an_unknown_name_gives_the_average_and_says_so(learn: vt.CollabLearner) -> None:
    with pytest.warns(vt.VectableWarning, match=r"1 unknown item \('Film 99'\).*Close to 'Film 99'"):
        stand_in = learn.bias(["Film 99"])
    assert stand_in[0] == pytest.approx(learn.model.item_bias.weight[1:].mean().item(), abs=1e-6)
    with pytest.raises(vt.UnknownNameError, match="Film 99"):
        learn.similar("Film 99")


def test_biases_stand_beside_plain_means(learn: vt.CollabLearner, frame: pl.DataFrame) -> None:
    table = learn.biases(top=20)
    assert len(table) == 20
    assert table["bias"].is_sorted(descending=True)
    assert np.corrcoef(table["bias"], table["mean_rating"])[0, 1] > 0.8
    train = learn.data.train_ratings
    code = learn.data.item_ids.encode([table["item"][0]])[0]
    assert table["mean_rating"][0] == pytest.approx(train.rating[train.item == code].mean(), abs=1e-6)
    assert table["ratings"][0] == (train.item == code).sum()


def test_pca_agrees_with_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    vectors = np.random.default_rng(0).normal(size=(30, 6)) * np.arange(1, 7)
    reference = PCA(3).fit(vectors)
    scores, shares = vt.insight.components.principal_components(vectors, 3)
    assert np.allclose(np.abs(scores), np.abs(reference.transform(vectors)))
    assert np.allclose(shares, reference.explained_variance_ratio_)
    assert np.array_equal(vt.pca(vectors, 3), scores)
    assert np.allclose(vt.pca(torch.from_numpy(vectors), 2), scores[:, :2])
    with pytest.raises(vt.VectableError, match="1 to 6"):
        vt.pca(vectors, 7)


def test_components_and_map(learn: vt.CollabLearner, tmp_path: Any) -> None:
    table, shares = learn.components(2, top=50)
    assert table.columns == ["item", "title", "factor 0", "factor 1"]
    assert len(table) == 50
    assert 1 >= shares[0] >= shares[1] > 0
    figure = learn.plot_map(show=30, path=str(tmp_path / "map.png"))
    labels = figure.axes[0].texts
    assert len(labels) == 30
    boxes = [Text.get_window_extent(label) for label in labels]  # without the line to its point
    overlaps = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
    assert not overlaps
    assert (tmp_path / "map.png").stat().st_size > 10_000


def likeness_written_out(learn: vt.CollabLearner, one: int, other: int) -> float:
    """Two items' cosines of factors and of audiences, a user at a time."""
    factors = learn.model.item_factors.weight.detach().numpy().astype(np.float64)
    users = learn.model.user_factors.weight.detach().numpy().astype(np.float64)[1:]
    centred = users - users.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centred.T))
    white = centred @ axes / np.sqrt(values)  # whitened another way: dot products are the same
    train, counts = learn.data.train_ratings, learn.data.item_counts
    audience = np.zeros_like(factors)
    for user, item in zip(train.user, train.item, strict=True):
        audience[item] += white[user - 1] / np.sqrt((train.user == user).sum())

    def cosine(vectors: np.ndarray) -> float:
        rows = vectors[[one, other]] - vectors[1:].mean(axis=0)
        return float(rows[0] @ rows[1] / np.linalg.norm(rows[0]) / np.linalg.norm(rows[1]))

    return (0.6 * cosine(factors) + 0.4 * cosine(audience)) * counts[other] / (counts[other] + 20)


def test_similar_items_are_those_of_the_planted_kind(learn: vt.CollabLearner) -> None:
    table = learn.similar("Film 05", n=7)
    assert len(table) == 7
    assert "Film 05" not in table["title"].to_list()
    assert table["similarity"].is_sorted(descending=True)
    codes = learn.data.item_ids.encode([50, table["item"][0], table["item"][6]])
    for at, code in ((0, codes[1]), (6, codes[2])):
        assert table["similarity"][at] == pytest.approx(likeness_written_out(learn, codes[0], code), abs=1e-4)


def test_rarely_rated_neighbours_are_left_out_unless_asked_for(learn: vt.CollabLearner) -> None:
    everything = learn.data.n_items
    counts = learn.similar("Film 05", n=everything, min_ratings=0)["ratings"]
    assert len(counts) == everything - 1
    median = int(counts.sort()[len(counts) // 2])
    kept = learn.similar("Film 05", n=everything, min_ratings=median)["ratings"]
    assert kept.sort().to_list() == counts.filter(counts >= median).sort().to_list()
    with pytest.raises(vt.VectableError, match="min_ratings must be a number of ratings, 0 or more; got -1"):
        learn.similar("Film 05", min_ratings=-1)


def test_an_explanation_adds_up(learn: vt.CollabLearner) -> None:
    item = learn.recommend(105, n=1)["item"][0]
    table = learn.explain(105, item, n=3)
    points: dict[str, list[float]] = {}
    for term, value in table.select("term", "points").rows():
        points.setdefault(term, []).append(value)
    prediction = float(learn.predict({"user": [105], "item": [item]})[0])
    assert points["prediction"][0] == pytest.approx(prediction, abs=1e-5)
    total = points["mean"][0] + points["user"][0] + points["item"][0] + points["taste"][0]
    assert total == pytest.approx(prediction, abs=1e-5)
    assert sum(points["because"]) + points["everything else"][0] == pytest.approx(points["taste"][0], abs=1e-5)
    seen = table.filter(pl.col("term") == "because")
    codes, ratings = learn.recommender.seen_by(int(learn.data.user_ids.encode([105])[0]))
    rated = dict(zip(learn.data.item_ids.decode(codes), ratings.tolist(), strict=True))
    assert len(seen) > 0
    assert {row["item"]: row["your_rating"] for row in seen.to_dicts()}.items() <= rated.items()


# ---------------------------------------------------------------- recommending


def test_recommend_is_the_sorted_predictions_of_what_is_unseen(learn: vt.CollabLearner, frame: pl.DataFrame) -> None:
    user = 107
    table = learn.recommend(user, n=12)
    known = learn.data.item_ids.vocabulary
    scores = learn.predict(pl.DataFrame({"user": [user] * len(known), "item": known}), raw=True)
    train = learn.data.train_ratings
    seen = set(learn.data.item_ids.decode(train.item[train.user == learn.data.user_ids.encode([user])[0]]))
    expected = [item for _, item in sorted(zip(-scores, known, strict=True)) if item not in seen][:12]
    assert table["item"].to_list() == expected
    best = np.sort(scores[[i not in seen for i in known]])[::-1][:12]
    assert np.allclose(table["prediction"], best.clip(1, 5), atol=1e-5), "ranked by the raw score, shown on the scale"
    assert set(learn.recommend(user, n=80, exclude_seen=False)["item"]) == set(known)


def test_the_filters_filter(learn: vt.CollabLearner) -> None:
    some = ["Film 01", 20, "Film 03"]
    assert set(learn.recommend(101, n=9, candidates=some, exclude_seen=False)["title"]) == {
        "Film 01",
        "Film 02",
        "Film 03",
    }
    best = learn.recommend(101, n=3)["title"].to_list()
    assert best[0] not in learn.recommend(101, n=80, exclude=[best[0]])["title"].to_list()
    assert learn.recommend(101, n=80, min_ratings=50)["ratings"].min() >= 50
    assert len(learn.recommend(101, min_ratings=10_000)) == 0


def test_an_unknown_user_gets_the_average_users_list_and_is_told(learn: vt.CollabLearner) -> None:
    with pytest.warns(vt.VectableWarning, match="average user"):
        table = learn.recommend("nobody", n=5)
    scores = learn.recommender.scores(np.array([0], dtype=np.int32))[0, 1:].numpy()
    assert table["prediction"].to_list() == pytest.approx(np.sort(scores)[::-1][:5].clip(1, 5), abs=1e-5)


def test_many_lists_are_the_single_ones(learn: vt.CollabLearner, monkeypatch: pytest.MonkeyPatch) -> None:
    from vectable.recommending import top_n

    monkeypatch.setattr(top_n, "SCORES_A_BLOCK", 81 * 7)  # seven users at a time
    table = learn.recommend_many(n=4)
    assert len(table) == 4 * learn.data.n_users
    for user in (100, 150, 219):
        mine = table.filter(pl.col("user") == user)
        assert mine["item"].to_list() == learn.recommend(user, n=4)["item"].to_list()
        assert mine["rank"].to_list() == [1, 2, 3, 4]
    with pytest.warns(vt.VectableWarning, match="1 of 2 rows"):
        assert learn.recommend_many([100, 5], n=2)["user"].to_list() == [100, 100, 5, 5]


def test_results_come_back_as_the_frame_that_came_in(frame: pl.DataFrame) -> None:
    pandas = fitted_from(frame.to_pandas()).recommend(100, n=2)
    assert isinstance(pandas, pd.DataFrame)
    assert list(pandas.columns) == ["item", "prediction", "ratings"]
    assert type(fitted_from(frame.to_arrow()).similar(10, n=2)).__module__.startswith("pyarrow")


def fitted_from(native: Any) -> vt.CollabLearner:
    learner = vt.collab_learner(vt.RatingsData.from_df(native), n_factors=3, progress=False)
    learner.fit(1, 0.01)
    return learner


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 40), st.integers(1, 5))
def test_top_items_equals_sorting(seed: int, n_items: int, n: int, n_users: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n_users, n_items)).astype(np.float32)
    seen = [rng.permutation(n_items)[: rng.integers(0, n_items)].astype(np.int32) for _ in range(n_users)]
    allowed = rng.random(n_items) < 0.8
    lists, values = top_items(
        lambda part: scores[part].copy(),
        n_users,
        n_items,
        n,
        seen=lambda at: seen[at],
        allowed=allowed,
    )
    for user in range(n_users):
        usable = [i for i in range(1, n_items) if allowed[i] and i not in seen[user]]
        expected = sorted(usable, key=lambda i: -scores[user, i])[:n]
        assert lists[user][lists[user] > 0].tolist() == expected
        assert values[user][: len(expected)].tolist() == [scores[user, i] for i in expected]


def test_ranking_figures_by_hand() -> None:
    lists = np.array([[4, 2, 9], [1, 5, 6]], dtype=np.int32)
    favourites = [np.array([2, 7], dtype=np.int32), np.array([8], dtype=np.int32)]
    measured = measure_lists(lists, favourites, k=3)
    ideal = 1 + 1 / math.log2(3)
    assert measured["ndcg"] == pytest.approx((1 / math.log2(3) / ideal + 0) / 2)
    assert measured["recall"] == pytest.approx((1 / 2 + 0) / 2)
    assert measured["hit_rate"] == 0.5


def test_ranking_finds_planted_favourites(learn: vt.CollabLearner) -> None:
    measured = learn.ranking(k=10)
    assert measured["model"]["ndcg"] > measured["popularity"]["ndcg"]
    assert measured["model"]["ndcg"] > measured["bias"]["ndcg"]
    assert 0 < measured["users"] <= learn.data.n_users
    with pytest.raises(vt.VectableError, match="nothing to rank"):
        learn.ranking(relevant=6)


# ---------------------------------------------------------------- new users, new ratings


def test_folding_in_a_known_users_ratings_predicts_like_the_trained_user(learn: vt.CollabLearner) -> None:
    """Without training, a user's own ratings give nearly the row that training gave."""
    differences = []
    for user in range(100, 120):
        code = learn.data.user_ids.encode([user])[0]
        seen, ratings = learn.recommender.seen_by(int(code))
        ids = learn.data.item_ids.decode(seen).to_list()
        folded = learn.fold_in(dict(zip(ids, ratings.tolist(), strict=True)))
        items = learn.data.item_ids.vocabulary.to_list()
        trained = learn.predict(pl.DataFrame({"user": [user] * len(items), "item": items}))
        differences.append(np.abs(folded.predict(items) - trained).mean())
    assert np.mean(differences) < 0.3


def test_a_folded_user_is_served_like_any_other(learn: vt.CollabLearner) -> None:
    folded = learn.fold_in({"Film 01": 5, 20: 1})
    titles = folded.recommend(80)["title"].to_list()
    assert "Film 01" not in titles
    assert "Film 02" not in titles
    assert "Film 01" in folded.recommend(80, exclude_seen=False)["title"].to_list()
    assert folded.predict(["Film 01"])[0] > folded.predict(["Film 02"])[0]
    terms = dict(folded.explain("Film 03").select("term", "points").rows())
    assert terms["prediction"] == pytest.approx(float(folded.predict(["Film 03"])[0]), abs=1e-5)
    average = learn.fold_in({})
    assert np.allclose(average.predict(["Film 03"]), learn.recommender.scores(np.zeros(1, np.int32))[0, 4], atol=1e-3)
    with pytest.warns(vt.VectableWarning, match="left out"):
        assert len(learn.fold_in({"No such film": 5}).seen) == 0
    with pytest.raises(vt.VectableError, match="finite"):
        learn.fold_in({"Film 01": math.nan})


@pytest.mark.parametrize("engine", ["compiled", "sgd", "torch"])
def test_update_takes_in_new_users_and_items_and_goes_on(frame: pl.DataFrame, engine: str) -> None:
    learner = fitted(frame, epochs=10, engine=engine)
    old_users, old_item = learner.data.n_users, learner.predict({"user": [100], "item": [0]})[0]
    new = pl.DataFrame({"user": [999] * 30 + [100], "item": [i * 10 for i in range(30)] + [5555], "rating": [5.0] * 31})
    steps = int(learner.session.engines[0].state().get("step", torch.tensor(0)))
    learner.update(new, n_epochs=3, lr=0.02)
    assert learner.data.n_users == old_users + 1
    assert 5555 in learner.data.item_ids.vocabulary
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        generous = learner.predict({"user": [999] * 80, "item": list(range(0, 800, 10))})
        learner.recommend(999)
    assert generous.mean() > learner.predict({"user": [100] * 80, "item": list(range(0, 800, 10))}).mean()
    assert learner.predict({"user": [100], "item": [0]})[0] == pytest.approx(old_item, abs=0.7)
    if engine != "torch":
        assert int(learner.session.engines[0].state()["step"]) > steps > 0
    learner.update(new.head(0), n_epochs=0)


# ---------------------------------------------------------------- cross-validation


def test_cross_validation_reports_folds_seeds_and_spread(frame: pl.DataFrame) -> None:
    scores = vt.cross_validate(frame, 4, k=3, seeds=2, n_epochs=2, lr=0.02)
    assert len(scores.table) == 6
    assert scores.table["fold"].to_list() == [1, 1, 2, 2, 3, 3]
    assert scores.mean["rmse"] == pytest.approx(scores.table["rmse"].mean())
    by_seed = scores.table.group_by("seed").agg(pl.col("rmse").mean())["rmse"]
    assert scores.spread["rmse"] == pytest.approx(by_seed.std())
    assert len(scores.folds) == 3
    given_folds = [(frame[:3000], frame[3000:]), (frame[500:], frame[:500])]
    again = vt.cross_validate(given_folds, 4, seeds=[7], n_epochs=1, user="user", item="item", rating="rating")
    assert again.table["seed"].to_list() == [7, 7]
    assert isinstance(vt.cross_validate(frame.to_pandas(), 2, k=2, n_epochs=1).to_frame(), pd.DataFrame)
    with pytest.raises(vt.VectableError, match="k is 1"):
        vt.cross_validate(frame, k=1)
