"""The two dialects: the rules of the 2018 lesson and those in use today, side by side."""

from dataclasses import dataclass

from vectable.errors import UnknownNameError, did_you_mean
from vectable.training.schedules import OneCycle


@dataclass(frozen=True)
class Preset:
    """What differs between the dialects.

    Attributes:
        cycle: shape of one cycle.
        eps: Adam's epsilon.
        fresh_optimizer: whether every fit starts with a new optimizer.
        decay_everything: whether biases and batch norm decay too (embeddings always do).
        even_batches: whether nets with batch norm train on batches of nearly one size, without a small last one.
        slice_share: ``slice(hi)`` gives all layer groups but the last ``hi / slice_share``.
    """

    name: str
    cycle: OneCycle
    eps: float
    fresh_optimizer: bool
    decay_everything: bool
    even_batches: bool
    slice_share: float


PRESETS = {
    "modern": Preset(
        "modern",
        OneCycle("cosine", 0.25, 25.0, 1e5),
        eps=1e-5,
        fresh_optimizer=False,
        decay_everything=False,
        even_batches=True,
        slice_share=10,
    ),
    "lesson": Preset(
        "lesson",
        OneCycle("linear", 0.3, 25.0, 25e4),
        eps=1e-8,
        fresh_optimizer=True,
        decay_everything=True,
        even_batches=False,
        slice_share=3,
    ),
}


def preset_named(name: str) -> Preset:
    """The preset of that name, or a sentence with the names there are."""
    if name not in PRESETS:
        raise UnknownNameError(f"There is no preset {name!r}.{did_you_mean(name, PRESETS)} There are {list(PRESETS)}.")
    return PRESETS[name]
