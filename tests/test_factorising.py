"""Compiled maths for interactions: each against the same formula written out in NumPy."""

import numpy as np
import pytest

from vectable.factorising.als import ALSOptions, ImplicitALS, improve
from vectable.factorising.sparse_rows import SparseRows


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
