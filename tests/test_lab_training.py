"""The lab's optimizers, nets and factorisation: torch's steps where they are the same, and what the lesson claims."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from vectable import lab
from vectable.errors import UnknownNameError, VectableError
from vectable.lab.descent import OPTIMIZERS, make_optimizer

STEPS = 100


def walk(optimizer, gradients_of, parameters, decay=None):
    """100 steps of one of ours on copies of the parameters; every place it came through."""
    ours, path = [p.copy() for p in parameters], []
    for at in range(STEPS):
        gradients = gradients_of(ours, at)
        if decay:
            gradients = decay(ours, gradients)
        optimizer.step(ours, gradients)
        path.append(np.concatenate([p.ravel() for p in ours]))
    return np.array(path)


def torch_walk(make, gradients_of, parameters):
    """The same with torch's."""
    theirs = [torch.tensor(p, requires_grad=True) for p in parameters]
    optimizer, path = make(theirs), []
    for at in range(STEPS):
        for p, g in zip(theirs, gradients_of([p.detach().numpy() for p in theirs], at), strict=True):
            p.grad = torch.tensor(np.asarray(g))
        optimizer.step()
        path.append(np.concatenate([p.detach().numpy().ravel() for p in theirs]))
    return np.array(path)


START = [np.random.default_rng(0).normal(size=(3, 4)), np.random.default_rng(1).normal(size=5)]
TARGETS = np.random.default_rng(2).normal(size=(STEPS, 3, 4)), np.random.default_rng(3).normal(size=(STEPS, 5))


def noisy_bowl(parameters, at):
    """Gradients of a bowl whose bottom moves at every step, much steeper one way than the other."""
    return [scale * (p - target[at]) for p, target, scale in zip(parameters, TARGETS, (3.0, 0.01), strict=True)]


PAIRS = {
    "sgd": (lab.SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (lab.Momentum(0.03, 0.9), lambda p: torch.optim.SGD(p, 0.03, momentum=0.9)),
    "rmsprop": (lab.RMSProp(0.01, 0.95), lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.95)),
    "adam": (lab.Adam(0.05), lambda p: torch.optim.Adam(p, 0.05)),
    "adam, the lesson's betas": (
        lab.Adam(0.05, (0.9, 0.99), 1e-5),
        lambda p: torch.optim.Adam(p, 0.05, betas=(0.9, 0.99), eps=1e-5),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_hundred_steps_are_torchs(name):
    ours, theirs = PAIRS[name]
    np.testing.assert_allclose(walk(ours, noisy_bowl, START), torch_walk(theirs, noisy_bowl, START), atol=1e-6, rtol=0)


def test_damped_momentum_is_torchs_but_for_its_first_step():
    ours = lab.DampedMomentum(0.1, 0.9)
    ours.average = {0: noisy_bowl(START, 0)[0], 1: noisy_bowl(START, 0)[1]}  # torch's memory before the first step
    theirs = torch_walk(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.9), noisy_bowl, START)
    np.testing.assert_allclose(walk(ours, noisy_bowl, START), theirs, atol=1e-6, rtol=0)
    assert np.abs(walk(lab.DampedMomentum(0.1, 0.9), noisy_bowl, START) - theirs).max() > 0.01


def test_damped_momentum_at_ten_times_the_rate_is_momentum():
    damped, usual = walk(lab.DampedMomentum(0.1), noisy_bowl, START), walk(lab.Momentum(0.01), noisy_bowl, START)
    np.testing.assert_allclose(damped, usual, atol=1e-12)


def test_decay_is_torchs_decoupled_and_l2():
    def decoupled(parameters, gradients):
        lab.decay(parameters, 0.05, 0.2)
        return gradients

    def before(parameters, at):
        return noisy_bowl(parameters, at)

    ours, theirs = [p.copy() for p in START], [torch.tensor(p, requires_grad=True) for p in START]
    adam, adamw = lab.Adam(0.05), torch.optim.AdamW(theirs, 0.05, weight_decay=0.2)
    for at in range(STEPS):
        gradients = before(ours, at)
        lab.decay(ours, 0.05, 0.2)
        adam.step(ours, gradients)
        for p, g in zip(theirs, noisy_bowl([p.detach().numpy() for p in theirs], at), strict=True):
            p.grad = torch.tensor(g)
        adamw.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p, q.detach().numpy(), atol=1e-6)

    l2 = walk(lab.Adam(0.05), noisy_bowl, START, lambda p, g: lab.l2(p, g, 0.2))
    their_l2 = torch_walk(lambda p: torch.optim.Adam(p, 0.05, weight_decay=0.2), noisy_bowl, START)
    np.testing.assert_allclose(l2, their_l2, atol=1e-6)


@given(lr=st.floats(1e-4, 0.5), wd=st.floats(0, 1), seed=st.integers(0, 99))
@settings(deadline=None)
def test_the_forms_of_decay_agree_for_plain_descent_only(lr, wd, seed):
    p, g = np.random.default_rng(seed).normal(size=(2, 6))
    penalty, l2, decoupled = ([p.copy()] for _ in range(3))
    lab.SGD(lr).step(penalty, [g + lab.l2_penalty_gradients(penalty, wd / 2)[0]])  # the factor 2
    lab.SGD(lr).step(l2, lab.l2(l2, [g], wd))
    lab.decay(decoupled, lr, wd)
    lab.SGD(lr).step(decoupled, [g])
    np.testing.assert_allclose(penalty, l2, atol=1e-12)
    np.testing.assert_allclose(decoupled, l2, atol=1e-12)


def test_for_adam_the_forms_of_decay_part():
    p, g = np.array([1.0, 1.0]), np.array([100.0, 0.01])
    coupled, decoupled = [p.copy()], [p.copy()]
    lab.Adam(0.01).step(coupled, lab.l2(coupled, [g], 0.5))
    lab.decay(decoupled, 0.01, 0.5)
    lab.Adam(0.01).step(decoupled, [g])
    np.testing.assert_allclose(coupled[0], 1 - 0.01, atol=1e-6)  # the step has one size, decay or no decay
    np.testing.assert_allclose(decoupled[0], 1 - 0.005 - 0.01, atol=1e-6)


def test_the_penalty_is_what_its_gradients_say():
    assert lab.check_gradient(
        lambda *p: lab.l2_penalty(list(p), 0.3), lambda *p: lab.l2_penalty_gradients(list(p), 0.3), *START
    ) < 1e-8  # fmt: skip


def test_a_new_adam_every_step_moves_by_the_sign():
    p, g = [np.zeros(3)], [np.array([5.0, -1e-3, 1e-6])]
    forgetful = lab.Forgetful(lambda lr: lab.Adam(lr), 0.1)
    for steps in (1, 2):
        forgetful.step(p, g)
        np.testing.assert_allclose(p[0], steps * np.array([-0.1, 0.1, -0.1]), rtol=0.02)


def test_on_a_steady_slope_momentum_grows_tenfold_and_damped_does_not():
    p, q, g = [np.zeros(1)], [np.zeros(1)], [np.ones(1)]
    usual, damped = lab.Momentum(0.1), lab.DampedMomentum(0.1)
    for _ in range(200):
        before = p[0].copy(), q[0].copy()
        usual.step(p, g)
        damped.step(q, g)
    np.testing.assert_allclose([before[0] - p[0], before[1] - q[0]], [[1.0], [0.1]], rtol=1e-6)


# ---------------------------------------------------------------- nets


def digits(rows=400, inputs=20, classes=4):
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(classes, inputs))
    y = rng.integers(0, classes, rows)
    return centres[y] + rng.normal(0, 0.7, (rows, inputs)), y


@pytest.mark.parametrize("sizes", [[20, 4], [20, 6, 4], [20, 6, 5, 4]])
def test_a_nets_gradients_are_torchs(sizes):
    x, y = digits(16)
    net = lab.Net(sizes, seed=2)
    out = net(x)
    gradients = net.backward(lab.cross_entropy_gradient(out, y))
    parameters = [torch.tensor(p, requires_grad=True) for p in net.parameters]
    h = torch.tensor(x)
    for at in range(0, len(parameters), 2):
        h = h @ parameters[at] + parameters[at + 1]
        if at + 2 < len(parameters):
            h = h.relu()
    np.testing.assert_allclose(out, h.detach().numpy(), atol=1e-12)
    F.cross_entropy(h, torch.tensor(y)).backward()
    for ours, theirs in zip(gradients, parameters, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), atol=1e-12)


def test_update_is_the_lessons():
    """Fifty updates of the lesson's own loop, written with torch, and of ours."""
    x, y = digits()
    net = lab.Net([20, 4])
    w, b = (torch.tensor(p, requires_grad=True) for p in net.parameters)
    for at in range(50):
        rows = np.arange(at, at + 64)
        loss = F.cross_entropy(torch.tensor(x[rows]) @ w + b, torch.tensor(y[rows])) + 1e-2 * (
            (w**2).sum() + (b**2).sum()
        )
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p.sub_(0.1 * p.grad)
                p.grad.zero_()
        assert lab.update(net, x[rows], y[rows], lab.SGD(0.1), wd=1e-2) == pytest.approx(loss.item(), abs=1e-12)
    np.testing.assert_allclose(net.parameters[0], w.detach().numpy(), atol=1e-12)


def test_training_sees_every_row_once_an_epoch_and_learns():
    x, y = digits(330)
    net = lab.Net([20, 10, 4])
    losses = lab.train_epoch(net, x, y, lab.Adam(1e-2), batch=64)
    assert len(losses) == 6
    before = lab.accuracy(net, x, y)
    for seed in range(5):
        lab.train_epoch(net, x, y, lab.Adam(1e-2), seed=seed)
    assert before < lab.accuracy(net, x, y) > 0.95
    assert len(lab.train_epoch(net, x[:0], y[:0], lab.SGD(0.1))) == 0


def test_a_net_of_one_size_is_refused():
    with pytest.raises(VectableError, match="only one size"):
        lab.Net([10])


# ---------------------------------------------------------------- factorisation


def planted(users=6, items=7, k=2, missing=0.3):
    rng = np.random.default_rng(4)
    ratings = 3 + rng.normal(size=(users, k)) @ rng.normal(size=(k, items)) / 2
    ratings[rng.random(ratings.shape) < missing] = np.nan
    return ratings


@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
def test_factor_gradients_are_right(y_range):
    ratings = planted()
    given = lab.start_factors(ratings, 3, 1, y_range)

    def loss(*parts):
        return lab.Factors(*parts, y_range).rmse(ratings) ** 2

    parts = [given.user, given.item, given.user_bias + 0.1, given.item_bias - 0.2]
    assert lab.check_gradient(loss, lambda *p: lab.factor_gradients(lab.Factors(*p, y_range), ratings), *parts) < 1e-7


def test_a_planted_factorisation_is_found_and_biases_and_limits_are_kept():
    ratings = planted(missing=0.1)
    assert lab.fit_factors(ratings, 3, steps=2000, starts=2).rmse(ratings) < 0.02
    plain = lab.fit_factors(ratings, 1, steps=500, starts=2)
    biased = lab.fit_factors(ratings, 1, bias=True, steps=500, starts=2)
    assert biased.rmse(ratings) < plain.rmse(ratings)
    assert not plain.user_bias.any()
    assert biased.item_bias.any()
    limited = lab.fit_factors(ratings, 2, y_range=(2.0, 4.0), steps=300, starts=1).predict()
    assert 2 <= limited.min() <= limited.max() <= 4


def test_more_starts_are_never_worse():
    ratings = planted()
    errors = [lab.fit_factors(ratings, 2, steps=100, starts=n).rmse(ratings) for n in (1, 2, 4)]
    assert errors == sorted(errors, reverse=True)


def test_what_cannot_be_factorised_is_refused():
    for wrong, said in [
        (np.full((2, 3), np.nan), "There is no rating in this 2 x 3 matrix"),
        (np.zeros((0, 0)), "There is no rating in this 0 x 0 matrix"),
        (np.zeros(3), "have 1 dimensions"),
    ]:
        with pytest.raises(VectableError, match=said):
            lab.fit_factors(wrong)
    for name in ("n_factors", "steps", "starts"):
        with pytest.raises(VectableError, match=f"{name} must be a positive integer; got 0"):
            lab.fit_factors(planted(), **{name: 0})


def test_one_rating_is_enough():
    assert lab.fit_factors(np.array([[4.0]]), 1, steps=500, starts=1).rmse(np.array([[4.0]])) < 1e-3


# ---------------------------------------------------------------- descent


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_gets_down_at_its_own_rate(name):
    way = lab.descend(name, epochs=10)
    assert way.errors[-1] < way.errors[0] / 4
    assert way.diverged is None
    assert len(way.slopes) == 10 * 29 + 1
    assert "gets down" in way.in_words()


def test_too_large_a_rate_diverges_and_is_told_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate in (1e-3, 0.01, 1e10, 1e300):
            way = lab.descend("sgd", rate)
            assert way.diverged == len(way.slopes) - 1 <= 29
            assert f"sgd at {rate:g} diverges" in way.in_words()
            assert "ten times smaller" in way.in_words()
    assert "ends worse than it began" in lab.descend("adam", 30).in_words()
    assert "hardly moves" in lab.descend("sgd", 1e-9).in_words()


def test_small_enough_rates_of_plain_descent_never_diverge():
    """A step on one point shrinks its own error where lr < 1 / (x² + 1)."""
    largest = 1 / (99**2 + 1)
    assert lab.descend("sgd", 0.99 * largest, epochs=100).diverged is None
    assert lab.descend("sgd", 5 * largest, epochs=100).diverged is not None


def test_descent_refuses_what_it_cannot_do():
    with pytest.raises(UnknownNameError, match=r"no optimizer 'adma'\. Did you mean 'adam'"):
        lab.descend("adma")
    for rate in (0, -1, float("nan"), float("inf"), "x"):
        with pytest.raises(VectableError, match="learning rate"):
            make_optimizer("sgd", rate)
    with pytest.raises(VectableError, match=r"epochs must be .*; got 0"):
        lab.descend("sgd", epochs=0)
    with pytest.raises(VectableError, match="0 x and 0 y"):
        lab.descend("sgd", points=(np.zeros(0), np.zeros(0)))


def test_line_gradients_are_right():
    x, y = lab.lesson_points()
    assert (len(x), set(y - 2 * x)) == (29, {30.0})
    assert lab.check_gradient(lambda b, a: lab.line_loss(x, y, float(b), float(a)),
                              lambda b, a: lab.line_gradients(x, y, float(b), float(a)), 1.0, 2.5) < 1e-6  # fmt: skip
