"""Vectors written for other programs: what is read back is what the learner answers, to the last bit."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

import vectable as vt

N_FACTORS = 5
NASTY = [
    "tab\tinside",
    "two\nlines",
    "return\r\n",
    'quo"ted "twice"',
    "comma, here",
    "ünïcode 本",
    " spaces ",
    "\u2028",
]


@pytest.fixture(scope="module")
def learn():
    rng = np.random.default_rng(0)
    n = 800
    users, items = rng.integers(0, 40, n), rng.integers(0, 25, n)
    ratings = pl.DataFrame({"reader": [f"r{u}" for u in users], "book": items, "stars": rng.integers(1, 6, n)})
    titles = [NASTY[at] if at < len(NASTY) else f"Book {at}" for at in range(25)]
    titles[-1] = None
    books = pl.DataFrame({"book": range(25), "name": titles})
    data = vt.RatingsData.from_df(ratings.unique(["reader", "book"], maintain_order=True), title="name", items=books)
    return vt.collab_learner(data, n_factors=N_FACTORS, progress=False).fit(1, 5e-3)


READERS = {
    ".parquet": pl.read_parquet,
    ".arrow": pl.read_ipc,
    ".csv": pl.read_csv,
    ".json": pl.read_json,
}


def factors(frame):
    """The factor columns as an array, which must be all columns of that name, in order."""
    names = [name for name in frame.columns if name.startswith("factor_")]
    assert names == [f"factor_{at}" for at in range(len(names))]
    return frame.select(names).to_numpy().astype(np.float32)


@pytest.mark.parametrize("suffix", READERS)
def test_items_read_back_exactly(learn, tmp_path, suffix):
    path = tmp_path / f"items{suffix}"
    assert learn.export_vectors(path) == [path]
    frame = READERS[suffix](path)
    ids = frame["book"].to_list()
    assert ids == list(range(25))
    assert frame.columns == ["book", "title", "ratings", "bias", *(f"factor_{at}" for at in range(N_FACTORS))]
    assert_array_equal(factors(frame), learn.weight(ids))
    assert_array_equal(frame["bias"].to_numpy().astype(np.float32), learn.bias(ids))
    assert frame["title"].to_list() == learn.data.item_names(range(1, 26)).to_list()
    assert frame["ratings"].to_list() == learn.data.item_counts[1:].tolist()


@pytest.mark.parametrize("suffix", READERS)
def test_users_read_back_exactly(learn, tmp_path, suffix):
    learn.export_vectors(str(tmp_path / f"users{suffix}"), is_item=False)
    frame = READERS[suffix](tmp_path / f"users{suffix}")
    ids = frame["reader"].to_list()
    assert len(ids) == learn.data.n_users
    assert_array_equal(factors(frame), learn.weight(ids, is_item=False))
    assert_array_equal(frame["bias"].to_numpy().astype(np.float32), learn.bias(ids, is_item=False))
    assert sum(frame["ratings"]) == len(learn.data.train_ratings)


@pytest.mark.parametrize("is_item", [True, False])
def test_the_projectors_pair(learn, tmp_path, is_item):
    paths = learn.export_vectors(tmp_path / "vectors.tsv", is_item)
    assert paths == [tmp_path / "vectors.tsv", tmp_path / "vectors_metadata.tsv"]
    vectors, metadata = (path.read_bytes().decode().removesuffix("\n").split("\n") for path in paths)
    ids = list(range(25)) if is_item else sorted(learn.data.user_ids.vocabulary)
    assert len(vectors) == len(metadata) - 1 == len(ids)  # the names have a header, the numbers none
    numbers = np.array([[float(cell) for cell in line.split("\t")] for line in vectors], dtype=np.float32)
    assert_array_equal(numbers, learn.weight(ids, is_item))
    header, *rows = (line.split("\t") for line in metadata)
    assert header == (["book", "title", "ratings", "bias"] if is_item else ["reader", "ratings", "bias"])
    assert [row[0] for row in rows] == [str(one) for one in ids]
    assert {len(row) for row in rows} == {len(header)}


def test_titles_stay_on_one_line_and_without_quotes_in_the_projectors_pair(learn, tmp_path):
    _, metadata = learn.export_vectors(tmp_path / "items.tsv")
    titles = [line.split("\t")[1] for line in metadata.read_text(encoding="utf-8").splitlines()[1:]]
    assert titles[:4] == ["tab inside", "two lines", "return ", 'quo"ted "twice"']
    assert titles[4:7] == ["comma, here", "ünïcode 本", " spaces "]


def test_pythons_own_reader_agrees_on_csv(learn, tmp_path):
    learn.export_vectors(tmp_path / "items.csv")
    with (tmp_path / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["title"] for row in rows[: len(NASTY)]] == NASTY


def test_every_kind_of_model(learn, tmp_path):
    for how, width, has_bias in (
        ({"n_models": 2}, 2 * N_FACTORS, True),
        ({"use_nn": True, "widths": (3, 4)}, 4, False),
        ({"use_nn": True, "widths": (3, 4), "n_models": 2}, 8, False),
    ):
        model = vt.collab_learner(learn.data, n_factors=N_FACTORS, progress=False, **how)
        model.export_vectors(tmp_path / "items.parquet")
        frame = pl.read_parquet(tmp_path / "items.parquet")
        assert_array_equal(factors(frame), model.weight(list(range(25))))
        assert factors(frame).shape == (25, width)
        assert ("bias" in frame.columns) == has_bias


def test_a_loaded_model_exports_the_same_bytes(learn, tmp_path):
    back = vt.load_learner(learn.save(tmp_path / "model"), progress=False)
    for name in ("items.csv", "items.tsv"):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "b").mkdir(exist_ok=True)
        for one, other in zip(
            learn.export_vectors(tmp_path / "a" / name), back.export_vectors(tmp_path / "b" / name), strict=True
        ):
            assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", ["items.xlsx", "items", "items.txt"])
def test_a_format_that_is_not_known(learn, tmp_path, name):
    with pytest.raises(vt.DataError, match=r"does not say what to write: its name must end in one of \.csv"):
        learn.export_vectors(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["items.csv", "items.parquet", "items.tsv"])
def test_a_place_that_cannot_be_written(learn, tmp_path, name):
    with pytest.raises(vt.DataError, match="cannot be written"):
        learn.export_vectors(tmp_path / "no such folder" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(vt.DataError, match="cannot be written"):
        learn.export_vectors(tmp_path / name)
    assert not any(file.is_file() for file in Path(tmp_path).rglob("*"))


def test_what_a_killed_export_left_is_removed_by_the_next(trained, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    abandoned = tmp_path / f".items.tsv.{gone.pid}-0a1b2c3d.part"
    under_way = tmp_path / f".items.tsv.{os.getpid()}-0a1b2c3d.part"
    stranger = tmp_path / ".items.tsv.part"
    for one in (abandoned, under_way, stranger):
        one.write_text("half")
    trained.export_vectors(tmp_path / "items.tsv")
    left = {one.name for one in tmp_path.iterdir()}
    assert left == {"items.tsv", "items_metadata.tsv", under_way.name, stranger.name}
