"""Which bucket an id falls into: by a hash of its value that is the same in every process and on every machine."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

_BASE = 0x9E3779B97F4A7C15  # odd, so that no byte of a text is multiplied away


def buckets_of(ids: pl.Series, count: int) -> NDArray[np.int64]:
    """The bucket, 0 to `count` - 1, of each id, (rows,).

    Args:
        ids: Int64 or String, none missing.
    """
    whole = ids.dtype == pl.Int64
    hashes = ids.to_numpy().astype(np.uint64) if whole else _polynomials(ids)
    return (_mixed(hashes) % np.uint64(count)).astype(np.int64)


def _polynomials(texts: pl.Series) -> NDArray[np.uint64]:
    """The sum over a text's bytes of (byte + 1) * base**place, modulo 2**64, (rows,)."""
    lengths = texts.str.len_bytes().to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    together = np.frombuffer(str(texts.str.join("").item()).encode(), dtype=np.uint8)
    powers = np.cumprod(np.full(int(lengths.max(initial=0)) + 1, _BASE, dtype=np.uint64))
    terms = powers[np.arange(len(together)) - np.repeat(starts, lengths)]
    terms *= together.astype(np.uint64) + np.uint64(1)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms)])
    return np.asarray(sums[ends] - sums[starts])


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit made to depend on every other, as splitmix64 does (Steele et al. 2014, doi 10.1145/2660193.2660195)."""
    mixed = hashes + np.uint64(_BASE)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
