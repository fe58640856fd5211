"""Which column of a table holds users, items, ratings or times, by how people name them.

A name counts whatever its case, hyphens and underscores, and whether it ends in "id" or the like: `userId`, `User-ID`
and `user_idx` are all `user`.
"""

import re
from collections.abc import Iterable
from typing import Literal

import polars as pl

Role = Literal["user", "item", "rating"]

USERS = (
    "user", "customer", "client", "member", "reader", "viewer", "listener", "visitor", "reviewer", "rater", "voter",
    "buyer", "shopper", "subscriber", "patron", "person", "profile", "account", "player", "student", "u",
)  # fmt: skip
ITEMS = (
    "item", "product", "movie", "film", "book", "isbn", "song", "track", "artist", "album", "article", "asin", "sku",
    "anime", "game", "beer", "wine", "joke", "recipe", "restaurant", "business", "place", "venue", "hotel", "show",
    "course", "video", "app", "stock", "i",
)  # fmt: skip
RATINGS = ("rating", "ratings", "score", "scores", "stars", "star", "rate", "grade", "overall", "r")
COUNTS = (
    "quantity", "qty", "amount", "count", "counts", "units", "purchases", "orders", "clicks", "views", "plays",
    "playcount", "listens", "visits", "hours", "minutes", "seconds", "duration", "watchtime", "n",
)  # fmt: skip
PRICES = ("price", "cost", "total", "revenue", "sales", "spend", "paid", "value", "unitprice", "subtotal")
TIMES = ("timestamp", "time", "date", "datetime", "day", "unixtime", "unixreviewtime", "ts", "created", "createdat")
COUNTERS = ("", "index", "row", "rows", "rowname", "rownames", "rownumber", "level0")

_OF_ROLE = {"user": USERS, "item": ITEMS, "rating": RATINGS}
_UNNAMED = re.compile(r"Unnamed: \d+|column_0")  # as pandas and `read_table` call a column without a name
_ENDS = re.compile(r"(?:ids?|idx|index|code|key|no|nr|number|num|name)$")


def plain_name(name: str) -> str:
    """A column's name in small letters and digits alone."""
    return re.sub(r"[\W_]", "", name.casefold())


def is_named_as(name: str, names: Iterable[str]) -> bool:
    """Whether a column's name is one of some plain ones, or ends so where several words make it up (`Book-Rating`)."""
    plain = plain_name(name)
    words = [plain_name(word) for word in re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name) if word]
    return bool({plain, _ENDS.sub("", plain), *words[-1:]} & set(names))


def named_for(role: Role, names: list[str], taken: Iterable[str | None]) -> str | None:
    """The column whose name says that it holds users, items or ratings; the plainest, then the first; or None."""
    free = [name for name in names if name not in set(taken)]
    if role == "rating":
        return next((name for name in free if is_named_as(name, RATINGS)), None)
    plain = [(_ENDS.sub("", plain_name(name)), name) for name in free if plain_name(name) not in COUNTERS]
    ids = [name for base, name in plain if base in _OF_ROLE[role]]
    return min(ids, key=_plainness, default=None)


def row_numbers(frame: pl.DataFrame) -> list[str]:
    """Columns without a name of their own that number the rows from 0 or 1, as tables written with their index have."""
    return [
        name
        for name in frame.columns
        if (plain_name(name) in COUNTERS or _UNNAMED.fullmatch(name)) and _counts(frame[name])
    ]


def _plainness(name: str) -> int:
    """Ids before names: `user_id` is what `user_name` only describes."""
    return 1 if plain_name(name).endswith("name") else 0


def _counts(values: pl.Series) -> bool:
    if not values.dtype.is_integer() or len(values) < 2 or values.null_count() or values[0] not in (0, 1):
        return False
    return bool((values.diff()[1:] == 1).all())
