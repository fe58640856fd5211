"""What the studio shows of a model: maps, neighbours, reasons, predictions, insight, photographs, take-away."""

import csv
import io
import json
import re
import time
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from studio import good, refused, running_studio
from test_studio_runs import orders_file, ratings_file, run_of, table_file
from vectable.studio.asking import as_csv

pytestmark = pytest.mark.slow


def photographs_zip():
    """Two classes of small images, one dark and one bright."""
    from PIL import Image

    rng, packed = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for at in range(40):
            name, level = (("dark", 40), ("bright", 200))[at % 2]
            image = Image.fromarray((rng.integers(0, 40, (28, 28)) + level).astype(np.uint8))
            written = io.BytesIO()
            image.save(written, "PNG")
            archive.writestr(f"photos/{name}/{at}.png", written.getvalue())
    return packed.getvalue()


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("studio") / "projects") as running:
        running.project("ratings", "ratings.csv", ratings_file())
        running.train("ratings", epochs=8, lr=0.02, factors=8)
        running.project("orders", "orders.csv", orders_file())
        running.train("orders", model="als")
        classes = table_file().replace("price", "dear")
        running.project("table", "table.csv", table_file())
        running.train("table", epochs=6, lr=0.01, batch_size=64)
        yesno = "\n".join([classes.splitlines()[0], *(_as_class(one) for one in classes.splitlines()[1:])]) + "\n"
        running.project("classes", "classes.csv", yesno)
        running.train("classes", epochs=4, lr=0.01, batch_size=64)
        yield running


def _as_class(line):
    size, kind, price = line.split(",")
    return f"{size},{kind},{'yes' if int(price) > 70 else 'no'}"


def test_a_map_says_how_much_it_holds_and_how_many_it_shows(studio):
    found = good(studio.get("/api/projects/ratings/runs/1/map?limit=10"))
    assert found["of"] == "items"
    assert [one["value"] for one in found["of_choices"]] == ["items", "users"]
    assert (found["shown"], found["total"]) == (10, 24)
    assert len(found["x"]) == len(found["names"]) == len(found["columns"]["mean rating"]) == 10
    assert found["popularity"] == sorted(found["popularity"], reverse=True)
    assert found["explained"][0] >= found["explained"][1] > 0
    assert "not measured yet" in found["statistic"]["text"]
    other = good(studio.get("/api/projects/ratings/runs/1/map?x=1&y=0&limit=10"))
    assert (other["x"], other["y"]) == (found["y"], found["x"])
    refused(studio.get("/api/projects/ratings/runs/1/map?x=1&y=1"), 422)
    assert "Did you mean 'items'" in refused(studio.get("/api/projects/ratings/runs/1/map?of=item"), 404)


def test_neighbours_come_from_all_factors(studio):
    found = good(studio.get("/api/projects/ratings/runs/1/neighbours?of=items&name=i1&n=5"))
    assert [int(one["name"][1:]) % 2 for one in found["items"]] == [1] * 5  # of the same taste
    assert found["items"][0]["similarity"] > 0.5
    assert "i1" not in [one["name"] for one in found["items"]]
    refused(studio.get("/api/projects/ratings/runs/1/neighbours?of=items&name=nothing"), 404)


def test_whether_the_map_is_the_same_from_other_seeds(studio):
    asked = {"kind": "project", "settings": {"run": "1", "of": "items", "method": "stability"}}
    run = good(studio.post("/api/projects/ratings/runs", asked))
    assert studio.events("ratings", run["id"])[1] == "done"
    told = good(studio.get("/api/projects/ratings/runs/1/map"))["statistic"]
    assert told["kind"] == "stability"
    assert told["agreement"] > 0.5
    assert told["p_value"] <= 0.01


def test_t_sne_is_a_run_of_its_own(studio):
    refused(studio.get("/api/projects/ratings/runs/1/map?method=tsne"), 404)
    asked = {"kind": "project", "settings": {"run": "1", "of": "items", "method": "tsne"}}
    run = good(studio.post("/api/projects/ratings/runs", asked))
    assert studio.events("ratings", run["id"])[1] == "done"
    found = good(studio.get("/api/projects/ratings/runs/1/map?method=tsne"))
    assert found["shown"] == 24
    assert "distances between groups mean nothing" in found["statistic"]["text"]


def test_names_are_found_by_a_part(studio):
    first = good(studio.get("/api/projects/ratings/runs/1/names?of=items&n=3"))
    assert first["total"] == 24
    assert len(first["names"]) == 3
    found = good(studio.get("/api/projects/orders/runs/1/names?of=users&q=u1&n=50"))["names"]
    assert found[0]["name"] == "u1"
    assert all("1" in one["name"] for one in found)


@pytest.mark.parametrize(
    ("project", "basket"),
    [
        ("ratings", {"ratings": [{"item": "i1", "rating": 4.5}, {"item": "i2", "rating": 1.5}]}),
        ("orders", {"items": ["i1", "i3"]}),
    ],
)
def test_the_bars_of_a_basket_add_up_to_its_prediction(studio, project, basket):
    listed = good(studio.post(f"/v1/models/{project}.1/fold-in", {**basket, "n": 3}))["items"]
    best = listed[0]
    terms = good(studio.post(f"/api/projects/{project}/runs/1/explain", {**basket, "item": best["item"]}))["terms"]
    whole, *parts = terms
    told = best["prediction"] if project == "ratings" else best["score"]
    assert whole["points"] == pytest.approx(told, abs=1e-3)
    reasons = [one for one in parts if one["term"] in ("because", "everything else")]
    taste = sum(one["points"] for one in parts if one["term"] == "taste") if project == "ratings" else told
    assert sum(one["points"] for one in reasons) == pytest.approx(taste, abs=1e-3)
    others = sum(one["points"] for one in parts if one["term"] in ("mean", "user", "item", "end of scale"))
    assert others + taste == pytest.approx(told, abs=1e-3)
    assert {one["item"] for one in reasons if one.get("item")} <= {"i1", "i2", "i3"}
    refused(studio.post(f"/api/projects/{project}/runs/1/explain", {**basket, "item": "none"}), 422)


def test_a_prediction_has_its_interval_and_what_moved_it(studio):
    form = good(studio.get("/api/projects/table/runs/1/columns"))
    assert [one["name"] for one in form["fields"]] == ["size", "kind"]
    assert sorted(form["fields"][1]["choices"]) == ["a", "b"]
    rows = [{"size": 49, "kind": "b"}, {"size": 1, "kind": "a"}]
    found = good(studio.post("/api/projects/table/runs/1/predict", {"rows": rows}))
    dear, cheap = found["predictions"]
    assert dear["low"] < dear["value"] < dear["high"]
    assert dear["coverage"] == 0.9
    assert dear["value"] > cheap["value"] + 50
    size = next(one for one in dear["moved"] if one["name"] == "size")
    assert size["points"] > 10
    assert "do not add up" in found["sentence"]
    unknown = good(studio.post("/api/projects/table/runs/1/predict", {"rows": [{"size": 3, "kind": "z"}]}))
    assert unknown["notes"]
    refused(studio.post("/api/projects/table/runs/1/predict", {"rows": []}), 422)


def test_the_interval_holds_what_it_says():
    from vectable.studio.results.form import interval

    rng = np.random.default_rng(0)
    found = interval(rng.normal(size=2_000))
    inside = np.mean([found["low"] <= one <= found["high"] for one in rng.normal(size=20_000)])
    assert inside == pytest.approx(0.9, abs=0.02)
    assert interval(rng.normal(size=10)) is None


def test_classes_have_probabilities_that_add_up(studio):
    found = good(studio.post("/api/projects/classes/runs/1/predict", {"rows": [{"size": 49, "kind": "b"}]}))
    (one,) = found["predictions"]
    assert one["value"] == "yes"
    assert sum(kind["probability"] for kind in one["classes"]) == pytest.approx(1)
    parts = {part["kind"]: part for part in good(studio.get("/api/projects/classes/runs/1/insight"))["parts"]}
    assert set(parts) == {"importance", "confusion", "calibration", "worst"}
    assert sum(map(sum, parts["confusion"]["counts"])) == 120
    assert parts["importance"]["rows"][0]["value"] > 0


def test_a_file_of_rows_is_predicted(studio):
    answer = studio.client.post(
        "/api/projects/table/runs/1/predict.csv?label=new.csv", content="kind;size\na;10\n=cmd();20\n"
    )
    assert answer.status_code == 200, answer.text
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [*rows[0]] == ["kind", "size", "prediction", "low", "high"]
    assert float(rows[0]["low"]) < float(rows[0]["prediction"]) < float(rows[0]["high"])
    assert rows[1]["kind"] == "'=cmd()"
    bad = studio.client.post("/api/projects/table/runs/1/predict.csv?label=new.csv", content="kind;other\na;10\n")
    assert "size" in refused(bad, 422)


def test_cells_that_a_spreadsheet_would_run_are_texts():
    frame = pl.DataFrame({"=a": ["=1+1", "+1", "-1", "@x", "\tx", "plain", None], "n": [-1, 2, 3, 4, 5, 6, 7]})
    head, *rows = csv.reader(io.StringIO(as_csv(frame).decode()))
    assert head == ["'=a", "n"]
    assert [row[0] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain", ""]
    assert rows[0][1] == "-1"  # a number stays one


def test_what_is_taken_away(studio):
    listed = {one["name"]: one for one in good(studio.get("/api/projects/ratings/runs/1/take-away"))["files"]}
    assert all(one["ready"] for one in listed.values())
    taken = {name: studio.get(f"/api/projects/ratings/runs/1/take-away/{name}") for name in listed}
    assert {one.status_code for one in taken.values()} == {200}
    assert all("attachment" in one.headers["content-disposition"] for one in taken.values())
    lists = pl.read_csv(taken["recommendations.csv"].content)
    assert lists["user"].n_unique() == 60
    assert lists["rank"].max() == 10
    vectors = pl.read_parquet(io.BytesIO(taken["vectors.parquet"].content))
    assert len(vectors) == 24 + 60
    with zipfile.ZipFile(io.BytesIO(taken["model.zip"].content)) as packed:
        assert "vectable.json" in packed.namelist()
    none = {one["name"]: one for one in good(studio.get("/api/projects/table/runs/1/take-away"))["files"]}
    assert "no lists" in none["recommendations.csv"]["why_not"]
    refused(studio.get("/api/projects/table/runs/1/take-away/recommendations.csv"), 404)
    refused(studio.get("/api/projects/table/runs/1/take-away/..%2fjob.json"), 404)


def test_the_report_stands_by_itself(studio):
    for project in ("ratings", "classes"):
        page = studio.get(f"/api/projects/{project}/runs/1/take-away/report.html").text
        assert "<script" not in page
        assert re.findall(r'(?:src|href)="(?!#)', page) == []
        assert "default-src 'none'" in page
        assert run_of(studio, project)["sentence"].split(",")[0] in page
        assert page.count("<svg") >= 2


@pytest.mark.parametrize("screen", ["data", "train", "finder", "map", "recommend", "predict", "take-away"])
def test_the_same_in_python_and_by_command(studio, screen):
    for project in ("ratings", "orders", "table"):
        found = good(studio.get(f"/api/projects/{project}/runs/1/commands?screen={screen}"))
        compile(found["python"], "shown", "exec")
        assert found["command"].startswith(("vectable ", "#"))
    assert "vectable studio" in good(studio.get("/api/commands?screen=start"))["command"]


def test_photographs_are_shown_with_what_decided(studio):
    good(studio.post("/api/projects", {"name": "photos"}))
    shown = good(studio.upload("photos", "photos.zip", photographs_zip()))
    assert shown["task"] == "photographs"
    assert shown["classes"] == [{"name": "bright", "count": 20}, {"name": "dark", "count": 20}]
    run = studio.train("photos", epochs=1, whole_epochs=1, batch_size=8)
    assert run["state"] == "done", run["error"]
    found = good(studio.get("/api/projects/photos/runs/1/photographs"))
    assert found["classes"] == ["bright", "dark"]
    assert found["shown"] == found["total"] == 8
    one = found["images"][0]
    assert sum(one["probabilities"]) == pytest.approx(1, abs=1e-3)
    for part in ("thumbnail", "decided"):
        picture = studio.get(one[part])
        assert picture.headers["content-type"] == "image/png"
        assert picture.content.startswith(b"\x89PNG")
    alike = good(studio.get(one["alike"]))["images"]
    assert one["id"] not in alike
    mistakes = good(studio.get("/api/projects/photos/runs/1/photographs?mistakes=1"))["images"]
    assert all(each["class"] != each["predicted"] for each in mistakes)
    refused(studio.get("/api/projects/photos/runs/1/photographs/..%2findex.json"), 404)


def test_the_server_never_imports_torch(studio):
    """Its models answer, its pages are read, and torch is not among the files that its process has mapped."""
    good(studio.get("/v1/models/ratings.1/users/u1/recommendations"))
    mapped = Path(f"/proc/{studio.process.pid}/maps")
    if not mapped.is_file():
        pytest.skip("this system does not show what a process has loaded")
    assert "libtorch" not in mapped.read_text()


def test_questions_are_answered_while_a_training_runs(studio):
    studio.project("busy", "ratings.csv", ratings_file(300, 60))
    run = good(studio.post("/api/projects/busy/runs", {"settings": {"epochs": 100}}))["id"]
    began = time.monotonic()
    assert good(studio.get("/api/projects/ratings/runs/1/map"))["total"] == 24
    assert json.dumps(good(studio.get("/api/start")))
    assert time.monotonic() - began < 60
    good(studio.post(f"/api/projects/busy/runs/{run}/stop"))
    studio.events("busy", run)
