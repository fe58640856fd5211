"""Compiled maths for interactions: each against the same formula written out in NumPy."""

import numpy as np
import pytest

from vectable.factorising.als import ALSOptions, ImplicitALS, improve
from vectable.factorising.ease import EASEOptions, ease
from vectable.factorising.history_models import Blend, FactorModel, HistoryModel, LinearModel
from vectable.factorising.history_weights import HistoryWeights
from vectable.factorising.item_weights import DenseWeights, SparseWeights, most_per_item, weights_from_arrays
from vectable.factorising.neighbours import NeighbourOptions, neighbours
from vectable.factorising.slim import SLIMOptions, slim
from vectable.factorising.sparse_rows import SparseRows
from vectable.factorising.transitions import TransitionOptions, transitions
from vectable.interactions.candidates import implicit_candidates


def random_rows(n_rows=150, n_columns=40, share=0.15, seed=0, counts=True) -> SparseRows:
    """A matrix whose row 0 and column 0 are empty, with entries in a random order."""
    rng = np.random.default_rng(seed)
    rows, columns = np.nonzero(rng.random((n_rows, n_columns)) < share)
    inside = (rows > 0) & (columns > 0)
    order = rng.permutation(int(inside.sum()))
    rows, columns = rows[inside][order], columns[inside][order]
    values = rng.integers(1, 5, len(rows)).astype(np.float32) if counts else None
    return SparseRows.from_pairs(
        rows.astype(np.int32), columns.astype(np.int32), values, n_rows=n_rows, n_columns=n_columns
    )


def dense(rows: SparseRows) -> np.ndarray:
    full = np.zeros((len(rows), rows.n_columns))
    full[np.repeat(np.arange(len(rows)), rows.lengths), rows.columns] = rows.values
    return full


def solutions(confidence: np.ndarray, other: np.ndarray, options: ALSOptions) -> np.ndarray:
    """The rows that minimize the objective, by the normal equations of each."""
    gram = options.unobserved * other.T @ other
    solved = np.zeros((len(confidence), other.shape[1]))
    for row, weights in enumerate(confidence):
        reg = options.reg * (np.count_nonzero(weights) + options.unobserved * len(other)) ** options.nu
        matrix = gram + (other.T * weights) @ other + reg * np.eye(other.shape[1])
        solved[row] = np.linalg.solve(matrix, other.T @ weights)
    return solved


OPTIONS = ALSOptions(n_factors=20, epochs=4, reg=0.02, unobserved=0.3)


def test_rows_keep_their_order_and_are_turned_and_taken():
    rows = SparseRows.from_pairs(
        np.array([2, 0, 2, 2], np.int32),
        np.array([3, 1, 0, 3], np.int32),
        np.array([1, 2, 3, 4], np.float32),
        n_rows=4,
        n_columns=5,
    )
    assert rows.lengths.tolist() == [1, 0, 3, 0]
    assert rows.row(2)[0].tolist() == [3, 0, 3]
    assert rows.row(2)[1].tolist() == [1, 3, 4]
    turned = rows.transposed()
    assert (dense(turned) == dense(rows).T).all()
    assert turned.row(3)[1].tolist() == [1, 4]
    assert rows.part(1, 3).row(1)[1].tolist() == [1, 3, 4]
    assert rows.take(np.array([3, 2, 2])).lengths.tolist() == [0, 3, 3]
    assert rows.take(np.array([3, 2])).row(1)[0].tolist() == [3, 0, 3]
    lists = SparseRows.from_lists([np.array([4, 1]), np.array([], int)], 5)
    assert lists.lengths.tolist() == [2, 0]
    assert lists.values.tolist() == [1, 1]
    assert len(SparseRows.from_lists([], 5)) == 0


@pytest.mark.parametrize("nu", [0.0, 0.5, 1.0])
def test_a_solve_of_one_side_reaches_the_solution_of_the_normal_equations(nu):
    rows = random_rows()
    options = OPTIONS.with_changes(nu=nu, steps=60)
    other = np.zeros((rows.n_columns, 32), dtype=np.float32)
    other[1:, :20] = np.random.default_rng(1).standard_normal((rows.n_columns - 1, 20))
    found = np.zeros((len(rows), 32), dtype=np.float32)
    improve(rows, other, options, found, 1)
    expected = solutions(dense(rows), other.astype(float), options)
    assert found == pytest.approx(expected, abs=2e-4)
    assert (found[:, 20:] == 0).all()
    assert (found[0] == 0).all()


def test_a_few_steps_of_conjugate_gradients_come_closer_each_time():
    rows, options = random_rows(), OPTIONS
    other = np.zeros((rows.n_columns, 32), dtype=np.float32)
    other[1:, :20] = np.random.default_rng(1).standard_normal((rows.n_columns - 1, 20))
    exact = solutions(dense(rows), other.astype(float), options)
    found, away = np.zeros((len(rows), 32), dtype=np.float32), []
    for _ in range(4):
        improve(rows, other, options, found, 1)
        away.append(float(np.abs(found - exact).max()))
    assert away == sorted(away, reverse=True)
    assert away[-1] < away[0] / 2


def test_the_number_of_threads_changes_no_bit():
    rows = random_rows(n_rows=700)
    one, three = (ImplicitALS.fit(rows, OPTIONS, threads=threads) for threads in (1, 3))
    assert (one.items == three.items).all()
    assert (one.user_rows(rows, threads=1) == one.user_rows(rows, threads=3)).all()


def test_users_are_solved_exactly_and_their_scores_are_sums_over_what_they_met():
    rows = random_rows()
    model = ImplicitALS.fit(rows, OPTIONS)
    users = model.user_rows(rows)
    assert users == pytest.approx(solutions(dense(rows), model.items.astype(float), OPTIONS), abs=2e-5)
    columns, values = rows.row(7)
    parts = model.contributions(columns, values, 5)
    assert parts.shape == columns.shape
    assert parts.sum() == pytest.approx(float(users[7] @ model.items[5]), abs=2e-5)


def test_what_nobody_met_stays_zero_and_what_was_met_is_scored_higher():
    rows = random_rows(counts=False)
    model = ImplicitALS.fit(rows, OPTIONS.with_changes(epochs=10))
    assert (model.items[0] == 0).all()
    scores = model.user_rows(rows) @ model.items.T
    met = dense(rows) > 0
    assert scores[met].mean() > 3 * scores[1:, 1:][~met[1:, 1:]].mean()


def test_counts_are_confidences_and_the_seed_decides_the_start():
    rows = random_rows()
    weighted = ImplicitALS.fit(rows, OPTIONS)
    plain = ImplicitALS.fit(rows.with_values(np.ones_like(rows.values)), OPTIONS)
    assert not np.allclose(weighted.items, plain.items)
    assert (ImplicitALS.fit(rows, OPTIONS).items == weighted.items).all()
    assert (ImplicitALS.fit(rows, OPTIONS.with_changes(seed=1)).items != weighted.items).any()


def test_an_interrupted_fit_keeps_what_there_is():
    rows, done = random_rows(), []

    def stop(epoch: int) -> None:
        done.append(epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    stopped = ImplicitALS.fit(rows, OPTIONS.with_changes(epochs=9), on_epoch=stop)
    assert done == [1, 2]
    assert (stopped.items == ImplicitALS.fit(rows, OPTIONS.with_changes(epochs=2)).items).all()


def test_defaults_follow_the_size():
    small, large = ALSOptions.by_size(40_000, 900, 1500), ALSOptions.by_size(20_000_000, 138_000, 27_000)
    assert (small.n_factors, large.n_factors) == (64, 256)
    assert small.reg == pytest.approx(2 * 40_000**-0.4)
    assert small.unobserved == pytest.approx(4 * 40_000 / (900 * 1500))
    assert large.unobserved == pytest.approx(8 * 20_000_000 / (138_000 * 27_000))


# ---------------------------------------------------------------- weights between items


def test_ease_is_the_closed_form_of_the_scaled_matrix():
    rows, options = random_rows(n_rows=80, n_columns=30), EASEOptions(reg=2.0, user_power=0.5, item_power=0.2)
    x = dense(rows)
    met, frequency = np.maximum((x > 0).sum(axis=1), 1), np.maximum((x > 0).sum(axis=0), 1)
    scale = frequency**-0.2
    gram = scale[:, None] * (x.T / met**0.5 @ x) * scale
    inverse = np.linalg.inv(gram + 2.0 * np.diag(gram)[1:].mean() * np.eye(30))
    expected = scale[:, None] * -(inverse / np.diag(inverse))
    np.fill_diagonal(expected, 0)
    found = ease(rows, options, threads=1)
    assert found.to_arrays()["matrix"] == pytest.approx(expected, abs=1e-5)
    assert (found.matrix == ease(rows, options, threads=3).matrix).all()


def test_slim_is_a_ridge_regression_of_each_item_on_its_nearest():
    rng = np.random.default_rng(3)
    pairs = np.unique(np.stack([rng.integers(0, 90, 900), rng.integers(0, 25, 900)], axis=1), axis=0)  # item 25: nobody
    values = rng.random(len(pairs)).astype(np.float32) + 0.5
    users, items = pairs.astype(np.int32).T
    rows = SparseRows.from_pairs(users.copy(), items.copy(), values, n_rows=90, n_columns=26)
    options = SLIMOptions(most=6, reg=0.7, user_power=0.4, item_power=0.2, shrink=2.0)
    found = slim(rows, options, threads=1)
    near = neighbours(rows, NeighbourOptions(most=6, shrink=2.0, user_power=0.4)).rows
    dense = np.zeros((90, 26))
    dense[users, items] = values
    scale = np.maximum((dense > 0).sum(axis=0), 1) ** -0.2
    scaled = dense * np.maximum((dense > 0).sum(axis=1), 1)[:, None] ** -0.2 * scale
    reg = 0.7 * (scaled[:, :25] ** 2).sum(axis=0).mean()
    wanted = np.zeros((26, 26))
    for item in range(25):
        chosen = near.row(item)[0]
        part = scaled[:, chosen]
        solved = np.linalg.solve(part.T @ part + reg * np.eye(len(chosen)), part.T @ scaled[:, item])
        wanted[chosen, item] = solved * scale[chosen]
    got = np.stack([found.toward(np.arange(26, dtype=np.int32), item) for item in range(26)], axis=1)
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    assert np.count_nonzero(wanted) == 25 * 6
    again = slim(rows, options, threads=3)
    assert (again.rows.values == found.rows.values).all(), "threads change no bit"
    assert (again.rows.columns == found.rows.columns).all()


def test_auto_tries_slim_where_there_are_too_many_items_for_ease():
    assert [one.name for one in implicit_candidates("auto", 10_000)] == ["ease", "light ease", "als", "ease + als"]
    assert [one.name for one in implicit_candidates("auto", 10_001)] == ["slim", "neighbours", "als", "slim + als"]


def test_neighbours_are_the_strongest_scaled_counts_of_what_was_met_together():
    rows = random_rows(n_rows=120, n_columns=25)
    options = NeighbourOptions(most=6, row_power=0.7, column_power=0.4, shrink=2.0, user_power=0.3)
    x = dense(rows)
    met, frequency = np.maximum((x > 0).sum(axis=1), 1), np.maximum((x > 0).sum(axis=0), 1).astype(float)
    together = x.T @ (x * met[:, None] ** -0.3)
    expected = together / (frequency[:, None] ** 0.7 * frequency**0.4 + 2.0)
    np.fill_diagonal(expected, 0)
    found = neighbours(rows, options, threads=2).rows
    assert (found.lengths[1:] == 6).all()
    for item in range(1, 25):
        columns, values = found.row(item)
        assert values == pytest.approx(np.sort(expected[item])[::-1][:6], rel=1e-5)
        assert values == pytest.approx(expected[item, columns], rel=1e-5)


def test_transitions_count_what_came_after_within_reach():
    sequences = SparseRows.from_lists([np.array([1, 2, 3, 2]), np.array([2, 3])], 4)
    options = TransitionOptions(back=2, decay=0.5, row_power=1.0, column_power=0.5, shrink=1.0, power=0.5)
    later = np.exp(-0.5)
    counts = np.zeros((4, 4))
    counts[1, 2], counts[1, 3] = 1, later
    counts[2, 3], counts[2, 2] = 2, later
    counts[3, 2] = 1
    frequency = np.array([1.0, 1.0, 3.0, 2.0])
    expected = (counts / (frequency[:, None] * frequency**0.5 + 1.0)) ** 0.5
    found = transitions(sequences, options)
    assert dense(found.rows) == pytest.approx(expected, rel=1e-6)
    assert (transitions(sequences, options.with_changes(most=1)).rows.lengths <= 1).all()


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_weights_score_histories_as_their_matrix_product_does(kind):
    rng = np.random.default_rng(3)
    matrix = np.where(rng.random((70, 70)) < 0.4, rng.standard_normal((70, 70)), 0).astype(np.float32)
    if kind == "dense":
        weights: DenseWeights | SparseWeights = DenseWeights.of(matrix)
    else:
        rows, columns = np.nonzero(matrix)
        values = matrix[rows, columns]
        weights = SparseWeights(
            SparseRows.from_pairs(rows.astype(np.int32), columns.astype(np.int32), values, n_rows=70, n_columns=70)
        )
    histories = random_rows(n_rows=50, n_columns=70)
    assert weights.scores(histories, threads=2) == pytest.approx(dense(histories) @ matrix, abs=1e-4)
    assert weights.toward(np.array([3, 9, 3], np.int32), 5) == pytest.approx(matrix[[3, 9, 3], 5])
    again = weights_from_arrays(weights.to_arrays())
    assert type(again) is type(weights)
    assert (again.scores(histories) == weights.scores(histories)).all()


def test_many_items_keep_fewer_weights_each_so_that_memory_is_bounded():
    assert most_per_item(1_000, 200) == 200
    assert most_per_item(100) == 100
    assert most_per_item(1_000_000, 200) == 50
    assert most_per_item(100_000_000, 200) == 20


# ---------------------------------------------------------------- models of histories


def models_of_histories(rows: SparseRows) -> dict[str, HistoryModel]:
    factors = FactorModel(ImplicitALS.fit(rows, OPTIONS), HistoryWeights(alpha=1.0))
    closed = LinearModel(ease(rows), HistoryWeights(alpha=0.5))
    after = LinearModel(transitions(rows), HistoryWeights(power=2.0))
    return {"factors": factors, "dense": closed, "sparse": after, "blend": Blend([after, factors], [0.7, 0.3])}


@pytest.mark.parametrize("name", ["factors", "dense", "sparse", "blend"])
def test_every_model_of_histories_keeps_the_contract(name):
    rows = random_rows(n_rows=200, n_columns=30)
    model = models_of_histories(rows)[name]
    assert model.n_items == 30
    users = model.user_rows(rows)
    assert len(users) == 200
    scores = model.score_rows(users)
    assert scores.shape == (200, 30)
    assert np.isfinite(scores).all()
    assert model.score_rows(users.part(50, 90)) == pytest.approx(scores[50:90], abs=1e-4)
    for user in (5, 60):
        items, counts = rows.row(user)
        parts = model.contributions(items, counts, 7)
        assert parts.shape == items.shape
        assert parts.sum() == pytest.approx(float(scores[user, 7]), abs=2e-4)
    nothing = model.score_rows(model.user_rows(SparseRows.from_lists([np.zeros(0, np.int32)], 30)))
    assert (nothing == 0).all()


def test_entries_weigh_by_count_and_by_what_came_after():
    histories = SparseRows.from_lists([np.array([4, 2, 9]), np.array([1])], 10)
    histories = histories.with_values(np.array([1, 1, 3, 7], np.float32))
    assert (HistoryWeights().apply(histories).values == 1).all()
    counted = HistoryWeights(alpha=2.0).apply(histories).values
    assert counted[:2] == pytest.approx([1, 1])
    assert counted[2] == pytest.approx((1 + 2 * np.log(4)) / (1 + 2 * np.log(2)))
    recent = HistoryWeights(power=2.0, reach=1.0).apply(histories)
    assert recent.values == pytest.approx([1 / 9, 1 / 4, 1, 1])
    long = SparseRows.from_lists([np.arange(1, 300)], 300)
    short = HistoryWeights(power=2.0, reach=1.0).apply(long)
    assert short.row(0)[0].tolist() == list(range(269, 300))
    assert HistoryWeights(power=2.0, reach=1.0).of_one(long.values)[:268].sum() == 0
