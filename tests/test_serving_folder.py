"""Serving folders: each kind of model answers from one bit for bit as before, and says what it can do no more."""

import json
import pickle
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import vectable as vt
from commands import good, vectable
from every_kind import OF_ROWS, EveryKind, same
from vectable.artifact import read_folder, write_folder
from vectable.data.io.half_precision import from_half, to_half
from vectable.data.io.packed_arrays import (
    pack,
    pack_differences,
    pack_halves,
    unpack,
    unpack_differences,
    unpack_halves,
)
from vectable.folder_schema import PartError

KINDS = EveryKind()


@pytest.fixture(scope="module", params=KINDS.names)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, Any, Path]:
    """The name of a kind, a learner of it, and what its serving folder makes of it, and the folder."""
    learn = KINDS.make(request.param)
    folder = tmp_path_factory.mktemp("serving") / "model"
    learn.save(folder, serving=True)
    return request.param, learn, vt.load_learner(folder, progress=False), folder


@pytest.mark.filterwarnings("ignore:The draws are too few")
def test_it_answers_bit_for_bit_as_before(pair: tuple[str, Any, Any, Path]) -> None:
    name, learn, served, _ = pair
    for at, ask in enumerate(KINDS.questions(name)):
        assert same(ask(learn), ask(served)), f"question {at}"


def test_it_says_what_it_cannot_do(pair: tuple[str, Any, Any, Path]) -> None:
    name, _, served, folder = pair
    for ask in (lambda: served.fit(1), *((served.validate,) if hasattr(served, "validate") else ())):
        with pytest.raises(vt.VectableError, match=r"needs training data, and this model was loaded from a serving"):
            ask()
    if name in ("dot product", "ALS"):
        with pytest.raises(vt.VectableError, match=r"update\(\) needs training data"):
            served.update(KINDS.ratings)
    if name == "dot product":
        with pytest.raises(vt.ArtifactError, match="a serving folder, which holds no optimizer"):
            KINDS.make("dot product").load(folder)
        with pytest.raises(vt.VectableError, match=r"ranking\(\) needs"):
            served.ranking()


def test_it_holds_no_optimizer_no_held_out_rows_and_no_names_in_json(pair: tuple[str, Any, Any, Path]) -> None:
    name, learn, _, folder = pair
    files = {file.name.partition("-")[0] for file in folder.iterdir()}
    assert files.isdisjoint({"optimizer", "history", "chains", "rows"})
    if name not in OF_ROWS:
        assert "u149" not in "".join(file.read_text() for file in folder.glob("*.json"))
    whole = learn.save(folder.parent / "whole")
    sizes = [sum(file.stat().st_size for file in one.iterdir()) for one in (folder, whole)]
    assert sizes[0] < sizes[1]


def test_saved_again_and_pickled_it_is_the_same(pair: tuple[str, Any, Any, Path], tmp_path: Path) -> None:
    name, learn, served, _ = pair
    again = vt.load_learner(served.save(tmp_path / "again"), progress=False)
    for one in (again, pickle.loads(pickle.dumps(served))):
        assert one.serving
        for ask in KINDS.questions(name):
            assert same(ask(one), ask(learn))


@pytest.mark.slow
def test_the_command_writes_one_and_the_others_ask_it(tmp_path: Path) -> None:
    learn = KINDS.make("dot product")
    learn.save(tmp_path / "whole")
    done = json.loads(good(vectable("slim", tmp_path / "whole", tmp_path / "small", "--json")).stdout)
    assert done["written"] == str(tmp_path / "small")
    assert 0 < done["bytes"]["after"] < done["bytes"]["before"]
    assert vt.load_learner(tmp_path / "small", progress=False).recommend("u7", 3).equals(learn.recommend("u7", 3))
    good(vectable("info", tmp_path / "small"))
    assert json.loads(good(vectable("recommend", tmp_path / "small", "u7", "-n", "3", "--json")).stdout)


def damaged(contents: Any, name: str, array: np.ndarray, into: Path) -> str:
    """What loading says of a folder with another array among its ratings."""
    contents.tensors["ratings"] |= {name: torch.from_numpy(array)}
    write_folder(into, contents)
    with pytest.raises(vt.ArtifactError, match="is damaged") as refused:
        vt.load_learner(into, progress=False)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "repack", "value", "said"),
    [
        ("packed_items", pack_differences, 500, "by_popularity does not have"),
        ("by_popularity", np.array, 0, "by_popularity"),
        ("packed_items", pack_differences, -1, "by_popularity does not have"),
        ("paired_values", pack_halves, 15, "levels does not have"),
    ],
)
def test_codes_out_of_range_in_one_are_refused(name: str, repack: Any, value: int, said: str, tmp_path: Path) -> None:
    KINDS.make("dot product").save(tmp_path / "model", serving=True)
    contents = read_folder(tmp_path / "model")
    n_rows = int(contents.tensors["ratings"]["counts"].sum())
    codes = np.ones(n_rows, dtype=np.int32)
    codes[3] = value
    assert said in damaged(contents, name, repack(codes).copy(), tmp_path / "wrong")


def test_rows_that_are_not_as_many_as_counted_are_refused(tmp_path: Path) -> None:
    KINDS.make("dot product").save(tmp_path / "model", serving=True)
    for count in (-1, 3, 2**30):
        contents = read_folder(tmp_path / "model")
        counts = contents.tensors["ratings"]["counts"].numpy().copy()
        counts[3] = count
        damaged(contents, "counts", counts, tmp_path / "wrong")
    for content in (b"", b"no deflated bytes", zlib.compress(bytes(10**6))):
        packed = np.frombuffer(content, dtype=np.uint8).copy()
        said = damaged(
            read_folder(tmp_path / "model"),
            "packed_items",
            np.frombuffer(packed, dtype=np.uint8).copy(),
            tmp_path / "wrong",
        )
        assert "packed_items" in said


@pytest.mark.parametrize(
    "values", [[], [0], [7], [1, 2, 255, 5], [1, 2, 256, 5], [65535, 3], [65536, 0, 2**31 - 1], list(range(999))]
)
def test_what_is_packed_comes_back(values: list[int]) -> None:
    array = np.array(values, dtype=np.int32)
    assert unpack(pack(array), len(array), "it").tolist() == values
    assert unpack_differences(pack_differences(array), len(array), "it").tolist() == values


def test_weights_in_16_bits_move_answers_by_what_rounding_explains(pair: tuple[str, Any, Any, Path]) -> None:
    name, learn, _, folder = pair
    half = learn.save(folder.parent / "half", serving=True, half=True)
    kept, rounded = read_folder(folder).tensors.get("weights", {}), read_folder(half).tensors.get("weights", {})
    for key, one in kept.items():
        if one.dtype == torch.float32:
            assert rounded[key].dtype == torch.float16
            torch.testing.assert_close(rounded[key].float(), one, rtol=2**-11, atol=2**-25)
        else:
            assert torch.equal(rounded[key], one)
    served = vt.load_learner(half, progress=False)
    if name in ("numbers", "dot product"):
        assert np.allclose(served.predict(KINDS.rows), learn.predict(KINDS.rows), atol=0.01, rtol=0)
    else:
        for ask in KINDS.questions(name):
            ask(served)


def test_numbers_beyond_16_bits_stay_in_32() -> None:
    large = {"a": torch.tensor([1.0, 65_505.0]), "b": torch.tensor([1.0, 65_504.0]), "c": torch.tensor([2])}
    rounded = to_half(large)
    assert [one.dtype for one in rounded.values()] == [torch.float32, torch.float16, torch.int64]
    assert from_half(rounded, "weights").keys() == {"b"}
    with pytest.raises(PartError, match=r"weights\.a holds values that are not finite"):
        from_half({"a": torch.tensor([float("nan")]).half()}, "weights")


def test_rounding_is_for_serving_folders(tmp_path: Path) -> None:
    with pytest.raises(vt.VectableError, match="give serving=True with it"):
        KINDS.make("numbers").save(tmp_path / "model", half=True)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1001])
def test_codes_below_sixteen_share_bytes(n: int) -> None:
    codes = np.random.default_rng(n).integers(0, 16, n).astype(np.int32)
    packed = pack_halves(codes)
    assert np.array_equal(unpack_halves(packed, n, "here"), codes)
    with pytest.raises(PartError, match="here does not hold"):
        unpack_halves(packed, n + 2, "here")
