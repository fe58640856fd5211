"""How what a block printed, drew or returned looks in the book, as Markdown."""

import io
import re
import textwrap
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDEST = 100  # characters of a printed line that fit beside the contents of a page
MOST_LINES = 24  # of an output that is not folded
COLUMNS = re.compile(r"\S {2,}\S|[│┃|━─]")


def output(printed: str) -> str:
    """What was printed, as it was: long lines are wrapped, and what is long is folded.

    Lines without columns, those of sentences, are wrapped by the reader's window as well.
    """
    lines = []
    for line in printed.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        wrapped = textwrap.wrap(
            line,
            WIDEST,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=False,
        )
        lines += [one.rstrip() for one in wrapped] if len(line) > WIDEST else [line]
    prose = not any(COLUMNS.search(line.strip()) for line in lines)
    kind = "output prose" if prose else "output"
    classes = " ".join(f".{word}" for word in ("text", "no-copy", *kind.split()))
    block = "\n".join([f"```{{ {classes} }}", *lines, "```"]) + "\n"
    if len(lines) <= MOST_LINES:
        return block
    folded = textwrap.indent(block, "    ")
    return f'??? output "What it prints: {len(lines)} lines"\n\n{folded}\n'


def pictures(shown: list[str], caption: str) -> str:
    """Pictures one below the other, and below them what is to be seen."""
    images = "\n".join(f"{one}\n" for one in shown)
    if not caption:
        return images
    return f"<figure markdown>\n\n{images}\n<figcaption markdown>{caption}</figcaption>\n</figure>\n"


def in_words(figure: "Figure") -> str:
    """What a figure shows: titles, what is drawn against what, and the names of its lines."""
    parts = []
    for axes in figure.axes:
        x, y = axes.get_xlabel(), axes.get_ylabel()
        drawn = " by ".join(one for one in (y, x) if one)
        _, names = axes.get_legend_handles_labels()
        parts.append(
            ": ".join(one for one in (axes.get_title(), drawn, ", ".join(names)) if one)
        )
    said = "; ".join(part for part in parts if part)
    return f"Plot: {said}" if said else ""


def table(frame: pl.DataFrame) -> str:
    """A frame in Markdown; numbers to four digits."""

    def cell(value: Any) -> str:
        shown = (
            f"{value:.4g}"
            if isinstance(value, float)
            else str("" if value is None else value)
        )
        return shown.replace("|", "\\|").replace("\n", " ")

    rows = [
        frame.columns,
        [":--" if one == pl.String else "--:" for one in frame.dtypes],
        *frame.rows(),
    ]
    return "\n".join("| " + " | ".join(map(cell, row)) + " |" for row in rows)


def width(figure: "Figure") -> str:
    """How wide a figure is shown, as an attribute of its picture: 80 pixels per inch."""
    return f"{{ width={80 * figure.get_size_inches()[0]:.0f} }}"


def drawn(figure: "Figure") -> bytes:
    """A figure as PNG."""
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=144, bbox_inches="tight")
    return held.getvalue()
