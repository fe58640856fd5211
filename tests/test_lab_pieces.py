"""The lab's layers, losses, averages and schedules: the same numbers as torch, the golden values, and the laws."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F

from vectable import lab
from vectable.errors import VectableError
from vectable.training import presets, schedules

SOME = np.random.default_rng(0)
X, W, B = SOME.normal(size=(7, 5)), SOME.normal(size=(5, 4)), SOME.normal(size=4)
CODES = np.array([0, 3, 1, 1, 2, 0, 3])
numbers = st.floats(-20, 20)


def same(ours, torchs, tolerance=1e-12):
    np.testing.assert_allclose(ours, torchs.detach().numpy() if torch.is_tensor(torchs) else torchs, atol=tolerance)


def t(array, grad=False):
    return torch.tensor(array, requires_grad=grad)


def by_torch(function, *points):
    """The gradients of the sum of `function`, by torch."""
    tensors = [t(point, True) for point in points]
    function(*tensors).sum().backward()
    return [one.grad for one in tensors]


def test_the_lab_imports_no_torch():
    code = (
        "import sys, vectable.lab; assert not {'torch', 'polars', 'numba', 'sklearn', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- layers


def test_affine_is_torchs_linear_and_a_column_of_ones_is_its_bias():
    same(lab.affine(X, W, B), F.linear(t(X), t(W.T), t(B)))
    same(lab.append_ones(X) @ np.vstack([W, B]), lab.affine(X, W, B))
    G = SOME.normal(size=(7, 4))
    for ours, theirs in zip(
        lab.affine_gradients(X, W, G), by_torch(lambda x, w, b: (x @ w + b) * t(G), X, W, B), strict=True
    ):
        same(ours, theirs)


def test_two_affine_functions_are_one():
    w2, b2 = SOME.normal(size=(4, 3)), SOME.normal(size=3)
    same(lab.affine(X, *lab.compose_affine(W, B, w2, b2)), lab.affine(lab.affine(X, W, B), w2, b2))
    with_relu = lab.affine(lab.relu(lab.affine(X, W, B)), w2, b2)
    assert not np.allclose(with_relu, lab.affine(X, *lab.compose_affine(W, B, w2, b2)))


def test_my_linear_starts_like_torchs_and_goes_back_like_it():
    layer = lab.MyLinear(100, 50, seed=3)
    w, b = layer.parameters
    assert (w.shape, b.shape) == ((100, 50), (50,))
    theirs = torch.nn.Linear(100, 50).weight
    assert np.abs(w).max() <= 0.1
    assert w.std() == pytest.approx(theirs.std().item(), rel=0.05)
    x = SOME.normal(size=(6, 100))
    out = layer(x)
    by_x = layer.backward(2 * out)
    for ours, expected in zip(
        [by_x, *layer.gradients], by_torch(lambda x, w, b: (x @ w + b) ** 2, x, w, b), strict=True
    ):
        same(ours, expected)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("relu", F.relu), ("sigmoid", torch.sigmoid), ("softmax", lambda x: F.softmax(x, -1)),
     ("log_softmax", lambda x: F.log_softmax(x, -1))],
)  # fmt: skip
@given(x=arrays(np.float64, (3, 4), elements=st.floats(-800, 800)))
@settings(max_examples=50, deadline=None)
def test_activations_are_torchs_and_never_overflow(name, theirs, x):
    with np.errstate(all="raise", under="ignore"):
        same(getattr(lab, name)(x), theirs(t(x)))


def test_activation_gradients_are_torchs():
    G, x = SOME.normal(size=(7, 5)), np.where(np.abs(X) < 0.1, 0.0, X)
    pairs = {"relu": F.relu, "sigmoid": torch.sigmoid, "softmax": lambda x: F.softmax(x, -1)}
    for name, theirs in pairs.items():
        same(getattr(lab, f"{name}_gradient")(x, G), by_torch(lambda x, f=theirs: f(x) * t(G), x)[0])
    ours = lab.scaled_sigmoid_gradient(x, G, 0.5, 5.5)
    same(ours, by_torch(lambda x: (0.5 + 5 * torch.sigmoid(x)) * t(G), x)[0])


def test_scaled_sigmoid_is_the_golden_one(golden):
    case = golden["sigmoid_range"]
    same(lab.scaled_sigmoid(np.array(case["x"]), case["lo"], case["hi"]), case["y"], 1e-6)


@given(codes=arrays(np.int64, st.integers(0, 9), elements=st.integers(0, 4)))
def test_one_hot_times_matrix_is_lookup(codes):
    same(lab.one_hot_product(codes, W), lab.lookup(codes, W), 0)
    gradient = SOME.normal(size=(len(codes), 4))
    same(lab.lookup_gradient(codes, W, gradient), lab.one_hot(codes, 5).T @ gradient)


def test_batch_norm_is_torchs_forward_backward_and_afterwards():
    ours, theirs = lab.BatchNorm(5), torch.nn.BatchNorm1d(5).double()
    ours.parameters = [SOME.normal(size=5), SOME.normal(size=5)]
    theirs.load_state_dict({"weight": t(ours.parameters[0]), "bias": t(ours.parameters[1])}, strict=False)
    for _ in range(3):
        x, G = SOME.normal(3, 2, size=(8, 5)), SOME.normal(size=(8, 5))
        x_t = t(x, True)
        theirs.zero_grad()
        out = theirs(x_t)
        (out * t(G)).sum().backward()
        same(ours(x), out)
        same(ours.backward(G), x_t.grad)
        same(ours.gradients[0], theirs.weight.grad)
        same(ours.gradients[1], theirs.bias.grad)
    same(ours.mean, theirs.running_mean)
    same(ours.variance, theirs.running_var)
    same(ours(X, training=False), theirs.eval()(t(X)))


def test_dropout_keeps_the_mean_and_leaves_prediction_alone():
    rng = np.random.default_rng(1)
    x = np.ones((400, 500))
    dropped = lab.dropout(x, 0.4, rng)
    assert set(np.unique(dropped)) == {0.0, 1 / 0.6}
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    assert (dropped == 0).mean() == pytest.approx(0.4, abs=0.01)
    assert lab.dropout(x, 0.4, rng, training=False) is x


# ---------------------------------------------------------------- losses


def test_losses_are_torchs():
    logits, targets = SOME.normal(size=9) * 5, (SOME.random(9) > 0.5).astype(float)
    p = lab.sigmoid(logits)
    x = SOME.normal(size=(7, 4)) * 3
    same(lab.mse(X, X * 2), F.mse_loss(t(X), t(X * 2)))
    same(lab.rmse(X, X * 2) ** 2, lab.mse(X, X * 2))
    same(lab.binary_cross_entropy(p, targets), F.binary_cross_entropy(t(p), t(targets)))
    same(lab.binary_cross_entropy_as_lookup(p, targets.astype(int)), lab.binary_cross_entropy(p, targets))
    same(lab.binary_cross_entropy_from_logits(logits, targets), lab.binary_cross_entropy(p, targets))
    same(lab.cross_entropy(x, CODES), F.cross_entropy(t(x), t(CODES)))
    same(lab.cross_entropy_as_sum(x, CODES), lab.cross_entropy(x, CODES))
    same(lab.nll(lab.log_softmax(x), CODES), F.nll_loss(F.log_softmax(t(x), -1), t(CODES)))
    same(lab.cross_entropy_gradient(x, CODES), by_torch(lambda x: F.cross_entropy(x, t(CODES)), x)[0])
    same(lab.mse_gradient(X, X * 2), by_torch(lambda x: F.mse_loss(x, t(X * 2)), X)[0])


def test_binary_cross_entropy_at_the_ends():
    assert lab.binary_cross_entropy(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0
    assert lab.binary_cross_entropy(np.array([0.0]), np.array([1.0])) == np.inf
    assert lab.binary_cross_entropy_as_lookup(np.array([0.0]), np.array([1])) == np.inf


def test_the_entropy_sheets_numbers_are_base_ten():
    isCat, preds = np.array([1, 1, 0]), np.array([0.5, 0.98, 0.9])
    each = [lab.binary_cross_entropy(preds[i : i + 1], isCat[i : i + 1]) for i in range(3)]
    assert np.round(each, 3).tolist() == [0.693, 0.020, 2.303]
    assert np.round(np.array(each) / np.log(10), 3).tolist() == [0.301, 0.009, 1.0]


# ---------------------------------------------------------------- gradients


@given(
    x=arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 4)), elements=st.floats(-3, 3)),
    power=st.integers(1, 4),
)
@settings(deadline=None, max_examples=60)
def test_check_gradient_agrees_with_what_is_right_and_refuses_what_is_not(x, power):
    def f(x):
        return float((x**power + np.sin(x)).sum())

    assert lab.check_gradient(f, lambda x: power * x ** (power - 1) + np.cos(x), x) < 1e-5
    with pytest.raises(VectableError, match="by hand"):
        lab.check_gradient(f, lambda x: power * x ** (power - 1) + np.cos(x) + 0.01 * (1 + np.abs(x).max() ** 3), x)


def test_check_gradient_takes_several_arguments_numbers_and_lists():
    def loss(x, w, b):
        return lab.mse(lab.affine(x, w, b), np.ones((7, 4)))

    def by_hand(x, w, b):
        return lab.affine_gradients(x, w, lab.mse_gradient(lab.affine(x, w, b), np.ones((7, 4))))

    assert lab.check_gradient(loss, by_hand, X, W, B) < 1e-8
    assert lab.check_gradient(lambda x: x**2, lambda x: 2 * x, 3.0) < 1e-8
    assert lab.check_gradient(lambda x: float((x**2).sum()), lambda x: [2 * x], X) < 1e-8
    assert lab.check_gradient(lambda x: 0.0, lambda x: x, np.zeros((0, 3))) == 0


def test_check_gradient_says_what_is_wrong():
    def f(x):
        return float((x**2).sum())

    with pytest.raises(VectableError, match=r"by argument 0 at \(2,\) is 5 by hand, 6 by finite differences"):
        lab.check_gradient(f, lambda x: 2 * x - np.array([0, 0, 1]), np.array([1.0, 2, 3]))
    with pytest.raises(VectableError, match=r"has shape \(2,\), the argument \(3,\)"):
        lab.check_gradient(f, lambda x: 2 * x[:2], np.ones(3))
    with pytest.raises(VectableError, match="has 1 parts, the point 2"):
        lab.check_gradient(lambda x, y: 0.0, lambda x, y: [x], 1.0, 1.0)
    with pytest.raises(VectableError, match="not finite"):
        lab.check_gradient(lambda x: float(np.log(x).sum()), lambda x: 1 / x, np.array([np.nan, 1.0]))
    with pytest.raises(VectableError, match="needs a point"):
        lab.check_gradient(f, f)


def test_one_sided_is_further_off_than_both_sides_and_the_point_is_left_alone():
    x = np.array([1.0, -2.0])

    def f(x):
        return float((x**3).sum())

    exact = 3 * x**2
    both, one = lab.finite_differences(f, x, 0.01), lab.one_sided(f, x, 0.01)
    assert np.abs(both - exact).max() < 0.001 < np.abs(one - exact).max()
    same(x, [1.0, -2.0], 0)


# ---------------------------------------------------------------- averages and schedules


def test_ewma_is_the_golden_one(golden):
    case = golden["ewma"]
    same(lab.ewma(case["x"], 0.98, debias=True), case["smoothed"], 1e-9)


@given(values=st.lists(numbers, min_size=1, max_size=30), beta=st.floats(0, 0.999))
def test_a_debiased_average_stays_within_and_begins_at_the_first_value(values, beta):
    smooth = lab.ewma(values, beta, debias=True)
    assert smooth[0] == pytest.approx(values[0], abs=1e-9)
    assert min(values) - 1e-9 <= smooth.min() <= smooth.max() <= max(values) + 1e-9
    same(lab.ewma(np.full(5, 2.0), beta, start=2.0), np.full(5, 2.0))


def test_one_cycle_is_the_golden_one_and_the_librarys(golden):
    modern, lesson = golden["one_cycle"]["modern"], golden["one_cycle"]["lesson"]
    same(lab.one_cycle(modern["lr_max"], modern["T"]), modern["lr"], 1e-8)
    same(lab.one_cycle_momentum(modern["T"]), modern["mom"], 1e-8)
    same(lab.one_cycle(lesson["lr_max"], lesson["T"], lab.linear, 0.3, 25, 25e4), lesson["lr"], 1e-8)
    same(lab.one_cycle_momentum(lesson["T"], warm_up=lab.linear, pct_start=0.3), lesson["mom"], 1e-8)
    librarys = schedules.one_cycle_schedule(presets.preset_named("modern").cycle, 37, 0.02)
    same(lab.one_cycle(0.02, 37), librarys.lrs[:, 0])
    same(lab.one_cycle_momentum(37), librarys.moms[:, 0])


@given(a=st.floats(1e-6, 10), b=st.floats(1e-6, 10))
def test_schedules_begin_and_end_where_they_say(a, b):
    for shape in (lab.linear, lab.cosine, lab.exponential):
        assert shape(a, b, 0.0) == pytest.approx(a)
        assert shape(a, b, 1.0) == pytest.approx(b)
        assert min(a, b) * (1 - 1e-9) <= shape(a, b, 0.3) <= max(a, b) * (1 + 1e-9)


@pytest.fixture(scope="module")
def golden(data_dir):
    file = data_dir.parent / "golden" / "reference.json"
    if not file.is_file():
        pytest.skip(f"needs the golden values: there is no {file}")
    return json.loads(file.read_text())
