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
