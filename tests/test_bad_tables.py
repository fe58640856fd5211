"""Tables as they come: what cannot be learned from is named, what is odd is told, and predicting never fails."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import vectable as vt

N = 60


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """Sixty people: a job, an age, a height, and whether they are paid much."""
    rng = np.random.default_rng(0)
    columns = {"job": rng.choice(["cook", "judge"], N), "age": rng.integers(18, 80, N), "height": rng.normal(size=N)}
    return pl.DataFrame({**columns, "pay": rng.choice(["much", "little"], N)})


@pytest.fixture(scope="module")
def learn(table):
    return fit(table)


def fit(table, target="pay", **how):
    data = vt.TableData.from_df(table, target, **how)
    return vt.tabular_learner(data, [8], progress=False).fit_one_cycle(1, 1e-2)


def at(row, value, otherwise):
    """A column that is `value` in one row (from 0), and something else in the others."""
    return pl.when(pl.int_range(N) == row).then(pl.lit(value)).otherwise(otherwise)


def quiet(call, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call(*args)


# ---------------------------------------------------------------- the target


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (at(5, None, pl.col("pay")), r"The target in row 6 of the table \(column 'pay'\) is missing; 1 of 60 rows"),
        (pl.lit(None, dtype=pl.String), "The target in row 1 .* is missing; 60 of 60 rows"),
        (pl.lit("much"), "has one class, 'much' in the training rows: there is nothing to tell apart"),
        (at(7, np.inf, pl.col("height")), "in row 8 .* is inf, which is not a finite number"),
        (at(7, np.nan, pl.col("height")), "in row 8 .* is missing"),
        (pl.concat_list("age", "age"), r"The target 'pay' is List\(Int64\), neither classes nor numbers"),
        (pl.struct("age", "job"), "The target 'pay' is Struct"),
    ],
)
def test_a_target_that_cannot_be_learned_is_named(table, target, sentence):
    with pytest.raises(vt.DataError, match=sentence):
        fit(table.with_columns(pay=target))


def test_rows_without_a_target_are_left_out_where_asked(table):
    some = table.with_columns(pay=pl.when(pl.int_range(N) % 3 > 0).then("pay"), id=pl.int_range(N))
    with pytest.warns(vt.VectableWarning, match="20 of 60 rows have no target and are left out"):
        data = vt.TableData.from_df(some, "pay", without=["id"], valid_rows=[0, 1, 4, 30, 59], missing_target="drop")
    assert (len(data.train_rows), data.valid_frame["id"].to_list()) == (37, [1, 4, 59])
    with pytest.raises(vt.DataError, match="or leave them out with missing_target='drop'"):
        fit(some)
    with pytest.raises(vt.DataError, match="No row has a target: column 'pay' is missing in all 60"):
        fit(some.with_columns(pay=None), missing_target="drop", task="numbers")
    with pytest.raises(vt.VectableError, match="missing_target is 'keep'"):
        fit(some, missing_target="keep")


def test_columns_named_by_numbers_are_named_as_they_are():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(N, 4)))
    frame[3] = np.where(frame[0] > 0, "a", "b")
    learn = fit(frame, 3, cont_names=[0, 2], cat_names=[], split=1)
    assert list(learn.data.kinds) == ["0", "2"]
    assert len(learn.predict(frame)) == N
    assert learn.predict(frame.iloc[5].to_dict()) == learn.predict(frame)[5]
    with pytest.raises(vt.DataError, match="no column '7'"):
        fit(frame, 7)


def test_the_old_names_of_task_and_class_weight_work_and_warn(table):
    with pytest.warns(DeprecationWarning, match="target_kind is now called task") as caught:
        data = vt.TableData.from_df(table, "age", target_kind="classes")
    assert data.target.kind == "classes"
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="class_weights is now called class_weight"):
        weights = vt.TableData.from_df(table, "pay", class_weights={"much": 2.0}).train_rows.weights
    assert set(weights) == {1.0, 2.0}
    with pytest.warns(DeprecationWarning, match="target_kind is now called task"):
        assert vt.EntityEmbeddingEncoder(target_kind="classes").task == "classes"


def test_a_constant_number_is_told_and_learned_all_the_same(table):
    with pytest.warns(vt.VectableWarning, match="'pay' is 3 in all training rows"):
        learn = fit(table.with_columns(pay=pl.lit(3.0)))
    assert np.isfinite(learn.predict(table)).all()


def test_a_class_only_in_validation_is_left_out_and_told(table):
    odd = table.with_columns(pay=at(7, "unheard of", pl.col("pay")))
    with pytest.warns(vt.VectableWarning, match="1 validation row has a class that no training row has"):
        data = vt.TableData.from_df(odd, "pay", valid_rows=[7, 8])
    assert (len(data.train_rows), len(data.valid_rows)) == (58, 1)
    with pytest.warns(vt.VectableWarning, match="they are left out"):
        learn = fit(odd, valid_rows=[7])  # nothing is left to measure on
    assert np.isnan(learn.validate()["valid_loss"])


def test_without_validation_rows_there_is_nothing_to_look_at(table):
    learn = fit(table, valid_pct=0)
    assert np.isnan(learn.validate()["valid_loss"])
    for look in (learn.top_losses, learn.confusion_matrix, learn.calibration):
        with pytest.raises(vt.VectableError, match=r"no validation rows to look .* with valid_pct"):
            look()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"layers": "200"}, "layers is '200'; give at least one width of 1 or more"),
        ({"layers": 200}, "layers is 200; give"),
        ({"layers": [1.5]}, r"layers is \[1.5\]; give"),
        ({"emb_drop": -1}, r"emb_drop must be in \[0, 1\); got -1"),
        ({"layers": [8], "ps": [2]}, r"ps must be in \[0, 1\); got 2"),
    ],
)
def test_arguments_of_a_learner_out_of_range_are_named(table, how, sentence):
    with pytest.raises(vt.VectableError, match=sentence):
        vt.tabular_learner(vt.TableData.from_df(table, "pay"), **how)


@pytest.mark.parametrize("data", [pl.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]}), None])
def test_a_learner_of_no_table_data_is_refused(data):
    with pytest.raises(vt.VectableError, match=r"needs TableData, and was given a .*: TableData.from_df"):
        vt.tabular_learner(data)


def test_columns_left_out_are_not_learned_from_but_can_be_split_by_and_seen(table):
    data = vt.TableData.from_df(table, "pay", without=["age"], split="age")
    assert list(data.kinds) == ["job", "height"]
    assert data.valid_frame["age"].min() >= table["age"].quantile(0.75)
    with pytest.raises(vt.DataError, match=r"no column 'aeg'. Did you mean 'age'"):
        vt.TableData.from_df(table, "pay", without=["aeg"])
    with pytest.raises(vt.VectableError, match="'age' is the target, the weight or left out"):
        vt.TableData.from_df(table, "pay", without=["age"], cont_names=["age"])


# ---------------------------------------------------------------- columns


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["2020-01-31", None, "2024-02-29"], "date"),
        (["2020-01-31 12:30:00", "2020-01-31 12:30:01", None], "date"),
        (["2020-01-31", "2023-02-29", None], "category"),  # a day that the calendar has not
        (["2020-01-31", "someday", None], "category"),
        (["31.01.2020", None, "01.02.2020"], "date"),
        (["20200131", None, "20200201"], "category"),
    ],
)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_text_is_a_date_where_every_value_is_one_beyond_doubt(table, texts, kind, library):
    frame = table.with_columns(when=pl.Series(texts * (N // 3)))
    given = frame if library == "polars" else pd.DataFrame(frame.to_dict(as_series=False))
    learn = fit(given)
    assert learn.data.kinds["when"].kind == kind
    assert len(learn.predict(given)) == N


def test_a_column_without_a_value_is_left_out_and_told(table):
    empty = table.with_columns(empty=pl.lit(None, dtype=pl.Float64))
    with pytest.warns(vt.VectableWarning, match=r"1 column cannot be learned from and is left out: 'empty' \(no value"):
        learn = fit(empty)
    assert "empty" not in learn.data.kinds
    for named in ({"cont_names": ["empty"]}, {"cat_names": ["empty"]}):
        assert np.isfinite(fit(empty, **named).predict_proba(empty)).all()


def test_a_column_whose_values_are_all_held_out_is_all_holes(table):
    late = table.with_columns(late=pl.when(pl.int_range(N) < 5).then(1.5))
    learn = fit(late, valid_rows=range(5))
    assert np.isfinite(learn.predict_proba(late)).all()


def test_infinite_numbers_are_holes_and_told(table):
    far = table.with_columns(height=at(3, np.inf, at(9, -np.inf, pl.col("height"))))
    with pytest.warns(vt.VectableWarning, match="Infinite numbers are taken as missing: 2 in 'height'"):
        learn = fit(far, valid_pct=0)
    assert learn.data.encoder.numbers["height"].fill.had_missing
    assert np.isfinite(learn.predict_proba(far)).all()


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pl.col("age") > 40, "category"),
        (pl.col("height").round(2).cast(pl.Decimal(10, 2)), "number"),
        (pl.lit(1e300) * pl.col("height"), "number"),
        (pl.lit(7.5), "number"),
        (pl.lit("same"), "category"),
        (pl.lit(dt.date(2026, 11, 23)), "date"),
        (pl.col("height").cast(pl.Float32), "number"),
        (pl.col("age").cast(pl.UInt8), "number"),
        (pl.duration(days=pl.col("age")), "number"),
    ],
)
@pytest.mark.parametrize("bins", [None, "tree", "quantile"])
def test_columns_of_every_kind_are_taken(table, column, kind, bins):
    odd = table.with_columns(odd=column)
    learn = quiet(lambda: fit(odd, bins=bins))
    assert learn.data.kinds["odd"].kind == kind
    assert np.isfinite(quiet(learn.predict_proba, odd)).all()


@pytest.mark.parametrize("nested", [pl.concat_list("age", "age"), pl.struct("age", "job")])
def test_nested_columns_are_left_out_and_told_or_refused_as_numbers(table, nested):
    odd = table.with_columns(nested=nested)
    with pytest.warns(vt.VectableWarning, match=r"left out: 'nested' \((List|Struct)"):
        fit(odd)
    with pytest.raises(vt.DataError, match=r"'nested' is (List|Struct).*take it apart first"):
        fit(odd, cont_names=["nested"])


def test_two_columns_of_one_name_are_refused():
    twice = pd.DataFrame([[1, 2, "a"], [3, 4, "b"]], columns=["age", "age", "pay"])
    with pytest.raises(vt.DataError, match="more than one column named 'age'"):
        vt.TableData.from_df(twice, "pay")


def test_a_date_that_does_not_parse_is_named_as_the_user_counts_rows(table):
    dates = table.with_columns(since=at(41, "31.02.2020 noon", pl.lit("2020-01-05")))
    for seed in range(3):  # whichever part of the split it falls into
        with pytest.raises(
            vt.DataError, match=r"The date in row 42 of column 'since' is '31.02.2020 noon', which cannot be read"
        ):
            vt.TableData.from_df(dates, "pay", date_names=["since"], seed=seed)


def test_a_million_categories_are_learned():
    n = 1_000_000
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"id": np.arange(n), "x": rng.normal(size=n), "y": rng.integers(0, 2, n)})
    data = vt.TableData.from_df(frame, "y", cat_names=["id"], cont_names=["x"], valid_pct=0.1, batch_size=50_000)
    assert len(data.encoder.categories["id"].vocabulary) == 900_000
    learn = vt.tabular_learner(data, [4], emb_widths={"id": 1}, progress=False)
    with pytest.warns(vt.VectableWarning, match="in 'id'"):
        assert learn.predict(frame.head(20)).shape == (20,)


@pytest.mark.parametrize(("rows", "batch"), [(2, 256), (9, 8), (17, 16)])
def test_few_rows_and_a_last_batch_of_one_train(table, rows, batch):
    few = pl.concat([table.filter(pl.col("pay") == pay).head(1) for pay in ("much", "little")] + [table.head(rows - 2)])
    learn = fit(few, valid_pct=0, batch_size=batch)
    assert np.isfinite(learn.predict_proba(table)).all()
    with pytest.raises(vt.DataError, match="no rows in the table"):
        fit(table.head(0))
    with pytest.raises(vt.DataError, match="has one class"):
        fit(table.head(1))


# ---------------------------------------------------------------- predicting


def test_extra_and_reordered_columns_change_nothing(learn, table):
    other = table.select(pl.lit(1).alias("more"), "height", "pay", "age", "job")
    np.testing.assert_array_equal(quiet(learn.predict_proba, other), learn.predict_proba(table))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"height": pl.col("height").round(0).cast(pl.Int64)}, None),
        ({"age": pl.col("age").cast(pl.Float64)}, None),
        ({"age": pl.col("age").cast(pl.String)}, None),
        ({"age": pl.lit(999)}, None),
        ({"job": pl.lit("pope")}, "values that are not in the training data: 60 in 'job'"),
        ({"job": pl.lit(True)}, "values that are not in the training data: 60 in 'job'"),
        ({"job": pl.lit(None, dtype=pl.String)}, "missing values in columns that had none: 60 in 'job'"),
        ({"height": pl.lit(None, dtype=pl.Float64)}, "missing values in columns that had none: 60 in 'height'"),
        ({"height": pl.lit(np.nan)}, "missing values in columns that had none: 60 in 'height'"),
        ({"height": pl.lit(np.inf)}, "missing values in columns that had none: 60 in 'height'"),
        ({"height": pl.lit("tall")}, "missing values in columns that had none: 60 in 'height'"),
    ],
)
def test_odd_values_are_predicted_and_counted(learn, table, change, told):
    new = table.with_columns(**change)
    if told is None:
        assert np.isfinite(quiet(learn.predict_proba, new)).all()
        return
    with pytest.warns(vt.VectableWarning, match=told):
        probabilities = learn.predict_proba(new)
    assert np.isfinite(probabilities).all()
    with pytest.warns(vt.VectableWarning, match=told.replace("60", "1")):
        one = learn.predict_proba(new.row(0, named=True))
    np.testing.assert_allclose(one, probabilities[0], rtol=1e-5)


def test_numbers_beyond_the_training_range_are_counted(learn, table):
    drift = learn.drift(table.with_columns(age=pl.lit(999)))
    assert (drift.beyond, bool(drift)) == ({"age": 60}, False)


def test_holes_where_training_had_some_are_nothing_new(table):
    holes = table.with_columns(
        job=pl.when(pl.int_range(N) % 2 == 0).then("job"), height=pl.when(pl.int_range(N) % 3 == 0).then("height")
    )
    learn = fit(holes, valid_pct=0)
    assert np.isfinite(quiet(learn.predict_proba, holes)).all()
    assert not learn.drift({"job": None, "age": 30, "height": None})


def test_a_missing_date_is_counted_once_under_its_name(table):
    dates = table.with_columns(since=pl.lit(dt.date(2020, 1, 1)) + pl.duration(days=pl.col("age")))
    learn = fit(dates)
    with pytest.warns(vt.VectableWarning, match="Of 60 rows, missing values in columns that had none: 60 in 'since';"):
        assert len(learn.predict(dates.with_columns(since=pl.lit(None, dtype=pl.Date)))) == N
    with pytest.raises(vt.DataError, match="The date in row 3 of column 'since' is 'soon'"):
        learn.predict(table.with_columns(since=at(2, "soon", pl.lit("2020-02-01"))))


def test_a_column_that_is_not_there_is_named(learn, table):
    with pytest.raises(vt.DataError, match="The table has no column 'age'"):
        learn.predict(table.drop("age"))
    with pytest.raises(vt.DataError, match=r"no column 'height'. Did you mean 'heights'\?"):
        learn.predict(table.rename({"height": "heights"}))
    with pytest.raises(vt.DataError, match="The row has no column 'job'"):
        learn.predict({"age": 30, "height": 1.0})
    for nothing in (None, [1, 2], 7):
        with pytest.raises(vt.DataError, match="hand in a pandas, polars or pyarrow table"):
            learn.predict(nothing)


def test_one_row_and_no_rows(learn, table):
    assert learn.predict(table.head(0)).shape == (0,)
    assert learn.predict_proba(table.head(0)).shape == (0, 2)
    assert learn.predict(table.head(1)).shape == (1,)
    assert learn.predict(table.row(0, named=True)) == learn.predict(table.head(1))[0]
    assert not learn.drift(table.head(0))


def test_drift_survives_saving(learn, table, tmp_path):
    learn.save(tmp_path / "model")
    new = table.with_columns(job=pl.lit(None, dtype=pl.String))
    assert vt.load_learner(tmp_path / "model").drift(new).missing == {"job": 60}
