"""Interactions: who would take what, from orders, clicks or plays without a rating."""

from collections.abc import Mapping, Sequence
from typing import Any

from vectable.studio.tasks.choices import Choices, Column
from vectable.studio.tasks.pair_roles import IGNORED, pair_roles
from vectable.studio.tasks.plan import Call, Plan
from vectable.studio.tasks.settings import Setting, seed_setting

NAME = "interactions"
LABEL = "Interactions: who would take what"
ROLES = {
    "user": "the user",
    "item": "the item",
    "count": "how often or how much",
    "title": "the item's name to show",
    "timestamp": "the time",
    IGNORED: "not used",
}
SETTINGS = (
    Setting(
        "model",
        "Model",
        "All that suit are tried and the best on held-out rows is kept, or one alone.",
        "auto",
        choices=(
            ("auto", "the best of all that suit"),
            ("als", "factors (ALS)"),
            ("ease", "weights between all items (EASE)"),
            ("slim", "weights between near items (SLIM)"),
            ("neighbours", "nearest items"),
        ),
        basic=True,
    ),
    Setting("refit", "Fit again on all rows", "Fit the chosen one again on held-out rows too, once measured.", False),
    seed_setting(),
)


def settings(n_rows: int) -> Sequence[Setting]:
    """What can be set: the same for any number of rows."""
    return SETTINGS


def roles(columns: Sequence[Column], named: Mapping[str, str]) -> dict[str, str]:
    """What the columns are taken for."""
    return pair_roles(columns, named, ("user", "item"), ("title", "timestamp", "count"))


def splits(choices: Choices) -> list[tuple[str, str]]:
    """What may be held out, the default first."""
    random, users = ("random", "random rows, by the seed"), ("users", "whole users")
    if choices.column_of("timestamp") is None:
        return [random, users]
    return [("last", "each user's last two"), ("time", "the latest rows of all"), random, users]


def plan(choices: Choices) -> Plan:
    """The calls that train."""
    how = choices.settings
    columns = {name: choices.column_of(name) for name in ("user", "item", "count", "timestamp", "title")}
    named: dict[str, Any] = {name: column for name, column in columns.items() if column is not None}
    named |= {"split": choices.split, "seed": how["seed"]}
    if "ids" in choices.problems:
        named["missing_ids"] = "drop"
    left_out = {str(columns["count"]): "number"} if "count" in choices.problems else {}
    fits = [Call("fit"), *([Call("fit", (), {"refit": True})] if how["refit"] else [])]
    return Plan(
        Call("InteractionsData.from_file", (), {**choices.reading, **named}),
        Call("implicit_learner", (how["model"],)),
        fits,
        left_out,
        keeps_best=False,
    )


def command(choices: Choices, out: str) -> list[str]:
    """The same by command, as its words."""
    how = choices.settings
    words = ["vectable", "train", "interactions", choices.label]
    for name in ("user", "item", "count", "timestamp", "title"):
        if (column := choices.column_of(name)) is not None:
            words += [f"--{name}", column]
    if "ids" in choices.problems:
        words += ["--missing-ids", "drop"]
    words += ["--split", choices.split, "--model", how["model"], "--seed", str(how["seed"])]
    return [*words, *(["--refit"] if how["refit"] else []), "--out", out]
