"""Questions to a saved model that take longer than a moment: names by a part, CSV files of rows, lists of all users.

All of it runs beside the server, the models kept in memory there.
"""

import io
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import polars as pl

from vectable.artifact import MANIFEST
from vectable.data.io.files import read_table
from vectable.data.item_search import plain, search_items
from vectable.errors import DataError, VectableError, require
from vectable.studio.limits import MOST_LISTED, MOST_PREDICTED

BLOCK = 2_000  # rows or users at once
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet begins a formula


def answers_of(model: Path) -> Any:
    """What answers from a saved model; loaded once for each version of the folder."""
    return _loaded(model, (model / MANIFEST).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _loaded(model: Path, changed: int) -> Any:
    from vectable.answers.loading import load_answers

    return load_answers(model)


def find_names(model: Path, of: str, text: str, n: int) -> dict[str, Any]:
    """Users or items whose name holds a text, the likeliest first; without a text those with most rows."""
    answers = answers_of(model)
    data: Any = getattr(answers, "data", None)
    require(hasattr(data, "item_ids"), "The model knows no users and items by name.")
    require(of in ("users", "items"), f"of: users or items; got {of!r:.40}.")
    if of == "items":
        codes = search_items(data, text, n) if text.strip() else _most(data.item_counts, n)
        ids, names = data.item_ids.decode(codes).to_list(), data.item_names(codes).to_list()
        found = [{"name": one, "title": title} for one, title in zip(ids, names, strict=True)]
        return {"names": found, "total": data.n_items}
    listed = data.user_ids.vocabulary.to_list()
    wanted = plain(text)
    matching = [one for one in listed if wanted in plain(str(one))]
    matching.sort(key=lambda one: (plain(str(one)) != wanted, not plain(str(one)).startswith(wanted)))
    return {"names": [{"name": one, "title": str(one)} for one in matching[:n]], "total": len(listed)}


def predict_csv(model: Path, body: bytes, label: str, interval: dict[str, float] | None) -> bytes:
    """A file of rows as CSV, with a column "prediction" more, and "low" and "high" or one for each class.

    Raises:
        DataError: it cannot be read, lacks a column, or has too many rows.
    """
    with NamedTemporaryFile(suffix=Path(label).suffix or ".csv") as file:
        file.write(body)
        file.flush()
        try:
            frame = read_table(file.name)
        except DataError as why:
            raise DataError(str(why).replace(file.name, label)) from None
    count, most = len(frame), MOST_PREDICTED
    require(count <= most, f"The file has {count:,} rows; at most {most:,} are predicted.")
    answers = answers_of(model)
    require(hasattr(answers, "predict"), "The model predicts no rows; it makes lists.")
    predictions: list[Any] = []
    probabilities: list[list[float]] = []
    for first in range(0, len(frame), BLOCK):
        found = answers.predict(frame[first : first + BLOCK].to_dicts())
        predictions += found["predictions"]
        probabilities += found.get("probabilities", [])
    more = {"prediction": pl.Series(predictions)}
    if probabilities:
        by_class = np.array(probabilities).T
        more |= {f"probability of {one}": pl.Series(by_class[at]) for at, one in enumerate(answers.classes)}
    elif interval is not None:
        more |= {"low": more["prediction"] + interval["low"], "high": more["prediction"] + interval["high"]}
    columns = {name: values for name, values in more.items() if name not in frame.columns}
    return as_csv(frame.with_columns(**columns))


def write_lists(model: Path, path: Path, n: int) -> None:
    """The best items of every user as CSV: user, rank, item, title and what ranks it.

    Raises:
        VectableError: the model makes no lists, or there are too many users.
    """
    answers = answers_of(model)
    if not hasattr(answers, "recommend_many"):
        raise VectableError("The model makes no lists: it predicts a column.")
    users = answers.data.user_ids.vocabulary.to_list()
    require(
        len(users) <= MOST_LISTED,
        f"The model knows {len(users):,} users, and lists of at most {MOST_LISTED:,} are made here: use "
        "`vectable recommend` with --all.",
    )
    rows = []
    for first in range(0, len(users), BLOCK):
        for one in answers.recommend_many(users[first : first + BLOCK], n)["users"]:
            rows += [{"user": one["user"], "rank": rank, **item} for rank, item in enumerate(one["items"], 1)]
    path.write_bytes(as_csv(pl.DataFrame(rows)))


def as_csv(frame: pl.DataFrame) -> bytes:
    """A table as CSV that a spreadsheet shows and does not run: texts that begin as a formula get an apostrophe."""
    guarded = [
        pl.when(pl.col(name).str.head(1).is_in(FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name, dtype in frame.schema.items()
        if dtype in (pl.String, pl.Categorical, pl.Enum)
    ]
    texts = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).with_columns(guarded)
    names = {name: f"'{name}" for name in frame.columns if name.startswith(FORMULA)}
    target = io.BytesIO()
    texts.rename(names).write_csv(target)
    return target.getvalue()


def _most(counts: Any, n: int) -> Any:
    return (np.argsort(-counts[1:], kind="stable")[:n] + 1).astype(np.int32)
