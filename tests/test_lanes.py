"""Lanes: ids to codes on disk, restarted after a kill, refused when damaged, and the ratings they give back."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good, vectable
from vectable.data.lanes.buckets import buckets_of
from vectable.data.lanes.lanes import open_lanes

IDS = {
    "whole": (lambda n: n * 7 - 40, lambda n: n),
    "text": (lambda n: f"user {n}", lambda n: f"item {n}"),
    "unicode": (lambda n: f"{'é漢😀'[n % 3]}{n}", lambda n: "" if n == 0 else f"ñ{n}"),
}


def ratings(kind="whole", n_rows=600, seed=0):
    rng = np.random.default_rng(seed)
    user_id, item_id = IDS[kind]
    users, items = rng.integers(0, 60, n_rows), rng.integers(0, 25, n_rows)
    return pl.DataFrame(
        {
            "user": [user_id(int(n)) for n in users],
            "item": [item_id(int(n)) for n in items],
            "rating": rng.integers(1, 6, n_rows).astype(np.float64),
            "time": rng.integers(0, 10**9, n_rows),
        }
    ).unique(["user", "item"], maintain_order=True)


def write(folder, frame, n_files=2):
    folder.mkdir()
    size = -(-len(frame) // n_files)
    for at in range(n_files):
        frame[at * size : (at + 1) * size].write_parquet(folder / f"{at}.parquet")
    return folder


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def decoded(lanes):
    """All rows with the ids that their codes stand for."""
    users, items = lanes.ids("users"), lanes.ids("items")
    rows = pl.concat(lanes.read("rows"))
    return rows.with_columns(user=users.gather(rows["user"] - 1), item=items.gather(rows["item"] - 1))


@pytest.mark.parametrize("kind", IDS)
def test_every_row_comes_back_with_its_ids(kind, tmp_path):
    frame = ratings(kind)
    lanes = vt.encode_lanes(write(tmp_path / "in", frame), tmp_path / "lanes", 5, timestamp="time", block_rows=100)
    assert (lanes.n_rows, lanes.n_users, lanes.n_items) == (len(frame), frame["user"].n_unique(), 25)
    expected = frame.with_columns(pl.col("rating").cast(pl.Float32), pl.col("time").cast(pl.Float64))
    assert decoded(lanes).sort("user", "item").equals(expected.sort("user", "item"))


def test_a_user_is_in_one_lane_whose_users_have_consecutive_codes(tmp_path):
    lanes = vt.encode_lanes(write(tmp_path / "in", ratings()), tmp_path / "lanes", 4)
    seen = [sorted(set(piece["user"])) for piece in lanes.read("rows")]
    assert [code for codes in seen for code in codes] == list(range(1, lanes.n_users + 1))
    assert min(map(len, seen)) > 0


@pytest.mark.parametrize("kind", IDS)
def test_the_bytes_do_not_depend_on_blocks_and_files(kind, tmp_path):
    frame = ratings(kind)
    made = []
    for name, n_files, block_rows in (("a", 1, 10_000), ("b", 3, 37)):
        vt.encode_lanes(write(tmp_path / name, frame, n_files), tmp_path / f"{name}-out", 4, block_rows=block_rows)
        made.append({file: its for file, its in content(tmp_path / f"{name}-out").items() if file != "manifest.json"})
    assert made[0] == made[1]


def test_the_bucket_of_an_id_is_the_same_everywhere():
    base, whole = 0x9E3779B97F4A7C15, 2**64
    numbers, texts = [0, 1, -1, 2**62], ["", "a", "ab", "ba", "漢"]

    def mixed(value):
        value = (value + base) % whole
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % whole
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB % whole
        return value ^ (value >> 31)

    def hashed(text):
        return sum((byte + 1) * base ** (at + 1) for at, byte in enumerate(text.encode())) % whole

    assert buckets_of(pl.Series(numbers), 1000).tolist() == [mixed(one) % 1000 for one in numbers]
    assert buckets_of(pl.Series(texts), 1000).tolist() == [mixed(hashed(one)) % 1000 for one in texts]
    assert buckets_of(pl.Series([], dtype=pl.String), 3).tolist() == []


@pytest.mark.parametrize("stopped_at", [0, 3, 9, 14, 20])
def test_a_run_stopped_anywhere_goes_on_to_the_same_bytes(stopped_at, tmp_path, monkeypatch):
    from vectable.data.lanes import writer

    source = write(tmp_path / "in", ratings())
    vt.encode_lanes(source, tmp_path / "whole", 4, block_rows=100)
    written, write_whole = [], writer.write_whole

    def killed(path, write):
        if len(written) == stopped_at:
            raise KeyboardInterrupt
        written.append(path)
        return write_whole(path, write)

    monkeypatch.setattr(writer, "write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        vt.encode_lanes(source, tmp_path / "stopped", 4, block_rows=100)
    monkeypatch.setattr(writer, "write_whole", write_whole)
    with pytest.raises(vt.DataError, match="holds no finished lanes"):
        vt.RatingsData.from_lanes(tmp_path / "stopped")
    vt.encode_lanes(source, tmp_path / "stopped", 4, block_rows=100)
    assert content(tmp_path / "stopped") == content(tmp_path / "whole")


def test_finished_lanes_are_left_alone_and_others_are_refused(tmp_path):
    source = write(tmp_path / "in", ratings())
    vt.encode_lanes(source, tmp_path / "lanes", 3)
    before = content(tmp_path / "lanes")
    assert len(vt.encode_lanes(source, tmp_path / "lanes", 3)) == 3
    with pytest.raises(vt.DataError, match="another source or made otherwise"):
        vt.encode_lanes(source, tmp_path / "lanes", 4)
    with pytest.raises(vt.DataError, match="holds other things"):
        vt.encode_lanes(source, tmp_path / "in", 3)
    assert content(tmp_path / "lanes") == before


def test_a_damaged_or_missing_piece_is_refused(tmp_path):
    vt.encode_lanes(write(tmp_path / "in", ratings()), tmp_path / "lanes", 3)
    piece = tmp_path / "lanes" / "rows" / "00001.parquet"
    whole = piece.read_bytes()
    piece.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    with pytest.raises(vt.DataError, match=r"00001\.parquet is damaged"):
        vt.RatingsData.from_lanes(tmp_path / "lanes")
    piece.unlink()
    with pytest.raises(vt.DataError, match=r"00001\.parquet is missing"):
        vt.RatingsData.from_lanes(tmp_path / "lanes")


def test_a_manifest_that_is_damaged_or_names_other_files_is_refused(tmp_path):
    vt.encode_lanes(write(tmp_path / "in", ratings()), tmp_path / "lanes", 3)
    manifest = tmp_path / "lanes" / "manifest.json"
    said = json.loads(manifest.read_text())
    said["pieces"]["rows"][0]["file"] = "../in/0.parquet"
    manifest.write_text(json.dumps(said))
    with pytest.raises(vt.VectableError, match="outside its folder"):
        vt.RatingsData.from_lanes(tmp_path / "lanes")
    manifest.write_text("{}")
    with pytest.raises(vt.DataError, match="is damaged"):
        open_lanes(tmp_path / "lanes")


def test_ratings_of_lanes_hold_what_the_table_holds(tmp_path):
    frame = ratings("text")
    vt.encode_lanes(write(tmp_path / "in", frame), tmp_path / "lanes", 4)
    data = vt.RatingsData.from_lanes(tmp_path / "lanes", valid_pct=0.2, seed=1)
    parts = [
        pl.DataFrame(
            {"user": data.user_ids.decode(part.user), "item": data.item_ids.decode(part.item), "rating": part.rating}
        )
        for part in (data.train_ratings, data.valid_ratings)
    ]
    assert len(parts[0]) + len(parts[1]) == len(frame)
    assert len(parts[1]) == int(0.2 * len(frame))
    known = parts[1].drop_nulls()
    expected = frame.select("user", "item", pl.col("rating").cast(pl.Float32))
    both = pl.concat([parts[0], known])
    assert both.join(expected, on=["user", "item", "rating"], how="semi").height == len(both)
    assert len(both) == len(frame) - parts[1].null_count().sum_horizontal().item()
    assert set(parts[0]["user"]) == set(data.user_ids.vocabulary)


def test_a_model_is_trained_from_lanes(tmp_path):
    vt.encode_lanes(write(tmp_path / "in", ratings("text")), tmp_path / "lanes", 4)
    learn = vt.collab_learner(vt.RatingsData.from_lanes(tmp_path / "lanes"), n_factors=4)
    learn.fit_one_cycle(1)
    predicted = learn.predict(pl.DataFrame({"user": ["user 3", "user 9"], "item": ["item 4", "item 0"]}))
    assert all(0 < one < 6 for one in predicted)


def test_bad_rows_are_named(tmp_path):
    frame = ratings()
    bad = frame.with_columns(rating=pl.when(pl.int_range(pl.len()) == 150).then(None).otherwise("rating"))
    with pytest.raises(vt.DataError, match=r"row 51 of block 2 of .*0\.parquet \(from row 101\)"):
        vt.encode_lanes(write(tmp_path / "a", bad, 1), tmp_path / "out-a", 2, block_rows=100)
    missing = frame.with_columns(user=pl.when(pl.int_range(pl.len()) >= 20).then("user"))
    source = write(tmp_path / "b", missing, 1)
    with pytest.raises(vt.DataError, match="20 of"):
        vt.encode_lanes(source, tmp_path / "out-b", 2)
    with pytest.warns(vt.VectableWarning, match="20 rows"):
        lanes = vt.encode_lanes(source, tmp_path / "out-c", 2, missing_ids="drop")
    assert lanes.n_rows == len(frame) - 20
    halves = write(tmp_path / "d", frame.with_columns(user=pl.col("user") + 0.5), 1)
    with pytest.raises(vt.DataError, match="no whole numbers of 64 bits"):
        vt.encode_lanes(halves, tmp_path / "out-d", 2)


def test_repeated_pairs_are_counted(tmp_path):
    frame = ratings()
    source = write(tmp_path / "in", pl.concat([frame, frame.head(30)]))
    with pytest.warns(vt.VectableWarning, match="30 of the"):
        assert vt.encode_lanes(source, tmp_path / "lanes", 3).repeats == 30


def test_the_command(tmp_path):
    write(tmp_path / "in", ratings())
    out = tmp_path / "lanes"
    done = good(vectable("encode", tmp_path / "in" / "*.parquet", "-o", out, "--lanes", 3, "--json"))
    assert json.loads(done.stdout)["lanes"] == 3
    assert Path(out, "manifest.json").is_file()


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("repeats", [None, "any"])
def test_interactions_of_lanes_are_those_of_the_table(kind, repeats, tmp_path):
    frame = pl.concat([ratings(kind), ratings(kind, 200, seed=1)]).rename({"rating": "plays"})
    source = write(tmp_path / "in", frame)
    vt.encode_lanes(source, tmp_path / "lanes", 4, interactions=True, count="plays", timestamp="time", block_rows=90)
    found = vt.InteractionsData.from_lanes(tmp_path / "lanes", repeats=repeats)
    expected = vt.InteractionsData.from_df(frame, "user", "item", count="plays", timestamp="time", repeats=repeats)

    def named(data):
        rows = data.interactions
        ids = {"user": data.user_ids.decode(rows.user), "item": data.item_ids.decode(rows.item)}
        return pl.DataFrame({**ids, "count": rows.count, "time": rows.time, "part": data.parts}).sort("user", "item")

    assert named(found).equals(named(expected))
    assert found.split == expected.split == "last"


@pytest.mark.slow
def test_lanes_of_ratings_are_interactions_too_and_not_the_other_way_round(tmp_path):
    frame = ratings()
    vt.encode_lanes(write(tmp_path / "in", frame), tmp_path / "ratings", 3)
    data = vt.InteractionsData.from_lanes(tmp_path / "ratings")
    assert len(data.interactions) == len(frame)
    assert set(data.interactions.count.tolist()) == {1.0}
    vt.implicit_learner(data, "ease", progress=False).fit()
    with pytest.raises(vt.DataError, match="these lanes have none"):
        vt.InteractionsData.from_lanes(tmp_path / "ratings", split="time")
    good(vectable("encode", tmp_path / "in", "-o", tmp_path / "met", "--interactions", "--lanes", 3))
    for window in (None, 2):
        with pytest.raises(vt.DataError, match="lanes of interactions"):
            vt.RatingsData.from_lanes(tmp_path / "met", window=window)
