"""Into a database: what a model of lists learned, as tables that other programs read, replaced all at once."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from vectable.data.interactions.histories import Histories
from vectable.data.io.database import Database, connected
from vectable.data.io.database_address import parse_address
from vectable.data.io.frames import to_polars
from vectable.errors import VectableError, is_whole, require
from vectable.ratings.rating_answers import RatingAnswers
from vectable.recommending.inner_products import RankedItems

if TYPE_CHECKING:
    from vectable.interactions.learner import InteractionLearner
    from vectable.ratings.bayes import BayesLearner
    from vectable.ratings.collab import CollabLearner

    ListLearner = CollabLearner | BayesLearner | InteractionLearner

ROWS_PER_BLOCK = 100_000  # of a table, made and sent at a time
LONGEST_LIST = 1000

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Table:
    """A table to be written.

    Attributes:
        name: in the schema.
        key: columns that name a row, by which it is indexed.
        blocks: its rows, made while they are sent.
    """

    name: str
    key: tuple[str, ...]
    blocks: Iterator[pl.DataFrame]


def publish(learn: "ListLearner", address: str, schema: str = "vectable", n: int = 10) -> dict[str, int]:
    """Write vectors, lists and neighbours of a model into a database, in place of those published before.

    The tables: ``item_vectors`` (item_id, title, n_known, bias, vector), ``user_vectors`` (user_id, bias, vector; for
    models of ratings), ``recommendations`` (user_id, rank, item_id, score) of all known users without what they know,
    and ``neighbours`` (item_id, rank, neighbour_id, similarity). A vector is an array in PostgreSQL, and in SQLite,
    which has none, a column per factor.

    All is done in one transaction, so that whoever reads sees the old tables or the new ones; where it fails or is
    interrupted, the old ones stand. Rows are made in blocks, each while the one before it is sent. A table that is
    replaced keeps the privileges given on it and on its columns; a view on one stops the publication, with the
    database's own sentence.

    Args:
        learn: a learner of ratings or interactions.
        address: ``postgresql://user@host:port/database`` or ``sqlite:///file.db``; see `RatingsData.from_sql`.
        schema: of PostgreSQL, made where it does not exist; in SQLite the beginning of the tables' names,
            ``vectable_recommendations``.
        n: length of lists and number of neighbours.

    Returns:
        The rows of each table.

    Raises:
        VectableError: another kind of learner, `n` out of range, or the extra `sql` is not installed.
        DataError: the database cannot be reached, or refuses a table.

    Examples:
        >>> import vectable as vt
        >>> data = vt.datasets.load("goodbooks").to_data().to_interactions()
        >>> learn = vt.implicit_learner(data, "als", progress=False).fit()
        >>> sorted(vt.publish(learn, "sqlite:///lists.db", n=3))
        ['item_vectors', 'neighbours', 'recommendations']
    """
    require(is_whole(n, 1) and n <= LONGEST_LIST, f"n is {n!r}; it is a length from 1 to {LONGEST_LIST}.")
    require(isinstance(schema, str) and bool(schema.strip()), f"schema is {schema!r}; it is a name.")
    tables = _tables_of(learn, n)
    with connected(parse_address(address, writes=True), writes=True) as database:
        has_arrays = database.address.driver == "postgresql"
        if has_arrays:
            database.run(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
        written = {one.name: _write(database, one, schema, has_arrays) for one in tables}
        for one in tables:
            _replace(database, one, schema, has_arrays)
        database.commit()
    return written


def _tables_of(learn: "ListLearner", n: int) -> list[_Table]:
    from vectable.interactions.learner import InteractionLearner

    if not isinstance(learn, RatingAnswers | InteractionLearner):
        raise VectableError(
            f"A {type(learn).__name__} has no lists to publish; a learner of ratings or interactions does."
        )
    data, counts = learn.data, learn.data.item_counts
    ids = _storable(data.item_ids.vocabulary.alias("item_id"))
    users = _storable(data.user_ids.vocabulary.alias("user_id"))
    titles = [] if data.titles is None else [data.titles.alias("title")]
    of_item = pl.DataFrame([ids, *titles, pl.Series("n_known", counts[1:], dtype=pl.Int64)])
    vectors_of_users, weights = [], None
    if isinstance(learn, InteractionLearner):
        directions = vectors = learn.recommender().directions
        allowed = counts > 0
    else:
        known = learn.recommender
        directions, vectors = known.directions, _array(known.model.vectors(True))
        weights, allowed = known.likeness.weights(counts), counts >= known.likeness.fewest_ratings(counts)
        of_user = users.to_frame()
        if known.model.has_biases:
            of_item, of_user = (
                about.with_columns(pl.Series("bias", _array(known.model.biases(is_item))[1:]))
                for about, is_item in ((of_item, True), (of_user, False))
            )
        blocks = _vector_blocks(of_user, _array(known.model.vectors(False))[1:])
        vectors_of_users = [_Table("user_vectors", ("user_id",), blocks)]
    return [
        _Table("item_vectors", ("item_id",), _vector_blocks(of_item, vectors[1:])),
        *vectors_of_users,
        _Table("recommendations", ("user_id", "rank"), _list_blocks(learn, users, n)),
        _Table("neighbours", ("item_id", "rank"), _neighbour_blocks(ids, directions, weights, allowed, n)),
    ]


def _storable(ids: pl.Series) -> pl.Series:
    """Ids in a type that every database has: numbers as 64-bit integers, categories as text."""
    if ids.dtype.is_integer():
        return ids.cast(pl.Int64)
    return ids.cast(pl.String) if isinstance(ids.dtype, pl.Enum | pl.Categorical) else ids


def _array(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float32)


def _vector_blocks(about: pl.DataFrame, vectors: Floats) -> Iterator[pl.DataFrame]:
    """What is known of each row and its vector, as a list."""
    width = vectors.shape[1]
    for first in range(0, len(about), ROWS_PER_BLOCK):
        part = vectors[first : first + ROWS_PER_BLOCK]
        lists = pl.Series("vector", np.ascontiguousarray(part), dtype=pl.Array(pl.Float32, width)).arr.to_list()
        yield about.slice(first, ROWS_PER_BLOCK).with_columns(lists)


def _list_blocks(learn: "ListLearner", users: pl.Series, n: int) -> Iterator[pl.DataFrame]:
    """The lists of all known users, some users at a time."""
    step = max(1, ROWS_PER_BLOCK // n)
    known = learn.data.user_ids.vocabulary
    for first in range(0, len(users), step):
        frame, _ = to_polars(learn.recommend_many(known[first : first + step].to_list(), n))
        score = "prediction" if "prediction" in frame.columns else "score"
        columns = [frame.to_series(0), frame["rank"].cast(pl.Int32), frame.to_series(1), frame[score]]
        named = zip(("user_id", "rank", "item_id", "score"), columns, strict=True)
        yield pl.DataFrame([_storable(one).alias(name) for name, one in named])


def _neighbour_blocks(
    ids: pl.Series, directions: Floats, weights: NDArray[np.floating] | None, allowed: NDArray[np.bool_], n: int
) -> Iterator[pl.DataFrame]:
    """The items most like each item, as `similar` names them."""
    others = directions if weights is None else directions * weights[:, None].astype(np.float32)
    ranked = RankedItems.of(others, allowed=allowed)
    step = max(1, ROWS_PER_BLOCK // n)
    for first in range(1, len(directions), step):
        rows = np.arange(first, min(first + step, len(directions)), dtype=np.int32)
        itself = Histories(np.arange(len(rows) + 1), rows, np.ones(len(rows), dtype=np.float32))
        items, alike = ranked.best(directions[rows], itself, n)
        of_row, rank = np.nonzero(items)
        yield pl.DataFrame(
            {
                "item_id": ids.gather(rows[of_row] - 1),
                "rank": (rank + 1).astype(np.int32),
                "neighbour_id": ids.gather(items[of_row, rank] - 1),
                "similarity": alike[of_row, rank],
            }
        )


def _write(database: Database, table: _Table, schema: str, has_arrays: bool) -> int:
    """Write a table's blocks beside the old one; how many rows it has."""
    name = _new_name(table, schema, has_arrays)
    rows, made = 0, False
    for block in _made_ahead(table.blocks):
        sent = block if has_arrays else _flat(block)
        database.append(sent, name, schema if has_arrays else None, create=not made)
        rows, made = rows + len(block), True
    return rows


def _made_ahead(blocks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The blocks, each made while the one before it is sent."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = pool.submit(next, blocks, None)
            yield block


def _flat(block: pl.DataFrame) -> pl.DataFrame:
    """A block whose list is a column per factor."""
    if "vector" not in block.columns or len(block) == 0:
        return block
    width = len(block["vector"][0])
    factors = [pl.col("vector").list.get(at).alias(f"factor_{at}") for at in range(width)]
    return block.select(pl.exclude("vector"), *factors)


def _replace(database: Database, table: _Table, schema: str, has_arrays: bool) -> None:
    """Put the new table into the old one's place, with an index on its key."""
    prefix = f"{_quoted(schema)}." if has_arrays else ""
    name = table.name if has_arrays else f"{schema}_{table.name}"
    new, index = _new_name(table, schema, has_arrays), f"{table.name}_{secrets.token_hex(4)}"
    database.run(f"CREATE UNIQUE INDEX {_quoted(index)} ON {prefix}{_quoted(new)} ({', '.join(table.key)})")
    grants = _grants(database, schema, name, new) if has_arrays else []
    database.run(f"DROP TABLE IF EXISTS {prefix}{_quoted(name)}")
    database.run(f"ALTER TABLE {prefix}{_quoted(new)} RENAME TO {_quoted(name)}")
    for grant in grants:
        database.run(grant)


def _grants(database: Database, schema: str, name: str, new: str) -> list[str]:
    """Commands that give a table the privileges that it has now, after another one took its place.

    Args:
        new: the table that will; privileges on columns that it lacks are left out.
    """
    of_table = f"c.relname = {_literal(name)} AND n.nspname = {_literal(schema)}"
    new_table = f"{_literal(f'{_quoted(schema)}.{_quoted(new)}')}::regclass"
    start = 'SELECT a.privilege_type::text AS what, r.rolname::text AS who, a.is_grantable AS further, {} AS "column"'
    whose = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    roles = "LEFT JOIN pg_roles r ON r.oid = a.grantee"
    query = f"""
        {start.format("NULL::text")} {whose} CROSS JOIN LATERAL aclexplode(c.relacl) a {roles} WHERE {of_table}
        UNION ALL
        {start.format("t.attname::text")} {whose} JOIN pg_attribute t ON t.attrelid = c.oid
            CROSS JOIN LATERAL aclexplode(t.attacl) a {roles} WHERE {of_table}
            AND t.attname IN (SELECT x.attname FROM pg_attribute x WHERE x.attrelid = {new_table})
    """
    commands = []
    for row in database.read(query).iter_rows(named=True):
        columns = f" ({_quoted(row['column'])})" if row["column"] else ""
        who = _quoted(row["who"]) if row["who"] else "PUBLIC"
        further = " WITH GRANT OPTION" if row["further"] else ""
        commands.append(f"GRANT {row['what']}{columns} ON {_quoted(schema)}.{_quoted(name)} TO {who}{further}")
    return commands


def _literal(text: str) -> str:
    """A text as SQL takes any."""
    return "'" + text.replace("'", "''") + "'"


def _new_name(table: _Table, schema: str, has_arrays: bool) -> str:
    return f"{table.name}_new" if has_arrays else f"{schema}_{table.name}_new"


def _quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
