"""What comes next: the last interaction of every user, ranked among all items, on MovieLens 1M and Amazon Beauty.

The last interaction of each user tests and the one before it validates: of every user on Beauty, of the 512 users of
gSASRec's split on MovieLens. The input is everything before, in order. What is kept is chosen on the validation part
alone. Published, with the same protocol: on MovieLens SASRec .126, SASRec with sampled softmax .168, gSASRec .173,
eSASRec .177; on Beauty SASRec .032, HSTU .044, eSASRec .052, SASRec with sampled softmax .053 (NDCG@10).

`--choose` measures on the validation part what was tried and left out: counts over shorter and longer times beside
those kept, and which items come at the user's place in a history. A user's own repeats cannot be tried here: in both
sets a pair occurs once.
"""

import os
import sys
from pathlib import Path

from _common import Report, arguments, clock, cpu_clock, parse


def folder() -> Path:
    path = Path(os.environ.get("VECTABLE_DATA", ""))
    if not (path / "sequences" / "beauty.txt").is_file():
        sys.exit(
            f"This benchmark needs ml-1m and sequences in {path}; they may not be shipped. --data names the folder."
        )
    return path


def movielens(quick: bool):
    import polars as pl

    import vectable as vt

    rows = pl.read_parquet(folder() / "ml-1m" / "time_order.parquet")
    rows = rows.filter(pl.col("user") % 10 == 0) if quick else rows
    validates = rows.filter("validation_user")["user"].unique().to_list()
    return vt.InteractionsData.from_df(rows, "user", "item", timestamp="position", split="last", valid_users=validates)


def beauty(quick: bool):
    import polars as pl

    import vectable as vt

    rows = []
    for line in (folder() / "sequences" / "beauty.txt").read_text().splitlines()[: 2000 if quick else None]:
        user, *items = line.split()
        rows += [(int(user), int(item), place) for place, item in enumerate(items)]
    table = pl.DataFrame(rows, schema=["user", "item", "place"], orient="row")
    return vt.InteractionsData.from_df(table, "user", "item", timestamp="place", split="last")


SETS = {"MovieLens 1M": (movielens, 0.165, 4.0), "Amazon Beauty": (beauty, 0.049, 1.5)}


class AtPlace:
    """Scores items by how often other users met them about as many items into their history."""

    def __init__(self, rows, share: float = 0.3) -> None:
        import numpy as np

        self.n_items = rows.n_columns
        self.place = np.arange(len(rows.columns)) - np.repeat(rows.starts[:-1], rows.lengths)
        self.columns, self.share = rows.columns, share

    def user_rows(self, histories):
        """The histories as they are."""
        return histories

    def score_rows(self, histories):
        """Scores of every item, (users, items)."""
        import numpy as np

        return np.stack([self._counts(int(length)) for length in histories.lengths]).astype(np.float32)

    def _counts(self, length: int):
        import numpy as np

        if length not in (kept := self.__dict__.setdefault("kept", {})):
            near = np.abs(self.place - length) <= self.share * length + 1
            kept[length] = np.log1p(np.bincount(self.columns[near], minlength=self.n_items))
        return kept[length]


def choose(report, name: str, data) -> None:
    """What was tried beside what is kept, on the validation part: the gain with its standard error."""
    from vectable.factorising.history_models import Blend, LinearModel
    from vectable.factorising.history_weights import HistoryWeights
    from vectable.factorising.transitions import TransitionOptions, transitions
    from vectable.interactions.candidates import Candidate, Fitter, next_candidates, to_rows
    from vectable.interactions.selecting import measure, some_users

    rows, valid = to_rows(data.train, len(data.item_ids)), some_users(data.valid)
    fitter = Fitter(data.train, len(data.item_ids), in_order=True)
    blends = [one for one in next_candidates("linear", len(data.item_ids)) if len(one.parts) > 1]
    figures = lambda model: measure(model, valid, data, 10)["ndcg@10"]  # noqa: E731 - of this function alone
    kept: Candidate = max(blends, key=lambda one: figures(fitter.fit(one)).mean())
    blend = fitter.fit(kept)
    short = transitions(rows, TransitionOptions(back=2)), HistoryWeights(power=6.0, reach=3.0)
    long = transitions(rows, TransitionOptions(back=40, decay=0.05)), HistoryWeights(power=1.0, reach=10.0)
    tried = {"shorter": LinearModel(*short), "longer": LinearModel(*long), "place": AtPlace(rows)}
    before, shown = figures(blend), []
    for what, model in tried.items():
        for share in (0.05, 0.2):
            parts = [*blend.models, model]
            mixed = Blend(parts, [*((1 - share) * one for one in blend.shares), share])
            gain = figures(mixed) - before
            shown.append({"set": name, "added": what, "share": f"{share:g}", "NDCG@10": f"{(before + gain).mean():.4f}",
                          "gain": f"{gain.mean():+.4f} +- {gain.std() / len(gain) ** 0.5:.4f}"})  # fmt: skip
    report.say(f"{name}, validation: {kept.name} has {before.mean():.4f}")
    report.result(f"{name}, tried", shown)
    report.table(shown)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--choose", action="store_true", help="measure what was tried and left out, on validation alone"
    )
    args = parse(parser)
    import vectable as vt

    report = Report("next item", args)
    for name, (read, ndcg, seconds) in SETS.items():
        data = read(args.quick)
        report.say(f"{name}: {data!r}")
        if args.choose:
            choose(report, name, data)
            continue
        vt.next_item_learner(data, progress=False).fit()  # kernels are compiled or loaded
        learn = vt.next_item_learner(data, progress=False)
        with clock() as wall, cpu_clock() as cpu:
            learn.fit()
        fitted = {"cpu": cpu(), "wall": wall()}
        report.say(str(learn.tried.select("model", "ndcg@10", "seconds")))
        with cpu_clock() as measured:
            found = vt.evaluate({"next item": learn}, k=(10, 20))
        report.result(name, {"fit": fitted, "evaluation cpu": measured(), "test": found.to_frame().to_dicts(),
                             "fingerprint": data.fingerprint, "kept": learn.chosen.name})  # fmt: skip
        shown = ("ndcg@10", "recall@10", "recall@20")
        rows = found.to_frame().to_dicts()
        report.table([{"model": row["model"], **{figure: f"{row[figure]:.4f}" for figure in shown}} for row in rows])
        everybody = len(data.test) / (len(data.test) + data.test.unseen)  # published figures count these as missed
        report.say(f"{name}: {data.test.unseen:,} users whose last item training does not show count as missed.")
        report.target(f"{name}: NDCG@10", everybody * found.mean("next item", "ndcg@10"), at_least=ndcg)
        report.target(f"{name}: CPU seconds of the fit", fitted["cpu"], at_most=seconds)
        report.say(f"{name}: kept {learn.chosen.name}; measuring three rankings took {measured():.2f} CPU s")
    report.finish()


if __name__ == "__main__":
    main()
