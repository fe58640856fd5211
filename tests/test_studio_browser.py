"""The whole way through the studio in a browser, for each kind of data: file, types, training, answers, downloads."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import vectable as vt
from studio_browser import Visit, running_browser, running_studio, zipped_shapes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with running_browser() as found:
        yield found


@pytest.fixture
def visit(browser, tmp_path):
    """A browser in a studio over an empty folder; closing it fails where a page complained."""
    with running_studio(tmp_path / "projects") as address:
        visit = Visit(browser, address)
        visit.shown("start")
        yield visit
        visit.close()


@pytest.fixture
def away(tmp_path) -> Path:
    """A folder for what is downloaded."""
    folder = tmp_path / "away"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def few_ratings() -> pl.DataFrame:
    """Ratings of the readers who rated most, with titles: some thousand rows."""
    books = vt.datasets.load("goodbooks")
    readers = books.ratings["user"].value_counts(sort=True)["user"].head(150).to_list()
    rows = books.ratings.filter(pl.col("user").is_in(readers))
    return rows.join(books.items.select("item", "title"), on="item")


def run_script(folder: Path, file: str) -> Path:
    """Runs the downloaded script on the file beside it, as its reader would; gives the model's folder."""
    done = subprocess.run([sys.executable, "script.py", file], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "answers.csv").is_file()
    return folder / "model"


def unpacked(archive: Path) -> Path:
    """The folder of a downloaded model."""
    target = archive.with_suffix("")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(target)
    return target


def model_of(visit: Visit, project: str) -> str:
    """The name under which the studio serves the model of a project's only run."""
    [run] = visit.ask(f"/api/projects/{project}")["runs"]
    return run["model"]


def see_neighbours(visit: Visit) -> None:
    """Finds a point of the map by its name and sees its neighbours."""
    page = visit.page
    total = page.get_by_text(" shown", exact=False).first
    total.wait_for()
    page.get_by_role("combobox", name="Find", exact=True).fill("a")
    page.get_by_role("option").first.click()
    chosen = page.get_by_role("region", name="Chosen")
    chosen.get_by_text("Most alike").wait_for()
    assert chosen.locator("tbody tr").count() == 10


def sums_up(visit: Visit) -> None:
    """The bars of the first item on the list add up to what the list says of it."""
    first = visit.page.locator("ol.recommended > li").first
    first.locator("li.sum").wait_for()
    *parts, total = [float(one.replace("−", "-")) for one in first.locator(".why .value").all_inner_texts()]
    assert len(parts) >= 2
    assert sum(parts) == pytest.approx(total, abs=0.005 * (len(parts) + 1))
    assert total == pytest.approx(float(first.locator("summary .value").inner_text()), abs=0.0051)


def test_ratings(visit, few_ratings, tmp_path, away):
    file = away / "shop.csv"
    few_ratings.write_csv(file)
    page = visit.page
    visit.drop(file)
    for column in ("user", "item", "rating"):
        assert page.get_by_label(f"{column} is taken for").input_value() == column
    assert page.get_by_label("These are", exact=True).input_value() == "ratings"

    visit.go("Train", "train")
    visit.train(Epochs=3)
    page.get_by_role("heading", name="RMSE, lower is better").wait_for()
    page.get_by_role("link", name="Walk through the map").click()
    visit.shown("map")
    see_neighbours(visit)

    visit.go("Recommend", "recommend")
    page.get_by_role("combobox", name="For whom?", exact=True).fill(str(few_ratings["user"][0]))
    page.keyboard.press("Enter")
    sums_up(visit)
    assert page.locator("ol.recommended > li").count() == 10

    visit.go("Take away", "take-away")
    for name in ("model.zip", "recommendations.csv", "vectors.parquet", "script.py", "report.html"):
        visit.save(name, away)
    assert pl.read_csv(away / "recommendations.csv").height == 10 * few_ratings["user"].n_unique()
    rows = few_ratings.select("user", "item").head(50).to_dicts()
    studio = visit.ask(f"/v1/models/{model_of(visit, 'shop')}/predict", {"rows": rows})["predictions"]
    for model in (unpacked(away / "model.zip"), run_script(away, "shop.csv")):
        assert vt.load_answers(model).predict(rows)["predictions"] == pytest.approx(studio, abs=1e-4)


def test_a_basket_and_a_name_that_nobody_has(visit, few_ratings, away):
    file = away / "shop.csv"
    few_ratings.write_csv(file)
    visit.drop(file)
    visit.go("Train", "train")
    visit.train(Epochs=1)
    visit.go("Recommend", "recommend")
    page = visit.page
    page.get_by_role("combobox", name="For whom?", exact=True).fill("nobody")
    page.keyboard.press("Enter")
    page.get_by_text("not in the training data").wait_for()

    page.get_by_role("button", name="A basket").click()
    page.get_by_role("combobox", name="Add what somebody rated").fill("a")
    page.get_by_role("option").first.click()
    page.get_by_role("radiogroup").get_by_role("radio", name="5").check()
    sums_up(visit)


def test_interactions(visit, few_ratings, away):
    file = away / "orders.csv"
    few_ratings.select("user", "item", "title").write_csv(file)
    page = visit.page
    visit.drop(file)
    assert page.get_by_label("These are", exact=True).input_value() == "interactions"

    visit.go("Train", "train")
    visit.train()
    visit.go("Map", "map")
    see_neighbours(visit)
    visit.go("Recommend", "recommend")
    user = few_ratings["user"][0]
    page.get_by_role("combobox", name="For whom?", exact=True).fill(str(user))
    page.keyboard.press("Enter")
    sums_up(visit)

    visit.go("Take away", "take-away")
    for name in ("model.zip", "script.py"):
        visit.save(name, away)
    asked = f"/v1/models/{model_of(visit, 'orders')}/users/{user}/recommendations"
    studio = visit.ask(asked)["items"]
    for model in (unpacked(away / "model.zip"), run_script(away, "orders.csv")):
        repeated = vt.load_answers(model).recommend(user)["items"]
        assert [one["item"] for one in repeated] == [one["item"] for one in studio]
        assert [one["score"] for one in repeated] == pytest.approx([one["score"] for one in studio], abs=1e-4)


def test_table(visit, away):
    file = away / "people.csv"
    people = vt.datasets.load("adult")
    table, target = people.table.head(2_000), people.target
    table.write_csv(file)
    page = visit.page
    visit.drop(file)
    assert page.get_by_label("These are", exact=True).input_value() == "table"
    page.get_by_label(f"{target} is taken for").select_option("target")
    page.get_by_text("chosen by you").wait_for()

    visit.go("Train", "train")
    visit.train(Epochs=2)
    page.get_by_role("link", name="Predict", exact=True).last.click()
    visit.shown("predict")
    page.get_by_role("button", name="Predict", exact=True).click()
    answer = page.get_by_role("region", name="The answer")
    answer.get_by_role("list", name="Probabilities").wait_for()
    assert page.get_by_role("region", name="Chosen").count() == 0
    rows = table.drop(target).head(40)
    rows.write_csv(away / "new.csv")
    page.get_by_label("A CSV with rows to predict").set_input_files(str(away / "new.csv"))
    with page.expect_download() as expected:
        page.get_by_role("button", name="Save new-predicted.csv").click()
    expected.value.save_as(away / "predicted.csv")

    visit.go("Take away", "take-away")
    for name in ("model.zip", "script.py"):
        visit.save(name, away)
    model = model_of(visit, "people")
    studio = visit.ask(f"/v1/models/{model}/predict", {"rows": json.loads(rows.write_json())})
    assert pl.read_csv(away / "predicted.csv")["prediction"].to_list() == studio["predictions"]
    for model in (unpacked(away / "model.zip"), run_script(away, "people.csv")):
        repeated = vt.load_answers(model).predict(rows.to_dicts())
        assert np.allclose(repeated["probabilities"], studio["probabilities"], atol=1e-4)


def test_photographs(visit, away):
    folder = away / "shapes"
    page = visit.page
    visit.drop(zipped_shapes(folder))
    page.get_by_role("region", name="Photographs of each class").wait_for()

    visit.go("Train", "train")
    visit.train(**{"Epochs of the head": 1, "Epochs of the whole net": 1})
    page.get_by_role("link", name="Look at the photographs").click()
    visit.shown("photographs")
    page.locator(".thumb").first.click()
    one = page.get_by_role("region", name="One photograph")
    one.get_by_role("list", name="Probabilities").wait_for()
    one.get_by_label("Show what decided it").check()
    one.get_by_role("img", name="Where the decision came from").wait_for()

    visit.go("Take away", "take-away")
    for name in ("model.zip", "script.py"):
        visit.save(name, away)
    [run] = visit.ask("/api/projects/shapes")["runs"]
    shown = visit.ask(f"/api/projects/shapes/runs/{run['id']}/photographs?limit=400")
    paths = [folder / image["class"] / image["name"] for image in shown["images"]]
    for model in (unpacked(away / "model.zip"), run_script(away, "shapes")):
        repeated = vt.load_learner(model, progress=False).predict(paths)
        assert [one.label for one in repeated] == [image["predicted"] for image in shown["images"]]
