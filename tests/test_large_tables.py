"""Large embedding tables: steps go through the rows that a batch reads, and the others are brought up to date later."""

import numpy as np
import polars as pl
import pytest
import torch

import vectable as vt
from vectable.training.engines.nets import engine as nets
from vectable.training.engines.nets.idle_rows import idle_steps

N, CATEGORIES = 3000, 900


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    which, effects = rng.integers(0, CATEGORIES, N), rng.normal(size=CATEGORIES)
    table = pl.DataFrame({"id": which.astype(str), "x": rng.normal(size=N)})
    table = table.with_columns(y=pl.Series(effects[which] + 0.3 * rng.normal(size=N)) + pl.col("x"))
    return vt.TableData.from_df(table, "y", ["id"], ["x"], valid_pct=0.1, batch_size=32)


def trained(data, monkeypatch, by_row, **how):
    monkeypatch.setattr(nets, "BY_ROW_FROM", 1000 if by_row else 10**12)
    learn = vt.tabular_learner(data, [8], emb_widths={"id": 8}, engine="nets", progress=False, wd=0.1, **how)
    return learn.fit_one_cycle(2, 5e-3)


def test_steps_without_gradients_at_once_are_those_one_after_the_other():
    rng = np.random.default_rng(1)
    lrs, moms = rng.uniform(1e-3, 1e-2, 60), rng.uniform(0.8, 0.95, 60)
    w, m, v, beta2, wd, taken = 0.7, 0.02, 4e-4, 0.99, 0.3, 17
    idle = idle_steps(lrs, moms, beta2, 0.0, wd, taken)
    for start, stop in ((0, 60), (5, 6), (20, 47), (59, 60)):
        now, first, second = w, m, v
        for at in range(start, stop):
            first, second = moms[at] * first, beta2 * second
            size = lrs[at] / (1 - moms[at] ** (taken + at + 1))
            now = now * (1 - lrs[at] * wd)
            now -= size * first / (np.sqrt(second) / np.sqrt(1 - beta2 ** (taken + at + 1)))
        lost, faded, *_ = idle[stop] - idle[start]
        left = np.exp(faded - 0.5 * (stop - start) * np.log(beta2) - lost)
        length = idle[start, 2] - left * idle[stop, 2]
        found = np.exp(lost) * (w - m / (np.sqrt(v) + idle[start, 3]) * length)
        assert found == pytest.approx(now, rel=1e-9)
        assert m * np.exp(faded) == pytest.approx(first, rel=1e-9)


def test_by_row_is_nearly_what_stepping_all_rows_is(data, monkeypatch):
    whole, by_row = (trained(data, monkeypatch, one) for one in (False, True))
    vectors = [one.model.embeddings[0].weight.detach().numpy() for one in (whole, by_row)]
    assert np.sqrt(np.mean((vectors[0] - vectors[1]) ** 2)) < 0.15 * np.sqrt(np.mean(vectors[0] ** 2))  # eps is 1e-5
    errors = [one.validate()["rmse"] for one in (whole, by_row)]
    assert errors[1] == pytest.approx(errors[0], rel=5e-3)


@pytest.mark.parametrize("how", [{"opt": "momentum"}, {"opt": "sgd"}, {"opt": "rmsprop"}, {"wd_mode": "l2"}])
def test_by_row_is_stepping_all_rows_where_there_is_no_closed_form(data, monkeypatch, how):
    found = [trained(data, monkeypatch, by_row, **how).model.state_dict() for by_row in (False, True)]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_a_row_that_no_batch_reads_decays_all_the_same(data, monkeypatch):
    learn = trained(data, monkeypatch, True, masking=0.0)
    fresh = vt.tabular_learner(data, [8], emb_widths={"id": 8}, progress=False, wd=0.1, masking=0.0)
    before, after = (one.model.embeddings[0].weight.detach()[-1] for one in (fresh, learn))  # of missing ones: none is
    kept = float(np.prod(1 - 0.1 * learn.recorder.runs[-1].lrs[:, 0]))
    assert after.numpy() == pytest.approx(before.numpy() * kept, rel=1e-4)


def test_the_same_seed_gives_the_same_bits(data, monkeypatch):
    once, again = (trained(data, monkeypatch, True).model.state_dict() for _ in range(2))
    assert all(torch.equal(once[name], again[name]) for name in once)


@pytest.mark.slow
def test_a_column_of_many_categories_is_trained_by_the_compiled_engine():
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"id": rng.permutation(300_000).astype(str), "y": rng.normal(size=300_000)})
    data = vt.TableData.from_df(table, "y", ["id"], [], valid_pct=0, batch_size=8192)
    learn = vt.tabular_learner(data, [4], progress=False).fit(1, 1e-3)
    assert learn.session.engines[0].name == "nets"
    assert learn.model.embeddings[0].embedding_dim == 16


def test_vectors_are_no_wider_than_the_rows_can_fill():
    rng = np.random.default_rng(0)
    table = pl.DataFrame(
        {"many": np.char.add("v", rng.permutation(2000).astype(str)), "few": rng.choice(["a", "b"], 2000)}
    )
    data = vt.TableData.from_df(table.with_columns(y=pl.Series(rng.normal(size=2000))), "y", valid_pct=0)
    widths = [one.embedding_dim for one in vt.tabular_learner(data).model.embeddings]
    assert widths == [16, 3]
    lesson = vt.tabular_learner(data, preset="lesson")
    assert [one.embedding_dim for one in lesson.model.embeddings] == [50, 2]
    given = vt.tabular_learner(data, emb_widths={"many": 40})
    assert given.model.embeddings[0].embedding_dim == 40
