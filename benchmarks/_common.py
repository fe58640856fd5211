"""What the benchmark scripts share: arguments, clocks, the machine, tables, verdicts and JSON."""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ["vectable", "numpy", "torch", "numba", "polars", "pandas", "scikit-learn"]
PACKAGES += ["fastai", "scikit-surprise", "libmf", "lightgbm", "catboost"]
# The settings of the lesson's run, for ours and for the peers that know the setting.
LESSON = {"n_factors": 40, "y_range": (0, 5.5), "wd": 0.1}
EPOCHS, LR, BATCH = 5, 5e-3, 64


def arguments(doc: str, *, seeds: int | None = None, data: bool = True) -> argparse.ArgumentParser:
    """A parser with the arguments that every script has; `seeds` is the default number of them."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the results as JSON, to standard output without FILE",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a small version in under 20 seconds; targets are not judged"
    )
    if seeds is not None:
        parser.add_argument("--seeds", type=int, help=f"number of seeds (default {seeds}; 1 with --quick)")
        parser.set_defaults(full_seeds=seeds)
    if data:
        parser.add_argument("--data", metavar="DIR", help="folder that holds the data sets (default: $VECTABLE_DATA)")
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments, with the number of seeds settled and the data folder handed to vectable."""
    args = parser.parse_args()
    if "full_seeds" in args:
        args.seeds = args.seeds or (1 if args.quick else args.full_seeds)
    if getattr(args, "data", None):
        os.environ["VECTABLE_DATA"] = str(Path(args.data).resolve())
    return args


def load(name: str) -> Any:
    """A named data set, or an exit that says where to put it."""
    import vectable as vt

    try:
        return vt.datasets.load(name)
    except (vt.VectableError, OSError) as error:
        sys.exit(f"This benchmark needs {name}, which may not be shipped. {error} Here, --data names that folder too.")


def installed(module: str) -> bool:
    """Whether a peer can be imported; where it cannot, the report says so."""
    return importlib.util.find_spec(module) is not None


# ---------------------------------------------------------------- clocks and numbers


@contextmanager
def clock() -> Iterable[Callable[[], float]]:
    """``with clock() as seconds: ...`` and then ``seconds()``: wall time of the block."""
    ended: list[float] = []
    started = time.perf_counter()
    try:
        yield lambda: (ended[0] if ended else time.perf_counter()) - started
    finally:
        ended.append(time.perf_counter())


@contextmanager
def cpu_clock() -> Iterable[Callable[[], float]]:
    """As `clock`, in seconds that this process kept a processor busy, all threads together."""
    ended: list[float] = []
    started = time.process_time()
    try:
        yield lambda: (ended[0] if ended else time.process_time()) - started
    finally:
        ended.append(time.process_time())


def timed(call: Callable[[], Any], repeats: int, warm: bool = True) -> list[float]:
    """Wall seconds of each of `repeats` calls, after one that is not counted where `warm` says so."""
    if warm:
        call()
    found = []
    for _ in range(repeats):
        with clock() as seconds:
            call()
        found.append(seconds())
    return found


def spread(values: Iterable[float]) -> dict[str, Any]:
    """Mean, standard deviation (n - 1), median, least and most of some numbers, and the numbers."""
    listed = [float(value) for value in values]
    return {
        "mean": statistics.fmean(listed),
        "sd": statistics.stdev(listed) if len(listed) > 1 else None,
        "median": statistics.median(listed),
        "min": min(listed),
        "max": max(listed),
        "values": listed,
    }


def mean_sd(found: dict[str, Any], digits: int = 4) -> str:
    """``.8012 +- .0061``, or the mean alone where there is one seed."""
    return f"{found['mean']:.{digits}f}" + (f" +- {found['sd']:.{digits}f}" if found["sd"] is not None else "")


def times(found: dict[str, Any], unit: float = 1.0, digits: int = 2) -> str:
    """``.25 (.24 to .31)``: median, least and most; `unit` 1000 gives milliseconds."""
    middle, low, high = (found[key] * unit for key in ("median", "min", "max"))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


# ---------------------------------------------------------------- the machine


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    lines = _read("/proc/cpuinfo").splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    memory = next(
        (line.split()[1] for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), None
    )
    return {
        "cpu": model or "unknown",
        "cores": os.cpu_count(),
        "memory_gb": round(int(memory) / 2**20, 1) if memory else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# ---------------------------------------------------------------- the report


class Report:
    """Collects what a script found, says it in words while it runs, and writes it as JSON at the end."""

    def __init__(self, name: str, args: argparse.Namespace, **settings: Any) -> None:
        warnings.filterwarnings("ignore", module="fastai")
        self._to = args.json
        self._out = sys.stderr if args.json == "-" else sys.stdout
        self._quick = args.quick
        self.found: dict[str, Any] = {
            "benchmark": name,
            "quick": args.quick,
            "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "machine": machine(),
            "settings": settings,
            "results": {},
            "targets": [],
            "not_installed": [],
            "conclusions": [],
        }
        about = self.found["machine"]
        packages = ", ".join(f"{key} {value}" for key, value in about["packages"].items() if value)
        self.say(f"{name}{' (quick)' if args.quick else ''}: " + ", ".join(f"{k} {v}" for k, v in settings.items()))
        self.say(f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, load {about['load_before']}")
        self.say(f"Python {about['python']}, {packages}")

    def say(self, sentence: str) -> None:
        """A line for the reader; not in the JSON."""
        print(sentence, file=self._out, flush=True)

    def result(self, key: str, value: Any) -> None:
        """Keep one result for the JSON."""
        self.found["results"][key] = value

    def missing(self, peer: str) -> None:
        """Tell that a peer could not be measured."""
        self.found["not_installed"].append(peer)
        self.say(f"{peer}: not installed, so not measured (benchmarks/README.md tells how to install it).")

    def table(self, rows: list[dict[str, str]]) -> None:
        """Print rows as a Markdown table."""
        if not rows:
            return
        heads = list(rows[0])
        widths = [max(len(head), *(len(row[head]) for row in rows)) for head in heads]
        lines = [heads, ["-" * width for width in widths], *([row[head] for head in heads] for row in rows)]
        self.say("")
        for cells in lines:
            self.say("| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |")
        self.say("")

    def target(self, what: str, reached: float, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """Hold a number against its target; a quick run is too small to be judged, and says so."""
        limit = at_most if at_most is not None else at_least
        met = None if self._quick else bool(reached <= limit if at_most is not None else reached >= limit)
        bound = "at most" if at_most is not None else "at least"
        self.found["targets"].append({"what": what, "reached": reached, bound.replace(" ", "_"): limit, "met": met})
        verdict = {None: "not judged in a quick run", True: "met", False: "MISSED"}[met]
        self.say(f"Target: {what} {reached:.4g}, {bound} {limit:g}: {verdict}.")

    def conclude(self, sentence: str) -> None:
        """A plain sentence on who wins on what."""
        self.found["conclusions"].append(sentence)
        self.say(sentence)

    def finish(self) -> None:
        """Write the JSON where it was asked for."""
        if self._to is None:
            return
        text = json.dumps(self.found, indent=2)
        if self._to == "-":
            print(text)
        else:
            Path(self._to).write_text(text + "\n")


def warm_up() -> None:
    """Train a handful of ratings, so that kernels are compiled or loaded before any clock runs."""
    import polars as pl

    import vectable as vt

    pairs = [(user, item) for user in range(20) for item in range(20)]
    few = pl.DataFrame(pairs, schema=["user", "item"], orient="row").with_columns(rating=pl.col("item") % 5 + 1.0)
    data = vt.RatingsData.from_df(few, seed=0)
    for engine in ("compiled", "sgd"):
        vt.collab_learner(data, n_factors=2, engine=engine, progress=False).fit_one_cycle(1, 1e-3)
