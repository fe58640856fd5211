"""The lesson's digits: logistic regression and a net of 784-50-10, by hand and through the Learner, beside fastai.

By hand is the update loop of the lab, in NumPy with gradients written out, from the lesson's pickle (read without
executing code from it) after it was compared with the idx files. Through the Learner is one epoch of one cycle up to
1e-2. Its time is held against a loop written out in torch for this net alone, with whole tensors, the same batch size,
optimizer and schedule, and a validation at the end; and against fastai's Learner on the same tensors. All run on one
thread in this process, alternate seed by seed, and validate once; they are held against each other by the processor's
seconds, which a busy machine hardly changes.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from _common import Report, arguments, clock, installed, mean_sd, parse, spread, times

LR, BATCH, WD = 1e-2, 64, 0.01
LEAST_ACCURACY, MOST_RATIO, LEAST_RATIO = 0.9608, 1.5, 10
BY_HAND = {"logistic": [784, 10], "net": [784, 50, 10]}


def main() -> None:
    parser = arguments(__doc__, seeds=5)
    parser.add_argument(
        "--peer-seeds", type=int, help="seeds for fastai, which takes its time (default 3; 0 with --quick)"
    )
    args = parse(parser)
    peer_seeds = args.peer_seeds if args.peer_seeds is not None else (0 if args.quick else 3)
    report = Report("mnist", args, epochs=1, lr=LR, batch=BATCH, wd=WD, threads=1)
    x, y, x_valid, y_valid = read(report)
    if args.quick:
        x, y = x[:6400], y[:6400]

    import torch

    import vectable as vt

    torch.set_num_threads(1)
    data = vt.TensorData.from_arrays(x, y, x_valid, y_valid, bs=BATCH)
    by_hand(report, x, y, x_valid, y_valid, range(args.seeds))
    peer = installed("fastai")
    if not peer:
        report.missing("fastai")

    found: dict[str, list[dict[str, float]]] = {}
    ours(data, "net", "modern", 0)  # what a first run alone pays
    for seed in range(args.seeds):
        rounds = {
            "Learner, logistic, modern": lambda seed=seed: ours(data, "logistic", "modern", seed),
            "Learner, logistic, lesson": lambda seed=seed: ours(data, "logistic", "lesson", seed),
            "Learner, net, lesson": lambda seed=seed: ours(data, "net", "lesson", seed),
            "Learner, net, modern": lambda seed=seed: ours(data, "net", "modern", seed),
            "loop in torch, net": lambda seed=seed: written_out(data, seed),
        }
        if peer and seed < peer_seeds:
            rounds["fastai, net"] = lambda seed=seed: fastai(data, seed)
        for name, run in rounds.items():
            found.setdefault(name, []).append(run())
        told = ", ".join(
            f"{name} {found[name][-1]['accuracy']:.4f} in {found[name][-1]['processor']:.2f} s" for name in rounds
        )
        report.say(f"seed {seed}: {told}")

    figures = {name: {key: spread(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()}
    report.result("trained", figures)
    report.table(
        [
            {
                "": name,
                "accuracy": mean_sd(one["accuracy"]),
                "processor s": times(one["processor"]),
                "wall s": times(one["seconds"]),
            }
            for name, one in figures.items()
        ]
    )
    for preset in ("modern", "lesson"):
        accuracy = figures[f"Learner, net, {preset}"]["accuracy"]["mean"]
        report.target(f"mean accuracy of the net, {preset} preset", accuracy, at_least=LEAST_ACCURACY)
    mine = figures["Learner, net, modern"]["processor"]["values"]
    loop = figures["loop in torch, net"]["processor"]["values"]
    slower = spread(a / b for a, b in zip(mine, loop, strict=True))
    report.result("times_the_loop", slower)
    report.target("epoch, times that of the loop (median)", slower["median"], at_most=MOST_RATIO)
    if "fastai, net" in figures:
        theirs = figures["fastai, net"]["processor"]["values"]
        faster = spread(b / a for a, b in zip(mine, theirs, strict=False))
        report.result("times_as_fast_as_fastai", faster)
        report.target("times as fast as fastai (median)", faster["median"], at_least=LEAST_RATIO)
        share = spread(a / b for a, b in zip(loop, theirs, strict=False))["median"]
        report.conclude(
            f"vectable trains the net {times(faster, digits=1)} times as fast as fastai, as accurately. The loop "
            f"written out takes {share:.2f} of fastai's time: that much are torch's own steps, 64 digits each."
        )
    report.finish()


def read(report):
    """The lesson's split, from its pickle where that is at hand, and the same from the idx files."""
    from vectable.lab.idx import read_mnist
    from vectable.lab.pickled_digits import read_pickled_mnist

    folder = Path(os.environ.get("VECTABLE_DATA", "")) / "mnist"
    if not (folder / "train-images-idx3-ubyte.gz").is_file():
        sys.exit(
            f"This benchmark needs MNIST's idx files in {str(folder)!r}: --data names the folder that holds mnist/."
        )
    with clock() as seconds:
        digits = read_mnist(folder)
    told = f"idx files read in {seconds():.1f} s"
    if (folder / "mnist.pkl.gz").is_file():
        with clock() as seconds:
            pickled = read_pickled_mnist(folder / "mnist.pkl.gz")
        same = all(np.array_equal(one, other) for one, other in zip(digits, pickled, strict=True))
        report.result("pickle_and_idx_agree", same)
        told += f", the lesson's pickle in {seconds():.1f} s; {'the same numbers' if same else 'OTHER NUMBERS'}"
        digits = pickled
    report.say(told + ".")
    return digits


def by_hand(report, x, y, x_valid, y_valid, seeds):
    """One epoch of the lab's update loop: the lesson's SGD at 2e-2, and Adam at 1e-3 with its averages kept."""
    from vectable.lab import SGD, Adam, Net, accuracy, train_epoch

    rows = []
    for name, sizes in BY_HAND.items():
        for told, make in (("SGD 2e-2", lambda: SGD(2e-2)), ("Adam 1e-3", lambda: Adam(1e-3))):
            reached, seconds = [], []
            for seed in seeds:
                net = Net(sizes, seed)
                with clock() as took:
                    train_epoch(net, x, y, make(), batch=BATCH, wd=1e-5, seed=seed)
                reached.append(accuracy(net, x_valid, y_valid))
                seconds.append(took())
            found = {"accuracy": spread(reached), "seconds": spread(seconds)}
            report.result(f"by hand, {name}, {told}", found)
            rows.append(
                {
                    "by hand": f"{name}, {told}",
                    "accuracy": mean_sd(found["accuracy"]),
                    "seconds": times(found["seconds"]),
                }
            )
    report.table(rows)


@contextmanager
def both_clocks() -> Iterator[dict[str, float]]:
    """The processor's seconds and those on the wall of a block, in the dict that it gives."""
    took: dict[str, float] = {}
    on_the_wall, of_the_processor = time.perf_counter(), time.process_time()
    yield took
    took |= {"processor": time.process_time() - of_the_processor, "seconds": time.perf_counter() - on_the_wall}


def module(kind, seed):
    import torch
    from torch import nn

    torch.manual_seed(seed)
    return nn.Linear(784, 10) if kind == "logistic" else nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))


def ours(data, kind, preset, seed):
    from torch import nn

    import vectable as vt

    learn = vt.Learner(
        data, module(kind, seed), nn.CrossEntropyLoss(), ["accuracy"], wd=WD, preset=preset, seed=seed, progress=False
    )
    with both_clocks() as took:
        learn.fit_one_cycle(1, LR)
    return {"accuracy": float(learn.recorder.runs[-1].epochs[-1]["accuracy"]), **took}


def written_out(data, seed):
    """What one would write for this net and no other."""
    import torch
    from torch.nn.functional import cross_entropy

    from vectable.lab import one_cycle, one_cycle_momentum

    net, (x,), y = module("net", seed), data.train.inputs, data.train.target
    with both_clocks() as took:
        steps = data.n_steps
        lrs, moms = one_cycle(LR, steps).tolist(), one_cycle_momentum(steps).tolist()
        optimizer = torch.optim.AdamW(net.parameters(), betas=(0.9, 0.99), eps=1e-5, weight_decay=WD)
        for rows, lr, mom in zip(torch.randperm(len(x)).split(BATCH), lrs, moms, strict=False):
            optimizer.param_groups[0].update(lr=lr, betas=(mom, 0.99))
            cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
            optimizer.zero_grad()
        with torch.no_grad():
            right = net(data.valid.inputs[0]).argmax(dim=1) == data.valid.target
        accuracy = right.float().mean().item()
    return {"accuracy": accuracy, **took}


def fastai(data, seed):
    import fastai.callback.all  # noqa: F401 - which gives the learner fit_one_cycle and no_bar
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner
    from fastai.metrics import accuracy
    from torch import nn
    from torch.utils.data import TensorDataset

    def rows(part, shuffle):
        return DataLoader(TensorDataset(*part.inputs, part.target), bs=BATCH if shuffle else 1024, shuffle=shuffle)

    loaders = DataLoaders(rows(data.train, True), rows(data.valid, False))
    learn = Learner(loaders, module("net", seed), nn.CrossEntropyLoss(), metrics=accuracy, wd=WD)
    with learn.no_bar(), learn.no_logging(), both_clocks() as took:
        learn.fit_one_cycle(1, LR)
    return {"accuracy": float(learn.recorder.values[-1][-1]), **took}


if __name__ == "__main__":
    main()
