"""How a model is trained, as one value: what a saved folder keeps, a checkpoint compares and an engine goes by."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypedDict

import numpy as np
import torch

from vectable.errors import UnknownNameError, did_you_mean, is_finite, is_whole, require
from vectable.training.metrics import METRICS, Metric, metrics_named
from vectable.training.presets import Preset, preset_named

OptimizerMaker = Callable[[Iterable[Any]], torch.optim.Optimizer]
WeightDecay = float | Sequence[float]

OPTIMIZERS = ("adam", "sgd", "momentum", "rmsprop")
WD_MODES = ("decoupled", "l2")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class OptionArguments(TypedDict, total=False):
    """The options that a learner takes by name; `TrainingOptions` describes them."""

    wd: WeightDecay
    wd_mode: str
    preset: str
    seed: int
    engine: str
    threads: int | None
    train_bn: bool
    precision: str
    accumulate: int


@dataclass(frozen=True)
class TrainingOptions:
    """The options of training, checked.

    Attributes:
        metrics: names ("rmse", "mae", "accuracy", "roc_auc") or functions (predictions, targets) -> number.
        opt: "adam", "sgd", "momentum", "rmsprop", or a function from parameter groups to a torch optimizer.
        wd: weight decay, a number or one per layer group.
        wd_mode: "decoupled" (as in AdamW) or "l2" (``wd * p`` joins the gradient: the loss gains
            ``wd / 2 * sum(p ** 2)``, half of what the lesson's ``loss + wd * sum(w ** 2)`` adds).
        preset: "modern" or "lesson": the dialect of schedules, epsilon and decay.
        seed: random seed for batch order and dropout; the same seed gives the same numbers, bit for bit.
        engine: "auto", or the name of one of `vectable.training.engines.choice.ENGINES`: "sgd" (dot-product models, a
            step a rating and one Adagrad rate for each user and item; by default from 5 million ratings on, where no
            optimizer is named), "compiled" (dot-product models on the CPU by AdamW), "nets" (tabular nets,
            embedding nets and perceptrons on one CPU thread; by default up to a million weights) or "torch".
        threads: number of threads to compute with. By default it is chosen by the size of the net and independent of
            the machine: one for small nets, with which one seed gives one model, bit for bit; for large ones (a million
            weights, convolutions, attention, recurrence) torch's own number, on which their last bits depend. The
            engines for dot products use 2, and their result does not depend on them. Not kept in a saved folder: it
            belongs to the machine and not to the model.
        train_bn: whether batch norm in frozen layer groups continues training. With False it keeps the statistics it
            has, and no gradient flows through the frozen groups.
        precision: "fp32", or "bf16" or "fp16": forward passes in 16 bits where that is safe, weights in 32. For devices
            that are faster with it; predictions are made in 32 bits.
        accumulate: number of batches whose gradients make up a step, where larger batches do not fit the memory. The
            result is that of one batch of their rows, except for batch norm, which sees the small ones.

    Raises:
        VectableError: an option that does not exist or is out of range.
    """

    metrics: tuple[str | Metric, ...] = ()
    opt: str | OptimizerMaker = "adam"
    wd: float | tuple[float, ...] = 0.01
    wd_mode: str = "decoupled"
    preset: str = "modern"
    seed: int = 42
    engine: str = "auto"
    threads: int | None = None
    train_bn: bool = True
    precision: str = "fp32"
    accumulate: int = 1

    def __post_init__(self) -> None:
        metrics_named(self.metrics)
        if not callable(self.opt):
            _check_known(self.opt, OPTIMIZERS, "optimizer", ", or give a function")
        for one in self.wd if isinstance(self.wd, tuple) else (self.wd,):
            require(is_finite(one) and one >= 0, f"The weight decay must be a non-negative number; got {one!r}.")
        require(self.wd_mode in WD_MODES, f"wd_mode must be 'decoupled' or 'l2'; got {self.wd_mode!r}.")
        preset_named(self.preset)
        require(is_whole(self.seed, 0), f"The seed must be a non-negative integer; got {self.seed!r}.")
        threads_fit = self.threads is None or is_whole(self.threads, 1)
        require(threads_fit, f"threads must be a positive integer, or None; got {self.threads!r}.")
        known = list(PRECISIONS)
        require(self.precision in known, f"precision must be one of {known}; got {self.precision!r}.")
        accumulates = is_whole(self.accumulate, 1)
        require(accumulates, f"accumulate must be a positive integer; got {self.accumulate!r}.")

    @classmethod
    def of(
        cls, metrics: str | Metric | Sequence[str | Metric], opt: str | OptimizerMaker, given: Mapping[str, Any]
    ) -> Self:
        """The options that a caller gave.

        Raises:
            UnknownNameError: an option that does not exist; with the closest names.
            VectableError: an option out of range.
        """
        for name in given:
            _check_known(name, OptionArguments.__annotations__, "option", "")
        several = (metrics,) if isinstance(metrics, str) or callable(metrics) else tuple(metrics)
        return cls(metrics=several, opt=opt, **_plain(given))

    def changed(self, **given: Any) -> Self:
        """The same options but for those given."""
        return replace(self, **_plain(given))

    @property
    def dialect(self) -> Preset:
        """The rules of the preset."""
        return preset_named(self.preset)

    @property
    def metrics_by_name(self) -> dict[str, Metric]:
        """The functions of the metrics."""
        return metrics_named(self.metrics)

    def arguments(self) -> dict[str, Any]:
        """The options as keyword arguments of a learner."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def to_json(self) -> dict[str, Any]:
        """What a saved folder keeps: names, numbers and booleans. A function has no entry that loads it."""
        return {
            "metrics": [name for name in self.metrics_by_name if name in METRICS],
            "opt": self.opt if isinstance(self.opt, str) else None,
            "wd": list(self.wd) if isinstance(self.wd, tuple) else self.wd,
            **{name: getattr(self, name) for name in KEPT},
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """The options of a saved folder; defaults where an older one lacks them or the optimizer was a function."""
        kept = {name: saved[name] for name in ("wd", *KEPT) if name in saved}
        return cls.of(saved.get("metrics", ()), saved.get("opt") or cls.opt, kept)


KEPT = ("wd_mode", "preset", "seed", "engine", "train_bn", "precision", "accumulate")
"""Options that stand in a saved folder as they are."""


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Weight decay as a number, or as a tuple where it is one per layer group."""
    if "wd" not in given or np.ndim(given["wd"]) != 1:
        return dict(given)
    return {**given, "wd": tuple(np.asarray(given["wd"]).tolist())}


def _check_known(name: Any, known: Iterable[str], what: str, otherwise: str) -> None:
    if name not in known:
        hint = did_you_mean(name, known)
        raise UnknownNameError(f"There is no {what} {name!r}.{hint} There are {list(known)}{otherwise}.")
