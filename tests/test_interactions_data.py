"""Tables of who met what: read, brought to one row per pair, split and saved."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vectable as vt
from vectable.data.interactions.interaction_splits import SplitPlan
from vectable.data.interactions.popularity import recent_counts
from vectable.data.interactions.saved_interactions import from_saved, to_saved

ORDERS = pl.DataFrame(
    {
        "customer": ["ann", "bob", "ann", "cid", "ann", "bob", "ann", "dan"],
        "product": ["tea", "tea", "milk", "tea", "tea", "jam", "bread", "jam"],
        "quantity": [2, 1, 3, 5, 4, 1, 1, 2],
        "when": [10, 11, 12, 13, 14, 15, 16, 17],
    }
)
ROLES = {"user": "customer", "item": "product"}


def orders(frame=ORDERS, **how) -> vt.InteractionsData:
    return vt.InteractionsData.from_df(frame, **{**ROLES, **how})


def pairs(data) -> list[tuple]:
    """User, item and count of each row, by user and time."""
    rows = data.interactions
    users, items = data.user_ids.decode(rows.user), data.item_ids.decode(rows.item)
    return list(zip(users, items, rows.count.tolist(), strict=True))


def lists(histories, ids) -> list[list]:
    return [ids.decode(histories.of(at)[0]).to_list() for at in range(len(histories))]


def many(n_users=60, n_items=40, seed=0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.4)
    return pl.DataFrame({"user": user, "item": item, "time": rng.permutation(len(user))})


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("how", "tea", "bob_tea"),
    [
        ({}, 2, 1),
        ({"repeats": "count"}, 2, 1),
        ({"count": "quantity"}, 6, 1),
        ({"count": "quantity", "repeats": "sum"}, 6, 1),
        ({"count": "quantity", "repeats": "last"}, 4, 1),
        ({"count": "quantity", "repeats": "any"}, 1, 1),
        ({"count": "quantity", "repeats": "count"}, 2, 1),
    ],
)
def test_a_pair_is_one_row_whose_count_the_policy_decides(how, tea, bob_tea):
    data = orders(timestamp="when", **how)
    counts = {(user, item): count for user, item, count in pairs(data)}
    assert len(counts) == 7
    assert counts["ann", "tea"] == tea
    assert counts["bob", "tea"] == bob_tea


def test_a_pair_stands_where_its_last_row_does():
    data = orders(timestamp="when")
    assert [item for user, item, _ in pairs(data) if user == "ann"] == ["milk", "tea", "bread"]
    assert data.interactions.time.tolist() == [12, 14, 16, 11, 15, 13, 17]


def test_equal_times_stay_in_the_order_of_the_table():
    frame = pl.DataFrame({"user": [1, 1, 1, 1], "item": [9, 3, 7, 1], "time": [5, 5, 4, 5]})
    data = vt.InteractionsData.from_df(frame, timestamp="time", split="last")
    assert [item for _, item, _ in pairs(data)] == [7, 9, 3, 1]


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.DataFrame.to_pandas, pl.DataFrame.to_arrow, pl.DataFrame.to_dict])
def test_frames_of_every_library_are_read_alike(kind):
    given = kind(ORDERS, as_series=False) if kind is pl.DataFrame.to_dict else kind(ORDERS)
    assert pairs(orders(given, count="quantity")) == pairs(orders(count="quantity"))


def test_columns_are_found_by_name_and_else_by_place():
    frame = pl.DataFrame({"when": ["2024-01-01"], "productId": ["x"], "customer": [3], "n": [1]})
    columns = vt.InteractionsData.from_df(frame, split="random").columns
    assert (columns.user, columns.item, columns.count, columns.timestamp) == ("customer", "productId", None, None)
    plain = vt.InteractionsData.from_df(pl.DataFrame({"a": [1], "b": [2]})).columns
    assert (plain.user, plain.item) == ("a", "b")


def test_a_split_that_needs_times_finds_them_by_name():
    frame = ORDERS.rename({"when": "date"})
    assert orders(frame, split="last").columns.timestamp == "date"
    assert orders(frame).columns.timestamp is None


@pytest.mark.parametrize(
    "times",
    [
        [3, 1, 2],
        [dt.date(2024, 1, 3), dt.date(2024, 1, 1), dt.date(2024, 1, 2)],
        [dt.datetime(2024, 1, 1, 3), dt.datetime(2024, 1, 1, 1), dt.datetime(2024, 1, 1, 2)],
    ],
)
def test_times_are_numbers_or_dates(times):
    frame = pl.DataFrame({"user": ["u"] * 3, "item": ["c", "a", "b"], "t": times})
    data = vt.InteractionsData.from_df(frame, timestamp="t")
    assert [item for _, item, _ in pairs(data)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "ids", [[7, 8, 9], ["7", "é", "日本"], [1.0, 2.0, 3.0], [True, False, True], pd.Categorical(list("abc"))]
)
def test_ids_of_any_type(ids):
    data = vt.InteractionsData.from_df(pd.DataFrame({"user": ids, "item": [1, 2, 3]}))
    assert data.n_users == len(set(ids))
    assert data.n_items == 3


# ---------------------------------------------------------------- what cannot be used


@pytest.mark.parametrize(
    ("frame", "how", "message"),
    [
        (ORDERS, {"user": "custmer"}, "has no column 'custmer'. Did you mean 'customer'"),
        (ORDERS, {"split": "last", "timestamp": "wen"}, "has no column 'wen'"),
        (ORDERS.drop("when"), {"split": "last"}, "split='last' needs the time of each interaction: name its column"),
        (ORDERS.drop("when"), {"split": "time"}, "split='time' needs the time of each interaction: name its column"),
        (ORDERS, {"split": "weekly"}, "split must be one of"),
        (ORDERS, {"repeats": "mean"}, "repeats must be one of"),
        (ORDERS, {"repeats": "sum"}, "needs count="),
        (ORDERS, {"valid_pct": 1.5}, "valid_pct must be a share from 0 to 1; got 1.5"),
        (ORDERS, {"valid_pct": 0.5, "test_pct": 0.5}, "something must be left to train on"),
        (ORDERS, {"valid_users": ["ann"]}, "belong to the splits 'last' and 'users'"),
        (ORDERS, {"split": "users", "test_users": ["eve"]}, "'eve' are named to be held out"),
        (ORDERS, {"split": "users", "test_users": ["ann"], "valid_users": ["ann"]}, "nobody both validates and tests"),
        (ORDERS, {"seed": -1}, "seed must be an integer of at least 0; got -1"),
        (ORDERS, {"item": "customer"}, "must be different columns"),
        (ORDERS.clear(), {}, "There are no rows in the table"),
        (ORDERS.select("customer"), {"item": None}, "No column is left for the items"),
        (ORDERS.with_columns(quantity=pl.lit(float("nan"))), {"count": "quantity"}, "count in row 1 of the table"),
        (ORDERS.with_columns(quantity=pl.lit("two")), {"count": "quantity"}, "'two', which is not a finite number"),
        (ORDERS.with_columns(quantity=pl.lit(float("inf"))), {"count": "quantity"}, "8 of 8 rows are like that"),
        (ORDERS.with_columns(when=pl.lit("soon")), {"timestamp": "when"}, "time in row 1"),
        (ORDERS.with_columns(customer=pl.lit(None)), {}, "Column 'customer' is missing in row 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(frame, how, message):
    with pytest.raises(vt.VectableError, match=message):
        orders(frame, **how)


def test_goods_sent_back_are_subtracted_and_what_is_left_of_them_counts():
    frame = pl.DataFrame({"user": [1, 1, 1, 2, 2], "item": ["a", "a", "b", "a", "b"], "n": [3, -1, 2, 4, -4]})
    with pytest.warns(vt.VectableWarning, match="1 of 4 pairs of user and item in the table have counts that sum to 0"):
        data = vt.InteractionsData.from_df(frame, count="n")
    assert sorted(pairs(data)) == [(1, "a", 2), (1, "b", 2), (2, "a", 4)]
    with pytest.warns(vt.VectableWarning, match="2 of 5 rows of the table have a count of 0 or less"):
        last = vt.InteractionsData.from_df(frame, count="n", repeats="last")
    assert sorted(pairs(last)) == [(1, "a", 3), (1, "b", 2), (2, "a", 4)]
    with pytest.warns(vt.VectableWarning), pytest.raises(vt.DataError, match="no rows"):
        vt.InteractionsData.from_df(frame.with_columns(n=pl.lit(0)), count="n")


def test_a_huge_count_is_a_count():
    data = vt.InteractionsData.from_df(pl.DataFrame({"user": [1, 2], "item": [1, 1], "n": [1e12, 1]}), count="n")
    assert data.interactions.count == pytest.approx([1e12, 1])


def test_rows_without_ids_can_be_left_out():
    frame = pl.DataFrame({"user": [1, None, 2], "item": ["a", "b", None]})
    with pytest.warns(vt.VectableWarning, match="2 rows of the table without user or item are left out"):
        assert len(vt.InteractionsData.from_df(frame, missing_ids="drop").interactions) == 1


# ---------------------------------------------------------------- splits


def test_the_last_interaction_tests_and_the_one_before_validates():
    data = orders(timestamp="when")
    assert data.split == "last"
    assert data.user_ids.decode(data.test.users).to_list() == ["bob"]  # training does not show the bread of ann
    assert lists(data.test.inputs, data.item_ids) == [["tea"]]
    assert lists(data.test.targets, data.item_ids) == [["jam"]]
    assert data.test.unseen == 1
    assert data.user_ids.decode(data.valid.users).to_list() == ["ann"]
    assert lists(data.valid.inputs, data.item_ids) == [["milk"]]
    assert lists(data.valid.targets, data.item_ids) == [["tea"]]


def test_last_parts_of_users_long_and_short():
    frame = pl.DataFrame(
        {"user": [1, 1, 1, 1, 2, 2, 3, 4, 4, 4], "item": list("abcdaba") + list("bda"), "t": range(10)}
    )
    data = vt.InteractionsData.from_df(frame, timestamp="t")
    by_name = dict(zip(data.user_ids.decode(data.test.users), range(9), strict=False))
    assert lists(data.train, data.item_ids)[1:] == [["a", "b"], ["a"], ["a"], ["b"]]
    assert set(by_name) == {2, 4}  # user 1's d is an item that training does not show
    assert lists(data.test.targets, data.item_ids) == [["b"], ["a"]]
    assert lists(data.test.inputs, data.item_ids) == [["a"], ["b"]]
    assert data.test.unseen == 1
    assert len(data.valid) == 0
    assert data.valid.unseen == 2


def test_validating_users_can_be_named_or_be_a_share():
    frame = many()
    named = vt.InteractionsData.from_df(frame, timestamp="time", valid_users=[3, 5, 8])
    assert named.user_ids.decode(named.valid.users).to_list() == [3, 5, 8]
    assert len(named.test) == 60
    half = vt.InteractionsData.from_df(frame, timestamp="time", valid_pct=0.5, test_pct=0)
    assert len(half.valid) == 30
    assert len(half.test) == 0
    assert (half.valid.targets.lengths == 1).all()


@pytest.mark.parametrize("split", ["random", "time"])
def test_shares_of_the_rows_are_held_out(split):
    frame = many()
    data = vt.InteractionsData.from_df(frame, timestamp="time", split=split, valid_pct=0.2, test_pct=0.1)
    shares = [float(np.mean(data.parts == part)) for part in (0, 1, 2)]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.01)
    assert data.valid.targets.starts[-1] + data.valid.unseen == np.count_nonzero(data.parts == 1)
    if split == "time":
        time = data.interactions.time
        assert time[data.parts == 0].max() < time[data.parts == 1].min() < time[data.parts == 2].min()
        latest = recent_counts(data, 0.25)
        assert latest.sum() == int(0.25 * np.count_nonzero(data.parts == 0))


def test_held_out_users_are_known_by_four_fifths_of_their_items_and_train_nothing():
    data = vt.InteractionsData.from_df(many(), split="users", valid_pct=0.2, test_pct=0.1, seed=3)
    assert (len(data.valid), len(data.test)) == (12, 6)
    assert not set(data.valid.users) & set(data.test.users)
    for part in (data.valid, data.test):
        assert (data.train.lengths[part.users] == 0).all()
        total = part.inputs.lengths + part.targets.lengths
        assert part.targets.lengths == pytest.approx(total / 5, abs=1)
        for at in range(len(part)):
            assert not set(part.inputs.of(at)[0]) & set(part.targets.of(at)[0])


def test_the_test_may_know_what_validated():
    data = vt.InteractionsData.from_df(many(), timestamp="time")
    for at, user in enumerate(data.test.users):
        at_valid = int(np.flatnonzero(data.valid.users == user)[0])
        known = [*data.valid.inputs.of(at_valid)[0], *data.valid.targets.of(at_valid)[0]]
        assert data.test.inputs.of(at)[0].tolist() == known


@pytest.mark.parametrize("split", ["last", "random", "time", "users"])
def test_the_fingerprint_tells_splits_apart_and_does_not_mind_the_order_of_rows(split):
    frame = many()
    how = {"timestamp": "time", "split": split}
    data = vt.InteractionsData.from_df(frame, **how)
    assert vt.InteractionsData.from_df(frame, **how).fingerprint == data.fingerprint
    turned = frame.with_columns(time=pl.col("time").max() - pl.col("time"))
    assert vt.InteractionsData.from_df(turned, **how).fingerprint != data.fingerprint
    if split in ("last", "time"):
        shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
        assert vt.InteractionsData.from_df(shuffled, **how).fingerprint == data.fingerprint
    else:
        assert vt.InteractionsData.from_df(frame, **how, seed=1).fingerprint != data.fingerprint


def test_everything_can_train():
    data = vt.InteractionsData.from_df(many(), timestamp="time")
    everything = data.all_training()
    assert everything.train.starts[-1] == len(data.interactions)
    assert len(everything.valid) == len(everything.test) == 0
    assert everything.item_counts.sum() == len(data.interactions)


@pytest.mark.parametrize("n_items", [1, 5])
def test_one_user_and_one_item_are_data(n_items):
    frame = pl.DataFrame({"user": ["u"] * n_items, "item": range(n_items), "t": range(n_items)})
    for split in ("last", "random", "time", "users"):
        data = vt.InteractionsData.from_df(frame, timestamp="t", split=split)
        assert data.n_users == 1
        assert "1 users" in repr(data)
        assert data.train.lengths.sum() >= 1


# ---------------------------------------------------------------- names, growing, saving, ratings


def test_items_have_titles_and_side_columns():
    products = pl.DataFrame(
        {"product": ["milk", "tea", "rum"], "label": ["Milk", "Green tea", "Rum"], "group": [1, 2, 3]}
    )
    data = orders(items=products, title="label")
    assert data.item_table["group"].to_list() == [None, None, 1, 2]
    assert data.item_names([data.item_ids.encode_one("tea"), data.item_ids.encode_one("jam")]).to_list() == [
        "Green tea",
        "jam",
    ]
    assert data.codes_by_title["Green tea"] == data.item_ids.encode_one("tea")


def test_more_interactions_join_the_training_rows_and_codes_stay():
    data = orders(timestamp="when", count="quantity", test_pct=0, valid_pct=0)
    new = pl.DataFrame({"customer": ["ann", "eve"], "product": ["milk", "rum"], "quantity": [5, 1], "when": [30, 31]})
    more = data.with_more(new)
    assert more.item_ids.vocabulary.to_list() == [*data.item_ids.vocabulary, "rum"]
    assert [(item, count) for user, item, count in pairs(more) if user == "ann"] == [
        ("tea", 6),
        ("bread", 1),
        ("milk", 8),
    ]
    assert more.train.lengths.sum() == 8
    assert data.with_more(new.clear()).fingerprint == data.fingerprint
    with pytest.raises(vt.DataError, match="has no column 'when'"):
        data.with_more(new.drop("when"))


def test_a_held_out_pair_that_comes_again_trains():
    data = orders(timestamp="when", split="last", valid_pct=0)
    assert "bread" in lists(data.test.targets, data.item_ids)[0] or data.test.unseen
    more = data.with_more(pl.DataFrame({"customer": ["ann"], "product": ["bread"], "when": [40]}))
    assert "bread" in lists(more.train, more.item_ids)[more.user_ids.encode_one("ann")]


@pytest.mark.parametrize("with_time", [True, False])
def test_saved_and_back(with_time):
    products = pl.DataFrame({"product": ["milk", "tea"], "label": ["Milk", "Tea"]})
    data = orders(timestamp="when" if with_time else None, count="quantity", items=products, title="label")
    again = from_saved(*to_saved(data))
    assert again.fingerprint == data.fingerprint
    assert again.columns == data.columns
    assert again.titles.to_list() == data.titles.to_list()
    assert again.item_table.equals(data.item_table)
    assert repr(again) == repr(data)


def test_ratings_become_interactions_of_what_was_liked():
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((30, 20)) < 0.5)
    frame = pl.DataFrame({"user": user, "item": item, "rating": rng.integers(1, 6, len(user)), "t": range(len(user))})
    ratings = vt.RatingsData.from_df(frame, timestamp="t")
    data = ratings.to_interactions(at_least=4)
    assert data.item_ids.vocabulary.equals(ratings.item_ids.vocabulary)
    assert (data.interactions.count == 1).all()
    assert np.count_nonzero(data.parts == 0) == np.count_nonzero(ratings.train_ratings.rating >= 4)
    assert np.count_nonzero(data.parts == 1) <= np.count_nonzero(ratings.valid_ratings.rating >= 4)
    assert len(data.test) == 0
    everything = ratings.to_interactions()
    assert len(everything.interactions) == len(frame)
    again = ratings.to_interactions(4, split="last", valid_users=[3])
    assert (again.split, len(again.valid)) == ("last", 1)
    assert data.split_again(SplitPlan("last", valid_users=[3])).fingerprint == again.fingerprint
    for wrong, message in (
        ({"at_least": 9}, "No rating is at least 9: they go from 1 to 5"),
        ({"at_least": "4"}, "at_least must be a rating"),
        ({"seed": 3}, "belong to a new split"),
    ):
        with pytest.raises(vt.VectableError, match=message):
            ratings.to_interactions(**wrong)
    without = vt.RatingsData.from_df(frame.drop("t"))
    with pytest.raises(vt.DataError, match="split='last' needs the time"):
        without.to_interactions(split="last")


def test_a_file_is_read(tmp_path):
    ORDERS.write_csv(tmp_path / "orders.csv")
    data = vt.InteractionsData.from_file(tmp_path / "orders.csv", **ROLES, count="quantity", timestamp="when")
    assert data.fingerprint == orders(count="quantity", timestamp="when").fingerprint
