"""Models published as tables: what they hold, and that a reader sees the old or the new, whatever happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import vectable as vt
from commands import good
from local_postgresql import Server
from vectable import publishing
from vectable.data.io.database import Database, connected
from vectable.data.io.database_address import parse_address
from vectable.data.io.sql import read_sql
from vectable.errors import DataError, VectableError

pytest.importorskip("adbc_driver_sqlite")

TABLES = ["item_vectors", "user_vectors", "recommendations", "neighbours"]


@pytest.fixture(scope="module")
def small() -> "vt.CollabLearner":
    """A model of 30 users and 20 items, trained for an epoch."""
    rng = np.random.default_rng(3)
    pairs = [(f"u{user}", item) for user in range(30) for item in rng.permutation(20)[:8].tolist()]
    frame = pl.DataFrame(pairs, schema=["user", "item"], orient="row")
    frame = frame.with_columns(rating=pl.Series(rng.integers(1, 6, len(frame)).astype(float)))
    frame = frame.with_columns(title=pl.format("Item {}", "item"))
    data = vt.RatingsData.from_df(frame, title="title", valid_pct=0.0)
    return vt.collab_learner(data, n_factors=4, progress=False).fit_one_cycle(1, 5e-3)


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty place for tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    server: Server = request.getfixturevalue("postgresql")
    return server.address()


def table(address: str, name: str, schema: str, order: str = "1, 2") -> pl.DataFrame:
    full = f"{schema}_{name}" if address.startswith("sqlite") else f"{schema}.{name}"
    return read_sql(address, f"SELECT * FROM {full} ORDER BY {order}")


def vectors_in(frame: pl.DataFrame) -> np.ndarray:
    if "vector" in frame.columns:
        return np.array(frame["vector"].to_list())
    return frame.select(pl.col("^factor_.*$")).to_numpy()


def test_the_tables_hold_what_the_learner_answers(small: "vt.CollabLearner", target: str) -> None:
    written = vt.publish(small, target, "recs", 3)
    assert written == {"item_vectors": 20, "user_vectors": 30, "recommendations": 90, "neighbours": 60}
    lists = table(target, "recommendations", "recs")
    wanted = small.recommend_many(n=3).sort("user", "rank")
    assert lists.columns == ["user_id", "rank", "item_id", "score"]
    assert lists["item_id"].to_list() == wanted["item"].to_list()
    np.testing.assert_allclose(lists["score"], wanted["prediction"], rtol=1e-6)
    items = table(target, "item_vectors", "recs", "item_id")
    np.testing.assert_array_equal(vectors_in(items).astype(np.float32), small.weight(items["item_id"].to_list()))
    np.testing.assert_array_equal(items["bias"].to_numpy().astype(np.float32), small.bias(items["item_id"].to_list()))
    assert items["title"].to_list() == [f"Item {item}" for item in items["item_id"]]
    users = table(target, "user_vectors", "recs", "user_id")
    ids = users["user_id"].to_list()
    np.testing.assert_array_equal(vectors_in(users).astype(np.float32), small.weight(ids, is_item=False))
    alike = table(target, "neighbours", "recs").filter(pl.col("item_id") == 7)
    similar = small.similar(7, 3)
    assert alike["neighbour_id"].to_list() == similar["item"].to_list()
    np.testing.assert_allclose(alike["similarity"], similar["similarity"], atol=1e-6)


def test_blocks_do_not_change_the_tables(
    small: "vt.CollabLearner", target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vt.publish(small, target, "whole", 2)
    monkeypatch.setattr(publishing, "ROWS_PER_BLOCK", 7)
    vt.publish(small, target, "parts", 2)
    for name in TABLES:
        one, other = (table(target, name, schema) for schema in ("whole", "parts"))
        assert one.select(pl.exclude(pl.Float32, pl.Float64)).equals(other.select(pl.exclude(pl.Float32, pl.Float64)))
        assert one.height == other.height


def test_a_second_publication_replaces_the_first(small: "vt.CollabLearner", target: str) -> None:
    vt.publish(small, target, "again", 5)
    vt.publish(small, target, "again", 2)
    assert table(target, "recommendations", "again")["rank"].max() == 2
    assert table(target, "neighbours", "again").height == 40


@pytest.mark.parametrize(("step", "fails_at"), [("append", 1), ("append", 2), ("append", 4), ("run", 5), ("commit", 1)])
def test_an_error_in_the_middle_leaves_the_old_tables(
    small: "vt.CollabLearner", target: str, monkeypatch: pytest.MonkeyPatch, step: str, fails_at: int
) -> None:
    vt.publish(small, target, "old", 5)
    before = [table(target, name, "old") for name in TABLES]
    calls, method = [], getattr(Database, step)

    def fails(self: Database, *arguments: object, **how: object) -> None:
        calls.append(1)
        if len(calls) == fails_at:
            raise DataError("The server is gone.")
        method(self, *arguments, **how)

    monkeypatch.setattr(Database, step, fails)
    with pytest.raises(DataError, match="gone"):
        vt.publish(small, target, "old", 2)
    monkeypatch.undo()
    assert len(calls) == fails_at
    assert all(one.equals(table(target, name, "old")) for one, name in zip(before, TABLES, strict=True))
    vt.publish(small, target, "old", 2)
    assert table(target, "recommendations", "old").height == 60


KILLED = """
import sys
import vectable as vt
from vectable.data.io.database import Database, connected
from vectable.data.io.database_address import parse_address

run = Database.run

def stops(self, command):
    run(self, command)
    if command.startswith("ALTER"):
        print("half", flush=True)
        sys.stdin.read()

Database.run = stops
vt.publish(vt.load_learner(sys.argv[1], progress=False), sys.argv[2], "killed", 2)
"""


@pytest.mark.slow
def test_a_killed_publication_leaves_the_old_tables(small: "vt.CollabLearner", target: str, tmp_path: Path) -> None:
    vt.publish(small, target, "killed", 5)
    before = [table(target, name, "killed") for name in TABLES]
    command = [sys.executable, "-c", KILLED, str(small.save(tmp_path / "model")), target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"  # one of the four tables is replaced already
        os.kill(process.pid, signal.SIGKILL)
    assert all(one.equals(table(target, name, "killed")) for one, name in zip(before, TABLES, strict=True))
    vt.publish(small, target, "killed", 2)
    assert table(target, "recommendations", "killed").height == 60


def test_lists_without_ratings_are_published_too(target: str) -> None:
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"user": rng.integers(0, 20, 300), "item": rng.integers(0, 15, 300)})
    data = vt.InteractionsData.from_df(frame, "user", "item")
    learn = vt.implicit_learner(data, "neighbours", progress=False).fit()
    vt.publish(learn, target, "clicks", 2)
    wanted = learn.recommend_many(n=2).sort("user", "rank")
    assert table(target, "recommendations", "clicks")["item_id"].to_list() == wanted["item"].to_list()
    alike = table(target, "neighbours", "clicks").filter(pl.col("item_id") == 4)
    assert alike["neighbour_id"].to_list() == learn.similar(4, 2)["item"].to_list()


def test_what_cannot_be_published_is_refused(small: "vt.CollabLearner", tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/a.db"
    with pytest.raises(VectableError, match="n is 0"):
        vt.publish(small, address, n=0)
    with pytest.raises(VectableError, match="no folder"):
        vt.publish(small, f"sqlite:///{tmp_path}/no/a.db")
    table = vt.TableData.from_df(pl.DataFrame({"a": [1.0, 2.0] * 5, "b": [1.5, 2.5] * 5}), "b", task="numbers")
    with pytest.raises(VectableError, match="has no lists to publish"):
        vt.publish(vt.tabular_learner(table, [2], progress=False), address)
    assert list(tmp_path.iterdir()) == []


def test_the_command_publishes(small: "vt.CollabLearner", inside, tmp_path: Path) -> None:
    folder = small.save(tmp_path / "model")
    done = good(inside("publish", folder, f"sqlite:///{tmp_path}/shop.db", "--schema", "recs", "-n", 2))
    assert "recommendations: 60 rows" in done.stdout


def privileges(server: Server, schema: str) -> pl.DataFrame:
    return read_sql(
        server.address(),
        f"""SELECT table_name::text, NULL::text AS column_name, grantee::text, privilege_type::text, is_grantable::text
            FROM information_schema.role_table_grants WHERE table_schema = '{schema}' AND grantee <> grantor
            UNION ALL
            SELECT table_name::text, column_name::text, grantee::text, privilege_type::text, is_grantable::text
            FROM information_schema.column_privileges
            WHERE table_schema = '{schema}' AND grantee <> grantor ORDER BY 1, 2, 3, 4""",
    )


def test_a_replaced_table_keeps_its_privileges(small: "vt.CollabLearner", postgresql: Server) -> None:
    vt.publish(small, postgresql.address(), "o'clock", 3)
    with connected(parse_address(postgresql.address(), writes=True), writes=True) as database:
        database.run('CREATE ROLE "a shop\'s page"')
        for grant in (
            'SELECT ON {}.recommendations TO "a shop\'s page" WITH GRANT OPTION',
            "SELECT, UPDATE ON {}.neighbours TO PUBLIC",
            'SELECT (item_id, title) ON {}.item_vectors TO "a shop\'s page"',
        ):
            database.run("GRANT " + grant.format('"o\'clock"'))
        database.commit()
    before = privileges(postgresql, "o''clock")
    assert before.height > 5
    vt.publish(small, postgresql.address(), "o'clock", 2)
    assert privileges(postgresql, "o''clock").equals(before)
