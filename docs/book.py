"""Runs the code of the book's pages and puts what came out below it: for `building.py`, and for the tests.

A page's blocks of ``python`` run in order in one namespace, those of ``sh`` in a shell, all in one folder that is empty
at the start; PROJECT is where the project lies. What a block prints is shown below it, and so is the value of a last
line that is an expression, as in a notebook: a polars frame as a table, a matplotlib figure as a picture. Figures that
pyplot holds and pictures that the block wrote as files are shown too. What a page computed is kept (`page_cache.py`)
until it or the package changes. Words after the language say more::

    ```python needs=surprise      runs where that package is installed; elsewhere it must at least be Python
    ```python show=markdown       what it prints is part of the page
    ```python show=page           the same, and the block itself is left out
    ```python caption="A curve"   what is to be seen in its pictures, below them
    ```sh fails                   the command is meant to refuse
"""

import ast
import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
import showing

from vectable.plotting import STYLE

BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>python|sh)(?P<words>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```$",
    re.M | re.S,
)
PROJECT = Path(__file__).resolve().parent.parent
PICTURES = (".png", ".svg", ".gif")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LOOK = STYLE | {"figure.figsize": (7, 4), "figure.dpi": 144, "savefig.dpi": 144}
TABLES = pl.Config(
    tbl_hide_dataframe_shape=True,
    tbl_hide_column_data_types=True,
    fmt_str_lengths=60,
    tbl_width_chars=100,
)


class BookError(Exception):
    """A block of a page does not run."""


@dataclass
class RunPage:
    """A page that ran.

    Attributes:
        path: of its source.
        text: Markdown, with the output below each block.
        pictures: by name, the files that `text` shows, in a folder named as the page is.
        skipped: packages that blocks needed and that are not installed.
    """

    path: Path
    text: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def add(
        self, content: bytes, suffix: str, alternative: str, width: str = ""
    ) -> str:
        """Take a picture in, with what to say where it cannot be seen; the Markdown that shows it."""
        name = f"{len(self.pictures) + 1}{suffix}"
        self.pictures[name] = content
        shown = alternative.translate(dict.fromkeys(map(ord, "[]\n"), " "))
        return f"![{shown}]({self.path.stem}/{name}){width}"


def run_page(path: Path, folder: Path, text: str | None = None) -> RunPage:
    """Run the blocks of a page in an empty folder.

    Raises:
        BookError: a block raised, or its command failed (or did not where it is meant to); says where.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    source = path.read_text(encoding="utf-8") if text is None else text
    page, namespace, at = RunPage(path), {"__name__": "__page__", "PROJECT": PROJECT}, 0
    with mpl.rc_context(LOOK), TABLES, contextlib.chdir(folder):
        for block in BLOCK.finditer(source):
            line = source.count("\n", 0, block.start("code"))
            page.text += source[at : block.start()] + textwrap.indent(
                _run(block, page, line, namespace), block["indent"]
            )
            at = block.end()
    page.text += source[at:]
    return page


def timed_output_of(path: str, text: str) -> tuple[tuple[str, dict[str, bytes]], float]:
    """The text and the pictures of a page, and the seconds it ran, in a folder of its own; for another process to call.

    Raises:
        BookError: as `run_page`.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        ran = run_page(Path(path), Path(folder), text)
    return (ran.text, ran.pictures), time.perf_counter() - started


def _run(
    block: re.Match[str], page: RunPage, line: int, namespace: dict[str, Any]
) -> str:
    """The block without the words that are for us, and below it what came out."""
    code = textwrap.dedent(block["code"])
    words = dict(word.partition("=")[::2] for word in shlex.split(block["words"]))
    if unknown := set(words) - {"needs", "show", "fails", "caption"}:
        raise BookError(
            f"{page.path}, line {line}: there is no word {sorted(unknown)} for a block."
        )
    parts = [f"```{block['language']}\n{code}```\n"]
    if "needs" in words and find_spec(words["needs"]) is None:
        ast.parse(code)
        page.skipped.append(words["needs"])
        return parts[0]
    before, values = _files(), []
    if block["language"] == "sh":
        printed = _run_shell(code, f"{page.path}, line {line}", "fails" in words)
    else:
        printed, values = _run_python(code, page.path, line, namespace)
    if words.get("show") == "page":
        parts = [printed]
    elif words.get("show") == "markdown":
        parts.append(printed)
    elif printed.strip():
        parts.append(showing.output(printed.rstrip()))
    parts += [
        showing.table(value) for value in values if isinstance(value, pl.DataFrame)
    ]
    caption = words.get("caption", "")
    shown = [
        page.add(
            showing.drawn(value),
            ".png",
            showing.in_words(value) or caption,
            showing.width(value),
        )
        for value in values
        if not isinstance(value, pl.DataFrame)
    ]
    written = sorted(
        file for file, when in _files().items() if before.get(file) != when
    )
    shown += [
        page.add(file.read_bytes(), file.suffix, f"{file.stem}: {caption}")
        for file in written
    ]
    if shown:
        parts.append(showing.pictures(shown, caption))
    return "\n".join(parts)


def _run_python(
    code: str, path: Path, line: int, namespace: dict[str, Any]
) -> tuple[str, list[Any]]:
    """What was printed, and the tables and figures to show."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    tree, value = ast.parse("\n" * line + code, str(path)), None
    last = (
        tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    )
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, str(path), "exec"), namespace)
            if isinstance(last, ast.Expr):
                value = eval(
                    compile(ast.Expression(last.value), str(path), "eval"), namespace
                )
    except Exception as problem:
        raise BookError(
            f"{path}: the block from line {line + 1} raised {type(problem).__name__}: {problem}"
        ) from problem
    shown: list[Any] = [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")
    if isinstance(value, Figure | pl.DataFrame):
        shown += [value] if all(value is not one for one in shown) else []
    elif value is not None and not shown:
        print(value, file=printed)
    return printed.getvalue(), shown


def _run_shell(code: str, where: str, fails: bool) -> str:
    """What the commands printed, on both streams, in a terminal 100 characters wide."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "COLUMNS": "100",
        "PROJECT": str(PROJECT),
        "TERM": "dumb",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    printed = "\n".join(
        line.rstrip() for line in ANSI.sub("", done.stdout).splitlines()
    )
    if (done.returncode != 0) != fails:
        raise BookError(
            f"{where}: the command ended with {done.returncode}:\n{printed}"
        )
    return printed


def _files() -> dict[Path, float]:
    """The pictures in the page's folder or one below, with the time of their writing."""
    return {
        file: file.stat().st_mtime_ns
        for deep in ("*", "*/*")
        for file in Path().glob(deep)
        if file.suffix in PICTURES
    }
