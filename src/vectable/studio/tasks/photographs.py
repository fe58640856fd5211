"""Photographs in a folder for each class."""

from collections.abc import Mapping, Sequence
from typing import Any

from vectable.studio.tasks.choices import Choices, Column
from vectable.studio.tasks.plan import Call, Plan, Source
from vectable.studio.tasks.settings import Setting, seed_setting

NAME = "photographs"
LABEL = "Photographs: tell classes apart"
ROLES: dict[str, str] = {}
SMALL = "fashion-small"
SETTINGS = (
    Setting("epochs", "Epochs of the head", "How often the new last layers train alone.", 2, 0, 200, basic=True),
    Setting("lr", "Learning rate", "The highest rate of the head.", 1e-3, 1e-7, 10.0, basic=True),
    Setting("whole_epochs", "Epochs of the whole net", "How often all of it trains afterwards.", 3, 0, 200, basic=True),
    Setting("whole_lr", "Its learning rate", "Of its last layers; the first take a two hundredth.", 2e-4, 1e-7, 10.0),
    Setting(
        "arch",
        "Net",
        "The small one comes with the package. Others start at random: weights are not fetched from anywhere.",
        SMALL,
        choices=((SMALL, "small, for small gray images"), ("resnet18", "ResNet-18, from random weights")),
    ),
    Setting("size", "Size", "Side of the square that the net sees, in pixels.", 28, 16, 512),
    Setting("augment", "Vary the images", "Flip, crop and brighten at random while it trains.", False),
    Setting("batch_size", "Images per step", "How many images each step learns from.", 32, 2, 1024),
    Setting("valid_pct", "Held out", "Share of the images that measures and does not train.", 0.2, 0.0, 0.9),
    seed_setting(),
)


def settings(n_rows: int) -> Sequence[Setting]:
    """What can be set: the same for any number of rows."""
    return SETTINGS


def roles(columns: Sequence[Column], named: Mapping[str, str]) -> dict[str, str]:
    """There are no columns."""
    return {}


def splits(choices: Choices) -> list[tuple[str, str]]:
    """What may be held out, the default first."""
    return [("random", "random images, by the seed")]


def plan(choices: Choices) -> Plan:
    """The calls that train: a new head first, then all of it with small steps."""
    how = choices.settings
    named: dict[str, Any] = {name: how[name] for name in ("valid_pct", "size", "batch_size", "augment", "seed")}
    small = how["arch"] == SMALL
    fits = []
    if small and how["epochs"]:
        fits.append(Call("fit_one_cycle", (how["epochs"], how["lr"])))
    if small and how["whole_epochs"]:
        low, high = how["whole_lr"] / 200, how["whole_lr"]
        fits += [
            Call("unfreeze"),
            Call("fit_one_cycle", (how["whole_epochs"], Source(f"slice({low!r}, {high!r})", slice(low, high)))),
        ]
    if not small:
        fits = [Call("fit_one_cycle", (how["epochs"] + how["whole_epochs"], how["lr"]))]
    learner = {"pretrained": small, "seed": how["seed"]}
    return Plan(
        Call("ImageData.from_folder", (), named),
        Call("vision_learner", (how["arch"],), learner),
        fits,
        keeps_best=how["valid_pct"] > 0,
    )


def command(choices: Choices, out: str) -> list[str]:
    """The same by command, as its words."""
    how = choices.settings
    words = ["vectable", "train", "images", choices.label, "--arch", how["arch"]]
    words += [] if how["arch"] == SMALL else ["--no-pretrained"]
    for name in ("epochs", "lr", "whole_epochs", "size", "batch_size", "valid_pct", "seed"):
        words += [f"--{name.replace('_', '-')}", str(how[name])]
    words += ["--whole-lr", f"{how['whole_lr'] / 200:g},{how['whole_lr']:g}"]
    return [*words, "--augment" if how["augment"] else "--no-augment", "--out", out]
