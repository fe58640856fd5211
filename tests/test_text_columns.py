"""Numbers and dates that are written as text: every common spelling is read, what was decided is said, nothing is
guessed in silence."""

import datetime as dt
import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vectable as vt
from vectable.data.encoders.date_text import DateText, find_dates
from vectable.data.encoders.kinds import kind_of
from vectable.data.encoders.number_text import NumberText, find_numbers, read_numbers
from vectable.data.encoders.text_options import TextOptions

N = 60


def text(values: list[Any]) -> pl.Series:
    return pl.Series("x", values, dtype=pl.String)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("values", "spelling", "numbers"),
    [
        (["51,26", "48,6", None], NumberText(","), [51.26, 48.6, None]),
        (["1.234,50", "12,3", "-7.000.000"], NumberText(",", "."), [1234.5, 12.3, -7e6]),
        (["1,234.50", "999", "+7,000,000"], NumberText(".", ","), [1234.5, 999, 7e6]),
        (["1'234.50", "12.3"], NumberText(".", "'"), [1234.5, 12.3]),
        (["1 234,50", "1\u00a0000\u202f000,5", "3"], NumberText(",", " "), [1234.5, 1000000.5, 3]),
        (["51.3%", "100 %", "-0.5%"], NumberText(".", "", "%"), [0.513, 1, -0.005]),
        (["1.234,50 €", "€ 5", "-12,3€"], NumberText(",", ".", "€"), [1234.5, 5, -12.3]),
        (["$1,234.50", "-$5", "$-0.5"], NumberText(".", ",", "$"), [1234.5, -5, -0.5]),
        (["\u22123.5", "2.5"], NumberText(), [-3.5, 2.5]),
        (["1e5", "2.5E-3", "-"], NumberText(), [1e5, 2.5e-3, None]),
        (["1", "-", " 7 ", "n/a", "NA", "?", ""], NumberText(), [1, None, 7, None, None, None, None]),
        (["0,126", "7,000"], NumberText(","), [0.126, 7]),  # no group of thousands begins with 0
        (["5,126", "1234"], NumberText(","), [5.126, 1234]),  # with commas between thousands it were 1,234
    ],
)
def test_a_spelling_is_seen_from_the_values(values: Any, spelling: NumberText, numbers: Any) -> None:
    found = find_numbers(text(values))
    assert found is not None
    assert (found.text, found.doubt) == (spelling, None)
    expected = [np.nan if number is None else number for number in numbers]
    assert found.text.read(text(values)) == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert NumberText.from_json(found.text.to_json()) == found.text


@pytest.mark.parametrize(
    "values",
    [
        ["10115", "80331"],  # postcodes: whole numbers that somebody keeps as text
        ["007", "1.5"],
        ["+49", "1.5"],
        ["1.2.3", "10.0.0.1"],
        ["a", "1.5"],
        ["5 %", "3 €"],
        ["1,5", "1.5"],
        ["12:30", "1.5"],
        [None, "-"],
        [],
    ],
)
def test_what_names_things_or_is_written_two_ways_stays_text(values: list[Any]) -> None:
    assert find_numbers(text(values)) is None


def test_where_commas_or_points_may_be_either_both_are_named() -> None:
    commas, points = find_numbers(text(["5,126", "7,000"])), find_numbers(text(["5.126 €", "7.000 €"]))
    assert commas is not None
    assert points is not None
    assert (commas.text, commas.doubt) == (NumberText(".", ","), NumberText(","))
    assert (points.text, points.doubt) == (NumberText(".", "", "€"), NumberText(",", ".", "€"))
    assert find_numbers(text(["5,126", "7,000"]), ",").text.read(text(["5,126"])) == [5.126]  # type: ignore[union-attr]
    assert find_numbers(text(["5.126", "7.000"]), ",").text.read(text(["5.126"])) == [5126]  # type: ignore[union-attr]
    with pytest.raises(vt.VectableError, match=r"decimal must be .*; got ';'"):
        find_numbers(text(["1"]), ";")


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1), st.sampled_from([",", "."]), st.sampled_from(["", "%", "€"]))
def test_what_is_written_is_read(cents: list[int], decimal: str, unit: str) -> None:
    thousands = "." if decimal == "," else ","
    swap = str.maketrans(",.", thousands + decimal)
    written = text([f"{cent / 100:,.2f}".translate(swap) + unit for cent in cents])
    found = find_numbers(written)
    assert found is not None
    expected = np.array(cents) / 100 / (100 if unit == "%" else 1)
    assert found.text.read(written) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_a_new_row_in_another_spelling_is_missing_and_a_number_is_itself() -> None:
    comma = NumberText(",", ".")
    assert read_numbers(text(["1.5", "1,5", "1.500", "x"]), comma) == pytest.approx(
        [np.nan, 1.5, 1500, np.nan], nan_ok=True
    )
    assert read_numbers(pl.Series([1.5, 2]), comma).tolist() == [1.5, 2]


# ---------------------------------------------------------------- dates


MOMENT = dt.datetime(2024, 2, 5, 13, 7, 9)


@pytest.mark.parametrize(
    ("form", "day_first"),
    [
        ("%d.%m.%Y", True),
        ("%d/%m/%Y", True),
        ("%d-%m-%Y %H:%M:%S", True),
        ("%m/%d/%Y", False),
        ("%m-%d-%Y %I:%M %p", False),
        ("%m/%d/%Y, %H:%M:%S", False),
        ("%d.%m.%y", True),
        ("%d %b %Y", True),
        ("%d-%b-%Y %H:%M", True),
        ("%B %d, %Y", True),
        ("%Y/%m/%d", True),
        ("%Y%m%d", True),
        ("%Y-%m-%dT%H:%M:%SZ", True),
    ],
)
def test_dates_are_read_in_every_order(form: str, day_first: bool) -> None:
    moments = [MOMENT + dt.timedelta(days=19 * at, hours=at) for at in range(40)]
    written = text([moment.strftime(form) for moment in moments])
    found = find_dates(written)
    assert (found.share, found.in_doubt, found.text.day_first) == (1, False, day_first)
    assert found.text.read(written).to_list() == [dt.datetime.strptime(one, form) for one in written]


def test_words_for_missing_days_of_no_calendar_and_wall_clocks() -> None:
    values = text(["31.02.2024", "-", "0000-00-00", "n/a", " 1.3.2024 ", "2024-03-01 10:00:00+02:00", "1.1.70", "soon"])
    read = DateText().read(values).to_list()
    first = dt.datetime(2024, 3, 1)
    assert read == [None, None, None, None, first, first.replace(hour=10), dt.datetime(1970, 1, 1), None]
    assert DateText(form="%Y|%d|%m").read(text(["2024|05|03", "2024-01-02", "x"])).to_list() == [
        dt.datetime(2024, 3, 5),
        dt.datetime(2024, 1, 2),
        None,
    ]
    assert DateText.from_json(DateText(False, "%Y", "missing").to_json()) == DateText(False, "%Y", "missing")


def test_only_a_slash_or_a_dash_leaves_the_order_in_doubt() -> None:
    assert find_dates(text(["01/02/2024", "03/04/2024"])).in_doubt
    assert not find_dates(text(["01.02.2024", "03.04.2024"])).in_doubt
    assert not find_dates(text(["05/05/2024", "06/06/2024"])).in_doubt
    assert not find_dates(text(["01/02/2024", "03/14/2024"])).text.day_first
    assert not find_dates(text(["01/02/2024"]), "month first").text.day_first
    with pytest.warns(vt.VectableWarning, match=r"'x' may have the day or the month first .* taken with the day first"):
        assert vt.date_parts(text(["01/02/2024"]))["x_month"].to_list() == [2]
    for wrong in ("american", 3):
        with pytest.raises(vt.VectableError, match="dates must be one of"):
            find_dates(text(["01/02/2024"]), wrong)  # type: ignore[arg-type]
    with pytest.raises(vt.VectableError, match=r"bad_dates must be .*; got 'drop'"):
        TextOptions(bad_dates="drop")


# ---------------------------------------------------------------- the rule of kinds


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        ([f"{at},5" for at in range(30)], "number", "text, and every value a number with a decimal comma"),
        (["1,5", "2,5"], "number", "decimal comma"),
        (["$10", "$20"], "category", "text"),  # few whole numbers, as where they are no text
        ([f"{at}%" for at in range(30)], "number", "per cent signs"),
        ([str(at) for at in range(30)], "category", "text"),
        ([*(str(at) for at in range(30)), "-"], "number", "a decimal point"),
        (["02.07.2025", "13.1.2024"], "date", "text, and every value a date with the day first"),
        (["2025-07-02", "2024-01-13"], "date", "text, and every value a date"),
        (["07/02/2025", "07/13/2025", "-"], "date", "with the month first"),
        (["1.2.24", "3.4.24"], "category", "text"),  # versions are written so too
        (["20250702", "20240113"], "category", "text"),
    ],
)
def test_kinds_of_text(values: list[str], kind: str, why: str) -> None:
    found = kind_of(text(values))
    assert found.kind == kind
    assert why in found.why


# ---------------------------------------------------------------- tables


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    days = [dt.date(2024, 1, 1) + dt.timedelta(int(day)) for day in rng.integers(0, 300, N)]
    price = rng.gamma(2, 900, N).round(2)
    return pl.DataFrame({"price": price, "day": days, "pay": np.where(price > 1000, "much", "little")})


def german(frame: pl.DataFrame) -> pl.DataFrame:
    prices = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in frame["price"]]
    return frame.with_columns(price=pl.Series(prices), day=frame["day"].dt.strftime("%d.%m.%Y"))


def quiet(call: Any, *args: Any, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call(*args, **how)


@pytest.mark.parametrize("library", [pl.DataFrame, pd.DataFrame])
def test_a_table_of_text_is_the_table_of_its_values(table: pl.DataFrame, library: Any, tmp_path: Any) -> None:
    given = library(german(table).to_dict(as_series=False))
    with pytest.warns(vt.VectableWarning) as told:
        data = vt.TableData.from_df(given, "pay", split="day")
    (message,) = [str(one.message) for one in told]
    assert "'price' as numbers with a decimal comma and points between thousands ('" in message
    assert "'day' as dates with the day first ('" in message
    plain = vt.TableData.from_df(table, "pay", split="day")
    assert np.array_equal(data.train_rows.numbers, plain.train_rows.numbers)  # type: ignore[union-attr]
    assert np.array_equal(data.train_rows.categories, plain.train_rows.categories)  # type: ignore[union-attr]
    quiet(vt.TableData.from_df, given, "pay", decimal=",", dates="day first")
    learn = vt.tabular_learner(data, [8], progress=False).fit(1, 1e-2)
    again = vt.load_learner(learn.save(tmp_path / "m"), progress=False)
    for one in (learn, again):
        many = one.predict_proba(given)
        assert np.array_equal(many, one.predict_proba(table))  # numbers and dates are read as themselves
        row = german(table).row(3, named=True)
        assert np.allclose(one.predict_proba(row), many[3], atol=1e-6)


def test_a_target_and_weights_that_are_text(table: pl.DataFrame) -> None:
    with pytest.warns(vt.VectableWarning, match="'day' as dates"):
        data = vt.TableData.from_df(german(table), "price", valid_pct=0)
    assert data.target.kind == "numbers"
    plain = vt.TableData.from_df(table, "price", valid_pct=0)
    assert np.array_equal(data.train_rows.target, plain.train_rows.target)  # type: ignore[union-attr]
    assert data.target.to_json() == plain.target.to_json()
    weighted = table.with_columns(w=pl.Series(["1,5", "0,5"] * (N // 2)))
    rows = quiet(vt.TableData.from_df, weighted, "pay", weights="w", valid_pct=0).train_rows
    assert rows.weights.tolist() == [1.5, 0.5] * (N // 2)
    holed = german(table).with_columns(price=pl.Series(["-", *german(table)["price"][1:]]))
    with pytest.warns(vt.VectableWarning, match="1 of 60 rows have no target"):
        assert len(vt.TableData.from_df(holed, "price", valid_pct=0, missing_target="drop").train_rows) == N - 1


def test_what_is_in_doubt_is_said_whatever_was_asked(table: pl.DataFrame) -> None:
    doubtful = table.with_columns(price=pl.Series([f"{at + 5},126" for at in range(N)]))
    doubtful = doubtful.with_columns(day=pl.Series([f"0{at % 9 + 1}/0{at % 8 + 1}/2024" for at in range(N)]))
    with pytest.warns(vt.VectableWarning) as told:
        vt.TableData.from_df(doubtful, "pay")
    message = str(told[0].message)
    assert "commas between thousands ('5,126'), though it could as well be a decimal comma" in message
    assert re.search(r"with the day first \('0\d/0\d/2024'\), though the month could as well be first", message)
    quiet(vt.TableData.from_df, doubtful, "pay", decimal=",", dates="month first")
    data = vt.TableData.from_df(doubtful, "pay", decimal=",", dates="month first", valid_pct=0)
    assert data.encoder.numbers["price"].low == 5.126


def test_text_that_looks_like_numbers_but_for_a_typo_is_questioned(table: pl.DataFrame) -> None:
    typo = table.with_columns(price=pl.Series(["12,5o", *(f"{at}.5" for at in range(N - 1))]))
    with pytest.warns(
        vt.VectableWarning, match="'price' is taken as text with 60 categories, though 59 of its 60"
    ) as told:
        assert vt.TableData.from_df(typo, "pay").kinds["price"].kind == "category"
    assert "look like numbers, as '0.5': correct the others, as '12,5o', or name it in cont_names" in str(
        told[0].message
    )
    soon = german(table).with_columns(
        day=pl.Series(["soon", *(f"{at % 28 + 1}.{at % 12 + 1}.2024" for at in range(N - 1))])
    )
    with pytest.warns(vt.VectableWarning, match=r"'day' is taken as text .* look like dates"):
        vt.TableData.from_df(soon, "pay", without=["price"])
    postcodes = table.with_columns(price=pl.Series([str(10_115 + at) for at in range(N)]))
    with pytest.warns(vt.VectableWarning, match="name it in cont_names; name it in cat_names if it is right so"):
        vt.TableData.from_df(postcodes, "pay")
    quiet(vt.TableData.from_df, postcodes, "pay", cat_names=["price"])
    words = table.with_columns(price=pl.Series([f"word {at}" for at in range(N)]))
    quiet(vt.TableData.from_df, words, "pay")


def test_bad_dates_are_an_error_or_missing(table: pl.DataFrame, tmp_path: Any) -> None:
    bad = table.with_columns(day=pl.Series(["31.02.2024", *german(table)["day"][1:]]))
    with pytest.raises(vt.DataError, match=r"row 1 of column 'day' is '31.02.2024'.*bad_dates='missing'"):
        vt.TableData.from_df(bad, "pay", date_names=["day"])
    with pytest.warns(vt.VectableWarning, match="1 of 60 dates in column 'day' cannot be read and count as missing"):
        data = vt.TableData.from_df(bad, "pay", bad_dates="missing")
    assert data.kinds["day"].kind == "date"
    assert "day_elapsed_na" in data.encoder.categories
    learn = vt.tabular_learner(data, [8], progress=False).fit(1, 1e-2)
    again = vt.load_learner(learn.save(tmp_path / "m"), progress=False)
    for one in (learn, again):
        missing = quiet(one.predict_proba, {"price": 5.0, "day": None})
        assert np.array_equal(quiet(one.predict_proba, {"price": 5.0, "day": "soon"}), missing)
        assert np.array_equal(one.predict_proba(table.with_columns(day=pl.lit("soon"), price=5.0))[0], missing)


def test_files_with_a_decimal_comma(tmp_path: Any) -> None:
    rows = "".join(f"{at}.{at:03},{at % 2};word;{at % 2}\n" for at in range(1, 41))
    (tmp_path / "t.csv").write_text("price;word;y\n" + rows)
    data = vt.TableData.from_file(tmp_path / "t.csv", "y", decimal=",", valid_pct=0)
    assert data.encoder.numbers["price"].high == 40_040
    assert data.encoder.decimal == ","


def test_the_commands_take_the_options_and_predict_in_the_same_spelling(inside: Any, tmp_path: Any) -> None:
    rows = [f"{at}.500;0{at % 8 + 1}/0{at % 9 + 1}/2024;{'much' if at > 20 else 'little'}" for at in range(1, 41)]
    (tmp_path / "t.csv").write_text("price;day;pay\n" + "\n".join(rows) + "\n")
    options = ("--decimal", ",", "--date-order", "month first", "--bad-dates", "missing", "--missing-target", "drop")
    model = tmp_path / "m"
    done = inside("train", "table", tmp_path / "t.csv", "-t", "pay", "-o", model, "--epochs", 1, "-q", *options)
    assert done.returncode == 0, done.stderr
    learn = vt.load_learner(model, progress=False)
    assert learn.data.encoder.numbers["price"].low >= 1500
    done = inside("predict", model, tmp_path / "t.csv", "-o", tmp_path / "p.csv")
    assert done.returncode == 0, done.stderr
    assert "training data" not in done.stderr
