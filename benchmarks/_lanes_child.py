"""One measurement of lanes, in a process of its own; prints JSON. `lanes.py` starts it.

make: write made-up ratings as Parquet files of a million rows.
encode: make lanes of them, and watch the resident memory.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl

import vectable as vt
from _common import clock, cpu_clock
from _scale_child import forget_peak, resident

FILE_ROWS, ITEMS_OF_USERS = 1_000_000, 0.1


def make(folder: Path, args: argparse.Namespace) -> dict:
    """Users at random, items by a power law; ids are whole numbers, or texts with --texts."""
    rng = np.random.default_rng(args.seed)
    n_items = max(int(args.users * ITEMS_OF_USERS), 1)
    for number, first in enumerate(range(0, args.rows, FILE_ROWS)):
        rows = min(FILE_ROWS, args.rows - first)
        frame = pl.DataFrame(
            {
                "user": rng.integers(0, args.users, rows),
                "item": (n_items * rng.random(rows) ** 3).astype(np.int64),
                "rating": rng.integers(1, 6, rows).astype(np.float32),
            }
        )
        if args.texts:
            frame = frame.with_columns(pl.format("user-{}", "user"), pl.format("item-{}", "item"))
        frame.write_parquet(folder / f"{number:04}.parquet")
    return {"files": number + 1}


def encode(folder: Path, args: argparse.Namespace) -> dict:
    vt.encode_lanes  # noqa: B018 - imported before the memory is looked at
    imported = resident()
    forget_peak()
    with clock() as seconds, cpu_clock() as cpu_seconds:
        lanes = vt.encode_lanes(folder / "*.parquet", folder / "lanes", args.lanes)
    return {
        "rows": lanes.n_rows,
        "users": lanes.n_users,
        "items": lanes.n_items,
        "seconds": seconds(),
        "cpu_seconds": cpu_seconds(),
        "imported_bytes": imported,
        "peak_bytes": resident("VmHWM"),
        "disk_bytes": sum(path.stat().st_size for path in (folder / "lanes").rglob("*.parquet")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["make", "encode"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--users", type=int)
    parser.add_argument("--lanes", type=int)
    parser.add_argument("--texts", type=int, default=0)
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    print(json.dumps({"make": make, "encode": encode}[args.what](args.folder, args)))


if __name__ == "__main__":
    main()
