"""The compiled engine against torch.optim.AdamW on the same batches, and against itself."""

import os
import subprocess
import sys
import textwrap
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from vectable.data.batches import BatchPlan, block_batches, shuffled_batches
from vectable.training.engines.compiled import EngineUnavailable, LazyAdamW
from vectable.training.engines.compiled.schedule import tabulate

N_USERS, N_ITEMS, BETA2, WD = 120, 150, 0.99, 0.1
Y_RANGE = (0.0, 5.5)


@pytest.fixture(autouse=True, scope="module")
def _one_torch_thread():
    """The tables are small: torch's threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Ratings:
    """Ratings with structure to learn; small codes are read far more often than large ones."""

    def __init__(self, n: int = 4000, n_users: int = N_USERS, n_items: int = N_ITEMS, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.users = (n_users * rng.random(n) ** 2).astype(np.int32)
        self.items = (n_items * rng.random(n) ** 3).astype(np.int32)
        liking = rng.normal(0, 0.5, n_users)[self.users] + rng.normal(0, 0.5, n_items)[self.items]
        taste, kind = rng.normal(0, 0.7, (n_users, 3)), rng.normal(0, 0.7, (n_items, 3))
        liking += (taste[self.users] * kind[self.items]).sum(1)
        self.ratings = np.clip(np.round(2 * (3.5 + liking)) / 2, 0.5, 5).astype(np.float32)

    def keep(self, some):
        self.users, self.items, self.ratings = (column[some].copy() for column in self.columns())

    def columns(self):
        return self.users, self.items, self.ratings


def start(n_factors=40, n_users=N_USERS, n_items=N_ITEMS, seed=1, scale=0.1):
    rng = np.random.default_rng(seed)
    shapes = (n_users, n_factors), (n_users,), (n_items, n_factors), (n_items,)
    return tuple((scale * rng.standard_normal(shape)).astype(np.float32) for shape in shapes)


def one_cycle(steps, lr=5e-3):
    """Learning rates up and down, momenta down and up."""
    at = np.arange(steps) / steps
    high = 0.5 - 0.5 * np.cos(np.pi * np.where(at < 0.25, at / 0.25, 1 - (at - 0.25) / 0.75))
    return lr * (0.04 + 0.96 * high), 0.95 - 0.1 * high


def plans(data, epochs=2, size=64, seed=0, blocks=True):
    rng = np.random.default_rng(seed)
    if blocks:
        return [block_batches(data.users, data.items, size, rng) for _ in range(epochs)]
    return [shuffled_batches(len(data.users), size, rng) for _ in range(epochs)]


def build(weights, *, y_range=Y_RANGE, eps=1e-5, wd=WD, threads=2, beta2=BETA2):
    return LazyAdamW(*weights, y_range=y_range, beta2=beta2, eps=eps, wd=wd, threads=threads)


def fit(engine, data, some_plans, schedule):
    engine.begin(*schedule)
    return np.concatenate([engine.train(*data.columns(), plan, 0, len(plan)) for plan in some_plans])


def predict(weights, users, items, y_range=Y_RANGE):
    p, bu, q, bi = (np.asarray(w, dtype=np.float64) for w in weights)
    raw = (p[users] * q[items]).sum(1) + bu[users] + bi[items]
    return raw if y_range is None else y_range[0] + (y_range[1] - y_range[0]) / (1 + np.exp(-raw))


class Dense:
    """torch.optim.AdamW stepping over the whole tables."""

    def __init__(self, weights, *, y_range=Y_RANGE, eps=1e-5, wd=WD, beta2=BETA2):
        self.parameters = [torch.nn.Parameter(torch.tensor(w)) for w in weights]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1.0, eps=eps, weight_decay=wd)
        self.y_range, self.beta2 = y_range, beta2

    def fit(self, data, some_plans, schedule):
        p, bu, q, bi = self.parameters
        users, items = torch.tensor(data.users).long(), torch.tensor(data.items).long()
        ratings, losses = torch.tensor(data.ratings), []
        batches = [torch.tensor(batch).long() for plan in some_plans for batch in plan]
        for batch, lr, mom in zip(batches, *schedule, strict=True):
            u, i = users[batch], items[batch]
            predictions = (p[u] * q[i]).sum(1) + bu[u] + bi[i]
            if self.y_range is not None:
                low, high = self.y_range
                predictions = low + (high - low) * torch.sigmoid(predictions)
            loss = ((predictions - ratings[batch]) ** 2).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.param_groups[0].update(lr=lr, betas=(mom, self.beta2))
            self.optimizer.step()
            losses.append(loss.item())
        return np.array(losses)

    def weights(self):
        return [parameter.detach().numpy() for parameter in self.parameters]


def part(plan, first, last):
    """Some steps of a plan as a plan."""
    chosen = slice(first, last)
    return BatchPlan(plan.order, plan.starts[chosen], plan.stops[chosen], plan.lanes[chosen], ((0, last - first),))


def count(some_plans):
    return sum(len(plan) for plan in some_plans)


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert_array_equal(a, b)


def assert_close(one, other, atol=3e-6):
    for a, b in zip(one, other, strict=True):
        assert np.isfinite(a).all()
        assert_allclose(a, b, rtol=0, atol=atol)


@pytest.mark.parametrize("n_factors", [1, 16, 40, 47])
def test_a_one_cycle_ends_where_dense_adamw_ends(n_factors):
    data, weights = Ratings(), start(n_factors)
    some = plans(data)
    schedule = one_cycle(count(some))
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    losses, expected = fit(engine, data, some, schedule), dense.fit(data, some, schedule)
    assert_allclose(losses, expected, rtol=1e-5)
    assert_close(engine.weights(), dense.weights())
    assert engine.step == count(some)
    assert losses[-20:].mean() < 0.8 * losses[:20].mean()  # and it learned something


@pytest.mark.parametrize(
    "options",
    [{"y_range": None}, {"wd": 0.0}, {"beta2": 0.999}, {"y_range": (1.0, 5.0)}],
    ids=str,
)
def test_other_settings_agree_too(options):
    data, weights = Ratings(), start()
    some = plans(data, epochs=1)
    schedule = one_cycle(count(some))
    engine, dense = build(weights, eps=1e-16, **options), Dense(weights, eps=1e-16, **options)
    assert_allclose(fit(engine, data, some, schedule), dense.fit(data, some, schedule), rtol=1e-5)
    assert_close(engine.weights(), dense.weights())


def test_constant_momentum_and_learning_rates_that_jump():
    data, weights = Ratings(), start()
    some = plans(data, blocks=False)
    rng = np.random.default_rng(3)
    schedule = 10 ** rng.uniform(-6, -2, count(some)), np.full(count(some), 0.9)
    schedule[0][::7] = 0.0
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    fit(engine, data, some, schedule)
    dense.fit(data, some, schedule)
    assert_close(engine.weights(), dense.weights())


@pytest.mark.parametrize(("lr", "wd"), [(0.3, 1.0), (0.15, 1.0), (1e-3, 300.0)])
def test_decay_that_outruns_the_momentum(lr, wd):
    """Tail sums grow without bound here and have to be cut; a learning-rate finder comes through this."""
    data, weights = Ratings(), start()
    some = plans(data)
    schedule = np.full(count(some), lr), np.full(count(some), 0.95)
    schedule[0][:10] = 1e-3
    engine, dense = build(weights, eps=1e-16, wd=wd), Dense(weights, eps=1e-16, wd=wd)
    losses, expected = fit(engine, data, some, schedule), dense.fit(data, some, schedule)
    assert len(engine._schedule.ends) > 0  # it was cut
    assert_allclose(losses, expected, rtol=1e-5)
    assert_close(engine.weights(), dense.weights(), atol=1e-5)


def test_at_the_epsilon_in_use_errors_and_predictions_agree():
    """The only approximation is how epsilon acts while a row waits; dense and lazy must stay this close."""
    data, held_out, weights = Ratings(24_000), Ratings(24_000), start(scale=0.01)
    data.keep(slice(20_000))
    held_out.keep(slice(20_000, None))
    some = plans(data, epochs=5)
    schedule = one_cycle(count(some))
    engine, dense = build(weights), Dense(weights)
    fit(engine, data, some, schedule)
    dense.fit(data, some, schedule)
    ours = predict(engine.weights(), held_out.users, held_out.items)
    theirs = predict(dense.weights(), held_out.users, held_out.items)
    errors = [((p - held_out.ratings) ** 2).mean() for p in (ours, theirs)]
    print(
        "EPS",
        errors[0] - errors[1],
        errors,
        np.sqrt(((ours - theirs) ** 2).mean()),
        np.abs(ours - theirs).max(),
    )
    assert abs(errors[0] - errors[1]) < 1e-4
    assert np.sqrt(((ours - theirs) ** 2).mean()) < 2e-3
    assert np.abs(ours - theirs).max() < 2e-2


def test_duplicates_in_a_batch_add_up():
    data = Ratings(640, n_users=4, n_items=5)
    weights = start(n_users=4, n_items=5)
    some = plans(data, epochs=2, blocks=False)
    schedule = one_cycle(count(some))
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    fit(engine, data, some, schedule)
    dense.fit(data, some, schedule)
    assert_close(engine.weights(), dense.weights())


def test_batches_of_one():
    data, weights = Ratings(200), start()
    some = plans(data, epochs=1, size=1, blocks=False)
    schedule = one_cycle(count(some))
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    assert_allclose(fit(engine, data, some, schedule), dense.fit(data, some, schedule), rtol=1e-4, atol=1e-6)
    assert_close(engine.weights(), dense.weights(), atol=1e-5)


def test_two_threads_give_what_one_gives_every_time():
    data, weights = Ratings(30_000, 2000, 3000), start(n_users=2000, n_items=3000)
    some = plans(data)
    schedule = one_cycle(count(some))
    engines = [build(weights, threads=threads) for threads in (1, 2, 2, 2)]
    losses = [fit(engine, data, some, schedule) for engine in engines]
    for engine, its_losses in zip(engines[1:], losses[1:], strict=True):
        assert_array_equal(its_losses, losses[0])
        assert_same(engine.weights(), engines[0].weights())


@pytest.mark.parametrize("threads", [1, 2])
def test_calls_may_be_cut_anywhere(threads):
    data, weights = Ratings(), start()
    some = plans(data)
    schedule = one_cycle(count(some))
    whole, cut = build(weights, threads=threads), build(weights, threads=threads)
    losses = fit(whole, data, some, schedule)
    cut.begin(*schedule)
    rng, pieces = np.random.default_rng(0), []
    for plan in some:
        edges = [0, *sorted(rng.integers(0, len(plan) + 1, 9)), len(plan)]
        for first, last in pairwise(edges):
            pieces.append(cut.train(*data.columns(), plan, int(first), int(last)))
    assert_array_equal(np.concatenate(pieces), losses)
    assert_same(cut.weights(), whole.weights())


def test_moments_and_weights_taken_out_and_put_back_go_on_bit_for_bit():
    data, weights = Ratings(), start()
    first, second = plans(data)
    whole = build(weights)
    fit(whole, data, [first], one_cycle(len(first)))
    resumed = build(whole.weights())
    resumed.load_moments(whole.moments(), whole.step)
    assert resumed.step == whole.step
    losses = [fit(engine, data, [second], one_cycle(len(second))) for engine in (whole, resumed)]
    assert_array_equal(*losses)
    assert_same(resumed.weights(), whole.weights())
    fresh = build(whole.weights())  # without the moments it would not be the same
    assert not np.array_equal(fit(fresh, data, [second], one_cycle(len(second))), losses[0])


def test_a_second_fit_keeps_the_moments_and_the_step():
    data, weights = Ratings(), start()
    some = plans(data, epochs=3)
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    for part in (some[:1], some[1:]):
        schedule = one_cycle(count(part))
        fit(engine, data, part, schedule)
        dense.fit(data, part, schedule)
    assert engine.step == count(some)
    assert_close(engine.weights(), dense.weights())


def test_a_fit_may_end_early_and_be_looked_at_midway():
    data, weights = Ratings(), start()
    (plan,) = plans(data, epochs=1)
    lrs, moms = one_cycle(len(plan))
    stop = len(plan) // 2
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    engine.begin(lrs, moms)
    for first, last in ((0, 7), (7, 20), (20, stop)):
        engine.train(*data.columns(), plan, first, last)
        if last == 20:
            dense.fit(data, [part(plan, 0, 20)], (lrs[:20], moms[:20]))
            assert_close(engine.weights(), dense.weights())  # now, in the middle of the schedule
    assert engine.step == stop
    dense.fit(data, [part(plan, 20, stop)], (lrs[20:stop], moms[20:stop]))
    assert_close(engine.weights(), dense.weights())
    schedule = one_cycle(10, lr=1e-3)  # and go on with another schedule
    fit(engine, data, [part(plan, 0, 10)], schedule)
    dense.fit(data, [part(plan, 0, 10)], schedule)
    assert_close(engine.weights(), dense.weights())


def test_an_interrupt_leaves_both_lanes_done_and_counted():
    data, weights = Ratings(), start()
    (plan,) = plans(data, epochs=1)
    stop = plan.stages[0][1]
    whole, stopped = build(weights), build(weights)
    for engine in (whole, stopped):
        engine.begin(*one_cycle(len(plan)))
    whole.train(*data.columns(), plan, 0, stop)
    train_lane = stopped._kernels.train_lane

    def interrupted(*args):
        lane = args[13]
        if lane == 1:
            time.sleep(0.2)  # still at work when the interrupt comes
        train_lane(*args)
        if lane == 0:
            raise KeyboardInterrupt
        return -1

    stopped._kernels = stopped._kernels._replace(train_lane=interrupted)
    with pytest.raises(KeyboardInterrupt):
        stopped.train(*data.columns(), plan, 0, len(plan))
    assert stopped.step == stop
    assert_same(stopped.weights(), whole.weights())


def test_weights_may_be_replaced_while_the_moments_stay():
    data, weights, others = Ratings(), start(), start(seed=9)
    first, second = plans(data)
    engine, dense = build(weights, eps=1e-16), Dense(weights, eps=1e-16)
    fit(engine, data, [first], one_cycle(len(first)))
    dense.fit(data, [first], one_cycle(len(first)))
    engine.set_weights(*others)
    assert_same(engine.weights(), others)
    with torch.no_grad():
        for parameter, values in zip(dense.parameters, others, strict=True):
            parameter.copy_(torch.tensor(values))
    fit(engine, data, [second], one_cycle(len(second)))
    dense.fit(data, [second], one_cycle(len(second)))
    assert_close(engine.weights(), dense.weights())


def test_rows_never_read_only_decay():
    data, weights = Ratings(), start(n_users=N_USERS + 3)
    some = plans(data)
    lrs, moms = one_cycle(count(some))
    engine = build(weights)
    fit(engine, data, some, (lrs, moms))
    factors, bias = engine.weights()[:2]
    kept = np.prod(1 - lrs * WD)
    assert kept < 0.97
    assert_allclose(factors[-3:], weights[0][-3:] * kept, rtol=3e-7)
    assert_allclose(bias[-3:], weights[1][-3:] * kept, rtol=3e-7)
    assert not engine.moments()["user_factors.first"][-3:].any()


def test_a_learning_rate_of_zero_changes_no_weight():
    data, weights = Ratings(), start()
    some = plans(data, epochs=1)
    engine = build(weights)
    fit(engine, data, some, (np.zeros(count(some)), np.full(count(some), 0.9)))
    assert_same(engine.weights(), weights)
    assert engine.moments()["item_bias.second"].any()  # though the moments have seen it all


def test_the_arrays_given_are_copied():
    data, weights = Ratings(), start()
    before = [w.copy() for w in weights]
    some = plans(data, epochs=1)
    engine = build(weights)
    fit(engine, data, some, one_cycle(count(some)))
    assert_same(weights, before)
    assert not np.array_equal(engine.weights()[0], before[0])


def test_read_only_columns_are_accepted():
    data, weights = Ratings(), start()
    some = plans(data, epochs=1)
    expected = fit(build(weights), data, some, one_cycle(count(some)))
    for column in data.columns():
        column.flags.writeable = False
    assert_array_equal(fit(build(weights), data, some, one_cycle(count(some))), expected)


def test_padding_stays_zero():
    data, weights = Ratings(), start(n_factors=5)
    some = plans(data)
    engine = build(weights)
    fit(engine, data, some, one_cycle(count(some)))
    for table in (engine._users, engine._items):
        assert table.packed.shape[2] == 16
        assert not table.packed[:, :, 6:].any()
        assert table.packed[:, :, :6].any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("y_range", [Y_RANGE, None])
def test_a_rating_that_is_no_number_gives_a_loss_that_is_none(bad, y_range):
    data, weights = Ratings(), start()
    data.ratings[1234] = bad
    some = plans(data)
    losses = fit(build(weights, y_range=y_range), data, some, one_cycle(count(some)))
    at = next(t for t, batch in enumerate(some[0]) if 1234 in batch)
    assert not np.isfinite(losses[at])
    stage = next(stop for first, stop in some[0].stages if first <= at < stop)
    assert not np.isfinite(losses[stage:]).any() or not np.isfinite(losses[-1])


def test_weights_that_are_no_numbers_give_losses_that_are_none():
    data, weights = Ratings(), start()
    weights[0][:] = np.nan
    some = plans(data, epochs=1)
    assert not np.isfinite(fit(build(weights), data, some, one_cycle(count(some)))).any()


@pytest.mark.parametrize("lr", [1e3, 1e30, np.inf, np.nan, -1.0])
def test_an_absurd_learning_rate_neither_crashes_nor_hangs(lr):
    data, weights = Ratings(), start()
    some = plans(data)
    with np.errstate(all="ignore"):
        schedule = np.full(count(some), lr), np.full(count(some), 0.9)
        losses = fit(build(weights, y_range=None), data, some, schedule)
    assert len(losses) == count(some)
    assert not losses[-1] < 1e2  # whether by its size or by being no number, it shows


def test_codes_that_do_not_exist_are_refused():
    data, weights = Ratings(), start()
    some = plans(data, epochs=1, blocks=False)
    for column, bad in ((data.users, N_USERS), (data.items, -1)):
        engine, kept = build(weights), column[77]
        column[77] = bad
        with pytest.raises(IndexError, match="does not exist"):
            fit(engine, data, some, one_cycle(count(some)))
        assert np.isfinite(engine.weights()[0]).all()
        column[77] = kept


def test_wrong_use_is_told():
    data, weights = Ratings(), start()
    (plan,) = plans(data, epochs=1)
    engine = build(weights)
    with pytest.raises(ValueError, match="schedule begun has only 0"):
        engine.train(*data.columns(), plan, 0, len(plan))
    engine.begin(*one_cycle(len(plan)))
    with pytest.raises(ValueError, match="of a plan that has"):
        engine.train(*data.columns(), plan, 0, len(plan) + 1)
    with pytest.raises(ValueError, match="one length"):
        engine.train(data.users[:-1], data.items, data.ratings, plan, 0, 1)
    with pytest.raises(ValueError, match="cannot take"):
        engine.set_weights(*start(n_factors=39))
    with pytest.raises(EngineUnavailable, match=r"momentum 0\.995"):
        engine.begin([1e-3], [0.995])


def test_the_tables_are_the_sums_they_stand_for():
    """B_s and E_s against the sums written out, for a schedule short enough to do so."""
    lrs, moms = one_cycle(60)
    eps, taken, s = 1e-5, 17, 20
    tail = tabulate(lrs, moms, beta2=BETA2, eps=eps, wd=WD, taken=taken).tail.reshape(-1, 4)
    small = large = exact = 0.0
    kept, m, v = 1.0, 1.0, 1.0
    for t in range(s, 60):  # the step after s is number t of the arrays
        c1, c2 = 1 - moms[t] ** (taken + t + 1), 1 - BETA2 ** (taken + t + 1)
        kept, m, v = kept * (1 - lrs[t] * WD), m * moms[t], v * BETA2
        exact += lrs[t] / c1 * m / (np.sqrt(v) / np.sqrt(c2)) / kept
        small += lrs[t] / c1 * m / (np.sqrt(v) / np.sqrt(c2))
        large += lrs[t] / c1 * m / eps
    assert tail[s, 2] == pytest.approx(exact, rel=1e-10)
    assert tail[s, 3] == pytest.approx(small / large, rel=1e-10)
    assert tail[-1, 0] == pytest.approx(np.log1p(-lrs * WD).sum(), rel=1e-10)
    assert tail[-1, 1] == pytest.approx(np.log(moms).sum(), rel=1e-10)


def test_the_cost_of_a_rating_does_not_depend_on_the_size_of_the_tables():
    """Tables 50 times larger, the same ratings: a dense step would cost 50 times as much."""

    def seconds(n_rows):
        data, weights = Ratings(60_000, 1000, 1000), start(n_users=n_rows, n_items=n_rows)
        spread = np.random.default_rng(0).permutation(n_rows)[:1000].astype(np.int32)
        data.users, data.items = spread[data.users], spread[data.items]
        (plan,) = plans(data, epochs=1, blocks=False)
        engine = build(weights, threads=1)
        engine.begin(*one_cycle(len(plan)))
        best = np.inf
        for first in range(0, len(plan) - 99, 100):
            began = time.thread_time()
            engine.train(*data.columns(), plan, first, first + 100)
            best = min(best, time.thread_time() - began)
        return best

    assert seconds(100_000) < 4 * seconds(2000)


def run_in_a_new_process(code: str, **environment: str) -> str:
    """Run a script; what it printed."""
    preamble = """
        import builtins, numpy as np, sys
        from vectable.training.engines import compiled
        def build():
            w = np.zeros((3, 2), np.float32), np.zeros(3, np.float32)
            return compiled.LazyAdamW(*w, *w, y_range=None, beta2=.99, eps=1e-5, wd=.1)
    """
    script = textwrap.dedent(preamble) + textwrap.dedent(code)
    env = {**os.environ, **environment}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_does_not_import_numba():
    assert run_in_a_new_process("print('numba' in sys.modules, 'torch' in sys.modules)") == "False False\n"


COMPILE_AND_REPORT = """
    compiled.warm_up(lambda: print("compiling"))
    compiled.warm_up(lambda: print("again"))
    print(build().step)
"""


@pytest.mark.slow
def test_only_the_first_process_compiles_and_says_so(tmp_path):
    outputs = [run_in_a_new_process(COMPILE_AND_REPORT, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert outputs == ["compiling\n0\n", "0\n"]
    for stored in tmp_path.rglob("*.nb*"):  # and a damaged cache is no obstacle
        stored.write_bytes(stored.read_bytes()[:40])
    assert run_in_a_new_process(COMPILE_AND_REPORT, NUMBA_CACHE_DIR=str(tmp_path)) == "compiling\n0\n"


@pytest.mark.slow
def test_a_cache_with_a_single_bit_changed_is_compiled_again_and_never_run(tmp_path):
    """numba itself runs what it finds: a changed bit in machine code ends the process."""
    run = partial(run_in_a_new_process, COMPILE_AND_REPORT, NUMBA_CACHE_DIR=str(tmp_path))
    assert run() == "compiling\n0\n"
    machine_code = next(tmp_path.rglob("*tail_sums*.nbc"))
    whole = machine_code.read_bytes()
    for damaged in (machine_code, next(tmp_path.rglob("*tail_sums*.nbi"))):
        changed = bytearray(damaged.read_bytes())
        changed[len(changed) // 2] ^= 4
        damaged.write_bytes(bytes(changed))
        assert run() == "compiling\n0\n"
        assert run() == "0\n", "the new one is kept"
    machine_code.with_name(machine_code.name + ".sha256").unlink()
    assert run() == "compiling\n0\n", "without its checksum it is not trusted"
    assert len(machine_code.read_bytes()) == len(whole)


@pytest.mark.parametrize("how", ["nowhere", pytest.param("vanishing", marks=pytest.mark.slow)])
def test_no_directory_to_write_to_is_no_obstacle(tmp_path, how):
    """Nowhere: no cache can be made. Vanishing: it looks well, and then nothing can be stored in it."""
    file = tmp_path / "file"
    file.touch()
    forbid = {
        "nowhere": """
            from numba.core.caching import CacheImpl
            del CacheImpl._locator_classes[1:]  # those that root may write to whatever the permissions
            """,
        "vanishing": """
            import os
            def refuse(*args, **kwargs): raise PermissionError("no")
            os.replace = refuse
            """,
    }[how]
    place = str(file / "below") if how == "nowhere" else str(tmp_path)
    script = textwrap.dedent(forbid) + textwrap.dedent(COMPILE_AND_REPORT)
    assert run_in_a_new_process(script, NUMBA_CACHE_DIR=place, HOME=str(file)) == "compiling\n0\n"
    assert not list(tmp_path.rglob("*.nb[ic]"))


@pytest.mark.parametrize(
    ("how", "environment", "reason"),
    [
        ("sys.modules['numba'] = None", {}, "numba cannot be imported"),
        ("", {"NUMBA_DISABLE_JIT": "1"}, "switched off"),
        ("import numba, llvmlite.ir as ir; del ir.VectorType", {}, "cannot compile"),
    ],
)
def test_an_engine_that_cannot_be_had_says_why(how, environment, reason):
    script = f"""
    {how}
    try:
        build()
    except compiled.EngineUnavailable as error:
        print(error)
    """
    told = run_in_a_new_process(script, **environment)
    assert reason in told
    assert told.count("\n") == 1


def test_the_kernels_are_stored_beside_the_source_or_elsewhere_but_once():
    """One specialisation a kernel: nothing is compiled again for other arguments."""
    from vectable.training.engines.compiled import ready

    for kernel in ready.kernels():
        assert len(kernel.signatures) == 1
        assert not kernel._can_compile
    assert Path(ready.__file__).parent.name == "compiled"
