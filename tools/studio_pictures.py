"""Takes the studio's pictures in the book and the README: the books that ship, trained in the studio, in Chromium.

    python tools/studio_pictures.py docs/assets

Writes studio-train.png, studio-map.png, studio-recommend.png and studio-phone.png: each of at most 256 colours.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
READER = "1200"
BOOK = "The Hobbit"
COLORS = 256


def main() -> None:
    """Train, look, take the pictures."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as projects, sync_playwright() as tool:
        command = [sys.executable, "-m", "vectable", "studio", projects, "--no-open", "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as studio:
            address = re.search(r"http://\S+", studio.stderr.readline())[0]
            browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            _take(browser, address, folder)
            browser.close()
            studio.terminate()


def _take(browser: Browser, address: str, folder: Path) -> None:
    context = browser.new_context(viewport=DESK, color_scheme="light")
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="goodbooks").click()
    _shown(page, "data")
    page.get_by_role("link", name="Go on to training").click()
    _shown(page, "train")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("link", name="Walk through the map").wait_for(timeout=300_000)
    page.evaluate("document.querySelector('[aria-label=\"Run 1\"]').scrollIntoView()")
    _save(page, folder / "studio-train.png")
    page.get_by_role("link", name="Walk through the map").click()
    _see_map(page)
    _save(page, folder / "studio-map.png")
    page.get_by_role("link", name="Recommend", exact=True).click()
    _shown(page, "recommend")
    _list(page)
    _save(page, folder / "studio-recommend.png")
    state = context.storage_state()
    phone = browser.new_context(viewport=PHONE, color_scheme="dark", storage_state=state).new_page()
    phone.goto(page.url)
    _shown(phone, "recommend")
    phone.locator("li.sum").first.wait_for()
    _save(phone, folder / "studio-phone.png")


def _see_map(page: Page) -> None:
    _shown(page, "map")
    page.get_by_label("Colour by", exact=True).select_option("mean rating")
    page.get_by_role("combobox", name="Find", exact=True).fill(BOOK)
    page.get_by_role("option").first.click()
    page.get_by_role("region", name="Chosen").wait_for()
    page.evaluate("document.querySelector('.map').scrollIntoView({block: 'center'})")


def _list(page: Page) -> None:
    page.get_by_role("combobox", name="For whom?", exact=True).fill(READER)
    page.keyboard.press("Enter")
    page.locator("li.sum").first.wait_for()


def _shown(page: Page, step: str) -> None:
    page.wait_for_selector(f"main[data-shown='{step}']", timeout=120_000)


def _save(page: Page, file: Path) -> None:
    """A picture of what is seen, in few colours."""
    page.wait_for_timeout(500)
    page.screenshot(path=file)
    Image.open(file).convert("RGB").quantize(COLORS).save(file, optimize=True)


if __name__ == "__main__":
    main()
