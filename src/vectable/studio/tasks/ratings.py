"""Ratings: who will like what."""

from collections.abc import Mapping, Sequence
from typing import Any

from vectable.studio.tasks.choices import Choices, Column
from vectable.studio.tasks.pair_roles import IGNORED, pair_roles
from vectable.studio.tasks.plan import Call, Plan
from vectable.studio.tasks.settings import Setting, seed_setting

NAME = "ratings"
LABEL = "Ratings: who will like what"
ROLES = {
    "user": "the user",
    "item": "the item",
    "rating": "the rating",
    "title": "the item's name to show",
    "timestamp": "the time",
    IGNORED: "not used",
}
SETTINGS = (
    Setting("epochs", "Epochs", "How often training passes over all ratings.", 5, 1, 200, basic=True),
    Setting(
        "lr", "Learning rate", "The highest rate of the cycle; the finder suggests one.", 5e-3, 1e-7, 10.0, basic=True
    ),
    Setting("factors", "Factors", "Width of the vectors of users and items.", 40, 1, 500, basic=True),
    Setting(
        "wd", "Weight decay", "How much the vectors are drawn towards 0: more where ratings are few.", 0.1, 0.0, 10.0
    ),
    Setting("valid_pct", "Held out", "Share of the ratings that measures and does not train.", 0.1, 0.0, 0.9),
    Setting(
        "lists",
        "Lists by",
        "What ranks lists: the predicted rating, or who would take what, with the rating beside.",
        "ratings",
        choices=(("ratings", "predicted rating"), ("interactions", "who would take what")),
    ),
    Setting(
        "preset",
        "Preset",
        "Rules for schedules, optimizer and decay.",
        "modern",
        choices=(("modern", "modern"), ("lesson", "as the lesson has it")),
    ),
    seed_setting(),
)


def settings(n_rows: int) -> Sequence[Setting]:
    """What can be set: the same for any number of rows."""
    return SETTINGS


def roles(columns: Sequence[Column], named: Mapping[str, str]) -> dict[str, str]:
    """What the columns are taken for."""
    return pair_roles(columns, named, ("user", "item", "rating"), ("title", "timestamp"))


def splits(choices: Choices) -> list[tuple[str, str]]:
    """What may be held out, the default first."""
    random = ("random", "random ratings, by the seed")
    return [random, ("time", "the latest ratings")] if choices.column_of("timestamp") else [random]


def plan(choices: Choices) -> Plan:
    """The calls that train."""
    how = choices.settings
    columns = {name: choices.column_of(name) for name in ("user", "item", "rating", "title", "timestamp")}
    named: dict[str, Any] = {name: column for name, column in columns.items() if column is not None}
    named |= {"valid_pct": how["valid_pct"], "seed": how["seed"]}
    if choices.split != "random":
        named["split"] = choices.split
    if "ids" in choices.problems:
        named["missing_ids"] = "drop"
    left_out = {str(columns["rating"]): "number"} if "rating" in choices.problems else {}
    learner = {"wd": how["wd"], "lists": how["lists"], "preset": how["preset"], "seed": how["seed"]}
    return Plan(
        Call("RatingsData.from_file", (), {**choices.reading, **named}),
        Call("collab_learner", (how["factors"],), learner),
        [Call("fit_one_cycle", (how["epochs"], how["lr"]))],
        left_out,
        keeps_best=how["valid_pct"] > 0,
    )


def command(choices: Choices, out: str) -> list[str]:
    """The same by command, as its words."""
    how = choices.settings
    words = ["vectable", "train", "ratings", choices.label]
    for name in ("user", "item", "rating", "title", "timestamp"):
        if (column := choices.column_of(name)) is not None:
            words += [f"--{name}", column]
    if choices.split != "random":
        words += ["--split", choices.split]
    if "ids" in choices.problems:
        words += ["--missing-ids", "drop"]
    for option in ("factors", "epochs", "lr", "wd", "lists", "preset", "seed"):
        words += [f"--{option}", f"{how[option]}"]
    return [*words, "--valid-pct", f"{how['valid_pct']}", "--out", out]
