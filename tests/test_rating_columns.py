"""Which column holds what by its name, columns that look like something else than ratings, and matrices of ratings."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vectable as vt


@pytest.fixture(autouse=True)
def silence():
    """A warning that no test expects is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", vt.VectableWarning)
        yield


def table(names: list[str], rows: int = 60) -> pl.DataFrame:
    """Users, items, ratings 1 to 5, and what else is named, in any order: each column by what its name is here for."""
    rng = np.random.default_rng(0)
    values = {
        "u": [f"u{one}" for one in rng.integers(9, size=rows)],
        "i": [f"i{one}" for one in rng.permutation(rows)],
        "r": rng.integers(1, 6, rows).tolist(),
        "t": [1_700_000_000 + int(one) for one in rng.permutation(rows)],
        "n": list(range(rows)),
    }
    return pl.DataFrame({name.split("=")[0]: values[name.split("=")[1]] for name in names})


@pytest.mark.parametrize(
    "names",
    [
        ["user=u", "item=i", "rating=r"],
        ["userId=u", "movieId=i", "rating=r", "timestamp=t"],
        ["User-ID=u", "ISBN=i", "Book-Rating=r"],
        ["rating=r", "item=i", "user=u"],
        ["timestamp=t", "customer_id=u", "product_id=i", "stars=r"],
        ["reviewerID=u", "asin=i", "reviewTime=t", "overall=r"],
        ["id=n", "user_id=u", "item_id=i", "score=r"],
        ["user_name=n", "user_id=u", "item=i", "rating=r"],
        ["movie=i", "who=u", "score=r"],
        ["a=u", "b=i", "c=r"],
        ["a=u", "b=i", "c=r", "user=n"][:3],
    ],
)
def test_columns_are_found_by_their_names_else_by_their_places(names):
    frame = table(names)
    found = vt.RatingsData.from_df(frame).columns
    by_kind = {one.split("=")[1]: one.split("=")[0] for one in names}
    assert (found.user, found.item, found.rating) == (by_kind["u"], by_kind["i"], by_kind["r"])


def test_what_the_caller_names_goes_before_what_names_say():
    frame = table(["user=i", "item=u", "rating=t", "mine=r"])
    found = vt.RatingsData.from_df(frame, user="item", item="user", rating="mine").columns
    assert (found.user, found.item, found.rating) == ("item", "user", "mine")


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_a_column_without_a_name_that_numbers_the_rows_is_passed_over(tmp_path, name):
    frame = table([f"{name}=n", "who=u", "what=i", "how=r"])
    frame.write_csv(tmp_path / "r.csv")
    with pytest.warns(vt.VectableWarning, match="of the table numbers the rows and is passed over"):
        data = vt.RatingsData.from_file(tmp_path / "r.csv")
    assert (data.columns.user, data.columns.item, data.columns.rating) == ("who", "what", "how")
    assert data.rating_range == (1, 5)
    kept = vt.RatingsData.from_df(frame, user=name, item="what", rating="how")
    assert kept.columns.user == name
    few = table([f"{name}=n", "what=i", "how=r"])  # it is needed
    assert vt.RatingsData.from_df(few).columns.user == name
    other = frame.with_columns(pl.Series(name, [3, *range(1, len(frame))]))  # it does not count
    assert vt.RatingsData.from_df(other.select(name, "what", "how")).columns.user == name


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "values", "looks_like"),
    [
        ("c", RNG.geometric(0.5, 400), "quantities: whole numbers from 1 to"),
        ("Quantity", RNG.integers(1, 6, 400), "quantities"),
        ("c", RNG.lognormal(2, 1, 400), "prices: decimals from"),
        ("UnitPrice", RNG.integers(1, 6, 400), "prices"),
        ("c", 1_700_000_000 + RNG.integers(0, 10**6, 400), "times"),
        ("date", RNG.integers(1, 365, 400), "times"),
    ],
)
def test_a_third_column_that_looks_like_something_else_is_questioned(name, values, looks_like):
    frame = pl.DataFrame({"u": np.arange(400) % 20, "i": np.arange(400) // 20, name: values})
    with pytest.warns(
        vt.VectableWarning, match=f"'{name}' was taken as the rating, but looks like {looks_like}.*rating="
    ):
        vt.RatingsData.from_df(frame)
    vt.RatingsData.from_df(frame, rating=name)


@pytest.mark.parametrize(
    "values",
    [
        RNG.integers(1, 6, 400),
        RNG.integers(0, 2, 400),
        RNG.integers(1, 11, 400) / 2,
        RNG.uniform(-10, 10, 400),
        RNG.integers(0, 101, 400),
        np.where(RNG.random(400) < 0.5, 1, RNG.integers(1, 6, 400)),
        RNG.choice([-1, 1], 400),
    ],
)
def test_scales_of_ratings_are_not(values):
    vt.RatingsData.from_df({"u": np.arange(400) % 20, "i": np.arange(400) // 20, "r": values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 3, 4, 5, 55], "1 of 6 values are 55 among the ratings"),
        ([-7.5, -2.25, 0.5, 3, 8, 9, 99, 99], "2 of 8 values are 99 among"),
        ([-1, -1, 1, 2, 3, 4, 10], "2 of 7 values are -1 among"),
        ([1, 2, 3, 4, 5, 3e38], r"1 of 6 values are 3e\+38 among"),
    ],
)
def test_ratings_that_no_scale_has_get_a_warning(values, message):
    frame = {"user": list(range(len(values))), "item": [1] * len(values), "rating": values}
    with pytest.warns(vt.VectableWarning, match=message + r".*'not rated'"):
        vt.RatingsData.from_df(frame, valid_pct=0)


def test_new_ratings_that_the_scale_does_not_have_are_refused():
    data = vt.RatingsData.from_df(table(["user=u", "item=i", "rating=r"]))
    more = pl.DataFrame({"user": ["u1", "u2"], "item": ["i1", "i2"], "rating": [5, 50]})
    with pytest.raises(vt.DataError, match=r"rating in row 2 of the new table is 50, .* from 1 to 5"):
        data.with_more(more)
    assert data.with_more(more.with_columns(rating=pl.lit(5.5))).rating_range == (1, 5.5)


# ---------------------------------------------------------------- times


def test_times_are_numbers_or_dates_written_as_text():
    days = ["2024-05-01", "2024-05-03", "2024-05-02"]
    frame = {"user": [1, 2, 3], "item": [1, 1, 1], "rating": [1, 2, 3], "when": days}
    data = vt.RatingsData.from_df(frame, timestamp="when", split="time", valid_pct=0.34)
    midnight = dt.datetime(2024, 5, 3, tzinfo=dt.UTC).timestamp()
    assert data.valid_ratings.time.tolist() == [midnight]


def test_one_bad_date_refuses_the_table_or_is_missing():
    frame = {"user": [1, 2, 3], "item": [1, 1, 1], "rating": [1, 2, 3], "when": ["2024-05-01", "soon", None]}
    with pytest.raises(vt.DataError, match=r"row 2 .*'soon', .* number or date; 2 of 3 rows .*bad_times='missing'"):
        vt.RatingsData.from_df(frame, timestamp="when")
    with pytest.warns(vt.VectableWarning, match=r"2 of 3 times of the table \(column 'when'\) are missing"):
        data = vt.RatingsData.from_df(frame, timestamp="when", bad_times="missing", valid_pct=0)
    assert np.isnan(data.train_ratings.time).tolist() == [False, True, True]
    with pytest.raises(vt.VectableError, match="bad_times must be 'error' or 'missing'; got 'drop'"):
        vt.RatingsData.from_df(frame, timestamp="when", bad_times="drop")
    warnings.simplefilter("ignore")
    with pytest.raises(vt.VectableError, match="needs the time of each rating, and 2 are missing"):
        vt.RatingsData.from_df(frame, timestamp="when", bad_times="missing", split="time")
    with pytest.raises(vt.DataError, match="user_day_bias=True needs the time of each rating"):
        vt.bayes_collab_learner(data, user_day_bias=True)


# ---------------------------------------------------------------- side tables by their files


def test_side_tables_may_be_files(tmp_path):
    frame = table(["user=u", "item=i", "rating=r"])
    frame.write_csv(tmp_path / "r.csv")
    titles = pl.DataFrame({"item": [f"i{one}" for one in range(60)], "name": [f"Film {one}" for one in range(60)]})
    titles.write_csv(tmp_path / "films.csv")
    pl.DataFrame({"user": [f"u{one}" for one in range(9)], "age": range(9)}).write_parquet(tmp_path / "users.parquet")
    sides = {"items": tmp_path / "films.csv", "users": str(tmp_path / "users.parquet")}
    data = vt.RatingsData.from_file(tmp_path / "r.csv", title="name", **sides)
    assert data.item_names([1])[0].startswith("Film ")
    assert data.user_table is not None
    with pytest.raises(vt.DataError, match=r"No such file: .*film\.csv\. Did you mean 'films\.csv'"):
        vt.RatingsData.from_file(tmp_path / "r.csv", items=tmp_path / "film.csv")


# ---------------------------------------------------------------- matrices


WIDE = pl.DataFrame({"user": ["ann", "bob", "eve"], "10": [5.0, None, 99.0], "20": [1, 2, None], "x": [None, 4.5, 3.0]})


def test_a_matrix_of_ratings():
    data = vt.RatingsData.from_wide(WIDE, missing=99, valid_pct=0)
    shown = data.show_batch(9).sort("user", "item")
    assert shown.rows() == [
        ("ann", "10", 5.0),
        ("ann", "20", 1.0),
        ("bob", "20", 2.0),
        ("bob", "x", 4.5),
        ("eve", "x", 3.0),
    ]
    assert (data.columns.user, data.columns.item, data.columns.rating) == ("user", "item", "rating")


def test_a_matrix_from_a_file_or_pandas_without_users(tmp_path):
    jokes = pl.DataFrame({"0": [-1.5, 99.0], "1": [99.0, 7.25], "2": [3.0, 4.0]})
    jokes.write_csv(tmp_path / "jokes.csv")
    for source, kind in ((tmp_path / "jokes.csv", "polars"), (pd.DataFrame(jokes.to_dict(as_series=False)), "pandas")):
        if kind == "polars":
            with pytest.warns(vt.VectableWarning, match="holds only numbers"):
                data = vt.RatingsData.from_wide(source, missing=99, valid_pct=0)
        else:
            data = vt.RatingsData.from_wide(source, missing=[99, -99], valid_pct=0)
        assert data.kind == kind
        assert data.user_ids.vocabulary.to_list() == [1, 2]
        assert data.item_ids.vocabulary.to_list() == [0, 1, 2]  # numbers, as in a table of jokes
        assert len(data.train_ratings) == 4


def test_which_column_of_a_matrix_holds_the_users():
    numbered = pl.DataFrame({"userId": [7, 8], "a": [1, 2], "b": [3, 4], "count": [2, 5]})
    data = vt.RatingsData.from_wide(numbered, leave_out=["count"], valid_pct=0)
    assert (data.user_ids.vocabulary.to_list(), data.n_items) == ([7, 8], 2)
    data = vt.RatingsData.from_wide(numbered, "count", missing=7, valid_pct=0)
    assert (data.columns.user, data.n_items) == ("count", 3)
    unnamed = pl.DataFrame({"": [0, 1], "a": [1, 2], "b": [3, 4]})
    assert vt.RatingsData.from_wide(unnamed, valid_pct=0).n_items == 2


@pytest.mark.parametrize(
    ("frame", "how", "message"),
    [
        ({"a": [1, 2], "b": ["x", "y"]}, {}, r"Column 'b' is String, .*user='b'.*leave_out=\['b'\]"),
        ({"user": ["a"], "b": [99]}, {"missing": 99}, "holds no rating: all 1 x 1 fields are missing"),
        ({"user": ["a"]}, {}, "Column 'user' is String"),
        ({"user": [], "b": []}, {}, "has no ratings"),
        ({"a": [1]}, {"user": "c"}, "no column 'c'"),
        ({"a": [1]}, {"leave_out": ["c"]}, "no column 'c'"),
        ({"a": [1]}, {"missing": "x"}, "missing must be the number"),
    ],
)
def test_matrices_that_cannot_be_used(frame, how, message):
    with pytest.raises(vt.VectableError, match=message):
        vt.RatingsData.from_wide(frame, **how)
