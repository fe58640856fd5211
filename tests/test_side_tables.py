"""What is known of items and users beside the ratings, in the order of the vocabularies."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import vectable as vt

FILMS = {
    "item": ["z", "c", "a", "b", "a"],
    "title": ["Zoo", "Cat", "Ant", "Bee", "Another Ant"],
    "year": [1999, 1971, None, 2007, 1950],
}


def data_of(frame, **how):
    return vt.RatingsData.from_df(frame, user="user", item="item", rating="rating", valid_pct=0, **how)


@pytest.mark.parametrize("make", [dict, pl.DataFrame, lambda d: pl.LazyFrame(d), pd.DataFrame, pa.table])
def test_a_row_an_item_in_the_order_of_the_vocabulary(ratings_frame, make):
    table = data_of(ratings_frame, items=make(FILMS)).item_table
    assert table["item"].to_list() == ["a", "b", "c", "d"]
    assert table["title"].to_list() == ["Ant", "Bee", "Cat", None]  # the first of two rows; none for d
    assert table["year"].to_list()[1:] == [2007, 1971, None]
    assert not table["year"].is_not_null()[0] or pd.isna(table["year"][0])


def test_an_id_column_of_another_name_is_the_first(ratings_frame):
    films = {"film": FILMS["item"], "title": FILMS["title"]}
    table = data_of(ratings_frame, items=films).item_table
    assert table.columns == ["item", "title"]
    assert table["title"].to_list() == ["Ant", "Bee", "Cat", None]


def test_an_id_column_of_the_same_name_may_stand_anywhere(ratings_frame):
    table = data_of(ratings_frame, items={"title": FILMS["title"], "item": FILMS["item"]}).item_table
    assert table.columns == ["title", "item"]
    assert table["title"].to_list() == ["Ant", "Bee", "Cat", None]


def test_ids_meet_though_one_table_has_them_as_text(ratings_frame):
    users = {"user": ["9", "7", "3", "x"], "age": [90, 70, 30, 0]}
    table = data_of(ratings_frame, users=users).user_table
    assert table.rows() == [(1, None), (3, 30), (7, 70), (9, 90)]


def test_a_column_without_a_name_is_no_hindrance(ratings_frame):
    """As pandas writes its index into a file."""
    table = data_of(ratings_frame, items={"": [0, 1], "item": ["b", "a"], "title": ["Bee", "Ant"]}).item_table
    assert table["title"].to_list() == ["Ant", "Bee", None, None]
    table = data_of(ratings_frame, items={"": ["b", "a"], "year": [1, 2]}).item_table
    assert table["year"].to_list() == [2, 1, None, None]
    assert table["item"].to_list() == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"film": ["x", "y"], "title": ["X", "Y"]}, r"No value of column 'film' of the items table .*'x'.*'a'.*'item'"),
        ({"item": [], "title": []}, "No value of column 'item' of the items table"),
        ({}, "The items table has no columns"),
        (["Ant", "Bee"], "The items table is a list"),
    ],
)
def test_a_table_that_does_not_belong_to_these_ratings(ratings_frame, table, told):
    with pytest.raises(vt.DataError, match=told):
        data_of(ratings_frame, items=table)


# ---------------------------------------------------------------- titles


def test_titles_from_the_ratings_or_from_the_items_table(ratings_frame):
    for how in (
        {"title": "title"},
        {"title": "title", "items": {"item": ["a"], "title": ["not this"]}},
    ):
        assert data_of(ratings_frame, **how).titles.to_list() == ["Ant", "Bee", "Cat", "Cat"]
    bare = ratings_frame.drop("title")
    assert data_of(bare, title="title", items=FILMS).titles.to_list() == ["Ant", "Bee", "Cat", None]
    assert data_of(ratings_frame).titles is None


def test_the_first_title_that_is_not_missing_counts(ratings_frame):
    titles = [None, "Ant", "Other", None, *ratings_frame["title"][4:]]
    data = data_of(ratings_frame.with_columns(title=pl.Series(titles)), title="title")
    assert data.titles.to_list() == ["Ant", "Bee", "Cat", "Cat"]


def test_an_item_without_a_title_is_shown_by_its_id(ratings_frame):
    data = data_of(ratings_frame.drop("title"), title="title", items=FILMS)
    assert data.item_names([1, 4, 0]).to_list() == ["Ant", "d", None]
    assert data.item_frame([4, 1]).to_dict(as_series=False) == {"item": ["d", "a"], "title": ["d", "Ant"]}


def test_a_title_that_several_items_share_means_the_one_with_most_ratings(ratings_frame):
    data = data_of(ratings_frame, title="title")
    assert data.item_counts.tolist() == [0, 3, 4, 2, 3]
    assert data.codes_by_title == {"Ant": 1, "Bee": 2, "Cat": 4}
    learn = vt.collab_learner(data, n_factors=2, progress=False)
    assert learn.bias(["Cat"]) == learn.bias(["d"]) != learn.bias(["c"])


def test_the_title_may_be_the_item(ratings_frame):
    with pytest.warns(vt.VectableWarning, match="1 of the 12 rows"):
        data = vt.RatingsData.from_df(ratings_frame, "user", "title", "rating", title="title", valid_pct=0)
    assert data.item_ids.vocabulary.to_list() == ["Ant", "Bee", "Cat"]
    assert data.titles is None
    assert data.show_batch().columns == ["user", "title", "rating"]


def test_a_numeric_title_is_shown_as_text(ratings_frame):
    data = data_of(ratings_frame.with_columns(title=pl.lit(1984)), title="title")
    assert data.titles.to_list() == ["1984"] * 4


# ---------------------------------------------------------------- growing


def test_side_tables_grow_with_the_vocabularies(ratings_frame):
    users = {"user": [1, 3, 7, 9], "age": [10, 30, 70, 90]}
    data = data_of(ratings_frame, title="title", items=FILMS, users=users)
    grown = data.with_more({"user": [2, 1], "item": ["e", "a"], "rating": [3.0, 4.0], "title": ["Eel", "Renamed"]})
    assert grown.item_table["item"].to_list() == ["a", "b", "c", "d", "e"]
    assert grown.item_table["title"].to_list() == ["Ant", "Bee", "Cat", None, None]
    assert grown.titles.to_list() == ["Ant", "Bee", "Cat", "Cat", "Eel"]
    assert grown.user_table.rows() == [(1, 10), (3, 30), (7, 70), (9, 90), (2, None)]
    assert data.user_table.height == 4
    assert len(data.titles) == 4


def test_side_tables_follow_when_numbers_become_texts(ratings_frame):
    users = {"user": [1, 3, 7, 9], "age": [10, 30, 70, 90]}
    grown = data_of(ratings_frame, users=users).with_more({"user": ["guest"], "item": ["a"], "rating": [3.0]})
    assert grown.user_table.rows() == [("1", 10), ("3", 30), ("7", 70), ("9", 90), ("guest", None)]


def test_new_titles_fill_gaps_and_are_not_needed(ratings_frame):
    data = data_of(ratings_frame.drop("title"), title="title", items=FILMS)
    rows = {"user": [1], "item": ["d"], "rating": [3.0]}
    assert data.with_more(rows).titles.to_list() == ["Ant", "Bee", "Cat", None]
    assert data.with_more({**rows, "title": ["Dog"]}).titles.to_list() == ["Ant", "Bee", "Cat", "Dog"]
