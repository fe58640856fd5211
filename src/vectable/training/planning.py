"""What training a dot-product model on ratings will take: memory and processor time, estimated before anything starts.

The sizes of tables are those of the engines. The other constants were fitted to runs on 10 million ratings of 1 million
users and 100,000 items, batches of 8,192, with 14 or 15 and 64 factors, on two cores of a Xeon. With 40 factors, which
were not fitted, the peak of resident memory was estimated within 3 %, the processor time of an epoch within 8 %.
Larger tables miss the caches more often, and other machines have other times: take a time as an order of magnitude.
"""

import os
from dataclasses import dataclass
from typing import Literal

from vectable.data.ratings.rating_lanes import MOST_ROWS
from vectable.errors import is_whole, require
from vectable.training.engines.sgd.engine import LEAST_RATINGS
from vectable.vectors import LANES

PROGRAM_BYTES = 345e6  # resident once torch and the package are imported
ROW_BYTES = {"sgd": 33, "compiled": 27}  # a rating: codes, value, the order of an epoch, and what making them takes
COPIES = {"sgd": 2.25, "compiled": 3.0}  # of the module's weights at the peak: itself, those from before, those read
SECONDS = {"sgd": (84e-9, 1.2e-9), "compiled": (110e-9, 10.2e-9)}  # of a processor: a rating, and a float of its row

EngineName = Literal["sgd", "compiled"]


@dataclass(frozen=True)
class TrainingEstimate:
    """What training takes on one machine.

    Attributes:
        engine: which trains.
        ratings_bytes, tables_bytes: memory at the peak for the ratings, and for weights with optimizer and copies.
        peak_bytes: all together, with the program.
        epoch_cpu_seconds: processor time of an epoch; two threads halve the time on the clock.
        machine_bytes: memory of this machine, or None where the system does not tell.
        too_many_rows: whether there are more rows than one process can order.
    """

    engine: EngineName
    ratings_bytes: float
    tables_bytes: float
    peak_bytes: float
    epoch_cpu_seconds: float
    machine_bytes: int | None
    too_many_rows: bool

    @property
    def fits(self) -> bool | None:
        """Whether this machine is enough; None where its memory is not known."""
        if self.too_many_rows:
            return False
        return None if self.machine_bytes is None else self.peak_bytes <= 0.9 * self.machine_bytes

    @property
    def verdict(self) -> str:
        """Whether one machine is enough, in a sentence."""
        needed = f"{self.peak_bytes / 1e9:,.1f} GB"
        if self.too_many_rows:
            return (
                f"One process takes at most {MOST_ROWS:,} ratings whole: read them in windows (--window), or train in "
                "several processes (--distributed)."
            )
        if self.machine_bytes is None:
            return f"One machine is enough if it has more than {needed} of memory."
        has = f"this one has {self.machine_bytes / 1e9:,.1f} GB"
        return (
            f"This machine is enough: training takes about {needed}, and {has}."
            if self.fits
            else f"One machine is enough if it has more than {needed} of memory with a tenth to spare; {has}."
        )


def estimate_training(
    n_rows: int, n_users: int, n_items: int, n_factors: int, engine: EngineName | None = None
) -> TrainingEstimate:
    """Estimate what training takes.

    Args:
        n_rows: ratings.
        n_users, n_items: different users and items.
        n_factors: factors of each.
        engine: "sgd" or "compiled"; by default the one that is taken for so many ratings.

    Raises:
        VectableError: a number is not positive, or there is no such engine.
    """
    for name, value in {"rows": n_rows, "users": n_users, "items": n_items, "factors": n_factors}.items():
        require(is_whole(value, 1), f"The number of {name} must be a positive integer; got {value!r}.")
    chosen: EngineName = engine or ("sgd" if n_rows >= LEAST_RATINGS else "compiled")
    require(chosen in SECONDS, f"engine must be one of {list(SECONDS)}; got {engine!r}.")
    weights = 4 * (n_factors + 1)
    ratings_bytes = float(ROW_BYTES[chosen] * n_rows)
    tables_bytes = (n_users + n_items + 2) * (COPIES[chosen] * weights + packed_bytes(chosen, n_factors))
    a_rating, a_float = SECONDS[chosen]
    return TrainingEstimate(
        chosen,
        ratings_bytes,
        tables_bytes,
        PROGRAM_BYTES + ratings_bytes + tables_bytes,
        n_rows * (a_rating + a_float * _width(chosen, n_factors)),
        machine_memory(),
        n_rows > MOST_ROWS,
    )


def packed_bytes(engine: EngineName, n_factors: int) -> int:
    """Bytes of a user's or an item's row in an engine's own tables: weights with what the optimizer keeps."""
    return (1 if engine == "sgd" else 3) * 4 * _width(engine, n_factors) + 4


def machine_memory() -> int | None:
    """Bytes of memory of this machine, or None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system has these
        return None


def _width(engine: EngineName, n_factors: int) -> int:
    """Floats of a packed row: factors and bias (and, for SGD, a one), in whole vectors."""
    return -(-(n_factors + (2 if engine == "sgd" else 1)) // LANES) * LANES
