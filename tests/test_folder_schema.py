"""What a saved folder must look like: every form takes what is right, fills in defaults and names what is wrong."""

import numpy as np
import pytest
import torch

from vectable.errors import ArtifactError
from vectable.folder_schema import (
    Array,
    Default,
    PartError,
    any_number,
    boolean,
    either,
    fraction,
    list_of,
    map_of,
    mapping,
    number,
    one_of,
    optional,
    part,
    record,
    take_arrays,
    text,
    whole,
)

NAN, INF = float("nan"), float("inf")

RIGHT = [
    (whole(1, 5), [1, 5]),
    (number(0), [0, 1.5, 10**300]),
    (any_number, [0, -1.5, NAN, INF]),
    (fraction, [0, 0.0, 0.999]),
    (text, ["", "é本", "a\nb\0"]),
    (boolean, [True, False]),
    (one_of("a", None, 3), ["a", None, 3]),
    (optional(whole()), [None, 3]),
    (either(number(), list_of(number())), [1, [1, 2]]),
    (list_of(text, 1, 2), [["a"], ["a", "b"]]),
    (map_of(whole()), [{}, {"a": 1}]),
    (mapping, [{}, {"a": object}]),
]
WRONG = [
    (whole(1, 5), [0, 6, 1.0, True, "1", None, [1], 10**400]),
    (number(0), [-1, NAN, INF, True, "1", None, 10**400, -(10**400)]),
    (any_number, [True, "1", None, 10**400]),
    (fraction, [1, 1.0, -0.1, NAN, "0", None]),
    (text, [1, None, ["a"], "\ud800"]),
    (boolean, [0, 1, None, "true"]),
    (one_of("a", None, 3), ["b", 3.0, True, [], {}]),
    (optional(whole()), [-1, "a"]),
    (either(number(), list_of(number())), ["a", ["a"], None]),
    (list_of(text, 1, 2), [[], ["a", "b", "c"], [1], "ab", {}, None]),
    (map_of(whole()), [[], {"a": -1}, {"\ud800": 1}, None]),
    (mapping, [[], None, "a"]),
]


@pytest.mark.parametrize(("form", "value"), [(form, value) for form, values in RIGHT for value in values])
def test_what_is_right_comes_back_as_it_is(form, value):
    back = form(value, "x")
    assert type(back) is type(value)
    assert back == value or value != value


@pytest.mark.parametrize(("form", "value"), [(form, value) for form, values in WRONG for value in values])
def test_what_is_wrong_is_named(form, value):
    with pytest.raises(ArtifactError, match=r"^settings\.x.* and must be ") as caught:
        form(value, "settings.x")
    assert len(str(caught.value)) < 300


def test_a_record_fills_in_defaults_and_passes_over_what_it_does_not_know():
    form = record(a=whole(), b=Default(7, whole()))
    assert form({"a": 1, "c": "new"}, "settings") == {"a": 1, "b": 7}
    assert form({"a": 1, "b": 2}, "settings") == {"a": 1, "b": 2}
    with pytest.raises(PartError, match=r"^settings\.a is missing$"):
        form({"b": 1}, "settings")
    with pytest.raises(PartError, match=r"^settings\.b is 'x' and must be an integer"):
        form({"a": 1, "b": "x"}, "settings")
    with pytest.raises(PartError, match=r"^settings is a list and must be an object$"):
        form([], "settings")


def test_the_place_of_what_is_wrong_is_named():
    form = record(rows=list_of(record(name=text)))
    with pytest.raises(PartError, match=r"^table\.rows\[1\]\.name is 3 and must be a text$"):
        form({"rows": [{"name": "a"}, {"name": 3}]}, "table")
    with pytest.raises(PartError, match=r"^settings\.kind is missing$"):
        part({}, "kind", text, "settings.")


# ---------------------------------------------------------------- arrays

SCHEMA = {
    "user": Array("int32", "rows", least=1, below="users+1"),
    "rating": Array("float32 float64", "rows", finite=True),
    "pairs": Array("float64", "rows 2"),
    "extra": Array("bool", "rows", needed=False),
    "number": Array("int64"),
}


def arrays(**other):
    found = {
        "user": torch.tensor([1, 3], dtype=torch.int32),
        "rating": torch.tensor([1.0, 2.0]),
        "pairs": torch.zeros(2, 2, dtype=torch.float64),
        "number": torch.tensor(3),
        **other,
    }
    return {"ratings": {name: one for name, one in found.items() if one is not None}}


def test_arrays_that_fit_are_taken_and_make_sizes_known():
    sizes = {"users": 3}
    taken = take_arrays(arrays(unknown=torch.zeros(9)), "ratings", SCHEMA, sizes)
    assert set(taken) == {"user", "rating", "pairs", "number"}
    assert sizes == {"users": 3, "rows": 2}
    assert np.array_equal(taken["user"], [1, 3])
    assert int(taken["number"]) == 3


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("user", torch.tensor([1, 4], dtype=torch.int32), "user holds 4 and must be below 4"),
        ("user", torch.tensor([0, 1], dtype=torch.int32), "user holds 0 and must be at least 1"),
        ("user", torch.tensor([1, 3]), "user is an array of int64 and must be of int32"),
        ("user", torch.tensor([[1, 3]], dtype=torch.int32), "user has 2 dimensions and must have 1"),
        ("rating", torch.tensor([1.0]), "rating has 1 entries along dimension 0 and must have 2"),
        ("rating", torch.tensor([1.0, NAN]), "rating holds NaN or infinity and must be finite"),
        ("rating", torch.tensor([1, 2]), "rating is an array of int64 and must be of float32 or float64"),
        ("rating", torch.tensor([1.0, 2.0]).bfloat16(), "rating is an array of bfloat16"),
        ("pairs", torch.zeros(2, 3, dtype=torch.float64), "pairs has 3 entries along dimension 1 and must have 2"),
        ("extra", torch.zeros(3, dtype=torch.bool), "extra has 3 entries along dimension 0 and must have 2"),
        ("number", torch.tensor([3]), "number has 1 dimensions and must have 0"),
        ("number", None, "number is missing"),
    ],
)
def test_an_array_that_does_not_fit_is_named(name, value, sentence):
    with pytest.raises(ArtifactError, match=rf"^ratings\.{sentence}"):
        take_arrays(arrays(**{name: value}), "ratings", SCHEMA, {"users": 3})


def test_empty_arrays_and_a_missing_file():
    none = arrays(user=torch.zeros(0, dtype=torch.int32), rating=torch.zeros(0), pairs=torch.zeros(0, 2).double())
    assert len(take_arrays(none, "ratings", SCHEMA, {"users": 0})["user"]) == 0
    with pytest.raises(PartError, match=r"^its file 'ratings' is missing$"):
        take_arrays({}, "ratings", SCHEMA, {})
