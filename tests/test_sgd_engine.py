"""The engine for millions of ratings against the same steps in NumPy, and what a user sees of it."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

import vectable as vt
from vectable.data.batches import BatchPlan
from vectable.models.dot_bias import EmbeddingDotBias
from vectable.training.engines.choice import make_engine
from vectable.training.engines.job import Job
from vectable.training.engines.protocol import Engine
from vectable.training.engines.sgd import engine as sgd
from vectable.training.engines.sgd.packed_rows import BIAS_GAIN, FIRST_SQUARES
from vectable.training.options import TrainingOptions
from vectable.training.parameter_groups import parameter_groups
from vectable.training.schedules import Schedule, constant_schedule

WD, N_USERS, N_ITEMS = 0.1, 50, 40


def made_ratings(n: int = 900, n_users: int = N_USERS, n_items: int = N_ITEMS, seed: int = 0) -> pl.DataFrame:
    """Ratings 1 to 5 from biases and two planted factors; small codes come up more often."""
    rng = np.random.default_rng(seed)
    user, item = (n_users * rng.random(n) ** 2).astype(int), (n_items * rng.random(n) ** 2).astype(int)
    taste, kind = rng.normal(0, 0.7, (n_users, 2)), rng.normal(0, 0.7, (n_items, 2))
    score = 3 + rng.normal(0, 0.5, n_items)[item] + (taste[user] * kind[item]).sum(1) + rng.normal(0, 0.3, n)
    frame = pl.DataFrame({"user": user, "item": item, "rating": np.clip(np.round(score), 1, 5)})
    return frame.unique(["user", "item"], maintain_order=True)


def data(**options: Any) -> vt.RatingsData:
    return vt.RatingsData.from_df(made_ratings(), **{"batch_size": 32, **options})


def learner(ratings: vt.RatingsData | None = None, **options: Any) -> vt.CollabLearner:
    how = {"n_factors": 6, "engine": "sgd", "progress": False, **options}
    return vt.collab_learner(data() if ratings is None else ratings, **how)


def engine_of(learn: vt.CollabLearner) -> Engine:
    return learn.session.make_engine(learn.model)


def sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


def by_hand(model: EmbeddingDotBias, ratings: vt.RatingsData, plans: list[BatchPlan], lrs: NDArray[np.float64]) -> Any:
    """The engine's documented steps, one rating after the other, in 64 bits: weights, squares and losses."""
    tables = (model.user_factors, model.user_bias, model.item_factors, model.item_bias)
    p, b, q, c = (table.weight.detach().numpy().astype(np.float64) for table in tables)
    users, items, stars = ratings.train_ratings.user, ratings.train_ratings.item, ratings.train_ratings.rating
    mean = float(stars.mean(dtype=np.float64))
    if model.y_range is not None:
        low, high = model.y_range
        mean = float(np.log((mean - low) / (high - mean)))
    else:
        c += mean - ((p[users] * q[items]).sum(1) + b[users, 0] + c[items, 0]).mean()
    user_squares, item_squares = np.full(len(p), FIRST_SQUARES), np.full(len(q), FIRST_SQUARES)
    losses, lr, wd = [], iter(sgd.RATE * lrs), sgd.DECAY * WD
    for plan in plans:
        for batch in plan:
            rate, errors = next(lr), []
            for row in batch:
                u, i = users[row], items[row]
                total, derivative = p[u] @ q[i] + b[u, 0] + c[i, 0], 1.0
                prediction = total
                if model.y_range is not None:
                    share = sigmoid(total)
                    prediction, derivative = low + (high - low) * share, (high - low) * share * (1 - share)
                errors.append(prediction - stars[row])
                slope = 2 * errors[-1] * derivative
                of_p, of_q = slope * q[i] + wd * p[u], slope * p[u] + wd * q[i]
                of_b, of_c = slope + wd * b[u, 0], slope + wd * (c[i, 0] - mean)
                user_rate, item_rate = rate / np.sqrt(user_squares[u]), rate / np.sqrt(item_squares[i])
                p[u], b[u, 0] = p[u] - user_rate * of_p, b[u, 0] - user_rate * BIAS_GAIN * of_b
                q[i], c[i, 0] = q[i] - item_rate * of_q, c[i, 0] - item_rate * BIAS_GAIN * of_c
                user_squares[u] += (of_p**2).mean()
                item_squares[i] += (of_q**2).mean()
            losses.append(np.mean(np.square(errors)))
    return (p, b, q, c), (user_squares, item_squares), np.array(losses)


@pytest.mark.parametrize("n_factors", [6, 16, 40])
@pytest.mark.parametrize("y_range", [(0.5, 5.5), None])
def test_it_takes_the_steps_that_it_says(y_range: Any, n_factors: int) -> None:
    ratings = data()
    learn = learner(ratings, y_range=y_range, n_factors=n_factors, wd=WD)
    before = {name: value.clone() for name, value in learn.model.state_dict().items()}
    engine, rng = engine_of(learn), np.random.default_rng(0)
    plans = [engine.batches(ratings, rng) for _ in range(2)]
    schedule = constant_schedule(2 * ratings.n_steps, 1e-3)
    schedule = Schedule(schedule.lrs * np.linspace(0.5, 1.5, len(schedule))[:, None], schedule.moms)
    engine.begin(schedule)
    losses = np.concatenate([part for plan in plans for part in engine.run(plan, ratings.train)])
    engine.sync_weights()

    reference = EmbeddingDotBias(len(ratings.user_ids), len(ratings.item_ids), n_factors, y_range)
    reference.load_state_dict(before)
    weights, squares, expected = by_hand(reference, ratings, plans, schedule.lrs[:, 0])
    model = learn.model
    for table, values in zip(
        (model.user_factors, model.user_bias, model.item_factors, model.item_bias), weights, strict=True
    ):
        assert_allclose(table.weight.detach().numpy(), values, atol=1e-6, rtol=1e-5)
    for side, sums in zip(("user", "item"), squares, strict=True):
        assert_allclose(engine.state()[f"{side}.squares"].numpy(), sums, rtol=1e-5)
    assert_allclose(losses, expected, rtol=1e-5)


@pytest.mark.parametrize("batch_size", [32, 300, 10_000])
def test_an_epoch_is_every_rating_once_with_each_users_together(batch_size: int) -> None:
    ratings = data(batch_size=batch_size)
    engine = engine_of(learner(ratings))
    plans = [engine.batches(ratings, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert_array_equal(plans[0].order, plans[1].order)
    assert not np.array_equal(plans[0].order, plans[2].order)
    users, items = ratings.train_ratings.user, ratings.train_ratings.item
    for plan in plans:
        assert len(plan) == ratings.n_steps
        assert_array_equal(np.sort(plan.order), np.arange(len(users)))
        for first, last in plan.stages:
            lanes = [
                np.concatenate([plan.order[plan.starts[s] : plan.stops[s]] for s in steps] or [plan.order[:0]])
                for steps in (np.flatnonzero(plan.lanes[first:last] == lane) + first for lane in (0, 1))
            ]
            assert not np.intersect1d(users[lanes[0]], users[lanes[1]]).size
            assert not np.intersect1d(items[lanes[0]], items[lanes[1]]).size
            for rows in lanes:
                changes = np.count_nonzero(np.diff(users[rows])) + (len(rows) > 0)
                assert changes == len(np.unique(users[rows])), "a user's ratings stand together"


def test_it_learns_what_is_planted_and_as_well_as_adamw() -> None:
    frame = made_ratings(6000, 150, 100)
    errors = {
        engine: learner(vt.RatingsData.from_df(frame, batch_size=32), engine=engine).fit_one_cycle(12, 5e-3).validate()
        for engine in ("sgd", "compiled")
    }
    assert errors["sgd"]["rmse"] < 0.85 * errors["sgd"]["baselines"]["biases"]["rmse"]
    assert errors["sgd"]["rmse"] < 1.05 * errors["compiled"]["rmse"]


def test_without_bounds_it_starts_at_the_mean() -> None:
    ratings = data()
    learn = learner(ratings, y_range=None)
    learn.fit(1, 1e-9)
    assert learn.predict(made_ratings(), raw=True).mean() == pytest.approx(ratings.mean_rating, abs=0.05)


def test_a_model_that_another_engine_trained_keeps_what_it_knows() -> None:
    ratings = data()
    learn = learner(ratings, engine="compiled", y_range=None).fit_one_cycle(30, 3e-2)
    before = learn.predict(made_ratings())
    learn.engine = "sgd"
    learn.session.drop_engines()
    learn.fit(1, 1e-9)
    assert np.abs(learn.predict(made_ratings()) - before).max() < 0.1


def job(learn: vt.CollabLearner, **options: Any) -> Job:
    chosen = TrainingOptions.of((), options.pop("opt", "adam"), {"wd": WD, **options})
    return Job(learn.model, torch.nn.MSELoss(), chosen, parameter_groups(learn.model), [WD], learn.data.train)


def test_it_is_chosen_from_millions_of_ratings_on_where_nothing_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    learn = learner()
    assert make_engine(job(learn)).name == "compiled"
    monkeypatch.setattr(sgd, "LEAST_RATINGS", len(learn.data.train))
    assert make_engine(job(learn)).name == "sgd"
    others = [{"preset": "lesson"}, {"engine": "compiled"}, {"engine": "torch"}, {"opt": "sgd"}, {"wd_mode": "l2"}]
    for named in others:
        assert make_engine(job(learn, **named)).name != "sgd", named
        assert "engine" in named or sgd.SgdEngine.why_not(job(learn, **named))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"opt": "rmsprop"}, "one Adagrad rate a row, and another optimizer is asked for"),
        ({"use_nn": True}, "EmbeddingDotBias, and the model is EmbeddingNet"),
        ({"precision": "bf16"}, "in 32 bits"),
        ({"accumulate": 2}, "a step per batch"),
        ({"loss_func": torch.nn.L1Loss()}, "mean squared error, and the loss is another"),
    ],
)
def test_by_name_it_says_why_it_cannot(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(vt.VectableError, match=f"The sgd engine cannot train this: .*{reason}"):
        learner(**options).fit(1, 1e-2)


def test_a_user_or_item_that_the_model_has_no_row_for_is_refused() -> None:
    learn = learner()
    engine, rows = engine_of(learn), learn.data.train
    rows.inputs[1][3] = 10_000
    engine.begin(constant_schedule(learn.data.n_steps, 1e-3))
    with pytest.raises(IndexError, match="a rating is of item 10000"):
        next(engine.run(learn.data.plan(np.random.default_rng(0)), rows))


def test_a_saved_state_of_another_shape_is_refused(tmp_path: Path) -> None:
    learn = learner().fit(1, 1e-3)
    contents = learn.to_contents()
    assert contents.settings["trained_by"] == "sgd"
    contents.tensors["optimizer"]["0.user.squares"] = torch.ones(3)
    with pytest.raises(vt.ArtifactError, match=r"user\.squares has 3 entries along dimension 0"):
        learner().take_state(contents)


def test_the_finder_leaves_no_trace_of_it() -> None:
    learn = learner()
    before = {name: value.clone() for name, value in learn.model.state_dict().items()}
    learn.lr_find(num_it=40)
    assert all(torch.equal(value, before[name]) for name, value in learn.model.state_dict().items())
