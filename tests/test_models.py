"""The models by themselves: shapes, formulas, starts."""

import pytest
import torch

import vectable as vt
from vectable.models.factorisation_machine import FactorisationMachine
from vectable.models.layers import embedding
from vectable.models.tabular import STEP, PiecewiseLinear

USERS, ITEMS = torch.tensor([1, 2, 2, 0]), torch.tensor([3, 1, 0, 0])


def dot(y_range: tuple[float, float] | None = (0, 5.5)) -> vt.EmbeddingDotBias:
    torch.manual_seed(0)
    model = vt.EmbeddingDotBias(4, 5, 7, y_range)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(50)
    return model


def test_the_dot_model_is_its_formula() -> None:
    model = dot()
    for at, (user, item) in enumerate(zip(USERS, ITEMS, strict=True)):
        total = model.user_factors.weight[user] @ model.item_factors.weight[item]
        total = total + model.user_bias.weight[user, 0] + model.item_bias.weight[item, 0]
        assert model(USERS, ITEMS)[at].item() == pytest.approx((5.5 * torch.sigmoid(total)).item(), abs=1e-6)
    assert not torch.allclose(dot(None)(USERS, ITEMS), model(USERS, ITEMS))


def test_embeddings_start_as_the_lesson_does() -> None:
    torch.manual_seed(0)
    start = embedding(2000, 50).weight.detach()
    assert start.abs().max() <= 0.02
    assert start.std() == pytest.approx(0.0085, abs=0.0005)  # a normal wrapped at 2, times .01


def test_the_unknown_row_is_the_mean_of_the_others() -> None:
    model = dot()
    model.fill_unknown()
    for table in (model.user_factors, model.item_factors, model.user_bias, model.item_bias):
        assert torch.allclose(table.weight[0], table.weight[1:].mean(dim=0))


def test_growing_keeps_the_old_rows_and_starts_new_ones_at_the_mean() -> None:
    model = dot()
    old = model.user_factors.weight.detach().clone()
    model.grow(9, 5)
    assert model.user_factors.weight.shape == (9, 7)
    assert torch.equal(model.user_factors.weight[:4], old)
    assert torch.allclose(model.user_factors.weight[4:].mean(dim=0), old[1:].mean(dim=0), atol=0.03)
    assert model.item_factors.weight.shape == (5, 7)
    assert model(torch.tensor([8]), torch.tensor([1])).shape == (1,)


def test_the_presets_differ_in_the_nets_biases() -> None:
    modern, lesson = (vt.EmbeddingNet(4, 5, layers=[8], preset=preset) for preset in ("modern", "lesson"))
    assert modern.layers[0].bias is None
    assert lesson.layers[0].bias is not None
    assert [type(layer).__name__ for layer in modern.layers] == ["Linear", "ReLU", "BatchNorm1d", "Linear"]
    assert [modern.users.embedding_dim, lesson.users.embedding_dim] == [3, 3]


def test_bins_in_a_net_are_slopes_and_steps() -> None:
    bins = PiecewiseLinear([[0.0, 10.0, 30.0], [], [-1.0, 1.0]])
    numbers = torch.tensor([[-1.0, 5.0, 0.0], [10.0, 5.0, 9.0], [20.0, 5.0, -9.0]])
    assert bins(numbers).tolist() == [[0, 0, 0.5, 0], [1, 0, 1, STEP], [1, 0.5, 0, STEP]]
    assert bins.width == 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: vt.EmbeddingDotBias(3, 3, 0),
        lambda: vt.EmbeddingNet(3, 3, layers=[]),
        lambda: vt.EmbeddingNet(3, 3, layers=[4, 0]),
        lambda: vt.EmbeddingNet(3, 3, widths=(0, 2)),
    ],
)
def test_impossible_sizes_are_sentences(make: object) -> None:
    with pytest.raises(vt.VectableError, match=r"1|positive"):
        make()  # type: ignore[operator]


def test_what_a_factorisation_machine_never_met_is_the_mean_and_a_missing_value_that_it_met_is_kept():
    machine = FactorisationMachine([4, 4], [False, True], n_factors=3)
    tables = [*machine.embeddings, *machine.biases]
    before = [table.weight.detach().clone() for table in tables]
    machine.fill_unknown()
    for at, (table, old) in enumerate(zip(tables, before, strict=True)):
        new, shown = table.weight.detach(), at % 2 == 1  # the last row stands for missing
        mean = old[1:].mean(dim=0) if shown else old[1:-1].mean(dim=0)
        torch.testing.assert_close(new[0], mean)
        torch.testing.assert_close(new[1:-1], old[1:-1], rtol=0, atol=0)
        torch.testing.assert_close(new[-1], old[-1] if shown else mean)
