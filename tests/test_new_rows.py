"""Users and items that no interaction shows, known by the columns of their side tables."""

import json

import numpy as np
import polars as pl
import pytest
from scipy import sparse

import vectable as vt
from commands import good, sentence, vectable
from vectable.data.encoders.words import SharedWords, is_prose
from vectable.data.ratings.side_features import SideFeatures
from vectable.factorising.als import ALSOptions, ImplicitALS, improve
from vectable.factorising.feature_map import FeatureRidge
from vectable.factorising.sparse_rows import SparseRows
from vectable.interactions.crossed_features import CrossedFeatures
from vectable.interactions.new_rows import best_of_each

KINDS, TOWNS = ("tea", "coffee", "cocoa"), ("north", "south", "west")


def orders(n_users=90, per_user=8, seed=0) -> pl.DataFrame:
    """Users of three towns, each of which takes mostly the ten products of one kind."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        for _ in range(per_user):
            kind = user % 3 if rng.random() < 0.9 else int(rng.integers(3))
            rows.append((f"u{user}", f"p{kind * 10 + int(rng.integers(10))}"))
    return pl.DataFrame(rows, schema=["customer", "product"], orient="row").with_columns(when=pl.int_range(pl.len()))


PRODUCTS = pl.DataFrame({"product": [f"p{at}" for at in range(30)], "kind": [KINDS[at // 10] for at in range(30)],
                         "price": [float(at % 7) for at in range(30)]})  # fmt: skip
CUSTOMERS = pl.DataFrame({"customer": [f"u{at}" for at in range(90)], "town": [TOWNS[at % 3] for at in range(90)]})
NEW = pl.DataFrame({"product": ["n0", "n1", "n2"], "kind": list(KINDS), "price": [1.0, 2.0, 3.0]})


def data_of(**how) -> vt.InteractionsData:
    return vt.InteractionsData.from_df(
        orders(), "customer", "product", **{"items": PRODUCTS, "users": CUSTOMERS, "split": "random", **how}
    )


@pytest.fixture(scope="module", params=["als", "ease", "auto", "next"])
def learn(request):
    if request.param == "next":
        return vt.next_item_learner(data_of(timestamp="when", split="last"), progress=False).fit()
    return vt.implicit_learner(data_of(), request.param, progress=False).fit()


@pytest.fixture(scope="module")
def answers(learn, tmp_path_factory):
    """What answers from the learner's folder."""
    return vt.load_answers(learn.save(tmp_path_factory.mktemp("answers") / "model", serving=True))


def test_load_answers_says_the_same_of_new_items(learn, answers):
    rows = NEW.to_dicts()
    found = answers.recommend_new(rows, n=4)
    assert found["notes"] == []
    assert json.loads(json.dumps(found)) == found
    flat = [(one["item"], of["user"], of["score"]) for one in found["items"] for of in one["users"]]
    wanted = learn.recommend_new(NEW, n=4)
    assert [one[:2] for one in flat] == list(zip(wanted["product"], wanted["customer"], strict=True))
    assert [one[2] for one in flat] == pytest.approx(wanted["score"].to_list(), rel=1e-6)
    lists = answers.recommend_new(rows, ["u4", "nobody"], 2)
    assert [note["code"] for note in lists["notes"]] == ["unknown_user"]
    with pytest.warns(vt.VectableWarning, match="nobody"):
        wanted = learn.recommend_new(NEW, ["u4", "nobody"], 2)
    flat = [(one["user"], of["item"], of["score"]) for one in lists["users"] for of in one["items"]]
    assert [one[:2] for one in flat] == list(zip(wanted["customer"], wanted["product"], strict=True))
    assert [one[2] for one in flat] == pytest.approx(wanted["score"].to_list(), rel=1e-6)


def test_load_answers_says_the_same_of_new_users(learn, answers):
    for basket in ([], ["p1", "p13"]):
        found = answers.fold_in(basket, 5, features={"town": "south"})["items"]
        wanted = learn.fold_in(basket, {"town": "south"}).recommend(5)
        assert [one["item"] for one in found] == wanted["product"].to_list()
        assert [one["score"] for one in found] == pytest.approx(wanted["score"].to_list(), rel=1e-5)
    with pytest.raises(vt.VectableError, match="twon"):
        answers.fold_in([], features={"twon": "south"})
    rows = NEW.drop("price").to_dicts()
    (note,) = answers.recommend_new(rows)["notes"]
    assert (note["code"], note["count"]) == ("missing_column", 1)
    (note,) = answers.recommend_new(PRODUCTS.head(2).to_dicts())["notes"]
    assert (note["code"], note["count"]) == ("known_item", 2)
    with pytest.raises(vt.DataError, match="Item 1 has no 'product'; each item has the columns product"):
        answers.recommend_new([{"product": "n0", "kind": "tea"}, {"kind": "tea"}])
    with pytest.raises(vt.VectableError, match="Item 0 is a list"):
        answers.recommend_new([["n0"]])


def test_equal_scores_come_in_the_order_of_the_items():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, (30, 40)).astype(np.float32)
    for n in (1, 7, 40, 100):
        places, best = best_of_each(scores, n)
        wanted = np.argsort(-scores, axis=1, kind="stable")[:, :n]
        assert np.array_equal(places, wanted)
        assert np.array_equal(best, np.take_along_axis(scores, wanted, axis=1))


def test_new_items_go_to_whom_their_columns_suit(learn):
    who = learn.recommend_new(NEW, n=5)
    assert who.columns == ["product", "rank", "customer", "score"]
    assert who["product"].to_list() == [name for name in ("n0", "n1", "n2") for _ in range(5)]
    towns = [int(name[1:]) % 3 for name in who["customer"]]
    assert towns == [0] * 5 + [1] * 5 + [2] * 5
    assert who["rank"].to_list() == [1, 2, 3, 4, 5] * 3
    mine = learn.recommend_new(NEW, "u4", 2)
    assert mine.columns == ["customer", "product", "rank", "score"]
    assert (mine["product"][0], mine["rank"].to_list()) == ("n1", [1, 2])
    both = learn.recommend_new(NEW, ["u4", "u5"], 1)
    assert both["product"].to_list() == ["n1", "n2"]
    score = who.filter((pl.col("product") == "n1") & (pl.col("customer") == "u4"))["score"]
    assert len(score) == 0 or score[0] == pytest.approx(mine["score"][0], abs=1e-6)


def test_a_user_known_by_columns_alone_gets_what_suits_them(learn):
    for at, town in enumerate(TOWNS):
        best = learn.fold_in(features={"town": town}).recommend(5)["product"]
        assert {int(product[1:]) // 10 for product in best} == {at}
    moved = learn.fold_in([f"p{at}" for at in range(20, 28)], {"town": "north"})
    assert moved.recommend(1)["product"][0] in ("p28", "p29"), "what was met says more"
    shown = moved.recommend(1)
    score, *parts = moved.explain(shown["product"][0])["points"].to_list()
    assert score == pytest.approx(sum(parts))
    assert score == pytest.approx(shown["score"][0], abs=1e-4)


@pytest.mark.parametrize("serving", [False, True])
def test_saved_they_answer_the_same(learn, tmp_path, serving):
    again = vt.load_learner(learn.save(tmp_path / "m", serving=serving), progress=False)
    assert again.recommend_new(NEW, n=4).equals(learn.recommend_new(NEW, n=4))
    assert (
        again.fold_in(["p1"], {"town": "west"})
        .recommend(5)
        .equals(learn.fold_in(["p1"], {"town": "west"}).recommend(5))
    )
    assert again.recommend("u1", 5).equals(learn.recommend("u1", 5))


def test_what_cannot_be_answered_is_said_in_a_sentence(learn):
    for asked, words in (
        (lambda: learn.recommend_new(NEW.select("product")), "none of the columns that the model knows .*'kind'"),
        (lambda: learn.recommend_new(NEW.head(0)), "has no row"),
        (lambda: learn.fold_in(features={"twn": "north"}), "no feature 'twn' of users. Did you mean 'town'"),
        (lambda: learn.fold_in(features="north"), "must be a mapping"),
        (lambda: learn.recommend_new(NEW, n=0), "n must be"),
    ):
        with pytest.raises(vt.VectableError, match=words):
            asked()
    with pytest.warns(vt.VectableWarning, match="no column 'price': taken as missing"):
        assert len(learn.recommend_new(NEW.drop("price"), n=1)) == 3
    with pytest.warns(vt.VectableWarning, match="1 of 1 new items are in the training data already"):
        learn.recommend_new(PRODUCTS.head(1), n=1)
    with pytest.warns(vt.VectableWarning, match="nobody"):
        assert learn.recommend_new(NEW, "nobody", 2)["customer"].to_list() == ["nobody", "nobody"]
    with pytest.warns(vt.VectableWarning, match="town 'east'"):
        learn.fold_in(features={"town": "east"})


def test_without_columns_nothing_is_known_of_the_new():
    plain = vt.implicit_learner(data_of(items=None, users=None), "als", progress=False).fit()
    with pytest.raises(vt.VectableError, match="without columns of users or items"):
        plain.recommend_new(NEW)
    items_alone = vt.implicit_learner(data_of(users=None), "als", progress=False).fit()
    with pytest.raises(vt.VectableError, match="without columns of users"):
        items_alone.fold_in(features={"town": "north"})
    with pytest.raises(vt.VectableError, match="without columns of items"):
        vt.implicit_learner(data_of(items=None), "als", progress=False).fit().recommend_new(NEW)
    with pytest.raises(vt.DataError, match=r"'knd'.*Did you mean 'kind'"):
        vt.implicit_learner(data_of(), "als", features=["knd"], progress=False).fit()
    none = vt.implicit_learner(data_of(), "als", features=None, progress=False).fit()
    assert (none.recommender().directions == plain.recommender().directions).all()
    with pytest.raises(vt.VectableError, match="not fitted"):
        vt.implicit_learner(data_of(), "als", progress=False).recommend_new(NEW)


def test_new_items_from_a_file_and_after_an_update(tmp_path):
    learn = vt.implicit_learner(data_of(), "als", progress=False).fit()
    NEW.write_csv(tmp_path / "new.csv")
    assert learn.recommend_new(tmp_path / "new.csv", n=2).equals(learn.recommend_new(NEW, n=2))
    learn.update(pl.DataFrame({"customer": ["u1"], "product": ["n1"]}), items=NEW)
    with pytest.warns(vt.VectableWarning, match="1 of 3 new items"):
        learn.recommend_new(NEW, n=2)


def test_maps_are_the_ridge_and_rows_shrink_towards_them():
    rng = np.random.default_rng(0)
    features, rows = rng.random((40, 3)), rng.standard_normal((40, 16)).astype(np.float32)
    counted = rng.random(40) < 0.7
    found = FeatureRidge(sparse.csr_matrix(features), counted).fit(rows).weights
    whole = np.c_[features, np.ones(40)][counted]
    wanted = np.linalg.solve(whole.T @ whole + 2 * np.eye(4), whole.T @ rows[counted])
    np.testing.assert_allclose(found, wanted, atol=1e-5)

    taken = SparseRows.from_pairs(
        np.repeat(np.arange(60), 4).astype(np.int32), rng.integers(0, 40, 240).astype(np.int32), n_rows=60, n_columns=40
    )
    options = ALSOptions(16, 6, reg=0.5, unobserved=0.05)
    fitted = [
        ImplicitALS.fit(taken, options, threads=threads, item_features=sparse.csr_matrix(features))
        for threads in (1, 3)
    ]
    assert (fitted[0].items == fitted[1].items).all(), "threads change no bit"
    other, prior = (rng.standard_normal((n, 16)).astype(np.float32) for n in (40, 60))
    found = np.zeros((60, 16), dtype=np.float32)
    improve(taken, other, options.with_changes(steps=40), found, 1, prior)
    reg = options.reg * (4 + options.unobserved * 40)
    for user in range(60):
        seen = other[taken.row(user)[0]].astype(float)
        matrix = options.unobserved * other.T @ other + seen.T @ seen + reg * np.eye(16)
        np.testing.assert_allclose(found[user], np.linalg.solve(matrix, seen.sum(0) + reg * prior[user]), atol=1e-4)


def test_pairs_are_those_that_rows_share():
    table = pl.DataFrame({"a": ["x", "x", "y", "y"] * 5, "b": ["s", "t"] * 10})
    crossed = CrossedFeatures.fit(SideFeatures().fit(table, ["a", "b"]), table)
    encoded = crossed.encode(table).toarray()
    assert encoded.shape == (20, 4 + 4)
    assert sorted(encoded[0].tolist()) == [0, 0, 0, 0, 0, 0.6, 1, 1]
    again = CrossedFeatures.from_json(json.loads(json.dumps(crossed.to_json())), "here")
    assert (again.encode(table).toarray() == encoded).all()
    assert (again.encode_one({"a": "x", "b": "s"}, "item").toarray() == encoded[:1]).all()


def test_words_of_titles_tell_whom_new_items_suit(tmp_path):
    titles = [f"{KINDS[at // 10].title()} of the {('hill', 'lake', 'wood')[at % 3]}, no {at}" for at in range(30)]
    products = pl.DataFrame({"product": PRODUCTS["product"], "name": titles})
    new = pl.DataFrame({"product": ["n0", "n1"], "name": ["COCOA at night", "a new Tea"]})
    for title in (None, "name"):
        learn = vt.implicit_learner(data_of(items=products, users=None, title=title), "als", progress=False).fit()
        again = vt.load_learner(learn.save(tmp_path / f"m{title}"), progress=False)
        for one in (learn, again):
            towns = [int(name[1:]) % 3 for name in one.recommend_new(new, n=5)["customer"]]
            assert towns == [2] * 5 + [0] * 5
    named = vt.implicit_learner(data_of(items=products, users=None), "als", features=["name"], progress=False).fit()
    assert (named.recommender().directions == learn.recommender().directions).all()
    assert vt.load_learner(tmp_path / "mNone", progress=False).recommend_new(new, n=2)["product"][0] == "n0"


def test_words_of_a_user_are_known_by_the_new_one():
    about = pl.DataFrame({"customer": CUSTOMERS["customer"], "about": [f"I live in the {town} alone"
                          for town in CUSTOMERS["town"]]})  # fmt: skip
    about = about.with_columns(pl.col("about") + " " + pl.int_range(pl.len()).cast(pl.String))
    learn = vt.implicit_learner(data_of(items=None, users=about), "als", progress=False).fit()
    for at, town in enumerate(TOWNS):
        best = learn.fold_in(features={"about": f"From the {town.upper()}!"}).recommend(5)["product"]
        assert {int(product[1:]) // 10 for product in best} == {at}
    with pytest.raises(vt.VectableError, match=r"no feature 'abot' of users\. Did you mean 'about'"):
        learn.fold_in(features={"abot": "north"})


def test_which_words_are_taken():
    texts = ["red tea, red", "Red wine", "red", None, "wine 1", "wine 2"]
    table = pl.DataFrame({"a": texts, "b": ["red"] * 6})
    words = SharedWords.fit(table, ["a", "b"])
    assert {name: one.vocabulary.to_list() for name, one in words.vocabularies.items()} == {
        "a": ["red", "wine"],
        "b": ["red"],
    }
    assert words.encode(table).toarray()[:, :2].tolist() == [[0.5, 0], [0.5, 0.5], [0.5, 0], [0, 0], [0, 0.5], [0, 0.5]]
    again = SharedWords.from_json(json.loads(json.dumps(words.to_json())), "here")
    assert (again.encode(table) != words.encode(table)).nnz == 0
    assert SharedWords.fit(table, []).encode(table).shape == (6, 0)
    assert is_prose(table["a"].head(2))
    assert not is_prose(table["b"])
    assert not is_prose(pl.Series([None], dtype=pl.String))


@pytest.mark.slow
def test_by_command(tmp_path):
    orders().write_csv(tmp_path / "orders.csv")
    for name, table in (("products", PRODUCTS), ("customers", CUSTOMERS), ("new", NEW)):
        table.write_csv(tmp_path / f"{name}.csv")
    side = ["--items", tmp_path / "products.csv", "--users", tmp_path / "customers.csv"]
    model = tmp_path / "shop"
    good(vectable("train", "interactions", tmp_path / "orders.csv", *side, "--model", "als", "-q", "-o", model))
    new = ["--new-items", tmp_path / "new.csv", "--json"]
    who = json.loads(good(vectable("recommend", model, *new, "-n", "2")).stdout)
    assert [row["product"] for row in who] == ["n0", "n0", "n1", "n1", "n2", "n2"]
    mine = json.loads(good(vectable("recommend", model, "u4", *new, "-n", "1")).stdout)
    assert [row["product"] for row in mine] == ["n1"]
    cold = json.loads(good(vectable("recommend", model, "--about", "town=west", "-n", "3", "--json")).stdout)
    assert {int(row["product"][1:]) // 10 for row in cold} == {2}
    assert "no feature 'twn'" in sentence(vectable("recommend", model, "--about", "twn=west"))
    assert "give a column and a value" in sentence(vectable("recommend", model, "--about", "west"))
    assert "no other condition" in sentence(vectable("recommend", model, *new, "--all"))
