"""Tables by a query: SQLite and a PostgreSQL server of the tests' own; no message, repr or folder holds a password."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import vectable as vt
from commands import good
from local_postgresql import ENCODED, PASSWORD, Server
from vectable.data.io.database import connected
from vectable.data.io.database_address import DatabaseAddress, parse_address
from vectable.data.io.sql import read_sql
from vectable.errors import DataError, VectableError

pytest.importorskip("adbc_driver_sqlite")


LATE_TEXT = (
    "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 65537) "
    "SELECT CASE WHEN k > 65536 THEN 'x' ELSE k END AS a FROM n"
)


@pytest.fixture(scope="module")
def stars() -> pl.DataFrame:
    """600 ratings of 20 films by 30 people, every fifth a half star, with times."""
    return pl.DataFrame(
        {
            "who": [f"p{at % 30}" for at in range(600)],
            "film": [at % 20 + 100 * (at % 3) for at in range(600)],
            "stars": [1 + at % 4 + (0.5 if at % 5 == 0 else 0.0) for at in range(600)],
            "at": [1_000_000 + at for at in range(600)],
        }
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory, stars: pl.DataFrame) -> str:
    """The address of an SQLite file with a table `stars`."""
    path = tmp_path_factory.mktemp("shop") / "the shop?.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE stars (who TEXT, film INTEGER, stars REAL, at INTEGER)")
    connection.executemany("INSERT INTO stars VALUES (?, ?, ?, ?)", stars.iter_rows())
    connection.execute("CREATE TABLE odd (a, b BLOB)")
    connection.execute("INSERT INTO odd VALUES (1, x'00ff')")
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def warehouse(postgresql: Server) -> str:
    """The address of a PostgreSQL database with a table `stars` of exact numbers and other types."""
    with connected(parse_address(postgresql.address()), writes=True) as database:
        database.run(
            "CREATE TABLE stars AS SELECT 'p' || g % 30 AS who, g % 20 + 100 * (g % 3) AS film, "
            "(1 + g % 4 + CASE WHEN g % 5 = 0 THEN 0.5 ELSE 0 END)::numeric(3, 1) AS stars, 1000000 + g AS at, "
            "date '2026-01-01' + g AS day, '{}'::json AS more, gen_random_uuid() AS id FROM generate_series(0, 599) g"
        )
        database.commit()
    return postgresql.address()


def refusal(address: str, query: str = "SELECT * FROM stars") -> str:
    with pytest.raises(DataError) as caught:
        read_sql(address, query)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "?", ")"))
    return message


# ----------------------------------------------------------------------------------------- SQLite


def test_the_rows_of_a_query_are_those_of_the_table(shop: str, stars: pl.DataFrame) -> None:
    assert_frame_equal(read_sql(shop, "SELECT * FROM stars ORDER BY at"), stars)
    few = read_sql(shop, "SELECT film, avg(stars) AS mean FROM stars WHERE film < 3 GROUP BY film ORDER BY film")
    wanted = stars.filter(pl.col("film") < 3).group_by("film").agg(mean=pl.col("stars").mean()).sort("film")
    assert_frame_equal(few, wanted)


def test_data_from_a_query_are_the_data_from_the_frame(shop: str, stars: pl.DataFrame) -> None:
    query = "SELECT * FROM stars ORDER BY at"
    assert vt.RatingsData.from_sql(shop, query, user="who").fingerprint == vt.RatingsData.from_df(stars).fingerprint
    of_pairs = vt.InteractionsData.from_sql(shop, query, user="who", item="film", timestamp="at")
    assert of_pairs.fingerprint == vt.InteractionsData.from_df(stars, "who", "film", timestamp="at").fingerprint
    table = vt.TableData.from_sql(shop, query, "stars", valid_pct=0.25)
    assert_frame_equal(table.valid_frame, vt.TableData.from_df(stars, "stars", valid_pct=0.25).valid_frame)


def test_a_query_changes_nothing_and_makes_no_file(shop: str, tmp_path: Path) -> None:
    assert "The query failed" in refusal(shop, "DELETE FROM stars")
    assert len(read_sql(shop, "SELECT * FROM stars")) == 600
    assert "No such file" in refusal(f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELEC 1", 'near "SELEC": syntax error'),
        ("SELECT * FROM absent", "no such table: absent"),
        ("SELECT * FROM stars WHERE film < 0", "gives no rows; its columns are who, film, stars, at"),
        ("SELECT 1 AS a, 2 AS a", "gives two columns one name"),
        ("SELECT b FROM odd", "Column 'b' holds bytes"),
        (LATE_TEXT, "cast it to one type in the query"),
    ],
)
def test_a_wrong_query_is_one_sentence(shop: str, query: str, said: str) -> None:
    assert said in refusal(shop, query)


def test_a_wrong_address_is_one_sentence(shop: str, tmp_path: Path) -> None:
    assert "postgresql:// and sqlite:// can" in refusal("mysql://root:hunter2@host/db")
    assert "three slashes" in refusal("sqlite://shop.db")
    assert "four slashes" in refusal("sqlite:///" + shop.removeprefix("sqlite:////"))
    (tmp_path / "text.db").write_text("who,film\n" * 999)
    assert "file is not a database" in refusal(f"sqlite:///{tmp_path}/text.db")
    with pytest.raises(VectableError, match="The query is empty"):
        read_sql(shop, " ")


def test_a_missing_extra_is_named(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_manager", None)
    with pytest.raises(VectableError, match=r"pip install 'vectable\[sql\]'"):
        read_sql(shop, "SELECT 1")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:hunter2@127.0.0.1:1",
        "postgresql://u:hunter2@host@db/x",
        "postgresql://u:hunter2/3@host/x",
        "postgresql://u:hunter2%zz@host/x",
        "postgresql://u:hunter2 3@host/x",
        "postgresql://u:hunter2#3@host/x",
        "postgresql://u:hunter2?3@host/x",
        "postgresql://u:hunter2:3@host/x",
        "postgresql://u:hunter2",
        "postgresql://127.0.0.1:1/x?hunter2",
        "postgresql://127.0.0.1:1/x?password=hunter2",
        "host=x password=hunter2",
        "mysql://u:hunter2@host/x",
        "postgresql://u:hunter2@127.0.0.1:1/x?connect_timeout=2",
    ],
)
def test_no_sentence_holds_the_password(address: str) -> None:
    assert "hunter2" not in refusal(address)


def test_no_repr_holds_the_password() -> None:
    address = parse_address("postgresql://u:hunter2@db.example:5433/shop?sslmode=require")
    assert "hunter2" not in repr(address)
    assert address == DatabaseAddress(address.text, "postgresql", "postgresql://db.example:5433/shop")


@pytest.mark.slow
def test_the_command_trains_on_a_query(shop: str, inside, refused, tmp_path: Path) -> None:
    common = (shop, "--query", "SELECT * FROM stars", "-o", tmp_path / "model", "--json", "-q")
    trained = json.loads(good(inside("train", "ratings", *common, "--epochs", 1, "--factors", 4)).stdout)
    assert vt.load_learner(trained["model"]).data.n_users == 30
    rows = (*common, "--timestamp", "at", "--user", "who", "--item", "film")
    assert json.loads(good(inside("train", "interactions", *rows, "--model", "neighbours")).stdout)["kept"]
    table = ("--target", "stars", "--task", "numbers", "--epochs", 1, "--layers", "4")
    assert json.loads(good(inside("train", "table", *common, *table)).stdout)["errors"]
    assert "needs --query" in refused("train", "ratings", shop)
    assert "name one, postgresql" in refused("train", "ratings", tmp_path / "a.csv", "--query", "SELECT 1")


# ----------------------------------------------------------------------------------------- PostgreSQL


def test_exact_numbers_of_postgresql_are_floats(warehouse: str, stars: pl.DataFrame) -> None:
    query = "SELECT who, film, stars, at FROM stars ORDER BY at"
    assert_frame_equal(read_sql(warehouse, query), stars, check_dtypes=False)
    data = vt.RatingsData.from_sql(warehouse, query, timestamp="at")
    assert data.fingerprint == vt.RatingsData.from_df(stars, timestamp="at").fingerprint
    other = read_sql(warehouse, "SELECT day, more, CAST(id AS text) AS id FROM stars")
    assert other.dtypes == [pl.Date, pl.String, pl.String]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM absent", 'relation "absent" does not exist'),
        ("SELECT 1 / (3 - g) AS a FROM generate_series(1, 5) g", "division by zero"),
        ("SELECT * FROM stars WHERE film < 0", "gives no rows"),
        ("DELETE FROM stars", "read-only transaction"),
        ("SELECT 1; SELECT 2", "cannot insert multiple commands"),
        ("SELECT id FROM stars", "Column 'id' holds bytes"),
        ("SELECT inet '10.0.0.1' AS ip", "Column 'ip' holds bytes (inet)"),
        ("SELECT 1 AS a, 2 AS a", "gives two columns one name"),
    ],
)
def test_a_query_that_postgresql_refuses_is_one_sentence(warehouse: str, query: str, said: str) -> None:
    message = refusal(warehouse, query)
    assert said in message
    assert PASSWORD not in message
    assert ENCODED not in message


def test_a_server_that_refuses_is_one_sentence(postgresql: Server) -> None:
    wrong = refusal(postgresql.address(password="hunter2"))
    assert "refuses the user's name or password" in wrong
    assert "hunter2" not in wrong
    assert "no such database" in refusal(postgresql.address(database="absent"))
    assert "no server answers" in refusal("postgresql://u:hunter2@127.0.0.1:1/x")


def test_the_password_may_stand_in_the_environment(
    postgresql: Server, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = warehouse.replace(f":{ENCODED}", "")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert "set PGPASSWORD" in refusal(address)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert read_sql(address, "SELECT count(*) AS n FROM stars")["n"].to_list() == [600]


@pytest.mark.slow
def test_no_saved_file_and_no_output_holds_the_password(warehouse: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vectable", "train", "ratings", warehouse, "--epochs", "1", "--factors", "4"]
    command += ["--query", "SELECT who, film, stars FROM stars", "-o", str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert good(done).stdout.count("Saved to") == 1
    secrets = [ENCODED.encode(), PASSWORD.encode()]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 2
    told = [*written, done.stdout.encode(), done.stderr.encode()]
    assert not any(secret in content for secret in secrets for content in told)
