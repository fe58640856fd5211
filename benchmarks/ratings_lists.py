"""Lists of learners of ratings: what people go on to rate high, among all items, by what ranks the lists.

A tenth of the ratings is held out at random; those of at least the training mean are to be found. Lists by the
predicted rating, by who would take what (`lists="interactions"`), by popularity, and by recent popularity where times
are known; differences on the same users with an interval of 95 % by a paired bootstrap. The weights of ratings in the
ranker (from 0.5 to 1.5) were chosen on other splits (seed 1) than those measured here.
"""

from _common import Report, arguments, clock, cpu_clock, load, parse

SETS = ("goodbooks", "movietweetings", "ml-100k")
TO_BEAT = ("goodbooks", "ml-100k")


def main() -> None:
    args = parse(arguments(__doc__, seeds=3))
    import vectable as vt

    report = Report("lists of ratings learners", args, seeds=args.seeds)
    for name in SETS[:1] if args.quick else SETS:
        ratings = load(name)
        for seed in range(42, 42 + args.seeds):
            data = ratings.to_data(seed=seed)
            learners = {}
            for by in ("ratings", "interactions"):
                learn = vt.collab_learner(data, lists=by, progress=False)
                learners[f"by {by}"] = learn.fit_one_cycle(1 if args.quick else 5, 5e-3)
            with clock() as wall, cpu_clock() as cpu:
                learners["by interactions"].recommend_many(n=10)
            found = vt.evaluate(learners, data, k=10)
            apart = found.differences(to="popularity")
            rows = found.to_frame().to_dicts()
            about = {"split": data.fingerprint, "users": found.n_users, "test": rows, "apart": apart.to_dicts()}
            report.result(f"{name}, seed {seed}", {**about, "fit and all lists": {"cpu": cpu(), "wall": wall()}})
            report.say(f"{name}, seed {seed} ({data.fingerprint}), {found.n_users:,} users; {cpu():.2f} CPU s to fit "
                       "the ranker and list for everybody:")  # fmt: skip
            shown = ("ndcg@10", "recall@10", "mrr@10", "coverage@10")
            report.table(
                [{"lists": row["model"], **{figure: f"{row[figure]:.3f}" for figure in shown}} for row in rows]
            )
            gap = apart.filter(model="by interactions").to_dicts()[0]
            report.say(f"By interactions minus popularity: {gap['minus popularity']:.4f} "
                       f"({gap['low']:.4f} to {gap['high']:.4f}).")  # fmt: skip
            if name in TO_BEAT:
                report.target(f"{name}, seed {seed}: lowest of the interval above popularity", gap["low"], at_least=0.0)
    report.finish()


if __name__ == "__main__":
    main()
