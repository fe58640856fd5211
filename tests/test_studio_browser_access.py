"""The studio for everybody: by keyboard alone, for screen readers, by day and night, on a desk and on a phone."""

import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import vectable as vt
from studio_browser import PATIENCE, WIDTHS, Visit, running_browser, running_studio, zipped_shapes

pytestmark = pytest.mark.slow

FIRST_LOAD = 250_000  # bytes
TABS = 120  # presses of Tab within which anything on a screen is reached
SCREENS = {
    "start": "#/start",
    "data": "#/p/shop/data",
    "train": "#/p/shop/train",
    "map": "#/p/shop/map?colour=ratings",
    "recommend": "#/p/shop/recommend?user=1",
    "predict": "#/p/people/predict",
    "photographs": "#/p/pictures/photographs",
    "take-away": "#/p/shop/take-away",
    "lesson": "#/lesson",
}


@pytest.fixture(scope="module")
def ratings(tmp_path_factory) -> Path:
    """A few ratings in a file."""
    rows = [{"user": at % 40, "item": f"Book {(at + at // 40) % 31}", "rating": 1 + at * 7 % 5} for at in range(1_200)]
    file = tmp_path_factory.mktemp("files") / "shop.csv"
    pl.DataFrame(rows).unique(["user", "item"], keep="first", maintain_order=True).write_csv(file)
    return file


@pytest.fixture(scope="module")
def browser():
    with running_browser() as found:
        yield found


@pytest.fixture(scope="module")
def let_in(browser, ratings, tmp_path_factory):
    """The cookie of a browser in a studio with a trained project for each screen, and the studio's address."""
    with running_studio(tmp_path_factory.mktemp("projects")) as address:
        visit = Visit(browser, address)
        visit.shown("start")
        prepare(visit, "shop", ratings, {"epochs": 2})
        people = ratings.with_name("people.csv")
        vt.datasets.load("adult").table.head(600).drop("split").write_csv(people)
        prepare(visit, "people", people, {"epochs": 1})
        prepare(visit, "pictures", zipped_shapes(ratings.with_name("pictures")), {"epochs": 1, "whole_epochs": 0})
        state = visit.context.storage_state()
        visit.close()
        yield state, visit.home


def prepare(visit: Visit, name: str, file: Path, settings: dict[str, Any]) -> None:
    """A project of a file, with a trained run."""
    visit.ask("/api/projects", {"name": name})
    at = f"{visit.home}api/projects/{name}"
    sent = visit.context.request.post(f"{at}/file?label={file.name}", data=file.read_bytes())
    assert sent.ok, sent.text()
    visit.ask(f"/api/projects/{name}/runs", {"kind": "train", "settings": settings})
    deadline = time.monotonic() + PATIENCE / 1000
    while (run := visit.ask(f"/api/projects/{name}/runs/1"))["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert run["state"] == "done", run["error"]


@pytest.fixture
def visiting(browser, let_in):
    """Makes visits of the trained projects; at the end none of their pages has complained."""
    state, home = let_in
    visits = []

    def visit(size: str = "desk", scheme: str = "light") -> Visit:
        visits.append(Visit(browser, home, size, scheme, state))
        return visits[-1]

    yield visit
    for one in visits:
        one.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(WIDTHS))
def test_no_screen_has_a_serious_fault_or_is_wider_than_the_window(visiting, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    visit = visiting(size, scheme)
    for step, address in SCREENS.items():
        visit.open(address, step)
        visit.page.wait_for_load_state("networkidle")
        found = axe.Axe().run(visit.page).response["violations"]
        serious = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found if one["impact"] in SERIOUS]
        assert serious == [], step
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        assert width <= WIDTHS[size][0], step


SERIOUS = ("serious", "critical")


def test_the_first_load_is_small(visiting):
    visit = visiting()
    visit.shown("start")
    visit.page.wait_for_load_state("networkidle")
    assert 20_000 < sum(visit.loaded.values()) <= FIRST_LOAD, visit.loaded


def test_every_screen_shows_the_same_in_python_and_by_command(visiting):
    visit = visiting()
    for step, address in SCREENS.items():
        visit.open(address, step)
        for title in ("The same in Python", "The same by command"):
            block = (
                visit.page.get_by_role("complementary")
                .locator("pre", has_text="")
                .and_(visit.page.get_by_label(title, exact=True))
            )
            assert block.inner_text().strip(), step
            visit.page.get_by_role("button", name=f"Copy: {title}").wait_for()


def test_the_map_moves_by_keys_and_says_the_same_as_a_table(visiting):
    visit = visiting()
    visit.open("#/p/shop/map", "map")
    page = visit.page
    page.get_by_text("31 of 31 shown").wait_for()
    page.get_by_text("As a table: what is in view").click()
    page.get_by_role("table", name="31 in view, the most frequent first").wait_for()
    surface = page.get_by_role("group", name="Map.")
    surface.focus()
    for _ in range(6):
        page.keyboard.press("+")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.get_by_text("As a table: what is in view").click()
    page.get_by_text("As a table: what is in view").click()
    shown = page.locator("details table tbody tr").count()
    assert shown < 31


def test_the_lasso_lists_what_it_holds(visiting):
    visit = visiting()
    visit.open("#/p/shop/map", "map")
    page = visit.page
    page.get_by_role("button", name="Lasso").click()
    surface = page.get_by_role("group", name="Map.")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.02)]
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()
    inside = page.get_by_role("region", name="Inside the lasso")
    inside.get_by_role("heading", name="points inside").wait_for()
    assert inside.locator("tbody tr").count() >= 25


def test_training_goes_on_without_the_page(visiting):
    visit = visiting()
    visit.open("#/p/shop/train", "train")
    page = visit.page
    page.get_by_label("Epochs", exact=True).fill("150")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("region", name="Run 2").wait_for()
    page.goto("about:blank")
    visit.open("#/p/shop/train", "train")
    page.get_by_role("region", name="Run 2").wait_for()
    page.wait_for_selector("[data-state='done'], [data-state='failed']")
    assert page.locator("[data-state='done']").count()
    page.get_by_role("link", name="Take it away").wait_for()


def test_the_whole_way_by_keyboard_alone(browser, ratings, tmp_path):
    with running_studio(tmp_path / "projects") as address:
        visit = Visit(browser, address)
        visit.shown("start")
        page = visit.page
        reach(page, "file")
        with page.expect_file_chooser() as chosen:
            page.keyboard.press("Enter")
        chosen.value.set_files(str(ratings))
        visit.shown("data")
        press(page, "Go on to training")
        visit.shown("train")
        reach(page, "Epochs")
        page.keyboard.press("Control+A")
        page.keyboard.type("2")
        press(page, "Train", "BUTTON")
        page.wait_for_selector("[data-state='done']")
        press(page, "Walk through the map")
        visit.shown("map")
        reach(page, "Find")
        page.keyboard.type("Book 1")
        page.get_by_role("option").first.wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.get_by_role("region", name="Chosen").wait_for()
        press(page, "Recommend")
        visit.shown("recommend")
        reach(page, "For whom?")
        page.keyboard.type("3")
        page.keyboard.press("Enter")
        page.locator("li.sum").first.wait_for()
        press(page, "Take away")
        visit.shown("take-away")
        reach(page, "Save script.py")
        with page.expect_download() as saved:
            page.keyboard.press("Enter")
        saved.value.save_as(tmp_path / "script.py")
        assert "collab_learner" in (tmp_path / "script.py").read_text("utf-8")
        visit.close()


FOCUSED = """() => {
  const one = document.activeElement;
  const label = one.labels && one.labels[0] ? one.labels[0].innerText : "";
  return [one.id, one.getAttribute("aria-label") || "", label, one.innerText || "", one.tagName];
}"""


def reach(page: Any, name: str, tag: str | None = None) -> None:
    """Presses Tab until what has the focus has this id, label or text."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        *names, kind = page.evaluate(FOCUSED)
        if name in (one.strip() for one in names) and tag in (None, kind):
            return
    raise AssertionError(f"{name} is not reached by Tab")


def press(page: Any, name: str, tag: str | None = None) -> None:
    """Reaches a link or button and presses Enter."""
    reach(page, name, tag)
    page.keyboard.press("Enter")
