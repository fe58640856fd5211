"""Categories to codes and back."""

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from counting import calls_of
from vectable.data.encoders.categorify import as_ids

whole = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ids = st.one_of(
    st.lists(st.none() | whole, max_size=90),
    st.lists(st.none() | texts, max_size=90),
    st.lists(st.none() | st.floats(-50, 50).map(lambda x: round(x, 1)), max_size=90),
)


def fitted(values) -> vt.Categorify:
    return vt.Categorify().fit(pl.Series(values))


def codes_of(encoder, values):
    return encoder.encode(values).tolist()


# ---------------------------------------------------------------- laws


@settings(deadline=None)
@given(ids)
def test_decoding_undoes_encoding(values):
    series = pl.Series(values)
    encoder = vt.Categorify().fit(series)
    codes = encoder.encode(series)
    assert codes.dtype == np.int32
    assert encoder.decode(codes).to_list() == as_ids(series).to_list()
    assert (codes == 0).tolist() == as_ids(series).is_null().to_list()


@settings(deadline=None)
@given(ids)
def test_the_vocabulary_is_sorted_without_repeats_and_without_missing(values):
    encoder = fitted(values)
    known = encoder.vocabulary.to_list()
    by_bytes = (lambda value: value.encode()) if encoder.vocabulary.dtype == pl.String else None
    assert known == sorted(set(as_ids(pl.Series(values)).drop_nulls()), key=by_bytes)
    assert len(encoder) == len(known) + 1
    assert codes_of(encoder, encoder.vocabulary) == list(range(1, len(encoder)))


@settings(deadline=None)
@given(ids)
def test_each_value_alone_has_the_code_it_has_among_the_others(values):
    encoder = fitted(values)
    together = codes_of(encoder, pl.Series(values))
    assert [codes_of(encoder, pl.Series([value]))[0] for value in values] == together


@settings(deadline=None)
@given(st.lists(whole), st.lists(whole))
def test_growing_keeps_the_codes_given_out(before, after):
    encoder = fitted(pl.Series(before, dtype=pl.Int64))
    old = encoder.vocabulary.to_list()
    new = encoder.grow(pl.Series(after, dtype=pl.Int64))
    assert new == len(set(after) - set(before))
    assert encoder.vocabulary.to_list() == old + sorted(set(after) - set(before))
    assert 0 not in encoder.encode(pl.Series(before + after, dtype=pl.Int64))


@settings(deadline=None)
@given(ids)
def test_json_and_back(values):
    encoder = fitted(values)
    again = vt.Categorify.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again.vocabulary.equals(encoder.vocabulary)
    assert again.vocabulary.dtype == encoder.vocabulary.dtype
    assert codes_of(again, pl.Series(values)) == codes_of(encoder, pl.Series(values))


# ---------------------------------------------------------------- exact values


def test_codes_begin_with_one_and_the_unknown_is_zero():
    encoder = fitted(["b", "a", None, "c", "a"])
    assert encoder.vocabulary.to_list() == ["a", "b", "c"]
    assert codes_of(encoder, ["c", "a", "zz", None, ""]) == [3, 1, 0, 0, 0]
    assert encoder.decode(np.array([0, 3, 1])).to_list() == [None, "c", "a"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 2], [3, 1, 2]),
        ([3.0, None, float("nan"), 1.0], [3, None, None, 1]),  # integers with holes, as pandas gives them
        ([1.5, 2.0, None], ["1.5", "2", None]),
        ([float("inf"), 1.0], ["inf", "1"]),
        ([0.0, -0.0], [0, 0]),
        ([2.0**60], ["1.152921504606847e+18"]),
        ([True, False, None], ["true", "false", None]),
        (["007", "7", " 7", "7 "], ["007", "7", " 7", "7 "]),
        (["Amélie", "Ame\u0301lie", "東京", ""], ["Amélie", "Ame\u0301lie", "東京", ""]),
        ([dt.date(2020, 1, 2)], ["2020-01-02"]),
        ([Decimal("42"), Decimal("7")], [42, 7]),
        ([Decimal("1.50"), Decimal("2.00")], ["1.50", "2"]),
        (
            [Decimal(12345678901234567891), Decimal(12345678901234567892)],
            ["12345678901234567891", "12345678901234567892"],
        ),
        ([2**63 + 1, 1], ["9223372036854775809", "1"]),
        ([b"ab"], ["ab"]),
        ([[1, 2], None], ["[1, 2]", None]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
def test_any_column_becomes_whole_numbers_or_text(values, expected):
    found = as_ids(pl.Series(values))
    assert found.to_list() == expected
    assert found.dtype in (pl.Int64, pl.String)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.Float32, pl.Float64, pl.UInt64, pl.Int128])
def test_integers_of_any_width_are_the_same_ids(dtype):
    assert as_ids(pl.Series([100, 2], dtype=dtype)).equals(pl.Series([100, 2], dtype=pl.Int64))


def test_a_float_is_the_same_id_in_single_precision():
    encoder = fitted([0.1, 2.0])
    assert codes_of(encoder, pl.Series([0.1, 2.0], dtype=pl.Float32)) == [1, 2]


def test_categories_are_their_texts_and_keep_an_order_of_their_own():
    assert fitted(pl.Series(["b", "a", None], dtype=pl.Categorical)).vocabulary.to_list() == ["a", "b"]
    levels = fitted(pl.Series(["mid", "low", None, "mid"], dtype=pl.Enum(["low", "mid", "high", "top"])))
    assert levels.vocabulary.to_list() == ["low", "mid"]  # what training shows, in the order given
    assert codes_of(levels, ["mid", "low", "high", None]) == [2, 1, 0, 0]
    assert as_ids(pl.Series([1, "a"], dtype=pl.Object)).to_list() == ["1", "a"]


# ---------------------------------------------------------------- looking up


@pytest.mark.parametrize("filler", [0, 100])  # few are looked up one by one, many all at once
@pytest.mark.parametrize(
    ("known", "asked", "codes"),
    [
        ([2, 42], ["42"], [2]),
        ([2, 42], ["042", " 42", "42.0", "+42", "x", ""], [0, 0, 0, 0, 0, 0]),
        ([2, 42], [42.0, None, float("nan")], [2, 0, 0]),
        ([2, 42], [42.0, 42.5], [2, 0]),
        ([2, 42], [42, "2", 42.0, "guest"], [2, 1, 2, 0]),
        ([2, 42], [2**70, -42, True], [0, 0, 0]),
        (["2", "42"], [42, 2], [2, 1]),
        (["2", "42"], [42.0, "42", None], [2, 2, 0]),
        (["042", "42"], [42, "042"], [2, 1]),
        (["True", "true"], [True], [2]),
        ([1.5, 2.0], [2, 2.0, "2", 1.5, "1.5"], [2, 2, 2, 1, 1]),
    ],
)
def test_an_id_is_found_in_whatever_form_it_comes(known, asked, codes, filler):
    encoder = fitted(known)
    assert codes_of(encoder, asked + [None] * filler) == codes + [0] * filler


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        iter,
        np.array,
        lambda v: np.array(v, dtype=object),
        pl.Series,
        pd.Series,
        pd.Index,
        lambda v: pd.Series(v, dtype="category"),
        lambda v: pd.Series(v, dtype=object),
        lambda v: pa.chunked_array([v]),
        lambda v: dict.fromkeys(v),
    ],
)
def test_values_come_in_any_kind_of_sequence(form):
    assert codes_of(fitted([5, 7, 9]), form([9, 5, 6])) == [3, 1, 0]
    assert codes_of(fitted(["x", "y"]), form(["y", "x", "z"])) == [2, 1, 0]


@settings(deadline=None)
@given(ids, st.none() | st.booleans() | whole | texts | st.floats() | st.lists(whole))
def test_one_value_has_the_code_it_has_in_a_column(values, value):
    for encoder in (fitted(values), vt.Categorify(missing_slot=True).fit(pl.Series(values))):
        for one in (value, *values[:5]):
            assert encoder.encode_one(one) == encoder.encode([one])[0]


def test_looking_up_tells_nothing(recwarn):
    codes_of(fitted(["a", "1"]), ["a", 1, None])
    assert not recwarn.list


def test_an_empty_vocabulary_knows_nothing():
    encoder = vt.Categorify()
    assert len(encoder) == 1
    assert codes_of(encoder, ["a", None]) == [0, 0]
    assert encoder.decode(np.array([0, 0])).to_list() == [None, None]
    assert codes_of(fitted(["a"]), []) == []


def test_the_codes_can_be_written_to():
    for rows in (3, 300):
        codes = fitted([1, 2]).encode(pl.Series([1] * rows))
        codes[0] = 2
        assert codes[:2].tolist() == [2, 1]


# ---------------------------------------------------------------- missing values with a code of their own


@settings(deadline=None)
@given(ids, st.lists(st.none() | whole, max_size=90))
def test_the_missing_slot_is_the_last_code(values, asked):
    plain, encoder = fitted(values), vt.Categorify(missing_slot=True).fit(pl.Series(values))
    assert len(encoder) == len(plain) + 1
    assert encoder.missing_code == len(encoder) - 1
    series = pl.Series(asked, dtype=pl.Int64)
    expected = np.where(series.is_null(), encoder.missing_code, plain.encode(series))
    np.testing.assert_array_equal(encoder.encode(series), expected)
    known = encoder.encode(pl.Series(values))
    assert encoder.decode(known).to_list() == as_ids(pl.Series(values)).to_list()
    again = vt.Categorify.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again.missing_code == encoder.missing_code
    np.testing.assert_array_equal(again.encode(series), expected)


# ---------------------------------------------------------------- growing


def test_new_values_come_behind_the_old_ones():
    encoder = fitted(["m", "p"])
    assert encoder.grow(pl.Series(["z", "a", "m", None])) == 2
    assert codes_of(encoder, ["a", "m", "p", "z"]) == [3, 1, 2, 4]
    assert encoder.grow(pl.Series(["z"])) == 0


def test_numbers_that_meet_a_text_become_texts_under_their_old_codes():
    encoder = fitted([10, 9])
    assert encoder.grow(pl.Series(["guest", "10", "009"])) == 2
    assert encoder.vocabulary.to_list() == ["9", "10", "009", "guest"]
    assert codes_of(encoder, [9, 10, "10", "guest", "009"]) == [1, 2, 2, 4, 3]


def test_texts_that_meet_a_number_take_it_as_text():
    encoder = fitted(["a"])
    assert encoder.grow(pl.Series([7, 7])) == 1
    assert codes_of(encoder, ["7", 7]) == [2, 2]


def test_a_vocabulary_of_an_unknown_kind_is_refused():
    with pytest.raises(vt.ArtifactError, match=r"kind is 'floats'.*'integer', 'text'"):
        vt.Categorify.from_json({"kind": "floats", "values": []})


# ---------------------------------------------------------------- size


@pytest.mark.parametrize("kind", ["integers", "texts"])
def test_a_million_categories_go_there_and_back_without_a_loop_in_python(kind):
    values = pl.Series(np.random.default_rng(0).permutation(1_000_000))
    values = values if kind == "integers" else values.cast(pl.String)

    def there_and_back():
        encoder = vt.Categorify().fit(values)
        assert encoder.decode(encoder.encode(values)).equals(values)
        return encoder

    encoder = there_and_back()
    assert codes_of(encoder, [values[0], "nobody"]) == [encoder.encode_one(values[0]), 0]
    assert len(encoder) == 1_000_001
    assert calls_of(there_and_back) < 10_000


@pytest.mark.parametrize(
    "spelled", [[True, False, None], ["True", "False", None], ["true", "FALSE", ""], [1, 0, 2], [1.0, 0.0, None]]
)
def test_booleans_are_looked_up_however_they_are_written(spelled):
    codec = vt.Categorify(missing_slot=True).fit(pl.Series([True, False, True]))
    assert codec.encode(spelled).tolist()[:2] == [2, 1]
    assert [codec.encode_one(value) for value in spelled[:2]] == [2, 1]
    assert codec.encode(spelled)[2] == (3 if spelled[2] is None else 0)
    assert vt.Categorify().fit(pl.Series(["true", "maybe"])).encode(["True"]).tolist() == [0]  # words, and not booleans


def test_whole_numbers_just_outside_the_vocabulary_are_unknown_in_long_columns():
    codec = vt.Categorify().fit(pl.Series([10, 12, 13]))
    asked = [8, 9, 10, 11, 12, 13, 14, 15, 16]
    right = [codec.encode_one(value) for value in asked]
    assert right == [0, 0, 1, 0, 2, 3, 0, 0, 0]
    assert codec.encode(pl.Series(asked * 2_000)).tolist() == right * 2_000
