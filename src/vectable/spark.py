"""Tables of a lake scored by Spark: a saved model in every worker, and batches of Arrow through it."""

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from vectable.errors import VectableError, VectableWarning
from vectable.scoring import Scorer

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

OLDEST = pl.CompatLevel.oldest()  # types of Arrow that every version of Spark takes


def score(
    df: "DataFrame",
    model: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Iterable[str] | None = None,
    n: int = 10,
    raw: bool = False,
) -> "DataFrame":
    """Score a Spark table with a saved model, best a serving folder (`Learner.save(path, serving=True)`).

    Each worker loads the model once, and scores the batches that Spark hands it as Arrow. The result is that of one
    process, row by row.

    Args:
        df: a pyspark table with the columns that the model was trained on; for a model of interactions with that of the
            users, who get a row for each item of their list.
        model: the folder, at a path that every worker sees, or an address such as ``hf://user/model``.
        columns: the model's name of a column -> its name in `df`, for those that are called otherwise.
        keep: columns of `df` that stand beside the predictions; by default all. Not of lists.
        n: items of a list.
        raw: leave predicted ratings beyond the scale as they are.

    Returns:
        A pyspark table, computed when it is asked for.

    Raises:
        DataError: a column is missing, or has the name of one that is added.
        VectableError: pyspark or pyarrow are missing (``pip install 'vectable[spark]'``); the model scores no tables.
    """
    types = _pyspark_types()
    scorer = Scorer(str(model), dict(columns or {}), None if keep is None else tuple(keep), n, raw)
    scorer.check(df.columns)
    no_rows = pl.DataFrame(types.to_arrow_schema(df.schema).empty_table())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VectableWarning)  # of a row with nothing in it
        schema = _plain(scorer.score(no_rows.clear(1)).to_arrow(compat_level=OLDEST).schema)
    return df.mapInArrow(_scoring(scorer), types.from_arrow_schema(schema))


def session(master: str | None = None) -> Any:
    """The Spark session that submitted this program, or a new one.

    Args:
        master: where a new one works, "local[4]" say; by default what Spark is set up for.

    Raises:
        VectableError: pyspark or Java are missing.
    """
    _pyspark_types()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the workers take the system's Python
    builder: Any = SparkSession.builder
    try:
        return (builder.master(master) if master else builder).appName("vectable score").getOrCreate()
    except (PySparkException, RuntimeError, OSError) as problem:
        said = str(problem).partition("\n")[0]
        raise VectableError(f"Spark does not start: {said} It needs Java 17 or later, which JAVA_HOME names.") from None


def _scoring(scorer: Scorer) -> "Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    """What every worker does with its batches."""

    def scored(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        mine = _in_this_process(scorer)
        for batch in batches:
            table = mine.score(pl.DataFrame(batch)).to_arrow(compat_level=OLDEST)
            yield from table.cast(_plain(table.schema)).to_batches()

    return scored


_scorers: dict[str, Scorer] = {}


def _in_this_process(scorer: Scorer) -> Scorer:
    """The same scorer, whose model is loaded once a worker, on the one thread that Spark gives a task."""
    key = repr(scorer)
    if key not in _scorers:
        import torch

        torch.set_num_threads(1)
        _scorers.clear()
        _scorers[key] = scorer
    return _scorers[key]


def _plain(schema: "pa.Schema") -> "pa.Schema":
    """Texts with 32-bit offsets, which every version of Spark takes."""
    import pyarrow as pa

    fields = [field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field for field in schema]
    return pa.schema(fields)


def _pyspark_types() -> Any:
    try:
        import pyarrow  # noqa: F401 - Spark hands over batches of it
        from pyspark.sql.pandas import types
    except ImportError as problem:
        needed = "Scoring on Spark needs pyspark and pyarrow: pip install 'vectable[spark]'"
        raise VectableError(f"{needed} ({problem}).") from None
    return types
