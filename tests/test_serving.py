"""The application behind `vectable serve`: what it answers, refuses, limits and counts; asked in this process."""

import asyncio
import json
import shutil

import httpx
import numpy as np
import polars as pl
import pytest

import vectable as vt
from serving import HOST, Asked
from vectable.errors import VectableError
from vectable.serving.access import Access
from vectable.serving.app import make_serving
from vectable.serving.limits import Limits
from vectable.serving.server_options import ServerOptions, access_of, models_named
from vectable.serving.shelf import Shelf

USERS = "/v1/models/films/users"


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    return trained.save(tmp_path_factory.mktemp("served") / "films", serving=True)


@pytest.fixture(scope="module")
def films(folder):
    return Asked({"films": folder})


@pytest.fixture(scope="module")
def answers(folder):
    return vt.load_answers(folder)


@pytest.fixture(scope="module")
def titled(tmp_path_factory):
    """Films whose ids are texts; the title of one is the id of another."""
    names = ["a", "b", "c", "d"]
    rows = [(user, item, float((user * at) % 5 + 1)) for user in range(1, 9) for at, item in enumerate(names)]
    frame = pl.DataFrame(rows, schema=["user", "item", "rating"], orient="row")
    frame = frame.with_columns(title=pl.col("item").replace({"a": "b", "b": "Bee", "c": "Cat", "d": "Dog"}))
    data = vt.RatingsData.from_df(frame, title="title", valid_pct=0.0, seed=0)
    learn = vt.collab_learner(data, n_factors=2, progress=False).fit_one_cycle(1, 1e-2)
    return learn.save(tmp_path_factory.mktemp("titled") / "titled")


def detail(answer, status):
    """The sentence of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"].endswith((".", "?"))
    return body["detail"]


# ---------------------------------------------------------------- answers


def test_every_route_says_what_load_answers_says(films, answers):
    user, item = 30, answers.recommend(30, 1)["items"][0]["item"]
    named = {"model": {"name": "films", "version": answers.version}}
    base = "/v1/models/films"
    assert films.get(f"{USERS}/{user}/recommendations?n=3").json() == named | answers.recommend(user, 3)
    seen = films.get(f"{USERS}/{user}/recommendations?exclude_seen=false&min_ratings=50").json()
    assert seen == named | answers.recommend(user, exclude_seen=False, min_ratings=50)
    many = {"users": [user, "31"], "n": 2, "max_per": {"title": 1}, "diversity": 0.3, "exclude": [item]}
    expected = answers.recommend_many([user, 31], 2, max_per={"title": 1}, diversity=0.3, exclude=[item])
    assert films.post(f"{base}/recommendations", json=many).json() == named | expected
    basket = {"ratings": [{"item": item, "rating": 9}], "n": 4}
    assert films.post(f"{base}/fold-in", json=basket).json() == named | answers.fold_in({item: 9}, 4)
    assert films.get(f"{base}/items/{item}/similar?n=4").json() == named | answers.similar(item, 4)
    asked = f"{base}/explanations?user={user}&item={item}&n=2"
    assert films.get(asked).json() == named | answers.explain(user, item, 2)
    rows = [{"user": user, "item": item}, {"user": user, "item": "no film"}]
    assert films.post(f"{base}/predict", json={"rows": rows}).json() == named | answers.predict(rows)


def test_the_learner_says_the_same(films, trained):
    listed = films.get(f"{USERS}/30/recommendations?n=20").json()["items"]
    expected = trained.recommend(30, n=20)
    assert [one["item"] for one in listed] == list(expected["item"])
    np.testing.assert_allclose([one["prediction"] for one in listed], expected["prediction"], atol=1e-5)


def test_reasons_are_the_known_items_that_speak_for_each(films, answers):
    listed = films.get(f"{USERS}/30/recommendations?n=2&reasons=true").json()["items"]
    for one in listed:
        terms = [term for term in answers.explain(30, one["item"], 3)["terms"] if "item" in term]
        assert [because["item"] for because in one["because"]] == [term["item"] for term in terms]
        assert [because["points"] for because in one["because"]] == [term["points"] for term in terms]
    said = detail(films.get(f"{USERS}/30/recommendations?n=101&reasons=true"), 422)
    assert said == "n: with reasons at most 100 items; got 101."


def test_an_unknown_user_gets_a_list_and_a_note(films):
    answer = films.get(f"{USERS}/nobody/recommendations").json()
    assert len(answer["items"]) == 10
    assert [note["code"] for note in answer["notes"]] == ["unknown_user"]


def test_ids_are_ids_unless_titles_are_asked_for(titled):
    shop = Asked({"titled": titled})
    base = "/v1/models/titled"
    expected = vt.load_answers(titled)
    code_a, code_b = (expected.similar(one, 3)["items"] for one in ("Bee", "b"))  # "b" is the title of a
    assert code_a != code_b
    assert shop.get(f"{base}/items/b/similar?n=3").json()["items"] == code_a
    assert shop.get(f"{base}/items/b/similar?n=3&by=title").json()["items"] == code_b
    assert "unknown item ('Bee')" in detail(shop.get(f"{base}/items/Bee/similar"), 404)
    basket = {"ratings": [{"item": "Bee", "rating": 5}]}
    assert shop.post(f"{base}/fold-in", json=basket).json()["notes"][0]["code"] == "unknown_item"
    assert shop.post(f"{base}/fold-in", json=basket | {"by": "title"}).json()["notes"] == []
    assert "It is the title of item 'c'." in detail(shop.get(f"{base}/items/Cat/similar"), 404)


def test_interactions_are_folded_in_by_items(tmp_path):
    baskets = [(day, item) for day in range(40) for item in ("tea", "milk" if day % 3 else "lemon")]
    data = vt.InteractionsData.from_df(pl.DataFrame(baskets, ["basket", "item"], orient="row"))
    folder = vt.implicit_learner(data, "ease", progress=False).fit().save(tmp_path / "shop")
    shop, expected = Asked({"shop": folder}), vt.load_answers(folder)
    answer = shop.post("/v1/models/shop/fold-in", json={"items": ["lemon"], "n": 1}).json()
    assert answer == {"model": answer["model"]} | expected.fold_in(["lemon"], 1)
    assert shop.get("/v1/models/shop/users/3/recommendations").json()["items"] == expected.recommend(3)["items"]
    assert shop.get("/v1/models/shop/items/tea/similar?n=1").json()["items"] == expected.similar("tea", 1)["items"]
    often = shop.get("/v1/models/shop/items/milk/similar?min_ratings=20").json()["items"]
    assert [one["item"] for one in often] == ["tea"]
    assert often == expected.similar("milk", min_ratings=20)["items"]
    assert detail(shop.post("/v1/models/shop/fold-in", json={}), 422).startswith("body: say either what the user rated")


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """A model of interactions whose users and products have columns."""
    rows = [(user, f"p{(user + 3 * at) % 36}") for user in range(90) for at in range(6)]
    users = pl.DataFrame({"user": range(90), "town": [("north", "south", "west")[at % 3] for at in range(90)]})
    products = pl.DataFrame({"item": [f"p{at}" for at in range(36)], "kind": ["tea", "coffee", "cocoa"] * 12})
    frame = pl.DataFrame(rows, ["user", "item"], orient="row")
    data = vt.InteractionsData.from_df(frame, items=products, users=users)
    learn = vt.implicit_learner(data, "als", progress=False).fit()
    return learn.save(tmp_path_factory.mktemp("orders") / "orders")


def test_new_items_and_users_are_known_by_their_columns(orders):
    shop, expected = Asked({"orders": orders}), vt.load_answers(orders)
    base, new = "/v1/models/orders", [{"item": "n0", "kind": "tea"}, {"item": 7, "kind": "cocoa"}]
    answer = shop.post(f"{base}/recommend-new", json={"items": new, "n": 3}).json()
    assert answer == {"model": answer["model"]} | expected.recommend_new(new, n=3)
    assert [len(one["users"]) for one in answer["items"]] == [3, 3]
    answer = shop.post(f"{base}/recommend-new", json={"items": new, "users": [4, "5", "x"]}).json()
    assert answer == {"model": answer["model"]} | expected.recommend_new(new, [4, 5, "x"])
    assert [note["code"] for note in answer["notes"]] == ["unknown_user"]
    for body in ({}, {"items": ["p1"]}):
        answer = shop.post(f"{base}/fold-in", json={"features": {"town": "south"}, "n": 3} | body).json()
        wanted = expected.fold_in(body.get("items", []), 3, features={"town": "south"})
        assert answer == {"model": answer["model"]} | wanted
    about = shop.get("/v1/models/orders").json()
    assert "recommend_new" in about["answers"]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("recommend-new", {"items": [{"kind": "tea"}]}, "Item 0 has no 'item'; each item has the columns item."),
        ("recommend-new", {"items": [{"item": 1}]}, "The table of new items has none of the columns that the model"),
        ("recommend-new", {"items": []}, "items: list should have at least 1 item"),
        ("recommend-new", {"items": [{"item": 1, "kind": [1]}]}, "items[0].kind: a cell is a text, a number"),
        (
            "fold-in",
            {"features": {"twon": "south"}},
            "The model knows no feature 'twon' of users. Did you mean 'town'?",
        ),
    ],
)
def test_what_is_not_known_of_new_items_and_users_is_a_sentence(orders, path, body, said):
    answer = Asked({"orders": orders}).post(f"/v1/models/orders/{path}", json=body)
    assert detail(answer, 422).startswith(said)


def test_models_that_know_no_columns_say_so(films, orders, monkeypatch):
    said = detail(films.post("/v1/models/films/fold-in", json={"ratings": [], "features": {"a": 1}}), 422)
    assert said == "features: the model 'films' of kind 'ratings' knows new users by their ratings alone."
    said = detail(films.post("/v1/models/films/recommend-new", json={"items": [{"item": 1}]}), 404)
    assert said.startswith("The model 'films' of kind 'ratings' does not recommend_new: ")
    monkeypatch.setattr("vectable.serving.asking.MOST_SCORES", 100)
    new = [{"item": at, "kind": "tea"} for at in range(3)]
    said = detail(Asked({"orders": orders}).post("/v1/models/orders/recommend-new", json={"items": new}), 422)
    assert said == "items: 3 of them for 90 users take too long; ask for 1."


def test_a_model_of_ratings_is_not_folded_into_by_items(films):
    said = detail(films.post("/v1/models/films/fold-in", json={"items": [1]}), 422)
    assert said.startswith("items: the model 'films' of kind 'ratings' needs ratings: ")


def test_a_table_is_predicted_and_says_what_else_it_cannot(tmp_path):
    frame = pl.DataFrame({"kind": ["x", "y"] * 20, "size": range(40), "sold": ["yes", "no"] * 20})
    learn = vt.tabular_learner(vt.TableData.from_df(frame, target="sold"), progress=False).fit_one_cycle(1, 1e-2)
    shop = Asked({"sales": learn.save(tmp_path / "sales")})
    rows = [{"kind": "x", "size": 3}, {"kind": "new", "size": None}]
    answer = shop.post("/v1/models/sales/predict", json={"rows": rows}).json()
    expected = vt.load_answers(tmp_path / "sales").predict(rows)
    assert answer == {"model": answer["model"]} | expected
    said = detail(shop.get("/v1/models/sales/users/3/recommendations"), 404)
    assert said == "The model 'sales' of kind 'table' does not recommend: predict."
    about = shop.get("/v1/models/sales").json()
    assert (about["columns"], about["classes"], about["answers"]) == (["kind", "size"], ["no", "yes"], ["predict"])


def test_the_description_has_an_example_of_every_answer_and_body(films):
    about = films.get("/v1/openapi.json").json()
    for path, methods in about["paths"].items():
        for one in methods.values():
            if path != "/metrics":
                assert "example" in one["responses"]["200"]["content"]["application/json"], path
    for name in ("UsersQuestion", "FoldInQuestion", "RowsQuestion"):
        assert about["components"]["schemas"][name]["examples"]


def test_a_client_that_has_the_answer_of_this_version_is_told_so(films, answers):
    path = f"{USERS}/30/recommendations"
    tag = films.get(path).headers["etag"]
    assert tag == f'"{answers.version}"'
    again = films.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_application_can_be_mounted(folder):
    from fastapi import FastAPI

    outer = FastAPI()
    outer.mount("/models", make_serving(Shelf({"films": folder})).app)

    async def ask(path):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url=HOST) as client:
            return await client.get(path)

    assert len(asyncio.run(ask("/models/v1/models/films/users/30/recommendations")).json()["items"]) == 10
    assert asyncio.run(ask("/models/ready")).json() == {"status": "ready", "models": ["films"]}


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("fold-in", b"{", 400, "The body is not JSON: "),
        ("fold-in", b'{"ratings": [{"item": 1, "rating": NaN}]}', 400, "The body is not JSON: "),
        ("fold-in", b"[" * 100_000, 400, "The body is not JSON: "),
        ("fold-in", b'{"ratings": [{"item": "\\ud800", "rating": 1}]}', 400, "The body is not JSON: "),
        ("fold-in", b"[]", 422, "body: input should be a valid dictionary"),
        ("fold-in", b'{"ratings": [{"item": true, "rating": 1}]}', 422, "ratings[0].item: a name is a whole number"),
        ("fold-in", b'{"ratings": [{"item": 1, "rating": "5"}]}', 422, "ratings[0].rating: a rating is a finite"),
        ("fold-in", b'{"ratings": [{"item": 1, "rating": 99}]}', 422, "The rating of 1 is 99, and the ratings that"),
        ("fold-in", b'{"ratings": [], "m": 1}', 422, "m: extra inputs are not permitted"),
        ("fold-in", b'{"ratings": [], "n": 1001}', 422, "n: input should be less than or equal to 1000"),
        ("fold-in", b'{"ratings": [], "ucb_scale": 1}', 422, "ucb_scale needs a model that knows how sure it is"),
        ("fold-in", b'{"ratings": [], "max_per": {"nothing": 1}}', 422, ""),
        ("recommendations", b'{"users": [1.5]}', 422, "users[0]: a name is a whole number or a text"),
        ("predict", b'{"rows": [{"user": 1}]}', 422, "Row 0 has not both 'user' and 'item'"),
        ("predict", b'{"rows": [{"user": 1, "item": [1]}]}', 422, "rows[0].item: a cell is a text, a number"),
        ("predict", b'{"rows": []}', 422, "rows: list should have at least 1 item"),
    ],
)
def test_a_wrong_body_gets_a_sentence_that_says_where(films, path, body, status, said):
    answer = films.post(f"/v1/models/films/{path}", content=body, headers={"Content-Type": "application/json"})
    assert detail(answer, status).startswith(said)


def test_an_item_may_be_rated_once(films):
    basket = {"ratings": [{"item": 1, "rating": 9}, {"item": "1", "rating": 2}]}
    assert detail(films.post("/v1/models/films/fold-in", json=basket), 422).endswith("rate each item once.")


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v1/models/film", 404, "There is no model 'film'. Did you mean 'films'? There are: films."),
        ("GET", "/v1/models/films@1", 404, "The model 'films' has no version '1'. It has: "),
        ("GET", "/nothing", 404, "There is nothing at '/nothing'; the routes are described at /v1/openapi.json."),
        ("DELETE", "/v1/models", 405, "'/v1/models' takes GET, not DELETE."),
        ("GET", f"{USERS}/1/recommendations?n=0", 422, "n: input should be greater than or equal to 1; got '0'."),
        ("GET", f"{USERS}/{'x' * 1001}/recommendations", 422, "user: string should have at most 1000 characters"),
        ("GET", "/v1/models/films/items/nothing/similar", 404, "1 unknown item ('nothing'): it is not in the"),
        ("GET", "/v1/models/films/explanations?user=1", 422, "item: field required."),
        ("POST", "/v1/models/films/predict", 422, "body: field required."),
    ],
)
def test_a_wrong_address_gets_a_sentence(films, method, path, status, said):
    assert detail(films(method, path), status).startswith(said)


def test_a_body_of_another_kind_is_refused(films):
    answer = films.post("/v1/models/films/predict", content=b"a,b", headers={"Content-Type": "text/csv"})
    said = detail(answer, 415)
    assert said == "The body must be JSON with Content-Type: application/json; it came with Content-Type 'text/csv'."


def test_a_failure_of_ours_is_a_sentence_too_and_in_the_log(folder, monkeypatch, caplog):
    broken = Asked({"films": folder})
    model = broken.serving.shelf.find("films")
    monkeypatch.setattr(type(model.answers), "recommend", lambda *_, **__: 1 / 0)
    with caplog.at_level("ERROR", logger="vectable.serving"):
        said = detail(broken.get(f"{USERS}/1/recommendations"), 500)
    assert said == "The server failed on this request; its log says why."
    assert "ZeroDivisionError" in caplog.text


# ---------------------------------------------------------------- who may ask


@pytest.fixture(scope="module")
def guarded(folder):
    access = Access(
        "a token of the tests", frozenset({"localhost", "shop.example"}), frozenset({"https://page.example"})
    )
    return Asked({"films": folder}, access=access)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer another token here"}, 401),
        ({"Authorization": "Basic a token of the tests"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Bearer \xff\xfe"}, 401),
        ({"Authorization": "Bearer a token of the tests"}, 200),
        ({"Authorization": "bearer a token of the tests", "Host": "SHOP.example:80"}, 200),
        ({"Authorization": "Bearer a token of the tests", "Host": "evil.example"}, 400),
        ({"Authorization": "Bearer a token of the tests", "Host": "localhost.evil.example"}, 400),
        ({"Authorization": "Bearer a token of the tests", "Host": "["}, 400),
        ({"Authorization": "Bearer a token of the tests", "Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer a token of the tests", "Origin": "null"}, 403),
        ({"Authorization": "Bearer a token of the tests", "Origin": "https://page.example"}, 200),
        ({"Authorization": "Bearer a token of the tests", "Origin": HOST}, 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/v1/openapi.json"])
def test_token_host_and_origin_are_checked(guarded, headers, status, path):
    answer = guarded.get(path, headers={name: value.encode("latin-1") for name, value in headers.items()})
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"


def test_health_and_readiness_need_no_token(guarded):
    assert guarded.get("/health").json() == {"status": "ok"}
    assert guarded.get("/ready").status_code == 200


def test_a_page_that_may_ask_is_told_so_before(guarded):
    asked = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    answer = guarded("OPTIONS", "/v1/models/films/predict", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    other = guarded("OPTIONS", "/v1/models/films/predict", headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_an_address_that_others_reach_needs_a_token_that_cannot_be_guessed(folder):
    with pytest.raises(VectableError, match="Without a token the server answers this machine alone, and --host is"):
        ServerOptions({"films": folder}, "0.0.0.0")
    with pytest.raises(VectableError, match="A token has at least 16 printable ASCII characters"):
        ServerOptions({"films": folder}, access=Access("short"))
    assert access_of("127.0.0.1", None, ["Shop.example"], []).hosts >= {"localhost", "127.0.0.1", "shop.example"}
    assert access_of("0.0.0.0", "t" * 16, [], []).hosts is None


# ---------------------------------------------------------------- limits


def test_a_body_that_is_too_long_is_refused_by_its_length_and_by_its_bytes(folder):
    small = Asked({"films": folder}, limits=Limits(body_bytes=1000))
    sent = {"Content-Type": "application/json"}
    said = detail(small.post("/v1/models/films/predict", content=b"x" * 1001, headers=sent), 413)
    assert said == "The body is longer than 1,000 bytes; send it in parts."

    async def chunks():
        for _ in range(3):
            yield b" " * 400

    detail(small.post("/v1/models/films/predict", content=chunks(), headers=sent), 413)


def test_a_body_that_does_not_come_is_not_waited_for(folder):
    brief = Asked({"films": folder}, limits=Limits(seconds=0.1))

    async def never():
        yield b"{"
        await asyncio.sleep(30)

    answer = brief.post("/v1/models/films/predict", content=never(), headers={"Content-Type": "application/json"})
    assert detail(answer, 408) == "The request was not there after 0.1 seconds."


def test_a_client_that_does_not_take_its_answer_is_not_waited_for(folder):
    app = Asked({"films": folder}, limits=Limits(write_seconds=0.1)).serving.app
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message["type"])
        if message["type"] == "http.response.body":
            await asyncio.sleep(30)

    headers = [(b"host", b"localhost")]
    about = {"type": "http", "method": "GET", "scheme": "http", "http_version": "1.1", "root_path": "", "client": None}
    path = {"path": "/v1/models", "raw_path": b"/v1/models", "query_string": b"", "server": ("localhost", 80)}
    began = asyncio.run(measured(app({**about, **path, "headers": headers}, receive, send)))
    assert began < 10
    assert sent == ["http.response.start", "http.response.body"]


async def measured(call):
    """Seconds until a call is given up."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await call
    return loop.time() - began


def test_beyond_the_requests_in_flight_there_is_503_and_when_to_come_again(folder, monkeypatch):
    busy = Asked({"films": folder}, limits=Limits(quick_scores=0, long_waiting=2))
    answered = busy.together([("GET", f"{USERS}/30/recommendations", {})] * 5)
    assert sorted(one.status_code for one in answered) == [200, 200, 503, 503, 503]
    refused = next(one for one in answered if one.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert detail(refused, 503) == "2 long requests wait already; try again in a second, or ask less."
    full = Asked({"films": folder}, limits=Limits(in_flight=0))
    assert detail(full.get("/v1/models"), 503) == "0 requests are under way already; try again."
    assert full.get("/ready").status_code == 200


def test_what_takes_too_long_is_answered_with_503(folder, monkeypatch):
    import time

    slow = Asked({"films": folder}, limits=Limits(quick_scores=0, seconds=0.1))
    kind = type(slow.serving.shelf.find("films").answers)
    monkeypatch.setattr(kind, "recommend", lambda *_, **__: time.sleep(0.5) or {})
    said = detail(slow.get(f"{USERS}/30/recommendations"), 503)
    assert said == "There was no answer after 0.1 seconds; try again, or ask for less."


def test_lists_for_too_many_users_say_how_many_are_possible(films, monkeypatch):
    monkeypatch.setattr("vectable.serving.asking.MOST_SCORES", 100_000)
    said = detail(films.post("/v1/models/films/recommendations", json={"users": list(range(1000))}), 422)
    assert said.startswith("users: lists for 1,000 users of ")


# ---------------------------------------------------------------- versions and reloading


def test_two_versions_answer_side_by_side(folder, trained, tmp_path):
    other = vt.collab_learner(trained.data, n_factors=2, progress=False).fit_one_cycle(1, 5e-3).save(tmp_path / "new")
    both = Asked({"films@old": folder, "films@new": other})
    old, new = (vt.load_answers(one).version for one in (folder, other))
    of = {name: both.get(f"/v1/models/{name}").json()["version"] for name in ("films", "films@old", f"films@{old}")}
    assert of == {"films": new, "films@old": old, f"films@{old}": old}
    assert both.get("/v1/models/films@old/users/30/recommendations").json()["model"]["version"] == old
    said = detail(both.get("/v1/models/films@x"), 404)
    assert said == f"The model 'films' has no version 'x'. It has: old ({old}), new ({new})."


def test_reloading_takes_the_new_model_and_keeps_the_old_one_where_a_folder_is_bad(folder, trained, tmp_path):
    place = tmp_path / "films"
    shutil.copytree(folder, place)
    shop = Asked({"films": place})
    before = shop.get("/v1/models/films").json()["version"]
    assert shop.post("/v1/admin/reload").json()["models"] == [
        {"name": "films", "version": before, "changed": False, "problem": None}
    ]
    vt.collab_learner(trained.data, n_factors=2, progress=False).fit_one_cycle(1, 5e-3).save(place)
    (changed,) = shop.post("/v1/admin/reload").json()["models"]
    assert changed["changed"]
    assert changed["version"] == vt.load_answers(place).version != before
    (place / "vectable.json").write_text("{}")
    bad = shop.post("/v1/admin/reload")
    assert bad.status_code == 409
    (kept,) = bad.json()["models"]
    assert (kept["version"], kept["changed"]) == (changed["version"], False)
    assert "is not a saved model of vectable" in kept["problem"]
    assert shop.get("/v1/models/films").json()["problem"] == kept["problem"]
    assert len(shop.get(f"{USERS}/30/recommendations").json()["items"]) == 10


def test_a_watched_folder_is_read_when_its_manifest_changes_and_only_then(folder, trained, tmp_path):
    place = tmp_path / "films"
    shutil.copytree(folder, place)
    shelf = Shelf({"films": place})
    assert shelf.reload(only_changed=True) == []
    vt.collab_learner(trained.data, n_factors=2, progress=False).fit_one_cycle(1, 5e-3).save(place)
    assert [one.changed for one in shelf.reload(only_changed=True)] == [True]
    assert shelf.reload(only_changed=True) == []


def test_models_are_named_by_their_folders_or_as_asked(tmp_path):
    (tmp_path / "a=b").mkdir()
    named = models_named([f"{tmp_path}/books", f"{tmp_path}/x=shop@1", f"{tmp_path}/a=b"])
    assert list(named) == ["books", "shop@1", "a=b"]
    with pytest.raises(VectableError, match="Two models are called 'x'"):
        models_named(["x", "y=x"])
    with pytest.raises(VectableError, match="'a=b' cannot name a model"):
        Shelf({"a=b": tmp_path})


# ---------------------------------------------------------------- figures and log


def test_figures_count_requests_by_route_and_unknown_names(folder, caplog):
    shop = Asked({"films": folder})
    with caplog.at_level("INFO", logger="vectable.serving.access"):
        for user in ("30", "nobody", "30?n=0"):
            user, _, query = user.partition("?")
            shop.get(f"{USERS}/{user}/recommendations?{query}")
        shop.get("/x%0A{}")
    lines = shop.get("/metrics").text.splitlines()
    route = "/v1/models/{model}/users/{user}/recommendations"
    assert f'vectable_requests_total{{method="GET",route="{route}",status="200"}} 2.0' in lines
    assert f'vectable_requests_total{{method="GET",route="{route}",status="422"}} 1.0' in lines
    assert 'vectable_notes_total{code="unknown_user",model="films"} 1.0' in lines
    assert "vectable_requests_in_flight 1.0" in lines
    logged = [json.loads(record.getMessage()) for record in caplog.records if record.name.endswith("access")]
    assert [(one["route"], one["status"]) for one in logged] == [
        (route, 200),
        (route, 200),
        (route, 422),
        ("none", 404),
    ]
    assert all("\n" not in record.getMessage() for record in caplog.records)
