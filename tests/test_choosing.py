"""How estimators on tables train where nobody says so: chosen on held-out rows."""

import numpy as np
import pytest

import vectable as vt
from vectable.estimators.choosing import BY_EPOCHS, BY_STEPS, Plan, choose, parts_held_out, plans_for

RNG = np.random.default_rng(0)


class Trained:
    def __init__(self, loss):
        self.loss = loss

    def validate(self):
        return {"valid_loss": self.loss}


def test_the_plan_with_the_least_loss_is_chosen_and_one_alone_without_training():
    losses = {1.0: [0.3, 0.9], 2.0: [0.5, 0.5], 3.0: [0.6, 0.6]}
    plans = [Plan(1, 1, wd, 0.1) for wd in losses]
    parts = [np.arange(10), np.arange(10)]
    turn = iter(range(2))

    def train(held_out):
        fold = next(turn)
        return lambda plan: Trained(losses[plan.wd][fold])

    assert choose(plans, parts, train).wd == 2.0
    assert choose(plans[:1], parts, None) is plans[0]
    assert choose(plans, parts[:1], lambda held_out: lambda plan: Trained(np.nan)) is plans[0]


def test_longer_parts_count_more():
    losses = iter([0.0, 1.0, 0.3, 0.0])  # of two plans on 9 rows, then on 1
    plans = [Plan(1, 1, wd, 0.1) for wd in (1.0, 2.0)]
    train = lambda held_out: lambda plan: Trained(next(losses))  # noqa: E731
    assert choose(plans, [np.arange(9), np.arange(1)], train).wd == 1.0


@pytest.mark.parametrize("rows", [100, 777, 5000])
def test_held_out_parts_are_apart_and_have_their_share_of_each_class(rows):
    groups = (np.arange(rows) % 10 == 0).astype(np.int64)
    parts = parts_held_out(groups, 3)
    assert len(parts) == (1 if rows == 5000 else 3)
    assert len(set(np.concatenate(parts))) == sum(map(len, parts))
    for part in parts:
        assert abs(len(part) - rows / 5) <= 2
        assert abs(groups[part].sum() - groups.sum() / 5) <= 1
    assert all(np.array_equal(*pair) for pair in zip(parts, parts_held_out(groups, 3), strict=True))


def test_how_many_rows_decide_what_there_is_to_choose():
    assert [len(plans_for(n, False)) for n in (20, 100, 4999, 5000, 49_999, 50_000)] == [1, 3, 3, 3, 3, 1]
    assert plans_for(4999, False) is BY_STEPS
    assert plans_for(5000, False) is BY_EPOCHS
    assert Plan(200, 4, 1, 1).n_epochs(7) == 29
    assert Plan(200, 4, 1, 1).n_epochs(100) == 4


def fitted(X, y, **how):
    return vt.TabularRegressor(random_state=0, n_models=1, **how).fit(X, y)


def test_what_is_mostly_noise_is_trained_shorter_than_what_is_smooth():
    X = RNG.normal(size=(400, 4))
    noise, smooth = RNG.normal(size=400), np.sin(X[:, 0]) * X[:, 1] + X[:, 2] ** 2
    assert fitted(X, noise).n_iter_ < fitted(X, smooth).n_iter_


def test_what_is_named_is_not_chosen():
    X = RNG.normal(size=(200, 3))
    model = fitted(X, X[:, 0], n_epochs=2, lr=1e-3, wd=0.5)
    assert model.n_iter_ == 2
    assert model.learner_.session.options.wd == 0.5
    assert model.learner_.recorder.lrs.max() == pytest.approx(1e-3, rel=0.01)
    assert fitted(X, X[:, 0], wd=0.5).learner_.session.options.wd == 0.5
    with pytest.raises(vt.VectableError, match="lr must be 'auto' or a number; got 'high'"):
        fitted(X, X[:, 0], lr="high")


@pytest.mark.slow
def test_few_rows_of_numbers_start_as_a_ridge_regression():
    X = RNG.normal(size=(150, 3)) * [1, 10, 100]
    y = X @ [3.0, 0.2, -0.01]
    model = fitted(X, y)
    assert model.learner_.model.linear is not None
    assert np.sqrt(np.mean((model.predict(X) - y) ** 2)) < 0.02 * y.std()
    X[0, 0] = np.nan
    assert fitted(X, y).learner_.model.linear is None
