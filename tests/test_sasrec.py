"""SASRec: it sees nothing that comes later, learns an order, is saved, and goes on after an interrupt."""

import math

import numpy as np
import polars as pl
import pytest
import torch

import vectable as vt
from commands import good, sentence, vectable
from vectable.factorising.sparse_rows import SparseRows
from vectable.interactions.sasrec_training import SASRecOptions, padded, train
from vectable.models.sasrec import SASRec, gbce, sampled_scores, sampled_softmax

SMALL = {"width": 16, "n_blocks": 1, "n_heads": 2, "max_length": 8, "epochs": 6, "batch_size": 16, "negatives": 16,
         "dropout": 0.1, "lr": 0.01, "device": "cpu"}  # fmt: skip


def rounds(n_users=60, per_user=7, n_items=12) -> pl.DataFrame:
    """Users who go round the items in order, each from somewhere."""
    rows = [(f"u{user}", f"p{(user + at) % n_items}", at) for user in range(n_users) for at in range(per_user)]
    return pl.DataFrame(rows, schema=["customer", "product", "when"], orient="row")


def data_of(frame=None) -> vt.InteractionsData:
    return vt.InteractionsData.from_df(rounds() if frame is None else frame, "customer", "product", timestamp="when")


def learner(**changes):
    return vt.next_item_learner(data_of(), "sasrec", sasrec={**SMALL, **changes}, progress=False)


@pytest.fixture(scope="module")
def fitted():
    return learner().fit()


def test_a_later_item_changes_no_earlier_output():
    torch.manual_seed(0)
    net = SASRec(20, 16, 2, 2, 8).eval()
    items = torch.randint(1, 20, (3, 8))
    other = items.clone()
    other[:, 5:] = torch.randint(1, 20, (3, 3))
    with torch.inference_mode():
        before, after = net(items), net(other)
        assert torch.equal(before[:, :5], after[:, :5])
        assert not torch.allclose(before[:, 5:], after[:, 5:])
        torch.testing.assert_close(net(items[:, :4]), before[:, :4])


def test_the_losses_are_those_of_the_papers():
    net = SASRec(10, 4, 1, 1, 4).eval().requires_grad_(False)
    after, targets, negatives = torch.randn(2, 4), torch.tensor([3, 5]), torch.tensor([5, 7])
    came, others = sampled_scores(net, after, targets, negatives)
    scores = (after @ net.items.weight.T).detach().double().numpy()
    wanted = [
        math.log(np.exp(scores[0, [3, 5, 7]]).sum()) - scores[0, 3],
        math.log(np.exp(scores[1, [5, 7]]).sum()) - scores[1, 5],  # the negative that came does not count
    ]
    assert float(sampled_softmax(came, others)) == pytest.approx(np.mean(wanted), rel=1e-5)
    soft = np.log1p(np.exp(-scores[[0, 1], [3, 5]])), np.log1p(np.exp(scores))
    plain = np.mean([soft[0][0] + soft[1][0, [5, 7]].sum(), soft[0][1] + soft[1][1, 7]])
    assert float(gbce(came, others, 0.25, 0)) == pytest.approx(plain, rel=1e-5)
    weighed = np.mean([soft[0][0] * 0.25 + soft[1][0, [5, 7]].sum(), soft[0][1] * 0.25 + soft[1][1, 7]])
    assert float(gbce(came, others, 0.25, 1)) == pytest.approx(weighed, rel=1e-5)


def test_it_learns_what_comes_next(fitted):
    assert fitted.chosen.name == "sasrec"
    found = vt.evaluate({"net": fitted}, k=3)
    assert found.mean("net", "ndcg@3") > 0.9 > found.mean("popularity", "ndcg@3")
    assert fitted.fold_in(["p3", "p4", "p5"]).recommend(1)["product"].to_list() == ["p6"]
    backwards = fitted.fold_in(["p5", "p4", "p3"]).recommend(1, exclude_seen=False)["product"].to_list()
    assert backwards != ["p6"], "the order of a session counts"
    assert len(fitted.recommend("u4", 5)) == 5
    assert len(fitted.similar("p4", 3)) == 3


def test_it_says_that_it_explains_nothing(fitted):
    for asked in (lambda: fitted.explain("u4", "p1"), lambda: fitted.fold_in(["p1"]).explain("p2")):
        with pytest.raises(vt.VectableError, match="no exact reason"):
            asked()


@pytest.mark.parametrize("serving", [False, True])
def test_saved_it_answers_the_same(fitted, tmp_path, serving):
    again = vt.load_learner(fitted.save(tmp_path / "m", serving=serving), progress=False)
    assert again.recommend_many(n=4).equals(fitted.recommend_many(n=4))
    assert again.fold_in(["p1", "p2"]).recommend(5).equals(fitted.fold_in(["p1", "p2"]).recommend(5))
    answers = vt.load_answers(tmp_path / "m")
    shown = [row["item"] for row in answers.recommend("u4", 5)["items"]]
    assert shown == fitted.recommend("u4", 5)["product"].to_list()


def test_an_interrupted_fit_goes_on_bit_for_bit(tmp_path):
    whole = learner(epochs=4, patience=9).fit()
    folder = tmp_path / "kept"
    learner(epochs=2, patience=9, checkpoint=folder).fit()
    gone_on = learner(epochs=4, patience=9, checkpoint=folder).fit()
    assert (gone_on.recommender().directions == whole.recommender().directions).all()
    with pytest.raises(vt.VectableError, match="something else than a checkpoint of this fit"):
        learner(width=32, checkpoint=folder).fit()


def test_training_stops_by_validation_and_keeps_the_best():
    rows = SparseRows.from_lists([np.array([1, 2, 3, 4], dtype=np.int32)] * 5, 6)
    figures = iter([0.1, 0.4, 0.3, 0.2, 0.9])
    options = SASRecOptions.of({**SMALL, "patience": 2})
    net, at = train(rows, options, lambda _: next(figures))
    assert (at.epoch, at.best_epoch, at.curve) == (4, 2, (0.1, 0.4, 0.3, 0.2))
    twice, _ = train(rows, SASRecOptions.of({**SMALL, "epochs": 2}), None)
    assert torch.equal(net.items.weight, twice.items.weight)


def test_gbce_refit_and_update(tmp_path):
    learn = learner(loss="gbce", epochs=2).fit(refit=True)
    assert len(learn.data.valid) == 0
    learn.update(pl.DataFrame({"customer": ["new", "new"], "product": ["p1", "p2"], "when": [1, 2]}))
    assert len(learn.recommend("new", 3)) == 3


@pytest.mark.parametrize("n_items", [1, 2])
def test_tiny_data(n_items):
    rows = [(f"u{user}", f"p{at % n_items}", at) for user in range(4) for at in range(3)]
    frame = pl.DataFrame(rows, schema=["customer", "product", "when"], orient="row")
    data = vt.InteractionsData.from_df(frame, "customer", "product", timestamp="when")
    learn = vt.next_item_learner(data, "sasrec", sasrec={**SMALL, "epochs": 1}, progress=False).fit()
    assert len(learn.recommend("u1", 5, exclude_seen=False)) <= n_items


def test_long_histories_are_cut_at_their_beginning():
    rows = SparseRows.from_lists([np.arange(1, 6, dtype=np.int32), np.array([7], dtype=np.int32)], 9)
    assert padded(rows, np.array([0, 1]), 3).tolist() == [[3, 4, 5], [7, 0, 0]]


def test_options_are_checked():
    for changes, words in (
        ({"widht": 3}, "no option 'widht'"),
        ({"width": 15}, "multiple of n_heads"),
        ({"epochs": 0}, "whole number from 1 on"),
        ({"loss": "bpr"}, "'sampled_softmax' or 'gbce'"),
        ({"dropout": 1}, r"in \[0, 1\)"),
    ):
        with pytest.raises(vt.VectableError, match=words):
            learner(**changes)
    assert vt.next_item_learner(data_of(), progress=False).fit().chosen.name.startswith("transitions")


@pytest.mark.slow
def test_by_command(tmp_path):
    rounds(30).write_csv(tmp_path / "plays.csv")
    named = ["--user", "customer", "--item", "product", "--timestamp", "when", "-q", "-o", tmp_path / "radio"]
    good(vectable("train", "next", tmp_path / "plays.csv", *named, "--model", "sasrec", "--epochs", "1"))
    good(vectable("recommend", tmp_path / "radio", "--basket", "p1", "--basket", "p2"))
    assert "no exact reason" in sentence(vectable("explain", tmp_path / "radio", "u1", "p1"))
