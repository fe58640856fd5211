"""What a user may get wrong, each told in a sentence that says what, where and what to do; and what is odd but fine."""

import datetime as dt
import math
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import vectable as vt


def pairs(n_users=12, n_items=8, seed=0) -> pl.DataFrame:
    """Most users with most items, ratings 1 to 5."""
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((n_users, n_items)) < 0.8)
    rating = rng.integers(1, 6, len(user)).astype(float)
    return pl.DataFrame({"user": user + 1, "item": [f"item {at}" for at in item], "rating": rating})


GOOD = pairs()
KINDS = {
    "polars": pl.DataFrame,
    "pandas": pl.DataFrame.to_pandas,
    "pyarrow": pl.DataFrame.to_arrow,
    "dict": pl.DataFrame.to_dict,
}


def learner(data=None, **options) -> vt.CollabLearner:
    data = vt.RatingsData.from_df(GOOD) if data is None else data
    return vt.collab_learner(data, **{"n_factors": 3, "progress": False, **options})


def weights(learn) -> dict[str, np.ndarray]:
    return {name: values.clone() for name, values in learn.model.state_dict().items()}


def same(learn, before) -> bool:
    return all(bool((values == before[name]).all()) for name, values in learn.model.state_dict().items())


@pytest.fixture
def file(tmp_path):
    """Write a file of ratings and give its path."""

    def write(content, name="ratings.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def quiet():
    """No warning at all: what is fine is not commented upon."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", vt.VectableWarning)
        yield


def test_every_error_of_ours_is_a_value_error():
    for kind in (vt.DataError, vt.UnknownNameError, vt.ArtifactError, vt.NonFiniteLossError):
        assert issubclass(kind, vt.VectableError)
    assert issubclass(vt.VectableError, ValueError)
    assert issubclass(vt.VectableWarning, UserWarning)


# ---------------------------------------------------------------- files


def test_no_such_file(file):
    file("user,item,rating\n1,a,3\n")
    with pytest.raises(vt.DataError, match=r"No such file: .*rating\.csv\. Did you mean 'ratings\.csv'\?"):
        vt.RatingsData.from_file(file("", "x").with_name("rating.csv"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", r"ratings\.csv is empty"),
        ("\n\n", r"ratings\.csv is empty: it holds nothing but blank lines"),
        ("user,item,rating\n", "no rows in .*at least one rating"),
    ],
)
def test_an_empty_file(file, content, told):
    with pytest.raises(vt.DataError, match=told):
        vt.RatingsData.from_file(file(content))


def test_the_wrong_encoding(file):
    path = file("user,item,rating\n1,Amélie,3\n2,Amélie,4\n".encode("latin-1"))
    with pytest.raises(vt.DataError, match=r"not UTF-8: byte 0xe9 on line 2; try encoding='latin-1'"):
        vt.RatingsData.from_file(path)
    data = vt.RatingsData.from_file(path, encoding="latin-1", valid_pct=0)
    assert data.item_ids.vocabulary.to_list() == ["Amélie"]


def test_a_file_without_a_header(file):
    path = file("1\ta\t3\t881250949\n2\ta\t4\t881250949\n", "u.data")
    names = {"sep": "\t", "has_header": False, "columns": ["user", "item", "rating", "timestamp"]}
    data = vt.RatingsData.from_file(path, **names, user="user", item="item", rating="rating", valid_pct=0)
    assert data.train_ratings.rating.tolist() == [3, 4]


def test_a_folder_and_a_table_of_another_kind(tmp_path, file):
    with pytest.raises(vt.DataError, match="is a folder; name a file in it"):
        vt.RatingsData.from_file(tmp_path)
    with pytest.raises(vt.DataError, match="Excel"):
        vt.RatingsData.from_file(file(b"PK\x03\x04....", "ratings.xlsx"))


# ---------------------------------------------------------------- columns


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"user": "usr"}, r"has no column 'usr'\. Did you mean 'user'\? Its columns are 'user', 'item', 'rating'"),
        ({"item": "Item"}, r"has no column 'Item'\. Did you mean 'item'\?"),
        ({"rating": "ratings"}, r"has no column 'ratings'\. Did you mean 'rating'\?"),
        ({"timestamp": "when"}, r"has no column 'when'\. Its columns are 'user', 'item', 'rating'"),
        ({"title": "name"}, r"The table has no column 'name'\. Its columns are 'user', 'item', 'rating'"),
    ],
)
def test_a_missing_column(kind, named, told):
    with pytest.raises(vt.DataError, match=told):
        vt.RatingsData.from_df(KINDS[kind](GOOD), **named)


def test_a_title_in_neither_table():
    with pytest.raises(
        vt.DataError, match=r"together with the items table has no column 'titel'\. Did you mean 'title'"
    ):
        vt.RatingsData.from_df(GOOD, title="titel", items={"item": ["item 1"], "title": ["One"]})


def test_one_column_for_two_things():
    with pytest.raises(vt.VectableError, match=r"same column twice: \['item', 'item', 'rating'\]"):
        vt.RatingsData.from_df(GOOD, user="item", item="item", rating="rating")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("named", [{}, {"user": "user", "item": "item"}, {"rating": "stars"}])
def test_a_table_without_ratings(kind, named):
    with pytest.raises(vt.DataError, match=r"'user', 'item'\. Give a column .*rating=.*InteractionsData"):
        vt.RatingsData.from_df(KINDS[kind](GOOD.drop("rating")), **named)


@pytest.mark.parametrize("table", [{}, {"user": [1]}, pd.DataFrame(), pl.DataFrame(), pa.table({})])
def test_a_table_of_hardly_any_columns(table):
    with pytest.raises(vt.DataError, match="No column is left for the rating"):
        vt.RatingsData.from_df(table)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_without_rows(kind):
    with pytest.raises(vt.DataError, match="no rows in the table: at least one rating is needed"):
        vt.RatingsData.from_df(KINDS[kind](GOOD[:0]))


@pytest.mark.parametrize("thing", [None, [1, 2], "ratings.csv", np.zeros((3, 3)), pl.Series([1])])
def test_what_is_no_table(thing):
    told = f"is a {type(thing).__name__}; hand in a pandas, polars or pyarrow table"
    with pytest.raises(vt.DataError, match=f"The table {told}"):
        vt.RatingsData.from_df(thing)
    with pytest.raises(vt.DataError, match=f"The validation table {told}"):
        vt.RatingsData.from_splits(GOOD, thing)
    with pytest.raises(vt.DataError, match=told):
        learner().predict(thing)


# ---------------------------------------------------------------- ratings


@pytest.mark.parametrize(
    ("ratings", "told"),
    [
        (["3", "good", "bad"], r"row 2 .*'rating'.* is 'good', .*; 2 of 3 rows"),
        (["3,5", "4", "5"], r"row 1 .* is '3,5'"),
        ([3.0, 4.0, math.nan], r"row 3 .* is (missing|'NaN'), .*; 1 of 3 rows"),
        ([3.0, math.inf, -math.inf], r"row 2 .* is 'inf'.*2 of 3 rows"),
        ([None, 3, 4], r"row 1 .* is missing, empty or NaN; 1 of 3 rows"),
        ([None, None, None], r"row 1 .* is missing, empty or NaN; 3 of 3 rows"),
        ([1e300, 2.0, 3.0], r"row 1 .* is '1e\+?300'"),
        ([dt.date(2020, 1, 2)] * 3, r"row 1 .* is '2020-01-02'"),
        ([dt.datetime(2020, 1, 2)] * 3, r"row 1 .* is '2020-01-02 00:00"),
        ([[3], [4], [5]], r"row 1 .* is '\[3\]'"),
    ],
    ids=str,
)
def test_a_rating_that_is_no_number(ratings, told):
    table = {"user": [1, 2, 3], "item": ["a", "b", "c"], "rating": ratings}
    for make in (dict, pl.DataFrame, pa.table, pd.DataFrame):
        with pytest.raises(vt.DataError, match=f"The rating in {told}.*Correct or drop them.*with rating="):
            vt.RatingsData.from_df(make(table))


def test_a_rating_that_is_no_number_in_a_file(file):
    with pytest.raises(vt.DataError, match=r"row 2 .*'rating'.* is 'x'"):
        vt.RatingsData.from_file(file("user,item,rating\n1,a,3\n2,b,x\n"))
    with pytest.raises(vt.DataError, match=r"row 3 .*'rating'.* is missing, empty or NaN"):
        vt.RatingsData.from_file(file("user,item,rating\n1,a,3\n2,b,4\n3,c,\n"))


def test_constant_ratings_are_told_and_can_be_trained_on():
    with pytest.warns(vt.VectableWarning, match="training ratings are 3: there is nothing to learn") as told:
        data = vt.RatingsData.from_df(GOOD.with_columns(rating=pl.lit(3)))
    assert len(told) == 1
    learn = learner(data).fit(2, 0.1)
    assert learn.model.y_range == (2, 4)
    np.testing.assert_allclose(learn.predict(GOOD), 3, atol=0.05)
    assert learn.validate()["rmse"] < 0.05


# ---------------------------------------------------------------- duplicates


TWICE = pl.DataFrame({"user": [1, 1, 2, 1], "item": ["a", "a", "b", "a"], "rating": [1.0, 2.0, 3.0, 4.0]})


def test_duplicates_are_kept_counted_and_told():
    with pytest.warns(vt.VectableWarning, match=r"2 of the 4 rows .* all are kept \(duplicates='last', 'mean' or"):
        data = vt.RatingsData.from_df(TWICE, valid_pct=0)
    assert data.train_ratings.rating.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("policy", "ratings"), [("last", [3, 4]), ("mean", [7 / 3, 3])])
def test_duplicates_can_be_settled(policy, ratings):
    with pytest.warns(vt.VectableWarning, match="2 of the 4 rows"):
        data = vt.RatingsData.from_df(TWICE, duplicates=policy, valid_pct=0)
    assert data.train_ratings.rating.tolist() == pytest.approx(ratings)


def test_duplicates_can_be_forbidden_and_one_is_named():
    with pytest.raises(vt.DataError, match=r"2 of the 4 rows .* for example user 1, item 'a'"):
        vt.RatingsData.from_df(TWICE, duplicates="error")


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 2],
        ["3", "1", "b"],
        ["ä", "東", " "],
        [3.0, 1.0, 2.5],
        [True, False],
    ],
    ids=str,
)
def test_ids_of_every_type_train_and_are_found_again(kind, ids, quiet):
    table = KINDS[kind](pl.DataFrame({"user": ids, "item": ids[::-1], "rating": range(len(ids))}))
    learn = learner(vt.RatingsData.from_df(table, valid_pct=0)).fit(1, 0.01)
    assert len(learn.predict(table)) == len(learn.bias(ids)) == len(ids)
    for one in ids:
        assert type(learn.recommend(one)) is (pl.DataFrame if kind == "dict" else type(table))


def test_mixed_ids_become_text_and_are_found_as_either():
    table = pd.DataFrame({"user": pd.Series([1, "b", 2], dtype=object), "item": [1, 2, 3], "rating": [1, 2, 3]})
    with pytest.warns(vt.VectableWarning, match="Column 'user' mixes int, str; all its values are taken as text"):
        data = vt.RatingsData.from_df(table, valid_pct=0)
    learn = learner(data).fit(1, 0.01)
    assert learn.recommend(1)["item"].tolist() == learn.recommend("1")["item"].tolist()
    assert 1 not in learn.recommend(1)["item"].tolist()


@pytest.mark.parametrize("hole", [None, math.nan, pd.NA])
@pytest.mark.parametrize("column", ["user", "item"])
def test_missing_ids_are_named_and_can_be_left_out(column, hole):
    table = pd.DataFrame({"user": [1, 2, 3], "item": [7, 8, 9], "rating": [1, 2, 3]}).astype({column: object})
    table.loc[1, column] = hole
    with pytest.raises(vt.DataError, match=rf"'{column}' is missing in row 2 .*; 1 of 3 rows .*missing_ids='drop'"):
        vt.RatingsData.from_df(table)
    with pytest.warns(vt.VectableWarning, match="1 rows of the table without user or item are left out"):
        assert len(vt.RatingsData.from_df(table, missing_ids="drop", valid_pct=0).train_ratings) == 2
    with pytest.warns(vt.VectableWarning, match="1 rows"), pytest.raises(vt.DataError, match="no rows in the table"):
        vt.RatingsData.from_df(table[1:2], missing_ids="drop")


# ---------------------------------------------------------------- options of the data


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"valid_pct": 20}, "valid_pct must be a share of the rows in .*; got 20"),
        ({"valid_pct": 1}, r"valid_pct must be .*; got 1"),
        ({"valid_pct": -0.1}, r"valid_pct must be .*; got -0\.1"),
        ({"valid_pct": "0.1"}, r"valid_pct must be .*; got '0\.1'"),
        ({"seed": -1}, "seed must be a non-negative integer; got -1"),
        ({"split": "rand"}, "split must be 'random' or 'time'; got 'rand'"),
        ({"split": "time"}, "split='time' needs timestamp="),
        ({"duplicates": "first"}, "duplicates must be keep, last, mean or error; got 'first'"),
        ({"missing_ids": "skip"}, "missing_ids must be 'error' or 'drop'; got 'skip'"),
        ({"batch_size": 0}, "batch size must be a positive integer; got 0"),
        ({"batch_size": 6.4}, r"batch size must be .*; got 6\.4"),
    ],
    ids=str,
)
def test_an_option_out_of_range(option, told):
    with pytest.raises(vt.VectableError, match=told):
        vt.RatingsData.from_df(GOOD, **option)


# ---------------------------------------------------------------- options of the learner


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"n_factors": 0}, "n_factors must be a positive integer; got 0"),
        ({"n_factors": -3}, r"n_factors must be .*; got -3"),
        ({"n_models": 0}, "n_models must be a positive integer; got 0"),
        ({"wd": -0.1}, r"weight decay must be a non-negative number; got -0\.1"),
        ({"wd": math.nan}, r"weight decay must be .*; got nan"),
        (
            {"y_range": (5, 1)},
            r"y_range must be \(low, high\) with low below high.*\(0\.5, 5\.5\) .*got \(5, 1\)",
        ),
        ({"y_range": (3, 3)}, r"y_range must be .*; got \(3, 3\)"),
        ({"y_range": (0, math.inf)}, "low below high"),
        ({"y_range": (0,)}, r"y_range must be .*; got \(0,\)"),
        ({"y_range": "wide"}, r"y_range must be .*; got 'wide'"),
        ({"use_nn": True, "layers": []}, r"layers is \[\]; give at least one width"),
        ({"use_nn": True, "layers": [0]}, r"layers is \[0\]"),
    ],
    ids=str,
)
def test_a_learner_that_cannot_be(option, told):
    with pytest.raises(vt.VectableError, match=told):
        learner(**option)


@pytest.mark.parametrize(
    ("option", "error", "told"),
    [
        ({"preset": "modren"}, vt.UnknownNameError, r"no preset 'modren'\. Did you mean 'modern'\?.*'lesson'"),
        ({"metrics": ["rsme"]}, vt.UnknownNameError, r"no metric 'rsme'\. Did you mean 'rmse'\?.*'mae'.*a function"),
        ({"opt": "adamm"}, vt.UnknownNameError, r"no optimizer 'adamm'\. Did you mean 'adam'\?.*'sgd'"),
        (
            {"engine": "fast"},
            vt.VectableError,
            "engine must be one of .*'auto', .*'sgd', 'compiled', .*; got 'fast'",
        ),
        ({"wd_mode": "l1"}, vt.VectableError, "wd_mode must be 'decoupled' or 'l2'; got 'l1'"),
        ({"engine": "compiled", "use_nn": True}, vt.VectableError, "EmbeddingDotBias, and the model is EmbeddingNet"),
        ({"engine": "compiled", "opt": "sgd"}, vt.VectableError, "another optimizer .* Use engine='auto'"),
    ],
    ids=str,
)
def test_an_unknown_choice(option, error, told):
    with pytest.raises(error, match=told):
        learner(**option).fit(1, 0.01)


@pytest.mark.parametrize("y_range", [(1.5, 5.5), (0, 4.5), (2, 4)])
def test_a_y_range_that_the_ratings_leave_is_told_with_the_one_to_use(y_range):
    told = r"ratings go from 1 to 5, and y_range .* cannot reach them all; .*y_range=\(0\.5, 5\.5\)"
    with pytest.warns(vt.VectableWarning, match=told):
        learn = learner(y_range=y_range).fit(1, 0.01)
    predicted = learn.predict(GOOD)
    assert y_range[0] <= predicted.min() <= predicted.max() <= y_range[1]


@pytest.mark.parametrize("y_range", [(0, 5.5), [1, 5], (-3, 10), None, "auto"])
def test_a_y_range_that_fits_is_not_commented_upon(y_range, quiet):
    assert np.isfinite(learner(y_range=y_range).fit(1, 0.01).predict(GOOD)).all()


def test_lr_find_out_of_range():
    with pytest.raises(vt.VectableError, match="num_it is 5; give at least 20 steps"):
        learner().lr_find(num_it=5)
    with pytest.raises(vt.VectableError, match=r"from 1 to 0\.1; give 0 < start_lr < end_lr"):
        learner().lr_find(1, 0.1)


# ---------------------------------------------------------------- training

FITS = ["fit", "fit_one_cycle"]
ENGINES = ["compiled", "sgd", "torch"]


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("lr", [-1e-3, math.nan, math.inf, -math.inf])
def test_a_learning_rate_that_is_none(fit, lr):
    learn = learner()
    before = weights(learn)
    with pytest.raises(vt.VectableError, match=f"learning rate must be a positive number.*; got {lr}"):
        getattr(learn, fit)(1, lr)
    assert same(learn, before)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fit", FITS)
def test_a_learning_rate_of_nought_learns_nothing_and_says_so(fit, engine):
    learn = learner(engine=engine)
    before = weights(learn)
    with pytest.warns(vt.VectableWarning, match="learning rate is 0: nothing will be learned"):
        getattr(learn, fit)(1, 0)
    for name in ("user_factors.weight", "item_factors.weight", "user_bias.weight", "item_bias.weight"):
        assert (learn.model.state_dict()[name][1:] == before[name][1:]).all(), (
            "code 0 becomes the mean, the others stay"
        )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fit", FITS)
def test_a_huge_learning_rate_is_stopped_and_leaves_the_weights_as_they_were(fit, engine):
    learn = learner(engine=engine)
    learn.fit(1, 0.01)
    before = weights(learn)
    with pytest.raises(
        vt.NonFiniteLossError, match=r"not a finite number at step \d+ \(epoch \d, .*ten times lower"
    ) as told:
        getattr(learn, fit)(2, 1e30)
    assert "lr_find()" in str(told.value)
    assert same(learn, before)
    learn.fit(1, 0.01)
    assert math.isfinite(learn.validate()["valid_loss"])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("n_epoch", [0, -1, 1.5, "3", None])
def test_a_number_of_epochs_that_is_none(fit, n_epoch):
    with pytest.raises(vt.VectableError, match=f"number of epochs must be a positive integer; got {n_epoch!r}"):
        getattr(learner(), fit)(n_epoch)


# ---------------------------------------------------------------- asking for what is not there


STRANGER = "nobody"


def test_predict_takes_the_average_for_the_unknown_and_counts(trained):
    known = trained.data.show_batch(2)
    table = known.with_columns(user=pl.Series([known["user"][0], -1]), item=pl.Series([-5, known["item"][1]]))
    with pytest.warns(vt.VectableWarning) as told:
        predicted = trained.predict(table)
    assert [str(one.message) for one in told] == [
        "1 of 2 rows have a 'user' that is not in the training data: the average one stands in.",
        "1 of 2 rows have a 'item' that is not in the training data: the average one stands in.",
    ]
    model = trained.model
    rows = model.user_factors.weight[1:].mean(0), model.user_bias.weight[1:].mean(0)
    item = trained.data.item_ids.encode(table["item"])[1]
    average = rows[0] @ model.item_factors.weight[item] + rows[1] + model.item_bias.weight[item]
    assert predicted[1] == pytest.approx(model.squash(average).item(), abs=1e-4)
    low, high = trained.data.rating_range
    assert ((low < predicted) & (predicted < high)).all()


def test_predict_without_the_columns_and_without_rows(trained):
    with pytest.raises(vt.DataError, match=r"The table has no column 'item'\. Did you mean 'items'\?"):
        trained.predict({"user": [1], "items": [1]})
    assert trained.predict({"user": [], "item": []}).shape == (0,)


def test_recommend_gives_a_stranger_the_average_users_list(trained):
    with pytest.warns(
        vt.VectableWarning, match="1 unknown user .'nobody'.: the list is what the average user likes best"
    ):
        listed = trained.recommend(STRANGER, n=5)
    assert len(listed) == 5
    with pytest.warns(vt.VectableWarning, match="1 of 2 rows have a 'user' that is not in the training data"):
        both = trained.recommend_many([-1, 1], n=5)
    assert both.filter(pl.col("user") == -1)["item"].to_list() == listed["item"].to_list()


@pytest.mark.parametrize("user", [None, math.nan, [1], "", 2**70, -1, "１"])
def test_recommend_takes_anything_for_a_stranger(trained, user):
    with pytest.warns(vt.VectableWarning, match="1 unknown user"):
        assert len(trained.recommend(user, n=3)) == 3


@pytest.mark.parametrize("n", [0, -1, 2.5, "ten", None])
def test_recommend_an_impossible_number(trained, n):
    with pytest.raises(vt.VectableError, match=f"n must be a positive integer; got {n!r}"):
        trained.recommend(1, n=n)


def test_recommend_with_unknown_candidates_and_exclusions(trained):
    known = trained.recommend(1, n=3)
    with pytest.warns(vt.VectableWarning, match=r"1 unknown item \('nothing'\): left out"):
        listed = trained.recommend(1, candidates=["nothing", *known["item"]])
    assert listed["item"].to_list() == known["item"].to_list()
    with pytest.warns(vt.VectableWarning, match="1 unknown item .*: there is nothing to leave out"):
        assert trained.recommend(1, n=3, exclude=["nothing"]).equals(known)


@pytest.mark.parametrize("ask", ["bias", "weight"])
def test_bias_and_weight_of_the_unknown_are_the_average(trained, ask):
    item = trained.data.item_ids.vocabulary[0]
    with pytest.warns(vt.VectableWarning, match=r"1 unknown item \('nothing'\): the average one stands in"):
        found = getattr(trained, ask)([item, "nothing"])
    everybody = getattr(trained, ask)(trained.data.item_ids.vocabulary.to_list())
    np.testing.assert_allclose(found[1], everybody.mean(axis=0), atol=1e-5)
    with pytest.warns(vt.VectableWarning, match=r"2 unknown users \('nobody', None\)"):
        assert len(getattr(trained, ask)([STRANGER, None], is_item=False)) == 2


def test_a_title_that_is_almost_right_is_suggested(trained):
    with pytest.raises(
        vt.UnknownNameError, match=r"unknown item \('Modern Time'\).*Close to .*'Modern Times \(1936\)'"
    ):
        trained.similar("Modern Time")
    with pytest.warns(vt.VectableWarning, match=r"Close to 'modern times \(1936\)': 'Modern Times \(1936\)'"):
        trained.bias(["modern times (1936)"])


def test_explain_and_fold_in_with_the_unknown(trained):
    with pytest.warns(vt.VectableWarning, match="unknown user"):
        assert trained.explain(STRANGER, "Modern Times (1936)")["term"][0] == "prediction"
    with pytest.warns(vt.VectableWarning, match=r"unknown item \('nothing'\): left out"):
        folded = trained.fold_in({"nothing": 9, "Modern Times (1936)": 9})
    assert folded.recommend(4).height == 4
    with pytest.raises(vt.VectableError, match="must be a finite number; got nan"):
        trained.fold_in({"Modern Times (1936)": math.nan})


def test_update_with_unusable_rows_leaves_the_model_as_it_was():
    learn = learner().fit(1, 0.01)
    before, data = weights(learn), learn.data
    for bad, told in (
        ({"usr": [1], "item": ["a"], "rating": [1]}, r"The new table has no column 'user'\. Did you mean 'usr'\?"),
        ({"user": [1], "item": ["a"], "rating": ["good"]}, "row 1 of the new table .* is 'good'"),
        ({"user": [None], "item": ["a"], "rating": [1]}, "'user' is missing in row 1 of the new table"),
    ):
        with pytest.raises(vt.DataError, match=told):
            learn.update(bad)
    assert same(learn, before)
    assert learn.data is data


# ---------------------------------------------------------------- odd, and fine


def check_everything(learn, user, item):
    """Train, and ask all there is to ask."""
    learn.fit(1, 0.01)
    learn.fit_one_cycle(2, 0.01)
    assert np.isfinite(learn.predict({"user": [user], "item": [item]})).all()
    assert np.isfinite(learn.bias([item])).all()
    assert learn.weight([item]).shape[0] == 1
    assert len(learn.recommend(user, n=1000, exclude_seen=False)) == learn.data.n_items
    assert item not in learn.recommend(user, n=1000)["item"]
    assert len(learn.similar(item, n=1000)) == learn.data.n_items - 1
    assert math.isfinite(learn.explain(user, item)["points"].sum())
    assert len(learn.fold_in({item: 3}).recommend(1000)) == learn.data.n_items - 1
    assert len(learn.recommend_many(n=1)) <= learn.data.n_users
    if learn.data.batch_size > 1:
        assert set(learn.lr_find(num_it=20).suggestions)
    assert "parameters" in str(learn.summary())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This model does not beat its baselines")
        assert {"valid_loss", "rmse", "mae", "baselines"} <= set(learn.validate())


@pytest.mark.parametrize("engine", ENGINES)
def test_one_row(engine):
    with pytest.warns(vt.VectableWarning, match="All 1 training ratings are 3"):
        data = vt.RatingsData.from_df({"user": ["u"], "item": ["i"], "rating": [3]})
    assert (len(data.train_ratings), len(data.valid_ratings)) == (1, 0)
    check_everything(learner(data, engine=engine), "u", "i")


@pytest.mark.parametrize("engine", ENGINES)
def test_one_user(engine, quiet):
    frame = pl.DataFrame({"user": 1, "item": [f"item {at}" for at in range(30)], "rating": np.arange(30) % 5})
    data = vt.RatingsData.from_splits(frame[:25], frame[20:25])
    check_everything(learner(data, engine=engine), 1, "item 3")


@pytest.mark.parametrize("engine", ENGINES)
def test_one_item(engine, quiet):
    frame = pl.DataFrame({"user": range(30), "item": "only", "rating": np.arange(30) % 5})
    data = vt.RatingsData.from_df(frame, valid_pct=0.2)
    assert "6 with a user or item that training never showed" in repr(data)
    check_everything(learner(data, engine=engine), int(data.user_ids.vocabulary[0]), "only")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "make", [lambda: vt.RatingsData.from_df(GOOD, valid_pct=0), lambda: vt.RatingsData.from_splits(GOOD, GOOD[:0])]
)
def test_an_empty_validation_set(engine, make, quiet):
    learn = learner(make(), engine=engine)
    check_everything(learn, 1, "item 0")
    measured = learn.validate()
    assert all(math.isnan(measured[name]) for name in ("valid_loss", "rmse", "mae"))
    assert math.isnan(measured["baselines"]["global mean"]["rmse"])
    assert len(learn.recorder.to_frame()) == 3
    with pytest.raises(vt.VectableError, match="there is nothing to rank for"):
        learn.ranking()
    for callback in (vt.RestoreBest(), vt.EarlyStopping()):
        with pytest.raises(vt.DataError, match="cannot be watched: there are no validation rows"):
            learn.fit(1, 0.01, callbacks=[callback])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch_size", [1, 10**9])
def test_batches_of_one_and_of_all(engine, batch_size, quiet):
    data = vt.RatingsData.from_df(GOOD, batch_size=batch_size)
    assert data.n_steps == (len(data.train_ratings) if batch_size == 1 else 1)
    check_everything(learner(data, engine=engine), 1, "item 0")


def test_batches_of_one_through_batch_norm(quiet):
    data = vt.RatingsData.from_df(GOOD, batch_size=1)
    learn = learner(data, use_nn=True, layers=[4]).fit(1, 0.01)
    assert np.isfinite(learn.predict(GOOD)).all()


def test_a_validation_set_of_strangers():
    strangers = GOOD.with_columns(pl.col("user") + 1000)
    data = vt.RatingsData.from_splits(GOOD, strangers)
    learn = learner(data).fit(1, 0.01)
    assert math.isfinite(learn.validate()["rmse"])
    assert f"({len(strangers):,} with a user or item that training never showed)" in repr(data)


def test_a_user_who_has_seen_everything_gets_an_empty_list(quiet):
    frame = pl.DataFrame({"user": [1, 1, 2], "item": ["a", "b", "a"], "rating": [1.0, 2.0, 3.0]})
    learn = learner(vt.RatingsData.from_df(frame, valid_pct=0)).fit(1, 0.01)
    assert learn.recommend(1).shape == (0, 3)
    assert learn.recommend(2, candidates=[]).columns == ["item", "prediction", "ratings"]
    assert len(learn.recommend(2, min_ratings=99)) == 0


def test_far_apart_and_tiny_ratings(quiet):
    for scale in (1e-6, 1e6):
        learn = learner(vt.RatingsData.from_df(GOOD.with_columns(pl.col("rating") * scale))).fit(1, 0.01)
        low, high = learn.model.y_range
        assert low < scale
        assert high > 5 * scale
        assert np.isfinite(learn.predict(GOOD)).all()


def test_a_million_ids(quiet):
    """More users than a table of scores could hold; one epoch, one list."""
    n = 1_000_000
    frame = pl.DataFrame({"user": np.arange(n), "item": np.arange(n) * 7919 % 5000, "rating": 1.0 + np.arange(n) % 5})
    data = vt.RatingsData.from_df(frame, batch_size=4096)
    learn = learner(data, n_factors=2).fit(1, 0.01)
    assert learn.data.n_users == 900_000
    user = int(data.user_ids.vocabulary[-1])
    assert len(learn.recommend(user, n=3)) == 3
    with pytest.warns(vt.VectableWarning, match="1 unknown user"):
        learn.recommend(n + 5)


def test_a_model_of_ratings_is_loaded_without_data(trained, tmp_path):
    trained.save(tmp_path / "model")
    with pytest.raises(vt.VectableError, match="model together with its data: leave data= out"):
        vt.load_learner(tmp_path / "model", data=trained.data)
    assert vt.load_learner(tmp_path / "model", data=None, progress=False).data.n_items == trained.data.n_items
