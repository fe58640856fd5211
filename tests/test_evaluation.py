"""Lists and what is measured of them, each against the same written out in NumPy."""

import numpy as np
import pytest

import vectable as vt
from vectable.data.interactions.held_out import HeldOut
from vectable.data.interactions.histories import Histories
from vectable.recommending.evaluation import (
    Evaluation,
    activity_groups,
    bootstrap_interval,
    check_ks,
    check_named,
    figures_of,
    gini,
)
from vectable.recommending.lists import best_lists

N_USERS, N_ITEMS = 200, 50


def histories(rng, n_users=N_USERS, most=12) -> Histories:
    return Histories.of_lists([rng.permutation(np.arange(1, N_ITEMS))[: rng.integers(1, most)] for _ in range(n_users)])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 7, 45, 500])
def test_lists_are_the_best_allowed_items_that_were_not_seen(rng, n):
    scores = rng.integers(0, 9, (N_USERS, N_ITEMS)).astype(np.float32)  # many are equal
    seen, allowed = histories(rng), rng.random(N_ITEMS) < 0.8
    lists, best = best_lists(lambda first, last: scores[first:last].copy(), seen, n, allowed)
    assert lists.shape == (N_USERS, min(n, N_ITEMS - 1))
    for user in range(N_USERS):
        usable = [i for i in range(1, N_ITEMS) if allowed[i] and i not in seen.of(user)[0]]
        expected = sorted(usable, key=lambda item: (-scores[user, item], item))[:n]
        got = lists[user][lists[user] > 0]
        assert got.tolist() == expected
        assert best[user][: len(got)].tolist() == scores[user, expected].tolist()


def test_nothing_is_listed_where_nothing_may_be():
    nobody = Histories.of_lists([])
    everything = np.full(N_ITEMS, True)
    assert best_lists(lambda first, last: np.zeros((0, N_ITEMS)), nobody, 5, everything)[0].shape == (0, 5)
    one = Histories.of_lists([np.arange(1, N_ITEMS)])
    lists, _ = best_lists(lambda first, last: np.zeros((1, N_ITEMS), np.float32), one, 5, everything)
    assert (lists == 0).all()
    unusable = np.full((1, N_ITEMS), np.nan, np.float32)
    lists, _ = best_lists(lambda first, last: unusable.copy(), Histories.of_lists([np.array([3])]), 5, everything)
    assert (lists == 0).all()


@pytest.mark.parametrize("k", [3, 10, 80])
def test_every_figure_is_what_its_formula_gives(rng, k):
    scores = rng.standard_normal((N_USERS, N_ITEMS)).astype(np.float32)
    inputs = histories(rng)
    others = [np.setdiff1d(np.arange(1, N_ITEMS), inputs.of(user)[0]) for user in range(N_USERS)]
    targets = Histories.of_lists([rng.permutation(one)[: rng.integers(1, 15)] for one in others])
    counts = rng.integers(1, 30, N_ITEMS)
    counts[0] = 0
    held_out = HeldOut(np.arange(N_USERS, dtype=np.int32), inputs, targets)
    found = figures_of(lambda first, last: scores[first:last].copy(), held_out, [k], counts, 300)
    expected, shown = {name: [] for name in ("ndcg", "recall", "mrr", "map", "hit_rate")}, []
    for user in range(N_USERS):
        usable = np.setdiff1d(np.arange(1, N_ITEMS), inputs.of(user)[0])
        listed = usable[np.argsort(-scores[user, usable])][:k]
        wanted = set(targets.of(user)[0].tolist())
        hits = np.array([item in wanted for item in listed])
        possible = min(k, len(wanted))
        gains = 1 / np.log2(np.arange(2, k + 2))
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        expected["ndcg"].append(gains[: len(hits)][hits].sum() / gains[:possible].sum())
        expected["recall"].append(hits.sum() / possible)
        expected["mrr"].append(1 / (1 + hits.argmax()) if hits.any() else 0)
        expected["map"].append(precision[hits].sum() / possible)
        expected["hit_rate"].append(hits.any())
        shown.append(listed)
    for name, values in expected.items():
        assert found.per_user[f"{name}@{k}"] == pytest.approx(np.array(values, float))
    listed = np.concatenate(shown)
    assert found.overall[f"coverage@{k}"] == pytest.approx(len(set(listed.tolist())) / (N_ITEMS - 1))
    assert found.overall[f"novelty@{k}"] == pytest.approx(float(-np.log2(counts[listed] / 300).mean()))
    exposure = np.sort(np.bincount(listed, minlength=N_ITEMS)[1:])
    area = np.abs(exposure[:, None] - exposure).sum() / (2 * len(exposure) ** 2 * exposure.mean())
    assert found.overall[f"gini@{k}"] == pytest.approx(area)


def test_gini_of_even_and_uneven_counts():
    assert gini(np.full(10, 3)) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    assert gini(np.zeros(4, int)) == 0
    assert gini(np.zeros(0, int)) == 0


def evaluation(rng) -> Evaluation:
    inputs = histories(rng)
    targets = Histories.of_lists([np.array([1 + u % (N_ITEMS - 1)]) for u in range(N_USERS)])
    held_out = HeldOut(np.arange(N_USERS, dtype=np.int32), Histories.of_lists([np.array([], int)] * N_USERS), targets)
    counts = np.append(0, np.full(N_ITEMS - 1, 5))
    good = np.zeros((N_USERS, N_ITEMS), np.float32)
    good[np.arange(N_USERS), targets.items] = np.where(rng.random(N_USERS) < 0.7, 2, -1)
    noise = rng.standard_normal((N_USERS, N_ITEMS)).astype(np.float32)
    figures = {
        name: figures_of(lambda first, last, s=s: s[first:last].copy(), held_out, [1, 10], counts, N_USERS)
        for name, s in (("good", good), ("noise", noise))
    }
    return Evaluation(figures, [1, 10], activity_groups(inputs.lengths))


def test_models_are_compared_in_pairs_with_an_interval(rng):
    found = evaluation(rng)
    assert found.n_users == N_USERS
    frame = found.to_frame()
    assert frame["model"].to_list() == ["good", "noise"]
    assert frame["ndcg@10"][0] == pytest.approx(found.mean("good", "ndcg@10"))
    assert {"coverage@1", "gini@10", "novelty@10", "map@10", "mrr@1"} <= set(frame.columns)
    table = found.differences("ndcg@10")
    assert table["minus good"].to_list()[0] == 0
    low, high = table["low"][1], table["high"][1]
    assert low < table["minus good"][1] < high < 0
    assert found.differences("recall@10", to="noise")["low"][0] > 0
    assert "good 0." in repr(found)


def test_groups_of_users_hold_all_of_them(rng):
    found = evaluation(rng)
    groups = found.by_group("recall@10")
    assert groups["users"].sum() == N_USERS
    assert len(groups) == 4
    assert float(groups["good"] @ groups["users"]) / N_USERS == pytest.approx(found.mean("good", "recall@10"))
    assert activity_groups(np.zeros(0, int)).shape == (0,)
    assert set(activity_groups(np.full(9, 3))) == {"3 to 3 items"}


def test_the_bootstrap_covers_the_mean_as_often_as_the_normal_interval_does(rng):
    values = rng.standard_normal(400) + 0.3
    low, high = bootstrap_interval(values, 0)
    spread = values.std(ddof=1) / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * spread, abs=0.02)
    assert high == pytest.approx(values.mean() + 1.96 * spread, abs=0.02)
    assert bootstrap_interval(values, 0) == (low, high)
    assert bootstrap_interval(np.zeros(5), 0) == (0, 0)


def test_what_is_asked_in_vain_is_named(rng):
    found = evaluation(rng)
    for call, message in (
        (lambda: found.mean("god", "ndcg@10"), "no model 'god'. Did you mean 'good'"),
        (lambda: found.mean("good", "ndcg@11"), "no figure 'ndcg@11'. Did you mean"),
        (lambda: found.differences("coverage@10"), "of all lists together"),
        (lambda: Evaluation(found.figures, [1, 10]).by_group(), "by='activity'"),
        (lambda: check_ks(0), "k must be a positive integer or several; got 0"),
        (lambda: check_ks([]), "k must be a positive integer"),
        (lambda: check_named(["als", "als"]), "Several models are called 'als'"),
    ):
        with pytest.raises(vt.VectableError, match=message):
            call()
    assert check_ks((100, 10)) == [10, 100]
    assert check_ks(5) == [5]
