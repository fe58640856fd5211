"""The studio in a real browser, as the tests drive it: a process of its own, a page that may ask nobody else."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

PATIENCE = 240_000  # milliseconds: against hangs alone, a busy machine is no defect
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}


@contextmanager
def running_studio(folder: Path) -> Iterator[str]:
    """The studio over a folder of projects; gives the address that lets a browser in."""
    command = [sys.executable, "-m", "vectable", "studio", str(folder), "--no-open", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            said = process.stderr.readline()
            found = re.search(r"http://\S+", said)
            assert found, said
            yield found[0]
        finally:
            process.terminate()
            process.communicate(timeout=60)


@contextmanager
def running_browser():
    """Chromium as the system has it; skips where there is none."""
    reason = "needs playwright: pip install 'vectable[test-slow]'"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    where = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if where is None:
        pytest.skip("needs Chromium or Chrome on the PATH")
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield browser
        browser.close()


def zipped_shapes(folder: Path) -> Path:
    """Sixty small pictures in a folder and in a zip beside it: upright and level stripes, with some noise."""
    images = pytest.importorskip("PIL.Image", reason="needs pillow: pip install 'vectable[vision]'")
    rng = np.random.default_rng(0)
    archive = folder.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as packed:
        for at in range(60):
            stripes = np.tile((np.arange(28) // 4 % 2) * 200, (28, 1)) + rng.integers(0, 55, (28, 28))
            name = "upright" if at % 2 else "level"
            file = folder / name / f"{name}-{at}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            images.fromarray((stripes if at % 2 else stripes.T).astype(np.uint8)).save(file)
            packed.write(file, file.relative_to(folder).as_posix())
    return archive


class Visit:
    """A browser that was let in once, and what its pages complained of or asked elsewhere.

    Args:
        address: that lets the browser in; with the `state` of a browser that was let in, the studio's own.
        size: "desk" or "phone".
        scheme: "light" or "dark".

    Attributes:
        context: of the browser.
        page: the one that is driven.
        complaints: errors of the console and of scripts, and requests that left this machine.
        loaded: bytes of the answers' bodies by address.
    """

    def __init__(self, browser, address: str, size: str = "desk", scheme: str = "light", state=None) -> None:
        width, height = WIDTHS[size]
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=state
        )
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.loaded: dict[str, int] = {}
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._watch)
        self.page.on("requestfinished", self._weigh)
        self.home = f"http://{urlsplit(address).netloc}/"
        self.page.goto(address)

    def _hear(self, message) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text} {message.location.get('url', '')}")

    def _watch(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("blob", "data") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.complaints.append(f"asked {request.url}")

    def _weigh(self, request) -> None:
        if urlsplit(request.url).scheme.startswith("http"):
            self.loaded[request.url] = self.loaded.get(request.url, 0) + request.sizes()["responseBodySize"]

    def shown(self, step: str) -> None:
        """Waits until the screen of a step is there."""
        self.page.wait_for_selector(f"main[data-shown='{step}'], main[data-failed]")
        assert self.page.locator(f"main[data-shown='{step}']").count(), self.page.locator("main").inner_text()

    def open(self, address: str, step: str) -> None:
        """Opens the screen of an address such as ``#/p/shop/map``."""
        self.page.goto("about:blank")
        self.page.goto(self.home + address)
        self.shown(step)

    def go(self, title: str, step: str) -> None:
        """Goes to a step by its link on the left."""
        self.page.get_by_role("navigation", name="Steps", exact=True).get_by_role(
            "link", name=title, exact=True
        ).click()
        self.shown(step)

    def drop(self, file: Path) -> None:
        """Chooses a file on the start screen and waits for what its columns were taken for."""
        self.page.set_input_files("#file", str(file))
        self.shown("data")

    def train(self, **settings: object) -> None:
        """Trains with settings, by their labels, and waits for the end."""
        for label, value in settings.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(str(value))
        self.page.get_by_role("button", name="Train", exact=True).click()
        self.page.wait_for_selector("[data-state='done'], [data-state='failed']")
        assert self.page.locator("[data-state='done']").count(), self.page.locator("main").inner_text()
        self.page.get_by_role("link", name="Take it away").wait_for()

    def save(self, name: str, folder: Path) -> Path:
        """Saves a file of the screen "Take away"."""
        with self.page.expect_download() as expected:
            self.page.get_by_role("link", name=f"Save {name}", exact=True).click()
        target = folder / name
        expected.value.save_as(target)
        return target

    def ask(self, path: str, body: dict | None = None) -> dict:
        """What the server answers this browser beside its pages."""
        if body is None:
            answer = self.context.request.get(self.home + path.lstrip("/"))
        else:
            answer = self.context.request.post(self.home + path.lstrip("/"), data=body)
        assert answer.ok, answer.text()
        return answer.json()

    def close(self) -> None:
        """Closes the page; fails where it complained."""
        self.context.close()
        assert self.complaints == []
