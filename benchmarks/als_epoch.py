"""An epoch of implicit ALS beside `implicit`'s, two threads beside one, and twenty million interactions.

`implicit` runs with conjugate gradients of 3 steps as ours do, on the same matrix, MovieLens 1M of at least 4; epochs
of both alternate. Twenty million made-up interactions of 138,000 users and 27,000 items have 64 factors; memory is the
peak of a process of its own, less what was resident before the matrix was made.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from _common import Report, arguments, cpu_clock, installed, parse, spread, times

EPOCHS = 5
BIG = (20_000_000, 138_000, 27_000)
SMALL = (200_000, 3_000, 1_000)


def movielens(quick: bool):
    """The matrix of liked films."""
    import polars as pl

    from vectable.data.encoders.categorify import Categorify
    from vectable.factorising.sparse_rows import SparseRows

    path = Path(os.environ.get("VECTABLE_DATA", "")) / "ml-1m" / "time_order.parquet"
    if not path.is_file():
        sys.exit(f"This benchmark needs {path}, which may not be shipped; --data names the folder that holds ml-1m.")
    liked = pl.read_parquet(path).filter(pl.col("rating") >= 4)
    liked = liked.filter(pl.col("user") % 10 == 0) if quick else liked
    users, items = Categorify().fit(liked["user"]), Categorify().fit(liked["item"])
    codes = users.encode(liked["user"]), items.encode(liked["item"])
    return SparseRows.from_pairs(*codes, n_rows=len(users), n_columns=len(items))


def made_up(n_entries: int, n_users: int, n_items: int):
    """Pairs of users and items of which some are far more frequent than others."""
    import numpy as np

    from vectable.factorising.sparse_rows import SparseRows

    rng = np.random.default_rng(0)
    lengths = np.bincount((n_users * rng.random(n_entries, np.float32) ** 2).astype(np.int32), minlength=n_users)
    items = np.empty(n_entries, dtype=np.int32)
    for first in range(0, n_entries, 1 << 20):  # in pieces, so that drawing is not the peak of the memory
        piece = items[first : first + (1 << 20)]
        piece[:] = n_items * rng.random(len(piece), np.float32) ** 3
    return SparseRows(np.append(0, np.cumsum(lengths)), items, np.ones(n_entries, dtype=np.float32), n_items)


def our_epoch(by_user, by_item, options, users, items, threads):
    """The CPU and the wall seconds of one epoch."""
    from vectable.factorising.als import improve

    started = time.perf_counter()
    with cpu_clock() as cpu:
        improve(by_user, items, options, users, threads)
        improve(by_item, users, options, items, threads)
    return cpu(), time.perf_counter() - started


def their_second_epoch(peer, matrix) -> float:
    """The CPU seconds of the second iteration of a fit: before the first it prepares the matrix."""
    stamps = []
    peer.fit(matrix, False, lambda *_: stamps.append(time.process_time()))
    return stamps[1] - stamps[0]


def beside_implicit(report, rows, n_factors):
    import numpy as np
    from scipy import sparse

    from vectable.factorising.als import ALSOptions, first_rows

    by_item = rows.transposed()
    options = ALSOptions.by_size(len(rows.columns), len(rows), rows.n_columns).with_changes(n_factors=n_factors)
    items = first_rows(by_item, options)
    users = np.zeros((len(rows), items.shape[1]), dtype=np.float32)
    our_epoch(rows, by_item, options, users, items, 1)
    ours, theirs = [], []
    peer = None
    if installed("implicit"):
        from implicit.als import AlternatingLeastSquares

        matrix = sparse.csr_matrix((rows.values, rows.columns, rows.starts), shape=(len(rows), rows.n_columns))
        peer = AlternatingLeastSquares(factors=n_factors, iterations=2, num_threads=1, use_gpu=False, random_state=0)
    for _ in range(EPOCHS):
        ours.append(our_epoch(rows, by_item, options, users, items, 1)[0])
        if peer is not None:
            theirs.append(their_second_epoch(peer, matrix))
    found = {"ours": spread(ours), "implicit": spread(theirs) if theirs else None}
    report.result(f"epoch, {n_factors} factors", found)
    if peer is None:
        report.missing("implicit")
        return None
    report.say(f"{n_factors} factors, CPU s an epoch: ours {times(found['ours'])}, implicit {times(found['implicit'])}")
    return found["ours"]["median"] / found["implicit"]["median"]


def threads(report, rows):
    """Wall time of an epoch on one thread over that on two."""
    import numpy as np

    from vectable.factorising.als import ALSOptions, first_rows

    by_item = rows.transposed()
    options = ALSOptions.by_size(len(rows.columns), len(rows), rows.n_columns).with_changes(n_factors=128)
    items = first_rows(by_item, options)
    users = np.zeros((len(rows), items.shape[1]), dtype=np.float32)
    our_epoch(rows, by_item, options, users, items, 2)
    walls = {1: [], 2: []}
    for _ in range(EPOCHS):
        for number in walls:
            walls[number].append(our_epoch(rows, by_item, options, users, items, number)[1])
    found = {number: spread(one) for number, one in walls.items()}
    report.result("wall seconds of an epoch by threads", found)
    report.say(f"128 factors, wall s an epoch: one thread {times(found[1])}, two {times(found[2])}")
    return found[1]["min"] / found[2]["min"]


def peak_bytes() -> int:
    """The most memory that this process had at a time."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def child(quick: bool) -> None:
    """Twenty million interactions in a process of its own; prints JSON."""
    import numpy as np

    from vectable.factorising.als import ALSOptions, ImplicitALS

    options = ALSOptions(64, 1, reg=0.01, unobserved=0.05)
    ImplicitALS.fit(made_up(1000, 50, 50), options)
    before = peak_bytes()
    rows = made_up(*(SMALL if quick else BIG))
    drawn = peak_bytes()
    stamps = [time.process_time()]
    ImplicitALS.fit(rows, options.with_changes(epochs=3), lambda _: stamps.append(time.process_time()), threads=1)
    peak = peak_bytes()
    epochs = np.diff(stamps)[1:].tolist()  # the first has the transposing in it
    data = rows.columns.nbytes + rows.values.nbytes + rows.starts.nbytes
    factors = 4 * 64 * (len(rows) + rows.n_columns)
    print(json.dumps({"epoch": epochs, "rows": len(rows.columns), "data": data, "factors": factors,
                      "making": drawn - before, "peak": peak - before}))  # fmt: skip


def big(report, quick):
    done = subprocess.run(
        [sys.executable, __file__, "--child", *(["--quick"] if quick else [])],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    micro = 1e6 * min(found["epoch"]) / found["rows"]
    report.result("twenty million", found)
    shown = {name: f"{found[name] / 2**20:,.0f} MB" for name in ("data", "factors", "making", "peak")}
    report.say(f"{found['rows']:,} interactions, 64 factors: {micro:.2f} CPU microseconds a row and epoch; {shown}")
    report.target("microseconds a row and epoch", micro, at_most=0.3)
    report.target("peak over twice the data and the factors", found["peak"] / (2 * found["data"] + found["factors"]),
                  at_most=1.2)  # fmt: skip


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--child", action="store_true", help="what the script calls itself with")
    args = parse(parser)
    if args.child:
        child(args.quick)
        return
    report = Report("als_epoch", args, epochs=EPOCHS)
    rows = movielens(args.quick)
    for n_factors, most in ((64, 0.5), (256, 2 / 3)):
        share = beside_implicit(report, rows, n_factors)
        if share is not None:
            report.target(f"share of implicit's CPU time, {n_factors} factors", share, at_most=most)
    report.target("gain of two threads", threads(report, rows), at_least=1.7)
    big(report, args.quick)
    report.finish()


if __name__ == "__main__":
    main()
