"""Tables of interactions as they should not be: each is fitted and answered from, or refused with a sentence."""

import datetime as dt
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import vectable as vt

MODELS = ("auto", "als", "ease", "slim", "neighbours", "next")


def data_of(rows, **how) -> vt.InteractionsData:
    frame = pl.DataFrame(rows, schema=["user", "item", "count", "when"], orient="row")
    return vt.InteractionsData.from_df(frame, count="count", **{"timestamp": "when", **how})


def make(name, data):
    learn = (
        vt.next_item_learner(data, progress=False)
        if name == "next"
        else vt.implicit_learner(data, name, progress=False)
    )
    return learn.fit()


ODD = {
    "one user": [("a", f"x{at}", 1, at) for at in range(6)],
    "one item": [(f"u{at}", "x", 1, at) for at in range(6)],
    "one user and one item": [("a", "x", 1, 0)],
    "every user the same item, and one other": [(f"u{at}", "x", 1, at) for at in range(6)] + [("u1", "y", 1, 9)],
    "one interaction a user": [(f"u{at}", f"x{at % 3}", 1, at) for at in range(6)],
    "everybody met everything": [(f"u{at % 4}", f"x{at // 4}", 1, at) for at in range(16)],
    "counts up to a million million": [(f"u{at % 4}", f"x{at % 7}", 10.0 ** (at % 13), at) for at in range(40)],
}


@pytest.mark.parametrize("split", ["last", "users"])
@pytest.mark.parametrize("name", list(ODD))
def test_odd_tables_are_fitted_and_answered_from(name, split):
    data = data_of(ODD[name], split=split)
    for model in MODELS:
        learn = make(model, data)
        user = data.user_ids.vocabulary[0]
        met = len(data.train.of(1)[0])
        shown = learn.recommend(user, 50)
        assert len(shown) == np.count_nonzero(data.item_counts) - met
        everything = learn.recommend(user, 50, exclude_seen=False)
        assert np.isfinite(everything["score"].to_numpy()).all()
        assert np.isfinite(learn.fold_in([data.item_ids.vocabulary[0]]).recommend(3)["score"].to_numpy()).all()
        if len(data.test):
            assert 0 <= vt.evaluate({"it": learn}, data, k=2).mean("it", "ndcg@2") <= 1
        else:
            with pytest.raises(vt.VectableError, match="No interaction that could be found is in the test part"):
                vt.evaluate(learn, data)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            [1, -1, 0, 1],
            "2 of 4 pairs of user and item in the table have counts that sum to 0 or less and are left out",
        ),
        ([1, np.nan, 1, 1], r"The count in row 2 of the table \(column 'count'\) is"),
        ([1, np.inf, 1, 1], r"The count in row 2 of the table \(column 'count'\) is"),
        ([0, -3, 0, -1], "There are no rows in the table"),
    ],
)
def test_counts_that_are_none(counts, message):
    rows = [(f"u{at}", "x", count, at) for at, count in enumerate(counts)]
    if "left out" in message:
        with pytest.warns(vt.VectableWarning, match=message):
            assert data_of(rows).n_users == 2
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        with pytest.raises(vt.DataError, match=message):
            data_of(rows)


def test_times_that_are_missing():
    rows = [("a", "x", 1, 1.0), ("a", "y", 1, None)]
    with pytest.raises(vt.DataError, match=r"The time in row 2 of the table .*'when'"):
        data_of(rows, split="last")
    with pytest.raises(vt.DataError, match="split='last' needs the time of each interaction: name its column"):
        vt.InteractionsData.from_df(pl.DataFrame({"user": [1, 2], "item": [1, 2]}), split="last")


def test_an_item_that_was_never_seen_is_left_out_of_a_basket():
    learn = make("ease", data_of(ODD["everybody met everything"]))
    with pytest.warns(vt.VectableWarning, match=r"1 unknown item .'x99'.: left out"):
        shown = learn.fold_in(["x99", "x1"]).recommend(3)
    assert shown.equals(learn.fold_in(["x1"]).recommend(3))
    with pytest.warns(vt.VectableWarning, match="2 unknown items"):
        assert len(learn.fold_in(["x98", "x99"]).recommend(3)) == 2


IDS = {
    "numbers": [7, 3, 2**62],
    "texts": ["a", "Ünïcode ☕", ""],
    "numbers with a fraction": [1.5, 2.5, 3.5],
    "dates": [dt.date(2024, 1, day) for day in (1, 2, 3)],
    "booleans": [True, False, True],
    "categories": pl.Series(["a", "b", "c"], dtype=pl.Categorical),
}


@pytest.mark.parametrize("name", list(IDS))
def test_ids_of_any_type_are_learned_and_answered(name):
    ids = pl.Series(IDS[name], strict=False)
    ids = pl.select(pl.when(ids == "").then(pl.lit("empty")).otherwise(ids)).to_series() if name == "texts" else ids
    frame = pl.DataFrame({"user": np.repeat(np.arange(4), 3), "thing": pl.concat([ids] * 4), "n": np.arange(12)})
    data = vt.InteractionsData.from_df(frame, "user", "thing", timestamp="n", valid_pct=0, test_pct=0)
    learn = make("ease", data)
    shown = learn.recommend(0, 5, exclude_seen=False)
    assert len(shown) == ids.n_unique()
    assert len(learn.fold_in([shown["thing"][0]]).recommend(5)) == ids.n_unique() - 1


WIDE = """
import resource, sys
import numpy as np, polars as pl
import vectable as vt
rng = np.random.default_rng(0)
small = pl.DataFrame({"user": rng.integers(0, 50_000, 1000), "item": rng.integers(0, 1000, 1000)})
vt.implicit_learner(vt.InteractionsData.from_df(small, valid_pct=0, test_pct=0), "neighbours", progress=False).fit()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
items = np.concatenate([rng.permutation(1_000_000), rng.integers(0, 1_000_000, 1_000_000)])
frame = pl.DataFrame({"user": rng.integers(0, 50_000, len(items)), "item": items})
data = vt.InteractionsData.from_df(frame, valid_pct=0, test_pct=0)
learn = vt.implicit_learner(data, "neighbours", progress=False).fit()
assert len(data.item_ids) == 1_000_001
assert len(learn.recommend(5, 10)) == 10
assert len(learn.recommend_many(list(range(20)), 10)) == 200
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_million_items_fit_into_bounded_memory():
    done = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2_500  # MB: 400 of weights, twice while they are packed, vectors of the items, the data


def test_a_single_user_by_a_number_is_a_list_of_one(tmp_path: Path) -> None:
    pairs = [(user, item) for user in range(12) for item in range(8) if (user * item) % 3 != 1]
    data = vt.InteractionsData.from_df(pl.DataFrame(pairs, ["user", "item"], orient="row"))
    learn = vt.implicit_learner(data, "ease", progress=False).fit()
    assert learn.recommend_many(4, n=2).equals(learn.recommend_many([4], n=2))
    answers = vt.load_answers(learn.save(tmp_path / "model"))
    assert answers.recommend_many(4, n=2) == answers.recommend_many([4], n=2)
