"""LIBMF in a process of its own, and its figures read off the table it prints.

LIBMF reports an iteration as a line of text, so the parent notes when each line arrives: that is the clock. Run as
a script this file is the child; `run` below is what the benchmarks call.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from pathlib import Path


def run(folder: Path, *, iterations: int, lr: float, reg: float, threads: int, on: str, n_factors: int) -> dict:
    """Train LIBMF and time its iterations.

    Args:
        on: "valid": report the error on valid.parquet after each iteration; "inner": train on nine tenths of the
            training rows and report the rest, to choose settings by; "none": time the iterations alone.

    Returns:
        seconds: of each iteration's end since the arrays were handed over; rmse: after each, empty for "none".
    """
    numbers = [f"--iterations={iterations}", f"--lr={lr}", f"--reg={reg}", f"--threads={threads}"]
    command = [sys.executable, "-W", "ignore", __file__, str(folder), *numbers, f"--factors={n_factors}", f"--on={on}"]
    seconds, rmse, started = [], [], 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
        for line in child.stdout:
            now, words = time.perf_counter(), line.split()
            if words == ["handing", "over"]:
                started = now
            elif started and len(words) >= 3 and words[0].isdigit():
                seconds.append(now - started)
                if on != "none":
                    rmse.append(float(words[2]))
    if child.returncode or len(seconds) != iterations:
        raise RuntimeError(
            f"LIBMF ended with status {child.returncode} after {len(seconds)} of {iterations} iterations"
        )
    return {"seconds": seconds, "rmse": rmse}


def build() -> str:
    """How this LIBMF was compiled, as far as its library tells."""
    package = Path(importlib.util.find_spec("libmf").origin).parent.parent
    library = next(package.glob("libmf*.so")).read_bytes()
    # The flags in README.md bring OpenMP in with the vector instructions; the package's own flags bring neither.
    return (
        "compiled with OpenMP and vector instructions" if b"GOMP_parallel" in library else "compiled as pip does, plain"
    )


def child() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--reg", type=float)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--factors", type=int)
    parser.add_argument("--on", choices=["valid", "inner", "none"])
    args = parser.parse_args()

    import numpy as np
    import polars as pl
    from libmf import mf

    from _synthetic import inner_split

    def triples(frame):
        return np.ascontiguousarray(frame.cast(pl.Float32).to_numpy())

    train = pl.read_parquet(args.folder / "train.parquet")
    if args.on == "inner":
        train, valid = inner_split(train)
    elif args.on == "valid":
        valid = pl.read_parquet(args.folder / "valid.parquet")
    # The package's own default is an L1 penalty; LIBMF's, and the one its authors tune on ratings, is L2.
    penalty = {"lambda_p1": 0.0, "lambda_q1": 0.0, "lambda_p2": args.reg, "lambda_q2": args.reg}
    model = mf.MF(k=args.factors, nr_threads=args.threads, nr_iters=args.iterations, eta=args.lr, **penalty)
    rows = triples(train)
    if args.on == "none":
        print("handing over", flush=True)
        model.fit(rows)
    else:
        held_out = triples(valid)
        print("handing over", flush=True)
        model.mf_train_test(rows, held_out)


if __name__ == "__main__":
    child()
