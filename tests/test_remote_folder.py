"""Saved folders at an address: downloaded once, checked, and refused in a sentence where they cannot be read."""

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import vectable as vt
from commands import good, vectable
from vectable.remote_folder import cache_folder, local_folder

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VECTABLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    baskets = [(day, item) for day in range(40) for item in ("tea", "milk" if day % 3 else "lemon")]
    data = vt.InteractionsData.from_df(pl.DataFrame(baskets, ["basket", "item"], orient="row"))
    return Path(vt.implicit_learner(data, "ease", progress=False).fit().save(tmp_path_factory.mktemp("m") / "model"))


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """The folder in fsspec's memory."""
    files = fsspec.filesystem("memory")
    files.put(f"{folder}/", "/models/baskets/", recursive=True)
    yield "memory://models/baskets"
    files.rm("/models", recursive=True)


def test_an_address_is_read_like_a_folder(folder: Path, address: str, cache: Path) -> None:
    local = vt.load_learner(folder, progress=False)
    for _ in range(2):
        assert vt.load_learner(address, progress=False).recommend(3, 2).equals(local.recommend(3, 2))
    assert vt.load_answers(address).version == vt.load_answers(folder).version
    assert len(list(cache.iterdir())) == 1  # downloaded once


def test_a_newer_save_at_the_address_is_read(folder: Path, address: str, cache: Path) -> None:
    first = local_folder(address)
    learn = vt.load_learner(folder, progress=False)
    again = learn.save(folder.parent / "again")
    files = fsspec.filesystem("memory")
    files.rm("/models/baskets", recursive=True)
    files.put(f"{again}/", "/models/baskets/", recursive=True)
    assert local_folder(address) != first
    assert len(list(cache.iterdir())) == 2


def test_over_http_and_what_is_not_there(folder: Path) -> None:
    pytest.importorskip("aiohttp")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        place = f"http://127.0.0.1:{server.server_address[1]}"
        assert vt.load_answers(f"{place}/{folder.name}").recommend(3, 1)["items"]
        with pytest.raises(vt.ArtifactError, match=r"There is no saved model at 'http://127.0.0.1:\d+/other'"):
            vt.load_learner(f"{place}/other?token=secret")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_damaged_or_leads_elsewhere_is_refused_and_not_kept(address: str, cache: Path) -> None:
    files = fsspec.filesystem("memory")
    manifest = json.loads(files.cat("/models/baskets/vectable.json"))
    name = next(iter(manifest["files"].values()))["file"]
    whole = files.cat(f"/models/baskets/{name}")
    for damaged in (whole[:-1], whole + b"?", whole[:-1] + bytes([whole[-1] ^ 1])):
        files.pipe(f"/models/baskets/{name}", damaged)
        with pytest.raises(vt.ArtifactError, match="byte for byte"):
            vt.load_learner(address)
    files.rm(f"/models/baskets/{name}")
    with pytest.raises(vt.ArtifactError, match=f"its file {name} is missing"):
        vt.load_learner(address)
    files.pipe("/models/baskets/vectable.json", json.dumps({**manifest, "kind": "other"}).encode())
    with pytest.raises(vt.ArtifactError, match="damaged"):
        vt.load_learner(address)
    assert list(cache.iterdir()) == []


def test_an_address_that_nothing_reads_is_a_sentence() -> None:
    with pytest.raises(vt.VectableError, match="'nothing://user/model' is no address that fsspec reads"):
        vt.load_learner("nothing://user:password@user/model")
    with pytest.raises(vt.ArtifactError, match="There is no saved model at 'memory://nowhere'"):
        vt.load_answers("memory://nowhere")
    assert cache_folder().name == "models"
    assert local_folder("some/folder") == Path("some/folder")


@pytest.mark.slow
def test_commands_take_addresses(folder: Path) -> None:
    done = good(vectable("recommend", f"file://{folder}", "3", "-n", "1", "--json"))
    assert [one["item"] for one in json.loads(done.stdout)] == ["milk"]
    assert "is no address that" in vectable("info", "nothing://x").stderr
