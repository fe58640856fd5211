"""What ratings reach where nothing is named but the epochs, on random tenths of MovieLens 100k and 1M.

Beside it the lesson's batches of 64 rows: on many users they let decay shrink a user's row too often between its steps.
"""

from _common import EPOCHS, LR, Report, arguments, cpu_clock, load, mean_sd, parse, spread, times, warm_up

MOST_ERROR, MOST_SECONDS = {"ml-1m": 0.842}, {"ml-1m": 3.0}


def main() -> None:
    parser = arguments(__doc__, seeds=3)
    args = parse(parser)
    report = Report("ratings_defaults", args, epochs=EPOCHS, lr=LR)
    import vectable as vt

    warm_up()
    rows = []
    for name in ["ml-100k"] if args.quick else ["ml-100k", "ml-1m"]:
        found = load(name)
        for how, batch_size in (("nothing named", None), ("batches of 64", 64)):
            errors, seconds, sizes = [], [], set()
            for seed in range(args.seeds):
                data = vt.RatingsData.from_df(
                    found.ratings, found.user, found.item, found.rating, seed=seed, batch_size=batch_size
                )
                learn = vt.collab_learner(data, seed=seed, progress=False)
                with cpu_clock() as spent:
                    learn.fit_one_cycle(EPOCHS, LR)
                errors.append(learn.validate()["rmse"])
                seconds.append(spent())
                sizes.add(data.batch_size)
            error, cpu = spread(errors), spread(seconds)
            report.result(f"{name}, {how}", {"rmse": error, "cpu_seconds": cpu, "batch_size": sorted(sizes)})
            size = ", ".join(map(str, sorted(sizes)))
            rows.append({"set": name, "": how, "batch": size, "RMSE": mean_sd(error), "fit, CPU s": times(cpu)})
            if batch_size is None and name in MOST_ERROR:
                report.target(f"RMSE on {name}", error["mean"], at_most=MOST_ERROR[name])
                report.target(f"CPU seconds on {name}", cpu["median"], at_most=MOST_SECONDS[name])
    report.table(rows)
    report.finish()


if __name__ == "__main__":
    main()
