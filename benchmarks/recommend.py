"""Ten recommendations for every user of ml-1m (6,040 users, 3,706 films), what each has seen left out."""

from _common import BATCH, LESSON, LR, Report, arguments, clock, load, parse, spread, timed, times, warm_up

MOST_SECONDS = 1.0


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    args = parse(parser)
    report = Report("recommend", args, threads=args.threads, n=10, **LESSON)
    found = load("ml-100k" if args.quick else "ml-1m")

    import torch

    import vectable as vt

    torch.set_num_threads(args.threads)
    warm_up()
    data = vt.RatingsData.from_df(
        found.ratings, user=found.user, item=found.item, rating=found.rating, valid_pct=0, batch_size=BATCH
    )
    learn = vt.collab_learner(data, **LESSON, threads=args.threads, progress=False)
    with clock() as training:
        learn.fit_one_cycle(1, LR)
    users = data.user_ids.vocabulary.to_list()
    with clock() as first:
        lists = learn.recommend_many(users, n=10)
    seconds = spread(timed(lambda: learn.recommend_many(users, n=10), args.repeats))

    report.result("seconds", seconds)
    report.result("first_call_seconds", first())
    report.result("rows", len(lists))
    report.result("training_seconds", training())
    report.table(
        [
            {
                "users": f"{data.n_users:,}",
                "items": f"{data.n_items:,}",
                "rows returned": f"{len(lists):,}",
                "first call, s": f"{first():.2f}",
                "then, s": times(seconds),
            }
        ]
    )
    # The first call is what a user waits for, so it is the one that is judged.
    report.target("seconds for all users' top ten, first call", first(), at_most=MOST_SECONDS)
    report.conclude(
        f"The lists of {data.n_users:,} users come in {first():.2f} s at the first call and "
        f"{seconds['median']:.2f} s after (one epoch on {len(data.train_ratings):,} ratings took {training():.2f} s)."
    )
    report.finish()


if __name__ == "__main__":
    main()
