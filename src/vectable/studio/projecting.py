"""Longer looks at vectors, as runs of their own: t-SNE, and whether the map is the same from other seeds."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from vectable.errors import VectableError, require
from vectable.studio.choosing import choices_of
from vectable.studio.events import EventWriter
from vectable.studio.json_files import write_json
from vectable.studio.maps import STABILITY, TSNE, place_of
from vectable.studio.results.vectors import FOLDER, vectors_of
from vectable.studio.tasks.catalogue import task_named
from vectable.studio.workspace import Project

MOST_TSNE = 5_000  # things, the most popular ones
MOST_STABLE = 500
SEEDS = 2  # besides the run's own


def project_vectors(project: Project, asked: dict[str, Any], events: EventWriter) -> None:
    """Do what a run of kind "project" was asked for, and keep it beside the vectors of the run that is meant.

    Raises:
        VectableError: there are no such vectors, or the method is another.
    """
    wanted = asked["asked"]
    results = project.runs / str(wanted["run"]) / "results"
    at, _ = place_of(results, wanted.get("of"))
    method = wanted.get("method")
    require(method in (TSNE, STABILITY), f"method: {TSNE} or {STABILITY}; got {method!r:.40}.")
    if method == TSNE:
        _tsne(results, at, wanted.get("of"), events)
    else:
        _stability(project, asked, results, at, events)


def _tsne(results: Path, at: int, of: str | None, events: EventWriter) -> None:
    from sklearn import manifold

    _, vectors = place_of(results, of)
    require(len(vectors.names) >= 5, f"t-SNE needs five things or more; there are {len(vectors.names)}.")
    order = np.argsort(-vectors.counts, kind="stable")[:MOST_TSNE]
    events.write("message", text=f"t-SNE of the {len(order):,} with most rows.")
    perplexity = min(30.0, (len(order) - 1) / 3)
    places = manifold.TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(vectors.vectors[order])
    found = {"order": order, "places": np.ascontiguousarray(places)}
    save_file(found, results / FOLDER / f"{at}.tsne.safetensors")


def _stability(project: Project, asked: dict[str, Any], results: Path, at: int, events: EventWriter) -> None:
    """Train again from other seeds, and compare the maps of the most popular."""
    from vectable.insight.stability import map_stability

    task = asked["task"]
    if task not in ("ratings", "table"):
        raise VectableError("Stability over seeds is for models that start at random: ratings and tables.")
    _, own = place_of(results, asked["asked"].get("of"))
    by_name = [{str(one): row for one, row in zip(own.ids, own.vectors, strict=True)}]
    source = project.folder / asked["about"]["source"]
    for more in range(1, SEEDS + 1):
        seed = asked["settings"]["seed"] + more
        events.write("message", text=f"Training from seed {seed}, {more} of {SEEDS}.")
        choices = choices_of(asked["about"], asked["settings"])
        data_plan = task_named(task).plan(choices)
        other = task_named(task).plan(choices_of(asked["about"], {**asked["settings"], "seed": seed}))
        learn = other.make_learner(data_plan.make_data(source), False)
        for fit in other.fits:
            given, named = fit.values()
            getattr(learn, fit.name)(*given, **named)
        found = next(one for one in vectors_of(task, learn) if one.of == own.of)
        by_name.append({str(one): row for one, row in zip(found.ids, found.vectors, strict=True)})
    order = np.argsort(-own.counts, kind="stable")[:MOST_STABLE]
    names = [str(own.ids[row]) for row in order]
    names = [one for one in names if all(one in seed for seed in by_name)]
    found_stable = map_stability([np.stack([seed[one] for one in names]) for seed in by_name], names, 199)
    write_json(
        results / FOLDER / f"{at}.{STABILITY}.json",
        {"text": f"{found_stable}.", "agreement": found_stable.agreement, "p_value": found_stable.p_value},
    )
