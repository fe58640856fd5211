"""The encoders of tables by themselves: exact values against pandas and scikit-learn, laws, round trips."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

import vectable as vt
from vectable.data.encoders import number_column
from vectable.data.encoders.bins import LEAST_GAIN
from vectable.data.encoders.dates import CATEGORIES, NUMBERS, to_datetimes
from vectable.data.encoders.fill_missing import to_numbers
from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.recipe import Recipe
from vectable.data.encoders.weighted import weighted_mean_std, weighted_mode, weighted_quantile
from vectable.data.io.frames import to_polars
from vectable.data.tables.table_encoder import TableEncoder
from vectable.data.tables.targets import ClassTarget, NumberTarget, check_target, make_target, target_from_json

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
holed = st.lists(st.none() | numbers, min_size=1, max_size=60)
weighted = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=40).filter(
    lambda rows: sum(weight for _, weight in rows) > 0
)


def through_json(form: Any) -> Any:
    return json.loads(json.dumps(form, allow_nan=False))


# ---------------------------------------------------------------- numbers


@settings(deadline=None)
@given(holed)
def test_filling_agrees_with_scikit_learn(values: list[float | None]) -> None:
    column = pl.Series(values, dtype=pl.Float64)
    for ours, theirs in (("median", "median"), ("most_common", "most_frequent")):
        fill = vt.FillMissing(ours).fit(column)
        if column.null_count() < len(column):
            expected = SimpleImputer(strategy=theirs).fit_transform(column.to_numpy()[:, None])[:, 0]
            assert fill.encode(column) == pytest.approx(expected, rel=1e-12)
        assert fill.had_missing == (None in values)
        again = vt.FillMissing.from_json(through_json(fill.to_json()))
        assert again.encode(column).tolist() == fill.encode(column).tolist()
        assert np.isfinite(fill.encode(column)).all()
        assert fill.decode(fill.encode(column)).tolist() == fill.encode(column).tolist()


@pytest.mark.parametrize("ddof", [0, 1])
def test_normalising_agrees_with_scikit_learn_and_pandas(ddof: int) -> None:
    values = np.random.default_rng(0).gamma(2, 30, 500)
    scale = vt.Normalize(ddof).fit(values)
    assert (scale.mean, scale.std) == pytest.approx((values.mean(), pd.Series(values).std(ddof=ddof)), rel=1e-12)
    assert np.array_equal(scale.encode(values), ((values - scale.mean) / (1e-7 + scale.std)).astype(np.float32))
    if ddof == 0:
        expected = StandardScaler().fit_transform(values[:, None])[:, 0]
        assert scale.encode(values) == pytest.approx(expected, abs=1e-6)
    assert vt.Normalize.from_json(through_json(scale.to_json())).to_json() == scale.to_json()
    assert scale.decode(scale.encode(values)) == pytest.approx(values, rel=1e-6)


def test_a_column_of_one_value_keeps_its_unit() -> None:
    scale = vt.Normalize().fit(np.full(9, 0.1))
    assert scale.encode(np.array([0.1, 3.1])) == pytest.approx([0, 3], abs=1e-6)


@settings(deadline=None)
@given(weighted)
def test_a_weight_is_a_number_of_repetitions(rows: list[tuple[int, int]]) -> None:
    values, weights = (np.array(one, dtype=float) for one in zip(*rows, strict=True))
    repeated = np.repeat(values, weights.astype(int))
    assert weighted_quantile(values, 0.5, weights) == np.median(repeated)
    assert weighted_mode(values, weights) == pd.Series(repeated).mode()[0]
    assert weighted_mean_std(values, weights) == pytest.approx((repeated.mean(), repeated.std()), abs=1e-9)
    for strategy in ("median", "most_common"):
        once, often = vt.FillMissing(strategy).fit(pl.Series(values), weights), vt.FillMissing(strategy)
        assert once.fill == often.fit(pl.Series(repeated)).fill


@pytest.mark.parametrize("how", ["quantile", "tree"])
def test_bins_with_weights_are_those_of_repeated_rows(how: str) -> None:
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=300), rng.integers(1, 4, 300)
    target = (np.sin(3 * values) + rng.normal(0, 0.1, 300) > 0).astype(int)
    once = vt.PiecewiseLinearBins(how, 8, 40).fit(values, target, weights.astype(float))
    often = vt.PiecewiseLinearBins(how, 8, 40).fit(np.repeat(values, weights), np.repeat(target, weights))
    assert once.borders == pytest.approx(often.borders, abs=1e-12)


def test_numbers_of_every_type_are_read_in_one_unit() -> None:
    day = dt.timedelta(days=1)
    for unit in ("ms", "us", "ns"):
        assert to_numbers(pl.Series([day, None], dtype=pl.Duration(unit))).tolist()[0] == 86_400
        assert to_numbers(pl.Series([dt.datetime(1970, 1, 2)], dtype=pl.Datetime(unit))).tolist() == [86_400]
    assert to_numbers(pl.Series([dt.date(1970, 1, 2)])).tolist() == [86_400]
    assert to_numbers(pl.Series([dt.time(0, 1)])).tolist() == [60]
    assert to_numbers(pl.Series([True, False])).tolist() == [1, 0]
    assert to_numbers(pl.Series([Decimal("1.50")])).tolist() == [1.5]
    assert to_numbers(pl.Series(["2", "1"], dtype=pl.Enum(["2", "1"]))).tolist() == [2, 1]
    odd = to_numbers(pl.Series([np.inf, -np.inf, np.nan, None, 1.0]))
    assert np.isnan(odd).tolist() == [True] * 4 + [False]
    for column in (pl.Series("c", [[1.0]]), pl.Series("c", [{"a": 1}]), pl.Series("c", [b"1"])):
        with pytest.raises(vt.DataError, match="Column 'c' is"):
            to_numbers(column)


# ---------------------------------------------------------------- bins


@settings(deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=1, max_size=80), st.integers(1, 12))
def test_bins_undo_themselves_inside_their_borders(values: list[int], n_bins: int) -> None:
    column = np.array(values, dtype=float)
    bins = vt.PiecewiseLinearBins("quantile", n_bins).fit(column)
    encoded = bins.encode(column)
    assert encoded.shape == (len(column), max(len(bins.borders) - 1, 0))
    assert len(bins.borders) <= n_bins + 1
    assert (np.diff(bins.borders) > 0).all()
    assert bins.decode(encoded) == pytest.approx(column, abs=1e-4)
    outside = bins.decode(bins.encode(np.array([-99.0, 99.0])))
    assert outside == pytest.approx([column.min(), column.max()], abs=1e-4)
    again = vt.PiecewiseLinearBins.from_json(through_json(bins.to_json()))
    assert np.array_equal(again.encode(column), encoded)


def test_an_interval_is_filled_from_the_left() -> None:
    bins = vt.PiecewiseLinearBins("quantile", 2)
    bins.borders = np.array([0.0, 10.0, 30.0])
    encoded = bins.encode(np.array([-1.0, 5.0, 10.0, 20.0, 99.0]))
    assert encoded.tolist() == [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1]]


def test_a_tree_splits_where_the_target_changes_and_not_where_it_is_noise() -> None:
    rng = np.random.default_rng(0)
    values, noise = rng.uniform(size=4000), rng.random(4000)
    jump = (values > 0.25) & (values < 0.3)
    for target in ((jump | (noise < 0.2)).astype(int), jump + noise):
        borders = vt.PiecewiseLinearBins("tree").fit(values, target).borders
        assert np.abs(borders[:, None] - [0.25, 0.3]).min(axis=0).max() < 0.002
        assert len(borders) <= 10
    assert len(vt.PiecewiseLinearBins("tree").fit(values, noise).borders) <= 5
    assert len(vt.PiecewiseLinearBins("tree").fit(values, np.zeros(4000, dtype=int)).borders) == 2


@pytest.mark.parametrize(("times", "n_bins"), [(0.8, 1), (1.25, 2)])
def test_a_border_between_classes_must_gain_more_than_chance_gives(times: float, n_bins: int) -> None:
    """Two halves with shares 1/2 + d and 1/2 - d of one class: Gini's impurity is 1/2, and falls by 2 d**2."""
    half = 100_000
    least = LEAST_GAIN * 0.5 / (2 * half)
    more = round(half * np.sqrt(times * least / 2))
    column = np.repeat([1.0, 2.0], half)
    target = np.concatenate([np.arange(half) < half // 2 + sign * more for sign in (1, -1)]).astype(np.int64)
    bins = vt.PiecewiseLinearBins("tree", 8).fit(column, target)
    assert len(bins.borders) - 1 == n_bins


def test_the_constant_for_missing_numbers_is_nought_unless_named() -> None:
    column = pl.Series([2.0, None])
    assert vt.FillMissing("constant").fit(column).encode(column).tolist() == [2.0, 0.0]
    assert vt.FillMissing("constant", 7).fit(column).encode(column).tolist() == [2.0, 7.0]


def test_leaves_of_the_tree_are_no_borders() -> None:
    values = np.repeat(np.arange(-5.0, 6.0), 20)  # scikit-learn marks a leaf by the threshold -2
    bins = vt.PiecewiseLinearBins("tree").fit(values, np.where(values > 0.5, 1.0, 0.0))
    assert bins.borders.tolist() == [-5.0, 0.5, 5.0]


def test_bins_refuse_what_they_cannot_use() -> None:
    with pytest.raises(vt.VectableError, match=r"how must be .*; got 'trees'"):
        vt.PiecewiseLinearBins("trees")
    with pytest.raises(vt.VectableError, match="need the target"):
        vt.PiecewiseLinearBins("tree").fit(np.arange(9.0))
    with pytest.raises(vt.VectableError, match=r"strategy must be .*; got 'mean'"):
        vt.FillMissing("mean")


# ---------------------------------------------------------------- dates


DAYS = pd.date_range("2015-12-20", "2017-03-10", freq="D")


def every_form() -> dict[str, pl.Series]:
    text = list(DAYS.strftime("%Y-%m-%d"))
    frames = {
        "pandas": pd.DataFrame({"d": DAYS}),
        "pandas ns": pd.DataFrame({"d": DAYS.astype("datetime64[ns]")}),
        "pandas s": pd.DataFrame({"d": DAYS.astype("datetime64[s]")}),
        "pandas zone": pd.DataFrame({"d": DAYS.tz_localize("Europe/Berlin")}),
        "pandas text": pd.DataFrame({"d": text}),
        "pandas objects": pd.DataFrame({"d": pd.Series([day.date() for day in DAYS], dtype=object)}),
        "polars": pl.DataFrame({"d": pl.Series(text).str.to_date()}),
        "arrow date": pa.table({"d": pa.array([day.date() for day in DAYS])}),
        "arrow timestamp": pa.table({"d": pa.array(DAYS.to_pydatetime(), pa.timestamp("s"))}),
    } | {
        form: pl.DataFrame({"d": list(DAYS.strftime(form))})
        for form in ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d-%b-%Y", "%d %b %Y")
    }
    return {name: to_polars(frame)[0]["d"] for name, frame in frames.items()}


@pytest.mark.parametrize("form", list(every_form()))
def test_every_form_of_date_has_the_parts_that_pandas_says(form: str) -> None:
    parts = vt.date_parts(every_form()[form])
    assert parts.columns == [f"d_{part}" for part in (*CATEGORIES, *NUMBERS)]
    expected = {name: getattr(DAYS, name) for name in CATEGORIES if name not in ("week", "weekday")} | {
        "week": DAYS.isocalendar().week,
        "weekday": DAYS.day_of_week,
        "day_of_year": DAYS.day_of_year,
        "elapsed": (DAYS - pd.Timestamp(0)).total_seconds(),
    }
    for name, values in expected.items():
        assert parts[f"d_{name}"].to_list() == np.asarray(values, dtype=float).tolist(), name


def test_missing_dates_have_missing_parts_and_no_rows_have_none() -> None:
    parts = vt.date_parts(pl.Series("d", ["2020-02-29", None]))
    assert all(column.to_list()[1] is None for column in parts)
    assert parts["d_is_month_end"][0] == 1
    assert len(vt.date_parts(pl.Series("d", [], dtype=pl.String))) == 0
    assert vt.date_parts(pl.Series("d", [None, None])).null_count().row(0) == (2,) * 13


def test_dates_before_1970_count_back() -> None:
    assert vt.date_parts(pl.Series("d", ["1969-12-31"]))["d_elapsed"].to_list() == [-86_400]


@pytest.mark.parametrize("text", ["2021-02-29", "tomorrow", "2021-13-01"])
def test_a_date_that_does_not_parse_is_named(text: str) -> None:
    told = rf"row 3 of column 'd' is {text!r}, which cannot be read; 1 of 3"
    with pytest.raises(vt.DataError, match=told):
        vt.date_parts(pl.Series("d", ["2021-01-01", None, text]))
    with pytest.raises(vt.DataError, match="Column 'd' is Int64, not dates"):
        to_datetimes(pl.Series("d", [20210101]))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.booleans()), min_size=1, max_size=30, unique=True))
def test_days_to_events_are_those_of_a_plain_search(rows: list[tuple[int, int, bool]]) -> None:
    rows = list({(group, day): (group, day, event) for group, day, event in rows}.values())
    start = dt.date(2020, 1, 1)
    frame = pl.DataFrame(
        {
            "shop": [group for group, _, _ in rows],
            "day": [start + dt.timedelta(days=day) for _, day, _ in rows],
            "promo": [event for *_, event in rows],
        }
    )
    answer = vt.elapsed_to_event(frame, "promo", "day", "shop")
    for at, (group, day, _) in enumerate(rows):
        events = [other for shop, other, event in rows if event and shop == group]
        since = [day - other for other in events if other <= day]
        until = [other - day for other in events if other >= day]
        assert answer["promo_since"][at] == (min(since) if since else None)
        assert answer["promo_until"][at] == (min(until) if until else None)


# ---------------------------------------------------------------- categories, kinds


def test_the_missing_slot_survives_json_and_decodes_to_missing() -> None:
    encoder = vt.Categorify(missing_slot=True).fit(pl.Series([3, None, 1]))
    again = vt.Categorify.from_json(through_json(encoder.to_json()))
    codes = again.encode(pl.Series([1, 3, None, 7]))
    assert codes.tolist() == [1, 2, 3, 0]
    assert again.decode(codes).to_list() == [1, 3, None, None]
    assert again.encode_one(None) == again.missing_code == 3
    assert vt.Categorify().fit(pl.Series(["a"])).encode_one(None) == 0


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        (pl.Series([np.nan, None]), "unusable", "no value at all"),
        (pl.Series([Decimal("1.5")]), "number", "fractions"),
        (pl.Series([dt.timedelta(1)]), "number", "fractions"),
        (pl.Series([dt.datetime(2020, 1, 1)]), "date", "a date"),
        (pl.Series(["a"], dtype=pl.Categorical), "category", "categories"),
        (pl.Series([b"a"]), "unusable", "neither a number"),
        (pl.Series([{"a": 1}]), "unusable", "neither a number"),
        (pl.Series(range(2000)), "number", "2,000 different whole numbers, more than 20"),
    ],
)
def test_a_kind_says_why(values: pl.Series, kind: str, why: str) -> None:
    found = kind_of(values)
    assert found.kind == kind
    assert why in found.why


# ---------------------------------------------------------------- targets


def test_classes_go_there_and_back() -> None:
    frame = pl.DataFrame({"y": ["no", "yes", "no"]})
    target = ClassTarget("y").fit(frame)
    assert target.encode(frame).tolist() == [0, 1, 0]
    assert target.encode(pl.DataFrame({"y": ["maybe", None]})).tolist() == [-1, -1]
    again = target_from_json(through_json(target.to_json()))
    assert again.decode(np.array([[0.2, 0.8], [0.6, 0.4]])).to_list() == ["yes", "no"]
    assert len(again.decode(np.zeros((0, 2)))) == 0


@pytest.mark.parametrize("log", [False, True])
def test_numbers_go_there_and_back(log: bool) -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0, 6.0], "b": [10, 0, 5]})
    for names in (["a"], ["a", "b"]):
        target = NumberTarget(names, log).fit(frame)
        encoded = target.encode(frame)
        raw = np.log1p(frame.select(names).to_numpy()) if log else frame.select(names).to_numpy()
        assert encoded.reshape(3, -1) == pytest.approx((raw - raw.mean(0)) / raw.std(0), abs=1e-6)
        again = target_from_json(through_json(target.to_json()))
        assert again.decode(encoded).reshape(3, -1) == pytest.approx(frame.select(names).to_numpy(), abs=1e-5)
        assert again.decode(encoded).ndim == min(len(names), 2)
    with pytest.raises(vt.DataError, match=r"goes below 0 \(-1\)"):
        NumberTarget(["a"], log=True).fit(pl.DataFrame({"a": [1.0, -1.0]}))


def test_weights_of_numbers_are_repetitions() -> None:
    frame, weights = pl.DataFrame({"a": [1.0, 2.0, 6.0]}), np.array([2.0, 1.0, 3.0])
    once = NumberTarget(["a"]).fit(frame, weights)
    often = NumberTarget(["a"]).fit(pl.DataFrame({"a": [1.0, 1, 2, 6, 6, 6]}))
    assert (once.mean[0], once.std[0]) == pytest.approx((often.mean[0], often.std[0]))


def test_the_kind_of_a_target_follows_its_column_or_the_word() -> None:
    frame = pl.DataFrame({"whole": range(30), "few": [0, 1] * 15, "part": [0.5] * 30, "text": ["a", "b"] * 15})
    kinds = {name: make_target(frame, [name], None, False).kind for name in frame.columns}
    assert kinds == {"whole": "numbers", "few": "classes", "part": "numbers", "text": "classes"}
    assert make_target(frame, ["few"], None, log=True).kind == "numbers"
    assert make_target(frame, ["few", "whole"], None, False).kind == "numbers"
    assert make_target(frame, ["whole"], "classes", False).kind == "classes"
    with pytest.raises(vt.VectableError, match="one column at a time"):
        make_target(frame, ["few", "text"], "classes", False)
    with pytest.raises(vt.VectableError, match=r"task must be .*; got 'class'"):
        make_target(frame, ["few"], "class", False)


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        ([1.0, None], "numbers", "row 2 of the table .* is missing; 1 of 2"),
        ([1.0, np.nan], "numbers", "row 2 .* is missing"),
        ([1.0, np.nan], "classes", "row 2 .* is missing"),
        ([np.inf, 1.0], "numbers", "row 1 .* is inf, which is not a finite number"),
        (["1", "x"], "numbers", "row 2 .* is 'x', which is not a finite number"),
        (["a", None], "classes", "row 2 .* is missing"),
    ],
)
def test_a_target_that_cannot_be_used_is_named(values: list[Any], kind: str, told: str) -> None:
    frame = pl.DataFrame({"y": pl.Series(values, strict=False)})
    target = make_target(frame, ["y"], kind, False)
    with pytest.raises(vt.DataError, match=told):
        check_target(frame, target)


# ---------------------------------------------------------------- all columns together


def mixed(rows: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "word": rng.choice(["a", "b", "c"], rows),
            "whole": rng.integers(0, 9, rows),
            "truth": rng.random(rows) < 0.5,
            "size": pl.Series(rng.choice(["S", "L"], rows), dtype=pl.Enum(["S", "L"])),
            "half": pl.Series(rng.choice([0.5, 1.0, 2.5], rows), dtype=pl.Float32),
            "holes": pl.Series(rng.normal(5, 2, rows)).set(pl.Series(rng.random(rows) < 0.2), None),
            "count": rng.integers(0, 1000, rows),
            "real": rng.normal(0, 1, rows),
        }
    )


NAMES = (["word", "whole", "truth", "size", "half"], ["holes", "count", "real"])


def encoder_of(
    frame: pl.DataFrame, *names: list[str], weights: Any = None, bins: vt.PiecewiseLinearBins | None = None
) -> TableEncoder:
    kinds = {name: kind for kind, named in zip(("category", "number", "date"), names, strict=False) for name in named}
    return TableEncoder(kinds, Recipe(bins=bins)).fit(frame, weights=weights)


values_of = {
    "word": st.sampled_from(["a", "b", "z", "", None]),
    "whole": st.sampled_from([0, 8, 77, -1, None]),
    "truth": st.sampled_from([True, False, None]),
    "size": st.sampled_from(["S", "L", None]),
    "half": st.sampled_from([0.5, 1.0, 2.5, 0.1, None]),
    "holes": st.none() | st.floats() | st.integers(-5, 5),
    "count": st.none() | st.integers(-(2**62), 2**62),
    "real": st.none() | st.floats(),
}


@settings(deadline=None, max_examples=150)
@given(st.lists(st.fixed_dictionaries(values_of), min_size=1, max_size=number_column.FEW))
def test_few_rows_and_one_row_are_encoded_like_many(rows: list[dict[str, Any]]) -> None:
    frame = mixed()
    encoder = encoder_of(frame, *NAMES)
    few = pl.DataFrame(rows, schema=frame.schema, strict=False)
    many = pl.concat([few, *[few.head(1)] * number_column.FEW])
    codes, values, drift = encoder.encode(few)
    expected = encoder.encode(many)
    assert np.array_equal(codes, expected[0][: len(few)])
    assert np.array_equal(values, expected[1][: len(few)])
    assert np.isfinite(values).all()
    total: dict[str, int] = {}
    for at, row in enumerate(rows):
        one_codes, one_values, one_drift = encoder.encode_one(row)
        assert np.array_equal(one_codes[0], codes[at])
        assert np.array_equal(one_values[0], values[at])
        for name, count in one_drift.unknown.items():
            total[name] = total.get(name, 0) + count
    assert total == drift.unknown


def test_an_encoder_survives_json_and_decodes_what_it_encoded() -> None:
    frame = mixed().with_columns(pl.Series("day", [dt.date(2020, 1, 1) + dt.timedelta(i) for i in range(200)]))
    encoder = encoder_of(frame, *NAMES, ["day"], bins=vt.PiecewiseLinearBins("quantile", 4))
    again = TableEncoder.from_json(through_json(encoder.to_json()))
    codes, values, drift = again.encode(frame)
    assert not drift
    for one, other in zip(encoder.encode(frame)[:2], (codes, values), strict=True):
        assert np.array_equal(one, other)
    for name, column in encoder.numbers.items():
        assert again.numbers[name].bins.borders.tolist() == column.bins.borders.tolist()
    back = again.decode(codes, values)
    assert back["word"].to_list() == frame["word"].to_list()
    assert back["whole"].to_list() == frame["whole"].to_list()
    assert back["holes"].null_count() == frame["holes"].null_count()
    assert back["holes"].drop_nulls().to_numpy() == pytest.approx(frame["holes"].drop_nulls().to_numpy(), abs=1e-5)
    assert back["day"].cast(pl.Date).to_list() == frame["day"].to_list()


def test_holes_make_a_category_and_without_filling_are_the_mean() -> None:
    frame = pl.DataFrame({"x": [1.0, None, 3.0, 8.0]})
    codes, values, _ = (encoder := encoder_of(frame, [], ["x"])).encode(frame)
    assert list(encoder.categories) == ["x_na"]
    assert encoder.categories["x_na"].decode(codes[:, 0]).to_list() == ["false", "true", "false", "false"]
    filled = np.array([1.0, 3.0, 3.0, 8.0])
    assert values[:, 0] == pytest.approx((filled - filled.mean()) / filled.std(), abs=1e-6)
    bare = TableEncoder({"x": "number"}, Recipe(fill=None)).fit(frame)
    assert not bare.categories
    assert bare.encode(frame)[1][1, 0] == pytest.approx(0)


def test_columns_with_the_names_of_derived_ones_do_no_harm() -> None:
    frame = pl.DataFrame(
        {"x": [1.0, None, 2.0], "x_na": ["u", "v", "u"], "d": ["2020-01-01"] * 3, "d_year": [7, 8, 9], "d_day": [0] * 3}
    )
    encoder = encoder_of(frame, ["x_na", "d_year"], ["x"], ["d"])
    assert encoder.categories["x_na"].vocabulary.to_list() == ["u", "v"]
    assert encoder.categories["d_year"].vocabulary.to_list() == [7, 8, 9]
    assert encoder.categories["d_day"].vocabulary.to_list() == [1]  # the date's, not the unused column's
    assert not encoder.encode(frame)[2]


def test_weighted_tables_are_encoded_like_repeated_ones() -> None:
    frame = mixed()
    weights = np.random.default_rng(1).integers(1, 4, 200)
    often = frame[np.repeat(np.arange(200), weights)]
    once = encoder_of(frame, *NAMES, weights=weights.astype(float)).encode(frame)
    repeated = encoder_of(often, *NAMES).encode(frame)
    assert np.array_equal(once[0], repeated[0])
    assert once[1] == pytest.approx(repeated[1], abs=1e-6)


# ---------------------------------------------------------------- columns of every library


def columns_of(values: list[Any]) -> list[Any]:
    """The same column of each library, and as a table of one column."""
    series = pd.Series(values, name="x")
    arrow = pa.array(values)
    return [pl.Series("x", values), series, series.to_frame(), arrow, pa.chunked_array([arrow]), pa.table({"x": arrow})]


def test_every_encoder_alone_takes_a_column_of_any_library() -> None:
    for texts in columns_of(["b", None, "a", "b"]):
        assert vt.Categorify().fit(texts).encode(texts).tolist() == [2, 0, 1, 2]
    for holed in columns_of([1.0, None, 3.0, 5.0]):
        assert vt.FillMissing().fit(holed).encode(holed).tolist() == [1, 3, 3, 5]
    for plain in columns_of([1.0, 2.0, 3.0, 4.0]):
        column = plain if not hasattr(plain, "columns") else None
        if column is not None:
            assert vt.Normalize().fit(column).encode(column).sum() == pytest.approx(0, abs=1e-6)
            bins = vt.PiecewiseLinearBins("quantile", 2).fit(column)
            assert bins.encode(column)[0].tolist() == [0, 0]
    with pytest.raises(vt.DataError, match="the table has 2; hand in one of them"):
        vt.Categorify().fit(pd.DataFrame({"a": [1], "b": [2]}))


@pytest.mark.parametrize("texts", [["2020-02-29", None], ["2020-02-29 00:00:00", None]])
def test_date_parts_of_text_of_any_library(texts: list[Any]) -> None:
    kinds = [pl.DataFrame, pd.DataFrame, pd.DataFrame, pl.DataFrame, pl.DataFrame, pa.Table]
    for column, kind in zip(columns_of(texts), kinds, strict=True):
        parts = vt.date_parts(column)
        assert isinstance(parts, kind) or type(parts).__module__.startswith("pyarrow")
        table = to_polars(parts)[0]
        day = next(one for one in table if one.name.endswith("_day"))
        assert day.to_list() == [29, None] or (day[0] == 29 and len(day) == 2)


def test_a_dict_of_texts_and_not_a_number_mixes_nothing(recwarn: pytest.WarningsRecorder) -> None:
    frame = to_polars({"place": ["Osaka", float("nan"), None, "Tokyo"]})[0]
    assert frame["place"].to_list() == ["Osaka", None, None, "Tokyo"]
    assert not recwarn.list
