"""Interactions by command: train, ask, and what is refused."""

import json

import numpy as np
import polars as pl
import pytest

from commands import good, sentence, vectable


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder with orders of three tastes, and two models trained on them."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", f"p{user % 3 * 10 + int(rng.integers(10))}", int(rng.integers(1, 4)), user + place * 1000)
        for user in range(60)
        for place in range(9)
    ]
    orders = pl.DataFrame(rows, schema=["Customer", "Product", "Quantity", "When"], orient="row")
    orders.write_csv(folder / "orders.csv")
    named = ["--user", "Customer", "--item", "Product", "--count", "Quantity", "--timestamp", "When"]
    trained = {}
    for command, name in (("interactions", "shop"), ("next", "radio")):
        trained[name] = good(vectable("train", command, folder / "orders.csv", *named, "-o", folder / name))
    return folder, trained


def test_training_shows_what_was_tried_and_how_good_it_is(shop):
    _, trained = shop
    for name, done in trained.items():
        assert "Columns: user 'Customer', item 'Product', count 'Quantity', timestamp 'When'." in done.stderr
        assert "On the validation part" in done.stdout
        assert "popularity" in done.stdout
        assert name in done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop", "radio"])
def test_models_are_asked_like_those_of_ratings(shop, name):
    folder, _ = shop
    shown = json.loads(good(vectable("recommend", folder / name, "u4", "-n", "4", "--json")).stdout)
    assert len(shown) == 4
    best = shown[0]["Product"]
    basket = json.loads(
        good(
            vectable("recommend", folder / name, "--basket", "p1", "--basket", "p2", "--exclude", "p3", "--json")
        ).stdout
    )
    assert {"p1", "p2", "p3"}.isdisjoint(row["Product"] for row in basket)
    good(vectable("recommend", folder / name, "--all", "-n", "3", "-o", folder / f"{name}.csv"))
    assert len(pl.read_csv(folder / f"{name}.csv")) == 180
    assert len(json.loads(good(vectable("similar", folder / name, "p4", "-n", "3", "--json")).stdout)) == 3
    reasons = json.loads(good(vectable("explain", folder / name, "u4", best, "--json")).stdout)
    assert reasons[0]["term"] == "score"
    assert (
        "InteractionsData" in good(vectable("info", folder / name)).stdout
        or "saved" in good(vectable("info", folder / name)).stdout
    )


@pytest.mark.slow
def test_json_and_refit(shop):
    folder, _ = shop
    how = ["--model", "ease", "--split", "random", "--refit", "--json", "-o", folder / "third"]
    done = good(vectable("train", "interactions", folder / "orders.csv", *how))
    found = json.loads(done.stdout)
    assert found["kept"] == "ease"
    assert {row["model"] for row in found["test"]} >= {"model", "popularity"}


@pytest.mark.slow
def test_what_is_refused(shop):
    folder, _ = shop
    orders = folder / "orders.csv"
    timeless = ("--user", "Customer", "--item", "Product", "-q", "-o", folder / "x")
    for arguments, words in (
        (("train", "next", orders, *timeless), "needs the time"),
        (("train", "interactions", orders, "--user", "Custmer", "-o", folder / "x"), "Did you mean 'Customer'"),
        (("train", "interactions", orders, "--model", "svd", "-q", "-o", folder / "x"), "There is no model 'svd'"),
        (("recommend", folder / "shop", "u4", "--basket", "p1"), "Name one user"),
        (("recommend", folder / "shop", "u4", "--raw"), "belong to models of ratings"),
    ):
        assert words in sentence(vectable(*arguments))


@pytest.mark.slow
def test_insight_and_vectors_of_a_model_of_interactions(shop, tmp_path):
    folder, _ = shop
    found = json.loads(good(vectable("insight", folder / "shop", "-n", "3", "--plots", tmp_path, "--json")).stdout)
    assert [len(row["like"]) for row in found["popular"]] == [3, 3, 3]
    counts = [row["count"] for row in found["popular"]]
    assert counts == sorted(counts, reverse=True)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    good(vectable("export-vectors", folder / "shop", "-o", tmp_path / "items.parquet"))
    written = pl.read_parquet(tmp_path / "items.parquet")
    assert len(written) == 30
    assert {"Product", "count", "factor_0"} <= set(written.columns)
    assert "has vectors of items alone" in sentence(
        vectable("export-vectors", folder / "shop", "-o", tmp_path / "x.csv", "--users")
    )


@pytest.mark.slow
def test_update_takes_in_new_customers_and_products(shop, tmp_path):
    folder, _ = shop
    new = pl.DataFrame({"Customer": ["new", "new", "u3"], "Product": ["p1", "p99", "p99"], "Quantity": 1, "When": 9999})
    new.write_csv(tmp_path / "more.csv")
    done = json.loads(
        good(vectable("update", folder / "shop", tmp_path / "more.csv", "-o", tmp_path / "m", "--json")).stdout
    )
    assert (done["rows"], done["new_users"], done["new_items"]) == (3, 1, 1)
    shown = json.loads(good(vectable("recommend", tmp_path / "m", "new", "-n", "3", "--json")).stdout)
    assert {row["Product"] for row in shown}.isdisjoint({"p1", "p99"})


def test_evaluate_ranks_every_model_beside_popularity(shop):
    folder, _ = shop
    named = ["--user", "Customer", "--item", "Product", "--count", "Quantity", "--timestamp", "When"]
    found = json.loads(good(vectable("evaluate", folder / "orders.csv", *named, "-k", "5", "--json")).stdout)
    models = {row["model"]: row for row in found["models"]}
    assert set(models) == {"als", "ease", "slim", "neighbours", "next item", "popularity", "recent popularity"}
    assert models["ease"]["ndcg@5"] > models["popularity"]["ndcg@5"], "tastes were planted"
    assert models["popularity"]["fit_seconds"] == 0
    assert next(row for row in found["differences"] if row["model"] == "popularity")["minus popularity"] == 0
