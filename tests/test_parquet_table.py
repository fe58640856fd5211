"""Tables larger than memory: from Parquet in blocks, the same as all at once."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import vectable as vt
from vectable.data.batches import shuffled_batches, windowed_batches
from vectable.data.io.parquet_table import ParquetTable
from vectable.data.tables import block_rows


def trips(rows: int = 500, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    miles = rng.gamma(2, 3, rows)
    town = rng.choice(["Köln", "Bonn", "Aachen", None], rows, p=[0.5, 0.3, 0.1, 0.1])
    day = pl.Series(rng.integers(15_000, 19_000, rows)).cast(pl.Date)
    return pl.DataFrame(
        {
            "miles": pl.Series(np.where(rng.random(rows) < 0.1, np.nan, miles)).fill_nan(None),
            "town": town,
            "riders": rng.integers(1, 5, rows),
            "day": day,
            "fare": 2 + miles * 1.5 + (town == "Bonn"),
            "tip": np.where(rng.random(rows) < 0.4 + 0.3 * (miles > 6), "yes", "no"),
            "count": rng.integers(0, 3, rows),
        }
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The trips in three files, the middle one of two row groups and the last without rows."""
    frame = trips()
    frame[:120].write_parquet(tmp_path / "a.parquet")
    frame[120:].write_parquet(tmp_path / "b.parquet", row_group_size=200)
    frame[:0].write_parquet(tmp_path / "c.parquet")
    return tmp_path


def assert_same(found: vt.TableData, expected: vt.TableData) -> None:
    """Encoders, targets, rows and split are the same to the bit."""
    assert found.encoder.to_json() == expected.encoder.to_json()
    assert found.target.to_json() == expected.target.to_json()
    assert found.kinds == expected.kinds
    assert found.valid_frame.equals(expected.valid_frame)
    assert np.array_equal(found.train_rows.highest_codes(), expected.train_rows.highest_codes())
    for mine, theirs in ((found.train, expected.train), (found.valid, expected.valid)):
        assert len(mine) == len(theirs)
        (codes, numbers), target = mine.batch(slice(0, len(mine)))
        assert torch.equal(codes, theirs.inputs[0])
        assert torch.equal(numbers, theirs.inputs[1])
        assert torch.equal(target, theirs.target)
        assert (mine.weights is None) == (theirs.weights is None)
        assert mine.weights is None or torch.equal(mine.weights, theirs.weights)


@pytest.mark.parametrize(
    "how",
    [
        {"target": "tip"},
        {"target": "tip", "bins": "tree", "class_weight": "balanced", "valid_pct": 0.4},
        {"target": "fare", "log_target": True, "weights": "count", "bins": "quantile"},
        {"target": ["fare", "riders"], "procs": [], "split": "day", "cat_names": ["town"], "cont_names": ["miles"]},
        {"target": "riders", "valid_rows": [3, 150, 499], "date_names": ["day"]},
        {"target": "tip", "valid_pct": 0.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("block", [7, 150])
def test_in_blocks_it_is_what_it_is_at_once(files: Path, how: dict[str, Any], block: int) -> None:
    assert_same(vt.TableData.from_parquet(files, block_rows=block, **how), vt.TableData.from_df(trips(), **how))


def test_a_file_a_pattern_and_a_list_of_files(files: Path) -> None:
    whole = files / "whole.file"
    trips().write_parquet(whole)
    listed = [files / "a.parquet", files / "b.parquet"]
    for path in (whole, str(files / "*.parquet"), listed):
        assert ParquetTable(path, 64).collect().equals(trips())


def test_training_is_the_same_to_the_bit_where_the_table_fits(files: Path, tmp_path: Path) -> None:
    learners = [
        vt.tabular_learner(data, layers=[16], ps=[0.1], progress=False, engine="torch")
        for data in (
            vt.TableData.from_parquet(files, "tip", block_rows=100, batch_size=32),
            vt.TableData.from_df(trips(), "tip", batch_size=32),
        )
    ]
    for learn in learners:
        learn.fit_one_cycle(2, 0.01)
    mine, theirs = (learn.predict_proba(trips(50, 1)) for learn in learners)
    assert np.array_equal(mine, theirs)
    assert learners[0].validate() == learners[1].validate()
    assert learners[0].top_losses(5).equals(learners[1].top_losses(5))
    assert torch.equal(learners[0].get_preds("train")[0], learners[1].get_preds("train")[0])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::vectable.VectableWarning")
def test_many_blocks_train_repeat_and_find_a_rate(files: Path, tmp_path: Path) -> None:
    def fit() -> vt.TabularLearner:
        data = vt.TableData.from_parquet(files, "fare", block_rows=11, batch_size=16, task="numbers")
        assert len(data.train_rows.sizes) > block_rows.TOGETHER  # type: ignore[union-attr]
        learn = vt.tabular_learner(data, layers=[32], progress=False)
        learn.fit_one_cycle(6, 0.02)
        return learn  # type: ignore[return-value]

    fresh = vt.tabular_learner(
        vt.TableData.from_parquet(files, "tip", block_rows=11, batch_size=16), layers=[8], progress=False
    )
    assert 5 < len(fresh.lr_find(num_it=40).losses) <= 40
    one, two = fit(), fit()
    assert np.array_equal(one.predict(trips(30, 2)), two.predict(trips(30, 2)))
    assert one.validate()["rmse"] < 0.6 * one.data.target.std[0]  # which the mean alone has
    one.save(tmp_path / "model")
    again = vt.load_learner(tmp_path / "model", progress=False)
    assert np.array_equal(again.predict(trips(30, 2)), one.predict(trips(30, 2)))
    assert again.validate() == one.validate()
    with pytest.raises(vt.DataError, match="stayed in their Parquet files"):
        again.fit(1)
    again.data = vt.TableData.from_parquet(files, "fare", block_rows=11, batch_size=16, task="numbers")
    one.fit(1, 0.01)
    again.fit(1, 0.01)
    assert np.array_equal(again.predict(trips(30, 2)), one.predict(trips(30, 2)))


def test_no_more_than_eight_blocks_are_in_memory_and_few_blocks_are_read_once(files: Path, monkeypatch: Any) -> None:
    read: list[int] = []
    plain = ParquetTable.block
    monkeypatch.setattr(ParquetTable, "block", lambda self, at, *how: read.append(at) or plain(self, at, *how))
    for size, times in ((11, 3), (100, 1)):
        data = vt.TableData.from_parquet(files, "tip", block_rows=size, batch_size=16)
        learn = vt.tabular_learner(data, layers=[4], progress=False)
        rows = data.train_rows
        assert isinstance(rows, block_rows.BlockRows)
        assert rows.capacity <= block_rows.TOGETHER * size
        read.clear()
        learn.fit(3, 0.01)
        first_batch = int(np.searchsorted(rows.table.starts, 16)) if times > 1 else 0  # whose outputs are looked at
        assert len(read) <= times * len(rows.sizes) + first_batch
        assert len(rows.loaded) <= block_rows.TOGETHER


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any),
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(0, 9),
)
def test_a_window_holds_every_row_once_and_few_blocks_at_a_time(
    sizes: list[int], together: int, batch: int, seed: int
) -> None:
    starts = np.cumsum([0, *sizes])
    plan = windowed_batches(starts, together, batch, np.random.default_rng(seed))
    assert sorted(plan.order.tolist()) == list(range(sum(sizes)))
    assert sum(len(rows) for rows in plan) == sum(sizes)
    blocks = np.searchsorted(starts, plan.order, side="right") - 1
    changes = blocks[np.sort(np.unique(blocks, return_index=True)[1])]  # blocks in the order of their first row
    seen_last = {block: int(np.flatnonzero(blocks == block)[-1]) for block in changes}
    for at, block in enumerate(changes[together:], start=together):
        first = int(np.flatnonzero(blocks == block)[0])
        open_ones = [one for one in changes[:at] if seen_last[one] > first]
        assert len(open_ones) < together
    if len(sizes) <= together:
        assert np.array_equal(plan.order, shuffled_batches(sum(sizes), batch, np.random.default_rng(seed)).order)


def test_at_most_200_000_rows_are_held_out_by_default(tmp_path: Path) -> None:
    pl.DataFrame({"x": np.arange(2_000_000) % 25, "y": np.arange(2_000_000) % 2}).write_parquet(tmp_path / "m.parquet")
    data = vt.TableData.from_parquet(tmp_path / "m.parquet", "y")
    assert (len(data.train_rows), len(data.valid_rows)) == (1_800_000, 200_000)


def test_files_that_cannot_be_used_are_named(files: Path) -> None:
    odd = files / "odd.parquet"
    (files / "empty").mkdir()
    for make, told in (
        (lambda: trips(5).drop("fare").write_parquet(odd), r"'fare' of .*odd.parquet is not there"),
        (
            lambda: trips(5).cast({"fare": pl.Int32}).write_parquet(odd),
            r"'fare' of .*odd.parquet is Int32, and Float64",
        ),
        (lambda: odd.write_text("miles,town\n1,2\n"), "odd.parquet cannot be read as Parquet"),
    ):
        make()
        with pytest.raises(vt.DataError, match=told):
            vt.TableData.from_parquet(files, "tip")
    odd.unlink()
    with pytest.raises(vt.DataError, match=r"Did you mean 'a.parquet'"):
        vt.TableData.from_parquet(files / "aa.parquet", "tip")
    with pytest.raises(vt.DataError, match="no file like"):
        vt.TableData.from_parquet(files / "*.pq", "tip")
    with pytest.raises(vt.DataError, match=r"without a file that ends in .parquet"):
        vt.TableData.from_parquet(files / "empty", "tip")
    with pytest.raises(vt.DataError, match="no rows"):
        vt.TableData.from_parquet(files / "c.parquet", "tip")
    with pytest.raises(vt.DataError, match="no column 'tips'"):
        vt.TableData.from_parquet(files, "tips")
    with pytest.raises(vt.VectableError, match="names no file"):
        vt.TableData.from_parquet([], "tip")
    with pytest.raises(vt.VectableError, match=r"block_rows must be .*; got 0"):
        vt.TableData.from_parquet(files, "tip", block_rows=0)
    data = vt.TableData.from_parquet(files, "tip", block_rows=50)
    table = ParquetTable(files)
    trips(60).write_parquet(files / "a.parquet")
    with pytest.raises(vt.DataError, match="is not what it was"):
        vt.tabular_learner(data, progress=False).fit(1)
    with pytest.raises(vt.DataError, match="is not what it was"):
        table["fare"]
