"""Estimates of what training takes: the sizes that the engines have, the verdict, and the command."""

import json

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, vectable
from vectable.training import planning
from vectable.training.engines.compiled.tables import Table
from vectable.training.engines.sgd.packed_rows import PackedRows
from vectable.training.planning import estimate_training, packed_bytes


@pytest.mark.parametrize("n_factors", [1, 14, 15, 16, 40, 64])
def test_packed_rows_are_as_large_as_the_engines_make_them(n_factors):
    factors, bias = np.zeros((50, n_factors), dtype=np.float32), np.zeros(50, dtype=np.float32)
    compiled, sgd = Table(factors, bias), PackedRows(factors, bias, of_items=False)
    assert packed_bytes("compiled", n_factors) * 50 == compiled.packed.nbytes + compiled.last.nbytes
    assert packed_bytes("sgd", n_factors) * 50 == sgd.table.nbytes + sgd.squares.nbytes


def test_the_engine_is_the_one_that_trains_so_many_ratings():
    assert estimate_training(4_999_999, 10, 10, 8).engine == "compiled"
    assert estimate_training(5_000_000, 10, 10, 8).engine == "sgd"
    assert estimate_training(5_000_000, 10, 10, 8, "compiled").engine == "compiled"


def test_the_parts_add_up_and_grow_with_what_they_are_of():
    one = estimate_training(10**7, 10**6, 10**5, 64)
    assert one.peak_bytes == planning.PROGRAM_BYTES + one.ratings_bytes + one.tables_bytes
    more_rows, more_users = estimate_training(2 * 10**7, 10**6, 10**5, 64), estimate_training(10**7, 10**7, 10**5, 64)
    assert (more_rows.ratings_bytes, more_rows.tables_bytes) == (2 * one.ratings_bytes, one.tables_bytes)
    assert more_users.tables_bytes > 9 * one.tables_bytes


def test_the_verdict(monkeypatch):
    monkeypatch.setattr(planning, "machine_memory", lambda: 2**40)
    assert "This machine is enough" in estimate_training(10**9, 10**8, 10**7, 64).verdict
    monkeypatch.setattr(planning, "machine_memory", lambda: 2**30)
    assert estimate_training(10**9, 10**8, 10**7, 64).fits is False
    monkeypatch.setattr(planning, "machine_memory", lambda: None)
    assert estimate_training(10**9, 10**8, 10**7, 64).fits is None
    assert "at most 2,147,483,647" in estimate_training(2**31, 10, 10, 8).verdict


@pytest.mark.parametrize("given", [(0, 1, 1, 1), (1, 1, 1, 0), (1, 1.5, 1, 1)])
def test_numbers_that_are_none_are_refused(given):
    with pytest.raises(vt.VectableError, match="positive integer"):
        estimate_training(*given)
    with pytest.raises(vt.VectableError, match="engine must be one of"):
        estimate_training(1, 1, 1, 1, "torch")


def test_the_command(tmp_path):
    frame = pl.DataFrame({"user": [1, 2, 2], "item": [5, 5, 6], "rating": [1.0, 2.0, 3.0]})
    frame.write_parquet(tmp_path / "ratings.parquet")
    vt.encode_lanes(tmp_path / "ratings.parquet", tmp_path / "lanes", 2)
    said = json.loads(good(vectable("plan", tmp_path / "lanes", "--factors", 8, "--json")).stdout)
    assert (said["rows"], said["users"], said["items"]) == (3, 2, 2)
    assert said["fits"] is True
