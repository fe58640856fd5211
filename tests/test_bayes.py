"""Bayesian factorisation: the sampler's laws, what features and histories add, certainty, new rows, saving."""

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import kstest, norm, rankdata, truncnorm
from threadpoolctl import threadpool_info, threadpool_limits

import vectable as vt
from vectable.recommending.posterior import Posterior
from vectable.sampling import kernels
from vectable.sampling.chain import Chain
from vectable.sampling.convergence import effective_draws, few_draws, rhat
from vectable.sampling.directions import Directions
from vectable.sampling.prior import wishart


def planted(n_users: int = 150, n_items: int = 90, share: float = 0.25, seed: int = 0) -> dict[str, pl.DataFrame]:
    """Ratings 1 to 5 whose biases and tastes follow a group of the user and two tags of the item, and days."""
    rng = np.random.default_rng(seed)
    group, tags = rng.integers(0, 3, n_users), rng.random((n_items, 4)) < 0.4
    taste = rng.normal(size=(3, 2))[group] + 0.3 * rng.normal(size=(n_users, 2))
    kind = tags @ rng.normal(size=(4, 2)) + 0.2 * rng.normal(size=(n_items, 2))
    truth = 3 + 0.3 * rng.normal(size=(n_users, 1)) + 0.3 * rng.normal(size=n_items) + 0.5 * taste @ kind.T
    user, item = np.nonzero(rng.random((n_users, n_items)) < share)
    rating = np.clip(np.round(truth[user, item] + 0.5 * rng.normal(size=len(user))), 1, 5)
    named = ["|".join(f"tag {at}" for at in np.flatnonzero(row)) or None for row in tags]
    return {
        "ratings": pl.DataFrame({"user": user + 100, "item": item * 10, "rating": rating, "day": (user + item) % 7}),
        "users": pl.DataFrame({"user": np.arange(n_users) + 100, "group": [f"g{at}" for at in group]}),
        "items": pl.DataFrame(
            {"item": np.arange(n_items) * 10, "title": [f"Film {at:02d}" for at in range(n_items)], "tags": named}
        ),
    }


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return planted()


def data_of(tables: dict[str, pl.DataFrame], **how: Any) -> vt.RatingsData:
    sides = {"items": tables["items"], "users": tables["users"], "title": "title", "timestamp": "day"}
    return vt.RatingsData.from_df(tables["ratings"], **{"valid_pct": 0.2, **sides, **how})


def drawn(data: vt.RatingsData, n_draws: int = 40, **options: Any) -> vt.BayesLearner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        given = {"n_factors": 3, "burn_in": 15, "progress": False, **options}
        return vt.bayes_collab_learner(data, n_draws=n_draws, **given).fit()


@pytest.fixture(scope="module")
def learn(tables: dict[str, pl.DataFrame]) -> vt.BayesLearner:
    return drawn(data_of(tables), 120)


@pytest.fixture(scope="module")
def ordinal(tables: dict[str, pl.DataFrame]) -> vt.BayesLearner:
    return drawn(data_of(tables), 60, likelihood="ordinal")


# ---------------------------------------------------------------- the kernels


@pytest.mark.parametrize("relax", [0.0, 0.8])
def test_rows_have_the_mean_and_covariance_of_their_conditional(relax: float) -> None:
    """Many draws of one row against the normal equations, with over-relaxation and without."""
    rng = np.random.default_rng(0)
    n, k, width = 70, 4, 16
    other = np.zeros((9, width), dtype=np.float32)
    other[:, : k + 1] = rng.normal(size=(9, k + 1))
    others, targets = rng.integers(0, 9, n).astype(np.int32), rng.normal(size=n).astype(np.float32)
    prior, precision = rng.normal(size=(1, k + 1)), np.diag(rng.uniform(0.5, 2, k + 1)) + 0.1
    rows, starts = np.zeros((1, width), dtype=np.float32), np.array([0, n])
    found = []
    for key in range(3000):
        fixed = (starts, others, targets, other, prior, precision, 1.7, relax, np.uint64(key), rows)
        kernels.draw_rows(0, 1, *fixed)
        found.append(rows[0, : k + 1].copy())
    designs = np.column_stack([other[others, :k], np.ones(n)])
    whole = precision + 1.7 * designs.T @ designs
    mean = np.linalg.solve(whole, precision @ prior[0] + 1.7 * designs.T @ (targets - other[others, k]))
    deviations = np.sqrt(np.diag(np.linalg.inv(whole)))
    assert np.abs((np.mean(found[50:], axis=0) - mean) / deviations).max() < 0.08
    assert np.cov(np.array(found[50:]).T) == pytest.approx(np.linalg.inv(whole), abs=0.08 * deviations.max() ** 2)
    assert (rows[0, k + 1 :] == 0).all(), "the padding stays"


@settings(max_examples=60)
@given(st.floats(-6, 6), st.floats(0.01, 5), st.floats(0.001, 0.999))
def test_truncated_normals_are_the_quantiles_of_scipy(low: float, wide: float, share: float) -> None:
    found = kernels.truncated_normal(low, low + wide, share)
    below = share if low + low + wide < 0 else 1 - share
    assert found == pytest.approx(truncnorm.ppf(below, low, low + wide), abs=1e-6)


def test_a_normal_quantile_is_exact() -> None:
    shares = np.array([1e-200, 1e-20, 1e-3, 0.02425, 0.1, 0.3, 0.5])
    assert [kernels.normal_quantile(p) for p in shares] == pytest.approx(norm.isf(shares), abs=1e-9)


def test_wishart_draws_have_their_mean() -> None:
    rng = np.random.default_rng(0)
    scale = np.array([[1.0, 0.4], [0.4, 0.7]])
    assert np.mean([wishart(scale, 8, rng) for _ in range(4000)], axis=0) == pytest.approx(8 * scale, rel=0.05)


@pytest.mark.parametrize("options", [{}, {"likelihood": "ordinal"}, {"user_day_bias": True}, {"features": None}])
def test_two_threads_draw_the_same_bits(tables: dict[str, pl.DataFrame], options: dict[str, Any]) -> None:
    one, two = (drawn(data_of(tables), 5, threads=threads, **options) for threads in (1, 2))
    for name, values in one.to_contents().tensors["chains"].items():
        assert np.array_equal(values, two.to_contents().tensors["chains"][name]), name
    assert np.array_equal(one.predict(tables["ratings"]), two.predict(tables["ratings"]))


def test_the_seed_decides(tables: dict[str, pl.DataFrame]) -> None:
    first, again, other = (drawn(data_of(tables), 5, seed=seed).predict(tables["ratings"]) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


# ---------------------------------------------------------------- features


def test_directions_are_the_features_and_projecting_agrees() -> None:
    rng = np.random.default_rng(0)
    features = sparse.random(60, 300, 0.1, format="csr", random_state=0)
    exact, projected = Directions.of(features), Directions.of(features, exact_up_to=0, most=60)
    for one in (exact, projected):
        assert (one.rows * one.sizes) @ one.to_direction.T == pytest.approx(features.toarray(), abs=1e-4)
        assert one.rows.T @ one.rows == pytest.approx(np.eye(len(one)), abs=1e-4)
    new = rng.random(300)
    assert new @ exact.to_direction @ exact.rows.T == pytest.approx(
        new @ projected.to_direction @ projected.rows.T, abs=1e-3
    )
    fewer = Directions.of(features, exact_up_to=0, most=5)
    assert len(fewer) == 5
    assert np.sort(fewer.sizes) == pytest.approx(np.sort(exact.sizes)[-5:], rel=0.02)


def test_sampling_with_projected_histories_agrees_with_exact_ones(
    tables: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors, of = [], Directions.of
    for exact_up_to in (2000, 0):
        monkeypatch.setattr(Directions, "of", partial(of, exact_up_to=exact_up_to))
        errors.append(drawn(data_of(tables), 60, features=None, burn_in=20).validate()["rmse"])
    assert errors[0] == pytest.approx(errors[1], abs=0.01)


def test_features_help_and_shuffled_ones_do_not(tables: dict[str, pl.DataFrame]) -> None:
    """The placebo: what the features bring is information about their own rows."""
    ids, real, placebo = [], [], []
    for seed in range(3):
        shuffled = dict(tables)
        for side in ("users", "items"):
            key, *rest = tables[side].columns
            order = np.random.default_rng(seed).permutation(len(tables[side]))
            shuffled[side] = tables[side].select(key).hstack(tables[side][order].select(rest))
        for asked, features, found in ((tables, None, ids), (tables, "auto", real), (shuffled, "auto", placebo)):
            data = data_of(asked, valid_pct=0.6, seed=seed)
            found.append(drawn(data, 60, features=features, history=False).validate()["rmse"])
    assert np.mean(real) < np.mean(ids) - 0.02
    assert np.mean(placebo) == pytest.approx(np.mean(ids), abs=0.02)


def test_what_is_taken_is_told(tables: dict[str, pl.DataFrame]) -> None:
    learn = vt.bayes_collab_learner(data_of(tables), progress=False)
    assert learn.features.describe() == "Features: of users group; of items tags; histories of both."
    assert vt.bayes_collab_learner(
        data_of(tables), features=["tags"], history=False, progress=False
    ).features.describe() == ("Features: of items tags.")


def test_useless_columns_are_left_out_and_said(tables: dict[str, pl.DataFrame]) -> None:
    users = tables["users"].with_columns(
        same=pl.lit(1), hole=pl.lit(None, dtype=pl.String), own=pl.col("user").cast(pl.String) + "x",
        number=pl.col("user") * 7, postcode=(pl.col("user") % 50).cast(pl.String) + "x",
    )  # fmt: skip
    learn = drawn(data_of({**tables, "users": users}), 3)
    told = learn.features.describe()
    assert "same: one value only" in told
    assert "hole: no value at all" in told
    assert "own: 150 values for 150 rows" in told
    assert "number: a number for each row, as an id" in told
    assert "postcode: 50 values for 150 rows" in told
    assert learn.features.columns[0].columns == ["group"]
    named = vt.bayes_collab_learner(data_of({**tables, "users": users}), features=["own", "postcode"], progress=False)
    assert named.features.describe().startswith("Features: of users postcode (not own: no two rows share a value)")
    nothing = drawn(data_of({**tables, "users": users.select("user", "same")}), 3, history=False)
    assert nothing.features.columns[0] is None


def test_the_offset_of_a_day_is_learned(tables: dict[str, pl.DataFrame]) -> None:
    rng = np.random.default_rng(0)
    moods = rng.normal(size=(300, 7))
    moody = tables["ratings"].with_columns(
        rating=pl.Series(3 + moods[tables["ratings"]["user"].to_numpy(), tables["ratings"]["day"].to_numpy()])
    )
    data = data_of({**tables, "ratings": moody})
    plain, daily = (drawn(data, 60, user_day_bias=on).validate()["rmse"] for on in (False, True))
    assert daily < 0.7 * plain
    learn = drawn(data, 30, user_day_bias=True)
    with pytest.warns(vt.VectableWarning, match="without the offset of its day"):
        dayless = learn.predict(moody.drop("day"))
    assert np.abs(learn.predict(moody) - dayless).max() > 0.2


# ---------------------------------------------------------------- predicting, and how sure


def test_it_beats_the_baselines(learn: vt.BayesLearner) -> None:
    measured = learn.validate()
    assert set(measured) == {"valid_loss", "rmse", "mae", "baselines"}
    assert measured["rmse"] < 0.95 * measured["baselines"]["biases"]["rmse"]
    assert measured["valid_loss"] == pytest.approx(measured["rmse"] ** 2)


def test_validate_is_the_error_of_predict(learn: vt.BayesLearner) -> None:
    held_out = learn.data.valid_ratings
    frame = pl.DataFrame(
        {
            "user": learn.data.user_ids.decode(held_out.user),
            "item": learn.data.item_ids.decode(held_out.item),
        }
    )
    error = np.sqrt(np.mean((learn.predict(frame) - held_out.rating) ** 2))
    assert learn.validate()["rmse"] == pytest.approx(error, abs=2e-3), (
        "half precision, and clipping draw by draw or not"
    )


def test_predictions_stay_on_the_scale_and_their_doubt_grows_for_the_unknown(learn: vt.BayesLearner) -> None:
    frame = pl.DataFrame({"user": [100, 100, -1, -1], "item": [0, -1, 0, -1]})
    with pytest.warns(vt.VectableWarning, match="not in the training data"):
        mean, spread = learn.predict(frame, return_std=True)
    assert ((mean >= 1) & (mean <= 5)).all()
    assert spread[0] < spread[1]
    assert spread[0] < spread[2]
    assert max(spread[1:3]) < spread[3]


@pytest.mark.parametrize("kind", ["learn", "ordinal"])
def test_intervals_grow_with_their_level(
    kind: str, request: pytest.FixtureRequest, tables: dict[str, pl.DataFrame]
) -> None:
    asked = request.getfixturevalue(kind)
    narrow, wide = (asked.predict_interval(tables["ratings"], level) for level in (0.5, 0.95))
    assert (wide[:, 0] <= narrow[:, 0]).all()
    assert (wide[:, 1] >= narrow[:, 1]).all()
    assert wide.min() >= 1
    assert wide.max() <= 5


def test_intervals_cover_what_they_promise_on_books() -> None:
    data = vt.datasets.load("goodbooks").to_data(seed=1)
    learn = drawn(data, 30, n_factors=8, features=None, history=False)
    table = learn.coverage([0.9]).table
    assert 0.88 <= table["covered"][0] <= 0.92
    assert table["rows"][0] == len(data.valid_ratings)


def test_ordered_categories_have_probabilities(ordinal: vt.BayesLearner, tables: dict[str, pl.DataFrame]) -> None:
    shares = ordinal.predict_proba(tables["ratings"])
    assert ordinal.categories is not None
    assert ordinal.categories.tolist() == [1, 2, 3, 4, 5]
    assert shares.shape == (len(tables["ratings"]), 5)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert shares @ ordinal.categories == pytest.approx(ordinal.predict(tables["ratings"]), abs=1e-4)
    measured = ordinal.validate()
    assert measured["rmse"] < measured["baselines"]["biases"]["rmse"]
    held_out = ordinal.data.valid_ratings
    frame = pl.DataFrame(
        {"user": ordinal.data.user_ids.decode(held_out.user), "item": ordinal.data.item_ids.decode(held_out.item)}
    )
    own = ordinal.predict_proba(frame)[np.arange(len(held_out)), held_out.rating.astype(int) - 1]
    everybody = np.bincount(ordinal.data.train_ratings.rating.astype(int), minlength=6)[1:] / len(
        ordinal.data.train_ratings
    )
    assert np.log(own).mean() > np.log(everybody[held_out.rating.astype(int) - 1]).mean()


def test_normal_draws_have_no_probabilities(learn: vt.BayesLearner, tables: dict[str, pl.DataFrame]) -> None:
    with pytest.raises(vt.VectableError, match="likelihood='ordinal'"):
        learn.predict_proba(tables["ratings"])


def test_convergence_figures_tell_good_chains_from_bad() -> None:
    rng = np.random.default_rng(0)
    independent = rng.normal(size=(2, 1000))
    assert rhat(independent) == pytest.approx(1, abs=0.01)
    assert 1600 < effective_draws(independent) < 2400
    assert rhat(independent + np.array([[0.0], [3.0]])) > 1.5
    assert rhat(independent * np.array([[1.0], [10.0]])) > 1.2, "equal means, unequal spreads"
    slow = np.zeros((2, 4000))
    for at in range(1, 4000):
        slow[:, at] = 0.9 * slow[:, at - 1] + rng.normal(size=2)
    assert effective_draws(slow) == pytest.approx(8000 * 0.1 / 1.9, rel=0.35)
    assert rhat(np.ones((2, 50))) == 1.0
    assert np.isnan(rhat(np.zeros((1, 3))))


def test_draws_are_too_few_when_either_figure_says_so() -> None:
    independent = np.random.default_rng(0).normal(size=(2, 1000, 2))
    assert few_draws(independent) is None
    unlike = independent * np.array([1.0, 10.0])[:, None, None]
    assert rhat(unlike[..., 0]) > 1.1
    assert effective_draws(unlike[..., 0]) > 10
    assert "R-hat is up to" in str(few_draws(unlike))
    eight = np.random.default_rng(1).normal(size=(1, 8, 1))
    assert rhat(eight[..., 0]) < 1.1
    assert effective_draws(eight[..., 0]) < 10
    assert "has 7 independent draws" in str(few_draws(eight))


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(4, 25))
def test_rhat_is_the_papers_formula_written_out(seed: int, chains: int, length: int) -> None:
    """Vehtari et al. 2021, equations 1 to 4 and the rank normalization of section 4, a value at a time."""
    draws = np.random.default_rng(seed).gamma(2.0, size=(chains, length)) + np.arange(chains)[:, None]
    half = length // 2
    parts = [list(one) for chain in draws for one in (chain[:half], chain[length - half :])]

    def plain(parts: list[list[float]]) -> float:
        everything = [value for part in parts for value in part]
        n, m = len(parts[0]), len(parts)

        def score(value: float) -> float:
            below, equal = sum(one < value for one in everything), sum(one == value for one in everything)
            return float(norm.ppf((below + (equal + 1) / 2 - 3 / 8) / (n * m + 1 / 4)))

        scores = [[score(value) for value in part] for part in parts]
        means = [sum(part) / n for part in scores]
        within = sum(sum((x - mean) ** 2 for x in part) / (n - 1) for part, mean in zip(scores, means, strict=True)) / m
        between = n * sum((mean - sum(means) / m) ** 2 for mean in means) / (m - 1)
        return float(np.sqrt(((n - 1) / n * within + between / n) / within))

    middle = float(np.median([value for part in parts for value in part]))
    folded = [[abs(value - middle) for value in part] for part in parts]
    if half > 1:
        assert rhat(draws) == pytest.approx(max(plain(parts), plain(folded)), rel=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(8, 30), st.floats(0, 0.95))
def test_effective_draws_are_the_papers_formula_written_out(seed: int, chains: int, length: int, slow: float) -> None:
    """Vehtari et al. 2021, equations 10 to 13: autocovariances one lag at a time, Geyer's pairs one pair at a time."""
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(chains, length))
    for at in range(1, length):
        draws[:, at] += slow * draws[:, at - 1]
    n = length // 2
    parts = np.concatenate([draws[:, :n], draws[:, length - n :]])
    scores = norm.ppf((rankdata(parts).reshape(parts.shape) - 3 / 8) / (parts.size + 1 / 4))

    def autocovariance(part: np.ndarray, lag: int) -> float:
        mean = part.mean()
        return sum((part[at] - mean) * (part[at + lag] - mean) for at in range(n - lag)) / n

    within = float(np.mean([part.var(ddof=1) for part in scores]))
    total = (n - 1) / n * within + float(np.var([part.mean() for part in scores], ddof=1))
    correlations = [1.0]
    for lag in range(1, n):
        correlations.append(1 - (within - np.mean([autocovariance(part, lag) for part in scores])) / total)
    time, least = -1.0, np.inf
    for lag in range(0, n - 1, 2):
        pair = correlations[lag] + correlations[lag + 1]
        if pair <= 0:
            break
        least = min(least, pair)
        time += 2 * least
    expected = parts.size / max(time, 1 / np.log10(parts.size))
    assert effective_draws(draws) == pytest.approx(expected, rel=1e-9)


def test_convergence_is_told_over_two_chains(tables: dict[str, pl.DataFrame]) -> None:
    learn = drawn(data_of(tables), 40, n_chains=2)
    table = learn.convergence()
    assert table["quantity"].to_list()[0] == "noise"
    assert (table["draws"] == 80).all()
    assert learn.n_draws == learn.model.n_draws == 80
    with pytest.warns(vt.VectableWarning, match="too few to trust"):
        vt.bayes_collab_learner(data_of(tables), 3, 3, 0, progress=False).fit()


# ---------------------------------------------------------------- what was learned, recommending, reasons


def test_lists_leave_out_what_was_seen_and_optimism_reorders(learn: vt.BayesLearner) -> None:
    plain, hopeful = learn.recommend(100, n=20), learn.recommend(100, n=20, ucb_scale=3.0)
    code = int(learn.data.user_ids.encode([100])[0])
    seen = learn.data.item_ids.decode(learn.data.train_ratings.item[learn.data.rows_of(code)]).to_list()
    assert not set(plain["item"]) & set(seen)
    assert plain["prediction"].is_sorted(descending=True)
    assert plain["item"].to_list() != hopeful["item"].to_list()
    pairs = pl.DataFrame({"user": [100] * 20, "item": plain["item"]})
    assert plain["prediction"].to_numpy() == pytest.approx(learn.predict(pairs), abs=1e-4)
    many = learn.recommend_many([100, 101], n=3)
    assert many.filter(pl.col("user") == 100)["item"].to_list() == plain["item"].to_list()[:3]


@pytest.mark.parametrize("kind", ["learn", "ordinal"])
def test_reasons_add_up(kind: str, request: pytest.FixtureRequest) -> None:
    asked = request.getfixturevalue(kind)
    points = asked.explain(100, "Film 07").group_by("term").agg(pl.col("points").sum())
    by_term = dict(points.iter_rows())
    assert by_term["prediction"] == pytest.approx(
        by_term["mean"] + by_term["user"] + by_term["item"] + by_term["taste"]
    )
    assert by_term["taste"] == pytest.approx(by_term.get("because", 0) + by_term["everything else"], abs=1e-6)


def test_factors_stand_for_the_mean_of_all_draws(learn: vt.BayesLearner) -> None:
    users, items = learn.weight([100, 101, 102], is_item=False), learn.weight([0, 10, 20, 30])
    assert users.shape == (3, 3)
    model = learn.model
    depth = model.n_factors + 1
    p = model.users[learn.data.user_ids.encode([100, 101, 102])].float().numpy().reshape(3, -1, depth)[..., :-1]
    q = model.items[learn.data.item_ids.encode([0, 10, 20, 30])].float().numpy().reshape(4, -1, depth)[..., :-1]
    mean = learn.session.units.scale * np.einsum("usk,isk->ui", p, q) / model.n_draws
    assert users @ items.T == pytest.approx(mean, abs=0.15), "the best of rank three, not all of it"
    assert len(learn.bias([0, 10])) == 2
    assert len(learn.similar("Film 03", 4)) == 4


# ---------------------------------------------------------------- new users and items


def test_folding_in_is_what_training_with_those_rows_gives(tables: dict[str, pl.DataFrame]) -> None:
    """A user held out whole, folded in from half of the ratings, beside a chain that trained with that half."""
    ratings = tables["ratings"]
    user = int(ratings["user"].value_counts().sort("count")["user"][-1])
    theirs, others = ratings.filter(pl.col("user") == user), ratings.filter(pl.col("user") != user)
    items = pl.DataFrame({"user": [user] * 90, "item": np.arange(90) * 10})
    trained = drawn(data_of({**tables, "ratings": pl.concat([others, theirs])}, valid_pct=0), 200)
    without = drawn(data_of({**tables, "ratings": others}, valid_pct=0), 200)
    group = tables["users"].filter(pl.col("user") == user)["group"][0]
    folded = without.fold_in(dict(theirs.select("item", "rating").iter_rows()), {"group": group})
    expected, doubt = trained.predict(items, return_std=True)
    found, spread = folded.predict(items["item"], return_std=True)
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.5 * doubt.mean()
    assert spread.mean() == pytest.approx(doubt.mean(), rel=0.25)
    assert len(folded.recommend(5)) == 5
    assert not set(folded.recommend(50)["item"]) & set(theirs["item"])


@pytest.mark.parametrize("kind", ["learn", "ordinal"])
def test_ratings_and_features_pull_a_new_user_their_way(kind: str, request: pytest.FixtureRequest) -> None:
    asked = request.getfixturevalue(kind)
    kind_user, strict = (asked.fold_in(dict.fromkeys(range(0, 200, 10), value)) for value in (5.0, 1.0))
    everything = list(range(0, 900, 10))
    assert kind_user.predict(everything).mean() > strict.predict(everything).mean() + 1
    cold, doubt = asked.cold_start({"group": "g1"}).predict(everything, return_std=True)
    nobody, more = asked.fold_in({}).predict(everything, return_std=True)
    assert np.abs(cold - nobody).max() > 0.02
    assert kind_user.predict(everything, return_std=True)[1].mean() < doubt.mean()
    assert len(more) == len(doubt)


def test_cold_users_are_predicted_better_from_features(tables: dict[str, pl.DataFrame]) -> None:
    ratings = tables["ratings"]
    held_out = ratings.filter(pl.col("user") % 5 == 0)
    data = data_of({**tables, "ratings": ratings.filter(pl.col("user") % 5 != 0)}, valid_pct=0)
    learn = drawn(data, 80, history=False)
    errors = {"features": [], "nothing": []}
    groups = dict(tables["users"].iter_rows())
    for (user,), theirs in held_out.group_by("user"):
        for name, folded in (("features", learn.cold_start({"group": groups[user]})), ("nothing", learn.fold_in({}))):
            errors[name].append(((folded.predict(theirs["item"]) - theirs["rating"].to_numpy()) ** 2).mean())
    assert np.mean(errors["features"]) < 0.95 * np.mean(errors["nothing"])


def test_an_added_item_is_like_any_other(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    learn = drawn(data_of(tables), 60)
    ratings = tables["ratings"].filter(pl.col("item") == 50)
    learn.add_item(9990, {"tags": ["tag 1", "tag 2"]}, dict(ratings.select("user", "rating").iter_rows()), "Film new")
    twin, new = (
        learn.predict(pl.DataFrame({"user": ratings["user"], "item": [code] * len(ratings)})) for code in (50, 9990)
    )
    assert np.corrcoef(twin, new)[0, 1] > 0.6
    assert "Film new" in learn.recommend(100, n=90)["title"].to_list()
    learn.save(tmp_path / "model")
    again = vt.load_learner(tmp_path / "model", progress=False)
    assert np.array_equal(
        again.predict(pl.DataFrame({"user": [100], "item": [9990]})),
        learn.predict(pl.DataFrame({"user": [100], "item": [9990]})),
    )
    with pytest.raises(vt.VectableError, match="known already"):
        learn.add_item(50)
    with pytest.raises(vt.VectableError, match="Items were added"):
        learn.fit(5)


# ---------------------------------------------------------------- going on, saving, memory


@pytest.mark.parametrize("options", [{}, {"likelihood": "ordinal"}, {"user_day_bias": True, "n_chains": 2}])
def test_saved_it_predicts_bit_for_bit_and_draws_on_as_if_never_stopped(
    tables: dict[str, pl.DataFrame], tmp_path: Path, options: dict[str, Any]
) -> None:
    data = data_of(tables)
    half = drawn(data, 6, **options)
    half.save(tmp_path / "model")
    loaded = vt.load_learner(tmp_path / "model", progress=False)
    assert isinstance(loaded, vt.BayesLearner)
    assert np.array_equal(loaded.predict(tables["ratings"]), half.predict(tables["ratings"]))
    assert loaded.validate() == half.validate()
    if options.get("n_chains", 1) == 1:
        whole = drawn(data, 12, **options)
        for part in (half, loaded):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", vt.VectableWarning)
                part.fit(6)
            assert np.array_equal(part.predict(tables["ratings"]), whole.predict(tables["ratings"]))
            assert part.validate() == whole.validate()
    assert loaded.explain(100, 0)["points"].to_list() == pytest.approx(half.explain(100, 0)["points"].to_list())


def test_memory_is_bounded_by_thinning(tables: dict[str, pl.DataFrame]) -> None:
    everything = drawn(data_of(tables), 40)
    room = 10 * sum(one.nbytes for one in everything.session.record.kept[0].kept[0].values())
    thin = drawn(data_of(tables), 40, draw_memory=room)
    assert thin.n_draws == 40
    assert thin.session.record.kept[0].every == 4
    assert thin.model.n_draws == 10
    assert thin.validate() == everything.validate(), "means are over all draws"


def test_single_precision_draws_differ_by_rounding(tables: dict[str, pl.DataFrame]) -> None:
    half, single = (
        drawn(data_of(tables), 10, draw_dtype=kind).predict(tables["ratings"]) for kind in ("float16", "float32")
    )
    assert half == pytest.approx(single, abs=5e-3)


def test_ctrl_c_keeps_the_draws_so_far(tables: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Chain.sweep

    def interrupted(chain: Chain, burning_in: bool) -> None:
        if chain.done == 25:
            monkeypatch.setattr(Chain, "sweep", sweep)
            raise KeyboardInterrupt
        sweep(chain, burning_in)

    monkeypatch.setattr(Chain, "sweep", interrupted)
    learn = drawn(data_of(tables), 40)
    assert learn.interrupted
    assert learn.n_draws == 10
    assert np.isfinite(learn.predict(tables["ratings"])).all()


# ---------------------------------------------------------------- bad input


def test_arguments_out_of_range_are_told(tables: dict[str, pl.DataFrame]) -> None:
    data = data_of(tables)
    for wrong, said in (
        ({"n_draws": 0}, "n_draws must be a positive integer; got 0"),
        ({"burn_in": -1}, "burn_in must be .* got -1"),
        ({"likelihood": "poisson"}, "likelihood must be .* got 'poisson'"),
        ({"features": ["tag"]}, "Did you mean 'tags'"),
        ({"features": "all"}, "features must be 'auto', .*; got 'all'"),
        ({"draw_dtype": "int8"}, "draw_dtype"),
    ):
        with pytest.raises(vt.VectableError, match=said):
            vt.bayes_collab_learner(data, progress=False, **wrong)
    with pytest.warns(vt.VectableWarning, match="thrown away"):
        vt.bayes_collab_learner(data, n_draws=5, burn_in=10, progress=False)
    with pytest.raises(vt.DataError, match="timestamp="):
        vt.bayes_collab_learner(vt.RatingsData.from_df(tables["ratings"]), user_day_bias=True)
    with pytest.raises(vt.VectableError, match="call fit first"):
        vt.bayes_collab_learner(data, progress=False).predict(tables["ratings"])


def test_features_of_new_rows_are_checked(learn: vt.BayesLearner, tables: dict[str, pl.DataFrame]) -> None:
    with pytest.raises(vt.VectableError, match="Did you mean 'group'"):
        learn.cold_start({"groop": "g1"})
    with pytest.warns(vt.VectableWarning, match=r"1 of 1 features of the new user .*group 'never seen'"):
        learn.cold_start({"group": "never seen"})
    bare = drawn(data_of(tables), 3, features=None)
    with pytest.raises(vt.DataError, match="without features of users"):
        bare.cold_start({"group": "g1"})
    with pytest.raises(vt.VectableError, match="finite number"):
        learn.fold_in({0: float("nan")})
    with pytest.warns(vt.VectableWarning, match="left out"):
        learn.fold_in({"no such film": 5})


def test_what_is_no_data_is_told_in_a_sentence(tables: dict[str, pl.DataFrame], learn: vt.BayesLearner) -> None:
    for wrong in (None, tables["ratings"]):
        with pytest.raises(vt.VectableError, match=r"RatingsData\.from_df"):
            vt.bayes_collab_learner(wrong)  # type: ignore[arg-type]
    data = data_of(tables)
    for name, value in (("features", 3), ("user_day_bias", "x"), ("history", "yes")):
        with pytest.raises(vt.VectableError, match=rf"{name} (is {value!r}|must be .*; got {value!r})"):
            vt.bayes_collab_learner(data, progress=False, **{name: value})
    with pytest.raises(vt.VectableError, match="mapping from columns of the users' side table"):
        learn.cold_start(["group"])  # type: ignore[arg-type]
    with pytest.warns(vt.VectableWarning, match="draw_memory of 10 bytes"):
        vt.bayes_collab_learner(data, 3, 40, draw_memory=10, progress=False).fit()


def test_odd_values_for_new_rows_are_told(tables: dict[str, pl.DataFrame], ordinal: vt.BayesLearner) -> None:
    users = tables["users"].with_columns(age=pl.col("user") % 37 + 0.5)
    learn = drawn(data_of({**tables, "users": users}), 10)
    for value in ("old", float("inf")):
        with pytest.warns(vt.VectableWarning, match=f"age {value!r}"):
            learn.cold_start({"age": value})
    with pytest.warns(vt.VectableWarning, match="tags"):
        learn.add_item(features={"tags": ["tag 1", "no such tag"]})
    for asked in (learn, ordinal):
        with pytest.warns(vt.VectableWarning, match=r"1 of 2 ratings .* 1 to 5 \('Film 03': 5\.4\): the nearest end"):
            slip = asked.fold_in({"Film 03": 5.4, "Film 04": 5})
        assert slip.ratings.tolist() == [5, 5]
        with pytest.raises(vt.VectableError, match=r"'Film 03' is 99, .* from 1 to 5"):
            asked.fold_in({"Film 03": 99, "Film 04": 5})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learn.fold_in({"Film 03": 5}, {"age": 20, "group": None})
        learn.cold_start({"age": "20"})
    daily = drawn(data_of(tables), 5, user_day_bias=True)
    with pytest.warns(vt.VectableWarning, match="no column 'day'"):
        daily.predict(tables["ratings"].drop("day"))


def test_an_item_without_an_id_gets_the_next_one(tables: dict[str, pl.DataFrame]) -> None:
    learn = drawn(data_of(tables), 5).add_item(features={"tags": ["tag 1"]}).add_item("905")
    assert learn.data.item_ids.vocabulary[-2:].to_list() == [891, 905]
    for wrong in ("nine", "0906", 1.5, [7]):
        with pytest.raises(vt.VectableError, match="item must be"):
            learn.add_item(wrong)
    texts = tables["ratings"].with_columns(pl.col("item").cast(pl.String) + "x")
    named = drawn(vt.RatingsData.from_df(texts), 5).add_item(ratings={100: 5}).add_item().add_item(7)
    assert named.data.item_ids.vocabulary[-3:].to_list() == ["new item 1", "new item 2", "7"]
    assert len(named.recommend(100, 3, candidates=["new item 1"])) == 1


def test_blas_keeps_to_one_thread_while_drawing_and_folding_in(
    tables: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    def allowed() -> set[int]:
        return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

    seen, sweep, new_row = [], Chain.sweep, Posterior.new_row
    monkeypatch.setattr(Chain, "sweep", lambda *given: (seen.append(allowed()), sweep(*given)))
    monkeypatch.setattr(Posterior, "new_row", lambda *given: (seen.append(allowed()), new_row(*given))[1])
    with threadpool_limits(2, user_api="blas"):
        before = allowed()
        learn = drawn(data_of(tables), 3)
        learn.fold_in({0: 5})
        learn.add_item(9990)
        assert allowed() == before
    assert len(seen) == 15 + 3 + 2
    assert all(one == {1} for one in seen)


@pytest.mark.parametrize("kind", ["learn", "ordinal"])
def test_optimism_ranks_by_mean_and_doubt_and_shows_both(kind: str, request: pytest.FixtureRequest) -> None:
    asked = request.getfixturevalue(kind)
    hopeful = asked.recommend(100, n=90, exclude_seen=False, ucb_scale=9.0)
    pairs = pl.DataFrame({"user": [100] * len(hopeful), "item": hopeful["item"]})
    mean, doubt = asked.predict(pairs, return_std=True)
    assert hopeful["prediction"].to_numpy() == pytest.approx(mean, abs=1e-4)
    assert hopeful["std"].to_numpy() == pytest.approx(doubt, abs=1e-4)
    inside = (mean > 1) & (mean < 5)
    assert (np.diff((mean + 9 * doubt)[inside]) < 1e-4).all(), "what lies beyond the scale is not cut before ranking"
    assert (mean + 9 * doubt).max() > 5
    many = asked.recommend_many([101, 100], n=90, exclude_seen=False, ucb_scale=9.0)
    alone = many.filter(pl.col("user") == 100)
    for name in ("item", "prediction", "std"):
        assert alone[name].to_list() == hopeful[name].to_list()
    assert "std" not in asked.recommend(100).columns


@pytest.mark.parametrize("kind", ["learn", "ordinal"])
def test_a_folded_user_has_intervals_and_optimism_too(kind: str, request: pytest.FixtureRequest) -> None:
    asked = request.getfixturevalue(kind)
    items = list(range(0, 900, 10))
    folded = asked.fold_in(dict.fromkeys(items[:20], 4.0))
    narrow, wide = (folded.predict_interval(items, level) for level in (0.5, 0.95))
    assert wide.shape == (90, 2)
    assert ((wide[:, 0] <= narrow[:, 0]) & (narrow[:, 0] <= narrow[:, 1]) & (narrow[:, 1] <= wide[:, 1])).all()
    stranger = asked.fold_in({}).predict_interval(items, 0.95)
    assert np.ptp(stranger, axis=1).mean() > np.ptp(wide, axis=1).mean()
    with pytest.raises(vt.VectableError, match=r"level must be .*; got 1\.5"):
        folded.predict_interval(items, 1.5)
    hopeful = folded.recommend(90, ucb_scale=2.0)
    mean, doubt = folded.predict(hopeful["item"], return_std=True)
    assert hopeful["std"].to_numpy() == pytest.approx(doubt, abs=1e-4)
    assert hopeful["prediction"].to_numpy() == pytest.approx(mean, abs=1e-4)
    inside = (mean > 1) & (mean < 5)
    assert (np.diff((mean + 2 * doubt)[inside]) < 1e-4).all()
    assert not set(hopeful["item"]) & set(items[:20])
    with pytest.raises(vt.VectableError, match=r"ucb_scale must be .* got 'x'"):
        folded.recommend(2, ucb_scale="x")


def test_what_a_notebook_shows_is_short(learn: vt.BayesLearner) -> None:
    assert repr(learn.fold_in({0: 5})) == "FoldedPosterior: known by 1 rating"
    assert repr(learn).startswith("BayesLearner: 3 factors, normal likelihood, 120 draws in 1 chain; RatingsData: ")
    assert repr(learn.features) == "Features: of users group; of items tags; histories of both."


def test_odd_data_is_sampled(tables: dict[str, pl.DataFrame]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        one_row = drawn(vt.RatingsData.from_df(tables["ratings"].head(1), valid_pct=0), 5)
        assert np.isfinite(one_row.predict(tables["ratings"].head(3))).all()
        one_user = drawn(vt.RatingsData.from_df(tables["ratings"].filter(pl.col("user") == 100)), 5)
        assert len(one_user.recommend(100, exclude_seen=False)) > 0
        equal = drawn(vt.RatingsData.from_df(tables["ratings"].with_columns(rating=pl.lit(3.0))), 5)
        assert (equal.predict(tables["ratings"]) == 3).all()
        assert (equal.predict_interval(tables["ratings"]) == 3).all()
        twice = pl.concat([tables["ratings"]] * 2)
        assert np.isfinite(drawn(vt.RatingsData.from_df(twice), 3).predict(twice)).all()
        names = tables["ratings"].with_columns(("Ü" + pl.col("user").cast(pl.String)).alias("user"))
        assert len(drawn(vt.RatingsData.from_df(names), 3).recommend("Ü100")) == 10
    with pytest.raises(vt.DataError, match="different values"):
        vt.bayes_collab_learner(
            vt.RatingsData.from_df(tables["ratings"].with_columns(rating=pl.lit(3.0))), likelihood="ordinal"
        )


def test_draws_with_side_columns_of_numbers_are_saved_and_loaded(tmp_path):
    rng = np.random.default_rng(0)
    pairs = rng.permutation(20 * 15)[:220]
    rows = pl.DataFrame({"user": pairs // 15, "item": pairs % 15, "rating": rng.integers(1, 6, 220)})
    users = pl.DataFrame({"user": range(20), "age": [20.0 + at // 2 for at in range(20)]})
    data = vt.RatingsData.from_df(rows, "user", "item", "rating", users=users)
    learn = vt.bayes_collab_learner(data, 2, 6, burn_in=2, progress=False).fit()
    back = vt.load_learner(learn.save(tmp_path / "model"), progress=False)
    assert (back.predict(rows) == learn.predict(rows)).all()
    assert back.cold_start({"age": 23.0}).recommend(3).equals(learn.cold_start({"age": 23.0}).recommend(3))


def test_rows_have_random_numbers_of_their_own():
    drawn = np.empty((3000, 6))
    for row, out in enumerate(drawn):
        kernels.fill_normals(np.uint64(7), row, 6, out)
    assert np.unique(drawn).size == drawn.size
    assert kstest(drawn.ravel(), "norm").pvalue > 1e-3
    following = np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]
    assert abs(following) < 4 / np.sqrt(drawn.size)
