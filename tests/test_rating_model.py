"""The contract of a model of ratings, run by every implementation: whoever keeps it gets lists, fold-in and reasons."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import vectable as vt
from vectable.models.drawn_model import DrawnModel
from vectable.models.ensemble import RatingEnsemble
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.posterior import PosteriorDotBias
from vectable.models.rating_model import Growable, MemberScores, RatingModel, device_of
from vectable.recommending.reasons import explain_row

N_USERS, N_ITEMS = 6, 7
USERS, ITEMS = torch.arange(N_USERS), torch.arange(N_ITEMS)


def spread_out(model: Any, factor: float = 60) -> Any:
    """Weights far enough from 0 that every part of a formula shows."""
    with torch.no_grad():
        for one in model.parameters():
            one.mul_(factor)
    return model


def dot(y_range: tuple[float, float] | None = (0, 5.5)) -> vt.EmbeddingDotBias:
    return spread_out(vt.EmbeddingDotBias(N_USERS, N_ITEMS, 4, y_range))


def net() -> vt.EmbeddingNet:
    model = vt.EmbeddingNet(N_USERS, N_ITEMS, (3, 2), [8], (0.5, 5.5), dropout=0.5)
    with torch.no_grad():
        model.users.weight.mul_(60)
        model.items.weight.mul_(60)
        model.layers[-1].weight.mul_(5)
    return model.eval()


def posterior(ordinal: bool = False, n_draws: int = 5, n_factors: int = 3) -> PosteriorDotBias:
    users, items = (0.7 * torch.randn(rows, n_draws * (n_factors + 1)) for rows in (N_USERS, N_ITEMS))
    cuts = values = None
    if ordinal:
        inner = torch.tensor([-1.0, 0.2, 1.0]) + 0.1 * torch.arange(n_draws)[:, None]
        ends = torch.full((n_draws, 1), torch.inf)
        cuts, values = torch.cat([-ends, inner, ends], dim=1), torch.tensor([1.0, 2.0, 3.0, 5.0])
    arrays = [None if one is None else one.numpy() for one in (users, items, cuts, values)]
    return PosteriorDotBias(DrawnModel(*arrays[:2], n_draws, 3.4, 1.2, *arrays[2:]))


def machine_in_context() -> vt.EmbeddingDotBias:
    machine = spread_out(FactorisationMachine([3, N_USERS, N_ITEMS], [False] * 3, 1, 4, (0, 6)), 40)
    return machine.in_context(torch.tensor([2, 0, 0]), torch.tensor([0.7]), user=1, item=2)


MODELS: dict[str, Callable[[], Any]] = {
    "dot product": dot,
    "dot product without a range": lambda: dot(None),
    "net": net,
    "ensemble of dot products": lambda: RatingEnsemble([dot(), dot(), dot()]),
    "ensemble of nets": lambda: RatingEnsemble([net(), net()]),
    "posterior": posterior,
    "ordinal posterior": lambda: posterior(True),
    "draw": lambda: posterior().members[1],
    "ordinal draw": lambda: posterior(True).members[4],
    "factorisation machine in a context": machine_in_context,
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> RatingModel:
    torch.manual_seed(1)
    return MODELS[request.param]()


@pytest.fixture
def table(model: RatingModel) -> torch.Tensor:
    """Predictions of every user and item, (users, items), pair by pair."""
    with torch.no_grad():
        return torch.stack([model(torch.full_like(ITEMS, user), ITEMS) for user in range(N_USERS)])


def test_rows_score_what_pairs_predict(model: RatingModel, table: torch.Tensor) -> None:
    with torch.no_grad():
        rows = model.user_rows(USERS)
        assert rows.shape[0] == N_USERS
        assert torch.allclose(model.score_rows(rows), table, atol=1e-5)
        assert torch.allclose(model.score_rows(rows[2:4]), table[2:4], atol=1e-5), "any rows, in any number"
    assert table.std() > 0.05, "nothing to tell apart"
    assert device_of(model).type == "cpu"


def test_the_jacobian_is_the_derivative(model: RatingModel, table: torch.Tensor) -> None:
    """Against central differences, at a row that belongs to no user."""
    with torch.no_grad():
        row = model.user_rows(USERS)[1:3].mean(dim=0)
    predicted, slopes = model.predict_with_jacobian(row, ITEMS)
    assert not predicted.requires_grad
    assert not slopes.requires_grad
    assert slopes.shape == (N_ITEMS, len(row))
    with torch.no_grad():
        assert torch.allclose(predicted, model.score_rows(row[None])[0], atol=1e-5)
        step = 2e-3 * torch.eye(len(row))
        ahead, behind = model.score_rows(row + step), model.score_rows(row - step)
    assert torch.allclose(slopes, (ahead - behind).T / 4e-3, atol=2e-3)
    some = torch.tensor([5, 2, 5])
    again, of_some = model.predict_with_jacobian(row, some)
    assert torch.allclose(again, predicted[some], atol=1e-6)
    assert torch.allclose(of_some, slopes[some], atol=1e-6)


def test_a_model_is_the_mean_of_its_members(model: RatingModel, table: torch.Tensor) -> None:
    members = list(model.members)
    with torch.no_grad():
        parts = model.user_rows(USERS).chunk(len(members), dim=1)
        each = torch.stack([member.score_rows(part) for member, part in zip(members, parts, strict=True)])
        assert torch.allclose(each.mean(dim=0), table, atol=1e-5)
        for member, part in zip(members, parts, strict=True):
            assert torch.allclose(member.user_rows(USERS), part)
            assert list(member.members) == [member]
        if isinstance(model, MemberScores):
            row = model.user_rows(USERS)[3]
            assert torch.allclose(model.member_scores(row), each[:, 3], atol=1e-5)
    assert isinstance(model, MemberScores) == (len(members) > 1)


def test_predictions_stay_within_the_limits(model: RatingModel, table: torch.Tensor) -> None:
    with torch.no_grad():
        rows = model.user_rows(USERS)
        wild = model.score_rows(300 * (rows + torch.randn_like(rows)))
    if model.limits is None:
        assert wild.max() > 20
        return
    low, high = model.limits
    for scores in (wild, table):
        assert scores.min() >= low
        assert scores.max() <= high


def test_every_user_and_item_has_a_vector_and_maybe_a_bias(model: RatingModel) -> None:
    for of_items, n in ((True, N_ITEMS), (False, N_USERS)):
        vectors = model.vectors(of_items)
        assert vectors.ndim == 2
        assert len(vectors) == n
        assert not vectors.requires_grad
        if model.has_biases:
            assert model.biases(of_items).shape == (n,)
            assert not model.biases(of_items).requires_grad
        else:
            with pytest.raises(vt.VectableError, match="no biases"):
                model.biases(of_items)


def test_vectors_and_biases_are_what_predicts(model: RatingModel, table: torch.Tensor) -> None:
    """Where the prediction is a plain sum, it is that of vectors and biases."""
    if not model.has_biases or model.limits is not None or len(model.members) > 1:
        return
    scale = (table[1, 1] - table[2, 1] - table[1, 2] + table[2, 2]) / (
        (model.vectors(False)[1] - model.vectors(False)[2]) @ (model.vectors(True)[1] - model.vectors(True)[2])
    )
    sums = scale * model.vectors(False) @ model.vectors(True).T + model.biases(False)[:, None] + model.biases(True)
    assert torch.allclose(table - table[0, 0], sums - sums[0, 0], atol=1e-4)


def test_growing_keeps_what_is_known_and_starts_at_the_mean(model: RatingModel, table: torch.Tensor) -> None:
    if not isinstance(model, Growable):
        return
    model.grow(N_USERS + 2, N_ITEMS + 1)
    with torch.no_grad():
        rows = model.user_rows(torch.arange(N_USERS + 2))
        grown = model.score_rows(rows)
        assert grown.shape == (N_USERS + 2, N_ITEMS + 1)
        assert torch.allclose(grown[:N_USERS, :N_ITEMS], table, atol=1e-5)
        assert torch.allclose(rows[N_USERS:].mean(dim=0), rows[1:N_USERS].mean(dim=0), atol=0.05)
        model.fill_unknown()
        assert torch.allclose(model.user_rows(torch.tensor([0]))[0], rows[1:].mean(dim=0), atol=1e-5)
        vectors = model.vectors(True)
        assert torch.allclose(vectors[0], vectors[1:].mean(dim=0), atol=1e-5)


def test_trained_models_can_grow() -> None:
    assert all(isinstance(make(), Growable) for make in (dot, net, lambda: RatingEnsemble([net()])))


def test_a_machine_in_a_context_predicts_what_the_machine_does() -> None:
    torch.manual_seed(0)
    borders = [[], [0.0, 1.0, 2.0]]
    machine = spread_out(FactorisationMachine([4, 3, 5, 6], [False] * 4, 2, 3, (0, 6), borders), 40)
    with torch.no_grad():
        machine.number_weights.normal_()
    context, numbers = torch.tensor([0, 2, 0, 5]), torch.tensor([0.3, 1.4])
    model = machine.in_context(context, numbers, user=2, item=0)
    users, items = torch.tensor([1, 4, 0]), torch.tensor([3, 0, 2])
    codes = context.repeat(3, 1)
    codes[:, 2], codes[:, 0] = users, items
    with torch.no_grad():
        expected = machine(codes, numbers.repeat(3, 1))[:, 0]
        assert np.allclose(model(users, items), expected, atol=1e-5)


def test_the_terms_of_a_reason_are_differences_of_four_predictions(model: RatingModel) -> None:
    """With 0 for the average user and the average item."""
    nothing = np.zeros(0, dtype=np.int32)
    row = model.user_rows(torch.tensor([3]))[0]
    terms = explain_row([(model, None, row)], nothing, nothing.astype(np.float32), 4, 3)  # type: ignore[list-item]
    points = {term.name: term.points for term in terms}
    with torch.no_grad():
        mean, user, item, both = model(torch.tensor([0, 3, 0, 3]), torch.tensor([0, 0, 4, 4])).tolist()
    assert len({mean, user, item, both}) == 4
    expected = {"prediction": both, "mean": mean, "user": user - mean, "item": item - mean}
    assert points == pytest.approx(expected | {"taste": both - user - item + mean}, abs=1e-5)
