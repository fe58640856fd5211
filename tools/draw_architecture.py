"""Draw the house from its own imports: the rooms on their floors, and who builds on whom.

    python tools/draw_architecture.py architecture.png

Floors are read from the contract in pyproject.toml that `make lint` keeps, imports from the source. An arrow that
follows from others (a imports c, but also b, which imports c) is left out; one that goes up would be red.
"""

import argparse
import tomllib
from pathlib import Path

import grimp
import matplotlib as mpl
import networkx as nx
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src" / "vectable"
WIDTH = 12.0
LEFT_OUT = {"__main__", "_version", "public_names"}  # plumbing of a few lines


def floors() -> list[list[str]]:
    """The rooms on each floor that are there, top to bottom."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = [one for one in settings["contracts"] if one["type"] == "layers"]
    rows = [[room.strip(" ()") for room in layer.replace("|", ":").split(":")] for layer in contract["layers"]]
    there = {path.stem for path in SOURCE.iterdir()} - LEFT_OUT
    return [present for row in rows if (present := [room for room in row if room in there])]


def imports_between_rooms() -> nx.DiGraph:
    """A graph of the rooms; an edge counts the files of one that import from the other, as `files`."""
    graph, rooms = grimp.build_graph("vectable", cache_dir=None), nx.DiGraph()
    for file in graph.modules:
        for imported in graph.find_modules_directly_imported_by(file):
            ends = [name.split(".")[1] if "." in name else "vectable" for name in (file, imported)]
            if ends[0] != ends[1] and not LEFT_OUT.union({"vectable"}) & set(ends):
                before = rooms.get_edge_data(*ends, default={"files": 0})["files"]
                rooms.add_edge(*ends, files=before + 1)
    return rooms


def lines_of(room: str) -> int:
    """Lines of source in a room."""
    files = [SOURCE / f"{room}.py"] if (SOURCE / f"{room}.py").is_file() else (SOURCE / room).rglob("*.py")
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def draw() -> Figure:
    """The rooms as boxes, a floor a row, the arrows downwards."""
    rows, imports = floors(), imports_between_rooms()
    figure = Figure(figsize=(WIDTH, 0.75 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, WIDTH), ylim=(-len(rows) + 0.4, 0.6))
    axes.set_axis_off()
    places: dict[str, tuple[float, float]] = {}
    for down, row in enumerate(rows):
        for across, room in enumerate(row):
            # Neighbouring floors lean to one side and the other, so that arrows past a floor are seen.
            lean = 1.5 * (down % 3 - 1) if len(row) == 1 else 0.0
            places[room] = (WIDTH * (across + 1) / (len(row) + 1) + lean, -down)
    upwards = [(room, other) for room, other in imports.edges if places[other][1] > places[room][1]]
    imports.remove_edges_from(upwards)
    for ends, color in [(nx.transitive_reduction(imports).edges, "0.55"), (upwards, "tab:red")]:
        for room, other in ends:
            look = {"arrowstyle": "-|>", "color": color, "connectionstyle": "arc3,rad=0.06", "shrinkB": 14}
            axes.annotate("", xy=places[other], xytext=places[room], arrowprops=look, zorder=0)
    shades = mpl.colormaps["Blues"]
    for room, (x, y) in places.items():
        lines = lines_of(room)
        shade = shades(min(0.65, 0.08 + lines / 12000))
        axes.add_patch(FancyBboxPatch((x - 0.8, y - 0.18), 1.6, 0.36, boxstyle="round,pad=0.05", facecolor=shade))
        axes.text(x, y, f"{room}  {lines:,}", ha="center", va="center", fontsize=9)
    return figure


def main() -> None:
    """Write the drawing to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="what to write: .png, .svg or .pdf")
    draw().savefig(parser.parse_args().path, dpi=144)


if __name__ == "__main__":
    main()
