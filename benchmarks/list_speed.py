"""What lists of interactions cost: measuring every user of MovieLens 1M and of Amazon Beauty, top ten, folding in.

All on a processor's time, of all threads together, after one call that is not counted.
"""

from functools import partial

import numpy as np

from _common import Report, arguments, cpu_clock, parse, spread, timed
from next_item import beauty, movielens


def fold_in(data, report: Report) -> None:
    """From 50 names to what a model makes of them, and to a list."""
    import vectable as vt
    from vectable.interactions.candidates import to_rows

    codes = np.random.default_rng(0).permutation(data.n_items)[:50] + 1
    basket = data.item_ids.decode(codes).to_list()
    learners = {model: vt.implicit_learner(data, model, progress=False).fit() for model in ("als", "ease")}
    for name, learn in learners.items():
        model = learn.recommender().model
        rows = to_rows(learn.fold_in(basket).history, model.n_items)
        solve = spread(timed(partial(model.user_rows, rows), 200))
        whole = spread(timed(partial(from_names, learn, basket), 50))
        report.result(f"folding in 50 items, {name}", {"solve": solve, "names to list": whole})
        report.say(f"{name}: {whole['median'] * 1000:.2f} ms from 50 names to a list of ten")
        report.target(f"{name}: milliseconds to fold in 50 items", solve["median"] * 1000, at_most=1.0)


def from_names(learn, basket):
    """The list of a basket."""
    return learn.fold_in(basket).recommend(10)


def main() -> None:
    args = parse(arguments(__doc__))
    import vectable as vt

    report = Report("speed of lists", args)
    for name, read, most in (("MovieLens 1M", movielens, 1.0), ("Amazon Beauty", beauty, 3.0)):
        data = read(args.quick)
        learn = vt.implicit_learner(data, "als", progress=False).fit()
        vt.evaluate({"als": learn}, data, k=(10, 100))
        with cpu_clock() as cpu:
            found = vt.evaluate({"als": learn}, data, k=(10, 100))
        one = cpu() / len(found.figures)
        report.result(f"{name}: evaluation", {"users": found.n_users, "rankings": len(found.figures), "cpu": cpu()})
        report.say(
            f"{name}: {len(found.figures)} rankings of {found.n_users:,} users by every metric: {cpu():.2f} CPU s"
        )
        report.target(f"{name}: CPU s of one ranking, every metric at 10 and 100", one, at_most=most)
        if name != "MovieLens 1M":
            continue
        learn.recommend_many(n=10)
        with cpu_clock() as cpu:
            listed = learn.recommend_many(n=10)
        report.result("top ten for all", {"rows": len(listed), "cpu": cpu()})
        report.target(f"top ten for all {data.n_users:,} users, CPU s", cpu(), at_most=0.2)
        fold_in(data, report)
    report.finish()


if __name__ == "__main__":
    main()
