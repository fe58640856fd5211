"""Items named to commands: by title, in files, by a part of the title; and what becomes of names that are unknown."""

import json

import polars as pl
import pytest

import vectable as vt
from commands import good

TITLES = ["The Hobbit", "Hobbit's Tale, Part 2", "Amélie", "A Hobbits' Cookbook", "1984", "@home", "Emma"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of seven books, the later ones rated by more people."""
    rows = [(user, item, 1 + (user * item) % 5) for item in range(7) for user in range(12) if user <= item + 4]
    frame = pl.DataFrame(rows, schema=["user", "item", "rating"], orient="row")
    frame = frame.with_columns(title=pl.Series([TITLES[item] for item in frame["item"]]))
    data = vt.RatingsData.from_df(frame, title="title", valid_pct=0)
    learn = vt.collab_learner(data, n_factors=3, progress=False).fit_one_cycle(2, 0.01)
    return learn.save(tmp_path_factory.mktemp("items") / "books")


def listed(inside, model, *args):
    """Titles recommended to a user, the seen ones too."""
    rows = json.loads(good(inside("recommend", model, 1, "--include-seen", "--json", *args)).stdout)
    return {row["title"] for row in rows}


# ---------------------------------------------------------------- lists in files


def test_items_in_a_file(inside, model, tmp_path):
    (tmp_path / "some.txt").write_text("The Hobbit\n\n  Amélie \n4\n", encoding="utf-8-sig")
    some = {"The Hobbit", "Amélie", "1984"}
    assert listed(inside, model, "--only", f"@{tmp_path / 'some.txt'}") == some
    assert listed(inside, model, "--only-file", tmp_path / "some.txt") == some
    assert listed(inside, model, "--exclude", f"@{tmp_path / 'some.txt'}") == set(TITLES) - some
    both = ["--exclude-file", tmp_path / "some.txt", "--exclude", "Emma"]
    assert listed(inside, model, *both) == set(TITLES) - some - {"Emma"}


def test_an_item_whose_name_begins_like_a_file(inside, model):
    assert listed(inside, model, "--only", "@home") == {"@home"}


def test_a_file_that_is_given_as_an_item_is_recognised(refused, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out_of_stock.txt").write_text("The Hobbit\n")
    said = refused("recommend", model, 1, "--exclude", "out_of_stock.txt")
    assert "--exclude is 'out_of_stock.txt', which is a file and not an item" in said
    assert "--exclude @out_of_stock.txt or --exclude-file out_of_stock.txt" in said


def test_files_of_items_that_cannot_be_read(refused, model, tmp_path):
    assert "gone.txt' cannot be read: No such file" in refused("recommend", model, 1, "--only", "@gone.txt")
    (tmp_path / "latin.txt").write_bytes("Amélie".encode("latin-1"))
    assert "is not UTF-8 text" in refused("recommend", model, 1, "--only-file", tmp_path / "latin.txt")


# ---------------------------------------------------------------- search


def found(inside, model, text, *more):
    return [row["title"] for row in json.loads(good(inside("search", model, text, "--json", *more)).stdout)]


def test_search_by_a_part_of_the_title(inside, model):
    assert found(inside, model, "hobbit") == ["Hobbit's Tale, Part 2", "A Hobbits' Cookbook", "The Hobbit"]
    assert found(inside, model, "hobbit", "-n", 1) == ["Hobbit's Tale, Part 2"]
    assert found(inside, model, "AMELIE") == ["Amélie"]
    assert found(inside, model, "part hobbit") == ["Hobbit's Tale, Part 2"]
    assert found(inside, model, "the hobit") == ["The Hobbit"]
    assert "The Hobbit" in good(inside("search", model, "hobbit")).stdout


def test_search_that_finds_nothing(refused, model):
    assert "None of the 7 items has a name like 'zzz'." in refused("search", model, "zzz")
    assert "None of the 7 items" in refused("search", model, "")


# ---------------------------------------------------------------- conditions of a list


def test_a_limit_per_title_and_raw_predictions(inside, refused, model, tmp_path):
    frame = pl.DataFrame({"user": [u for u in range(9) for _ in range(6)], "item": [*range(6)] * 9})
    frame = frame.with_columns(rating=(pl.col("user") + pl.col("item")) % 5 + 1).filter(
        pl.col("user") != pl.col("item")
    )
    books = pl.DataFrame({"item": range(6), "author": ["Tolkien", "Tolkien", "Tolkien", "Austen", "Austen", "Austen"]})
    data = vt.RatingsData.from_df(frame, items=books, valid_pct=0)
    vt.collab_learner(data, 2, y_range=None, progress=False).fit(1, 0.01).save(tmp_path / "m")
    ask = ["recommend", tmp_path / "m", 0, "--include-seen", "--json"]
    rows = json.loads(good(inside(*ask, "--max-per", "author=1")).stdout)
    assert len(rows) == 2
    assert sorted(row["item"] // 3 for row in rows) == [0, 1]
    assert len(json.loads(good(inside(*ask, "--max-per", "author=2", "--diversity", 0.5)).stdout)) == 4
    assert "--max-per is 'author'; give a column and a number, e.g. author=2." in refused(*ask, "--max-per", "author")
    assert "'publisher'" in refused(*ask, "--max-per", "publisher=1")
    raw = json.loads(good(inside(*ask, "--raw")).stdout)
    assert [row["item"] for row in raw] == [row["item"] for row in json.loads(good(inside(*ask)).stdout)]


# ---------------------------------------------------------------- unknown names


def test_an_unknown_title_is_answered_with_titles_that_hold_it_or_look_like_it(inside, refused, model):
    said = refused("similar", model, "hobbit")
    for title in ("The Hobbit", "Hobbit's Tale, Part 2", "A Hobbits' Cookbook"):
        assert title in said
    assert "'Amélie'" in refused("explain", model, 1, "amelie")
    done = good(inside("recommend", model, 1, "--exclude", "Ema", "--exclude", "Nothing at all", "--json"))
    assert "note: 2 unknown items ('Ema', 'Nothing at all')" in done.stderr
    assert "'Emma'" in done.stderr
