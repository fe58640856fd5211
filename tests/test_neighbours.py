"""Nearest vectors against a search that looks at every pair, and neighbours on real ratings."""

import numpy as np
import pytest

import vectable as vt
from vectable.insight.neighbours import directions_of, nearest


@pytest.mark.parametrize("n", [1, 3, 8, 100])
@pytest.mark.parametrize("row", [1, 4, 9])
def test_nearest_is_what_looking_at_every_pair_finds(n: int, row: int) -> None:
    rng = np.random.default_rng(n)
    vectors = rng.normal(size=(10, 3)).astype(np.float32)
    vectors[0] = vectors[row] * 3  # the row of no item points the same way, and is never named
    directions, weights = directions_of(vectors), rng.uniform(0.1, 1, 10)
    centred = vectors - vectors[1:].mean(axis=0)
    pairs = []
    for other in range(1, 10):
        if other != row:
            product = float(centred[row] @ centred[other])
            lengths = float(np.linalg.norm(centred[row]) * np.linalg.norm(centred[other]))
            pairs.append((product / lengths * weights[other], other))
    pairs.sort(reverse=True)
    codes, cosines = nearest(directions, row, n, weights)
    assert codes.tolist() == [other for _, other in pairs[:n]]
    assert cosines == pytest.approx([cosine for cosine, _ in pairs[:n]], abs=1e-5)
    allowed = np.arange(10) % 2 == 0
    codes, _ = nearest(directions, row, n, weights, allowed)
    assert codes.tolist() == [other for _, other in pairs if other % 2 == 0][:n]


def test_a_films_neighbours_share_its_genres() -> None:
    """More of them than those of factors alone, on films that ship with their genres."""
    found = vt.datasets.load("movietweetings")
    learn = vt.collab_learner(found.to_data(), seed=0, progress=False).fit_one_cycle(5, 5e-3)
    known = dict(zip(found.items["item"], found.items["genres"], strict=True))
    ids = [learn.data.item_ids.vocabulary[int(code) - 1] for code in np.argsort(-learn.data.item_counts[1:])[:100] + 1]
    directions = directions_of(learn.model.vectors(True).numpy())

    def share(one: int, others: list[int]) -> float:
        genres = [set(known[item] or []) for item in (one, *others)]
        return float(np.mean([len(genres[0] & other) / max(len(genres[0] | other), 1) for other in genres[1:]]))

    by_factors, ours = [], []
    for item in ids:
        codes, _ = nearest(directions, int(learn.data.item_ids.encode([item])[0]), 10)
        by_factors.append(share(item, learn.data.item_ids.decode(codes).to_list()))
        ours.append(share(item, learn.similar(item, 10)["item"].to_list()))
    assert np.mean(ours) > np.mean(by_factors) + 0.02


def test_folders_of_before_go_on_finding_neighbours_by_factors_alone(trained, tmp_path) -> None:
    first = trained.data.item_ids.vocabulary[0]
    again = vt.load_learner(trained.save(tmp_path / "model"), progress=False)
    assert again.similar(first).equals(trained.similar(first))
    contents = trained.to_contents()
    del contents.settings["likeness"]
    before = vt.CollabLearner.from_contents(contents, progress=False)
    codes, cosines = nearest(directions_of(trained.model.vectors(True).numpy()), 1, 5)
    found = before.similar(first, 5)
    assert found["item"].to_list() == before.data.item_ids.decode(codes).to_list()
    assert found["similarity"].to_list() == pytest.approx(cosines.tolist())
    assert before.save(tmp_path / "again")
    assert (
        vt.load_learner(tmp_path / "again", progress=False)
        .similar(found["item"][0], 5)
        .equals(before.similar(found["item"][0], 5))
    )
