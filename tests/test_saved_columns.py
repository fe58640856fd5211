"""Columns in a saved folder: as JSON and in Arrow's layout they come back as they were, and nonsense is refused."""

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vectable.data.io import saved_columns
from vectable.data.io.saved_columns import (
    DTYPES,
    column_from_arrays,
    column_from_json,
    column_to_arrays,
    table_from_json,
    table_to_json,
)
from vectable.errors import ArtifactError

COLUMNS = [
    pl.Series(["a", "ü本", None, "", "x\n\x00y"]),
    pl.Series(["".join(map(chr, range(128))), None, "b"]),
    pl.Series([""]),
    pl.Series([None, None], dtype=pl.String),
    pl.Series([], dtype=pl.String),
    pl.Series([1, None, 2**63 - 1]),
    pl.Series([1.5, None, float("nan"), float("inf")]),
    pl.Series([True, None, False]),
    pl.Series([["a", None, ""], [], None, ["ü"]]),
    pl.Series([[1.0], None, [], [2.0, None]]),
    pl.Series([[], []], dtype=pl.List(pl.String)),
    pl.Series([None], dtype=pl.List(pl.Float64)),
    pl.Series([dt.date(2026, 1, 2), None]),
    pl.Series(["b", "a", "b"], dtype=pl.Categorical),
    pl.Series([1, 2], dtype=pl.UInt8),
]


def tensors_of(arrays):
    return {name: torch.from_numpy(one.copy()) for name, one in arrays.items()}


def through_arrays(column):
    kind, arrays = column_to_arrays(column)
    return column_from_arrays(kind, tensors_of(arrays), {"rows": len(column)}, "names")


def through_json(column):
    return table_from_json(json.loads(json.dumps(table_to_json(column.alias("x").to_frame()))))["x"]


@pytest.mark.parametrize("through", [through_arrays, through_json])
@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_column_comes_back_as_it_was(column, through):
    back = through(column)
    expected = column if column.dtype in DTYPES.values() else column.cast(back.dtype)
    assert back.dtype in DTYPES.values()
    assert back.equals(expected, null_equal=True) or back.to_list() == expected.to_list() or column.is_nan().any()
    assert back.is_null().equals(expected.is_null())


@given(st.lists(st.none() | st.text(max_size=5)), st.integers(1, 8))
def test_any_text_comes_back_however_it_is_cut_into_blocks(values, block):
    column, whole = pl.Series(values, dtype=pl.String), saved_columns.BLOCK
    saved_columns.BLOCK = block
    try:
        assert through_arrays(column).to_list() == values
    finally:
        saved_columns.BLOCK = whole


TEXTS = pl.Series(["ab", "ü", "c"])


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("offsets", np.array([0, 2, 4, 6], np.int32), "names.offsets is a ndarray and must be rising from 0 to 5"),
        ("offsets", np.array([1, 2, 4, 5], np.int32), "rising from 0"),
        ("offsets", np.array([0, 4, 2, 5], np.int32), "rising from 0"),
        ("offsets", np.array([0, 2, 3, 5], np.int32), "names.bytes is a ndarray and must be texts in UTF-8"),
        ("offsets", np.array([0, 2, 5], np.int32), "names.offsets has 3 entries"),
        ("offsets", np.array([0.0, 2, 4, 5]), "names.offsets is an array of float64"),
        ("bytes", np.array([0xFF] * 5, np.uint8), "texts in UTF-8"),
        ("bytes", np.zeros(5, np.int8), "names.bytes is an array of int8"),
        ("valid", np.zeros(2, bool), "names.valid has 2 entries"),
    ],
)
def test_arrays_that_are_no_column_are_refused(name, value, sentence):
    kind, arrays = column_to_arrays(TEXTS)
    with pytest.raises(ArtifactError, match=sentence):
        column_from_arrays(kind, tensors_of({**arrays, name: value}), {"rows": 3}, "names")


@pytest.mark.parametrize("kind", DTYPES)
def test_arrays_of_another_type_are_refused(kind):
    for column in COLUMNS:
        other, arrays = column_to_arrays(column)
        if other != kind and not {kind, other} <= {"texts", "numbers"}:
            with pytest.raises(ArtifactError):
                column_from_arrays(kind, tensors_of(arrays), {"rows": len(column)}, "names")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([2**63], pl.Int64), (["\ud800"], pl.String), (["a", 1], pl.String), ([1.5], pl.Int64), ([[1]], pl.Int64),
     ("ab", pl.String), ({}, pl.Int64), (None, pl.Int64), ([["a"]], pl.List(pl.Float64))],
)  # fmt: skip
def test_json_values_of_another_type_are_refused(values, dtype):
    with pytest.raises(ArtifactError, match=r"^vocabulary\.values is .* and must be a list"):
        column_from_json(values, dtype, "vocabulary.values")


@pytest.mark.parametrize(
    "form",
    [
        None,
        {"columns": {}},
        {"columns": [{"name": "a", "dtype": "text", "values": ["x"]}] * 2},
        {"columns": [{"name": "a", "dtype": "text", "values": ["x"]}, {"name": "b", "dtype": "text", "values": []}]},
        {"columns": [{"name": "a", "dtype": "object", "values": ["x"]}]},
        {"columns": [{"name": 3, "dtype": "text", "values": ["x"]}]},
        {"columns": [{"name": "a", "dtype": "text"}]},
    ],
    ids=str,
)
def test_json_that_is_no_table_is_refused(form):
    with pytest.raises(ArtifactError, match=r"^table"):
        table_from_json(form)
    with pytest.raises(ArtifactError, match="2 rows"):
        table_from_json({"columns": [{"name": "a", "dtype": "text", "values": ["x"]}]}, n_rows=2)
