"""Lists of ten from interactions: vectable and other libraries, each tuned by the same budget, on the same splits.

A tenth of the interactions tests and a tenth validates, at random. Each library tries up to eight settings, for 15
seconds of a processor at most, on the validation part (of vectable its models, "auto" among them), keeps the best, is
fitted to training and validation together with several seeds, and lists ten items for every test user among all that
the user has not met. One thread and one process each. Models of ratings (Surprise, myFM) rank by the predicted rating,
and are there where there are ratings. Differences are paired over users, with an interval of 95 % by a bootstrap.
`--page` writes the page of the book.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from _common import Report, arguments, load, mean_sd, parse, spread

N = 10
LIBRARIES = {
    "vectable": "vectable",
    "implicit": "implicit",
    "irspack": "irspack",
    "lenskit": "LensKit",
    "rectools": "RecTools",
    "libmf": "LIBMF",
    "surprise": "Surprise",
    "myfm": "myFM",
}
OF_RATINGS = ("surprise", "myfm")
SETS = {"goodbooks": True, "ml-100k": True, "movietweetings": True, "lastfm": False}
"""Named sets, and whether they have ratings."""
LONGEST = 300  # wall seconds of one library on one set


def rows_of(name: str):
    """Users, items and ratings of a named set as a frame."""
    import polars as pl

    if name != "lastfm":
        return load(name).ratings.select(pl.col("user"), pl.col("item"), pl.col("rating").cast(float))
    folder = Path(os.environ.get("VECTABLE_DATA", "")) / "sequences"
    if not (folder / "lastfm_train.txt").is_file():
        sys.exit(
            f"This benchmark needs sequences/lastfm_train.txt in {folder.parent}, which may not be shipped; see --data."
        )
    pairs = []
    for part in ("train", "test"):
        for line in (folder / f"lastfm_{part}.txt").read_text().splitlines():
            user, *items = line.split()
            pairs += [(int(user), int(float(item)), 1.0) for item in items]
    return pl.DataFrame(pairs, schema=["user", "item", "rating"], orient="row").unique(
        ["user", "item"], maintain_order=True
    )


def split(name: str, quick: bool):
    """Interactions of a set, and the ratings of its training and validation rows."""
    import polars as pl

    import vectable as vt

    rows = rows_of(name)
    if quick:
        rows = rows.filter(pl.col("user").rank("dense") % 8 == 0)
    return vt.InteractionsData.from_df(rows, "user", "item", count="rating", repeats="last", split="random", seed=42)


def interpreter(library: str, pythons: dict[str, str]) -> str:
    """The one that runs a library: its own, that of all peers, or this one."""
    peers = sys.executable if library == "vectable" else pythons.get("peers", sys.executable)
    return pythons.get(library, peers)


def run(library: str, data, wanted, seeds: int, python: str):
    """Lists of a library, (seeds, users, 10), and what was measured of it; None and a reason where it cannot run."""
    known = data.parts != 2  # the test part
    rows = data.interactions.take(known)
    given = {
        "users": rows.user - 1,
        "items": rows.item - 1,
        "ratings": rows.count.astype(np.float64),
        "part": data.parts[known],
        "shape": np.array([data.n_users, data.n_items]),
        "wanted": wanted - 1,
        "seeds": np.arange(seeds),
    }
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **given)
        child = Path(__file__).with_name("_leaderboard_child.py")
        try:
            done = subprocess.run(
                [python, str(child), library, str(source), str(target)],
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None, f"took more than {LONGEST} seconds"
        if done.returncode:
            return None, (done.stderr.strip().splitlines() or ["no message"])[-1]
        with np.load(target) as found:
            return found["lists"] + 1, json.loads(str(found["about"]))


def figures(lists, held_out, data):
    """Figures of each seed's lists."""
    from vectable.recommending.evaluation import figures_of

    def scores_of(one):
        def score(first, last):
            table = np.zeros((last - first, len(data.item_ids)), dtype=np.float32)
            np.put_along_axis(table, one[first:last], np.arange(N, 0, -1, dtype=np.float32)[None], axis=1)
            return table

        return score

    return [figures_of(scores_of(one), held_out, [N], counts_of_known(data), data.n_users) for one in lists]


def counts_of_known(data):
    """Interactions of each item in the training and validation part."""
    return np.bincount(data.interactions.item[data.parts != 2], minlength=len(data.item_ids))


def measured(name: str, args, report: Report) -> dict:
    """All libraries on one set."""
    from vectable.recommending.evaluation import Evaluation, ListFigures

    data = split(name, args.quick)
    held_out = data.test.take(np.flatnonzero(data.test.inputs.lengths > 0))
    users = held_out.users
    report.say(f"{name}: {data!r}; {len(users):,} users tested")
    each, rows = {}, []
    for library, shown in LIBRARIES.items():
        if library in OF_RATINGS and not SETS[name]:
            continue
        lists, about = run(library, data, users, args.seeds, interpreter(library, args.python))
        if lists is None:
            report.say(f"{shown} could not run on {name}: {about}")
            continue
        found = figures(lists, held_out, data)
        mean = {figure: np.mean([one.per_user[figure] for one in found], axis=0) for figure in found[0].per_user}
        overall = {figure: float(np.mean([one.overall[figure] for one in found])) for figure in found[0].overall}
        each[shown] = ListFigures(mean, overall)
        ndcg = spread([one.per_user["ndcg@10"].mean() for one in found])
        rows.append(
            {
                "library": shown,
                "ndcg": ndcg,
                "recall": float(mean["recall@10"].mean()),
                "coverage": overall["coverage@10"],
                "fit": spread(about["seconds"]),
                "tuning": about["tuning"],
                "peak": about["peak"],
                "kept": f"{about['best']['model']} {about['best']['how']}",
                "tries": about["tries"],
            }
        )
        report.say(
            f"  {shown:<9} NDCG@10 {mean_sd(ndcg)}, {rows[-1]['fit']['median']:.2f} CPU s, kept {rows[-1]['kept']}"
        )
    counts = counts_of_known(data).astype(np.float32)
    from vectable.recommending.evaluation import figures_of

    tile = lambda first, last: np.tile(counts, (last - first, 1))  # noqa: E731 - a scorer of one line
    each["popularity"] = figures_of(tile, held_out, [N], counts.astype(np.int64), data.n_users)
    apart = Evaluation(each, [N]).differences("ndcg@10", to="vectable").to_dicts() if "vectable" in each else []
    popular = float(each["popularity"].per_user["ndcg@10"].mean())
    return {
        "set": name,
        "fingerprint": data.fingerprint,
        "users": len(users),
        "items": data.n_items,
        "interactions": len(data.interactions),
        "libraries": rows,
        "popularity": popular,
        "apart": apart,
    }


def table(result: dict) -> list[dict[str, str]]:
    """A set's rows, the best first."""
    apart = {row["model"]: row for row in result["apart"]}
    shown = []
    for row in sorted(result["libraries"], key=lambda row: -row["ndcg"]["mean"]):
        gap = apart[row["library"]]
        difference = (
            ""
            if row["library"] == "vectable"
            else f"{gap['minus vectable']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f})"
        )
        shown.append(
            {
                "library": row["library"],
                "NDCG@10": mean_sd(row["ndcg"]),
                "minus vectable": difference,
                "recall@10": f"{row['recall']:.3f}",
                "coverage": f"{row['coverage']:.2f}",
                "CPU s, fit and lists": f"{row['fit']['median']:.2f}",
                "CPU s, tuning": f"{row['tuning']:.1f}",
                "settings tried": str(len(row["tries"])),
                "peak MB": f"{row['peak']:.0f}",
                "kept": f"`{row['kept']}`",
            }
        )
    return shown


def conclusions(results: list[dict]) -> list[str]:
    """Who wins on what, in sentences."""
    found = []
    for result in results:
        rows = sorted(result["libraries"], key=lambda row: -row["ndcg"]["mean"])
        ahead = [row for row in result["apart"] if row["low"] > 0]
        behind = [row for row in result["apart"] if row["high"] < 0 and row["model"] != "popularity"]
        names = lambda some: ", ".join(row["model"] for row in some) or "nobody"  # noqa: E731 - of this loop alone
        quick = min(rows, key=lambda row: row["fit"]["median"])["library"]
        small = min(rows, key=lambda row: row["peak"])["library"]
        found.append(
            f"{result['set']}: the highest NDCG@10 is {rows[0]['library']}'s. Ahead of vectable beyond the interval: "
            f"{names(ahead)}; behind it: {names(behind)}. Quickest to fit and list: {quick}; least memory: {small}."
        )
    return found


PAGE = """# Leaderboard

Lists of ten from interactions: vectable beside other libraries, on the same splits. This page is written by
`benchmarks/leaderboard.py`, losses included; nothing on it is typed.

A tenth of the interactions tests and a tenth validates, at random, whatever the rating. Each library tries up to eight
settings, for 15 seconds of a processor at most (a slow one tries few, which may cost it figures), on the validation
part (vectable its models, "auto" among them, which tries four by itself), keeps the best, is fitted to training and
validation together with {seeds} seeds, and lists ten items for every test user among all that the user has not met. One
thread, a process for each. Surprise and myFM predict ratings, and their lists are by predicted rating: not what these
libraries are made for, but how such lists are often made. ± is the standard deviation over seeds; the difference is
paired over users, with an interval of 95 % by a
bootstrap. A kept setting at the edge of those tried (the peers' EASE was tried with 25, 100 and 500) might gain from
more.

Measured on {date}, on {cpu}. Versions: {versions}.
"""


def page(results: list[dict], report: Report, seeds: int) -> str:
    """The page of the book."""
    about = report.found["machine"]
    text = PAGE.format(
        seeds=seeds,
        date=report.found["at"][:10],
        cpu=f"{about['cores']} cores of an {about['cpu']}",
        versions=", ".join(f"{name} {version}" for name, version in report.found["versions"].items()),
    )
    for result, sentence in zip(results, conclusions(results), strict=True):
        rows = table(result)
        heads = list(rows[0])
        lines = [
            f"## {result['set']}",
            "",
            f"{result['interactions']:,} interactions, {result['users']:,} users tested, "
            f"{result['items']:,} items; split `{result['fingerprint']}`. Popularity has {result['popularity']:.4f}.",
            "",
            "| " + " | ".join(heads) + " |",
            "|" + ":--|" * len(heads),
        ]
        lines += ["| " + " | ".join(row.values()) + " |" for row in rows]
        text += (
            "\n"
            + "\n".join([*lines, "", sentence.partition(": ")[2][0].upper() + sentence.partition(": ")[2][1:]])
            + "\n"
        )
    return text


def versions(pythons: dict[str, str]) -> dict[str, str]:
    """Of each library, where it is installed."""
    packages = {"lenskit": "lenskit", "surprise": "scikit-surprise"}
    ask = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    found = {}
    for library, shown in LIBRARIES.items():
        asked = [interpreter(library, pythons), "-c", ask, packages.get(library, library)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[shown] = done.stdout.strip()
    return found


def main() -> None:
    parser = arguments(__doc__, seeds=3)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS), help="named sets")
    parser.add_argument(
        "--python",
        nargs="*",
        default=[],
        metavar="LIBRARY=PATH",
        help="interpreters of libraries that need an environment of their own (RecTools: numpy below 2)",
    )
    parser.add_argument("--page", metavar="FILE", help="write the page of the book")
    args = parse(parser)
    args.python = dict(one.split("=", 1) for one in args.python)
    report = Report("leaderboard", args, seeds=args.seeds)
    report.found["versions"] = versions(args.python)
    results = []
    for name in args.sets[:1] if args.quick else args.sets:
        results.append(measured(name, args, report))
        report.result(name, results[-1])
        report.table(table(results[-1]))
        if args.page:
            Path(args.page).write_text(page(results, report, args.seeds).replace("+-", "±"))
    for sentence in conclusions(results):
        report.conclude(sentence)
    report.finish()


if __name__ == "__main__":
    main()
