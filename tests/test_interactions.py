"""Learners of interactions: fitted, asked, updated, saved and measured."""

import numpy as np
import polars as pl
import pytest

import vectable as vt
from vectable.interactions.candidates import Candidate


def shop(n_users=120, per_user=12, seed=0) -> pl.DataFrame:
    """Users of three tastes, each taking mostly from ten of thirty products, in an order that runs round the ten."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        taste, at = user % 3, int(rng.integers(10))
        for place in range(per_user):
            at = (at + 1) % 10 if rng.random() < 0.9 else int(rng.integers(10))
            group = taste if rng.random() < 0.9 else int(rng.integers(3))
            rows.append((f"u{user}", f"p{group * 10 + at}", int(rng.integers(1, 4)), user + place * 1000))
    return pl.DataFrame(rows, schema=["customer", "product", "quantity", "when"], orient="row")


SHOP = shop()
PRODUCTS = pl.DataFrame(
    {
        "product": [f"p{at}" for at in range(30)],
        "label": [f"Product {at}" for at in range(30)],
        "kind": [at % 3 for at in range(30)],
    }
)


def data_of(frame=SHOP, **how) -> vt.InteractionsData:
    roles = {"user": "customer", "item": "product", "count": "quantity", "timestamp": "when"}
    return vt.InteractionsData.from_df(frame, **{**roles, **how})


def make(name, data=None, **how):
    data = data_of(items=PRODUCTS, title="label") if data is None else data
    if name == "next":
        return vt.next_item_learner(data, progress=False).fit()
    return vt.implicit_learner(data, name, progress=False, **how).fit()


MODELS = ["auto", "als", "ease", "slim", "neighbours", "next"]


@pytest.fixture(scope="module")
def fitted():
    return {name: make(name) for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_lists_have_their_length_and_hold_nothing_seen(fitted, name):
    learn = fitted[name]
    shown = learn.recommend("u4", 8)
    assert shown.columns == ["product", "title", "score", "count"]
    assert len(shown) == 8
    assert shown["score"].is_sorted(descending=True)
    seen = SHOP.filter(pl.col("customer") == "u4")["product"].to_list()
    train = learn.data.item_ids.decode(learn.data.train.of(learn.data.user_ids.encode_one("u4"))[0]).to_list()
    assert set(train) <= set(seen)
    assert not set(shown["product"]) & set(train)
    assert learn.recommend("u4", 500).height == 30 - len(train)
    assert set(train) <= set(learn.recommend("u4", 30, exclude_seen=False)["product"])


@pytest.mark.parametrize("name", MODELS)
def test_lists_are_of_the_users_taste(fitted, name):
    everybody = fitted[name].recommend_many(n=3)
    taste = everybody["customer"].str.slice(1).cast(int) % 3
    group = everybody["product"].str.slice(1).cast(int) // 10
    assert float((taste == group).mean()) > 0.75
    assert everybody["rank"].to_list()[:4] == [1, 2, 3, 1]
    alone = fitted[name].recommend("u7", 3)
    assert everybody.filter(pl.col("customer") == "u7")["product"].to_list() == alone["product"].to_list()


@pytest.mark.parametrize("name", MODELS)
def test_filters_come_before_the_best_are_taken(fitted, name):
    learn = fitted[name]
    best = learn.recommend("u4", 5)
    without = learn.recommend("u4", 5, exclude=best["title"][:2].to_list())
    assert without["product"].to_list()[:3] == best["product"].to_list()[2:5]
    assert len(without) == 5
    capped = learn.recommend("u4", 6, max_per={"kind": 2})
    assert len(capped) == 6
    kinds = [int(product[1:]) % 3 for product in capped["product"]]
    assert max(kinds.count(kind) for kind in range(3)) == 2
    assert set(learn.recommend("u4", 3, candidates=["Product 1", "p2"])["product"]) <= {"p1", "p2"}
    assert learn.recommend("u4", 8, diversity=0.9)["product"].to_list() != learn.recommend("u4", 8)["product"].to_list()
    rare = learn.recommend("u4", 10, novelty=3.0)["count"].mean()
    assert rare <= learn.recommend("u4", 10)["count"].mean()


@pytest.mark.parametrize("name", MODELS)
def test_reasons_add_up_to_the_score(fitted, name):
    learn = fitted[name]
    best = learn.recommend("u4", 1)
    reasons = learn.explain("u4", best["product"][0], 3)
    assert reasons["term"].to_list() == ["score", "because", "because", "because", "everything else"]
    score, *parts = reasons["points"].to_list()
    assert score == pytest.approx(sum(parts))
    assert score == pytest.approx(best["score"][0], abs=2e-4)
    assert set(reasons["product"][1:4]) <= set(SHOP.filter(pl.col("customer") == "u4")["product"])


@pytest.mark.parametrize("name", MODELS)
def test_a_basket_is_a_user(fitted, name):
    learn = fitted[name]
    basket = learn.fold_in(["Product 11", "p12", "p13"])
    shown = basket.recommend(3)
    assert all(product in {f"p{at}" for at in range(10, 20)} for product in shown["product"])
    score, *parts = basket.explain(shown["product"][0])["points"].to_list()
    assert score == pytest.approx(sum(parts))
    assert score == pytest.approx(shown["score"][0], abs=2e-4)
    known = learn.data.train.of(learn.data.user_ids.encode_one("u4"))
    names = learn.data.item_ids.decode(known[0]).to_list()
    again = learn.fold_in(dict(zip(names, known[1].tolist(), strict=True))).recommend(5)
    assert again["product"].to_list() == learn.recommend("u4", 5)["product"].to_list()
    with pytest.warns(vt.VectableWarning, match="1 unknown item .'p99'.: left out"):
        assert repr(learn.fold_in(["p99", "p3"])) == "FoldedHistory: 1 known items"
    with pytest.raises(vt.VectableError, match="count of 'p1' must be a finite number above 0; got -2"):
        learn.fold_in({"p1": -2})


def test_what_comes_next_follows_what_came_last(fitted):
    shown = fitted["next"].fold_in(["p3", "p4", "p5"]).recommend(3)
    assert shown["product"][0] == "p6"
    turned = fitted["next"].fold_in(["p5", "p4", "p3"]).recommend(9)
    assert turned["product"].to_list() != fitted["next"].fold_in(["p3", "p4", "p5"]).recommend(9)["product"].to_list()


def test_somebody_of_whom_nothing_is_known_gets_what_is_popular(fitted):
    learn = fitted["auto"]
    popular = np.argsort(-learn.data.item_counts[1:], kind="stable")[:4] + 1
    with pytest.warns(vt.VectableWarning, match="1 unknown user .'nobody'.: the list is what most users took"):
        shown = learn.recommend("nobody", 4)
    assert shown["count"].to_list() == learn.data.item_counts[popular].tolist()
    assert learn.fold_in([]).recommend(4)["product"].to_list() == shown["product"].to_list()


@pytest.mark.parametrize("name", MODELS)
def test_similar_items_are_of_one_taste(fitted, name):
    similar = fitted[name].similar("Product 4", 5)
    assert similar.columns == ["product", "title", "similarity", "count"]
    assert "p4" not in similar["product"]
    assert sum(int(product[1:]) < 10 for product in similar["product"]) >= 4


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_learner_answers_the_same(fitted, name, tmp_path):
    learn = fitted[name]
    again = vt.load_learner(learn.save(tmp_path / "shop"))
    assert type(again) is type(learn)
    assert again.recommend("u4", 9).equals(learn.recommend("u4", 9))
    assert again.similar("p4").equals(learn.similar("p4"))
    assert again.explain("u4", "p9").equals(learn.explain("u4", "p9"))
    assert again.tried.equals(learn.tried)
    assert repr(again) == repr(learn)


def test_tomorrows_interactions_join(fitted, tmp_path):
    learn = vt.load_learner(fitted["auto"].save(tmp_path / "shop"))
    new = pl.DataFrame(
        {"customer": ["new"] * 3 + ["u1"], "product": ["p1", "p2", "p3", "rum"], "quantity": 1, "when": 10**6}
    )
    learn.update(new)
    assert all(int(product[1:]) < 10 for product in learn.recommend("new", 3)["product"] if product != "rum")
    assert "rum" in learn.data.item_ids.vocabulary
    assert "rum" not in learn.recommend("u1", 40)["product"]


def test_the_best_on_the_validation_part_is_kept(fitted):
    for name, n_tried in (("auto", 4), ("next", 3)):
        learn = fitted[name]
        assert len(learn.tried) == n_tried
        if name == "next":
            assert learn.tried["ndcg@10"].is_sorted(descending=True)
        assert learn.chosen.name == learn.tried["model"][0]
    assert fitted["als"].tried["model"].to_list() == ["als"]


def test_a_blend_is_kept_only_where_it_is_surely_better():
    blend, single = Candidate("both", ("ease", "als"), (0.5, 0.5)), Candidate("ease", ("ease",))
    measured = np.random.default_rng(0).random(400)
    for ahead, spread, kept in ((0.01, 1.0, single), (0.01, 0.01, blend), (-0.01, 0.01, single)):
        apart = ahead + spread * np.random.default_rng(1).standard_normal(400)
        apart += ahead - apart.mean()
        of_users = {blend.name: measured + apart, single.name: measured}
        trials = {one.name: {"ndcg@10": of_users[one.name]} for one in (single, blend)}
        found = choose_among(trials, [single, blend])
        assert found == kept, (ahead, spread)


def choose_among(per_user, candidates) -> Candidate:
    """What `choose` keeps where the candidates have these figures."""
    from unittest.mock import patch

    from vectable.interactions import selecting

    class Given:
        in_order = False

        def fit(self, candidate):
            return candidate

    with patch.object(selecting, "measure", lambda model, *_: per_user[model.name]):
        data = data_of()
        trials = selecting.choose(candidates, Given(), data, "ndcg@10", lambda trial: None)
    assert [trial.candidate for trial in trials[1:]] == [one for one in candidates if one != trials[0].candidate]
    return trials[0].candidate


def test_everything_can_be_fitted_once_one_is_chosen():
    learn = vt.implicit_learner(data_of(), "ease", progress=False).fit(refit=True)
    assert len(learn.data.test) == 0
    assert learn.data.train.lengths.sum() == len(learn.data.interactions)
    assert learn.tried["ndcg@10"][0] > 0


def test_learners_are_measured_side_by_side(fitted):
    found = vt.evaluate([fitted["auto"], fitted["next"]], k=(5, 10), by="activity")
    assert [*found.figures][2:] == ["popularity", "recent popularity"]
    best = found.to_frame().sort("ndcg@5")["model"][-1]
    assert best == fitted["next"].chosen.name
    assert found.mean(best, "ndcg@5") > 1.3 * found.mean("popularity", "ndcg@5")
    assert found.differences().filter(pl.col("model") == "popularity")["high"][0] < 0
    assert found.by_group()["users"].sum() == found.n_users == len(fitted["auto"].data.test)
    validation = vt.evaluate({"mine": fitted["als"]}, part="valid", k=10)
    assert validation.mean("mine", "ndcg@10") == pytest.approx(fitted["als"].tried["ndcg@10"][0])


@pytest.mark.parametrize("n_items", [1, 2])
@pytest.mark.parametrize("n_users", [1, 3])
def test_tiny_data_can_be_fitted(n_users, n_items):
    users, items = np.meshgrid(np.arange(n_users), np.arange(n_items))
    frame = pl.DataFrame({"user": users.ravel(), "item": items.ravel(), "t": np.arange(users.size)})
    data = vt.InteractionsData.from_df(frame, timestamp="t", valid_pct=0, test_pct=0)
    for learn in (vt.implicit_learner(data, progress=False), vt.next_item_learner(data, progress=False)):
        learn.fit()
        assert len(learn.recommend(0, 5)) == 0
        assert len(learn.recommend(0, 5, exclude_seen=False)) == n_items
        assert len(learn.similar(0)) == n_items - 1


def test_a_million_items_fit_into_bounded_memory():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"user": rng.integers(0, 3000, 30_000), "item": rng.permutation(1_000_000)[:30_000]})
    wide = pl.concat([frame, pl.DataFrame({"user": np.arange(3000), "item": np.full(3000, 7)})])
    data = vt.InteractionsData.from_df(wide, valid_pct=0, test_pct=0)
    learn = vt.implicit_learner(data, "neighbours", progress=False).fit()
    assert len(learn.recommend(5, 10)) == 10
    with pytest.raises(vt.VectableError, match="keeps a weight for every pair of items"):
        vt.implicit_learner(data, "ease")


def test_vectors_are_written_and_drawn(fitted, tmp_path):
    (path,) = fitted["ease"].export_vectors(tmp_path / "items.parquet")
    written = pl.read_parquet(path)
    assert len(written) == 30
    assert {"product", "title", "count", "factor_0"} <= set(written.columns)
    fitted["ease"].plot_map(show=10, path=str(tmp_path / "map.png"))
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_what_cannot_be_done_is_named(fitted, tmp_path):
    ratings = vt.RatingsData.from_df(SHOP, "customer", "product", "quantity")
    learn = fitted["auto"]
    for call, message in (
        (lambda: vt.implicit_learner(ratings), "must be InteractionsData .* got a RatingsData"),
        (lambda: vt.implicit_learner(None), "got a NoneType"),
        (lambda: vt.next_item_learner(ratings), "must be InteractionsData"),
        (
            lambda: vt.next_item_learner(data_of(SHOP.drop("when"), timestamp=None)),
            "needs the time of each interaction",
        ),
        (lambda: vt.implicit_learner(learn.data, "sl"), "There is no model 'sl'"),
        (lambda: vt.next_item_learner(learn.data, "gru"), "There is no model 'gru'"),
        (lambda: vt.implicit_learner(learn.data, alpha=-1), "alpha must be a number from 0 on"),
        (lambda: vt.implicit_learner(learn.data, progress=False).recommend("u1"), "not fitted yet"),
        (lambda: vt.implicit_learner(learn.data, progress=False).fit(figure="auc"), "figure must be ndcg"),
        (lambda: learn.recommend("u1", 0), "n must be a positive integer; got 0"),
        (lambda: learn.recommend("u1", novelty=-1), "novelty must be"),
        (lambda: learn.recommend("u1", ucb_scale=1), "ucb_scale needs a model of ratings"),
        (lambda: learn.recommend("u1", exlude=["p1"]), "Did you mean 'exclude'"),
        (lambda: learn.explain("u1", "p99"), "unknown item"),
        (lambda: learn.explain("u999", "p1"), "unknown user"),
        (lambda: vt.evaluate([], None), "needs data="),
        (lambda: vt.evaluate([learn], part="train"), "part must be"),
        (lambda: vt.evaluate([learn, "poplarity"]), "Did you mean 'popularity'"),
        (lambda: vt.evaluate([learn, learn]), "Several models are called"),
        (lambda: vt.evaluate([learn], data_of(SHOP.filter(pl.col("product") != "p3"))), "fitted on other items"),
        (lambda: vt.evaluate([learn], data_of(valid_pct=0, test_pct=0)), "No interaction that could be found"),
    ):
        with pytest.raises(vt.VectableError, match=message):
            call()


def test_an_interrupt_keeps_what_there_is(monkeypatch):
    from vectable.interactions import selecting

    measured = selecting.measure
    calls = []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measured(*args)

    monkeypatch.setattr(selecting, "measure", interrupted)
    learn = vt.implicit_learner(data_of(), progress=False).fit()
    assert learn.tried["model"].to_list() == ["ease"]
    assert len(learn.recommend("u1", 3)) == 3


def test_compare_takes_interactions_as_it_takes_ratings():
    data = data_of()
    found = vt.compare(data, k=(5, 10), progress=False)
    table = found.to_frame("ndcg@10")
    assert table["ndcg@10"].is_sorted(descending=True)
    assert table["model"][0] != "popularity"
    assert set(found.cpu_seconds) == {"als", "ease", "slim", "neighbours", *(["next item"] if data.has_times else [])}
    with pytest.raises(vt.VectableError, match="There is no test part"):
        vt.compare(data.all_training(), progress=False)
