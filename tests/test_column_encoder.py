"""The contract of `ColumnEncoder`, through which every encoder runs: one encoding, known once."""

import datetime as dt
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from vectable.data.encoders.category_column import CategoryColumn
from vectable.data.encoders.column_encoder import ColumnBlock, ColumnEncoder, ColumnRow, ColumnValues
from vectable.data.encoders.date_column import DateColumn
from vectable.data.encoders.date_text import DateText
from vectable.data.encoders.fill_missing import to_numbers
from vectable.data.encoders.graph import Value
from vectable.data.encoders.kinds import COLUMNS, column_from_json, column_to_json
from vectable.data.encoders.number_column import NumberColumn
from vectable.data.encoders.number_text import NumberText
from vectable.data.encoders.ordinal_column import OrdinalColumn
from vectable.data.encoders.recipe import Recipe
from vectable.data.io.frames import to_series
from vectable.data.io.single_values import is_missing
from vectable.exporting.onnx_model import OnnxGraph

MISSING = [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")]
DAY = dt.date(2024, 2, 29)


def as_float(value: Any) -> float:
    """A value as the 64-bit float that a graph takes: not-a-number for missing, seconds for dates."""
    return float(to_numbers(to_series([value]))[0])


def as_seconds(value: Any) -> float:
    return as_float(dt.datetime.fromisoformat(value) if isinstance(value, str) else value)


def as_text(value: Any) -> str:
    """A value as the text that a graph takes: empty for missing."""
    return "" if is_missing(value) else str(value)


@dataclass(frozen=True)
class Case:
    """An encoder, what it is fitted on, and what it is asked.

    Attributes:
        train: values, which decoding gives back.
        asked: further values: unknown, odd, far away.
        feed: a value as the graph takes it.
        takes_missing: whether missing values are a part of the encoder's work.
        gives: what decoding gives of `train`, where that is not `train` itself.
    """

    make: Callable[[], ColumnEncoder[Any, Any, Any]]
    train: list[Any]
    asked: list[Any] = field(default_factory=list)
    feed: Callable[[Any], Any] = as_float
    takes_missing: bool = True
    gives: list[Any] | None = None


WORDS, WHOLE, REAL = ["b", "a", "b", "Ünicode", ""], [5, 7, -9, 7], [1.5, 2.0, -3.25, 2.0]
ODD = [0.0, 1e300, -1e300, 3, True, np.float32(1.5), np.int64(4), float("inf"), -float("inf"), Decimal("2.5")]
BINS = Recipe(bins=vt.PiecewiseLinearBins("quantile", 2))
CASES = {
    "Categorify of text": Case(lambda: vt.Categorify(missing_slot=True), WORDS[:4], ["x", "B", " b"], as_text),
    "Categorify of whole numbers": Case(lambda: vt.Categorify(missing_slot=True), WHOLE, [8, 7.0, 7.5, 2**60, True]),
    "Categorify without a slot": Case(vt.Categorify, WHOLE, [0, 1]),
    "Categorify of large numbers": Case(
        lambda: vt.Categorify(missing_slot=True), [2**60, 2**60 + 1, -5], [2**60 + 2, 5, "5"], as_text
    ),
    "Categorify of booleans": Case(
        lambda: vt.Categorify(missing_slot=True), [True, False], ["true", "FALSE", "0", "1", "yes"], as_text
    ),
    "Categorify of true alone": Case(lambda: vt.Categorify(missing_slot=True), [True, True], ["False", "1"], as_text),
    "Categorify of nothing": Case(lambda: vt.Categorify(missing_slot=True), [], ["a"], as_text),
    "FillMissing": Case(vt.FillMissing, [1.5, 2.0, 8.0], ODD),
    "FillMissing with a constant": Case(lambda: vt.FillMissing("constant", -1), REAL, ODD),
    "Normalize": Case(vt.Normalize, REAL, [0.0, 1e300, -1e300, 2], takes_missing=False),
    "Normalize that squashes": Case(lambda: vt.Normalize(squash=3), REAL, [0.0, 1e300, -1e300, 2], takes_missing=False),
    "PiecewiseLinearBins": Case(
        lambda: vt.PiecewiseLinearBins("quantile", 3), REAL, [0.0, 1e300, -1e300, 2], takes_missing=False
    ),
    "PiecewiseLinearBins of one value": Case(
        lambda: vt.PiecewiseLinearBins("quantile"), [2.0, 2.0], [1.0], takes_missing=False
    ),
    "CategoryColumn of text": Case(lambda: CategoryColumn("c"), WORDS[:4], ["x", 5, True], as_text),
    "CategoryColumn of an empty text": Case(
        lambda: CategoryColumn("c"), WORDS, ["x"], lambda value: "<missing>" if is_missing(value) else value
    ),
    "CategoryColumn with missing values": Case(lambda: CategoryColumn("c"), [*WHOLE, None], [8, 1.5]),
    "NumberColumn": Case(lambda: NumberColumn("c"), REAL, ODD),
    "NumberColumn with missing values": Case(lambda: NumberColumn("c", BINS), [*REAL, None], ODD),
    "NumberColumn that is not filled": Case(lambda: NumberColumn("c", Recipe(fill=None)), REAL, ODD),
    "NumberColumn as it is": Case(lambda: NumberColumn("c", Recipe(scale=None)), REAL, ODD),
    "NumberColumn that squashes": Case(
        lambda: NumberColumn("c", Recipe(scale=vt.Normalize(squash=3), bins=BINS.bins)), REAL, ODD
    ),
    "OrdinalColumn": Case(lambda: OrdinalColumn("c"), WHOLE, [8, 7.0, 7.5, 2**60, True]),
    "OrdinalColumn with missing values": Case(lambda: OrdinalColumn("c", BINS), [*WHOLE, None], [8, 1.5]),
    "NumberColumn of text": Case(
        lambda: NumberColumn("c", text=NumberText(",", ".")),
        ["1.234,5", "0,25", "-3"],
        [*ODD, "1.5", "7", "-", "x"],
        lambda value: NumberText(",", ".").read(pl.Series([value]))[0] if isinstance(value, str) else as_float(value),
        gives=[1234.5, 0.25, -3],
    ),
    "DateColumn of text": Case(
        lambda: DateColumn("c", text=DateText(day_first=False, bad="missing")),
        ["2/28/2024", "02/03/2024 10:30 PM"],
        [DAY, "2024-02-29", "2024-02-29 12:30:00", "13/13/2024", "soon", "-"],
        lambda value: as_float(DateText(False).read(pl.Series([value])).item() if isinstance(value, str) else value),
        gives=[dt.datetime(2024, 2, 28), dt.datetime(2024, 2, 3, 22, 30)],
    ),
    "DateColumn": Case(
        lambda: DateColumn("c"),
        [dt.datetime(2023, 12, 31, 23, 59), dt.datetime(2023, 7, 20), dt.datetime(2024, 2, 29)],
        [
            DAY,
            dt.datetime(1, 1, 1),
            dt.datetime(1969, 7, 20, 2, 56, 15),
            dt.datetime(9999, 12, 31),
            "2024-02-29",
            "2024-02-29 12:30:00",
        ],
        as_seconds,
    ),
    "DateColumn with missing values": Case(lambda: DateColumn("c"), [dt.datetime(2020, 2, 1), None], [DAY], as_seconds),
}


def fitted(case: Case) -> ColumnEncoder[Any, Any, Any]:
    return case.make().fit(to_series(case.train, "c") if case.takes_missing else np.array(case.train))


def flat(encoded: Any) -> list[Any]:
    """Whatever an encoder gives as a list of arrays, or of values."""
    if isinstance(encoded, ColumnBlock | ColumnRow | ColumnValues):
        return [*encoded.codes, *encoded.numbers]
    return [encoded]


def encoded(encoder: ColumnEncoder[Any, Any, Any], case: Case, values: list[Any]) -> list[Any]:
    """`encode` of each value in a column of its own type, put together again."""
    columns = [to_series([value], "c") if case.takes_missing else np.array([value], dtype=float) for value in values]
    parts = [flat(encoder.encode(column)) for column in columns]
    return [np.concatenate(one) for one in zip(*parts, strict=True)]


def questions(case: Case) -> list[Any]:
    return [*case.train, *case.asked, *(MISSING if case.takes_missing else [])]


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_every_kind_of_column_is_held_to_the_contract() -> None:
    assert {type(one.make()) for one in CASES.values()} >= set(COLUMNS.values())


def test_one_value_is_encoded_as_it_is_in_a_column(case: Case) -> None:
    encoder, values = fitted(case), questions(case)
    expected = encoded(encoder, case, values)
    for at, value in enumerate(values):
        assert same(flat(encoder.encode_one(value)), [one[at] for one in expected]), value
    many = [value for value in case.train for _ in range(20)]  # as a column, where few may be looked up one by one
    column = to_series(many, "c") if case.takes_missing else np.array(many)
    assert same(flat(encoder.encode(column)), [np.repeat(one[: len(case.train)], 20, axis=0) for one in expected])


def test_a_graph_says_what_encode_says(case: Case) -> None:
    encoder, values = fitted(case), questions(case)
    graph = OnnxGraph()
    fed = [case.feed(value) for value in values]
    value: Value = graph.input("c", str if isinstance(fed[0], str) else "float64")
    recorded = flat(encoder.to_onnx(value))
    expected = encoded(encoder, case, values)
    for at, (one, there) in enumerate(zip(recorded, expected, strict=True)):
        graph.output(f"o{at}", one, one.dtype, there.shape[1] if there.ndim == 2 else None)
    session = ort.InferenceSession(graph.model({}).SerializeToString())
    column = np.array(fed, dtype=object if isinstance(fed[0], str) else np.float64)
    for one, there in zip(session.run(None, {"c": column}), expected, strict=True):
        assert np.array_equal(one, there, equal_nan=True)


def test_decoding_gives_the_training_values_back(case: Case) -> None:
    encoder = fitted(case)
    column = to_series(case.train, "c") if case.takes_missing else np.array(case.train)
    back = list(encoder.decode(encoder.encode(column)))
    for value, again in zip(case.gives or case.train, back, strict=True):
        if isinstance(value, bool):
            assert again == str(value).lower()
        elif isinstance(value, int | float):
            assert float(again) == pytest.approx(value, rel=1e-6)
        else:
            assert again == value


def test_an_encoder_comes_back_from_json(case: Case) -> None:
    encoder, values = fitted(case), questions(case)
    form = encoder.to_json()
    again: Any = type(encoder).from_json(json.loads(json.dumps(form, allow_nan=False)))  # type: ignore[attr-defined]
    assert again.to_json() == form
    assert same(encoded(again, case, values), encoded(encoder, case, values))
    if type(encoder) in COLUMNS.values():
        assert column_to_json(column_from_json(column_to_json(again))) == column_to_json(again)
        assert again.describe() == encoder.describe()  # type: ignore[attr-defined]
        assert again.summary() == encoder.summary()  # type: ignore[attr-defined]


def test_every_spelling_of_missing_is_the_same(case: Case) -> None:
    if not case.takes_missing:
        return
    encoder = fitted(case)
    expected = flat(encoder.encode_one(None))
    assert all(same(flat(encoder.encode_one(value)), expected) for value in MISSING)
    assert all(math.isfinite(one) for one in np.ravel(expected))


def test_what_was_new_is_counted_alike(case: Case) -> None:
    encoder = fitted(case)
    if type(encoder) not in COLUMNS.values():
        return
    for value in questions(case):
        block, row = encoder.encode(to_series([value], "c")), encoder.encode_one(value)
        assert (block.new_missing, block.beyond) == (row.new_missing, row.beyond)
        if is_missing(value):
            assert block.new_missing == int(None not in case.train)


numbers = st.none() | st.integers(-(2**70), 2**70) | st.floats() | st.booleans()
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | numbers
dates = st.none() | st.datetimes() | st.dates()


@settings(max_examples=60)
@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1), st.lists(numbers))
def test_numbers_of_any_kind(train: list[Any], asked: list[Any]) -> None:
    column = NumberColumn("c", BINS).fit(pl.Series("c", train, dtype=pl.Float64))
    for value in [*train, *asked]:
        assert same(flat(column.encode_one(value)), [one[0] for one in flat(column.encode(to_series([value])))])


@settings(max_examples=60)
@given(st.lists(texts), st.lists(texts))
@pytest.mark.filterwarnings("ignore::vectable.VectableWarning")
def test_categories_of_any_kind(train: list[Any], asked: list[Any]) -> None:
    column = CategoryColumn("c").fit(to_series(train, "c"))
    for value in [*train, *asked]:
        assert same(flat(column.encode_one(value)), [one[0] for one in flat(column.encode(to_series([value])))])


@settings(max_examples=60)
@given(st.lists(dates, min_size=1), st.lists(dates))
def test_dates_of_any_kind(train: list[Any], asked: list[Any]) -> None:
    moments = [None if one is None else dt.datetime(*one.timetuple()[:6]) for one in train]
    column = DateColumn("c").fit(pl.Series("c", moments, dtype=pl.Datetime("us")))
    for value in [*train, *asked]:
        assert same(flat(column.encode_one(value)), [one[0] for one in flat(column.encode(to_series([value])))])


def test_a_moment_with_a_time_zone_keeps_its_wall_clock() -> None:
    moments = pd.date_range("2024-03-30", periods=6, freq="7h", tz="Europe/Berlin")
    column = DateColumn("c").fit(to_series(moments, "c"))
    block = flat(column.encode(to_series(moments, "c")))
    for at, moment in enumerate(moments):
        assert same(flat(column.encode_one(moment)), [one[at] for one in block])
