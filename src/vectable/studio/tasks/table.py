"""A table of mixed columns, one of which is predicted from the others."""

from collections.abc import Mapping, Sequence
from typing import Any

from vectable.data.batches import count_steps
from vectable.data.column_names import is_named_as
from vectable.studio.tasks.choices import Choices, Column
from vectable.studio.tasks.pair_roles import IGNORED
from vectable.studio.tasks.plan import Call, Plan
from vectable.studio.tasks.settings import Setting, seed_setting
from vectable.tables.defaults import DECAY, LAYERS, N_MODELS, RATE, batch_size_for, epochs_for

NAME = "table"
LABEL = "A table: predict one column from the others"
ROLES = {
    "target": "what is predicted",
    "number": "a number",
    "category": "a category",
    "ordinal": "a category and a number at once",
    "date": "a date",
    IGNORED: "not used",
}
NAMED = {"category": "cat_names", "number": "cont_names", "date": "date_names"}
TARGETS = (
    "target", "label", "y", "class", "outcome", "salary", "income", "price", "churn", "sales", "survived", "response",
    "result", "default",
)  # fmt: skip
WIDTHS = {",".join(map(str, one)): one for one in (LAYERS, (200, 100), (400, 200), (100, 50), (100,))}
VALID_PCT = 0.2


def settings(n_rows: int) -> Sequence[Setting]:
    """What can be set, with the defaults of `vectable train table` for a table of so many rows."""
    n_train = max(round(n_rows * (1 - VALID_PCT)), 1)
    batch_size = batch_size_for(n_train)
    return (
        Setting(
            "epochs",
            "Epochs",
            "How often training passes over all rows; few rows take more of them, so that there are 200 steps.",
            epochs_for(count_steps(n_train, batch_size)),
            1,
            500,
            basic=True,
        ),
        Setting(
            "lr",
            "Learning rate",
            "The highest rate of the cycle; the finder suggests one.",
            RATE,
            1e-7,
            10.0,
            basic=True,
        ),
        Setting(
            "layers",
            "Hidden layers",
            "Their widths: wider ones learn more, and need more rows.",
            next(iter(WIDTHS)),
            choices=tuple((text, text.replace(",", " and ")) for text in WIDTHS),
            basic=True,
        ),
        Setting("dropout", "Dropout", "Share of each hidden layer left out at random while it trains.", 0.0, 0.0, 0.9),
        Setting("wd", "Weight decay", "How much weights are drawn towards 0.", DECAY, 0.0, 10.0),
        Setting("models", "Nets", "Nets from different seeds whose mean predicts.", N_MODELS, 1, 20),
        Setting("batch_size", "Rows per step", "How many rows each step learns from.", batch_size, 8, 65_536),
        Setting(
            "log_target",
            "Learn the logarithm",
            "Of 1 + the number to predict: for amounts that differ by factors.",
            False,
        ),
        Setting("valid_pct", "Held out", "Share of the rows that measures and does not train.", VALID_PCT, 0.0, 0.9),
        seed_setting(),
    )


def roles(columns: Sequence[Column], named: Mapping[str, str]) -> dict[str, str]:
    """What the columns are taken for."""
    found = {one.name: one.kind if one.kind != "unusable" else IGNORED for one in columns}
    found |= {one.name: IGNORED for one in columns if one.numbers_rows}
    found |= named
    if "target" not in found.values():
        free = [one.name for one in columns if one.name not in named and one.kind != "unusable"]
        likely = [name for name in free if is_named_as(name, TARGETS)] or free[-1:]
        found |= dict.fromkeys(likely[:1], "target")
    if {"category", "number"} <= {role for name, role in named.items()}:
        # the library then takes named columns alone, so all have a name, and an ordinal has none
        found = {name: "category" if role == "ordinal" else role for name, role in found.items()}
    return found


def splits(choices: Choices) -> list[tuple[str, str]]:
    """What may be held out, the default first."""
    latest = [(name, f"the latest rows by {name!r}") for name in choices.columns_of("date")]
    return [("random", "random rows, by the seed"), *latest]


def plan(choices: Choices) -> Plan:
    """The calls that train."""
    how, target = choices.settings, choices.column_of("target")
    named: dict[str, Any] = {**choices.reading, **_named_kinds(choices)}
    if without := list(choices.columns_of(IGNORED)):
        named["without"] = without
    named |= {"valid_pct": how["valid_pct"], "seed": how["seed"], "batch_size": how["batch_size"], "bins": "tree"}
    named |= {"whole_numbers": "both"}
    if choices.split != "random":
        named["split"] = choices.split
    if how["log_target"]:
        named["log_target"] = True
    if "target" in choices.problems:
        named["missing_target"] = "drop"
    widths = WIDTHS[how["layers"]]
    learner = {"ps": [how["dropout"]] * len(widths), "wd": how["wd"], "n_models": how["models"], "seed": how["seed"]}
    return Plan(
        Call("TableData.from_file", (target,), named),
        Call("tabular_learner", (list(widths),), learner),
        [Call("fit_one_cycle", (how["epochs"], how["lr"]))],
        keeps_best=how["valid_pct"] > 0,
    )


def command(choices: Choices, out: str) -> list[str]:
    """The same by command, as its words."""
    how = choices.settings
    words = ["vectable", "train", "table", choices.label, "--target", str(choices.column_of("target"))]
    options = {"cat_names": "--cats", "cont_names": "--conts", "date_names": "--dates"}
    for argument, names in _named_kinds(choices).items():
        words += [options[argument], ",".join(names)]
    if without := list(choices.columns_of(IGNORED)):
        words += ["--without", ",".join(without)]
    if choices.split != "random":
        words += ["--split", choices.split]
    words += ["--log-target"] if how["log_target"] else []
    words += ["--missing-target", "drop"] if "target" in choices.problems else []
    for name in ("epochs", "lr", "layers", "dropout", "wd", "batch_size", "valid_pct", "seed"):
        words += [f"--{name.replace('_', '-')}", str(how[name])]
    return [*words, "--n-models", str(how["models"]), "--out", out]


def _named_kinds(choices: Choices) -> dict[str, list[str]]:
    """The names of columns by kind that the rule is not to decide."""
    by_hand = {role for role in choices.named.values() if role in NAMED}
    if {"category", "number"} <= by_hand:
        return {argument: list(choices.columns_of(role)) for role, argument in NAMED.items()}
    chosen = {role: [name for name in choices.columns_of(role) if name in choices.named] for role in NAMED}
    return {NAMED[role]: names for role, names in chosen.items() if names}
