"""Record the commands of the README as an SVG, and draw its map: what they print is real, nothing is typed by hand.

    python tools/record_terminal.py            # writes docs/assets/terminal.svg and docs/assets/map.png

Runs in an empty folder; the recording shows the last lines of what the commands print on both streams.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ASSETS = Path(__file__).resolve().parent.parent / "docs" / "assets"
WIDTH = 100
COMMANDS = (
    ("vectable train ratings goodbooks -o books", 13),
    ('vectable similar books "The Hobbit" -n 3', 6),
    ("vectable recommend books 1200 -n 3", 6),
)  # and how many of the lines that each prints are shown, the last ones
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.S)


def printed(command: str, folder: Path) -> list[str]:
    """The lines that a command prints on both streams, in a terminal of `WIDTH` characters without colors.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    environment = os.environ | {"COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return [line.rstrip() for line in done.stdout.rstrip().splitlines()]


def record(folder: Path, path: Path) -> None:
    """Run the commands one after the other, and write the recording."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, highlight=False)
        for command, most in COMMANDS:
            lines = printed(command, folder)
            console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
            if len(lines) > most:
                console.print(Text("...", "dim"))
            for line in lines[-most:]:
                console.print(Text(line), no_wrap=True, overflow="crop")
            console.print()
        drawn = console.export_svg(title="vectable", unique_id="terminal")
    path.write_text(FONTS.sub("", drawn), encoding="utf-8")  # the reader's own monospace: nothing is fetched


def draw_map(path: Path) -> None:
    """The map of the most rated books by their two largest components."""
    import vectable as vt

    data = vt.datasets.load("goodbooks").to_data(valid_pct=0.1, seed=42)
    learn = vt.collab_learner(data, n_factors=40, y_range=(0, 5.5), wd=0.1, progress=False)
    learn.fit_one_cycle(5, 5e-3)
    learn.plot_map(show=35, path=str(path))


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), ASSETS / "terminal.svg")
    draw_map(ASSETS / "map.png")
    for name in ("terminal.svg", "map.png"):
        print(f"{ASSETS / name}: {(ASSETS / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
