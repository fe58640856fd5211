"""Named data sets: shipped, in a folder, in the cache, downloaded, and nowhere; and the MovieLens layouts."""

import contextlib
import hashlib
import http.server
import importlib.resources
import io
import os
import socket
import threading
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from vectable.data.sets import cache_folder, catalogue
from vectable.data.sets.downloading import DownloadError, download
from vectable.data.sets.movielens import is_movielens, read_movielens
from vectable.errors import DataError, UnknownNameError


def data_folder(name: str) -> Path:
    """A folder of the test data; skips the test where it is not on this machine."""
    given = os.environ.get("VECTABLE_DATA")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (root / name).is_dir():
        pytest.skip(f"no folder {name} in {root}; set VECTABLE_DATA to a folder that has it")
    return root / name


def lay(folder: Path, files: dict[str, str | bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


NO_GENRES = "|".join("0" * 16)
TINY_100K: dict[str, str | bytes] = {
    "u.data": "1\t10\t5\t881250949\n1\t11\t3\t881250950\n2\t10\t4\t881250951\n",
    "u.item": (
        f"10|Toy Story (1995)|01-Jan-1995||http://x|0|1|0|{NO_GENRES}\n"
        f"11|Belle de jour, é (1967) |01-Jan-1967||http://x|0|1|1|{NO_GENRES}\n"
        f"12|unknown||||0|0|0|{NO_GENRES}\n"
    ).encode("latin-1"),
    "u.user": "1|24|M|technician|00501\n2|53|F|other|94043\n",
}
TINY_CSV: dict[str, str | bytes] = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,3,0.5,964981247\n2,1,5.0,964982224\n",
    "movies.csv": (
        'movieId,title,genres\n1,Toy Story (1995),Adventure|Comedy\n3,"Misérables, Les (1998)",(no genres listed)\n'
        '5,"Land Before Time III (1995) (V)",Animation\n'
    ),
    "tags.csv": "userId,movieId,tag,timestamp\n1,1,fun,1\n",
}


# ------------------------------------------------------------------------------------------------ shipped


@pytest.mark.parametrize("name", ["goodbooks", "movietweetings"])
def test_a_shipped_set_is_what_its_info_says(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VECTABLE_DATA", str(tmp_path))
    known, loaded = catalogue.info(name), catalogue.load(name, download=False)
    assert known.shipped
    assert len(loaded.ratings) == known.ratings
    assert loaded.ratings[loaded.user].n_unique() == known.users
    assert loaded.items is not None
    assert loaded.items.height == known.items
    assert set(loaded.ratings[loaded.item]) == set(loaded.items[loaded.item])
    assert loaded.ratings.select(loaded.user, loaded.item).is_duplicated().sum() == 0
    assert loaded.ratings.select(loaded.user, loaded.item, loaded.rating).dtypes == [pl.Int64] * 3
    low, high = loaded.y_range
    assert low < loaded.ratings[loaded.rating].min() < loaded.ratings[loaded.rating].max() < high
    assert high - low <= 12
    assert loaded.licence == known.licence
    assert loaded.source == known.source


def test_goodbooks_titles_belong_to_their_ratings() -> None:
    books = catalogue.load("goodbooks")
    assert books.items is not None
    assert (books.title, books.timestamp) == ("title", None)
    loved = (
        books.ratings.group_by("item")
        .agg(pl.len(), pl.col("rating").mean())
        .join(books.items, on="item")
        .sort("len", descending=True)
    )
    assert loved["title"][0] == "The Hunger Games (The Hunger Games, #1)"
    assert loved["len"][0] == 1_001
    twilight = loved.filter(pl.col("title").str.starts_with("Twilight (Twilight"))
    potter = loved.filter(pl.col("title").str.starts_with("Harry Potter and the Prisoner"))
    assert twilight["rating"].item() < 3.3 < 4.3 < potter["rating"].item()
    assert books.items["genres"][0].startswith("contemporary|fantasy|")
    assert not books.items["genres"].str.contains(",").any()
    twice = books.items.filter(pl.col("title").is_duplicated())
    assert twice["title"].to_list() == ["'Salem's Lot"] * 2
    assert twice["item"].n_unique() == 2


def test_movietweetings_has_days_and_films() -> None:
    films = catalogue.load("movietweetings")
    assert films.timestamp == "day"
    assert (films.ratings["day"].min(), films.ratings["day"].max()) == (15_764, 16_015)
    assert films.items is not None
    most = films.ratings["item"].value_counts(sort=True)["item"][0]
    assert films.items.filter(pl.col("item") == most)["title"].item() == "Iron Man 3 (2013)"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("goodbooks", ["Attribution-ShareAlike 4.0", "Zygmunt Zając"]),
        ("movietweetings", ["MIT", "Simon Dooms"]),
        ("adult", ["Attribution 4.0", "Barry Becker and Ronny Kohavi"]),
        ("flights", ["CC0 1.0", "Hadley Wickham"]),
        ("fashion", ["MIT", "Han Xiao, Kashif Rasul and Roland Vollgraf"]),
    ],
)
def test_licence_and_attribution_are_shipped_beside_the_data(name: str, said: list[str]) -> None:
    folder = importlib.resources.files("vectable.data.sets") / "shipped" / name
    licence, readme = (folder / "LICENSE").read_text("utf-8"), (folder / "README.md").read_text("utf-8")
    assert said[0] in licence
    assert said[1] in readme
    assert "Changes made to the original" in readme


def test_to_data_hands_over_columns_and_side_tables() -> None:
    data = catalogue.load("goodbooks").to_data(valid_pct=0.2, seed=3)
    assert (data.n_users, data.n_items) == (2_133, 1_821)
    assert len(data.valid) == pytest.approx(0.2 * 177_051, abs=2)
    assert "The Hunger Games (The Hunger Games, #1)" in data.item_names(list(range(data.n_items))).to_list()


def test_repr_is_one_line_with_counts_and_licence() -> None:
    assert repr(catalogue.load("goodbooks")) == (
        "RatingsSet('goodbooks': 177,051 ratings of 1,821 items by 2,133 users; CC BY-SA 4.0)"
    )


# ----------------------------------------------------------------------------------------- names and info


def test_an_unknown_name_is_refused_with_the_closest() -> None:
    with pytest.raises(UnknownNameError, match=r"no data set named 'ml-100'\. Did you mean 'ml-100k'.*'goodbooks'"):
        catalogue.load("ml-100")
    with pytest.raises(UnknownNameError, match=r"no data set named 'zzz'\. There are 'goodbooks'"):
        catalogue.info("zzz")


def test_case_and_underscores_do_not_matter() -> None:
    assert catalogue.info("ML_100K").name == "ml-100k"
    assert catalogue.load("GoodBooks").name == "goodbooks"


def test_every_set_says_how_it_is_come_by() -> None:
    assert catalogue.names()[:6] == ["goodbooks", "movietweetings", "adult", "flights", "fashion", "ml-100k"]
    checksums = set()
    for name in catalogue.names():
        known = catalogue.info(name)
        assert known.licence
        assert known.source
        if known.shipped:
            assert getattr(known, "url", None) is None
            assert "Comes with the package" in str(known)
        else:
            assert isinstance(known, catalogue.SetInfo)
            assert known.url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
            assert known.sha256 is not None
            assert len(bytes.fromhex(known.sha256)) == 32
            assert "MB" in str(known)
            checksums.add(known.sha256)
    assert len(checksums) == len(catalogue.names()) - 5


# ------------------------------------------------------------------------------------- MovieLens layouts


def test_ml_100k() -> None:
    films = read_movielens(data_folder("ml-100k"))
    assert films.name == "ml-100k"
    assert films.ratings.shape == (100_000, 4)
    assert films.ratings["user"].n_unique() == 943
    assert films.ratings["rating"].value_counts().sort("rating")["count"].to_list() == [
        6_110,
        11_370,
        27_145,
        34_174,
        21_201,
    ]
    assert films.items is not None
    assert films.items.columns == ["item", "title", "year", "genres", "release_date"]
    assert films.items.height == 1_682
    assert films.items["title"].n_unique() == 1_682 - 18
    assert films.items["genres"].null_count() == 0
    genres = films.items["genres"].str.split("|").explode()
    assert genres.n_unique() == 19
    assert dict(genres.value_counts().iter_rows())["Drama"] == 725
    assert films.items.row(0) == (1, "Toy Story (1995)", 1995, "Animation|Children's|Comedy", "01-Jan-1995")
    assert films.items.row(266) == (267, "unknown", None, "unknown", None)
    assert "Misérables, Les (1995)" in films.items["title"].to_list()
    assert films.items["year"].null_count() == 1
    assert films.users is not None
    assert films.users.height == 943
    assert films.users["zip_code"].dtype == pl.String
    assert films.timestamp == "timestamp"
    assert "research use" in films.licence


def test_ml_100k_folds() -> None:
    films = read_movielens(data_folder("ml-100k"))
    assert [(len(train), len(valid)) for train, valid in films.folds] == [(80_000, 20_000)] * 5
    together = pl.concat([valid for _, valid in films.folds]).sort("user", "item")
    assert together.equals(films.ratings.sort("user", "item"))
    train, valid = films.fold("ua")
    assert (len(train), len(valid)) == (90_570, 9_430)
    assert valid["user"].value_counts()["count"].unique().to_list() == [10]
    assert films.fold("u1")[0].row(0) == (1, 1, 5, 874965758)
    with pytest.raises(UnknownNameError, match=r"ml-100k has no fold 'u6'; its folds are 'u1', 'u2'"):
        films.fold("u6")


def test_ml_1m() -> None:
    films = read_movielens(data_folder("ml-1m"))
    assert films.ratings.height == 1_000_209
    assert films.ratings["user"].n_unique() == 6_040
    assert films.ratings["item"].n_unique() == 3_706
    assert films.items is not None
    assert films.items.shape == (3_883, 4)
    assert films.items["year"].null_count() == 0
    assert films.users is not None
    assert films.users.height == 6_040
    assert films.users.row(0) == (1, 1, "F", "K-12 student", "48067")
    assert films.users["occupation"].null_count() == 0
    assert films.folds == ()


def test_folds_are_read_only_when_asked_for(tmp_path: Path) -> None:
    halves = {f"u{n}.{part}": TINY_100K["u.data"] for n in range(1, 6) for part in ("base", "test")}
    folder = lay(tmp_path / "ml-100k", TINY_100K | halves | {"u3.test": "nonsense\n"})
    films = read_movielens(folder)
    assert len(films.fold("u1")[0]) == 3
    with pytest.raises(DataError, match=r"u3\.test"):
        _ = films.folds


def test_tiny_ml_100k(tmp_path: Path) -> None:
    films = read_movielens(lay(tmp_path / "mine", TINY_100K))
    assert films.name == "ml-100k"
    assert films.items is not None
    assert films.items.select("title", "year", "genres").rows() == [
        ("Toy Story (1995)", 1995, "Action"),
        ("Belle de jour, é (1967)", 1967, "Action|Adventure"),
        ("unknown", None, None),
    ]
    assert films.users is not None
    assert films.users["zip_code"].to_list() == ["00501", "94043"]
    assert films.folds == ()
    with pytest.raises(UnknownNameError, match="it has none"):
        films.fold("u1")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
@pytest.mark.parametrize("with_time", [True, False])
def test_tiny_ml_1m(tmp_path: Path, with_time: bool, encoding: str) -> None:
    name, time = ("ratings.dat", "::978300760") if with_time else ("ratings_no_timestamp.dat", "")
    movies = '1193::Misérables, Les (1995)::Drama|Musical\n661::James: a "Peach" (1996)::Animation\n'
    folder = lay(
        tmp_path / "ml-1m",
        {
            name: f"1::1193::5{time}\n1::661::3{time}\n2::1193::4{time}\n",
            "movies.dat": movies.encode(encoding),
            "users.dat": "1::F::1::10::48067\n2::M::56::16::00231\n",
        },
    )
    films = read_movielens(folder)
    assert films.ratings.columns == ["user", "item", "rating", "timestamp"][: 4 if with_time else 3]
    assert films.timestamp == ("timestamp" if with_time else None)
    assert films.ratings["rating"].to_list() == [5, 3, 4]
    assert films.items is not None
    assert films.items["title"].to_list() == ["Misérables, Les (1995)", 'James: a "Peach" (1996)']
    assert films.users is not None
    assert films.users.rows()[1] == (2, 56, "M", "self-employed", "00231")


@pytest.mark.parametrize("name", ["ml-latest-small", "ml-20m", "ml-25m", "films"])
def test_tiny_csv_layout(tmp_path: Path, name: str) -> None:
    films = read_movielens(lay(tmp_path / name, TINY_CSV))
    assert films.name == (name if name.startswith("ml-") else "movielens")
    assert films.ratings.columns == ["user", "item", "rating", "timestamp"]
    assert films.ratings.row(1) == (1, 3, 0.5, 964981247)
    assert films.items is not None
    assert films.items.rows() == [
        (1, "Toy Story (1995)", 1995, "Adventure|Comedy"),
        (3, "Misérables, Les (1998)", 1998, None),
        (5, "Land Before Time III (1995) (V)", 1995, "Animation"),
    ]
    assert films.users is None
    assert films.y_range == (0.0, 5.5)


def test_side_tables_may_be_missing(tmp_path: Path) -> None:
    films = read_movielens(lay(tmp_path / "ml-20m", {"ratings.csv": TINY_CSV["ratings.csv"]}))
    assert films.items is None
    assert films.title is None
    assert films.to_data(valid_pct=0).n_items == 2


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    lay(tmp_path, {"photo.jpg": b"x"})
    assert not is_movielens(tmp_path)
    with pytest.raises(DataError, match=r"is not one: none of 'u\.data', 'ratings\.dat', .*'ratings\.csv' is there"):
        read_movielens(tmp_path)
    with pytest.raises(DataError, match="nowhere does not exist"):
        read_movielens(tmp_path / "nowhere")


def test_files_that_are_not_what_their_names_say(tmp_path: Path) -> None:
    csv = lay(tmp_path / "a", {"ratings.csv": "user,movie,rating\n1,2,3\n"})
    with pytest.raises(DataError, match=r"ratings\.csv has no column 'userId'\. Did you mean 'user'"):
        read_movielens(csv)
    dat = lay(tmp_path / "b", {"ratings.dat": "1::2\n3::4\n"})
    with pytest.raises(DataError, match=r"ratings\.dat has 2 columns where MovieLens has user::item::rating"):
        read_movielens(dat)
    data = lay(tmp_path / "c", {"u.data": "1\t2\t3\n"})
    with pytest.raises(DataError, match=r"u\.data has 3 columns .* columns gives 4 names"):
        read_movielens(data)


# ------------------------------------------------------------------------------------ where it is looked for


@pytest.fixture
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data directory, an empty cache, and no way out; returns the cache."""

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a test reached for the network")

    monkeypatch.delenv("VECTABLE_DATA", raising=False)
    monkeypatch.setattr(catalogue, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    return tmp_path / "cache"


def test_found_in_data_dir_then_variable_then_cache(
    empty_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_rows(n: int) -> dict[str, str | bytes]:
        return {"u.data": "".join(f"{row}\t1\t5\t8\n" for row in range(n))}

    lay(empty_machine / "ml-100k", with_rows(1))
    assert len(catalogue.load("ml-100k").ratings) == 1
    lay(tmp_path / "variable" / "ml-100k", with_rows(2))
    monkeypatch.setenv("VECTABLE_DATA", str(tmp_path / "variable"))
    assert len(catalogue.load("ml-100k").ratings) == 2
    lay(tmp_path / "given" / "ml-100k", with_rows(3))
    assert len(catalogue.load("ml-100k", data_dir=tmp_path / "given").ratings) == 3
    assert len(catalogue.load("ml-100k", data_dir=tmp_path / "given" / "ml-100k").ratings) == 3
    (tmp_path / "bare").mkdir()
    assert len(catalogue.load("ml-100k", data_dir=tmp_path / "bare").ratings) == 2


def test_found_nowhere_lists_what_was_tried(
    empty_machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError) as caught:
        catalogue.load("ml-1m", data_dir=tmp_path, download=False)
    message = str(caught.value)
    assert f"not in data_dir ({tmp_path / 'ml-1m'})" in message
    assert "VECTABLE_DATA is not set" in message
    assert f"not in the cache ({empty_machine / 'ml-1m'})" in message
    assert "not downloaded from https://files.grouplens.org/datasets/movielens/ml-1m.zip (download=False)" in message
    assert "data_dir= or in the variable VECTABLE_DATA" in message
    monkeypatch.setenv("VECTABLE_DATA", str(tmp_path / "nothing"))
    with pytest.raises(DataError, match=r"not in VECTABLE_DATA \(.*nothing.ml-1m\)"):
        catalogue.load("ml-1m", download=False)
    assert not empty_machine.exists()


def test_a_data_dir_that_is_no_folder(empty_machine: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data directory .*missing is not a folder"):
        catalogue.load("ml-1m", data_dir=tmp_path / "missing")


def test_without_a_checksum_nothing_is_downloaded(empty_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unchecked = replace(catalogue.info("ml-1m"), url=None, sha256=None, bytes=None)
    monkeypatch.setitem(catalogue.CATALOGUE, "ml-1m", unchecked)
    assert "Not downloaded, no checksum of it being known" in str(catalogue.info("ml-1m"))
    with pytest.raises(DataError, match="not offered for download, since no checksum of it is known"):
        catalogue.load("ml-1m")


def test_the_cache_is_where_the_platform_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache_folder.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert catalogue.cache_dir() == tmp_path / "vectable"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert catalogue.cache_dir() == tmp_path / ".cache" / "vectable"
    monkeypatch.setattr(cache_folder.sys, "platform", "darwin")
    assert catalogue.cache_dir() == tmp_path / "Library" / "Caches" / "vectable"
    monkeypatch.setattr(cache_folder.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert catalogue.cache_dir() == tmp_path / "local" / "vectable"


# ----------------------------------------------------------------------------------------------- download


def zipped(files: dict[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


GOOD_ZIP = zipped({f"ml-100k/{name}": content for name, content in TINY_100K.items()})

Offer = Callable[..., str]


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offer]:
    """Serve bytes on the loopback as ml-100k's archive: ``offer(body, checksum_of=..., announce=..., status=...)``."""
    monkeypatch.delenv("VECTABLE_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(catalogue, "cache_dir", lambda: tmp_path / "cache")
    answer = {"body": b"", "announce": 0, "status": 200}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.send_header("Content-Length", str(answer["announce"]))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def serve(
        body: bytes,
        checksum_of: bytes | None = None,
        announce: int | None = None,
        status: int = 200,
        size: int | None = None,
    ) -> str:
        answer.update(body=body, announce=len(body) if announce is None else announce, status=status)
        url = f"http://127.0.0.1:{server.server_port}/ml-100k.zip"
        sha256 = hashlib.sha256(body if checksum_of is None else checksum_of).hexdigest()
        entry = replace(catalogue.info("ml-100k"), url=url, sha256=sha256, bytes=len(body) if size is None else size)
        monkeypatch.setitem(catalogue.CATALOGUE, "ml-100k", entry)
        return url

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


RawServer = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def raw_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """Answer one request on the loopback with whatever a function sends; returns the address."""
    monkeypatch.setenv("no_proxy", "*")
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(send: Callable[[socket.socket], None]) -> str:
        def answer() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):  # the client hangs up when it has had enough
                connection.recv(65536)
                send(connection)

        threads.append(threading.Thread(target=answer, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/file"

    yield serve
    for thread in threads:
        thread.join(timeout=30)
    listening.close()


def left_in(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_download_unpacks_into_the_cache_and_stays_there(offer: Offer, tmp_path: Path) -> None:
    offer(GOOD_ZIP)
    films = catalogue.load("ml-100k")
    assert films.name == "ml-100k"
    assert len(films.ratings) == 3
    assert left_in(tmp_path / "cache") == ["ml-100k"]
    assert left_in(tmp_path / "cache" / "ml-100k") == ["u.data", "u.item", "u.user"]
    offer(b"", status=500)
    assert len(catalogue.load("ml-100k").ratings) == 3


def test_download_of_an_archive_without_a_folder_inside(offer: Offer, tmp_path: Path) -> None:
    offer(zipped(TINY_100K))
    assert len(catalogue.load("ml-100k").ratings) == 3
    assert left_in(tmp_path / "cache") == ["ml-100k"]


def test_download_replaces_a_half_empty_folder(offer: Offer, tmp_path: Path) -> None:
    lay(tmp_path / "cache" / "ml-100k", {"leftover": "x"})
    offer(GOOD_ZIP)
    assert len(catalogue.load("ml-100k").ratings) == 3
    assert left_in(tmp_path / "cache" / "ml-100k") == ["u.data", "u.item", "u.user"]


def refused(tmp_path: Path) -> str:
    """The one sentence after a download that failed, and left nothing behind."""
    with pytest.raises(DataError) as caught:
        catalogue.load("ml-100k")
    assert left_in(tmp_path / "cache") == []
    message = str(caught.value)
    assert "\n" not in message
    assert "VECTABLE_DATA is not set" in message
    assert "data_dir=" in message
    return message


def test_a_bad_checksum(offer: Offer, tmp_path: Path) -> None:
    url = offer(GOOD_ZIP, checksum_of=b"another")
    message = refused(tmp_path)
    assert f"the download from {url} is not the archive it should be" in message
    assert hashlib.sha256(b"another").hexdigest()[:12] in message


def test_a_download_that_breaks_off(offer: Offer, tmp_path: Path) -> None:
    url = offer(GOOD_ZIP[:100], checksum_of=GOOD_ZIP, announce=len(GOOD_ZIP), size=len(GOOD_ZIP))
    assert f"the download from {url} broke off after 100 of {len(GOOD_ZIP):,} bytes" in refused(tmp_path)


def test_a_server_that_offers_another_size(offer: Offer, tmp_path: Path) -> None:
    url = offer(GOOD_ZIP, size=len(GOOD_ZIP) - 1)
    assert f"{url} offers {len(GOOD_ZIP):,} bytes, where the archive has {len(GOOD_ZIP) - 1:,}" in refused(tmp_path)


def test_a_server_that_does_not_stop_is_read_no_further_than_the_known_size(
    raw_server: RawServer, tmp_path: Path
) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:  # until the client hangs up
            connection.sendall(b"x" * 65536)

    with pytest.raises(DownloadError, match=r"is longer than the archive, which has 1,000 bytes"):
        download(raw_server(endless), tmp_path / "file", 1000)
    assert (tmp_path / "file").stat().st_size == 1000


@pytest.mark.parametrize("trickle", [0, 1])
def test_a_server_that_stalls_is_given_up(raw_server: RawServer, tmp_path: Path, trickle: int) -> None:
    gone = threading.Event()

    def stall(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin")
        while not gone.wait(0.02):
            connection.sendall(b"x" * trickle)

    try:
        with pytest.raises(DownloadError, match=r"stalled after \d+ of 1,000,000 bytes"):
            download(raw_server(stall), tmp_path / "file", 1_000_000, patience=0.3)
    finally:
        gone.set()


def test_a_server_that_refuses(offer: Offer, tmp_path: Path) -> None:
    offer(b"gone", status=404)
    assert "failed (HTTP Error 404" in refused(tmp_path) or "failed (Not Found)" in refused(tmp_path)


def test_no_server_at_all(offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(GOOD_ZIP)
    nobody = replace(catalogue.info("ml-100k"), url="http://127.0.0.1:1/ml-100k.zip")
    monkeypatch.setitem(catalogue.CATALOGUE, "ml-100k", nobody)
    assert "the download from http://127.0.0.1:1/ml-100k.zip failed (" in refused(tmp_path)


@pytest.mark.parametrize("body", [b"no zip at all", GOOD_ZIP[:-30], GOOD_ZIP[:60] + b"\xff" * 40 + GOOD_ZIP[100:]])
def test_a_damaged_archive(offer: Offer, tmp_path: Path, body: bytes) -> None:
    offer(body)
    assert "the archive is damaged" in refused(tmp_path)


@pytest.mark.parametrize("name", ["../../escaped.txt", "/escaped.txt", "ml-100k/../../../escaped.txt"])
def test_an_archive_that_would_write_elsewhere(offer: Offer, tmp_path: Path, name: str) -> None:
    offer(zipped({"ml-100k/u.data": TINY_100K["u.data"], name: "x"}))
    assert "would write outside of its folder" in refused(tmp_path)
    assert not list(tmp_path.rglob("escaped.txt"))


def test_an_archive_of_something_else(offer: Offer, tmp_path: Path) -> None:
    offer(zipped({"ml-100k/README": "nothing here"}))
    assert "does not hold the data set" in refused(tmp_path)


def test_a_cache_that_cannot_be_written(offer: Offer, tmp_path: Path) -> None:
    offer(GOOD_ZIP)
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"the cache .*cache cannot be written"):
        catalogue.load("ml-100k")


def test_an_interrupted_download_leaves_nothing(offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(GOOD_ZIP)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "extractall", interrupt)
    with pytest.raises(KeyboardInterrupt):
        catalogue.load("ml-100k")
    assert left_in(tmp_path / "cache") == []
