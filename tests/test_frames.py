"""Anybody's data frame in, the same kind of frame out."""

import datetime as dt
import json
import subprocess
import sys
import textwrap
import warnings
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from vectable.data.io.frames import as_text, from_polars, to_polars, to_series
from vectable.data.io.saved_columns import table_from_json, table_to_json
from vectable.data.io.single_values import is_missing

COLUMNS = {"user": [1, 2, 3], "item": ["a", "b", "ç"], "rating": [4.0, 3.5, 1.0]}
FRAME = pl.DataFrame(COLUMNS)
KINDS = {
    "pandas": (lambda: pd.DataFrame(COLUMNS), "pandas"),
    "pandas, odd index": (lambda: pd.DataFrame(COLUMNS, index=[9, 9, 9]), "pandas"),
    "pandas, object": (lambda: pd.DataFrame(COLUMNS, dtype=object), "pandas"),
    "pandas, nullable": (lambda: pd.DataFrame(COLUMNS).convert_dtypes(), "pandas"),
    "pandas, Arrow": (lambda: pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"), "pandas"),
    "pandas, sliced": (lambda: pd.DataFrame({n: [*v[:1], *v] for n, v in COLUMNS.items()})[1:], "pandas"),
    "polars": (lambda: FRAME, "polars"),
    "polars, lazy": (lambda: FRAME.lazy(), "polars"),
    "pyarrow": (lambda: pa.table(COLUMNS), "pyarrow"),
    "pyarrow, chunked": (lambda: pa.concat_tables([pa.table(COLUMNS)[:1], pa.table(COLUMNS)[1:]]), "pyarrow"),
    "dict of lists": (lambda: COLUMNS, "polars"),
    "dict of arrays": (lambda: {name: np.array(values) for name, values in COLUMNS.items()}, "polars"),
    "dict of pandas columns": (lambda: dict(pd.DataFrame(COLUMNS)), "polars"),
    "dict of pyarrow columns": (lambda: {n: pa.chunked_array([v]) for n, v in COLUMNS.items()}, "polars"),
}


@pytest.fixture(params=["with pyarrow", "without pyarrow"])
def pyarrow_or_not(request, monkeypatch):
    """pandas works without pyarrow, and so must we."""
    if request.param == "without pyarrow":
        monkeypatch.setattr("vectable.data.io.frames._has_pyarrow", lambda: False)


# ---------------------------------------------------------------- in


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_comes_in(kind, pyarrow_or_not):
    make, expected = KINDS[kind]
    frame, found = to_polars(make())
    assert found == expected
    assert frame.equals(FRAME)
    assert frame.schema == FRAME.schema


@pytest.mark.parametrize("kind", KINDS)
def test_results_come_back_as_the_kind_that_came_in(kind):
    table = KINDS[kind][0]()
    shown = vt.RatingsData.from_df(table, valid_pct=0).show_batch()
    expected = pl.DataFrame if isinstance(table, dict | pl.LazyFrame) else type(table)
    assert type(shown) is expected
    assert to_polars(shown)[0].sort("user").equals(FRAME.with_columns(pl.col("rating").cast(pl.Float32)))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([1, 2]), [1, 2]),
        (pd.Series([1, None]), [1.0, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([1, None], dtype="int64[pyarrow]"), [1, None]),
        (pd.Series([1, 2.5, None], dtype=object), [1.0, 2.5, None]),
        (pd.Series([True, 2], dtype=object), [1.0, 2.0]),
        (pd.Series([np.int32(1), 2], dtype=object), [1, 2]),
        (pd.Series([1, 0], dtype="Sparse[int]"), [1, 0]),
        (pd.Series([1.5, None], dtype="float16"), [1.5, None]),
        (pd.Series([1.5, float("inf"), None], dtype="float32"), [1.5, float("inf"), None]),
        (pd.Series(np.array([258], dtype=">i4")), [258]),
        (pd.Series([2**70, 1], dtype=object), [2**70, 1]),
        (pd.Series(["a", None]), ["a", None]),
        (pd.Series(["a", None, float("nan")], dtype=object), ["a", None, None]),
        (pd.Series(["a", pd.NA], dtype="string"), ["a", None]),
        (pd.Series(["a", None], dtype="string[pyarrow]"), ["a", None]),
        (pd.Series(["b", None, "a"], dtype="category"), ["b", None, "a"]),
        (pd.Series([3, None, 1], dtype="category"), [3, None, 1]),
        (pd.Series(pd.Categorical([], categories=["a"])), []),
        (pd.Series([True, None], dtype="boolean"), [True, None]),
        (pd.Series([["a"], ["b", "c"]]), [["a"], ["b", "c"]]),
        (pd.Series([dt.date(2020, 1, 2), None]), [dt.date(2020, 1, 2), None]),
        (pd.Series([pd.NaT, pd.Timestamp("2020-01-02")]), [None, dt.datetime(2020, 1, 2)]),
        (pd.Series(np.array(["2020-01-02"], dtype="datetime64[s]")), [dt.datetime(2020, 1, 2)]),
        (pd.Series(pd.to_timedelta([90], unit="s").astype("timedelta64[s]")), [dt.timedelta(seconds=90)]),
        (pd.Series([None, None], dtype=object), [None, None]),
        (pd.Series([], dtype=object), []),
    ],
    ids=lambda value: f"{value.dtype} {value.tolist()}" if isinstance(value, pd.Series) else "",
)
def test_every_type_of_pandas_column_comes_in(column, expected, pyarrow_or_not):
    frame, _ = to_polars(pd.DataFrame({"x": column}))
    assert frame["x"].to_list() == expected


@given(st.lists(st.none() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, width=32) | st.text(max_size=3)))
@settings(deadline=None)
def test_mixed_values_never_fail_and_stay_told_apart(values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vt.VectableWarning)
        taken = to_series(values).to_list()
        assert to_series(pd.Series(values, dtype=object)).to_list() == taken
    assert [value is None for value in taken] == [value is None for value in values]
    if any(isinstance(value, str) for value in values) and not all(isinstance(value, str | None) for value in values):
        assert all(isinstance(value, str | None) for value in taken)
    for value, other in zip(values, taken, strict=True):
        if isinstance(value, str):
            assert other == value
        elif value is not None:
            assert float(other) == value


def test_a_mixed_column_becomes_text_and_this_is_told(pyarrow_or_not):
    mixed = pd.DataFrame({"item": pd.Series([1, "a", 2.0, None, "1"], dtype=object)})
    with pytest.warns(vt.VectableWarning, match=r"'item' mixes float, int, str; .*taken as text\. 1 of them") as told:
        frame, _ = to_polars(mixed)
    assert len(told) == 1
    assert frame["item"].to_list() == ["1", "a", "2", None, "1"]


def test_categories_of_text_keep_their_order(pyarrow_or_not):
    column = pd.Categorical(["mid", "low", None], categories=["low", "mid", "high"], ordered=True)
    for frame in (pd.DataFrame({"x": column}), {"x": pd.Index(column)}):
        taken = to_polars(frame)[0]["x"]
        assert taken.to_list() == ["mid", "low", None]
        assert taken.dtype.categories.to_list() == ["low", "mid", "high"]


def test_names_of_columns_become_text_and_may_be_empty():
    assert to_polars(pd.DataFrame([[1, 2, 3]]))[0].columns == ["0", "1", "2"]
    assert to_polars(pd.DataFrame([[1, 2]], columns=["", "x"]))[0].columns == ["", "x"]
    assert to_polars({"": [1], "x": [2]})[0].columns == ["", "x"]


def test_a_single_value_in_a_dict_stands_for_as_many_as_needed():
    frame, _ = to_polars({"user": 7, "item": ["a", "b"]})
    assert frame.rows() == [(7, "a"), (7, "b")]
    assert to_polars({"user": 7, "item": "a"})[0].rows() == [(7, "a")]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ([1, 2], "The table is a list; hand in a pandas, polars or pyarrow table"),
        (None, "The table is a NoneType"),
        ("ratings.csv", r"The table is a str; .*a file's path to from_file"),
        (np.zeros((2, 3)), "The table is a ndarray"),
        (pl.Series([1]), "The table is a Series"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "The table has more than one column named 'x'; rename one"),
        (pa.table([[1], [2]], names=["x", "x"]), "The table has more than one column named 'x'; rename one"),
        ({"a": [1, 2], "b": [1]}, "The table cannot be made of these columns: .*'b'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_table_is_refused_in_a_sentence(what, told):
    with pytest.raises(vt.DataError, match=told):
        to_polars(what)


# ---------------------------------------------------------------- out


@pytest.mark.parametrize("kind", ["pandas", "pyarrow", "polars"])
def test_a_frame_with_everything_in_it_survives_the_journey(kind):
    frame = pl.DataFrame(
        {
            "text": ["a", None],
            "whole": [1, 2],
            "real": [1.5, None],
            "truth": [True, False],
            "date": [dt.date(2020, 1, 2), None],
            "single": pl.Series([0.5, 1.5], dtype=pl.Float32),
        }
    )
    back, found = to_polars(from_polars(frame, kind))
    assert found == kind
    assert back.columns == frame.columns
    expected = frame.with_columns(pl.col("date").cast(back["date"].dtype))
    assert back.with_columns(pl.col("real").fill_nan(None)).rows() == expected.rows()


def test_an_empty_frame_keeps_its_columns():
    for kind in ("pandas", "pyarrow", "polars"):
        assert list(to_polars(from_polars(FRAME[:0], kind))[0].columns) == FRAME.columns


# ---------------------------------------------------------------- text and JSON


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pl.Series([1, None]), ["1", None]),
        (pl.Series(["a"], dtype=pl.Categorical), ["a"]),
        (pl.Series([[1], None]), ["[1]", None]),
        (pl.Series([b"\xff"]), ["b'\\xff'"]),
        (pl.Series([UUID(int=1)], dtype=pl.Object), ["00000000-0000-0000-0000-000000000001"]),
        (pl.Series([dt.timedelta(1)]), ["1 day, 0:00:00"]),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_any_column_has_a_text(column, expected):
    assert as_text(column).to_list() == expected


def journey(frame):
    return table_from_json(json.loads(json.dumps(table_to_json(frame))))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pl.Series([1, None], dtype=pl.Int8), [1, None]),
        (pl.Series([1.5, None, float("inf")]), [1.5, None, float("inf")]),
        (pl.Series([True, None]), [True, None]),
        (pl.Series(["ç", None, ""]), ["ç", None, ""]),
        (pl.Series([["a", None], None, []]), [["a", None], None, []]),
        (pl.Series([[1, 2]]), [[1.0, 2.0]]),
        (pl.Series([[1.0, 2.0]], dtype=pl.Array(pl.Float64, 2)), [[1.0, 2.0]]),
        (pl.Series(["a"], dtype=pl.Categorical), ["a"]),
        (pl.Series([["a"]], dtype=pl.List(pl.Categorical)), [["a"]]),
        (pl.Series([dt.date(2020, 1, 2), None]), ["2020-01-02", None]),
        (pl.Series([[dt.date(2020, 1, 2)]]), [["2020-01-02"]]),
        (pl.Series([2**63 + 1], dtype=pl.UInt64), ["9223372036854775809"]),
        (pl.Series([{"a": 1}]), ["{1}"]),
        (pl.Series([[["a"]]]), ["[['a']]"]),
        (pl.Series([dt.timedelta(1)]), ["1 day, 0:00:00"]),
        (pl.Series([None]), [None]),
        (pl.Series([], dtype=pl.List(pl.Int8)), []),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_every_column_has_a_json_form(column, expected):
    back = journey(pl.DataFrame({"x": column, "y": pl.Series([0] * len(column))}))
    assert back.columns == ["x", "y"]
    assert back["x"].to_list() == expected


cells = st.one_of(
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(allow_nan=False), min_size=3, max_size=3),
    st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3),
    st.lists(st.none() | st.lists(st.text(st.characters(exclude_categories=["Cs"]))), min_size=3, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), cells))
def test_json_and_back(columns):
    frame = pl.DataFrame(columns).with_columns(
        pl.col(pl.Null).cast(pl.String), pl.col(pl.List(pl.Null)).cast(pl.List(str))
    )
    assert journey(frame).equals(frame)


# ---------------------------------------------------------------- one value of pandas or NumPy


@pytest.mark.parametrize(
    "missing", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")], ids=repr
)
@pytest.mark.parametrize("other", ["a", 1, 2.5, True, dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3)], ids=repr)
def test_every_spelling_of_a_missing_value_is_missing(missing, other):
    assert is_missing(missing)
    assert not is_missing(other)
    column = to_series([other, missing, other])
    assert [is_missing(value) for value in column] == [False, True, False]
    assert column[0] == other
    assert to_series([missing, missing]).cast(pl.Float64).fill_nan(None).null_count() == 2


def test_periods_are_when_they_start_and_intervals_their_text(pyarrow_or_not):
    months = pd.PeriodIndex(["2024-02", None, "2024-01"], freq="M")
    bins = pd.cut([1.0, 9.0, np.nan], [0, 3, 10])
    breaks = pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3])
    starts = [dt.datetime(2024, 2, 1), None, dt.datetime(2024, 1, 1)]
    frame = pd.DataFrame({"month": months, "kind": pd.Categorical(months), "bin": bins, "break": breaks})
    found = to_polars(frame)[0]
    assert found["month"].to_list() == found["kind"].to_list() == starts
    assert found["bin"].to_list() == ["(0, 3]", "(3, 10]", None]
    assert found["bin"].dtype == pl.Enum(["(0, 3]", "(3, 10]"])
    assert found["break"].to_list() == ["(0, 1]", "(1, 2]", "(2, 3]"]
    for at, row in enumerate(frame.to_dict("records")):
        alone = {name: None if is_missing(value) else to_series([value])[0] for name, value in row.items()}
        assert alone == found.row(at, named=True)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": ["x", "a\ud800b"]}, r"Row 2 of column 'user' holds 'a\\ud800b', which is not valid Unicode"),
        ({"user": np.array(["x", "a\ud800b"])}, r"Row 2 of column 'user' holds 'a\\ud800b'"),
        ({"user": np.array([1, "a\ud800b"], dtype=object)}, r"Row 2 of column 'user' holds 'a\\ud800b'"),
        ({"us\ud800": ["x", "y"]}, r"name of column 'us\\ud800' is not valid Unicode"),
        ({"us\ud800": 1, "b": [1]}, r"not valid Unicode"),
    ],
)
def test_half_a_surrogate_pair_gets_a_sentence(columns, message):
    with pytest.raises(vt.DataError, match=message) as caught:
        to_polars(columns)
    str(caught.value).encode()  # it can be printed anywhere


@pytest.mark.parametrize("kind", ["pandas", "pyarrow"])
def test_a_library_that_is_missing_leaves_polars_frames_and_a_warning(kind):
    script = f"""
        import sys, warnings
        sys.modules.pop({kind!r}, None)
        import importlib.util
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if name == {kind!r} else found(name, *more)
        import polars as pl
        from vectable.data.io.frames import from_polars
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            back = from_polars(pl.DataFrame({{"a": [1]}}), {kind!r})
        assert isinstance(back, pl.DataFrame), back
        assert {kind!r} + ", which is not installed here" in str(caught[-1].message), caught
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
