"""Named data sets: ratings, tables and images that come with the package; MovieLens from a folder or its source.

`load` looks in this order: shipped with the package, the `data_dir` argument, the folder that the environment
variable VECTABLE_DATA names, the user's cache, and last the source itself, over https and against a checksum.
"""

import os
from pathlib import Path
from typing import Any, Literal, overload

from vectable.data.sets.cache_folder import cache_dir
from vectable.data.sets.downloading import DownloadError, fetch_archive
from vectable.data.sets.movielens import is_movielens, read_movielens
from vectable.data.sets.movielens_archives import MOVIELENS
from vectable.data.sets.picture_sets import PICTURES, PictureInfo, PictureSet
from vectable.data.sets.ratings_set import RatingsSet, SetInfo
from vectable.data.sets.shipped_ratings import RATINGS
from vectable.data.sets.table_sets import TABLES, TableInfo, TableSet
from vectable.errors import DataError, UnknownNameError, did_you_mean, quote_some

__all__ = ["CATALOGUE", "DATA_VARIABLE", "RatingsSet", "SetInfo", "cache_dir", "info", "load", "names"]

DATA_VARIABLE = "VECTABLE_DATA"
"""Environment variable: a folder that holds folders named ml-100k, ml-1m, ..."""

_SHIPPED: dict[str, tuple[Any, Any]] = {**RATINGS, **TABLES, **PICTURES}

CATALOGUE: dict[str, SetInfo | TableInfo | PictureInfo] = {
    known.name: known for known in (*(known for known, _ in _SHIPPED.values()), *MOVIELENS)
}
"""Every data set by name, the shipped ones first."""


def names() -> list[str]:
    """The names that `load` knows, the shipped ones first.

    Examples:
        >>> import vectable as vt
        >>> "goodbooks" in vt.datasets.names()
        True
    """
    return list(CATALOGUE)


def info(name: str) -> SetInfo | TableInfo | PictureInfo:
    """What is known of the data set `name`: counts, licence, source, and how it is come by.

    Raises:
        UnknownNameError: with the closest names.

    Examples:
        >>> import vectable as vt
        >>> vt.datasets.info("goodbooks").licence
        'CC BY-SA 4.0; the licence covers the data files only'
    """
    known = CATALOGUE.get(name.strip().lower().replace("_", "-"))
    if known is None:
        hint = did_you_mean(name, CATALOGUE)
        raise UnknownNameError(f"There is no data set named {name!r}.{hint} There are {quote_some(names(), 20)}.")
    return known


@overload
def load(
    name: Literal["goodbooks", "movietweetings", "ml-100k", "ml-1m"],
    *,
    data_dir: str | Path | None = None,
    download: bool = True,
) -> RatingsSet: ...
@overload
def load(
    name: Literal["adult", "flights"], *, data_dir: str | Path | None = None, download: bool = True
) -> TableSet: ...
@overload
def load(name: Literal["fashion"], *, data_dir: str | Path | None = None, download: bool = True) -> PictureSet: ...
@overload
def load(name: str, *, data_dir: str | Path | None = None, download: bool = True) -> Any: ...
def load(name: str, *, data_dir: str | Path | None = None, download: bool = True) -> RatingsSet | TableSet | PictureSet:
    """A data set by its name: ratings, a table of mixed columns, or pictures.

    Args:
        name: one of `names()`.
        data_dir: a folder that holds folders named as the sets, or is itself the set's folder.
        download: whether to fetch the set from its source into the user's cache where it is found nowhere.

    Raises:
        UnknownNameError: for a name not in the catalogue.
        DataError: when the set is found nowhere, with every place tried, or its files are damaged.

    Examples:
        >>> import vectable as vt
        >>> vt.datasets.load("goodbooks").ratings.columns
        ['user', 'item', 'rating']
    """
    known = info(name)
    if not isinstance(known, SetInfo) or known.shipped:
        about, read = _SHIPPED[known.name]
        found: RatingsSet | TableSet | PictureSet = read(about)
        return found
    tried = []
    for place, folder in _places(known.name, data_dir):
        if folder is None:
            tried.append(place)
        elif is_movielens(folder):
            return read_movielens(folder)
        else:
            tried.append(f"{place} ({folder})")
    if known.url is None or known.sha256 is None or known.bytes is None:
        tried.append("not offered for download, since no checksum of it is known")
    elif not download:
        tried.append(f"not downloaded from {known.url} (download=False)")
    else:
        target = cache_dir() / known.name
        try:
            return read_movielens(fetch_archive(known.url, known.sha256, known.bytes, target, is_movielens))
        except DownloadError as problem:
            tried.append(str(problem))
    raise DataError(
        f"The data set {known.name!r} was not found: {'; '.join(tried)}. Unpack it into a folder named "
        f"{known.name}, and give the folder around that as data_dir= or in the variable {DATA_VARIABLE}."
    )


def _places(name: str, data_dir: str | Path | None) -> list[tuple[str, Path | None]]:
    """Where a set may lie on this machine: what to call the place, and the folder, None where not set."""
    places: list[tuple[str, Path | None]] = []
    if data_dir is not None:
        folder = Path(data_dir).expanduser()
        if not folder.is_dir():
            raise DataError(f"The data directory {folder} is not a folder.")
        places += [("not in data_dir", folder / name)]
        if folder.name == name:
            places += [("nor in data_dir itself", folder)]
    variable = os.environ.get(DATA_VARIABLE)
    if variable:
        places += [(f"not in {DATA_VARIABLE}", Path(variable).expanduser() / name)]
    else:
        places += [(f"{DATA_VARIABLE} is not set", None)]
    return [*places, ("not in the cache", cache_dir() / name)]
