"""A run as one HTML file that needs no server and no script: figures, curves, a map, what matters, the script."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from vectable._version import __version__
from vectable.insight.components import principal_components
from vectable.studio.events import read_events
from vectable.studio.json_files import read_json_file
from vectable.studio.results.vectors import listed_vectors, read_vectors
from vectable.studio.run_folder import RunFolder
from vectable.studio.script import script_of

WIDE, HIGH, EDGE = 640, 300, 36  # of a picture, in pixels
MAPPED, NAMED = 400, 40  # things on the map, and those with a name beside
BARS = 15
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1,h2{line-height:1.2}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:0.25rem 0.75rem;text-align:left;border-bottom:1px solid #d0d7de}
td.n{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto}
pre{overflow:auto;padding:1rem;background:#f4f6f8}
text{font:11px system-ui,sans-serif;fill:#444}
@media(prefers-color-scheme:dark){
body{color:#e6e6e6;background:#15181c}pre{background:#20252b}text{fill:#bbb}td,th{border-color:#39414a}}
"""


def report_of(run: RunFolder, project: str) -> str:
    """The whole file."""
    state, job = run.state(), run.job()
    events, place = read_events(run.events, 0)
    while True:
        more, after = read_events(run.events, place)
        if after == place:
            break
        events, place = events + more, after
    title = f"{project}, run {run.id}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(state.get('sentence') or '')}</p>",
        _figures(state),
        _settings(job.get("settings", {})),
        _losses(events),
        _map(run),
        *(_part(one) for one in read_json_file(run.results / "insight.json", {"parts": []})["parts"]),
    ]
    if job["kind"] == "train":
        parts += ["<h2>The same in Python</h2>", f"<pre>{escape(script_of(job, title))}</pre>"]
    parts.append(f"<p><small>Made by vectable {escape(__version__)}, {escape(str(state.get('ended')))}.</small></p>")
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
    )
    return head + "\n".join(part for part in parts if part) + "</body></html>\n"


def _figures(state: dict[str, Any]) -> str:
    figure = state.get("figure")
    if not figure:
        return ""
    rows = [("This model", figure["value"]), *((one["name"], one["value"]) for one in state.get("baselines", []))]
    more = [(name, value) for name, value in state.get("figures", {}).items() if name != figure["name"]]
    return _table([f"{figure['name']} on the held-out rows", ""], rows) + (
        _table(["Other figures", ""], more) if more else ""
    )


def _settings(settings: dict[str, Any]) -> str:
    return f"<h2>Settings</h2>{_table(['setting', 'value'], list(settings.items()))}" if settings else ""


def _losses(events: list[dict[str, Any]]) -> str:
    """The training loss by step, and the held-out one after each epoch."""
    steps = [(one["step"], one["loss"]) for one in events if one["type"] == "step"]
    epochs = [one for one in events if one["type"] == "epoch" and one.get("valid_loss") is not None]
    if len(steps) < 2:
        return ""
    held = [(one["step"], one["valid_loss"]) for one in epochs]
    losses = np.array([loss for _, loss in steps] + [loss for _, loss in held])
    high = float(np.quantile(losses, 0.98)) * 1.05
    low = float(losses.min()) * 0.95
    last = max(step for step, _ in steps)

    def at(step: float, loss: float) -> tuple[float, float]:
        x = EDGE + (WIDE - 2 * EDGE) * step / last
        return x, EDGE + (HIGH - 2 * EDGE) * (1 - (min(loss, high) - low) / max(high - low, 1e-12))

    every = steps[:: max(1, len(steps) // 400)]
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*one) for one in every))
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#d55e00"/>' for x, y in (at(*one) for one in held))
    words = (
        f'<text x="{EDGE}" y="{HIGH - 10}">step 0</text><text x="{WIDE - EDGE}" y="{HIGH - 10}" text-anchor="end">step '
        f'{last:,}</text><text x="{EDGE}" y="{EDGE - 8}">loss {high:.3g}</text>'
    )
    curve = f'<polyline points="{way}" fill="none" stroke="#0072b2" stroke-width="1.5"/>'
    said = "<p>Blue: the training loss. Orange: the loss on held-out rows after each epoch.</p>"
    return f"<h2>Losses</h2>{_svg('Losses by step', curve + marks + words)}{said}"


def _map(run: RunFolder) -> str:
    listed = listed_vectors(run.results)
    if not listed:
        return ""
    found = read_vectors(run.results, 0)
    if min(found.vectors.shape) < 2:
        return ""
    scores, shares = principal_components(found.vectors, 2)
    order = np.argsort(-found.counts, kind="stable")[:MAPPED]
    places = scores[order]
    low, high = places.min(axis=0), places.max(axis=0)
    side = np.maximum(high - low, 1e-12)
    spots = [
        (EDGE + (WIDE - 2 * EDGE) * (x - low[0]) / side[0], EDGE + (WIDE - 2 * EDGE) * (1 - (y - low[1]) / side[1]))
        for x, y in places.tolist()
    ]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#0072b2" fill-opacity="0.7"/>' for x, y in spots)
    names = "".join(
        f'<text x="{x + 4:.1f}" y="{y + 3:.1f}">{escape(found.names[at][:28])}</text>'
        for at, (x, y) in zip(order[:NAMED].tolist(), spots, strict=False)
    )
    told = (
        f"<p>{len(order):,} of {len(found.names):,}, those with most rows, on the two components that hold "
        f"{shares[0]:.0%} and {shares[1]:.0%} of the variance.</p>"
    )
    return f"<h2>Map of {escape(found.label.lower())}</h2>{_svg('Map', dots + names, WIDE)}{told}"


def _part(part: dict[str, Any]) -> str:
    head = f"<h2>{escape(part['title'])}</h2><p>{escape(part['sentence'])}</p>"
    if part["kind"] == "importance":
        return head + _bars(part["rows"][:BARS])
    if part["kind"] == "confusion":
        rows = [[name, *counts] for name, counts in zip(part["classes"], part["counts"], strict=True)]
        return head + _table(["", *part["classes"]], rows)
    if part["kind"] == "calibration":
        rows = [[one["predicted"], one["observed"], one["count"]] for one in part["points"]]
        return head + _table(["predicted", "came true", "rows"], rows)
    return head + _table(part["columns"], part["rows"])


def _bars(rows: list[dict[str, Any]]) -> str:
    most = max((abs(one["value"]) for one in rows), default=0) or 1
    drawn = ""
    for at, one in enumerate(rows):
        base, wide = 18 + 20 * at, max(1, 330 * abs(one["value"]) / most)
        drawn += (
            f'<text x="0" y="{base}">{escape(str(one["name"])[:32])}</text>'
            f'<rect x="220" y="{base - 11}" width="{wide:.0f}" height="14" fill="#0072b2"/>'
            f'<text x="{WIDE}" y="{base}" text-anchor="end">{one["value"]:.4g}</text>'
        )
    return _svg("Bars", drawn, 20 * len(rows) + 14)


def _svg(label: str, inside: str, high: float = HIGH) -> str:
    return f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDE} {high:.0f}">{inside}</svg>'


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    top = "".join(f"<th>{escape(str(one))}</th>" for one in head)
    body = "".join("<tr>" + "".join(_cell(one) for one in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="n">{value:.4g}</td>'
    return f'<td class="n">{value:,}</td>' if type(value) is int else f"<td>{escape(str(value))}</td>"
