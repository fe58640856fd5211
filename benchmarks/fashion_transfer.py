"""What a body that knows other things saves: four kinds of clothing from few photographs, three ways.

The shipped body "fashion-small" knows six of Fashion-MNIST's classes. The other four are learned from 5, 20 and 100
pictures a class: from random weights; with the body as it is and a new head; and then all of it, with small steps at
the bottom. Accuracy is measured on the 100 held-out pictures of each of the four classes. Beside it, the share of the
nine likest pictures that are of the picture's own class, by the activations of the body as it comes, and by the pixels.
"""

import argparse
import warnings

import numpy as np

import vectable as vt
from _common import Report, arguments, clock, mean_sd, parse, spread, times
from vectable.data.sets.picture_sets import PictureSet

NEW = ("Pullover", "Coat", "Shirt", "Ankle boot")
COUNTS = (5, 20, 100)
STEPS = 200  # of every training, about: epochs = STEPS / steps an epoch
BATCH = 16
WAYS = ("from scratch", "new head", "new head, then all")
Rates = dict[str, float | slice]
# Chosen with --choose. The last way begins with the rate of the second.
RATES: Rates = {WAYS[0]: 3e-3, WAYS[1]: 1e-2, WAYS[2]: slice(1e-5, 1e-4)}
OFFERED = {
    WAYS[0]: (1e-3, 3e-3, 1e-2, 3e-2),
    WAYS[1]: (1e-3, 3e-3, 1e-2, 3e-2),
    WAYS[2]: (slice(1e-5, 1e-4), slice(1e-4, 1e-3), slice(1e-3, 1e-2), slice(1e-3, 1e-3)),
}


def main() -> None:
    parser = arguments(__doc__, seeds=5, data=False)
    parser.add_argument("--choose", action="store_true", help="choose the rates anew first, on training pictures alone")
    args = parse(parser)
    report = Report("fashion_transfer", args, seeds=args.seeds, steps=STEPS, batch=BATCH, rates=str(RATES))
    warnings.filterwarnings("ignore", category=vt.VectableWarning)
    fashion = vt.datasets.load("fashion")
    rates = choose(report, fashion) if args.choose else RATES
    compare(report, fashion, rates, args)
    search(report, fashion)
    report.finish()


def compare(report: Report, fashion: PictureSet, rates: Rates, args: argparse.Namespace) -> None:
    """The ways at every number of pictures, the same pictures for all."""
    rows = []
    for count in COUNTS[:2] if args.quick else COUNTS:
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        for seed in range(args.seeds):
            for way in WAYS:
                images = fashion.to_data(NEW, per_class=count, seed=seed, batch_size=BATCH)
                with clock() as passed:
                    learn = train(images, way, seed, rates, steps=40 if args.quick else STEPS)
                seconds[way].append(passed())
                found[way].append(learn.validate()["accuracy"])
        for way in WAYS:
            accuracy, took = spread(found[way]), spread(seconds[way])
            report.result(f"{way}, {count} a class", {"accuracy": accuracy, "seconds": took})
            row = {"pictures a class": str(count), "way": way, "accuracy": mean_sd(accuracy, 3)}
            rows.append(row | {"seconds": times(took, digits=1)})
        gain = float(np.mean(np.subtract(found[WAYS[2]], found[WAYS[0]])))
        report.target(f"gain in accuracy over scratch at {count} a class", gain, at_least=0.02)
    report.table(rows)


def choose(report: Report, fashion: PictureSet, count: int = 20, held: int = 60) -> Rates:
    """The best of the rates offered, measured on training pictures that are not trained on; two draws of each."""
    rates = dict(RATES)
    for way, offered in OFFERED.items():
        means = []
        for rate in offered:
            found = []
            for seed in range(2):
                rng = np.random.default_rng(100 + seed)
                drawn = [
                    rng.permutation(np.flatnonzero((fashion.labels == name) & ~fashion.held_out))[: count + held]
                    for name in NEW
                ]
                at = np.concatenate(drawn)
                marks = np.tile(np.arange(count + held) >= count, len(NEW))
                images = vt.ImageData.from_arrays(fashion.pictures[at], fashion.labels[at], marks, batch_size=BATCH)
                found.append(train(images, way, seed, rates | {way: rate}).validate()["accuracy"])
            means.append(float(np.mean(found)))
            report.result(f"choosing, {way}, {rate}", spread(found))
            report.say(f"choosing, {way}, {rate}: {mean_sd(spread(found), 3)}")
        rates[way] = offered[int(np.argmax(means))]
    report.say(f"chosen: {rates}")
    return rates


def train(images: vt.ImageData, way: str, seed: int, rates: Rates, steps: int = STEPS) -> vt.VisionLearner:
    """One of the ways, in about so many steps in all."""
    epochs = max(2, round(steps / images.n_steps))
    if way == WAYS[0]:
        learn = vt.vision_learner(images, "fashion-small", pretrained=False, seed=seed, progress=False)
        return learn.fit_one_cycle(epochs, rates[way])
    learn = vt.vision_learner(images, "fashion-small", seed=seed, progress=False)
    if way == WAYS[1]:
        return learn.fit_one_cycle(epochs, rates[way])
    learn.fit_one_cycle(epochs // 2, rates[WAYS[1]])
    return learn.unfreeze().fit_one_cycle(epochs - epochs // 2, rates[way])


def search(report: Report, fashion: PictureSet, n: int = 9) -> None:
    """How many of the pictures of the four new classes most like a held-out one are of its class, itself left out."""
    learn = vt.vision_learner(fashion.to_data(NEW), "fashion-small", progress=False)
    index = learn.image_index()
    new = np.isin(fashion.labels, NEW)
    asked = np.flatnonzero(fashion.held_out & new)
    with clock() as passed:
        found = [index.search(fashion.pictures[at], n + 1).table["class"][1:] for at in asked]
    each = passed() / len(asked)
    hits = [(classes == fashion.labels[at]).mean() for classes, at in zip(found, asked, strict=True)]
    pixels = fashion.pictures[new].reshape(new.sum(), -1).astype(np.float64)
    pixels -= pixels.mean(axis=0)
    pixels /= np.linalg.norm(pixels, axis=1, keepdims=True)
    held = fashion.held_out[new]
    nearest = np.argsort(-(pixels[held] @ pixels.T), axis=1)[:, 1 : n + 1]
    plain = (fashion.labels[new][nearest] == fashion.labels[asked][:, None]).mean()
    report.result("search", {"activations": float(np.mean(hits)), "pixels": float(plain), "seconds": each})
    report.say(
        f"Of the {n} likest pictures of {new.sum():,}, share of the same class: {np.mean(hits):.3f} by the body's "
        f"activations, {plain:.3f} by pixels; {each * 1000:.1f} ms a question."
    )


if __name__ == "__main__":
    main()
