"""The Python script that does what a run did: the calls of its plan, written out."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vectable.studio.choosing import choices_of
from vectable.studio.tasks.catalogue import task_named
from vectable.studio.tasks.choices import Choices
from vectable.studio.tasks.plan import Plan

SHOWN = 20  # rows, users or images whose answers the script writes


def script_of(job: Mapping[str, Any], title: str) -> str:
    """The whole script: it trains, saves the model and writes some answers.

    Args:
        job: what job.json holds.
        title: what it is of, for its first line.
    """
    task = str(job["task"])
    choices = choices_of(job["about"], job["settings"])
    plan = task_named(task).plan(choices)
    name = file_name(choices.label, task)
    lines = [
        f'"""{title.replace(chr(34), "")}: trains the model again, saves it in the folder "model", writes answers.csv.',
        "",
        f"    pip install 'vectable{EXTRAS.get(task, '')}'",
        f"    python script.py {shlex.quote(name)}",
        '"""',
        "",
        "import sys",
        "",
        *(["import polars as pl", ""] if plan.left_out or task in ("table", "photographs") else []),
        "import vectable as vt",
        *(["from vectable.data.io.files import read_table"] if plan.left_out or task == "table" else []),
        *(["from vectable.data.images.image_files import list_images"] if task == "photographs" else []),
        "",
        f"FILE = sys.argv[1] if len(sys.argv) > 1 else {name!r}",
        "",
        *training_lines(plan, "FILE", task),
        'learn.save("model")',
        "",
        *_answers(task, choices),
    ]
    return "\n".join(lines) + "\n"


EXTRAS = {"photographs": "[vision]"}


def training_lines(plan: Plan, file: str, task: str) -> list[str]:
    """The calls of a plan as lines of Python.

    Args:
        file: expression of the file.
    """
    made, named = plan.data, dict(plan.data.named)
    lines = []
    if plan.left_out:
        reading = [f"{name}={named.pop(name)!r}" for name in ("sep", "has_header") if name in named]
        lines.append(f"table = read_table({', '.join([file, *reading])})")
        lines += [f"table = table.filter({_condition(*one)})" for one in plan.left_out.items()]
        made = type(made)(made.name.replace("from_file", "from_df"), made.given, named)
        file = "table"
    lines.append(f"data = vt.{made.name}({made.arguments(file)})")
    lines.append(f"learn = vt.{plan.learner.name}({plan.learner.arguments('data')})")
    best = ", [vt.RestoreBest()]" if plan.keeps_best else ""
    for fit in plan.fits:
        more = best if fit.name.startswith("fit_") else ""
        lines.append(f"learn.{fit.name}({fit.arguments()}{more})")
    if task not in ("interactions",):
        lines.append("print(learn.validate())")
    return lines


def commands_of(task: str, choices: Choices, screen: str, model: str) -> dict[str, str]:
    """ "The same in Python" and "the same by command" of a screen.

    Args:
        screen: "data", "train", "map", "recommend", "predict", "photographs", "take-away".
        model: folder of the model, as the commands name it.
    """
    plan = task_named(task).plan(choices)
    words = task_named(task).command(choices, model)
    open_it = f'import vectable as vt\n\nlearn = vt.load_learner("{model}")\n'
    name = file_name(choices.label, task)
    of_file = ["import vectable as vt", "", *_with_imports(plan, training_lines(plan, repr(name), task))]
    trained = "\n".join([*of_file, f'learn.save("{model}")'])
    command = _joined(words)
    before = next(at for at, line in enumerate(of_file) if line.startswith("learn = "))
    lists = 'print(learn.recommend("USER", 10))\nprint(learn.explain("USER", "ITEM"))'
    screens = {
        "data": ("\n".join([*of_file[:before], "print(data)"]), command),
        "train": (trained, command),
        "finder": ("\n".join([*of_file[: before + 1], "print(learn.lr_find())"]), _finder_command(task, choices)),
        "map": (open_it + _map_line(task, choices), f"vectable insight {model} --plots pictures"),
        "recommend": (open_it + lists, f"vectable recommend {model} USER\nvectable explain {model} USER ITEM"),
        "predict": (open_it + _predict_line(task, name), f"vectable predict {model} {shlex.quote(name)}"),
        "photographs": (open_it + 'print(learn.predict("PHOTOGRAPH.png"))', f"vectable predict {model} PHOTOGRAPH.png"),
        "take-away": (open_it + "print(learn)", f"vectable serve {model}"),
    }
    python, said = screens.get(screen, screens["train"])
    return {"python": python, "command": said, "serve": f"vectable serve {model}"}


def file_name(label: str, task: str) -> str:
    """The file's or folder's name, as the script calls it."""
    name = Path(label).name or "data"
    return name if task == "photographs" or Path(name).suffix else f"{name}.csv"


def _condition(column: str, needed: str) -> str:
    value = f"pl.col({column!r})"
    return f"{value}.is_not_null()" if needed == "value" else f"{value}.cast(pl.Float64, strict=False).is_finite()"


def _with_imports(plan: Plan, lines: list[str]) -> list[str]:
    if not plan.left_out:
        return lines
    return ["import polars as pl", "from vectable.data.io.files import read_table", "", *lines]


def _answers(task: str, choices: Choices) -> list[str]:
    """Some answers, so that it can be seen that they are those of the studio."""
    if task == "photographs":
        return [
            f"paths = list_images(FILE).paths[:{SHOWN}]",
            "found = [one.label for one in learn.predict(list(paths))]",
            'pl.DataFrame({"photograph": [path.name for path in paths], "prediction": found}).write_csv("answers.csv")',
        ]
    if task == "table":
        reading = "".join(f", {name}={value!r}" for name, value in choices.reading.items())
        return [
            f"rows = read_table(FILE{reading}).head({SHOWN})",
            'pl.DataFrame({"prediction": learn.predict(rows)}).write_csv("answers.csv")',
        ]
    return [
        f"users = data.user_ids.vocabulary.head({SHOWN}).to_list()",
        'learn.recommend_many(users, 10).write_csv("answers.csv")',
    ]


def _finder_command(task: str, choices: Choices) -> str:
    words = ["vectable", "lr-find", file_name(choices.label, task)]
    if task == "table":
        words += ["--target", str(choices.column_of("target"))]
    elif task == "ratings":
        for role in ("user", "item", "rating"):
            words += [f"--{role}", str(choices.column_of(role))]
    else:
        return "# the finder is for ratings and tables"
    return _joined(words)


def _map_line(task: str, choices: Choices) -> str:
    if task != "table":
        return 'learn.plot_map(path="map.png")'
    column = next(choices.columns_of("category", "ordinal"), "COLUMN")
    return f'learn.embedding_map({column!r}, "map.png")'


def _predict_line(task: str, name: str) -> str:
    if task == "table":
        return f"from vectable.data.io.files import read_table\n\nprint(learn.predict(read_table({name!r})))"
    return 'print(learn.predict({learn.data.columns.user: ["USER"], learn.data.columns.item: ["ITEM"]}))'


def _joined(words: list[str]) -> str:
    return " ".join(shlex.quote(one) for one in words)
