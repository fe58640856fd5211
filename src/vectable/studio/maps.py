"""Maps of what was learned, and neighbours by all factors: worked out beside the server, vectors kept in memory."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from safetensors.numpy import load_file

from vectable.errors import UnknownNameError, did_you_mean, require
from vectable.insight.components import principal_components
from vectable.insight.neighbours import directions_of, nearest
from vectable.studio.json_files import read_json_file
from vectable.studio.results.vectors import FOLDER, INDEX, Vectors, listed_vectors, read_vectors

PCA, TSNE, STABILITY = "pca", "tsne", "stability"
MOST_COMPONENTS = 10
DIGITS = 5
METHODS = ((PCA, "principal components"), (TSNE, "t-SNE"))


def map_of(results: Path, of: str | None, x: int, y: int, limit: int, method: str) -> bytes:
    """A map as JSON: the most popular things, placed, with all that a page needs to draw and to explain it.

    Args:
        results: of the run.
        of: what is on it; None for the first there is.
        x, y: numbers of the components.
        limit: most points.
        method: "pca", or "tsne" where that was worked out.

    Raises:
        UnknownNameError: there are no such vectors, or no such method.
    """
    at, listed = _place(results, of), listed_vectors(results)
    known = _known(results, at)
    vectors, shares, scores = known.vectors, known.shares, known.scores
    require(max(x, y) < scores.shape[1], f"x, y: there are components 0 to {scores.shape[1] - 1}; got {x} and {y}.")
    require(x != y, "x, y: choose two different components.")
    order = np.argsort(-vectors.counts, kind="stable")[:limit]
    places, told = scores[order][:, [x, y]], _statistic(results, at, shares, x, y)
    if method == TSNE:
        order, places = _tsne(results, at, limit)
        told = {"kind": "none", "text": "t-SNE keeps neighbours together; distances between groups mean nothing."}
    else:
        require(method == PCA, f"method: one of {PCA}, {TSNE}; got {method!r:.40}.")
    found = {
        "of": vectors.of,
        "of_choices": [{"value": one["of"], "label": one["label"]} for one in listed],
        "method": method,
        "method_choices": [
            {
                "value": name,
                "label": label,
                "ready": name == PCA or (results / FOLDER / f"{at}.tsne.safetensors").is_file(),
            }
            for name, label in METHODS
        ],
        "components": scores.shape[1],
        "explained": [round(float(one), 5) for one in shares],
        "x_component": x,
        "y_component": y,
        "ids": _taken(vectors.ids, order),
        "names": _taken(vectors.names, order),
        "x": np.round(places[:, 0].astype(np.float64), DIGITS),
        "y": np.round(places[:, 1].astype(np.float64), DIGITS),
        "popularity": vectors.counts[order],
        "columns": {name: _taken(values, order) for name, values in vectors.columns.items()},
        "shown": len(order),
        "total": len(vectors.names),
        "statistic": told,
    }
    return orjson.dumps(found, str, orjson.OPT_SERIALIZE_NUMPY)


def neighbours_of(results: Path, of: str | None, name: str, n: int) -> dict[str, Any]:
    """The things whose vectors point most the same way, by the cosine over all factors.

    Args:
        name: or id.

    Raises:
        UnknownNameError: there is nothing of this name.
    """
    known = _known(results, _place(results, of))
    vectors = known.vectors
    row = known.rows.get(name)
    if row is None:
        hint = did_you_mean(name, known.some_names)
        raise UnknownNameError(f"There is no {name!r:.80} among the {vectors.label.lower()}.{hint}")
    found, cosines = nearest(known.directions, row + 1, n)
    return {
        "of": vectors.of,
        "name": vectors.names[row],
        "items": [
            {
                "name": vectors.names[at - 1],
                "id": vectors.ids[at - 1],
                "similarity": round(float(cosine), 5),
                "count": int(vectors.counts[at - 1]),
            }
            for at, cosine in zip(found.tolist(), cosines.tolist(), strict=True)
        ],
        "sentence": "Neighbours are by the cosine of all factors, not by places on the picture.",
    }


class _Known:
    """Vectors with what is made of them once."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors
        most = min(MOST_COMPONENTS, *vectors.vectors.shape)
        self.scores, self.shares = principal_components(vectors.vectors, most)
        self.directions = directions_of(np.concatenate([vectors.vectors[:1] * 0, vectors.vectors]))
        by_id = {str(one): at for at, one in reversed(list(enumerate(vectors.ids)))}
        self.rows = {**by_id, **{one: at for at, one in reversed(list(enumerate(vectors.names)))}}
        self.some_names = vectors.names[:20_000]


def _known(results: Path, at: int) -> _Known:
    return _kept(results, at, (results / FOLDER / INDEX).stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _kept(results: Path, at: int, changed: int) -> _Known:
    return _Known(read_vectors(results, at))


def _place(results: Path, of: str | None) -> int:
    """Where vectors stand in the list."""
    listed = [one["of"] for one in listed_vectors(results)]
    if not listed:
        raise UnknownNameError("This model has no vectors of things with names, so there is no map.")
    if of is None:
        return 0
    if of not in listed:
        hint = did_you_mean(of, listed)
        raise UnknownNameError(f"There is no map of {of!r:.60}.{hint} There are {', '.join(listed)}.")
    return listed.index(of)


def place_of(results: Path, of: str | None) -> tuple[int, Vectors]:
    """Vectors by their name, and where they stand in the list."""
    at = _place(results, of)
    return at, _known(results, at).vectors


def _taken(values: Sequence[Any], order: Any) -> list[Any]:
    return [values[at] for at in order.tolist()]


def _tsne(results: Path, at: int, limit: int) -> tuple[Any, Any]:
    file = results / FOLDER / f"{at}.tsne.safetensors"
    if not file.is_file():
        raise UnknownNameError("t-SNE is not worked out yet: start it, it takes a while.")
    kept = load_file(file)
    return kept["order"][:limit], kept["places"][:limit]


def _statistic(results: Path, at: int, shares: Any, x: int, y: int) -> dict[str, Any]:
    """Whether the map means anything, in a sentence."""
    found = read_json_file(results / FOLDER / f"{at}.{STABILITY}.json")
    held = f"The two components hold {shares[x]:.0%} and {shares[y]:.0%} of the variance."
    if found is not None:
        figures = {name: found[name] for name in ("agreement", "p_value")}
        return {"kind": "stability", "text": f"{found['text']} {held}", **figures}
    return {
        "kind": "none",
        "text": f"{held} Whether these places mean anything is not measured yet: its stability over seeds says it.",
    }
