"""Ratings: which column is which, encoded, split, grown, saved."""

import datetime as dt
import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from vectable.data.ratings import saved_ratings


def rows_of(data, ratings, time=False):
    """Ratings decoded: (user, item, rating), and the time if asked for."""
    columns = [data.user_ids.decode(ratings.user), data.item_ids.decode(ratings.item), ratings.rating.tolist()]
    return list(zip(*columns, *([ratings.time.tolist()] if time else []), strict=True))


def table_rows(frame, *more):
    return frame.select("user", "item", "rating", *more).rows()


# ---------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, ("a", "b", "c")),
        ({"user": "b"}, ("b", "a", "c")),
        ({"rating": "a"}, ("b", "c", "a")),
        ({"item": "d", "rating": "b"}, ("a", "d", "b")),
        ({"timestamp": "a"}, ("b", "c", "d")),
        ({"title": "b"}, ("a", "c", "d")),
        ({"user": "c", "item": "b", "rating": "a", "timestamp": "d"}, ("c", "b", "a")),
    ],
)
def test_columns_are_those_named_and_else_the_first_ones_free(named, expected):
    frame = pl.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6], "d": [7, 8]})
    columns = vt.RatingsData.from_df(frame, **named).columns
    assert (columns.user, columns.item, columns.rating) == expected


def test_exact_values(ratings_frame):
    data = vt.RatingsData.from_df(ratings_frame, timestamp="when", valid_pct=0)
    assert data.user_ids.vocabulary.to_list() == [1, 3, 7, 9]
    assert data.item_ids.vocabulary.to_list() == ["a", "b", "c", "d"]
    assert rows_of(data, data.train_ratings, time=True) == table_rows(ratings_frame, "when")
    assert (data.n_users, data.n_items, data.rating_range) == (4, 4, (0.5, 5.0))
    assert data.mean_rating == pytest.approx(ratings_frame["rating"].mean())
    assert data.item_counts.tolist() == [0, 3, 4, 2, 3]
    assert np.isnan(data.item_means[0])
    assert data.item_means[1:] == pytest.approx([11.5 / 3, 15.5 / 4, 3.5 / 2, 4 / 3])
    assert data.rows_of(2).tolist() == [1, 9, 4]  # by item
    inputs, target = data.train.inputs, data.train.target
    assert inputs[0].tolist() == data.train_ratings.user.tolist()
    assert inputs[1].tolist() == data.train_ratings.item.tolist()
    assert target.tolist() == ratings_frame["rating"].to_list()


@pytest.mark.parametrize(
    "rating",
    [
        pl.Series([1, 2, 5], dtype=pl.Int8),
        pl.Series(["1", "2.0", "5e0"]),
        pl.Series([1.0, 2.0, 5.0], dtype=pl.Float32),
        pl.Series(["1.00", "2.00", "5.00"]).cast(pl.Decimal(5, 2)),
        pl.Series(["1", "2", "5"], dtype=pl.Categorical),
        pd.Series([1, 2, 5], dtype="Int64"),
        pd.Series(["1", "2", "5"], dtype="category"),
        pd.Series([1, 2.0, True * 5], dtype=object),
    ],
    ids=lambda column: str(column.dtype),
)
def test_ratings_are_numbers_however_they_are_kept(rating):
    data = vt.RatingsData.from_df({"user": [1, 2, 3], "item": [1, 1, 1], "rating": rating}, valid_pct=0)
    assert data.train_ratings.rating.tolist() == [1, 2, 5]


def test_truths_are_ratings_of_one_and_nought():
    data = vt.RatingsData.from_df({"user": [1, 2], "item": [1, 1], "liked": [True, False]}, valid_pct=0)
    assert data.train_ratings.rating.tolist() == [1, 0]


@pytest.mark.parametrize(
    "user",
    [
        pd.Series([1, 2, 1], dtype="category"),
        pd.Series([1.0, 2.0, 1.0]),
        pd.Series([1, 2, 1], dtype=object),
        pd.Series([1, 2, 1], dtype="Int64"),
        pd.Series([1, 2, 1], dtype="int64[pyarrow]"),
        pl.Series([1, 2, 1], dtype=pl.UInt8),
        pa.chunked_array([[1, 2], [1]]),
    ],
    ids=lambda column: f"{type(column).__module__.split('.')[0]} {getattr(column, 'dtype', '')}",
)
def test_ids_are_the_same_however_they_are_kept(user):
    data = vt.RatingsData.from_df({"user": user, "item": [1, 1, 2], "rating": [1, 2, 3]}, valid_pct=0)
    assert data.user_ids.vocabulary.to_list() == [1, 2]
    assert data.train_ratings.user.tolist() == [1, 2, 1]


def test_ids_with_leading_zeros_and_in_any_script_stay_apart():
    ids = ["007", "7", "Zoë", "Zoe\u0308", "東京", "b", "B"]
    data = vt.RatingsData.from_df({"user": ids, "item": ids, "rating": range(7)}, valid_pct=0)
    assert data.n_users == data.n_items == 7
    assert data.user_ids.decode(data.train_ratings.user).to_list() == ids


def test_mixed_ids_are_text_and_this_is_told():
    frame = pd.DataFrame({"user": pd.Series([1, "a", 1.0], dtype=object), "item": [1, 2, 3], "rating": [1, 2, 3]})
    with pytest.warns(vt.VectableWarning, match="'user' mixes"):
        data = vt.RatingsData.from_df(frame, valid_pct=0)
    assert data.user_ids.vocabulary.to_list() == ["1", "a"]
    assert data.user_ids.encode([1, "1", "a"]).tolist() == [1, 1, 2]


# ---------------------------------------------------------------- times


DAY = 86_400.0


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([3, 1, 2], [3, 1, 2]),
        ([3.5, 1, 2], [3.5, 1, 2]),
        (["3", "1", "2.5"], [3, 1, 2.5]),
        ([dt.date(1970, 1, 2), dt.date(1969, 12, 31), dt.date(2020, 1, 1)], [DAY, -DAY, 18_262 * DAY]),
        ([dt.datetime(1970, 1, 1, 0, 0, 1, 500_000)] * 3, [1.5] * 3),
        (pd.Series(pd.to_datetime(["1970-01-02"] * 3).tz_localize("UTC")), [DAY] * 3),
        (pd.Series(np.array(["1970-01-02"] * 3, dtype="datetime64[ns]")), [DAY] * 3),
        (pd.Series(pd.to_datetime(["1970-01-01 01:00"] * 3).tz_localize("Europe/Berlin")), [0] * 3),
    ],
    ids=str,
)
def test_times_are_numbers_as_given_or_dates_as_seconds(times, expected):
    frame = {"user": [1, 2, 3], "item": [1, 1, 1], "rating": [1, 2, 3], "when": times}
    data = vt.RatingsData.from_df(frame, timestamp="when", valid_pct=0)
    assert data.train_ratings.time.tolist() == expected


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ([1, None, 3], "row 2 .*'when'.* is missing"),
        ([1.0, 2.0, float("nan")], "row 3 .*'NaN'"),
        ([1.0, float("inf"), 2.0], "row 2 .*'inf'"),
        ([dt.date(2020, 1, 1), None, None], "row 2 .* is missing"),
        (["1", "yesterday", "3"], "row 2 .*'yesterday'"),
        ([dt.time(1), dt.time(2), dt.time(3)], "row 1 .*'01:00:00'"),
    ],
    ids=str,
)
def test_a_time_that_is_none_is_named(times, told):
    frame = {"user": [1, 2, 3], "item": [1, 1, 1], "rating": [1, 2, 3], "when": times}
    with pytest.raises(vt.DataError, match=f"The time in {told}.*Give a number or a date in every row"):
        vt.RatingsData.from_df(frame, timestamp="when")


def test_a_split_by_time_holds_out_the_latest_rows(ratings_frame):
    data = vt.RatingsData.from_df(ratings_frame, timestamp="when", split="time", valid_pct=0.25)
    assert sorted(data.valid_ratings.time) == [10, 11, 12]
    assert sorted(data.train_ratings.time) == list(range(1, 10))
    by_day = ratings_frame.with_columns(when=pl.date(2020, 1, pl.col("when")))
    dated = vt.RatingsData.from_df(by_day, timestamp="when", split="time", valid_pct=0.25)
    np.testing.assert_array_equal(dated.train_ratings.item, data.train_ratings.item)


# ---------------------------------------------------------------- splits


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 80), st.floats(0, 0.99), st.integers(0, 4))
def test_training_and_validation_rows_are_all_rows_and_the_vocabulary_is_the_training_rows(n_rows, valid_pct, seed):
    at = np.random.default_rng(seed).permutation(200)[:n_rows]
    frame = pl.DataFrame({"user": at // 10, "item": at % 10, "rating": np.arange(n_rows)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)  # of few rows, one may be all there is to train on
        data = vt.RatingsData.from_df(frame, valid_pct=valid_pct, seed=seed)
    train, valid = data.train_ratings, data.valid_ratings
    assert sorted([*train.rating, *valid.rating]) == list(range(n_rows))
    assert rows_of(data, train) == [row for row in frame.rows() if row[2] in set(train.rating)]
    assert data.user_ids.vocabulary.to_list() == sorted({row[0] for row in rows_of(data, train)})
    assert (train.user > 0).all()
    assert (train.item > 0).all()
    assert (train.user.max(), train.item.max()) == (data.n_users, data.n_items)
    shown = {row[2]: row for row in frame.rows()}
    for user, item, rating in rows_of(data, valid):
        assert user in (shown[rating][0], None)
        assert item in (shown[rating][1], None)


def test_the_seed_decides_the_split(ratings_frame):
    def held_out(seed):
        data = vt.RatingsData.from_df(ratings_frame, timestamp="when", valid_pct=0.5, seed=seed)
        return data.valid_ratings.time.tolist()

    assert held_out(1) == held_out(1)
    assert held_out(1) != held_out(2)


def test_given_splits_stay_as_they_are(ratings_frame):
    data = vt.RatingsData.from_splits(ratings_frame[:8], ratings_frame[8:])
    assert rows_of(data, data.train_ratings) == table_rows(ratings_frame[:8])
    assert rows_of(data, data.valid_ratings) == table_rows(ratings_frame[8:])
    assert "training never showed" not in repr(data)


def test_what_training_never_showed_has_code_0_and_is_counted():
    train = pl.DataFrame({"user": [1, 2], "item": ["a", "b"], "rating": [1.0, 2.0]})
    valid = pl.DataFrame({"user": [1, 9, 2, 9], "item": ["z", "a", "b", "z"], "rating": [3.0, 4.0, 5.0, 2.0]})
    data = vt.RatingsData.from_splits(train, valid)
    assert data.valid_ratings.user.tolist() == [1, 0, 2, 0]
    assert data.valid_ratings.item.tolist() == [0, 1, 2, 0]
    assert "4 validation ratings (3 with a user or item that training never showed)" in repr(data)
    assert "2 users, 2 items, ratings 1 to 2 (mean 1.500)" in repr(data)


def test_splits_may_be_of_two_kinds_and_hold_ids_of_two_kinds(ratings_frame):
    train = ratings_frame.to_pandas()
    valid = ratings_frame.with_columns(pl.col("user").cast(pl.String)).select("rating", "item", "user").to_arrow()
    data = vt.RatingsData.from_splits(train, valid, "user", "item", "rating")
    assert rows_of(data, data.valid_ratings) == table_rows(ratings_frame)
    assert data.kind == "pandas"


def test_the_validation_table_may_be_empty_or_without_times(ratings_frame):
    data = vt.RatingsData.from_splits(ratings_frame, ratings_frame[:0], timestamp="when")
    assert (len(data.valid_ratings), len(data.train_ratings)) == (0, 12)
    data = vt.RatingsData.from_splits(ratings_frame, ratings_frame.drop("when"), timestamp="when")
    assert data.valid_ratings.time is None
    assert data.train_ratings.time is not None


def test_duplicates_among_validation_rows_are_measured_on_whatever_the_policy(ratings_frame):
    twice = pl.concat([ratings_frame[:3], ratings_frame[:3]])
    for policy in ("last", "mean", "error"):
        with pytest.warns(vt.VectableWarning, match="3 of the 6 rows of the validation table"):
            data = vt.RatingsData.from_splits(ratings_frame, twice, duplicates=policy)
        assert len(data.valid_ratings) == 6


def test_problems_are_told_of_the_table_they_are_in(ratings_frame):
    broken = ratings_frame.with_columns(rating=pl.lit("?"))
    with pytest.raises(vt.DataError, match="row 1 of the validation table"):
        vt.RatingsData.from_splits(ratings_frame, broken)
    with pytest.raises(vt.DataError, match="row 1 of the training table"):
        vt.RatingsData.from_splits(broken, ratings_frame)
    with pytest.raises(vt.DataError, match=r"The validation table has no column 'item'.* 'film'"):
        vt.RatingsData.from_splits(ratings_frame, ratings_frame.rename({"item": "film"}))
    with pytest.raises(vt.DataError, match="no rows in the training table"):
        vt.RatingsData.from_splits(ratings_frame[:0], ratings_frame)


# ---------------------------------------------------------------- duplicates and gaps


TWICE = pl.DataFrame(
    {"user": [1, 2, 1, 2, 1], "item": [5, 5, 5, 6, 5], "rating": [1.0, 2.0, 3.0, 4.0, 5.0], "t": [10, 20, 30, 40, 50]}
)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("keep", [(1, 5, 1, 10), (2, 5, 2, 20), (1, 5, 3, 30), (2, 6, 4, 40), (1, 5, 5, 50)]),
        ("last", [(2, 5, 2, 20), (2, 6, 4, 40), (1, 5, 5, 50)]),
        ("mean", [(1, 5, 3, 50), (2, 5, 2, 20), (2, 6, 4, 40)]),
    ],
)
def test_duplicate_pairs_by_policy(policy, kept):
    with pytest.warns(vt.VectableWarning, match="2 of the 5 rows of the table rate a user-item pair") as told:
        data = vt.RatingsData.from_df(TWICE, timestamp="t", duplicates=policy, valid_pct=0)
    assert rows_of(data, data.train_ratings, time=True) == kept
    assert len(told) == 1
    assert {"keep": "all are kept", "last": "last of each", "mean": "mean is taken"}[policy] in str(told[0].message)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), min_size=1, max_size=30))
def test_duplicates_are_counted_and_the_last_is_the_last(pairs):
    frame = pl.DataFrame({"user": [p[0] for p in pairs], "item": [p[1] for p in pairs], "rating": range(len(pairs))})
    last = {pair: at for at, pair in enumerate(pairs)}
    extra = len(pairs) - len(last)
    if extra == 0 or len(last) == 1:
        return
    with pytest.warns(vt.VectableWarning, match=f"^{extra} of the {len(pairs)} rows"):
        data = vt.RatingsData.from_df(frame, duplicates="last", valid_pct=0)
    assert {(user, item): rating for user, item, rating in rows_of(data, data.train_ratings)} == last


def test_no_duplicates_no_word(ratings_frame, recwarn):
    for policy in ("keep", "last", "mean", "error"):
        data = vt.RatingsData.from_df(ratings_frame, duplicates=policy, valid_pct=0)
        assert rows_of(data, data.train_ratings) == table_rows(ratings_frame)
    assert not recwarn.list


def test_rows_without_user_or_item_can_be_left_out():
    frame = {"user": [1, None, 3, 4], "item": ["a", "b", None, "d"], "rating": [1, 2, 3, 4]}
    with pytest.warns(vt.VectableWarning, match="2 rows of the table without user or item are left out"):
        data = vt.RatingsData.from_df(frame, missing_ids="drop", valid_pct=0)
    assert rows_of(data, data.train_ratings) == [(1, "a", 1), (4, "d", 4)]


# ---------------------------------------------------------------- as its user sees it


def test_show_batch_shows_training_rows(ratings_frame):
    data = vt.RatingsData.from_df(ratings_frame, title="title", valid_pct=0)
    shown = data.show_batch(5, seed=3)
    assert shown.columns == ["user", "item", "title", "rating"]
    assert set(shown.rows()) <= set(ratings_frame.select("user", "item", "title", "rating").rows())
    assert len(shown) == 5
    assert shown.equals(data.show_batch(5, seed=3))
    assert not shown.equals(data.show_batch(5, seed=4))
    assert len(data.show_batch(100)) == 12


# ---------------------------------------------------------------- growing


def test_more_ratings_join_the_training_rows_and_codes_stay(ratings_frame):
    data = vt.RatingsData.from_df(ratings_frame, timestamp="when", valid_pct=0.25)
    before = data.user_ids.vocabulary.to_list(), data.item_ids.vocabulary.to_list()
    more = pd.DataFrame({"user": [2, 1], "item": ["aa", "z"], "rating": [5, 1], "when": [77, 78]})
    grown = data.with_more(more)
    assert rows_of(grown, grown.train_ratings, time=True) == [
        *rows_of(data, data.train_ratings, time=True),
        (2, "aa", 5, 77),
        (1, "z", 1, 78),
    ]
    assert grown.user_ids.vocabulary.to_list() == before[0] + [2]
    assert grown.item_ids.vocabulary.to_list() == before[1] + ["aa", "z"]
    assert grown.valid_ratings is data.valid_ratings
    assert (data.user_ids.vocabulary.to_list(), data.item_ids.vocabulary.to_list()) == before
    assert grown.kind == "polars"
    assert grown.item_counts.sum() == len(grown.train_ratings)


def test_more_ratings_with_texts_where_numbers_were(ratings_frame):
    data = vt.RatingsData.from_df(ratings_frame, valid_pct=0)
    grown = data.with_more({"user": ["guest", "7"], "item": ["a", "b"], "rating": [1, 2]})
    assert rows_of(grown, grown.train_ratings)[-2:] == [("guest", "a", 1), ("7", "b", 2)]
    assert (grown.train_ratings.user[:12] == data.train_ratings.user).all()
    assert grown.train_ratings.user[-1] == data.user_ids.encode([7])[0]


def test_more_may_be_nothing_and_must_be_usable(ratings_frame):
    data = vt.RatingsData.from_df(ratings_frame)
    assert len(data.with_more(ratings_frame[:0]).train_ratings) == len(data.train_ratings)
    with pytest.raises(vt.DataError, match="The new table has no column 'item'"):
        data.with_more({"user": [1], "rating": [1]})
    with pytest.raises(vt.DataError, match="row 2 of the new table"):
        data.with_more({"user": [1, 2], "item": ["a", "b"], "rating": [1, None]})
    with pytest.raises(vt.DataError, match="'user' is missing in row 1 of the new table"):
        data.with_more({"user": [None], "item": ["a"], "rating": [1]})


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("side", [False, True])
def test_saved_and_back(ratings_frame, side):
    how = {"title": "title", "timestamp": "when"} if side else {}
    if side:
        how["items"] = {"item": ["d", "a"], "genres": [["x", "y"], None], "seen": [dt.date(2020, 1, 2), None]}
    data = vt.RatingsData.from_df(ratings_frame.to_pandas(), batch_size=5, **how)
    tensors, tables, configuration = saved_ratings.to_saved(data)
    again = saved_ratings.from_saved(tensors, *json.loads(json.dumps([tables, configuration])))
    assert repr(again) == repr(data)
    assert again.columns == data.columns
    assert (again.kind, again.batch_size) == ("pandas", 5)
    for part in ("train_ratings", "valid_ratings"):
        one, other = getattr(again, part), getattr(data, part)
        assert rows_of(again, one) == rows_of(data, other)
        np.testing.assert_array_equal(one.time, other.time)
    assert again.show_batch(12).equals(data.show_batch(12))
    if side:
        assert again.item_table["genres"].to_list() == [None, None, None, ["x", "y"]]
        assert again.item_table["seen"].to_list() == [None, None, None, "2020-01-02"]


# ---------------------------------------------------------------- MovieLens 100k


@pytest.fixture(scope="module")
def films(ml_100k):
    return vt.datasets.load("ml-100k", data_dir=ml_100k)


def test_titles_shared_by_several_films_of_ml_100k(films):
    data = films.to_data(valid_pct=0)
    assert (data.n_users, data.n_items, len(data.train_ratings)) == (943, 1682, 100_000)
    assert data.titles.n_unique() == 1664
    with pytest.warns(vt.VectableWarning, match="307 of the 100,000 rows .* all are kept"):
        merged = vt.RatingsData.from_df(
            films.ratings.join(films.items, on="item"), "user", "title", "rating", title="title", valid_pct=0
        )
    assert merged.n_items == 1664 == data.n_items - 18
    assert len(merged.train_ratings) == 100_000
    most_rated = merged.item_names([merged.item_counts.argmax()])[0]
    assert (most_rated, merged.item_counts.max()) == ("Star Wars (1977)", 583)


def test_side_tables_of_ml_100k_are_aligned(films):
    data = films.to_data(seed=1)
    assert data.item_table["item"].equals(data.item_ids.vocabulary.alias("item"))
    assert data.user_table["user"].equals(data.user_ids.vocabulary.alias("user"))
    titles = dict(films.items.select("item", "title").iter_rows())
    assert data.titles.to_list() == [titles[one] for one in data.item_ids.vocabulary]
    assert data.item_table["title"].equals(data.titles)
    assert data.train_ratings.time.min() >= 874_724_710


def test_a_canonical_fold_of_ml_100k_counts_what_training_never_showed(films):
    train, valid = films.fold("u1")
    data = vt.RatingsData.from_splits(train, valid, timestamp="timestamp")
    assert (len(data.train_ratings), len(data.valid_ratings)) == (80_000, 20_000)
    unseen = valid.filter(~pl.col("item").is_in(train["item"].unique().implode())).height
    assert unseen == np.count_nonzero(data.valid_ratings.item == 0) > 0
    assert f"({unseen:,} with a user or item that training never showed)" in repr(data)


# ---------------------------------------------------------------- size


def test_a_million_ids_are_encoded_in_seconds():
    frame = pl.DataFrame(
        {"user": np.arange(1_000_000), "item": np.arange(1_000_000) % 7, "rating": [1.0, 2.0] * 500_000}
    )
    data = vt.RatingsData.from_df(frame, valid_pct=0)
    assert data.n_users == 1_000_000
    assert data.plan(np.random.default_rng(0)).order.size == 1_000_000


def test_columns_left_unnamed_are_the_first_second_and_third():
    frame = pl.DataFrame({"who": [1, 2], "what": [7, 8], "stars": [4.0, 5.0], "when": [1, 2], "film": ["a", "b"]})
    by_title = vt.RatingsData.from_df(frame, item="film", valid_pct=0)
    assert (by_title.columns.user, by_title.columns.rating) == ("who", "stars")
    swapped = vt.RatingsData.from_df(frame.select("stars", "who", "what"), rating="stars", valid_pct=0)
    assert (swapped.columns.user, swapped.columns.item) == ("who", "what")


def test_an_id_stays_whole_in_a_pandas_answer_with_holes(ratings_frame):
    numbered = ratings_frame.with_columns(pl.col("item").replace_strict({"a": 1, "b": 2, "c": 3, "d": 4}))
    data = vt.RatingsData.from_df(numbered.to_pandas(), valid_pct=0)
    answer = data.to_native(data.item_frame([0, 2]))
    assert answer["item"].tolist() == [None, 2]
    assert type(answer["item"][1]) is int
