"""Whether "auto" keeps the best: its lists on the test part beside those of every model that it could have kept.

A tenth of the interactions tests and a tenth validates, at random. "auto" has to be within 1 % of the best single
model, whose name nobody knows beforehand.
"""

from _common import Report, arguments, cpu_clock, parse
from leaderboard import split

SETS = ("goodbooks", "movietweetings", "ml-100k", "lastfm", "ml-1m")
WITHIN = 0.99


def main() -> None:
    args = parse(arguments(__doc__))
    import vectable as vt

    report = Report("auto", args)
    for name in SETS[:1] if args.quick else SETS:
        data = split(name, args.quick)
        report.say(f"{name}: {data!r}")
        single = {
            model: vt.implicit_learner(data, model, progress=False).fit() for model in ("als", "ease", "neighbours")
        }
        with cpu_clock() as fitted:
            learn = vt.implicit_learner(data, progress=False).fit()
        with cpu_clock() as measured:
            found = vt.evaluate({"auto": learn, **single}, data, k=10)
        means = {model: found.mean(model, "ndcg@10") for model in [*single, "auto", "popularity"]}
        report.result(name, {"fingerprint": data.fingerprint, "kept": learn.chosen.name, "ndcg@10": means,
                             "fit": fitted(), "evaluation of five": measured()})  # fmt: skip
        report.table([{"model": model, "NDCG@10": f"{value:.4f}"} for model, value in means.items()])
        report.say(
            f"kept {learn.chosen.name}; {fitted():.1f} CPU s to choose and fit; {measured():.1f} to measure five"
        )
        best = max(means[model] for model in single)
        report.target(
            f"{name}: NDCG@10 of auto divided by the best single model's", means["auto"] / best, at_least=WITHIN
        )
    report.finish()


if __name__ == "__main__":
    main()
