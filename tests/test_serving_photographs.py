"""Photographs over HTTP: as the learner classifies them, and what is refused."""

import asyncio
import io

import numpy as np
import pytest

import vectable as vt
from every_kind import EveryKind
from serving import Asked
from test_serving import detail
from vectable.serving.limits import Limits

PATH = "/v1/models/clothes/classify"
PICTURES = EveryKind().pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return EveryKind().make("images").save(tmp_path_factory.mktemp("served") / "clothes")


@pytest.fixture(scope="module")
def clothes(folder):
    return Asked({"clothes": folder})


@pytest.fixture(scope="module")
def learn(folder):
    return vt.load_learner(folder, progress=False)


def encoded(picture, form="PNG"):
    """A picture as the bytes of a file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, form)
    return file.getvalue()


def form(*contents):
    return {"files": [("photographs", (f"{at}.png", one, "image/png")) for at, one in enumerate(contents)]}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_photographs_are_classified_as_the_learner_does_from_files(clothes, learn, tmp_path, kind):
    rng = np.random.default_rng(0)
    large = rng.integers(0, 255, (130, 300, 3), dtype=np.uint8)
    contents = [encoded(one, kind) for one in (PICTURES[0], PICTURES[1], large)]
    files = []
    for at, one in enumerate(contents):
        files.append(tmp_path / f"{at}.{kind}")
        files[-1].write_bytes(one)
    answer = clothes.post(PATH, **form(*contents)).json()
    assert answer["model"]["name"] == "clothes"
    assert answer["classes"] == learn.classes == ["a", "b"]
    assert answer["predictions"] == [one.label for one in learn.predict(files)]
    assert np.float32(answer["probabilities"]) == pytest.approx(learn.predict_proba(files), rel=1e-6)
    assert answer["notes"] == []
    alone = clothes.post(PATH, content=contents[2], headers={"Content-Type": f"image/{kind.lower()}"}).json()
    assert alone["predictions"] == answer["predictions"][2:]
    assert alone["probabilities"][0] == pytest.approx(answer["probabilities"][2], rel=1e-5)


def test_a_model_of_something_else_says_so_and_one_of_photographs_too(folder, trained, tmp_path):
    both = Asked({"films": trained.save(tmp_path / "films"), "clothes": folder})
    said = detail(both.post("/v1/models/films/classify", **form(b"")), 404)
    assert said.startswith("The model 'films' of kind 'ratings' does not classify: recommend, ")
    said = detail(both.get("/v1/models/clothes/users/1/recommendations"), 404)
    assert said == "The model 'clothes' of kind 'images' does not recommend: classify."
    assert both.get("/v1/models/clothes").json()["classes"] == ["a", "b"]


GOOD = encoded(PICTURES[0])
JSON = {"Content-Type": "application/json"}
BROKEN_FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        (form(GOOD, b"GIF89a nothing"), 422, "Photograph 2 ('1.png') is not an image that can be read: "),
        (form(b""), 422, "Photograph 1 ('0.png') is not an image that can be read: the file is empty."),
        (form(b"%!PS-Adobe-3.0"), 422, "Photograph 1 ('0.png') is not an image that can be read: not in any of the "),
        (form(GOOD[:60]), 422, "Photograph 1 ('0.png') is not an image that can be read: "),
        (form(*[GOOD] * 4), 413, "There are more than 3 photographs; ask several times."),
        (form(GOOD, GOOD + b"x" * 2_000), 413, "Photograph 2 ('1.png') is longer than 2,000 bytes; make it smaller."),
        ({"content": GOOD * 20, "headers": {"Content-Type": "image/png"}}, 413, "Photograph 1 is longer than 2,000"),
        (form(encoded(np.zeros((40, 30), np.uint8))), 422, "Photograph 1 ('0.png') has 1,200 pixels, and 1,000 is the"),
        ({"content": b"{}", "headers": JSON}, 415, "The body must be photographs, and it came with Content-Type 'app"),
        ({"content": b""}, 415, "The body must be photographs, and it came with no Content-Type: send the files of a"),
        ({"data": {"a": "b"}, **form(GOOD)}, 422, "The form has a field that is not a file: send the files of a form"),
        ({"content": b"--x--\r\n", "headers": BROKEN_FORM}, 422, "The request has no photograph: send the files of a "),
        ({"content": b"nonsense", "headers": BROKEN_FORM}, 400, "The form cannot be read: "),
        ({"content": b"", "headers": {"Content-Type": "multipart/form-data"}}, 400, "The form cannot be read: "),
    ],
)
def test_what_is_no_photograph_gets_a_sentence(folder, sent, status, said):
    small = Limits(photographs=3, photograph_bytes=2_000, photograph_pixels=1_000)
    shop = Asked({"clothes": folder}, limits=small)
    assert detail(shop.post(PATH, **sent), status).startswith(said)


def test_a_body_longer_than_all_photographs_is_refused_and_other_routes_keep_their_limit(folder):
    small = Asked({"clothes": folder}, limits=Limits(photographs=1, photograph_bytes=10_000, body_bytes=100))
    assert small.post(PATH, **form(GOOD)).status_code == 200
    assert detail(small.post(PATH, **form(b"x" * 20_000)), 413).startswith("The body is longer than 14,096 bytes")
    assert detail(small.post("/v1/models/clothes/predict", content=b"x" * 101), 413).startswith("The body is longer")


def test_more_uploads_than_are_taken_at_once_are_told_to_come_again(folder):
    busy = Asked({"clothes": folder}, limits=Limits(uploads=1))

    async def slowly():
        yield GOOD[:50]
        await asyncio.sleep(0.3)
        yield GOOD[50:]

    how = {"headers": {"Content-Type": "image/png"}}
    slow, quick = busy.together(
        [("POST", PATH, {"content": slowly(), **how}), ("POST", PATH, {"content": GOOD, **how})]
    )
    assert sorted([slow.status_code, quick.status_code]) == [200, 503]
    refused = slow if slow.status_code == 503 else quick
    assert detail(refused, 503) == "1 requests with photographs are under way already; try again."
    assert busy.post(PATH, **form(GOOD)).status_code == 200
