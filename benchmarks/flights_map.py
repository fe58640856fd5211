"""What a net that predicts flights from New York learned of the places they go to.

A small net on origin, destination, carrier, month, weekday and hour (the shipped flights) predicts the time in the air,
another the delay on arrival. The destinations' vectors are held against the distance from New York (first component,
r and p), against the distances between the airports (Mantel), and against these at equal differences of the distance
from New York (partial Mantel): where nothing is left then, the net has drawn a line and not a map.
"""

from _common import Report, arguments, cpu_clock, mean_sd, parse, spread

NAMES = ["origin", "dest", "carrier", "month", "weekday", "hour"]
TARGETS = {"air_time": "time in the air", "arr_delay": "delay on arrival"}
NEW_YORK = (40.6413, -73.7781)  # John F. Kennedy airport
LAYERS, EPOCHS, LR, WIDTH = [50], 5, 5e-3, 6
FEWEST_FLIGHTS = 50
MEASURES = {
    "line": "first component against distance from New York, |r|",
    "line_p": "p",
    "map": "Mantel r against distances between airports",
    "map_p": "p ",
    "partial": "partial Mantel r, given the difference in distance from New York",
    "partial_p": "p  ",
}


def main() -> None:
    parser = arguments(__doc__, seeds=5, data=False)
    parser.add_argument("--plots", metavar="DIR", help="folder for the pictures of the first seed")
    args = parse(parser)
    report = Report("flights_map", args, seeds=args.seeds, layers=LAYERS, epochs=EPOCHS, lr=LR, width=WIDTH)

    import torch

    import vectable as vt

    torch.set_num_threads(1)
    found = vt.datasets.load("flights")
    flights = found.table.head(5000) if args.quick else found.table
    for target, about in TARGETS.items():
        runs = []
        for seed in range(args.seeds):
            with cpu_clock() as seconds:
                learn = train(flights, target, seed)
            plots = f"{args.plots}/{target}" if args.plots and seed == 0 else None
            runs.append(compare(learn, flights, found.more["airports"], plots) | {"seconds": seconds()})
        result = {key: spread(run[key] for run in runs) for key in (*MEASURES, "seconds")}
        report.result(target, result | {"destinations": runs[0]["destinations"]})
        report.say(f"{about}, {runs[0]['destinations']} destinations of at least {FEWEST_FLIGHTS} flights:")
        shown = {
            key: f"at most {result[key]['max']:.2g}" if key.endswith("_p") else mean_sd(result[key]) for key in MEASURES
        }
        report.table([{"measure": name, "over seeds": shown[key]} for key, name in MEASURES.items()])
        conclude(report, about, result)
    report.finish()


def train(flights, target, seed):
    """The small net."""
    import vectable as vt

    data = vt.TableData.from_df(flights, target, NAMES, [], seed=seed, task="numbers")
    learn = vt.tabular_learner(data, LAYERS, emb_widths={"dest": WIDTH}, seed=seed, progress=False)
    learn.fit_one_cycle(EPOCHS, LR)
    return learn


def compare(learn, flights, airports, plots):
    """The tests on the destinations whose place is known and which are often flown to."""
    import polars as pl
    from scipy.stats import pearsonr

    from vectable.insight import distance_test, distances_between, great_circle
    from vectable.insight.components import principal_components

    often = flights["dest"].value_counts().filter(pl.col("count") >= FEWEST_FLIGHTS)["dest"]
    places = airports.filter(pl.col("faa").is_in(often.implode()) & pl.col("lat").is_not_null())
    at = {name: row for row, name in enumerate(learn.categories("dest"))}
    places = places.filter(pl.col("faa").is_in(list(at)))
    vectors = learn.weight("dest")[[at[name] for name in places["faa"]]]
    between = great_circle(places["lat"], places["lon"])
    latitude, longitude = [NEW_YORK[0], *places["lat"]], [NEW_YORK[1], *places["lon"]]
    from_new_york = great_circle(latitude, longitude)[0, 1:]
    points, _ = principal_components(vectors, 2)
    line = pearsonr(points[:, 0], from_new_york)
    of = {"of": "distance between the airports, km", "given_of": "difference in distance from New York"}
    whole = distance_test(vectors, between, of=of["of"])
    partial = distance_test(vectors, between, given=distances_between(from_new_york), alternative="two-sided", **of)
    if plots:
        learn.embedding_map("dest", path=f"{plots}_map.png")
        whole.plot(f"{plots}_mantel.png")
        partial.plot(f"{plots}_partial.png")
    return {
        "destinations": len(places),
        "line": abs(float(line.statistic)),
        "line_p": float(line.pvalue),
        "map": whole.r,
        "map_p": whole.p_value,
        "partial": partial.r,
        "partial_p": partial.p_value,
    }


def conclude(report, about, result):
    """What of it is beyond chance in every seed."""
    sure = {key: result[f"{key}_p"]["max"] < 0.05 for key in ("line", "map", "partial")}
    line, whole, left = (result[key]["mean"] for key in sure)
    learned = {
        "how far each place is from New York": sure["line"],
        "the distances between the places": sure["map"],
        "more of these than the former tells": sure["partial"] and left > 0,
    }
    report.conclude(
        f"{about.capitalize()}: |r| {line:.2f} with the distance from New York, Mantel r {whole:.2f}, "
        f"partial {left:.2f}. "
        + "; ".join(f"the net {'learned' if did else 'did not learn'} {what}" for what, did in learned.items())
        + ("; a line, not a map." if sure["line"] and not learned["more of these than the former tells"] else ".")
    )


if __name__ == "__main__":
    main()
